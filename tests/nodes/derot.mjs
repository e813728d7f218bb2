// SPDX-License-Identifier: Apache-2.0
//
// DeRoT.sol on a test chain: deploy it, act on it by name, read its history back and check it against the
// rolling hash.
//
//     const derot = await deploy(chain, { founders: [a, b], weights: [1, 1], quorum: 2 });
//     await derot.send(a, 'registerApp', [app, nonce, 3600, 3]);
//     await derot.decide([a, b], ACTION.measurementAllow, [m]);
//     checkHistory(await derot.history(), await derot.call('eventCount'), await derot.call('acc'));

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { decode, encode, keccak, mappingSlot, selectorOf, slotPlus, topicOf, word } from './abi.mjs';

const contracts = new URL('../../governance/contracts/', import.meta.url);
const read = (name) => readFileSync(new URL(name, contracts), 'utf8').trim();
export const abi = JSON.parse(read('DeRoT.abi.json'));
export const creation = '0x' + read('DeRoT.bin');
export const runtime = '0x' + read('DeRoT.runtime.bin');

const named = (type) => new Map(abi.filter((i) => i.type === type).map((i) => [i.name, i]));
const functions = named('function');
const events = new Map(abi.filter((i) => i.type === 'event').map((i) => [topicOf(i), i]));
const errors = new Map(abi.filter((i) => i.type === 'error').map((i) => [selectorOf(i), i.name]));
const typesOf = (params) => params.map((p) => p.type);

// What the council can propose (governance/action.h).
export const ACTION = {
	memberSet: 1,
	memberRemove: 2,
	quorumSet: 3,
	noticeSet: 4,
	guardianAdd: 5,
	guardianRemove: 6,
	measurementAllow: 20,
	measurementRevoke: 21,
	appMeasurementRevoke: 32,
	appSuspend: 33,
	appResume: 34,
	hardwareBlacklist: 40,
	hardwareReinstate: 41,
	rootRotate: 50,
	rootShare: 52,
	rootRetire: 53,
	rootExpose: 54,
	nodeSlash: 73,
	profileSet: 80,
};

// The mappings that proofs read, by slot number.
export const SLOT = { measurement: 2, appMeasurement: 3, hardware: 4, root: 5, suspended: 6, proposals: 7 };

// proposalSlots: the storage keys of proposal id's tallies. With base = keccak256(id ‖ 7), both as 32-byte
// words: yes is at base, no at base + 1, each alone in its slot as a uint256.
export function proposalSlots(id) {
	const yes = mappingSlot(id, SLOT.proposals);
	return { yes, no: slotPlus(yes, 1) };
}

const DEFAULTS = { guardians: [], quorum: 1, period: 3600, notices: [0, 0, 0, 0, 0], profile: '0x' };

// deploy: options founders, weights (default 1 each), guardians, quorum, period (of voting), notices (five,
// in seconds: council, measurement, root, profile, app), profile (digest), from.
export async function deploy(chain, options) {
	const o = { weights: options.founders.map(() => 1), from: chain.accounts[0], ...DEFAULTS, ...options };
	const inputs = typesOf(abi.find((i) => i.type === 'constructor').inputs);
	const args = [o.founders, o.weights, o.guardians, o.quorum, o.period, o.notices, o.profile];
	const receipt = await chain.send({ from: o.from, gas: '0xf42400', data: creation + encode(inputs, args) });
	return new DeRoT(chain, receipt.contractAddress.toLowerCase(), receipt);
}

export class DeRoT {
	// receipt: of the deployment; its block is where the history starts.
	constructor(chain, address, receipt) {
		this.chain = chain;
		this.address = address;
		this.birth = receipt.blockNumber;
	}

	#data(name, args) {
		const item = functions.get(name);
		if (!item) throw new Error(`DeRoT has no function ${name}`);
		return selectorOf(item) + encode(typesOf(item.inputs), args);
	}

	// The transaction of a call, for senders of their own (reorg, batches).
	transaction(from, name, args = [], value = 0n) {
		return { from, to: this.address, data: this.#data(name, args), value: '0x' + BigInt(value).toString(16) };
	}

	// Sends a call from an unlocked account; returns its events [{name, args}], refusals by the contract's name.
	async send(from, name, args = [], value = 0n) {
		const tx = this.transaction(from, name, args, value);
		let receipt;
		try {
			receipt = await this.chain.send(tx);
		} catch (error) {
			throw new Error(`${name}: ${(await this.refusal(from, name, args, value)) ?? error.message}`);
		}
		return receipt.logs.map(decodeLog);
	}

	// The value (or values) of a view.
	async call(name, args = [], block = 'latest') {
		const data = await this.chain.rpc('eth_call', { to: this.address, data: this.#data(name, args) }, block);
		const values = decode(typesOf(functions.get(name).outputs), data);
		return values.length === 1 ? values[0] : values;
	}

	// The name of the error that this call would meet now ("Panic" and "revert" for the unnamed); null if none.
	async refusal(from, name, args = [], value = 0n) {
		try {
			await this.chain.rpc('eth_call', this.transaction(from, name, args, value), 'latest');
			return null;
		} catch (error) {
			if (error.code === undefined) throw error;
			const selector = (error.data ?? '').slice(0, 10);
			return errors.get(selector) ?? (selector === '0x4e487b71' ? 'Panic' : 'revert');
		}
	}

	// Proposes an act (arguments in order, the rest zero); returns the proposal's number.
	async propose(from, action, args) {
		const words = Array.from({ length: 8 }, (_, i) => '0x' + word(args[i] ?? 0));
		const [event] = await this.send(from, 'propose', [action, words]);
		return event.args.proposal;
	}

	// Proposes, votes for and executes; returns the events of the execution: Executed and the act's.
	async decide(voters, action, args) {
		const id = await this.propose(voters[0], action, args);
		for (const voter of voters) await this.send(voter, 'vote', [id, true]);
		return this.send(voters[0], 'execute', [id]);
	}

	// Every event from birth to `to`, in order, with block number, time, topic and data.
	async history(to = 'latest') {
		const logs = await this.chain.rpc('eth_getLogs', {
			address: this.address,
			fromBlock: this.birth,
			toBlock: to,
		});
		const times = new Map();
		for (const number of new Set(logs.map((l) => l.blockNumber)))
			times.set(number, await this.chain.time(number));
		return logs.map((log) => ({
			...decodeLog(log),
			block: Number(log.blockNumber),
			time: times.get(log.blockNumber),
			topic0: log.topics[0],
			topics: log.topics.length,
			data: log.data,
		}));
	}
}

export function decodeLog(log) {
	const item = events.get(log.topics[0]);
	if (!item) throw new Error(`unknown event ${log.topics[0]}`);
	const values = decode(typesOf(item.inputs), log.data);
	return { name: item.name, args: Object.fromEntries(item.inputs.map((p, i) => [p.name, values[i]])) };
}

// rollingHash: what acc must be after these events.
export function rollingHash(history) {
	const types = ['bytes32', 'uint256', 'uint256', 'uint256', 'bytes32', 'bytes32'];
	return history.reduce(
		(acc, e, i) => keccak('0x' + encode(types, [acc, i + 1, e.block, e.time, e.topic0, keccak(e.data)])),
		'0x' + '0'.repeat(64),
	);
}

export function checkHistory(history, count, acc) {
	assert.equal(history.length, Number(count), 'number of events');
	for (const e of history) assert.equal(e.topics, 1, `${e.name}: topics`);
	assert.equal(rollingHash(history), acc, 'rolling hash');
}
