// SPDX-License-Identifier: Apache-2.0
//
// A client in a process of its own, asked what a contract did; and the pieces that the clients' programs share.
//
//     // in facts.mjs
//     const client = await startClient('helios');
//     const said = await client.ask({ url, beacon, checkpoint, address, birth, abi, apps });
//     said.events          // [id] of every event it tells of, or {error}
//     said.suspended       // of each app: is it suspended? or {error}
//     said.connect_ms, said.wall_ms
//     client.start_ms      // until it had loaded
//     client.stop();
//
//     // in client_helios.mjs
//     await answer(async (world) => …, { events: async (client, world) => …, … }, (client) => …);

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 240000;

class Client {
	#child;
	#lines;
	#err = '';

	constructor(name) {
		this.name = name;
		const program = fileURLToPath(new URL(`client_${name}.mjs`, import.meta.url));
		this.#child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'] });
		this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#err = (this.#err + text).slice(-2000)));
		this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
		process.once('exit', () => this.stop());
	}

	// The next line of its own; libraries may print what they like in between.
	async #line() {
		const timer = setTimeout(() => this.stop(), LIMIT_MS);
		for (;;) {
			const { value, done } = await this.#lines.next();
			if (done) throw new Error(`${this.name} ended, or was silent for ${LIMIT_MS} ms: ${this.#err}`);
			if (!value.startsWith('{"compare":')) continue;
			clearTimeout(timer);
			return JSON.parse(value).compare;
		}
	}

	async load() {
		const begin = Date.now();
		await this.#line();
		this.start_ms = Date.now() - begin;
		return this;
	}

	async ask(world) {
		this.#child.stdin.write(JSON.stringify(world) + '\n');
		return this.#line();
	}

	stop() {
		this.#child.kill('SIGKILL');
	}
}

export const startClient = (name) => new Client(name).load();

const refused = (error) => ({ error: String(error.shortMessage ?? error.message ?? error), at: error.at });

// answer: the whole of a client's program: for each world make the client, put the questions to it, say what it
// answered, close it. Every answer is a value or {error}: that a question fails is an answer.
export async function answer(connect, questions, close) {
	// Not the whole line of a bundle that it was thrown from.
	process.on('uncaughtException', (error) => (console.error(String(error?.stack ?? error).slice(0, 500)), process.exit(1)));
	const say = (compare) => console.log(JSON.stringify({ compare }));
	say({});
	for await (const line of createInterface({ input: process.stdin })) {
		const world = JSON.parse(line);
		const begin = Date.now();
		const client = await connect(world).catch(refused);
		const connect_ms = Date.now() - begin;
		const said = {};
		for (const [what, put] of Object.entries(questions))
			said[what] = client.error ? client : await put(client, world).catch(refused);
		const wall_ms = Date.now() - begin;
		if (!client.error) await close?.(client);
		say({ ...said, connect_ms, wall_ms });
	}
	process.exit(0);
}

// eventId: the same for one event, whoever tells of it.
export const eventId = (log) => `${log.transactionHash}/${Number(log.logIndex ?? log.index)}`;
