// SPDX-License-Identifier: Apache-2.0
//
// differential.mjs PEER [ROUNDS [SEED]]: RLP, trie roots, trie proofs and ABI, held against @ethereumjs/rlp,
// @ethereumjs/mpt and ethers on the same bytes: made at random, mutated, and the fuzz corpora. PEER is the program of
// peer.c. Prints how many inputs of each kind there were, how many both took, and how often each rule below was needed.
//
// Both must say the same, verdict and value. Where a peer takes more than we do, or fewer, a rule says why and decides
// it anew by other means; a difference that no rule explains is printed with its input, and the exit code is 1.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { hex, judge, seeded, u16 } from './questions.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const require = createRequire(path.join(root, 'tests/nodes/package.json'));
const { RLP } = require('@ethereumjs/rlp');
const { createMPT, createMerkleProof, verifyMPTWithMerkleProof } = require('@ethereumjs/mpt');
const { AbiCoder, keccak256 } = require('ethers');

const [program, roundsText = '2000', seedText = '1'] = process.argv.slice(2);
const rounds = Number(roundsText);
const kinds = { rlp: 1, root: 2, proof: 3, abi: 4 };
const DEPTH_MAX = 16;

const { below, odds, pick, bytes } = seeded(seedText);

function mutate(input) {
	let out = Buffer.from(input);
	for (let n = 1 + below(3); n > 0; n--) {
		const at = out.length > 0 ? below(out.length) : 0;
		switch (below(7)) {
		case 0: if (out.length > 0) out[at] = below(256); break;
		case 1: if (out.length > 0) out[at] ^= 1 << below(8); break;
		case 2: out = out.subarray(0, at); break;
		case 3: out = Buffer.concat([out, bytes(1 + below(4))]); break;
		case 4: out = Buffer.concat([out.subarray(0, at), bytes(1), out.subarray(at)]); break;
		case 5: out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1)]); break;
		default: if (out.length > 0) out[at] = pick([0, 1, 0x37, 0x38, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xc0, 0xf7, 0xf8, 0xff]);
		}
		out = Buffer.from(out);
	}
	return out;
}

function corpus(name) {
	const folder = path.join(root, 'tests/fuzz/corpus', `fuzz_${name}`);
	return readdirSync(folder).sort().map((file) => readFileSync(path.join(folder, file)));
}

// The questions; `about` is what the comparison needs beside the bytes.
const questions = [];
const ask = (kind, input, about = {}) => questions.push({ kind, input: Buffer.from(input), about });

// RLP

function randomItem(depth) {
	if (depth > 0 && odds(45))
		return Array.from({ length: below(5) }, () => randomItem(depth - 1));
	return bytes(odds(80) ? below(4) : pick([32, 54, 55, 56, 57, 255, 256, 300]));
}

function makeRlp() {
	for (const file of [...corpus('rlp'), ...corpus('header'), ...corpus('receipt')])
		for (let i = 0; i < 20; i++)
			ask('rlp', i === 0 ? file : mutate(file));
	for (let i = 0; i < rounds; i++) {
		const whole = odds(95) ? RLP.encode(randomItem(below(6))) : RLP.encode(deep(12 + below(8)));
		ask('rlp', odds(35) ? whole : odds(90) ? mutate(whole) : bytes(below(12)));
	}
}

const deep = (n) => n === 0 ? [] : [deep(n - 1)];
const told = (item) => item instanceof Uint8Array ? hex(item) : `(${item.map(told).join(',')})`;
const depthOf = (item) => item instanceof Uint8Array ? 0 : 1 + Math.max(0, ...item.map(depthOf));

function rlp({ input }) {
	let item;
	if (input.length === 0)
		return { rule: 'rlp: no bytes are no item to us, an empty string to ethereumjs', verdict: 'no' };
	try {
		item = RLP.decode(input);
	} catch {
		return { verdict: 'no' };
	}
	if (depthOf(item) > DEPTH_MAX)
		return { rule: `rlp: ethereumjs has no bound on depth, ours is ${DEPTH_MAX}`, verdict: 'no' };
	if (hex(RLP.encode(item)) !== hex(input))
		return { rule: 'rlp: ethereumjs takes a form that it does not write itself', verdict: 'no' };
	return { verdict: `ok ${told(item)}` };
}

// Tries

function randomPairs() {
	const length = pick([1, 2, 4, 20, 32]), pairs = new Map();
	const alphabet = odds(50) ? [0x00, 0x01, 0x10, 0x11] : null;
	for (let n = 1 + below(odds(90) ? 12 : 60); n > 0; n--) {
		const key = alphabet ? Buffer.from(Array.from({ length }, () => pick(alphabet))) : bytes(length);
		if (odds(15))
			pairs.set(hex(key.subarray(0, 1 + below(length))), bytes(1 + below(40)));
		pairs.set(hex(key), bytes(odds(60) ? 1 + below(6) : 1 + below(80)));
	}
	return [...pairs].map(([key, value]) => [Buffer.from(key, 'hex'), value]);
}

const encodePairs = (pairs) => Buffer.concat(pairs.flatMap(([key, value]) =>
	[Buffer.from([key.length]), key, u16(value.length), value]));
const encodeProof = (top, key, nodes) => Buffer.concat([top, Buffer.from([key.length]), key,
	...nodes.flatMap((node) => [u16(node.length), Buffer.from(node)])]);

async function trieOf(pairs) {
	const trie = await createMPT({});
	for (const [key, value] of pairs)
		await trie.put(key, value);
	return trie;
}

async function makeTries() {
	for (let i = 0; i < rounds / 10; i++) {
		const pairs = randomPairs();
		ask('root', encodePairs(pairs), { pairs });
		if (odds(10))
			ask('root', encodePairs([...pairs, pairs[0]]), { pairs: [...pairs, pairs[0]], twice: true });
		if (odds(10))
			ask('root', encodePairs([...pairs, [bytes(3), Buffer.alloc(0)]]), { pairs, empty: true });
		const trie = await trieOf(pairs), top = Buffer.from(trie.root());
		for (let n = 0; n < 6; n++) {
			const key = odds(70) ? pick(pairs)[0] : mutate(pick(pairs)[0]).subarray(0, 32);
			if (key.length === 0)
				continue;
			const nodes = (await createMerkleProof(trie, key)).map((node) => Buffer.from(node));
			proofVariants(top, key, nodes);
		}
	}
}

function proofVariants(top, key, nodes) {
	const put = (t, k, list) => k.length > 0 && k.length <= 32 && list.length <= 66 &&
		ask('proof', encodeProof(t, k, list), { top: t, key: k, nodes: list });
	put(top, key, nodes);
	const at = below(nodes.length), changed = [...nodes];
	changed[at] = mutate(nodes[at]);
	switch (below(6)) {
	case 0: put(top, key, changed); break;
	// A changed root node under its own hash: what a block's author could do.
	case 1: changed[0] = mutate(nodes[0]); put(Buffer.from(keccak256(changed[0]).slice(2), 'hex'), key, changed); break;
	case 2: put(top, key, nodes.slice(0, -1)); break;
	case 3: put(top, key, [...nodes, pick(nodes)]); break;
	case 4: put(top, mutate(key).subarray(0, 32), nodes); break;
	default: put(bytes(32), key, nodes);
	}
}

async function trieRoot({ about }) {
	const trie = await trieOf(about.pairs);
	if (about.twice)
		return { rule: 'root: a key given twice is refused by us, the last of them counts for ethereumjs', verdict: 'no' };
	if (about.empty)
		return { rule: 'root: an empty value is refused by us, a deletion for ethereumjs', verdict: 'no' };
	return { verdict: `ok ${hex(trie.root())}` };
}

// Which of the nodes ethereumjs needed: those without which it fails.
async function needed(top, key, nodes) {
	const list = [...nodes];
	for (let i = list.length - 1; i > 0; i--) {
		const fewer = [...list.slice(0, i), ...list.slice(i + 1)];
		if ((await peerProof(top, key, fewer)).verdict !== 'no')
			list.splice(i, 1);
	}
	return list;
}

async function peerProof(top, key, nodes) {
	try {
		const value = await verifyMPTWithMerkleProof(await createMPT({}), top, key, nodes);
		return { verdict: value === null ? 'absent' : `ok ${hex(value)}` };
	} catch {
		return { verdict: 'no' };
	}
}

// A node that a builder of tries would write: RLP that re-encodes to itself, 17 items or 2, with a path's first nibble
// 0 to 3 and no padding in it, children of 32 bytes, below 32 bytes in place, or none.
function isWellMade(node) {
	let item;
	try {
		item = RLP.decode(node);
	} catch {
		return false;
	}
	return hex(RLP.encode(item)) === hex(node) && wellMadeItem(item);
}

function wellMadeItem(item) {
	const child = (c) => c instanceof Uint8Array ? c.length === 0 || c.length === 32
		: RLP.encode(c).length < 32 && wellMadeItem(c);
	if (!Array.isArray(item))
		return item.length === 0;
	if (item.length === 17) {
		const held = item.slice(0, 16).filter((c) => !(c instanceof Uint8Array) || c.length > 0).length;
		return item.slice(0, 16).every(child) && item[16] instanceof Uint8Array && held + (item[16].length > 0 ? 1 : 0) > 1;
	}
	if (item.length !== 2 || !(item[0] instanceof Uint8Array) || item[0].length === 0 || item[0][0] >= 0x40)
		return false;
	if ((item[0][0] & 0x10) === 0 && (item[0][0] & 0x0f) !== 0)
		return false;
	if (item[0][0] >= 0x20)
		return item[1] instanceof Uint8Array && item[1].length > 0;
	return (item[0].length > 1 || (item[0][0] & 0x10) !== 0) && child(item[1]) &&
		(!(item[1] instanceof Uint8Array) || item[1].length === 32) && !(Array.isArray(item[1]) && item[1].length === 2);
}

async function trieProof({ about }, ours) {
	const { top, key, nodes } = about;
	const peer = await peerProof(top, key, nodes);
	if (peer.verdict === ours || (peer.verdict === 'no') !== (ours !== 'no'))
		return peer;
	if (ours !== 'no')
		return peer;
	// It took what we refuse.
	if (!nodes.every(isWellMade))
		return { rule: 'proof: a node that no trie has is refused by us, read as far as needed by ethereumjs', verdict: 'no' };
	const list = await needed(top, key, nodes);
	if (list.length < nodes.length)
		return { rule: 'proof: every node must be needed for us; ethereumjs looks up those that it needs', verdict: 'no' };
	return peer;
}

// ABI

const types = ['uint8', 'uint64', 'uint256', 'int8', 'int24', 'int256', 'address', 'bool', 'bytes1', 'bytes3', 'bytes32',
	'bytes', 'string'];

function randomType(depth) {
	if (depth > 0 && odds(40)) {
		const inner = randomType(depth - 1);
		return odds(50) ? `${inner}[]` : `${inner}[${1 + below(3)}]`;
	}
	if (depth > 0 && odds(30))
		return `(${Array.from({ length: 1 + below(3) }, () => randomType(depth - 1)).join(',')})`;
	return pick(types);
}

function split(text) {
	const parts = [];
	let level = 0, from = 0;
	for (let i = 0; i < text.length; i++) {
		if (text[i] === '(') level++;
		if (text[i] === ')') level--;
		if (text[i] === ',' && level === 0) { parts.push(text.slice(from, i)); from = i + 1; }
	}
	return text.length > 0 ? [...parts, text.slice(from)] : [];
}

const asPeer = (type) => type.replaceAll('(', 'tuple(');
const array = (type) => /^(.*)\[(\d*)\]$/.exec(type);

function randomValue(type) {
	const list = array(type);
	if (list)
		return Array.from({ length: list[2] === '' ? below(4) : Number(list[2]) }, () => randomValue(list[1]));
	if (type.startsWith('('))
		return split(type.slice(1, -1)).map(randomValue);
	if (type === 'bool') return odds(50);
	if (type === 'address') return `0x${hex(bytes(20))}`;
	if (type === 'bytes') return `0x${hex(bytes(pick([0, 1, 31, 32, 33, 64])))}`;
	if (type === 'string') return pick(['', 'a', 'thirty-one characters are in her', 'é', 'x'.repeat(40)]);
	if (type.startsWith('bytes')) return `0x${hex(bytes(Number(type.slice(5))))}`;
	const bits = BigInt(type.replace(/\D/g, '')), value = BigInt(`0x${hex(bytes(32))}`);
	return type.startsWith('u') ? BigInt.asUintN(Number(bits), value) : BigInt.asIntN(Number(bits), value);
}

function flat(type, value) {
	const list = array(type);
	if (list)
		return [...(list[2] === '' ? [`#${value.length}`] : []), ...Array.from(value).flatMap((v) => flat(list[1], v))];
	if (type.startsWith('('))
		return split(type.slice(1, -1)).flatMap((t, i) => flat(t, value[i]));
	if (type === 'bytes') return [`'${value.slice(2)}`];
	if (type === 'string') return [`'${hex(Buffer.from(value))}`];
	if (type === 'bool') return [(value ? '1' : '0').padStart(64, '0')];
	if (type === 'address') return [value.slice(2).toLowerCase().padStart(64, '0')];
	if (type.startsWith('bytes')) return [value.slice(2).padEnd(64, '0')];
	return [BigInt.asUintN(256, BigInt(value)).toString(16).padStart(64, '0')];
}

function makeAbi() {
	const coder = AbiCoder.defaultAbiCoder();
	for (let i = 0; i < rounds; i++) {
		const type = `(${Array.from({ length: 1 + below(4) }, () => randomType(2)).join(',')})`;
		if (type.length > 255)
			continue;
		const members = split(type.slice(1, -1));
		const whole = Buffer.from(coder.encode(members.map(asPeer), members.map(randomValue)).slice(2), 'hex');
		const input = odds(40) ? whole : mutateWords(whole);
		ask('abi', Buffer.concat([Buffer.from([type.length]), Buffer.from(type), input]), { type, data: input });
	}
}

// Words matter to this encoding: offsets and lengths moved by a word, padding, high bytes.
function mutateWords(input) {
	if (odds(30) || input.length < 32)
		return mutate(input);
	const out = Buffer.from(input), at = 32 * below(out.length / 32);
	switch (below(6)) {
	case 0: out[at + 31] = (out[at + 31] + 32) & 255; break;
	case 1: out[at + 31] = (out[at + 31] + pick([1, 255])) & 255; break;
	case 2: out[at + below(31)] ^= 1 + below(255); break;
	case 3: return Buffer.concat([out, Buffer.alloc(32)]);
	case 4: return out.subarray(0, out.length - 32);
	default: out.copy(out, at, 32 * below(out.length / 32), Math.min(out.length, at + 32));
	}
	return out;
}

// What ethers makes of data of this type: undefined if nothing.
function peerAbi(type, data) {
	const coder = AbiCoder.defaultAbiCoder(), peers = split(type.slice(1, -1)).map(asPeer);
	try {
		const values = coder.decode(peers, data);
		return { again: coder.encode(peers, values).slice(2), values: flat(type, values).join(',') };
	} catch {
		return undefined;
	}
}

function abi({ about }) {
	let peer = peerAbi(about.type, about.data), rule;
	if (peer === undefined && about.type.includes('string')) {
		peer = peerAbi(about.type.replaceAll('string', 'bytes'), about.data);
		if (peer !== undefined)
			rule = 'abi: a string that is no UTF-8 is bytes to us, an error to ethers; asked again as bytes';
	}
	if (peer === undefined)
		return { verdict: 'no' };
	if (peer.again !== hex(about.data))
		return { rule: 'abi: ethers takes an encoding that it does not write itself (offsets, padding, what follows)', verdict: 'no' };
	return { verdict: `ok ${peer.values}`, rule };
}

// Both, side by side.

const compare = { rlp, root: trieRoot, proof: trieProof, abi };

makeRlp();
await makeTries();
makeAbi();
await judge(program, kinds, questions, compare, seedText);
