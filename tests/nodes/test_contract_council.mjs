// SPDX-License-Identifier: Apache-2.0
//
// DeRoT.sol on a real node: the founding, proposals and votes, and the council's rule over itself. After the
// tests the rolling hash over the events read back must be the contract's own.
//
//     tests/nodes/node_modules/node/bin/node --test tests/nodes/test_contract_council.mjs

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { label, mappingSlot, word } from './abi.mjs';
import { ACTION, SLOT, proposalSlots, runtime } from './derot.mjs';
import {
	M,
	M2,
	NOTICE,
	PERIOD,
	W,
	args8,
	chain,
	council,
	dep,
	found,
	g1,
	g2,
	m1,
	m2,
	m3,
	n1,
	names,
	other,
	refused,
	refusedAct,
	useChain,
} from './contract_kit.mjs';

useChain();

describe('founding', () => {
	test('the constitution is the first events, in order', async () => {
		const derot = await found();
		const history = await derot.history();
		assert.equal(
			names(history),
			'MemberSet,MemberSet,MemberSet,QuorumSet,' +
				'NoticeSet,'.repeat(5) +
				'GuardianAdded,GuardianAdded,ProfileSet,Constituted',
		);
		const time = BigInt(history[0].time);
		assert.deepEqual(history[1].args, { proposal: 0n, due: time, member: m2, weight: 2n });
		assert.deepEqual(history[3].args, { proposal: 0n, due: time, quorum: 4n });
		assert.deepEqual(history[8].args, { proposal: 0n, due: time, class: 4n, period: 50n });
		assert.deepEqual(history[9].args, { proposal: 0n, due: time, guardian: g1 });
		assert.deepEqual(history[11].args, { proposal: 0n, due: time, digest: label('profile') });
		assert.deepEqual(history[12].args, { votingPeriod: 1000n });
		assert.equal(await chain.rpc('eth_getCode', derot.address, 'latest'), runtime);
	});
	test('without a profile there is no ProfileSet', async () => {
		assert.ok(!names(await (await found({ profile: '0x' })).history()).includes('ProfileSet'));
	});
	for (const [name, options] of Object.entries({
		'no member': { founders: [], weights: [] },
		'no quorum': { quorum: 0 },
		'quorum out of reach': { quorum: 7 },
		'member twice': { founders: [0, 0, 1] },
		'weight zero': { weights: [0, 5, 5] },
		'weight beyond 32 bits': { weights: [1, 2, 2n ** 32n] },
		'lists of different length': { weights: [1, 2, 3, 4] },
		'no voting period': { period: 0 },
		'voting without end': { period: 3650 * 86400 + 1 },
		'notice without end': { notices: [0, 0, 0, 0, 2n ** 63n] },
		'guardian twice': { guardians: [0, 0] },
		'guardian zero': { guardians: [W(0).slice(0, 42)] },
		'member zero': { founders: [W(0).slice(0, 42), 1, 2] },
	})) {
		test('refused: ' + name, async () => {
			for (const list of ['founders', 'guardians'])
				if (options[list])
					options[list] = options[list].map((a) => (typeof a === 'number' ? chain.accounts[a] : a));
			await assert.rejects(found(options), /failed in block|revert/);
		});
	}
});

describe('proposals', () => {
	test('propose, vote, execute: the act follows Executed, with notice', async () => {
		const derot = await found();
		const id = await derot.propose(m1, ACTION.measurementAllow, [M]);
		assert.equal(id, 1n);
		const [proposed] = (await derot.history()).slice(-1);
		assert.deepEqual(proposed.args, {
			proposal: 1n,
			by: m1,
			action: 20n,
			expires: BigInt(proposed.time + PERIOD),
			args: args8(M),
		});
		await refused(derot, 'Unsupported', m1, 'execute', [id]);
		const [vote] = await derot.send(m3, 'vote', [id, true]);
		assert.deepEqual(vote, { name: 'Voted', args: { proposal: 1n, by: m3, weight: 3n, support: true } });
		await refused(derot, 'Unsupported', m1, 'execute', [id]);
		await derot.send(m2, 'vote', [id, true]);
		const events = await derot.send(other, 'execute', [id]);
		const due = BigInt((await chain.time()) + NOTICE.measurement);
		assert.deepEqual(events, [
			{ name: 'Executed', args: { proposal: 1n, by: other } },
			{ name: 'MeasurementAllowed', args: { proposal: 1n, due, measurement: M } },
		]);
		assert.equal(BigInt(await chain.storage(derot.address, mappingSlot(M, SLOT.measurement))), due);
		await refused(derot, 'Closed', m1, 'execute', [id]);
		await refused(derot, 'Closed', m1, 'vote', [id, true]);
		await refused(derot, 'Closed', m1, 'cancel', [id]);
	});
	test('only members propose, and only what the council may do, cleanly', async () => {
		const derot = await found();
		await refused(derot, 'NotMember', [g1, dep, n1, other], 'propose', [20, args8(M)]);
		for (const action of [
			0, 7, 9, 10, 11, 12, 13, 22, 30, 31, 35, 36, 37, 38, 51, 60, 61, 70, 71, 72, 76, 81, 65535,
		])
			await refused(derot, 'BadAction', m1, 'propose', [action, args8()]);
		await refused(derot, 'BadArgument', m1, 'propose', [20, args8(M, 1)]);
		await refused(derot, 'BadArgument', m1, 'propose', [3, args8(2n ** 64n)]);
		await refused(derot, 'BadArgument', m1, 'propose', [5, args8(2n ** 160n)]);
		await refused(derot, 'BadArgument', m1, 'propose', [40, args8(1, M, 2n ** 64n)]);
		const dirty = derot.transaction(m1, 'propose', [20, args8(M)]);
		dirty.data = dirty.data.slice(0, 10) + W(2n ** 16n + 20n).slice(2) + dirty.data.slice(74);
		await assert.rejects(chain.rpc('eth_call', dirty, 'latest'), /revert/);
	});
	test('one vote each, of members only, until it expires', async () => {
		const derot = await found();
		const id = await derot.propose(m1, ACTION.measurementAllow, [M]);
		await refused(derot, 'NotMember', [g1, dep, other], 'vote', [id, true]);
		await derot.send(m2, 'vote', [id, false]);
		await refused(derot, 'AlreadyVoted', m2, 'vote', [id, true]);
		await refused(derot, 'Closed', m1, 'vote', [2, true]);
		await refused(derot, 'Closed', m1, 'vote', [0, true]);
		await derot.send(m3, 'vote', [id, true]);
		const { expires } = (await derot.history()).find((e) => e.name === 'Proposed').args;
		await chain.nextTime(Number(expires));
		await derot.send(m1, 'vote', [id, true]); // the last second counts
		await chain.mine(Number(expires) + 1);
		for (const name of ['execute', 'cancel']) await refused(derot, 'Closed', m1, name, [id]);
	});
	test('as many against as for is not carried', async () => {
		const derot = await found({ quorum: 3 });
		const id = await derot.propose(m1, ACTION.measurementAllow, [M]);
		await derot.send(m3, 'vote', [id, true]);
		await derot.send(m1, 'vote', [id, false]);
		assert.equal(await derot.refusal(other, 'execute', [id]), null);
		await derot.send(m2, 'vote', [id, false]);
		await refused(derot, 'Unsupported', other, 'execute', [id]);
	});
	test('cancelled by the proposer or a guardian, nobody else', async () => {
		const derot = await found();
		for (const [idx, by] of [m1, g1].entries()) {
			const id = await derot.propose(m1, ACTION.measurementAllow, [M]);
			await refused(derot, 'NotGuardian', [m2, dep, other], 'cancel', [id]);
			assert.deepEqual(await derot.send(by, 'cancel', [id]), [
				{ name: 'Cancelled', args: { proposal: BigInt(idx + 1), by } },
			]);
			await refused(derot, 'Closed', m2, 'vote', [id, true]);
			await refused(derot, 'Closed', m2, 'execute', [id]);
			await refused(derot, 'Closed', by, 'cancel', [id]);
		}
	});
	test('a guardian cannot cancel the removal of one', async () => {
		const derot = await found();
		const id = await derot.propose(m2, ACTION.guardianRemove, [g1]);
		await refused(derot, 'BadAction', [g1, g2], 'cancel', [id]);
		await refused(derot, 'NotGuardian', [m1, m3, other], 'cancel', [id]);
		assert.equal(await derot.refusal(m2, 'cancel', [id]), null);
		for (const m of [m2, m3]) await derot.send(m, 'vote', [id, true]);
		await derot.send(other, 'execute', [id]);
	});
	test('weights are those of the proposal’s second', async () => {
		const derot = await found();
		await council(derot, ACTION.memberSet, other, 9);
		await council(derot, ACTION.memberSet, m1, 5);
		const early = await derot.propose(m2, ACTION.measurementAllow, [M]);
		await refused(derot, 'NotMember', other, 'propose', [20, args8(M)]); // its notice runs
		await chain.mine((await chain.time()) + NOTICE.council);
		await refused(derot, 'NotMember', other, 'vote', [early, true]); // in force now, not then
		const late = await derot.propose(other, ACTION.measurementAllow, [M2]);
		assert.equal((await derot.send(m1, 'vote', [early, true]))[0].args.weight, 1n);
		assert.equal((await derot.send(m1, 'vote', [late, true]))[0].args.weight, 5n);
		await chain.mine((await chain.time()) + 1); // anvil may give many blocks the same second
		await council(derot, ACTION.memberRemove, other);
		// Removed: what he could vote on stays, nothing new comes.
		assert.equal((await derot.send(other, 'vote', [late, true]))[0].args.weight, 9n);
		await refused(derot, 'NotMember', other, 'propose', [20, args8(M)]);
		const later = await derot.propose(m2, ACTION.measurementAllow, [label('m3')]);
		await refused(derot, 'NotMember', other, 'vote', [later, true]);
	});
	test('removed in the second of the proposal is removed', async () => {
		const derot = await found();
		const ids = [await derot.propose(m2, ACTION.memberRemove, [m1])];
		for (const m of [m2, m3]) await derot.send(m, 'vote', [ids[0], true]);
		const time = (await chain.time()) + 5;
		await chain.nextTime(time);
		const id = await derot.propose(m1, ACTION.measurementAllow, [M]);
		await chain.nextTime(time);
		await derot.send(m1, 'execute', [ids[0]]);
		assert.equal(await chain.time(), time);
		await refused(derot, 'NotMember', m1, 'vote', [id, true]);
	});
	test('the quorum is that of the proposal’s second', async () => {
		const derot = await found();
		await council(derot, ACTION.quorumSet, 6);
		const early = await derot.propose(m2, ACTION.measurementAllow, [M]);
		await chain.mine((await chain.time()) + NOTICE.council);
		const late = await derot.propose(m2, ACTION.measurementAllow, [M2]);
		for (const id of [early, late]) for (const m of [m2, m3]) await derot.send(m, 'vote', [id, true]);
		await refused(derot, 'Unsupported', m1, 'execute', [late]);
		await derot.send(m1, 'execute', [early]);
	});
	test('a tampered tally lets an execution through that no vote supports', async () => {
		const derot = await found();
		const id = await derot.propose(m1, ACTION.measurementAllow, [M]);
		await derot.send(m1, 'vote', [id, true]);
		await derot.send(m2, 'vote', [id, false]);
		const { yes, no } = proposalSlots(id);
		assert.equal(BigInt(await chain.storage(derot.address, yes)), 1n);
		assert.equal(BigInt(await chain.storage(derot.address, no)), 2n);
		await chain.setStorage(derot.address, yes, W(99));
		assert.equal(names(await derot.send(m1, 'execute', [id])), 'Executed,MeasurementAllowed');
	});
});

describe('the council itself', () => {
	test('members: with notice in, at once out, never below the quorum', async () => {
		const derot = await found();
		assert.deepEqual((await council(derot, ACTION.memberSet, other, 2))[1], {
			name: 'MemberSet',
			args: { proposal: 1n, due: BigInt((await chain.time()) + NOTICE.council), member: other, weight: 2n },
		});
		const now = await chain.time();
		assert.equal(await derot.call('weightAt', [other, now + NOTICE.council - 1]), 0n);
		assert.equal(await derot.call('weightAt', [other, now + NOTICE.council]), 2n);
		// Without m3 and before the newcomer's due: 3 < 4.
		await refusedAct(derot, 'Unreachable', ACTION.memberRemove, m3);
		// A pending weight goes with the member.
		await council(derot, ACTION.memberRemove, other);
		assert.equal(await derot.call('weightAt', [other, now + 10 * NOTICE.council]), 0n);
		await refusedAct(derot, 'Unknown', ACTION.memberRemove, other);
		assert.deepEqual((await council(derot, ACTION.memberRemove, m1))[1], {
			name: 'MemberRemoved',
			args: { proposal: 5n, member: m1 },
		});
		await refused(derot, 'NotMember', m1, 'propose', [20, args8(M)]);
		await refusedAct(derot, 'BadArgument', ACTION.memberSet, m1, 0);
		await refusedAct(derot, 'BadArgument', ACTION.memberSet, 0, 1);
		await refusedAct(derot, 'BadArgument', ACTION.memberSet, m1, 2n ** 32n);
		await refusedAct(derot, 'Unreachable', ACTION.memberSet, m3, 1);
	});
	test('64 members at a time, any number over time', async () => {
		const many = Array.from({ length: 61 }, (_, i) => '0x' + word(1000 + i).slice(24));
		const founders = [m1, m2, m3, ...many];
		await assert.rejects(
			found({ founders: [...founders, other], weights: founders.map(() => 3).concat(1) }),
			/failed|revert/,
		);
		const derot = await found({ founders, weights: founders.map(() => 3) });
		await council(derot, ACTION.memberSet, m1, 4); // one of them: no new seat
		await refusedAct(derot, 'BadArgument', ACTION.memberSet, other, 1);
		for (const gone of [many[60], many[0]]) await council(derot, ACTION.memberRemove, gone);
		for (const come of [other, many[0]]) await council(derot, ACTION.memberSet, come, 1);
		await refusedAct(derot, 'BadArgument', ACTION.memberSet, n1, 1);
	});
	test('quorum', async () => {
		const derot = await found();
		await refusedAct(derot, 'BadArgument', ACTION.quorumSet, 0);
		await refusedAct(derot, 'Unreachable', ACTION.quorumSet, 7);
		await council(derot, ACTION.quorumSet, 6);
		const now = await chain.time();
		assert.equal(await derot.call('quorumAt', [now + NOTICE.council - 1]), 4n);
		assert.equal(await derot.call('quorumAt', [now + NOTICE.council]), 6n);
		await refusedAct(derot, 'Unreachable', ACTION.memberRemove, m1); // 5 would do now, not for the 6 to come
		await council(derot, ACTION.quorumSet, 1); // a later decision for a later time; both stay in order
		assert.equal(await derot.call('quorumAt', [now + 2 * NOTICE.council]), 1n);
	});
	test('notices change with the notice they have', async () => {
		const derot = await found();
		const [, event] = await council(derot, ACTION.noticeSet, 1, 5);
		const now = await chain.time();
		assert.deepEqual(event.args, { proposal: 1n, due: BigInt(now + NOTICE.council), class: 1n, period: 5n });
		assert.equal(await derot.call('noticeAt', [1, now]), 200n);
		await council(derot, ACTION.measurementAllow, M);
		assert.equal(await derot.call('measurementDue', [M]), BigInt((await chain.time()) + 200));
		await chain.mine(now + NOTICE.council);
		await council(derot, ACTION.measurementAllow, M2);
		assert.equal(await derot.call('measurementDue', [M2]), BigInt((await chain.time()) + 5));
		await refusedAct(derot, 'BadArgument', ACTION.noticeSet, 5, 1);
		await refusedAct(derot, 'BadArgument', ACTION.noticeSet, 1, 3650 * 86400 + 1);
		await refusedAct(derot, 'BadArgument', ACTION.noticeSet, 257, 1);
	});
	test('a shorter notice set later wins over what was to come', async () => {
		const derot = await found();
		await council(derot, ACTION.memberSet, other, 2); // due in 100
		await council(derot, ACTION.noticeSet, 0, 0); // due in 100
		const id = await derot.propose(m2, ACTION.memberSet, [other, 7]);
		for (const m of [m2, m3]) await derot.send(m, 'vote', [id, true]);
		await council(derot, ACTION.memberRemove, other);
		await chain.mine((await chain.time()) + NOTICE.council);
		await derot.send(m1, 'execute', [id]);
		const now = await chain.time();
		assert.equal(await derot.call('weightAt', [other, now]), 7n);
		assert.equal(await derot.call('weightAt', [other, now - 1]), 0n);
	});
	test('guardians: with notice in, at once out', async () => {
		const derot = await found();
		await council(derot, ACTION.measurementAllow, M);
		const [, added] = await council(derot, ACTION.guardianAdd, other);
		assert.deepEqual(added, {
			name: 'GuardianAdded',
			args: { proposal: 2n, due: BigInt((await chain.time()) + NOTICE.council), guardian: other },
		});
		await refused(derot, 'NotGuardian', other, 'revokeMeasurement', [M]);
		await refusedAct(derot, 'Already', ACTION.guardianAdd, other);
		await chain.mine((await chain.time()) + NOTICE.council);
		assert.equal(await derot.refusal(other, 'revokeMeasurement', [M]), null);
		assert.deepEqual((await council(derot, ACTION.guardianRemove, other))[1], {
			name: 'GuardianRemoved',
			args: { proposal: 4n, guardian: other },
		});
		await refused(derot, 'NotGuardian', other, 'revokeMeasurement', [M]);
		await refusedAct(derot, 'Unknown', ACTION.guardianRemove, other);
		await refusedAct(derot, 'BadArgument', ACTION.guardianAdd, 0);
		assert.equal(await derot.call('guardianAt', [g1, await chain.time()]), true);
	});
	test('profile', async () => {
		const derot = await found();
		const [, event] = await council(derot, ACTION.profileSet, label('next'));
		assert.deepEqual(event.args, {
			proposal: 1n,
			due: BigInt((await chain.time()) + NOTICE.profile),
			digest: label('next'),
		});
		assert.equal(await derot.call('profile'), label('next'));
		await refusedAct(derot, 'BadArgument', ACTION.profileSet, 0);
	});
});
