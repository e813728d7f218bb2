// SPDX-License-Identifier: Apache-2.0
//
// DeRoT.sol on a real node: what every function does, who is refused and why, and that after each test the
// rolling hash over the events read back is the contract's own.
//
//     tests/nodes/node_modules/node/bin/node --test tests/nodes/test_contract.mjs

import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { keccak, label, mappingSlot, word } from './abi.mjs';
import { startAnvil, startHardhat } from './chain.mjs';
import { ACTION, SLOT, checkHistory, deploy, proposalSlots, runtime } from './derot.mjs';

const NOTICE = { council: 100, measurement: 200, root: 300, profile: 400, app: 50 };
const PERIOD = 1000;
const NONE = [0, 0, 0, 0, 0, 0, 0, 0];
const APP = label('app');
const M = label('measurement');
const M2 = label('measurement 2');
const SERVICE = label('service');
const W = (value) => '0x' + word(value);
const args8 = (...args) => NONE.map((_, i) => W(args[i] ?? 0));
const hex = (n) => '0x' + n.toString(16);

let chain;
// Roles: three members, two guardians, a deployer, two nodes, a stranger.
let m1, m2, m3, g1, g2, dep, n1, n2, other;
let all = [];

before(async () => {
	chain = await startAnvil();
	[m1, m2, m3, g1, g2, dep, n1, n2, other] = chain.accounts;
});
after(async () => {
	for (const derot of all) await check(derot);
	await chain.stop();
});

const check = async (derot) => {
	const [history, count, acc] = [await derot.history(), await derot.call('eventCount'), await derot.call('acc')];
	checkHistory(history, count, acc);
	assert.equal(BigInt(await chain.storage(derot.address, W(0))), count);
	assert.equal(await chain.storage(derot.address, W(1)), acc);
};

async function found(options = {}) {
	const derot = await deploy(chain, {
		founders: [m1, m2, m3],
		weights: [1, 2, 3],
		guardians: [g1, g2],
		quorum: 4,
		period: PERIOD,
		notices: Object.values(NOTICE),
		profile: label('profile'),
		...options,
	});
	all.push(derot);
	return derot;
}

async function registered(derot) {
	await derot.send(dep, 'registerApp', [APP, label('nonce'), 60, 3]);
}

const node = (role, measurement = M) => [role, measurement, label('key'), label('sgx'), label('fam'), 7, label('dev')];
const council = (derot, action, ...args) => derot.decide([m2, m3], action, args);
const names = (events) => events.map((e) => e.name).join();

// refused: nobody of `who` can do it, and the reason is `reason`.
async function refused(derot, reason, who, name, args = [], value = 0n) {
	for (const from of [who].flat()) assert.equal(await derot.refusal(from, name, args, value), reason, `${name} by ${from}`);
}

// An act that the council agreed on, but that the contract refuses to carry out.
async function refusedAct(derot, reason, action, ...args) {
	const id = await derot.propose(m2, action, args);
	for (const m of [m2, m3]) await derot.send(m, 'vote', [id, true]);
	await refused(derot, reason, m1, 'execute', [id]);
}

describe('founding', () => {
	test('the constitution is the first events, in order', async () => {
		const derot = await found();
		const history = await derot.history();
		assert.equal(
			names(history),
			'MemberSet,MemberSet,MemberSet,QuorumSet,' + 'NoticeSet,'.repeat(5) + 'GuardianAdded,GuardianAdded,ProfileSet,Constituted',
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
				if (options[list]) options[list] = options[list].map((a) => (typeof a === 'number' ? chain.accounts[a] : a));
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
		assert.deepEqual(proposed.args, { proposal: 1n, by: m1, action: 20n, expires: BigInt(proposed.time + PERIOD), args: args8(M) });
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
		for (const action of [0, 7, 9, 10, 11, 12, 13, 22, 30, 31, 35, 36, 37, 38, 51, 60, 61, 70, 71, 72, 76, 81, 65535])
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
			assert.deepEqual(await derot.send(by, 'cancel', [id]), [{ name: 'Cancelled', args: { proposal: BigInt(idx + 1), by } }]);
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
		assert.deepEqual((await council(derot, ACTION.memberRemove, m1))[1], { name: 'MemberRemoved', args: { proposal: 5n, member: m1 } });
		await refused(derot, 'NotMember', m1, 'propose', [20, args8(M)]);
		await refusedAct(derot, 'BadArgument', ACTION.memberSet, m1, 0);
		await refusedAct(derot, 'BadArgument', ACTION.memberSet, 0, 1);
		await refusedAct(derot, 'BadArgument', ACTION.memberSet, m1, 2n ** 32n);
		await refusedAct(derot, 'Unreachable', ACTION.memberSet, m3, 1);
	});
	test('64 members at a time, any number over time', async () => {
		const many = Array.from({ length: 61 }, (_, i) => '0x' + word(1000 + i).slice(24));
		const founders = [m1, m2, m3, ...many];
		await assert.rejects(found({ founders: [...founders, other], weights: founders.map(() => 3).concat(1) }), /failed|revert/);
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
		assert.deepEqual(added, { name: 'GuardianAdded', args: { proposal: 2n, due: BigInt((await chain.time()) + NOTICE.council), guardian: other } });
		await refused(derot, 'NotGuardian', other, 'revokeMeasurement', [M]);
		await refusedAct(derot, 'Already', ACTION.guardianAdd, other);
		await chain.mine((await chain.time()) + NOTICE.council);
		assert.equal(await derot.refusal(other, 'revokeMeasurement', [M]), null);
		assert.deepEqual((await council(derot, ACTION.guardianRemove, other))[1], { name: 'GuardianRemoved', args: { proposal: 4n, guardian: other } });
		await refused(derot, 'NotGuardian', other, 'revokeMeasurement', [M]);
		await refusedAct(derot, 'Unknown', ACTION.guardianRemove, other);
		await refusedAct(derot, 'BadArgument', ACTION.guardianAdd, 0);
		assert.equal(await derot.call('guardianAt', [g1, await chain.time()]), true);
	});
	test('profile', async () => {
		const derot = await found();
		const [, event] = await council(derot, ACTION.profileSet, label('next'));
		assert.deepEqual(event.args, { proposal: 1n, due: BigInt((await chain.time()) + NOTICE.profile), digest: label('next') });
		assert.equal(await derot.call('profile'), label('next'));
		await refusedAct(derot, 'BadArgument', ACTION.profileSet, 0);
	});
});

describe('measurements and hardware', () => {
	test('allowed by the council, revoked at once by it or a guardian', async () => {
		const derot = await found();
		await refused(derot, 'Unknown', g1, 'revokeMeasurement', [M]);
		await council(derot, ACTION.measurementAllow, M);
		await refusedAct(derot, 'Already', ACTION.measurementAllow, M);
		await refusedAct(derot, 'BadArgument', ACTION.measurementAllow, 0);
		await refused(derot, 'NotGuardian', [m1, m3, dep, n1, other], 'revokeMeasurement', [M]);
		assert.deepEqual(await derot.send(g1, 'revokeMeasurement', [M]), [
			{ name: 'MeasurementRevoked', args: { proposal: 0n, by: g1, measurement: M } },
		]);
		assert.equal(await derot.call('measurementDue', [M]), 0n);
		await council(derot, ACTION.measurementAllow, M);
		const [, event] = await council(derot, ACTION.measurementRevoke, M);
		assert.deepEqual(event, { name: 'MeasurementRevoked', args: { proposal: 5n, by: m2, measurement: M } });
		await refusedAct(derot, 'Unknown', ACTION.measurementRevoke, M);
	});
	test('hardware', async () => {
		const derot = await found();
		const FAM = label('family');
		const slot = (kind) => mappingSlot(FAM, mappingSlot(kind, SLOT.hardware));
		await refused(derot, 'NotGuardian', [m1, dep, other], 'blacklist', [2, FAM, 5]);
		for (const args of [[0, FAM, 0], [6, FAM, 0], [257, FAM, 0], [1, W(0), 0], [2, FAM, 2n ** 64n - 1n]])
			await refused(derot, 'BadArgument', g1, 'blacklist', args);
		assert.deepEqual(await derot.send(g1, 'blacklist', [2, FAM, 5]), [
			{ name: 'HardwareBlacklisted', args: { proposal: 0n, by: g1, kind: 2n, value: FAM, svn: 5n } },
		]);
		assert.equal(BigInt(await chain.storage(derot.address, slot(2))), 6n);
		await refused(derot, 'Already', g2, 'blacklist', [2, FAM, 5]);
		await refused(derot, 'BadArgument', g2, 'blacklist', [2, FAM, 4]); // would be a grant
		await refusedAct(derot, 'BadArgument', ACTION.hardwareBlacklist, 2, FAM, 4);
		await derot.send(g2, 'blacklist', [2, FAM, 6]);
		await council(derot, ACTION.hardwareBlacklist, 1, FAM, 0);
		await refusedAct(derot, 'Unknown', ACTION.hardwareReinstate, 3, FAM);
		await refusedAct(derot, 'BadArgument', ACTION.hardwareReinstate, 258, FAM);
		const [, event] = await council(derot, ACTION.hardwareReinstate, 2, FAM);
		const due = (await chain.time()) + NOTICE.measurement;
		assert.deepEqual(event.args, { proposal: 5n, due: BigInt(due), kind: 2n, value: FAM });
		await refusedAct(derot, 'Already', ACTION.hardwareReinstate, 2, FAM);
		await refused(derot, 'BadArgument', g1, 'blacklist', [2, FAM, 0]); // still listed
		await derot.send(g1, 'blacklist', [2, FAM, 6]); // ends the reinstatement
		assert.equal(await derot.call('hardwareReinstateDue', [2, FAM]), 0n);
		await council(derot, ACTION.hardwareReinstate, 2, FAM);
		await chain.mine((await chain.time()) + NOTICE.measurement);
		assert.equal(BigInt(await chain.storage(derot.address, slot(2))), 7n);
		await derot.send(g1, 'blacklist', [2, FAM, 1]); // anew, from the start
		assert.equal(BigInt(await chain.storage(derot.address, slot(2))), 2n);
	});
});

describe('applications', () => {
	test('registered once, with enough notice', async () => {
		const derot = await found();
		for (const args of [[W(0), M, 60, 3], [APP, M, 49, 3], [APP, M, 3650 * 86400 + 1, 3], [APP, M, 60, 0], [APP, M, 60, 6]])
			await refused(derot, 'BadArgument', dep, 'registerApp', args);
		assert.deepEqual(await derot.send(dep, 'registerApp', [APP, M, 50, 5]), [
			{ name: 'AppRegistered', args: { by: dep, app: APP, nonce: M, notice: 50n, confidence: 5n } },
		]);
		await refused(derot, 'Already', [dep, other], 'registerApp', [APP, M, 60, 3]);
	});
	test('only the deployer acts on it', async () => {
		const derot = await found();
		const acts = {
			announce: [APP, M],
			handover: [APP, M, M2],
			endHandover: [APP, M, M2],
			relaxConfidence: [APP, 4],
			tightenConfidence: [APP, 1],
			setEpochPolicy: [APP, SERVICE, 1, 1],
			advanceEpoch: [APP, SERVICE],
		};
		for (const [name, args] of Object.entries(acts)) await refused(derot, 'Unknown', dep, name, args);
		await registered(derot);
		await derot.send(other, 'registerApp', [label('another'), M, 60, 3]);
		for (const [name, args] of Object.entries(acts)) await refused(derot, 'NotDeployer', [m1, g1, n1, other], name, args);
	});
	test('measurements: announced with notice, revoked at once by three kinds of people', async () => {
		const derot = await found();
		await refused(derot, 'Unknown', g1, 'revokeAppMeasurement', [APP, M]);
		await registered(derot);
		await refused(derot, 'BadArgument', dep, 'announce', [APP, W(0)]);
		for (const by of [dep, g1, 'council']) {
			const [event] = await derot.send(dep, 'announce', [APP, M]);
			const due = BigInt((await chain.time()) + 60);
			assert.deepEqual(event, { name: 'AppMeasurementAllowed', args: { by: dep, due, app: APP, measurement: M } });
			assert.equal(BigInt(await chain.storage(derot.address, mappingSlot(M, mappingSlot(APP, SLOT.appMeasurement)))), due);
			await refused(derot, 'Already', dep, 'announce', [APP, M]);
			await refused(derot, 'NotGuardian', [m1, n1, other], 'revokeAppMeasurement', [APP, M]);
			const revoked =
				by === 'council' ? (await council(derot, ACTION.appMeasurementRevoke, APP, M))[1] : (await derot.send(by, 'revokeAppMeasurement', [APP, M]))[0];
			const args = { app: APP, measurement: M, ...(by === 'council' ? { proposal: 1n, by: m2 } : { proposal: 0n, by }) };
			assert.equal(revoked.name, 'AppMeasurementRevoked');
			assert.deepEqual(revoked.args, { ...revoked.args, ...args });
			await refused(derot, 'Unknown', [dep, g1], 'revokeAppMeasurement', [APP, M]);
		}
		await refusedAct(derot, 'Unknown', ACTION.appMeasurementRevoke, APP, M);
	});
	test('suspended at once, resumed by the council with notice', async () => {
		const derot = await found();
		const slot = mappingSlot(APP, SLOT.suspended);
		const value = async () => Number(await chain.storage(derot.address, slot));
		await refused(derot, 'Unknown', g1, 'suspendApp', [APP]);
		await refusedAct(derot, 'Unknown', ACTION.appSuspend, APP);
		await registered(derot);
		await refusedAct(derot, 'Unknown', ACTION.appResume, APP);
		await refused(derot, 'NotGuardian', [m1, n1, other], 'suspendApp', [APP]);
		assert.deepEqual(await derot.send(dep, 'suspendApp', [APP]), [{ name: 'AppSuspended', args: { proposal: 0n, by: dep, app: APP } }]);
		assert.equal(await value(), 1);
		await refused(derot, 'Already', [dep, g1], 'suspendApp', [APP]);
		const [, event] = await council(derot, ACTION.appResume, APP);
		const due = (await chain.time()) + NOTICE.measurement;
		assert.deepEqual(event, { name: 'AppResumed', args: { proposal: 3n, due: BigInt(due), app: APP } });
		assert.equal(await value(), due);
		await refusedAct(derot, 'Already', ACTION.appResume, APP);
		await derot.send(g1, 'suspendApp', [APP]); // ends the resumption
		assert.equal(await value(), 1);
		await council(derot, ACTION.appResume, APP);
		await chain.mine((await chain.time()) + NOTICE.measurement);
		await refusedAct(derot, 'Already', ACTION.appResume, APP);
		await council(derot, ACTION.appSuspend, APP);
		assert.equal(await value(), 1);
	});
	test('handover', async () => {
		const derot = await found();
		await registered(derot);
		for (const args of [[APP, W(0), M], [APP, M, W(0)], [APP, M, M]]) await refused(derot, 'BadArgument', dep, 'handover', args);
		await refused(derot, 'Unknown', dep, 'endHandover', [APP, M, M2]);
		const [event] = await derot.send(dep, 'handover', [APP, M, M2]);
		assert.deepEqual(event.args, { by: dep, due: BigInt((await chain.time()) + 60), app: APP, from: M, to: M2 });
		await refused(derot, 'Already', dep, 'handover', [APP, M, M2]);
		await refused(derot, 'Unknown', dep, 'endHandover', [APP, M2, M]);
		assert.deepEqual(await derot.send(dep, 'endHandover', [APP, M, M2]), [{ name: 'AppHandoverEnded', args: { by: dep, app: APP, from: M, to: M2 } }]);
		await derot.send(dep, 'handover', [APP, M, M2]);
	});
	test('confidence: relaxed with notice, tightened at once', async () => {
		const derot = await found();
		await registered(derot); // level 3
		for (const level of [0, 2, 3, 6]) await refused(derot, 'BadArgument', dep, 'relaxConfidence', [APP, level]);
		for (const level of [0, 4]) await refused(derot, 'BadArgument', dep, 'tightenConfidence', [APP, level]);
		await refused(derot, 'Already', dep, 'tightenConfidence', [APP, 3]);
		const [event] = await derot.send(dep, 'relaxConfidence', [APP, 5]);
		const now = await chain.time();
		assert.deepEqual(event.args, { by: dep, due: BigInt(now + 60), app: APP, confidence: 5n });
		await refused(derot, 'BadArgument', dep, 'tightenConfidence', [APP, 4]); // would let it in early
		await refused(derot, 'BadArgument', dep, 'relaxConfidence', [APP, 4]);
		assert.equal(await derot.call('confidenceAt', [APP, now + 59]), 3n);
		assert.equal(await derot.call('confidenceAt', [APP, now + 60]), 5n);
		assert.deepEqual(await derot.send(dep, 'tightenConfidence', [APP, 3]), [{ name: 'AppConfidenceTightened', args: { by: dep, app: APP, confidence: 3n } }]);
		assert.equal(await derot.call('confidenceAt', [APP, now + 600]), 3n); // the relaxation is dropped
	});
});

describe('epochs', () => {
	test('by time, by event, and under a policy that comes due in between', async () => {
		const derot = await found();
		await registered(derot);
		const at = (time) => derot.call('epochAt', [APP, SERVICE, time]);
		const t0 = (await chain.time()) + 10;
		await refused(derot, 'Unknown', dep, 'advanceEpoch', [APP, SERVICE]);
		await chain.nextTime(t0);
		const [first] = await derot.send(dep, 'setEpochPolicy', [APP, SERVICE, 100, 20]);
		assert.deepEqual(first.args, { by: dep, due: BigInt(t0), app: APP, service: SERVICE, period: 100n, overlap: 20n });
		assert.deepEqual(await at(t0), [0n, BigInt(t0)]);
		assert.deepEqual(await at(t0 + 99), [0n, BigInt(t0)]);
		assert.deepEqual(await at(t0 + 250), [2n, BigInt(t0 + 200)]);
		await chain.nextTime(t0 + 130); // epoch 1 by time; 2 begins now
		const [advanced] = await derot.send(dep, 'advanceEpoch', [APP, SERVICE]);
		assert.deepEqual(advanced, { name: 'EpochAdvanced', args: { by: dep, app: APP, service: SERVICE, epoch: 2n } });
		assert.deepEqual(await at(t0 + 229), [2n, BigInt(t0 + 130)]);
		assert.deepEqual(await at(t0 + 230), [3n, BigInt(t0 + 230)]);
		// A new policy at +240, due at +300; epoch 3 began at +230 and still runs then.
		await chain.nextTime(t0 + 240);
		const [second] = await derot.send(dep, 'setEpochPolicy', [APP, SERVICE, 7, 1]);
		assert.equal(second.args.due, BigInt(t0 + 300));
		assert.deepEqual(await at(t0 + 299), [3n, BigInt(t0 + 230)]);
		// From +300 the period is 7, counted from +230: at +300 ten have passed.
		assert.deepEqual(await at(t0 + 300), [13n, BigInt(t0 + 300)]);
		assert.deepEqual(await at(t0 + 313), [14n, BigInt(t0 + 307)]);
		await chain.nextTime(t0 + 310);
		assert.equal((await derot.send(dep, 'advanceEpoch', [APP, SERVICE]))[0].args.epoch, 15n);
		assert.deepEqual(await at(t0 + 316), [15n, BigInt(t0 + 310)]);
		// Period 0 stops the clock; a pending policy is replaced by a later one.
		await chain.nextTime(t0 + 311);
		await derot.send(dep, 'setEpochPolicy', [APP, SERVICE, 1, 0]);
		await chain.nextTime(t0 + 312);
		await derot.send(dep, 'setEpochPolicy', [APP, SERVICE, 0, 0]);
		assert.deepEqual(await at(t0 + 371), [23n, BigInt(t0 + 366)]); // 310 + 8 * 7, the old period
		assert.deepEqual(await at(t0 + 5000), [23n, BigInt(t0 + 366)]);
		await chain.nextTime(t0 + 5000);
		assert.equal((await derot.send(dep, 'advanceEpoch', [APP, SERVICE]))[0].args.epoch, 24n);
		assert.equal((await derot.send(dep, 'advanceEpoch', [APP, SERVICE]))[0].args.epoch, 25n);
		await refused(derot, 'Unknown', dep, 'advanceEpoch', [APP, label('other')]);
	});
});

describe('nodes and root generations', () => {
	test('registration, stake, leaving, slashing', async () => {
		const derot = await found();
		const gwei = 10n ** 9n;
		await refused(derot, 'BadArgument', n1, 'registerNode', node(0));
		await refused(derot, 'BadArgument', n1, 'registerNode', node(3));
		await refused(derot, 'BadArgument', n1, 'registerNode', node(1, W(0)));
		await refused(derot, 'BadArgument', n1, 'registerNode', node(1), 1n);
		for (const [name, value] of [['stake', 1n], ['deregisterNode', 0n]]) await refused(derot, 'NotNode', n1, name, [], value);
		await refused(derot, 'Unknown', n1, 'withdraw');
		assert.deepEqual(await derot.send(n1, 'registerNode', node(1), 5n * gwei), [
			{
				name: 'NodeRegistered',
				args: { by: n1, node: n1, role: 1n, measurement: M, encKey: label('key'), tee: label('sgx'), family: label('fam'), svn: 7n, device: label('dev') },
			},
			{ name: 'NodeStaked', args: { by: n1, node: n1, stake: 5n } },
		]);
		const dirty = derot.transaction(n1, 'registerNode', node(1));
		dirty.data = dirty.data.slice(0, 10 + 64 * 5) + 'f'.repeat(64) + dirty.data.slice(10 + 64 * 6);
		await assert.rejects(chain.rpc('eth_call', dirty, 'latest'), /revert/); // an unclean svn
		await refused(derot, 'BadArgument', n1, 'stake');
		assert.equal((await derot.send(n1, 'stake', [], 2n * gwei))[0].args.stake, 7n);
		assert.deepEqual((await council(derot, ACTION.nodeSlash, n1, 3))[1], { name: 'NodeSlashed', args: { proposal: 1n, node: n1, amount: 3n } });
		assert.equal((await derot.call('nodes', [n1]))[1], 4n);
		await refused(derot, 'Unknown', n1, 'withdraw');
		assert.deepEqual(await derot.send(n1, 'deregisterNode'), [{ name: 'NodeDeregistered', args: { by: n1, node: n1 } }]);
		await refused(derot, 'NotNode', n1, 'deregisterNode');
		await refused(derot, 'TooEarly', n1, 'withdraw');
		await council(derot, ACTION.nodeSlash, n1, 1); // leaving does not save the stake
		await chain.mine((await chain.time()) + NOTICE.root);
		await refused(derot, 'Unknown', n2, 'withdraw');
		assert.deepEqual(await derot.send(n1, 'withdraw'), []);
		await refused(derot, 'Unknown', n1, 'withdraw');
		assert.equal(BigInt(await chain.rpc('eth_getBalance', derot.address, 'latest')), 4n * gwei); // slashed for ever
		await refusedAct(derot, 'Unknown', ACTION.nodeSlash, n1, 1);
		await derot.send(n1, 'registerNode', node(2), gwei);
		await council(derot, ACTION.nodeSlash, n1, 2n ** 64n - 1n);
		assert.equal((await derot.call('nodes', [n1]))[1], 0n);
	});
	test('rotate, publish, share, retire, expose', async () => {
		const derot = await found();
		const far = () => chain.time().then((t) => t + 10000);
		const pub = [0x010101, ...Array.from({ length: 9 }, (_, i) => label('word ' + i))].map(W);
		const publish = [1, pub];
		await refusedAct(derot, 'NotNode', ACTION.rootRotate, 1, n1, await far());
		await derot.send(n1, 'registerNode', node(1));
		await derot.send(n2, 'registerNode', node(2));
		await refused(derot, 'Unknown', n1, 'publishRoot', publish);
		await refusedAct(derot, 'NotNode', ACTION.rootRotate, 1, n2, await far()); // a worker
		await refusedAct(derot, 'BadArgument', ACTION.rootRotate, 2, n1, await far());
		await refusedAct(derot, 'BadArgument', ACTION.rootRotate, 1, n1, (await chain.time()) + NOTICE.root);
		const deadline = await far();
		const [, ordered] = await council(derot, ACTION.rootRotate, 1, n1, deadline);
		const due = (await chain.time()) + NOTICE.root;
		assert.deepEqual(ordered.args, { proposal: ordered.args.proposal, due: BigInt(due), generation: 1n, node: n1, deadline: BigInt(deadline) });
		await refusedAct(derot, 'Already', ACTION.rootRotate, 2, n1, await far()); // one at a time
		await refused(derot, 'TooEarly', n1, 'publishRoot', publish);
		await refusedAct(derot, 'Unknown', ACTION.rootShare, 1, n1);
		await refusedAct(derot, 'Unknown', ACTION.rootExpose, 1, 5);
		await chain.mine(due);
		await refused(derot, 'NotNode', [n2, m1, g1, other], 'publishRoot', publish);
		for (const scheme of [0, 0x020101, 0x010001, 0x010201, 0x1010101])
			await refused(derot, 'BadArgument', n1, 'publishRoot', [1, [W(scheme), ...pub.slice(1)]]);
		for (const idx of [1, 4]) await refused(derot, 'BadArgument', n1, 'publishRoot', [1, pub.map((w, i) => (i === idx ? W(0) : w))]);
		const [published] = await derot.send(n1, 'publishRoot', publish);
		assert.deepEqual(published, { name: 'RootPublished', args: { by: n1, generation: 1n, args: pub } });
		assert.equal(
			await chain.storage(derot.address, mappingSlot(1, SLOT.root)),
			keccak(pub[1] + pub[4].slice(2)),
		);
		await refused(derot, 'Already', n1, 'publishRoot', publish);

		await refusedAct(derot, 'NotNode', ACTION.rootShare, 1, n2); // a worker
		const [, shared] = await council(derot, ACTION.rootShare, 1, n1);
		assert.deepEqual(shared.args, { proposal: shared.args.proposal, due: BigInt((await chain.time()) + NOTICE.root), generation: 1n, node: n1 });
		await refusedAct(derot, 'Already', ACTION.rootShare, 1, n1);
		await derot.send(n1, 'registerNode', node(1, M2));
		await council(derot, ACTION.rootShare, 1, n1); // registered anew: shared anew

		await refused(derot, 'NotGuardian', [m1, dep, n1, other], 'exposeRoot', [1, 5]);
		await refused(derot, 'BadArgument', g1, 'exposeRoot', [1, 0]);
		await refused(derot, 'Unknown', g1, 'exposeRoot', [2, 5]);
		assert.deepEqual(await derot.send(g1, 'exposeRoot', [1, deadline]), [
			{ name: 'RootExposed', args: { proposal: 0n, by: g1, generation: 1n, deadline: BigInt(deadline) } },
		]);
		await refused(derot, 'Already', g2, 'exposeRoot', [1, deadline]);
		await refused(derot, 'Already', g2, 'exposeRoot', [1, deadline + 1]); // a later deadline would be a grant
		await council(derot, ACTION.rootExpose, 1, deadline - 1);

		// Generation 2 misses its deadline, 3 is retired before it is made, 4 is made by the other node.
		await council(derot, ACTION.rootRotate, 2, n1, (await chain.time()) + NOTICE.root + 20);
		await chain.mine((await chain.time()) + NOTICE.root + 30);
		await refused(derot, 'TooLate', n1, 'publishRoot', [2, pub]);
		await council(derot, ACTION.rootRotate, 3, n1, await far());
		assert.deepEqual((await council(derot, ACTION.rootRetire, 3))[1].args.generation, 3n);
		await refusedAct(derot, 'Already', ACTION.rootRetire, 3);
		await refusedAct(derot, 'Unknown', ACTION.rootRetire, 9);
		await chain.mine((await chain.time()) + NOTICE.root);
		await refused(derot, 'Unknown', n1, 'publishRoot', [3, pub]);
		await derot.send(n2, 'registerNode', node(1));
		await council(derot, ACTION.rootRotate, 4, n2, await far());
		await chain.mine((await chain.time()) + NOTICE.root);
		await derot.send(n2, 'deregisterNode');
		await refused(derot, 'NotNode', n2, 'publishRoot', [4, pub]); // named, but gone
		await derot.send(n2, 'registerNode', node(1));
		await derot.send(n2, 'publishRoot', [4, pub]);
		await council(derot, ACTION.rootRetire, 1);
		await refusedAct(derot, 'Unknown', ACTION.rootShare, 1, n2);
	});
	test('heartbeat by anyone', async () => {
		const derot = await found();
		assert.deepEqual(await derot.send(other, 'heartbeat', [M]), [{ name: 'Heartbeat', args: { by: other, nonce: M } }]);
	});
});

describe('the history', () => {
	test('many events in one block, and a reorganization', async () => {
		const derot = await found();
		await chain.rpc('evm_setAutomine', false);
		const hashes = [];
		for (let i = 0; i < 20; i++) hashes.push(await chain.rpc('eth_sendTransaction', { ...derot.transaction(other, 'heartbeat', [W(i)]), gas: hex(200000) }));
		await chain.mine();
		await chain.rpc('evm_setAutomine', true);
		for (const hash of hashes) assert.equal((await chain.receipt(hash)).status, '0x1');
		await check(derot);
		const before = await derot.call('acc');
		const tx = { ...derot.transaction(other, 'heartbeat', [M]), gas: hex(200000) };
		await chain.reorg(1, [[tx, 0]]);
		assert.notEqual(await derot.call('acc'), before);
		assert.equal((await derot.history()).at(-1).args.nonce, M);
		await check(derot);
	});
	test('a hidden, moved or changed event is not the same history', async () => {
		const derot = await found();
		await derot.send(other, 'heartbeat', [M]);
		const history = await derot.history();
		const [count, acc] = [await derot.call('eventCount'), await derot.call('acc')];
		const lies = [
			history.toSpliced(5, 1),
			history.toSpliced(4, 2, history[5], history[4]),
			history.with(3, { ...history[3], block: history[3].block + 1 }),
			history.with(3, { ...history[3], time: history[3].time + 1 }),
			history.with(-1, { ...history.at(-1), data: history.at(-1).data.replace(/.$/, '1') }),
			history.with(-1, { ...history.at(-1), topic0: history[0].topic0 }),
		];
		for (const lie of lies) assert.throws(() => checkHistory(lie, count, acc));
		checkHistory(history, count, acc);
	});
	test('no plain payment, no unknown function', async () => {
		const derot = await found();
		for (const tx of [{ value: '0x1' }, { data: '0x12345678' }, {}])
			await assert.rejects(chain.rpc('eth_call', { from: other, to: derot.address, ...tx }, 'latest'), /revert/);
	});
	test('a second, independent node agrees', async () => {
		const peer = await startHardhat();
		try {
			const [a, b] = peer.accounts;
			const derot = await deploy(peer, { founders: [a, b], quorum: 2, profile: label('profile') });
			await derot.decide([a, b], ACTION.measurementAllow, [M]);
			assert.equal(await derot.refusal(b, 'revokeMeasurement', [M]), 'NotGuardian');
			assert.equal(await peer.rpc('eth_getCode', derot.address, 'latest'), runtime);
			checkHistory(await derot.history(), await derot.call('eventCount'), await derot.call('acc'));
		} finally {
			await peer.stop();
		}
	});
});
