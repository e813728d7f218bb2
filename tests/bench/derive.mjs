// SPDX-License-Identifier: Apache-2.0
//
// Keys a second from a running core, each with its intent and its release durable in the journal before it leaves: one
// client that waits for each answer, and one that has several questions on their way. Median of 7 rounds; target 500/s.
// --json: for bench.mjs, with how long each answer took.

import { connect } from 'node:net';
import { join } from 'node:path';
import { label } from '../nodes/abi.mjs';
import { startAnvil } from '../nodes/chain.mjs';
import { APP, NOTICE, Story } from '../nodes/story.mjs';

const ROUNDS = 7;
const NUM = 500;
const TYPE = { keyGet: 0x0502, key: 0x0601 };
const TARGET = 500;

const word = (text) => Buffer.from(label(text).slice(2), 'hex');

// governance/decide.h: a request's encoding.
function request(purpose) {
	const zero = Buffer.alloc(32);
	const fixed = Buffer.from([purpose, 0, 0, 0]);
	const svn = Buffer.from([0, 0, 0, 0, 0, 0, 0, 7]);
	const machine = [word('tdx'), word('fam-good'), word('rack7')];
	const body = [word(APP), word('mail-v1'), zero, zero, fixed, zero, zero, ...machine, svn, Buffer.from([1, 0])];
	const payload = Buffer.concat(body);
	const head = Buffer.alloc(6);
	head.writeUInt32BE(payload.length + 2);
	head.writeUInt16BE(TYPE.keyGet, 4);
	return Buffer.concat([head, payload]);
}

const latencies = [];

// ask: `num` questions, `ahead` of them on their way at once; the seconds it took.
function ask(socket, message, num, ahead) {
	return new Promise((resolve, reject) => {
		let [sent, got, rest] = [0, 0, Buffer.alloc(0)];
		const at = [];
		const start = process.hrtime.bigint();
		const send = () => {
			for (; sent < num && sent - got < ahead; sent++) {
				at[sent] = process.hrtime.bigint();
				socket.write(message);
			}
		};
		socket.removeAllListeners('data').on('data', (chunk) => {
			rest = Buffer.concat([rest, chunk]);
			while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
				const type = rest.readUInt16BE(4);
				if (type !== TYPE.key || rest[6] !== 1) reject(new Error(`answer of type ${type}, verdict ${rest[6]}`));
				rest = rest.subarray(4 + rest.readUInt32BE());
				latencies.push(Number(process.hrtime.bigint() - at[got++]) / 1e6);
			}
			if (got === num) resolve(Number(process.hrtime.bigint() - start) / 1e9);
			else send();
		});
		socket.removeAllListeners('error').on('error', reject);
		send();
	});
}

const chain = await startAnvil(['--slots-in-an-epoch', '1']);
const story = await Story.found(chain);
const kms = story.kms();
await kms.start();
await story.root(kms);
await story.registerApp();
await story.announce('mail-v1');
await story.pass(NOTICE.app);
await story.final(kms);

const socket = connect(join(kms.data, 'core.sock'));
const results = [];
for (const [name, purpose, ahead] of [
	['seal, one at a time', 1, 1],
	['seal, 8 on their way', 1, 8],
	['sign with its certificate, one at a time', 2, 1],
]) {
	const rates = [];
	latencies.length = 0;
	for (let i = 0; i < ROUNDS; i++) rates.push(NUM / (await ask(socket, request(purpose), NUM, ahead)));
	rates.sort((a, b) => a - b);
	const rate = Math.round(rates[(ROUNDS - 1) / 2]);
	latencies.sort((a, b) => a - b);
	const within = (part) => latencies[Math.floor((latencies.length - 1) * part)];
	results.push({ name, rate, target: TARGET, p50_ms: within(0.5), p99_ms: within(0.99) });
}
socket.destroy();
for (const r of results)
	if (process.argv.includes('--json')) console.log(JSON.stringify(r));
	else console.log(`keys a second: ${r.name.padEnd(42)} ${String(r.rate).padStart(6)}  target ${r.target}  ${r.rate >= TARGET ? 'met' : 'MISSED'}`);
await kms.stop();
await chain.stop();
