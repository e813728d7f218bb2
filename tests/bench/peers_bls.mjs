// SPDX-License-Identifier: Apache-2.0
//
// peers_bls.mjs make FILE: a sync committee of 512 keys, compressed, and behind them, for each participation of SHARES,
// 64 bytes of bits of who signed · a message of 32 bytes · the signature.
// peers_bls.mjs load|verify|sum FILE [WHICH]: what @chainsafe/blst takes for them; the line of JSON that bench.h
// describes. load: 512 keys decoded and checked. verify: fastAggregateVerify under keys decoded before. sum: verify under
// the sum of those present, made before. BENCH_ROUNDS: how many rounds (default 7).

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const blst = createRequire(new URL('../nodes/', import.meta.url))('@chainsafe/blst');
const [, , task, path, which = '0'] = process.argv;
const rounds = Number(process.env.BENCH_ROUNDS ?? 7);
const [KEYS, LOADS, VERIFIES] = [512, 4, 60];
export const SHARES = [1, 0.9, 0.67];
const SIGNED = KEYS / 8 + 32 + 96;

// How many of 512 sign: never fewer than the share.
export const signers = (share) => Math.ceil(KEYS * share);

function make() {
	const seed = new Uint8Array(32);
	const secrets = Array.from({ length: KEYS }, (_, i) => {
		seed.set([i >> 8, i & 255]);
		return blst.SecretKey.fromKeygen(seed);
	});
	const parts = secrets.map((secret) => secret.toPublicKey().toBytes());
	for (const [n, share] of SHARES.entries()) {
		const bits = Buffer.alloc(KEYS / 8);
		const message = Buffer.alloc(32, n + 1);
		// Absentees everywhere: the number 337 goes through all of 512.
		const present = Array.from({ length: signers(share) }, (_, i) => (i * 337) % KEYS);
		for (const i of present) bits[i >> 3] |= 1 << (i & 7);
		const signatures = present.map((i) => secrets[i].sign(message));
		parts.push(bits, message, blst.aggregateSignatures(signatures, false).toBytes());
	}
	writeFileSync(path, Buffer.concat(parts));
}

function bench() {
	const file = readFileSync(path);
	const texts = Array.from({ length: KEYS }, (_, i) => file.subarray(48 * i, 48 * i + 48));
	const one = file.subarray(48 * KEYS + SIGNED * Number(which)).subarray(0, SIGNED);
	const message = one.subarray(KEYS / 8, KEYS / 8 + 32);
	const signature = one.subarray(KEYS / 8 + 32);
	const decode = () => texts.map((text) => blst.PublicKey.fromBytes(text, true));
	const keys = decode();
	const present = keys.filter((_, i) => (one[i >> 3] >> (i & 7)) & 1);
	const sum = blst.aggregatePublicKeys(present, false);
	const verify = {
		verify: () => blst.fastAggregateVerify(message, present, blst.Signature.fromBytes(signature, false), true),
		sum: () => blst.verify(message, sum, blst.Signature.fromBytes(signature, false), false, true),
	}[task];
	const times = task === 'load' ? LOADS : VERIFIES;
	const [busy, wall] = [[], []];
	for (let round = 0; round < rounds; round++) {
		const [cpu, time] = [process.cpuUsage(), process.hrtime.bigint()];
		for (let i = 0; i < times; i++) if (task === 'load') decode(); else if (!verify()) throw new Error('not verified');
		const { user, system } = process.cpuUsage(cpu);
		busy.push((user + system) / 1e6);
		wall.push(Number(process.hrtime.bigint() - time) / 1e9);
	}
	let tampered = 'refused';
	if (task === 'load') texts[KEYS / 2][0] ^= 1;
	else message[0] ^= 1;
	try {
		if (task === 'load' ? decode() : verify()) tampered = 'accepted';
	} catch {
		// refused
	}
	const result = task === 'load' ? Buffer.from(blst.aggregatePublicKeys(keys, false).toBytes()).toString('hex') : 'verified';
	console.log(JSON.stringify({ task, work: times, seconds: busy, wall, result, tampered }));
}

if (task === 'make') make();
else if (path) bench();
