// SPDX-License-Identifier: Apache-2.0
//
// DeRoT.sol on a real node: rights and who may give and take them, epochs, nodes, roots, and the history.
// After the tests the rolling hash over the events read back must be the contract's own.
//
//     tests/nodes/node_modules/node/bin/node --test tests/nodes/test_contract.mjs

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { keccak, label, mappingSlot } from './abi.mjs';
import { startHardhat } from './chain.mjs';
import { ACTION, SLOT, checkHistory, deploy, runtime } from './derot.mjs';
import {
	APP,
	M,
	M2,
	NOTICE,
	SERVICE,
	W,
	chain,
	check,
	council,
	dep,
	found,
	g1,
	g2,
	hex,
	m1,
	m2,
	m3,
	n1,
	n2,
	node,
	other,
	refused,
	refusedAct,
	registered,
	useChain,
} from './contract_kit.mjs';

useChain();

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
		for (const args of [
			[0, FAM, 0],
			[6, FAM, 0],
			[257, FAM, 0],
			[1, W(0), 0],
			[2, FAM, 2n ** 64n - 1n],
		])
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
		for (const args of [
			[W(0), M, 60, 3],
			[APP, M, 49, 3],
			[APP, M, 3650 * 86400 + 1, 3],
			[APP, M, 60, 0],
			[APP, M, 60, 6],
		])
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
		for (const [name, args] of Object.entries(acts))
			await refused(derot, 'NotDeployer', [m1, g1, n1, other], name, args);
	});
	test('measurements: announced with notice, revoked at once by three kinds of people', async () => {
		const derot = await found();
		await refused(derot, 'Unknown', g1, 'revokeAppMeasurement', [APP, M]);
		await registered(derot);
		await refused(derot, 'BadArgument', dep, 'announce', [APP, W(0)]);
		for (const by of [dep, g1, 'council']) {
			const [event] = await derot.send(dep, 'announce', [APP, M]);
			const due = BigInt((await chain.time()) + 60);
			assert.deepEqual(event, {
				name: 'AppMeasurementAllowed',
				args: { by: dep, due, app: APP, measurement: M },
			});
			assert.equal(
				BigInt(await chain.storage(derot.address, mappingSlot(M, mappingSlot(APP, SLOT.appMeasurement)))),
				due,
			);
			await refused(derot, 'Already', dep, 'announce', [APP, M]);
			await refused(derot, 'NotGuardian', [m1, n1, other], 'revokeAppMeasurement', [APP, M]);
			const revoked =
				by === 'council'
					? (await council(derot, ACTION.appMeasurementRevoke, APP, M))[1]
					: (await derot.send(by, 'revokeAppMeasurement', [APP, M]))[0];
			const args = {
				app: APP,
				measurement: M,
				...(by === 'council' ? { proposal: 1n, by: m2 } : { proposal: 0n, by }),
			};
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
		assert.deepEqual(await derot.send(dep, 'suspendApp', [APP]), [
			{ name: 'AppSuspended', args: { proposal: 0n, by: dep, app: APP } },
		]);
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
		for (const args of [
			[APP, W(0), M],
			[APP, M, W(0)],
		])
			await refused(derot, 'BadArgument', dep, 'handover', args);
		// A version to itself: between root generations.
		const [same] = await derot.send(dep, 'handover', [APP, M, M]);
		assert.deepEqual([same.args.from, same.args.to], [M, M]);
		await refused(derot, 'Already', dep, 'handover', [APP, M, M]);
		await derot.send(dep, 'endHandover', [APP, M, M]);
		await refused(derot, 'Unknown', dep, 'endHandover', [APP, M, M2]);
		const [event] = await derot.send(dep, 'handover', [APP, M, M2]);
		assert.deepEqual(event.args, { by: dep, due: BigInt((await chain.time()) + 60), app: APP, from: M, to: M2 });
		await refused(derot, 'Already', dep, 'handover', [APP, M, M2]);
		await refused(derot, 'Unknown', dep, 'endHandover', [APP, M2, M]);
		assert.deepEqual(await derot.send(dep, 'endHandover', [APP, M, M2]), [
			{ name: 'AppHandoverEnded', args: { by: dep, app: APP, from: M, to: M2 } },
		]);
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
		assert.deepEqual(await derot.send(dep, 'tightenConfidence', [APP, 3]), [
			{ name: 'AppConfidenceTightened', args: { by: dep, app: APP, confidence: 3n } },
		]);
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
		const ever = 3650 * 86400 + 1;
		for (const pair of [[ever, 1], [1, ever]])
			await refused(derot, 'BadArgument', dep, 'setEpochPolicy', [APP, SERVICE, ...pair]);
		await chain.nextTime(t0);
		const [first] = await derot.send(dep, 'setEpochPolicy', [APP, SERVICE, 100, 20]);
		assert.deepEqual(first.args, {
			by: dep,
			due: BigInt(t0),
			app: APP,
			service: SERVICE,
			period: 100n,
			overlap: 20n,
		});
		assert.deepEqual(await at(t0), [0n, BigInt(t0)]);
		assert.deepEqual(await at(t0 + 99), [0n, BigInt(t0)]);
		await refused(derot, 'Unknown', other, 'epochAt', [APP, SERVICE, t0 - 1]);
		assert.deepEqual(await at(t0 + 250), [2n, BigInt(t0 + 200)]);
		await chain.nextTime(t0 + 130); // epoch 1 by time; 2 begins now
		const [advanced] = await derot.send(dep, 'advanceEpoch', [APP, SERVICE]);
		assert.deepEqual(advanced, {
			name: 'EpochAdvanced',
			args: { by: dep, app: APP, service: SERVICE, epoch: 2n },
		});
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
	test('a policy that has come due counts when the next is set', async () => {
		const derot = await found();
		await registered(derot);
		const t0 = (await chain.time()) + 10;
		for (const [after, period] of [
			[0, 100],
			[5, 10], // due at +65
			[100, 0], // due at +160
		]) {
			await chain.nextTime(t0 + after);
			await derot.send(dep, 'setEpochPolicy', [APP, SERVICE, period, 0]);
		}
		assert.deepEqual(await derot.call('epochAt', [APP, SERVICE, t0 + 155]), [15n, BigInt(t0 + 150)]);
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
		for (const [name, value] of [
			['stake', 1n],
			['deregisterNode', 0n],
		])
			await refused(derot, 'NotNode', n1, name, [], value);
		await refused(derot, 'Unknown', n1, 'withdraw');
		assert.deepEqual(await derot.send(n1, 'registerNode', node(1), 5n * gwei), [
			{
				name: 'NodeRegistered',
				args: {
					by: n1,
					node: n1,
					role: 1n,
					measurement: M,
					encKey: label('key'),
					tee: label('sgx'),
					family: label('fam'),
					svn: 7n,
					device: label('dev'),
				},
			},
			{ name: 'NodeStaked', args: { by: n1, node: n1, stake: 5n } },
		]);
		const dirty = derot.transaction(n1, 'registerNode', node(1));
		dirty.data = dirty.data.slice(0, 10 + 64 * 5) + 'f'.repeat(64) + dirty.data.slice(10 + 64 * 6);
		await assert.rejects(chain.rpc('eth_call', dirty, 'latest'), /revert/); // an unclean svn
		await refused(derot, 'BadArgument', n1, 'stake');
		assert.equal((await derot.send(n1, 'stake', [], 2n * gwei))[0].args.stake, 7n);
		assert.deepEqual((await council(derot, ACTION.nodeSlash, n1, 3))[1], {
			name: 'NodeSlashed',
			args: { proposal: 1n, node: n1, amount: 3n },
		});
		assert.equal((await derot.call('nodes', [n1]))[1], 4n);
		await refused(derot, 'Unknown', n1, 'withdraw');
		assert.deepEqual(await derot.send(n1, 'deregisterNode'), [
			{ name: 'NodeDeregistered', args: { by: n1, node: n1 } },
		]);
		await refused(derot, 'NotNode', n1, 'deregisterNode');
		await refused(derot, 'TooEarly', n1, 'withdraw');
		await council(derot, ACTION.nodeSlash, n1, 1); // leaving does not save the stake
		await chain.mine((await chain.time()) + NOTICE.root);
		await refused(derot, 'Unknown', n2, 'withdraw');
		assert.deepEqual(await derot.send(n1, 'withdraw'), []);
		await refused(derot, 'Unknown', n1, 'withdraw');
		assert.equal(BigInt(await chain.rpc('eth_getBalance', derot.address, 'latest')), 4n * gwei); // slashed
		await refusedAct(derot, 'Unknown', ACTION.nodeSlash, n1, 1);
		await derot.send(n1, 'registerNode', node(2), gwei);
		await refusedAct(derot, 'BadArgument', ACTION.nodeSlash, n1, 0);
		await refused(derot, 'Unknown', n1, 'withdraw'); // registered again: at risk again
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
		await refusedAct(derot, 'BadArgument', ACTION.rootRotate, 1, n1, 2n ** 64n - 1n);
		const deadline = await far();
		const [, ordered] = await council(derot, ACTION.rootRotate, 1, n1, deadline);
		const due = (await chain.time()) + NOTICE.root;
		assert.deepEqual(ordered.args, {
			proposal: ordered.args.proposal,
			due: BigInt(due),
			generation: 1n,
			node: n1,
			deadline: BigInt(deadline),
		});
		await refusedAct(derot, 'Already', ACTION.rootRotate, 2, n1, await far()); // one at a time
		await refused(derot, 'TooEarly', n1, 'publishRoot', publish);
		await refusedAct(derot, 'Unknown', ACTION.rootShare, 1, n1);
		await refusedAct(derot, 'Unknown', ACTION.rootExpose, 1, 5);
		await chain.mine(due);
		await refused(derot, 'NotNode', [n2, m1, g1, other], 'publishRoot', publish);
		for (const scheme of [0, 0x020101, 0x010001, 0x010201, 0x1010101])
			await refused(derot, 'BadArgument', n1, 'publishRoot', [1, [W(scheme), ...pub.slice(1)]]);
		for (const idx of [1, 4])
			await refused(derot, 'BadArgument', n1, 'publishRoot', [1, pub.map((w, i) => (i === idx ? W(0) : w))]);
		const [published] = await derot.send(n1, 'publishRoot', publish);
		assert.deepEqual(published, { name: 'RootPublished', args: { by: n1, generation: 1n, args: pub } });
		assert.equal(await chain.storage(derot.address, mappingSlot(1, SLOT.root)), keccak(pub[1] + pub[4].slice(2)));
		await refused(derot, 'Already', n1, 'publishRoot', publish);

		await refusedAct(derot, 'NotNode', ACTION.rootShare, 1, n2); // a worker
		const [, shared] = await council(derot, ACTION.rootShare, 1, n1);
		assert.deepEqual(shared.args, {
			proposal: shared.args.proposal,
			due: BigInt((await chain.time()) + NOTICE.root),
			generation: 1n,
			node: n1,
		});
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
		await refused(derot, 'BadArgument', g1, 'exposeRoot', [1, (await chain.time()) + 3650 * 86400 + 1]);

		// Generation 2 misses its deadline, 3 is retired before it is made, 4 is made by the other node.
		await council(derot, ACTION.rootRotate, 2, n1, (await chain.time()) + NOTICE.root + 20);
		await chain.mine((await chain.time()) + NOTICE.root + 30);
		await refused(derot, 'TooLate', n1, 'publishRoot', [2, pub]);
		await refusedAct(derot, 'TooLate', ACTION.rootRetire, 2);
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
		await refused(derot, 'Unknown', g1, 'exposeRoot', [1, 5]); // nothing left to stop
		await council(derot, ACTION.rootShare, 4, n2);
		await derot.send(g1, 'exposeRoot', [4, 5]); // a deadline that has passed: at once
		await refused(derot, 'Already', g1, 'exposeRoot', [4, 4]);
		await refusedAct(derot, 'Unknown', ACTION.rootShare, 4, n1);
	});
	test('heartbeat by anyone', async () => {
		const derot = await found();
		assert.deepEqual(await derot.send(other, 'heartbeat', [M]), [
			{ name: 'Heartbeat', args: { by: other, nonce: M } },
		]);
	});
});

describe('the history', () => {
	test('many events in one block, and a reorganization', async () => {
		const derot = await found();
		await chain.rpc('evm_setAutomine', false);
		const hashes = [];
		for (let i = 0; i < 20; i++)
			hashes.push(
				await chain.rpc('eth_sendTransaction', {
					...derot.transaction(other, 'heartbeat', [W(i)]),
					gas: hex(200000),
				}),
			);
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
			await assert.rejects(
				chain.rpc('eth_call', { from: other, to: derot.address, ...tx }, 'latest'),
				/revert/,
			);
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
