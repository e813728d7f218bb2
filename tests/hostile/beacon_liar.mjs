// SPDX-License-Identifier: Apache-2.0
//
// A beacon node that lies: it serves a forged chain (../nodes/forge.mjs), and does at any time what it is told.
//
//     const liar = await startBeaconLiar(forge);
//     liar.attack = row;               // of attacks_beacon.mjs; null: honest
//     await liar.stop();
//
// It speaks HTTP/1.1 by hand (Reply of proxy.mjs), for a server's library would not let it break HTTP's own rules.

import { createServer } from 'node:net';
import { serveForge } from '../nodes/forge_api.mjs';
import { Acting, Reply } from './proxy.mjs';

const HEAD_END = '\r\n\r\n';
const HEADERS = ['content-type', 'eth-consensus-version'];

class BeaconLiar {
	trapped = 0; // requests that followed a redirect here
	lies = 0; // messages and answers that it changed since it was told to
	#acting = null;
	#sockets = new Set();
	#inner;
	#server;

	constructor(forge) {
		this.forge = forge;
	}

	async start() {
		this.#inner = await serveForge(this.forge, (kind, value, block) => this.#told(kind, value, block));
		this.#server = createServer((socket) => this.#connected(socket));
		await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
		this.#server.unref();
		this.url = `http://127.0.0.1:${this.#server.address().port}`;
		this.trap = this.url + '/trap';
		this.traps = [];
		return this;
	}

	async stop() {
		const closed = new Promise((resolve) => this.#server.close(resolve));
		for (const socket of this.#sockets) socket.destroy();
		await closed;
		await this.#inner.stop();
	}

	set attack(row) {
		this.lies = 0;
		this.#acting = row && new Acting(this, row, 0);
	}

	#told(kind, value, block) {
		const said = this.#acting?.row.tells?.(this.#acting, kind, value, block) ?? value;
		if (said !== value) this.#acting.count();
		return said;
	}

	#connected(socket) {
		this.#sockets.add(socket);
		socket.unref();
		socket.setNoDelay(true);
		socket.once('close', () => this.#sockets.delete(socket));
		socket.on('error', () => socket.destroy());
		let rest = '';
		socket.setEncoding('latin1').on('data', (chunk) => {
			rest += chunk;
			for (let end; (end = rest.indexOf(HEAD_END)) >= 0; ) {
				const head = rest.slice(0, end);
				rest = rest.slice(end + HEAD_END.length);
				const accept = /\r\naccept: *([^\r]*)/i.exec(head)?.[1] ?? '';
				this.#serve(head.split(' ')[1], accept, new Reply(socket)).catch(() => socket.destroy());
			}
		});
	}

	async #serve(path, accept, res) {
		if (path.startsWith('/trap')) this.trapped++;
		const acting = this.#acting;
		const { http, rest } = acting?.row ?? {};
		// Who breaks HTTP's rules, or JSON's, answers in JSON.
		const asked = http ?? acting?.row.json ? 'application/json' : accept;
		const response = await fetch(this.#inner.url + path, { headers: { accept: asked } });
		const headers = Object.fromEntries(HEADERS.map((name) => [name, response.headers.get(name)]).filter(([, value]) => value));
		const honest = { status: response.status, headers, body: Buffer.from(await response.arrayBuffer()) };
		const reply = (await rest?.(acting, path, honest)) ?? honest;
		if (reply !== honest) acting.count();
		if (http && http(acting, res, reply.body.toString(), []) !== false) return acting.count();
		res.end(reply.body, { status: `${reply.status} Said`, ...reply.headers });
	}
}

export const startBeaconLiar = (forge) => new BeaconLiar(forge).start();
