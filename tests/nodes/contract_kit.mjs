// SPDX-License-Identifier: Apache-2.0
//
// What the tests of DeRoT.sol share: a chain, people with roles, and short words for who is refused what.

import { strict as assert } from 'node:assert';
import { after, before } from 'node:test';
import { label, word } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { checkHistory, deploy } from './derot.mjs';

export const NOTICE = { council: 100, measurement: 200, root: 300, profile: 400, app: 50 };
export const PERIOD = 1000;
export const APP = label('app');
export const M = label('measurement');
export const M2 = label('measurement 2');
export const SERVICE = label('service');
export const W = (value) => '0x' + word(value);
export const args8 = (...args) => Array.from({ length: 8 }, (_, i) => W(args[i] ?? 0));
export const hex = (n) => '0x' + n.toString(16);

export let chain;
// Roles: three members, two guardians, a deployer, two nodes, a stranger.
export let m1, m2, m3, g1, g2, dep, n1, n2, other;
const all = [];

// useChain: one anvil for all tests of a file; in the end every contract's whole history is checked.
export function useChain() {
	before(async () => {
		chain = await startAnvil();
		[m1, m2, m3, g1, g2, dep, n1, n2, other] = chain.accounts;
	});
	after(async () => {
		for (const derot of all) await check(derot);
		await chain.stop();
	});
}

// check: the events read back are the whole history.
export const check = async (derot) => {
	const [history, count, acc] = [await derot.history(), await derot.call('eventCount'), await derot.call('acc')];
	checkHistory(history, count, acc);
	assert.equal(BigInt(await chain.storage(derot.address, W(0))), count);
	assert.equal(await chain.storage(derot.address, W(1)), acc);
};

// found: a new contract; options as in deploy.
export async function found(options = {}) {
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

// registered: the application APP, by dep, with a notice of 60 s and confidence 3.
export async function registered(derot) {
	await derot.send(dep, 'registerApp', [APP, label('nonce'), 60, 3]);
}

// node: arguments of registerNode.
export const node = (role, measurement = M) => [
	role,
	measurement,
	label('key'),
	label('sgx'),
	label('fam'),
	7,
	label('dev'),
];
// council: decided by m2 and m3; returns Executed and the act's event.
export const council = (derot, action, ...args) => derot.decide([m2, m3], action, args);
export const names = (events) => events.map((e) => e.name).join();

// refused: nobody of `who` can do it, and the reason is `reason`.
export async function refused(derot, reason, who, name, args = [], value = 0n) {
	for (const from of [who].flat())
		assert.equal(await derot.refusal(from, name, args, value), reason, `${name} by ${from}`);
}

// An act that the council agreed on, but that the contract refuses to carry out.
export async function refusedAct(derot, reason, action, ...args) {
	const id = await derot.propose(m2, action, args);
	for (const m of [m2, m3]) await derot.send(m, 'vote', [id, true]);
	await refused(derot, reason, m1, 'execute', [id]);
}
