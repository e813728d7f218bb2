// SPDX-License-Identifier: Apache-2.0
//
// A JSON-RPC server that hides transactions of a real node's chain: it stands in front of the node and answers as the
// node does, except about what it hides. How deep it hides is one of DEPTHS; each deeper one does what those before it
// do as well. Headers it never changes: their hashes would tell.
//
//     const liar = await startLiar(chain.url);
//     liar.hide('receipts', [{hash, block, to}]);  // transactions to one contract
//     liar.lies                                    // replies it has changed since
//     await liar.stop();

import { createServer } from 'node:http';

const DEPTHS = [
	'logs', // eth_getLogs without the logs: a lagging index, a truncated answer and a liar look the same
	'receipts', // the receipts have neither the logs nor their bloom
	'block', // no such transaction: neither in the block nor among its receipts, nor by its hash
	'state', // the contract's state as it was before
];

const NO_BLOOM = '0x' + '0'.repeat(512);
// Where the block stands in a question about state; what it is about stands first.
const STATE_METHODS = { eth_call: 1, eth_getStorageAt: 2, eth_getProof: 2 };

// Servers behind a load balancer keep no filters; clients poll eth_getLogs instead.
const METHOD_MISSING = { error: { code: -32601, message: 'the method does not exist' } };
const MISSING = /^eth_new\w*Filter$/;

class Liar {
	lies = 0;
	#target;
	#depth = -1;
	#hidden = [];
	#server;

	constructor(target) {
		this.#target = target;
	}

	async start() {
		this.#server = createServer((req, res) => this.#serve(req, res).catch(() => res.destroy()));
		await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
		this.#server.unref();
		this.url = `http://127.0.0.1:${this.#server.address().port}`;
		return this;
	}

	stop() {
		return new Promise((resolve) => (this.#server.close(resolve), this.#server.closeAllConnections()));
	}

	// hide: from now on; without a depth it is honest.
	hide(depth, transactions = []) {
		this.#depth = DEPTHS.indexOf(depth);
		this.#hidden = transactions;
		this.lies = 0;
	}

	#hides(depth) {
		return this.#depth >= DEPTHS.indexOf(depth);
	}

	async #ask(call) {
		const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: call.method, params: call.params ?? [] });
		const response = await fetch(this.#target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
		const { result, error } = await response.json();
		return error ? { error } : { result };
	}

	async #reply(call) {
		if (MISSING.test(call.method)) return METHOD_MISSING;
		const asked = await this.#before(call);
		const honest = await this.#ask(asked);
		const result = honest.result && this.#change(call.method, honest.result);
		if (asked === call && result === honest.result) return honest;
		this.lies++;
		return { ...honest, result };
	}

	// A question about the contract's state at or after the first hidden transaction, asked as of the block before it;
	// any other as it is.
	async #before(call) {
		const at = STATE_METHODS[call.method];
		if (!at || !this.#hides('state')) return call;
		const about = call.params[0].to ?? call.params[0];
		const first = Math.min(...this.#hidden.map(({ block }) => block));
		if (!this.#hidden.some(({ to }) => to === about.toLowerCase())) return call;
		const block = await this.#block(call.params[at] ?? 'latest');
		if (!block || Number(block.number) < first) return call;
		return { ...call, params: call.params.with(at, '0x' + (first - 1).toString(16)) };
	}

	async #block(tag) {
		const hash = typeof tag === 'object' ? tag.blockHash : tag;
		const method = hash?.length === 66 ? 'eth_getBlockByHash' : 'eth_getBlockByNumber';
		return (await this.#ask({ method, params: [hash, false] })).result;
	}

	// The result of a method, without what is hidden; the very object if there is nothing to hide in it.
	#change(method, result) {
		// A log, a receipt, a transaction or its hash.
		const isHidden = (item) => this.#hidden.some(({ hash }) => hash === (item.transactionHash ?? item.hash ?? item));
		const without = (list) => (list.some(isHidden) ? list.filter((item) => !isHidden(item)) : list);
		const bare = (receipt) => (isHidden(receipt) ? { ...receipt, logs: [], logsBloom: NO_BLOOM } : receipt);
		switch (method) {
			case 'eth_getLogs':
				return this.#hides('logs') ? without(result) : result;
			case 'eth_getBlockReceipts':
				if (this.#hides('block')) return without(result);
				return this.#hides('receipts') && result.some(isHidden) ? result.map(bare) : result;
			case 'eth_getTransactionReceipt':
			case 'eth_getTransactionByHash':
			case 'eth_getRawTransactionByHash':
				if (this.#hides('block') && isHidden(result)) return null;
				return this.#hides('receipts') && method === 'eth_getTransactionReceipt' ? bare(result) : result;
			case 'eth_getBlockByNumber':
			case 'eth_getBlockByHash':
				return this.#hides('block') && result.transactions.some(isHidden) ? { ...result, transactions: without(result.transactions) } : result;
			default:
				return result;
		}
	}

	async #serve(req, res) {
		let body = '';
		for await (const chunk of req) body += chunk;
		const asked = JSON.parse(body);
		const answer = async (call) => ({ jsonrpc: '2.0', id: call.id, ...(await this.#reply(call)) });
		const said = Array.isArray(asked) ? await Promise.all(asked.map(answer)) : await answer(asked);
		res.setHeader('content-type', 'application/json');
		res.end(JSON.stringify(said));
	}
}

export const startLiar = (target) => new Liar(target).start();
