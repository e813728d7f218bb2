// SPDX-License-Identifier: Apache-2.0
//
// A JSON-RPC server that lies: it stands between derot and a real node, and does at any time what it is told.
//
//     const proxy = await startProxy(chain.url);
//     proxy.attack = byName('drops a receipt');    // null: honest
//     proxy.at = 17;                               // the block that is attacked
//     proxy.polls                                  // how often it was asked for its latest block, or lied
//     await proxy.stop();
//
// An attack is a row {name, call?, http?, only?}: `call` changes one call's reply ({result} or {error}); `http`
// answers the whole request in its own way (false: in the usual way). `proof`: what derot can prove to be a lie;
// `way`: the completeness way that it is aimed at; `passes`: what it leaves honest is enough to go on; `once`: it is
// not asked again for a while.

import { createServer } from 'node:http';

const METHOD_MISSING = { error: { code: -32601, message: 'the method does not exist' } };
const EMPTY = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';

const flip = (hex, at = 4) => {
	const digit = (parseInt(hex[at], 16) ^ 1).toString(16);
	return hex.slice(0, at) + digit + hex.slice(at + 1);
};
const isBlock = (c) => c.method === 'eth_getBlockByNumber' || c.method === 'eth_getBlockByHash';
const isTag = (c) => c.method === 'eth_getBlockByNumber' && /^[a-z]/.test(c.params[0]);
const blockOf = (result) => result && Number(result.blockNumber ?? result.number ?? result[0]?.blockNumber);
// The reply is about the block that is attacked.
const about = (p, c, r) => r.result && blockOf(r.result) === p.at;
const clone = (value) => structuredClone(value);

// Changes the receipts of the attacked block, however they are asked for.
const receipts = (change) => (p, c, r) => {
	if (!about(p, c, r)) return r;
	if (c.method === 'eth_getBlockReceipts') return { result: change(clone(r.result)) };
	if (c.method === 'eth_getTransactionReceipt') return { result: change([clone(r.result)])[0] ?? null };
	return r;
};
const logs = (change) => (p, c, r) => (c.method === 'eth_getLogs' && r.result?.length ? { result: change(clone(r.result)) } : r);
const header = (change) => (p, c, r) => (isBlock(c) && about(p, c, r) ? { result: { ...r.result, ...change(r.result) } } : r);
const state = (change) => (p, c, r) => (c.method === 'eth_getProof' && r.result ? { result: change(clone(r.result)) } : r);
const withData = (value) => (list) => {
	const log = list.flatMap((x) => x.logs ?? [x]).find((l) => l.data?.length > 2);
	if (log) log.data = value(log.data);
	return list;
};

const hideLog = [logs((l) => l.slice(1)), receipts((l) => l.map((x) => ({ ...x, logs: x.logs.slice(1) })))];

export const ATTACKS = [
	{ name: 'hides one log everywhere', way: 'accumulator', proof: true, call: async (p, c, r) => hideLog[1](p, c, hideLog[0](p, c, r)) },
	{ name: 'drops one log from eth_getLogs', way: 'accumulator', proof: true, passes: true, call: logs((l) => l.slice(1)) },
	{ name: 'adds a log twice to eth_getLogs', way: 'accumulator', passes: true, call: logs((l) => [l[0], ...l]) },
	{ name: 'forges the data of a log', way: 'accumulator', proof: true, passes: true, call: logs(withData((d) => flip(d, d.length - 1))) },
	{ name: 'answers [] to eth_getLogs', way: 'accumulator', proof: true, passes: true, call: (p, c, r) => (c.method === 'eth_getLogs' ? { result: [] } : r) },
	{ name: 'answers null to eth_getLogs', way: 'accumulator', passes: true, call: (p, c, r) => (c.method === 'eth_getLogs' ? { result: null } : r) },
	{ name: 'drops a log from a receipt', proof: true, call: receipts((l) => l.map((x) => ({ ...x, logs: x.logs.slice(1) }))) },
	{ name: 'drops a receipt', proof: true, call: receipts((l) => l.slice(1)) },
	{ name: 'swaps two logs of a receipt', proof: true, call: receipts((l) => l.map((x) => ({ ...x, logs: x.logs.toReversed() }))) },
	{ name: 'adds a receipt twice', proof: true, call: receipts((l) => [...l, l[0]]) },
	{ name: 'forges the data of a receipt', proof: true, call: receipts(withData((d) => flip(d, d.length - 1))) },
	{ name: 'forges the status of a receipt', proof: true, call: receipts((l) => l.map((x) => ({ ...x, status: flip(x.status, 2) }))) },
	{ name: 'empties a receipt and its bloom', proof: true, call: receipts((l) => l.map((x) => ({ ...x, logs: [], logsBloom: '0x' + '0'.repeat(512) }))) },
	{ name: 'answers [] for the receipts', call: receipts(() => []) },
	{ name: 'answers null for the receipts', call: receipts(() => null) },
	{ name: 'answers an error for the receipts', call: (p, c, r) => (/Receipt/.test(c.method) ? { error: { code: -32000, message: 'no' } } : r) },
	{ name: 'hides a block', call: (p, c, r) => (isBlock(c) && !isTag(c) && about(p, c, r) ? { result: null } : r) },
	{ name: 'hides a block behind an error', call: (p, c, r) => (isBlock(c) && !isTag(c) && about(p, c, r) ? { error: { code: -32001, message: 'pruned' } } : r) },
	{ name: 'answers null to everything', call: () => ({ result: null }) },
	{ name: 'answers [] to everything', call: () => ({ result: [] }) },
	{ name: 'answers an error to everything', call: () => ({ error: { code: -32603, message: 'internal "\u001b[31m' } }) },
	{ name: 'forges a header’s timestamp', proof: true, call: header((h) => ({ timestamp: flip(h.timestamp, h.timestamp.length - 1) })) },
	{ name: 'forges a header’s state root', proof: true, call: header((h) => ({ stateRoot: flip(h.stateRoot) })) },
	{ name: 'forges a header’s receipts root and bloom', proof: true, call: header(() => ({ receiptsRoot: EMPTY, logsBloom: '0x' + '0'.repeat(512) })) },
	{ name: 'forges a header’s hash', call: header((h) => ({ hash: flip(h.hash) })) },
	{ name: 'forges a header’s parent', proof: true, call: header((h) => ({ parentHash: flip(h.parentHash) })) },
	{ name: 'adds a field to a header', proof: true, call: header(() => ({ requestsHash: EMPTY, parentBeaconBlockRoot: EMPTY, blobGasUsed: '0x1', excessBlobGas: '0x1' })) },
	{ name: 'answers with another block', call: async (p, c, r) => (isBlock(c) && !isTag(c) && about(p, c, r) ? p.ask('eth_getBlockByNumber', ['0x' + (p.at - 1).toString(16), false]) : r) },
	{ name: 'forges a storage value', way: 'accumulator', proof: true, passes: true, call: state((s) => ({ ...s, storageProof: s.storageProof.map((x) => ({ ...x, proof: x.proof.map((n, i) => (i === x.proof.length - 1 ? flip(n, n.length - 1) : n)) })) })) },
	{ name: 'drops a node of a state proof', way: 'accumulator', proof: true, passes: true, call: state((s) => ({ ...s, accountProof: s.accountProof.slice(1) })) },
	{ name: 'serves an old head', call: (p, c, r) => (isTag(c) ? p.ask('eth_getBlockByNumber', ['0x' + (p.at - 2).toString(16), false]) : r) },
	{ name: 'serves a head that it does not have', call: (p, c, r) => (isTag(c) && r.result ? { result: { ...r.result, number: '0xffffff' } } : r) },
	{ name: 'names its latest block final', harmless: true, call: (p, c, r) => (isTag(c) ? p.ask('eth_getBlockByNumber', ['latest', false]) : r) },
	{ name: 'is another chain', call: (p, c, r) => (c.method === 'eth_chainId' ? { result: '0x2' } : r), once: true },
	{ name: 'answers with the wrong kinds', call: (p, c, r) => (isBlock(c) && about(p, c, r) ? { result: { ...r.result, number: 5, gasLimit: null, logsBloom: {} } } : r) },
	{ name: 'goes silent', http: () => true },
	{ name: 'drips', http: (p, res, text) => drip(p, res, text) },
	{ name: 'closes the connection', http: (p, res) => res.socket.destroy() },
	{ name: 'cuts the body short', http: (p, res, text) => (res.writeHead(200, { 'content-length': text.length + 9 }), res.write(text.slice(0, -9)), res.socket.end()) },
	{ name: 'sends garbage', http: (p, res) => res.end(Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 137) & 255))) },
	{ name: 'sends JSON that nests without end', http: (p, res) => res.end('['.repeat(1 << 20)) },
	{ name: 'sends a body without end', http: (p, res) => flood(p, res) },
	{ name: 'answers with status 500', passes: true, http: (p, res, text) => (res.writeHead(500), res.end(text)) },
	{ name: 'redirects', http: (p, res) => (res.writeHead(307, { location: p.trap }), res.end()) },
	{ name: 'answers with other ids', http: (p, res, text, replies) => res.end(JSON.stringify(replies.map((r) => ({ ...r, id: 7e9 + r.id })))) },
	{ name: 'answers with each other’s ids', http: (p, res, text, replies) => res.end(JSON.stringify(shifted(replies))) },
	{ name: 'answers each call twice', http: (p, res, text, replies) => res.end(JSON.stringify([...replies, ...replies])) },
	{ name: 'answers a batch with its first reply', http: (p, res, text, replies) => replies.length > 1 && res.end(JSON.stringify(replies[0])) },
	{ name: 'leaves out replies of a batch', http: (p, res, text, replies) => replies.length > 1 && res.end(JSON.stringify(replies.slice(1))) },
];
export const byName = (name) => {
	const attack = ATTACKS.find((a) => a.name === name);
	if (!attack) throw new Error(`no attack is called ${name}`);
	return attack;
};

// What servers may lack without lying.
export const LACKS = {
	blockReceipts: (c) => c.method === 'eth_getBlockReceipts' && METHOD_MISSING,
};

const shifted = (replies) => replies.map((r, i) => ({ ...r, id: replies[(i + 1) % replies.length].id }));

function drip(p, res, text) {
	let at = 0;
	const timer = setInterval(() => {
		if (res.destroyed || at >= text.length) clearInterval(timer);
		else res.write(text[at++]);
	}, 20);
	timer.unref();
	return true;
}

function flood(p, res) {
	const piece = Buffer.alloc(1 << 16, 0x20);
	const more = () => {
		while (!res.destroyed && p.flooded < 1 << 28 && res.write(piece)) p.flooded += piece.length;
		p.flooded += piece.length;
	};
	res.on('drain', more);
	more();
	return true;
}

export class Proxy {
	attack = null;
	at = 0;
	lacks = null; // a function of LACKS
	batches = true; // false: refuses them
	polls = 0; // asked for its latest block
	lies = 0; // replies changed, requests mistreated
	trapped = 0; // requests that followed the redirect
	flooded = 0;
	methods = new Map();
	#server;
	#sockets = new Set();

	constructor(target) {
		this.target = target;
	}

	async start() {
		this.#server = createServer((req, res) => this.#serve(req, res).catch(() => res.destroy()));
		this.#server.on('connection', (s) => (this.#sockets.add(s), s.once('close', () => this.#sockets.delete(s))));
		await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
		this.#server.unref();
		this.url = `http://127.0.0.1:${this.#server.address().port}`;
		this.trap = this.url + '/trap';
		return this;
	}

	async stop() {
		const closed = new Promise((resolve) => this.#server.close(resolve));
		for (const socket of this.#sockets) socket.destroy();
		await closed;
	}

	async ask(method, params) {
		const response = await fetch(this.target, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
		});
		const { result, error } = await response.json();
		return error ? { error } : { result };
	}

	async #reply(call) {
		this.methods.set(call.method, (this.methods.get(call.method) ?? 0) + 1);
		if (isTag(call) && call.params[0] === 'latest') this.polls++;
		const honest = (this.lacks && this.lacks(call)) || (await this.ask(call.method, call.params));
		const said = (await this.attack?.call?.(this, call, honest)) ?? honest;
		if (said !== honest) this.lies++;
		return { jsonrpc: '2.0', id: call.id, ...said };
	}

	async #serve(req, res) {
		let body = '';
		for await (const chunk of req) body += chunk;
		if (req.url === '/trap') this.trapped++;
		const asked = JSON.parse(body);
		const calls = Array.isArray(asked) ? asked : [asked];
		const attack = this.attack;
		if (Array.isArray(asked) && !this.batches) {
			res.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32600, message: 'no batches' } }));
			return;
		}
		const replies = await Promise.all(calls.map((call) => this.#reply(call)));
		const text = JSON.stringify(Array.isArray(asked) ? replies : replies[0]);
		res.setHeader('content-type', 'application/json');
		if (attack?.http && attack.http(this, res, text, replies) !== false) {
			this.lies++;
			return;
		}
		res.end(text);
	}
}

export const startProxy = (target) => new Proxy(target).start();
