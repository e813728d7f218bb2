// SPDX-License-Identifier: Apache-2.0
//
// A node, as an honest one would answer, that knows a recorded chain up to a head: `ask` as proxy.mjs wants it; and the
// beacon chain over it: `forge`, as beacon_liar.mjs wants it.

import { hex } from './lie.mjs';
import { kept } from './record.mjs';

const NONE = { result: null, text: 'null' };
const UNKNOWN = { error: { code: -32000, message: 'header not found' } };
const NO_METHOD = { error: { code: -32601, message: 'the method does not exist' } };

export class View {
	fork = null; // {base, blocks}: shown in place of the main chain
	head = 0;
	final = 0;
	#seen = new Set(); // hashes of orphans: nodes keep them for a while

	constructor(recording, chainId) {
		this.recording = recording;
		this.chainId = kept(hex(chainId));
	}

	// show: a fork's blocks up to their end, or (null) the main chain again.
	show(fork) {
		this.fork = fork;
		for (const { hash } of fork?.blocks ?? []) this.#seen.add(hash);
	}

	at(number) {
		const { fork, recording } = this;
		if (fork !== null && number > fork.base) return fork.blocks[number - fork.base - 1];
		return number <= this.head ? recording.main[number] : undefined;
	}

	get tip() {
		return this.fork ? this.fork.base + this.fork.blocks.length : this.head;
	}

	get forge() {
		return this.recording.shown(this.head, this.fork);
	}

	#tagged(tag) {
		if (tag === 'latest') return this.at(this.tip);
		if (tag === 'finalized' || tag === 'safe') return this.at(this.final);
		return this.at(Number(tag));
	}

	#hashed(hash) {
		const block = this.recording.byHash.get(hash);
		return block && (this.at(block.number) === block || this.#seen.has(hash)) ? block : undefined;
	}

	ask(method, params) {
		switch (method) {
			case 'eth_chainId': return this.chainId;
			case 'eth_getBlockByNumber': return this.#tagged(params[0])?.answer ?? NONE;
			case 'eth_getBlockByHash': return this.#hashed(params[0])?.answer ?? NONE;
			case 'eth_getBlockReceipts': return (params[0].length === 66 ? this.#hashed(params[0]) : this.#tagged(params[0]))?.receipts ?? NONE;
			case 'eth_getTransactionReceipt': return this.#receipt(params[0]);
			case 'eth_getLogs': return this.#logs(params[0]);
			case 'eth_getProof': return this.at(Number(params[2])) === this.recording.main[Number(params[2])] ? this.recording.proof(params) : UNKNOWN;
			default: return NO_METHOD;
		}
	}

	#receipt(hash) {
		for (let number = this.tip; number > 0; number--) {
			const found = this.at(number)?.single.get(hash);
			if (found) return found;
		}
		return NONE;
	}

	#logs({ fromBlock, toBlock, address }) {
		const found = [];
		for (let number = Number(fromBlock); number <= Math.min(Number(toBlock), this.tip); number++)
			for (const log of this.at(number).logs) if (log.result.address === address) found.push(log);
		return { result: found.map((log) => log.result), text: `[${found.map((log) => log.text).join(',')}]` };
	}
}
