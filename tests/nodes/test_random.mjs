// SPDX-License-Identifier: Apache-2.0
//
// Anybody's transactions, at random, many to a block: whatever the contract does, derot's fold follows. None of its
// events is refused (but a root published with false proofs), no slot diverges, and the cursor never stands still.
// DEROT_SEED plays another game.

import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { label } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { ACTION } from './derot.mjs';
import { Story } from './story.mjs';
import { W } from './contract_kit.mjs';

const ROUNDS = Number(process.env.DEROT_ROUNDS ?? 200);
let seed = Number(process.env.DEROT_SEED ?? 1);
const random = (num) => {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor((seed / 2 ** 32) * num);
};
const one = (list) => list[random(list.length)];

let chain, story, kms;
before(async () => {
	chain = await startAnvil(['--slots-in-an-epoch', '1']);
	story = await Story.found(chain);
	kms = story.kms();
	await kms.start();
});
after(async () => {
	await kms?.stop();
	await chain.stop();
});

const words = ['a', 'b', 'c'].map(label);
const small = () => random(4);
// What the council may be asked for, with arguments that are often legal.
const acts = (time) => [
	[ACTION.memberSet, one(chain.accounts), 1 + random(3)],
	[ACTION.memberRemove, one(chain.accounts)],
	[ACTION.quorumSet, 1 + random(3)],
	[ACTION.noticeSet, random(5), one([0, 10, 30])],
	[ACTION.guardianAdd, one(chain.accounts)],
	[ACTION.guardianRemove, one(chain.accounts)],
	[ACTION.measurementAllow, one(words)],
	[ACTION.measurementRevoke, one(words)],
	[ACTION.appMeasurementRevoke, one(words), one(words)],
	[ACTION.appSuspend, one(words)],
	[ACTION.appResume, one(words)],
	[ACTION.hardwareBlacklist, 1 + random(5), one(words), small()],
	[ACTION.hardwareReinstate, 1 + random(5), one(words)],
	[ACTION.rootRotate, 1 + random(6), one(chain.accounts), time + 50 + random(200)],
	[ACTION.rootShare, 1 + random(6), one(chain.accounts)],
	[ACTION.rootRetire, 1 + random(6)],
	[ACTION.rootExpose, 1 + random(6), time + random(100)],
	[ACTION.nodeSlash, one(chain.accounts), small()],
];
const calls = (time) => [
	['registerApp', [one(words), one(words), 10 + random(60), 1 + random(5)]],
	['announce', [one(words), one(words)]],
	['revokeAppMeasurement', [one(words), one(words)]],
	['suspendApp', [one(words)]],
	['handover', [one(words), one(words), one(words)]],
	['endHandover', [one(words), one(words), one(words)]],
	['relaxConfidence', [one(words), 1 + random(5)]],
	['tightenConfidence', [one(words), 1 + random(5)]],
	['setEpochPolicy', [one(words), one(words), one([0, 1, 7, 40, 100000]), random(50)]],
	['advanceEpoch', [one(words), one(words)]],
	['registerNode', [1 + random(2), one(words), one(words), one(words), one(words), small(), one(words)]],
	['stake', []],
	['deregisterNode', []],
	['withdraw', []],
	['publishRoot', [1 + random(6), [W(0x010101), ...Array.from({ length: 9 }, () => one(words))]]],
	['heartbeat', [one(words)]],
	['cancel', [1 + random(proposals + 1)]],
	['revokeMeasurement', [one(words)]],
	['blacklist', [1 + random(5), one(words), small()]],
	['exposeRoot', [1 + random(6), time + random(100)]],
];
let proposals = 0;

// Some transactions into the next block, all from accounts that do not wait for each other.
async function turn() {
	const time = (await chain.time()) + one([1, 1, 5, 12, 40, 90]);
	const txs = [];

	for (let num = 1 + random(10); num > 0; num--) {
		const [name, args] = one(calls(time));
		const value = name === 'registerNode' || name === 'stake' ? BigInt(random(3)) * 10n ** 9n : 0n;
		// The deployer and the guardian are often who may; the rest is anybody.
		const from = one([story.dave, story.dave, story.grace, story.kms1, one(chain.accounts)]);
		txs.push(story.derot.transaction(from, name, args, value));
	}
	if (random(2) === 0) {
		const [action, ...args] = one(acts(time));
		const voters = chain.accounts.slice(0, 8);
		txs.push(story.derot.transaction(story.alice, 'propose', [action, Array.from({ length: 8 }, (_, i) => W(args[i] ?? 0))]));
		proposals++;
		for (const from of voters) txs.push(story.derot.transaction(from, 'vote', [proposals, random(8) > 0]));
		if (random(3) > 0) txs.push(story.derot.transaction(one(voters), 'execute', [proposals]));
	}
	await chain.rpc('evm_setAutomine', false);
	for (const tx of txs) await chain.rpc('eth_sendTransaction', { gas: '0x100000', ...tx });
	await chain.mine(time);
	await chain.rpc('evm_setAutomine', true);
	proposals = Number(await story.derot.call('proposalCount'));
}

test('the fold follows the contract', { timeout: 300000 }, async () => {
	for (let i = 0; i < ROUNDS; i++) {
		// A council that voted itself away ends the game, not the test.
		await turn();
		if (i % 50 === 49) await story.final(kms);
	}
	for (let i = 0; i < 16; i++) await chain.mine();
	await story.final(kms);
	const log = await kms.log();
	const wrong = log.filter((c) => c.outcome === 'refused' && c.action !== 'root.publish' && c.reason !== 'deadline');
	assert.deepEqual(wrong.slice(0, 3), []);
	assert.ok(log.length >= Number(await story.derot.call('eventCount')));
	assert.equal((await kms.status()).divergences, 0);
	// The game was worth playing.
	assert.ok(new Set(log.map((c) => `${c.action} ${c.outcome}`)).size >= 25);
});

// A contract that sends `num` heartbeats in one call.
const drummer = (heartbeat, to) => {
	const start = `63${heartbeat}60e01b5f525f35`; // mstore(0, selector); num = calldata[0]
	const loop = (start.length / 2).toString(16).padStart(2, '0');
	// do { call(gas, to, 0, 0, 36, 0, 0) } while (--num)
	const code = `${start}5b5f5f60245f5f73${to}5af150600190038060${loop}5700`;
	return `0x60${(code.length / 2).toString(16).padStart(2, '0')}8060095f395ff3${code}`;
};

test('nine thousand events in one transaction, by nobody in particular', { timeout: 60000 }, async () => {
	const from = chain.accounts[9];
	const call = story.derot.transaction(from, 'heartbeat', [words[0]]).data;
	const { contractAddress: to } = await chain.send({ from, data: drummer(call.slice(2, 10), story.derot.address.slice(2)) });
	const { logs } = await chain.send({ from, to, data: W(9000), gas: '0x1c9c380' });
	assert.equal(logs.length, 9000);
	const before = (await kms.log()).length;
	await story.final(kms);
	assert.ok((await kms.log()).length >= before + 9000);
});
