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
// Several at once: proxy.attacks is a list of Acting, each an attack (attacks.mjs) with the block that it is about.
// It speaks HTTP/1.1 by hand, for a server's library would not let it break HTTP's own rules.

import { createServer } from 'node:net';
import { isTag } from './lie.mjs';

export { ATTACKS, byName } from './attacks.mjs';

const METHOD_MISSING = { error: { code: -32601, message: 'the method does not exist' } };
// What servers may lack without lying.
export const LACKS = {
	blockReceipts: (c) => c.method === 'eth_getBlockReceipts' && METHOD_MISSING,
};

const HEAD_END = Buffer.from('\r\n\r\n');
const BATCH_REFUSED = '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no batches"}}';

// One attack as a proxy plays it: what its `call` and `http` see as `p`.
export class Acting {
	lies = 0; // replies changed, requests mistreated
	seen = new Map(); // what it was told before, for attacks that remember

	constructor(proxy, row, at, random = Math.random) {
		this.proxy = proxy;
		this.row = row;
		this.at = at;
		this.random = random;
	}

	get trap() {
		return this.proxy.trap;
	}

	get traps() {
		return this.proxy.traps;
	}

	// below: a number in [0, n).
	below(n) {
		return Math.floor(this.random() * n);
	}

	ask(method, params) {
		return this.proxy.ask(method, params);
	}

	block(number) {
		return this.ask('eth_getBlockByNumber', ['0x' + Math.max(0, number).toString(16), false]);
	}

	count() {
		this.lies++;
		this.proxy.lies++;
		this.proxy.told?.();
	}
}

// A response, byte for byte.
export class Reply {
	constructor(socket) {
		this.socket = socket;
		this.bytes = 0;
	}

	get destroyed() {
		return this.socket.destroyed;
	}

	raw(data) {
		this.bytes += data.length;
		return this.socket.destroyed || this.socket.write(data);
	}

	head(status, headers) {
		const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
		return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`;
	}

	// A whole, well-formed response.
	end(body, { status = '200 OK', ...headers } = {}) {
		const head = this.head(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers });
		this.raw(Buffer.isBuffer(body) ? Buffer.concat([Buffer.from(head), body]) : head + body);
	}
}

// What lies on loopback: a server of raw HTTP, with the attacks that it plays.
export class Server {
	attacks = []; // Acting
	lies = 0; // told since it began
	trapped = 0; // requests that followed a redirect
	traps = []; // places to redirect to, besides
	told = null; // called when it lied
	#server;
	#sockets = new Set();
	#busy = new Set(); // sockets whose request was met with an attack

	async start() {
		this.#server = createServer((socket) => this.#connected(socket));
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

	// drop: breaks off what is being answered: nobody has to wait for an answer that does not come.
	drop() {
		for (const socket of this.#sockets) if (this.#busy.has(socket)) socket.destroy();
	}

	#connected(socket) {
		this.#sockets.add(socket);
		socket.setNoDelay(true);
		socket.once('close', () => (this.#sockets.delete(socket), this.#busy.delete(socket)));
		socket.on('error', () => socket.destroy());
		let rest = Buffer.alloc(0);
		socket.on('data', (chunk) => {
			rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
			for (let request; (request = cut(rest)) !== null; ) {
				rest = rest.subarray(request.length);
				if (request.path.startsWith('/trap')) this.trapped++;
				this.serve(request, new Reply(socket)).catch(() => socket.destroy());
			}
		});
	}

	// mistreats: true if an attack answers the whole request. said: what would be said, [text, replies of JSON-RPC].
	mistreats(res, said) {
		for (const acting of this.attacks) {
			if (!acting.row.http || acting.row.http(acting, res, ...said()) === false) continue;
			acting.count();
			this.#busy.add(res.socket);
			return true;
		}
		this.#busy.delete(res.socket);
		return false;
	}
}

export class Proxy extends Server {
	lacks = null; // a function of LACKS
	batches = true; // false: refuses them
	polls = 0; // asked for its latest block
	methods = new Map();
	#at = 0;

	// source: a node's URL, or what answers ask(method, params) with {result} or {error}, and may give the result's
	// JSON as `text`.
	constructor(source) {
		super();
		this.target = source;
	}

	get attack() {
		return this.attacks[0]?.row ?? null;
	}

	set attack(row) {
		this.attacks = row ? [new Acting(this, row, this.#at)] : [];
	}

	get at() {
		return this.#at;
	}

	set at(number) {
		this.#at = number;
		for (const acting of this.attacks) acting.at = number;
	}

	ask(method, params) {
		return typeof this.target === 'string' ? this.#fetch(method, params) : this.target.ask(method, params);
	}

	async #fetch(method, params) {
		const response = await fetch(this.target, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
		});
		const { result, error } = await response.json();
		return error ? { error } : { result };
	}

	// One call's reply; a promise only where somebody has to be asked first.
	#reply(call) {
		this.methods.set(call.method, (this.methods.get(call.method) ?? 0) + 1);
		if (isTag(call) && call.params[0] === 'latest') this.polls++;
		const honest = (this.lacks && this.lacks(call)) || this.ask(call.method, call.params);
		if (typeof honest.then === 'function') return honest.then((h) => this.#twist(call, h));
		return this.attacks.length > 0 ? this.#twist(call, honest) : { id: call.id, said: honest };
	}

	async #twist(call, honest) {
		let said = honest;
		for (const acting of this.attacks) {
			const before = said;
			said = (await acting.row.call?.(acting, call, before)) ?? before;
			if (said !== before) acting.count();
		}
		return { id: call.id, said };
	}

	async serve({ body }, res) {
		const asked = JSON.parse(body);
		const many = Array.isArray(asked);
		if (many && !this.batches) return res.end(BATCH_REFUSED);
		let replies = (many ? asked : [asked]).map((call) => this.#reply(call));
		if (replies.some((r) => typeof r.then === 'function')) replies = await Promise.all(replies);
		const texts = replies.map(textOf);
		const text = many ? `[${texts.join(',')}]` : texts[0];
		if (!this.mistreats(res, () => [text, replies.map((r) => ({ jsonrpc: '2.0', id: r.id, ...bare(r.said) }))])) res.end(text);
	}
}

const bare = (said) => ('error' in said ? { error: said.error } : { result: said.result });
const textOf = ({ id, said }) =>
	said.text !== undefined ? `{"jsonrpc":"2.0","id":${id},"result":${said.text}}` : JSON.stringify({ jsonrpc: '2.0', id, ...bare(said) });

// The first whole request in these bytes; null: more is to come. derot says its body's length.
function cut(bytes) {
	const end = bytes.indexOf(HEAD_END);
	if (end < 0) return null;
	const head = bytes.toString('latin1', 0, end);
	const field = (name) => new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(head)?.[1];
	const len = Number(field('content-length') ?? 0);
	const length = end + HEAD_END.length + len;
	if (bytes.length < length) return null;
	return { path: head.split(' ')[1], accept: field('accept') ?? '', body: bytes.toString('utf8', end + HEAD_END.length, length), length };
}

export const startProxy = (source) => new Proxy(source).start();
