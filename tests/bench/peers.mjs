// SPDX-License-Identifier: Apache-2.0
//
// peers.mjs TASK FILE: what users would otherwise take, from npm, on the bytes that derot is given. Prints the line of
// JSON that bench.h describes. BENCH_ROUNDS: how many rounds (default 7).
//
//     receipts   @ethereumjs/mpt and rlp: the receipts roots of an evidence file's blocks
//     replay     the same for its first 64 blocks, and the headers' hashes and links, the blooms, and one contract's logs
//     proofs     @ethereumjs/mpt: account proofs
//     events     ethers: events decoded by the contract's ABI, and no more than that; the first BENCH_EVENTS (5000)
//     ledger     RFC 6962 over node:crypto; ledger-noble: over @noble/hashes

import { createHash, hash as hashOnce } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../nodes/', import.meta.url));
const rounds = Number(process.env.BENCH_ROUNDS ?? 7);
const busy = [];
const wall = [];

// A stopwatch of processor time and of time; what is not between on and off is not counted.
class Watch {
	#cpu = 0;
	#wall = 0;
	on() {
		this.from = [process.cpuUsage(), process.hrtime.bigint()];
	}
	off() {
		const { user, system } = process.cpuUsage(this.from[0]);
		this.#cpu += (user + system) / 1e6;
		this.#wall += Number(process.hrtime.bigint() - this.from[1]) / 1e9;
	}
	end() {
		busy.push(this.#cpu);
		wall.push(this.#wall);
	}
}

const say = (work, result, tampered, more = {}) =>
	console.log(JSON.stringify({ task: process.argv[2], work, seconds: busy, wall, ...more, result, tampered }));
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const equal = (a, b) => Buffer.compare(a, b) === 0;

// The frames of an evidence file: {type, payload}.
function* frames(file) {
	for (let at = 64; at < file.length; ) {
		const length = file.readUInt32BE(at);
		yield { type: file.readUInt16BE(at + 4), payload: file.subarray(at + 8, at + 8 + length) };
		at += 16 + length;
	}
}

function receiptsOf(payload) {
	const receipts = [];
	for (let at = 36; at < payload.length; ) {
		const length = payload.readUInt32BE(at);
		receipts.push(payload.subarray(at + 4, at + 4 + length));
		at += 4 + length;
	}
	return receipts;
}

function blocksOf(path, max = Infinity) {
	const file = readFileSync(path);
	const headers = [];
	const blocks = [];
	for (const { type, payload } of frames(file)) {
		if (type === 2) headers.push(payload);
		if (type === 3) blocks.push({ header: headers[blocks.length], receipts: receiptsOf(payload) });
		if (blocks.length === max) break;
	}
	return blocks;
}

const { MerklePatriciaTrie, verifyMerkleProof } = process.argv[2].startsWith('r') || process.argv[2] === 'proofs' ? require('@ethereumjs/mpt') : {};
const { RLP } = require('@ethereumjs/rlp');

// What @ethereumjs/block and /vm do to make a receipts root.
async function receiptsRoot(receipts) {
	const trie = new MerklePatriciaTrie();
	for (const [i, receipt] of receipts.entries()) await trie.put(RLP.encode(i), receipt);
	return trie.root();
}

async function receipts(path) {
	const blocks = blocksOf(path, 64).map((b) => ({ ...b, root: RLP.decode(b.header)[5] }));
	for (let round = 0; round < rounds; round++) {
		const watch = new Watch();
		watch.on();
		for (const block of blocks) if (!equal(await receiptsRoot(block.receipts), block.root)) throw new Error('a root differs');
		watch.off();
		watch.end();
	}
	const victim = blocks[32 % blocks.length];
	const spoiled = victim.receipts.map((r) => Buffer.from(r));
	spoiled[0][spoiled[0].length >> 1] ^= 1;
	const same = equal(await receiptsRoot(spoiled), victim.root);
	const sum = createHash('sha256');
	for (const block of blocks) sum.update(block.root);
	say(blocks.length, sum.digest('hex'), same ? 'accepted' : 'another root: seen by whoever compares');
}

// A follower as one would write it over these packages: linked headers, roots, blooms, and the contract's logs.
async function replay(path) {
	const { keccak_256 } = require('@noble/hashes/sha3');
	const contract = Buffer.alloc(20, 0xc0);
	const blocks = blocksOf(path, 64);
	const orBloom = (bloom, value) => {
		const h = keccak_256(value);
		for (let i = 0; i < 6; i += 2) {
			const bit = ((h[i] << 8) | h[i + 1]) & 2047;
			bloom[255 - (bit >> 3)] |= 1 << (bit & 7);
		}
	};
	let found;
	for (let round = 0; round < rounds; round++) {
		const watch = new Watch();
		let parent;
		found = 0;
		watch.on();
		for (const block of blocks) {
			const fields = RLP.decode(block.header);
			if (parent && !equal(fields[0], parent)) throw new Error('a parent differs');
			parent = keccak_256(block.header);
			if (!equal(await receiptsRoot(block.receipts), fields[5])) throw new Error('a root differs');
			const bloom = new Uint8Array(256);
			for (const receipt of block.receipts) {
				const [, , , logs] = RLP.decode(receipt[0] < 0x80 ? receipt.subarray(1) : receipt);
				for (const [address, topics] of logs) {
					orBloom(bloom, address);
					for (const topic of topics) orBloom(bloom, topic);
					if (equal(address, contract)) found++;
				}
			}
			if (!equal(bloom, fields[6])) throw new Error('a bloom differs');
		}
		watch.off();
		watch.end();
	}
	const victim = blocks[blocks.length >> 1];
	const spoiled = victim.receipts.map((r) => Buffer.from(r));
	spoiled[0][spoiled[0].length >> 1] ^= 1;
	const same = equal(await receiptsRoot(spoiled), RLP.decode(victim.header)[5]);
	say(blocks.length, null, same ? 'accepted' : 'another root: seen by whoever compares', { events: found });
}

async function proofs(path) {
	const { keccak_256 } = require('@noble/hashes/sha3');
	const file = readFileSync(path);
	const list = [];
	let at = 4;
	for (let i = file.readUInt32BE(); i > 0; i--) {
		const proof = { root: file.subarray(at, at + 32), address: file.subarray(at + 32, at + 52), nodes: [] };
		let num = file.readUInt16BE(at + 52);
		for (at += 54; num > 0; num--) {
			const length = file.readUInt16BE(at);
			proof.nodes.push(file.subarray(at + 2, at + 2 + length));
			at += 2 + length;
		}
		list.push(proof);
	}
	const verify = (p) => verifyMerkleProof(keccak_256(p.address), p.nodes, { root: p.root });
	let values;
	for (let round = 0; round < rounds; round++) {
		const watch = new Watch();
		values = [];
		watch.on();
		for (const proof of list) values.push(await verify(proof));
		watch.off();
		watch.end();
	}
	let tampered = 'refused';
	for (const node of list[0].nodes) {
		node[node.length >> 1] ^= 1;
		if (await verify(list[0]).catch(() => null)) tampered = 'accepted';
		node[node.length >> 1] ^= 1;
	}
	const sum = createHash('sha256');
	for (const value of values) sum.update(RLP.decode(value)[3]);
	say(list.length, sum.digest('hex'), tampered);
}

// A file in pieces: the next n bytes.
class Stream {
	#buffer = Buffer.alloc(1 << 20);
	#at = 0;
	#end = 0;
	constructor(path) {
		this.fd = openSync(path);
	}
	take(n) {
		if (this.#end - this.#at < n) {
			this.#buffer.copyWithin(0, this.#at, this.#end);
			this.#end -= this.#at;
			this.#at = 0;
			this.#end += readSync(this.fd, this.#buffer, this.#end, this.#buffer.length - this.#end);
			if (this.#end < n) throw new Error('a short file');
		}
		this.#at += n;
		return this.#buffer.subarray(this.#at - n, this.#at);
	}
	close() {
		closeSync(this.fd);
	}
}

// The events as JSON-RPC would bring them: topics and data in hexadecimal. Only the decoding is counted.
function events(path) {
	const { Interface } = require('ethers');
	const abi = new Interface(readFileSync(new URL('../../governance/contracts/DeRoT.abi.json', import.meta.url), 'utf8'));
	const max = Number(process.env.BENCH_EVENTS ?? 5000);
	const voted = abi.getEvent('Voted').topicHash;
	const decode = (watch, piece) => {
		let known = 0;
		watch?.on();
		for (const log of piece) if (abi.parseLog(log)) known++;
		watch?.off();
		return known;
	};
	const walk = (watch, keep) => {
		const stream = new Stream(path);
		const head = stream.take(48);
		const blocks = Number(head.readBigUInt64BE(8));
		const piece = [];
		let known;
		let seen = 0;
		for (let i = 0; i < blocks && seen < max; i++) {
			const num = stream.take(20).readUInt32BE(16);
			for (let j = 0; j < num; j++) {
				const topics = ['0x' + stream.take(32).toString('hex')];
				const data = '0x' + stream.take(stream.take(4).readUInt32BE()).toString('hex');
				if (keep(topics[0]) && ++seen) piece.push({ topics, data });
			}
		}
		known = decode(watch, piece);
		stream.close();
		return [known, seen];
	};
	let known;
	let seen;
	for (let round = 0; round < rounds; round++) {
		const watch = new Watch();
		[known, seen] = walk(watch, () => true);
		watch.end();
		if (known !== seen) throw new Error('an event is unknown');
	}
	const [left, rest] = walk(undefined, (topic) => topic !== voted);
	say(known, null, left === rest ? 'accepted: votes left out, and nothing is said' : 'refused');
}

function ledger(path, sha256) {
	const root = (spoiled) => {
		const stream = new Stream(path);
		const head = stream.take(40);
		const num = Number(head.readBigUInt64BE());
		const told = Buffer.from(head.subarray(8, 40));
		const edge = [];
		const node = Buffer.alloc(65, 1);
		const join = (left, right) => {
			node.set(left, 1);
			node.set(right, 33);
			return sha256(node);
		};
		const leaf = Buffer.alloc(1025);
		for (let i = 0; i < num; i++) {
			const length = stream.take(2).readUInt16BE();
			leaf.set(stream.take(length), 1);
			if (i === spoiled) leaf[1 + (length >> 1)] ^= 1;
			let hash = sha256(leaf.subarray(0, 1 + length));
			let at = 0;
			for (; (i >>> at) & 1; at++) hash = join(edge[at], hash);
			edge[at] = hash;
		}
		let hash;
		for (let at = 0; at < 32; at++) if ((num >>> at) & 1) hash = hash ? join(edge[at], hash) : edge[at];
		stream.close();
		return { num, told, hash };
	};
	let last;
	for (let round = 0; round < rounds; round++) {
		const watch = new Watch();
		watch.on();
		last = root(-1);
		watch.off();
		watch.end();
		if (!equal(last.hash, last.told)) throw new Error('the root differs');
	}
	const tampered = equal(root(last.num >> 1).hash, last.told) ? 'accepted' : 'refused';
	say(last.num, hex(last.hash), tampered);
}

const [, , task, path] = process.argv;
if (task === 'receipts') await receipts(path);
else if (task === 'replay') await replay(path);
else if (task === 'proofs') await proofs(path);
else if (task === 'events') events(path);
else if (task === 'ledger') ledger(path, (bytes) => hashOnce('sha256', bytes, 'buffer'));
else if (task === 'ledger-noble') ledger(path, require('@noble/hashes/sha2').sha256);
else throw new Error('peers.mjs TASK FILE');
