// SPDX-License-Identifier: Apache-2.0
//
// differential_bls.mjs PEER [ROUNDS [SEED]]: BLS signatures, held against @chainsafe/blst on the same bytes: keys and
// signatures that are good, mutated, of no subgroup or no point at all; one message under a committee with absentees,
// and a message for each key, with something changed in most. PEER is the program of peer.c. Verdicts must agree, and
// what decodes must encode the same; a difference is printed with its input, and the exit code is 1.
import { createRequire } from 'node:module';
import path from 'node:path';
import { hex, judge, seeded, u16 } from './questions.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const require = createRequire(path.join(root, 'tests/nodes/package.json'));
const blst = require('@chainsafe/blst');

const [program, roundsText = '2000', seedText = '1'] = process.argv.slice(2);
const rounds = Number(roundsText);
const kinds = { key: 5, signature: 6, one: 7, each: 8 };

const { below, odds, pick, bytes } = seeded(seedText);

const P = Buffer.from('1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab', 'hex');
const infinity = (length) => Buffer.concat([Buffer.from([0xc0]), Buffer.alloc(length - 1)]);

// One thing done to a point's bytes.
function spoil(point) {
	const out = Buffer.from(point);
	switch (below(9)) {
	case 0: out[below(out.length)] ^= 1 << below(8); break;
	case 1: out[0] ^= 0x20; break;
	case 2: out[0] ^= pick([0x40, 0x80, 0xc0, 0xe0]); break;
	case 3: return infinity(out.length);
	case 4: { // x as it is, and p more, or p itself
		const at = out.length === 48 || odds(50) ? 0 : 48, flags = at === 0 ? out[0] & 0xe0 : 0;
		P.copy(out, at);
		out[at + 47] += below(4) - 1;
		out[at] |= flags;
		break;
	}
	case 5: // a small x, of no point or one that no subgroup has
		out.fill(0);
		out[0] = odds(50) ? 0x80 : 0xa0;
		out[out.length - 1] = below(64);
		break;
	case 6: // any x
		bytes(out.length).copy(out);
		out[0] = out[0] & 0x2f | 0x80;
		if (out.length === 96)
			out[48] &= 0x0f;
		break;
	case 7: out[below(out.length)] = below(256); break;
	default: return Buffer.concat([infinity(out.length).subarray(0, out.length - 1), bytes(1)]);
	}
	return out;
}

const secrets = Array.from({ length: 24 }, () => blst.SecretKey.fromKeygen(bytes(32)));
const signers = secrets.map((secret) => ({ secret, key: Buffer.from(secret.toPublicKey().toBytes()) }));
const sum = (list) => Buffer.from(blst.aggregateSerializedSignatures(list).toBytes());

const questions = [];
const ask = (kind, input, about) => questions.push({ kind, input: Buffer.concat(input), about });

function makePoints() {
	for (let i = 0; i < rounds; i++) {
		const { secret, key } = pick(signers);
		const point = odds(80) ? spoil(key) : key;
		ask('key', [point], { point });
		const signature = Buffer.from(secret.sign(bytes(4)).toBytes());
		const other = odds(80) ? spoil(signature) : signature;
		ask('signature', [other], { point: other });
	}
}

// A committee, of whom those present sign; keys may repeat, and may be opposite to one another.
function makeOne() {
	for (let i = 0; i < rounds / 4; i++) {
		const members = Array.from({ length: 1 + below(12) }, () => pick(signers));
		const absent = members.map((_, k) => k).filter(() => odds(25)), msg = bytes(pick([0, 1, 32, 32, 32, 55, 64, 200]));
		const present = members.filter((_, k) => !absent.includes(k));
		let keys = members.map(({ key }) => key), told = [...absent], said = msg;
		let signature = present.length > 0 ? sum(present.map(({ secret }) => secret.sign(msg).toBytes())) : infinity(96);
		switch (below(10)) {
		case 0: signature = spoil(signature); break;
		case 1: keys[below(keys.length)] = spoil(pick(keys)); break;
		case 2: said = Buffer.from(msg); if (said.length > 0) said[below(said.length)] ^= 1 << below(8); break;
		case 3: told = told.length > 0 && odds(50) ? told.slice(1) : [...told, ...keys.map((_, k) => k).filter((k) => !told.includes(k)).slice(0, 1)]; break;
		case 4: keys[below(keys.length)] = pick(signers).key; break;
		case 5: { // two that cancel
			const twin = Buffer.from(keys[0]);
			twin[0] ^= 0x20;
			keys = odds(50) ? [keys[0], twin] : [...keys, twin];
			told = told.filter((k) => k < keys.length);
			if (odds(50))
				signature = infinity(96);
			break;
		}
		case 6: signature = Buffer.from(pick(signers).secret.sign(msg).toBytes()); break;
		default:
		}
		ask('one', [u16(keys.length), ...keys, u16(told.length), ...told.map(u16), signature, said],
			{ keys: keys.filter((_, k) => !told.includes(k)), all: keys, msg: said, signature });
	}
}

function makeEach() {
	for (let i = 0; i < rounds / 8; i++) {
		const members = Array.from({ length: 1 + below(9) }, () => pick(signers));
		const msgs = members.map(() => bytes(pick([0, 1, 32, 100])));
		if (odds(30))
			msgs[0] = msgs[msgs.length - 1];
		const keys = members.map(({ key }) => key), said = [...msgs];
		let signature = sum(members.map(({ secret }, k) => secret.sign(msgs[k]).toBytes()));
		switch (below(8)) {
		case 0: signature = spoil(signature); break;
		case 1: keys[below(keys.length)] = spoil(pick(keys)); break;
		case 2: said[below(said.length)] = bytes(32); break;
		case 3: said.reverse(); break;
		default:
		}
		ask('each', [Buffer.from([keys.length]), ...keys.flatMap((key, k) => [key, Buffer.from([said[k].length]), said[k]]), signature],
			{ keys, all: keys, msgs: said, signature });
	}
}

// What blst says; whatever it throws is a no.
const said = (verdict) => ({ about }) => {
	try {
		return { verdict: verdict(about) };
	} catch {
		return { verdict: 'no' };
	}
};
const keyOf = (text) => blst.PublicKey.fromBytes(text, true);
const signatureOf = (text) => blst.Signature.fromBytes(text, true, true);
const compare = {
	key: said(({ point }) => `ok ${hex(keyOf(point).toBytes())}`),
	signature: said(({ point }) => `ok ${hex(signatureOf(point).toBytes())}`),
	one: said(({ keys, all, msg, signature }) => {
		all.forEach(keyOf);
		return blst.fastAggregateVerify(msg, keys.map(keyOf), signatureOf(signature), true) ? 'ok' : 'no';
	}),
	each: said(({ keys, msgs, signature }) => (blst.aggregateVerify(msgs, keys.map(keyOf), signatureOf(signature), true, true) ? 'ok' : 'no')),
};

makePoints();
makeOne();
makeEach();
await judge(program, kinds, questions, compare, seedText);
