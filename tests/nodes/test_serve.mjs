// SPDX-License-Identifier: Apache-2.0
//
// derot-serve on a running node: what HTTP tells is what the node's own command line tells, and holds up without
// trusting either: leaves hash to the roots, proofs carry from one size to another, notes and certificates are signed.
// And who may ask: this machine, by its own name, to read.

import { strict as assert } from 'node:assert';
import { X509Certificate, createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { label } from './abi.mjs';
import { freePort, startAnvil } from './chain.mjs';
import { EXIT, eventually, folder } from './run.mjs';
import { APP, NOTICE, Story } from './story.mjs';

let chain, story, kms, port;

// http: {status, headers, text, json}; at: {port} or {socketPath}.
function http(at, path, { method = 'GET', headers = {} } = {}) {
	return new Promise((resolve, reject) => {
		const asked = request({ host: '127.0.0.1', ...at, path, method, headers, agent: false }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
			answer.on('end', () => {
				let json;
				if (answer.headers['content-type'] === 'application/json' && text) json = JSON.parse(text);
				resolve({ status: answer.statusCode, headers: answer.headers, text, json });
			});
		});
		asked.on('error', reject);
		asked.end();
	});
}
const get = (path, options) => http({ port }, path, options);
async function good(path) {
	const answer = await get(path);
	assert.equal(answer.status, 200, `${path}: ${answer.status} ${answer.text}`);
	return answer;
}

const bytes = (text) => Buffer.from(text.replace(/^0x/, ''), 'hex');
const hex = (b) => '0x' + b.toString('hex');
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leafHash = (leaf) => sha256(Buffer.from([0]), leaf);
const nodeHash = (a, b) => sha256(Buffer.from([1]), a, b);

// RFC 6962, 2.1: the root over leaf hashes.
function treeRoot(hashes) {
	if (hashes.length === 0) return sha256();
	if (hashes.length === 1) return hashes[0];
	let k = 1;
	while (2 * k < hashes.length) k *= 2;
	return nodeHash(treeRoot(hashes.slice(0, k)), treeRoot(hashes.slice(k)));
}

// RFC 9162, 2.1.3.2.
function rootByInclusion(index, size, hash, path) {
	let fn = index;
	let sn = size - 1;
	for (const p of path) {
		assert.notEqual(sn, 0);
		if (fn % 2 === 1 || fn === sn) {
			hash = nodeHash(p, hash);
			while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
		} else {
			hash = nodeHash(hash, p);
		}
		[fn, sn] = [fn >> 1, sn >> 1];
	}
	assert.equal(sn, 0);
	return hash;
}

// RFC 9162, 2.1.4.2: [root of first, root of size].
function rootsByConsistency(first, size, firstRoot, path) {
	const hashes = Math.log2(first) % 1 === 0 ? [firstRoot, ...path] : [...path];
	let fn = first - 1;
	let sn = size - 1;
	while (fn % 2 === 1) [fn, sn] = [fn >> 1, sn >> 1];
	let fr = hashes[0];
	let sr = hashes[0];
	for (const c of hashes.slice(1)) {
		assert.notEqual(sn, 0);
		if (fn % 2 === 1 || fn === sn) {
			[fr, sr] = [nodeHash(c, fr), nodeHash(c, sr)];
			while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
		} else {
			sr = nodeHash(sr, c);
		}
		[fn, sn] = [fn >> 1, sn >> 1];
	}
	assert.equal(sn, 0);
	return [fr, sr];
}

// whole: every entry of a log, a page of `num` at a time, and size and root of the last page.
async function whole(log, num) {
	const entries = [];
	for (let next = 0; ; ) {
		const { json } = await good(`/v1/${log}?first=${next}&num=${num}`);
		assert.equal(json.first, next);
		entries.push(...json.entries);
		if (json.next === null) return { entries, size: json.size, root: json.root };
		assert.equal(json.next, entries.length);
		next = json.next;
	}
}

before(async () => {
	const start = Math.floor(Date.now() / 1000) - 172800;
	chain = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(start)]);
	story = await Story.found(chain);
	port = await freePort();
	kms = story.kms({ max_staleness: 1000000, serve: `127.0.0.1:${port}` });
	await kms.start();
});
after(async () => {
	await kms?.stop();
	await chain?.stop();
});

test('alive and not ready while there is no root; ready once it is held', async () => {
	assert.deepEqual((await good('/healthz')).json, { ok: true });
	assert.deepEqual((await good('/livez')).json, { ok: true });
	await story.final(kms);
	const early = await get('/readyz');
	assert.equal(early.status, 503);
	assert.equal(early.json.ready, false);
	assert.match(early.json.why, /no root generation is in force/);
	await story.root(kms);
	await story.registerApp();
	await story.announce('mail-v1');
	await story.pass(NOTICE.app);
	await story.final(kms);
	await eventually('readiness', async () => (await get('/readyz')).status === 200);
	assert.equal((await get('/readyz')).json.ready, true);
});

test('the status is the one that derot status tells', async () => {
	const [{ json }, status] = [await good('/v1/status'), await kms.status()];
	for (const key of ['chain_id', 'contract', 'proof', 'quorum', 'start', 'generation', 'holding', 'sealed', 'profile'])
		assert.deepEqual(json[key], status[key], key);
	assert.equal(json.holding, 'ours');
});

test('ledger and journal: the same entries, and they hash to the root', async () => {
	for (const log of ['ledger', 'journal']) {
		const { entries, size, root } = await whole(log, log === 'ledger' ? 7 : 500);
		// A journal grows between two pages: what came with the last one is of that moment.
		const hashes = entries.slice(0, size).map((e) => leafHash(bytes(e.leaf)));
		assert.equal(entries.length, size);
		for (const [i, e] of entries.entries()) {
			assert.equal(e.index, i);
			assert.equal(e.leaf_hash, hex(hashes[i]));
		}
		assert.equal(hex(treeRoot(hashes)), root, log);
		const told = await (log === 'ledger' ? kms.log() : kms.journal());
		const word = log === 'ledger' ? 'change' : 'note';
		for (const [i, row] of told.slice(0, entries.length).entries())
			assert.deepEqual(entries[i][word], row, `${log} ${i}`);
	}
});

test('proofs of inclusion and consistency hold, at every size', async () => {
	const { entries, size } = await whole('ledger', 1000);
	const hashes = entries.map((e) => bytes(e.leaf_hash));
	for (let n = 1; n <= size; n += n < 9 ? 1 : 5) {
		const root = treeRoot(hashes.slice(0, n));
		for (const idx of new Set([0, n >> 1, n - 1])) {
			const { json } = await good(`/v1/ledger/proof/inclusion?idx=${idx}&size=${n}`);
			assert.equal(json.root, hex(root));
			assert.equal(json.leaf, entries[idx].leaf_hash);
			assert.deepEqual(rootByInclusion(idx, n, hashes[idx], json.hashes.map(bytes)), root);
		}
		for (const first of new Set([1, (n >> 1) || 1, n])) {
			const { json } = await good(`/v1/ledger/proof/consistency?first=${first}&size=${n}`);
			const old = treeRoot(hashes.slice(0, first));
			assert.equal(json.first_root, hex(old));
			assert.equal(json.root, hex(root));
			if (first < n) assert.deepEqual(rootsByConsistency(first, n, old, json.hashes.map(bytes)), [old, root]);
			else assert.deepEqual(json.hashes, []);
		}
	}
	assert.equal((await good('/v1/journal/proof/inclusion?idx=0')).json.log, 'journal');
	for (const bad of [`inclusion?idx=${size}&size=${size}`, `inclusion?idx=0&size=${size + 1000}`, `consistency?first=9&size=8`]) {
		const answer = await get(`/v1/ledger/proof/${bad}`);
		assert.equal(answer.status, 400, bad);
		assert.ok(answer.json.what, bad);
	}
});

test('checkpoints are signed by the key that /v1/node tells', async () => {
	const node = (await good('/v1/node')).json;
	// Base64 has plus signs of its own, at times two side by side.
	const [, name, keyHash, encoded] = node.vkey.match(/^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/);
	const key = Buffer.from(encoded, 'base64');
	assert.equal(name, node.name);
	assert.equal(key[0], 1);
	assert.equal(hex(key.subarray(1)), node.sign_key);
	assert.equal(sha256(Buffer.from(name + '\n'), key).subarray(0, 4).toString('hex'), keyHash);
	const spki = Buffer.concat([bytes('302a300506032b6570032100'), key.subarray(1)]);
	const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
	for (const log of ['ledger', 'journal']) {
		const { text, headers } = await good(`/v1/checkpoint?log=${log}`);
		assert.match(headers['content-type'], /^text\/plain/);
		const [body, signatures] = text.split('\n\n');
		const [origin, size, root] = body.split('\n');
		assert.ok(origin.endsWith(log), origin);
		const [dash, signer, signature] = signatures.trim().split('\n')[0].split(' ');
		assert.deepEqual([dash, signer], ['—', name]);
		const raw = Buffer.from(signature, 'base64');
		assert.equal(raw.subarray(0, 4).toString('hex'), keyHash);
		assert.ok(verify(null, Buffer.from(body + '\n'), publicKey, raw.subarray(4)), log);
		const proof = (await good(`/v1/${log}/proof/inclusion?idx=0&size=${size}`)).json;
		assert.equal(hex(Buffer.from(root, 'base64')), proof.root);
	}
});

test('certificates: the root signs itself and what it issued here', async () => {
	const pem = (text) => text.split(/(?<=-----END CERTIFICATE-----\n)/).map((part) => new X509Certificate(part));
	const [root, ...more] = pem((await good('/v1/keys/newest/certificate')).text);
	assert.equal(more.length, 0);
	assert.ok(root.verify(root.publicKey));
	assert.ok(root.ca);
	assert.equal((await good('/v1/keys/1/certificate')).text, root.toString());
	assert.equal((await get('/v1/keys/2/certificate')).status, 404);
	const path = `/v1/keys/1/${label(APP)}/certificate`;
	assert.equal((await get(path)).status, 404);
	const answer = await kms.derive(APP, 'mail-v1', '--purpose', 'tls');
	assert.equal(answer.verdict, 'allow');
	const chainOf = pem((await good(path)).text);
	assert.equal(chainOf.length, 2);
	assert.ok(chainOf[0].verify(root.publicKey));
	assert.ok(chainOf[0].checkIssued(root));
	assert.equal(chainOf[1].toString(), root.toString());
	assert.equal((await get(`/v1/keys/1/${label('nobody')}/certificate`)).status, 404);
});

test('metrics say what the status says', async () => {
	const { text, headers } = await good('/metrics');
	assert.match(headers['content-type'], /version=0\.0\.4/);
	const value = (name) => Number(text.match(new RegExp(`^${name} (\\d+)$`, 'm'))?.[1]);
	const status = await kms.status();
	assert.equal(value('derot_sealed'), 0);
	assert.equal(value('derot_ledger_entries_total'), status.ledger_size);
	assert.equal(value('derot_finalized_block_number'), status.final);
	assert.equal(value('derot_generation'), 1);
	assert.match(text, /^derot_endpoint_state\{endpoint="node-0",state="good"\} 1$/m);
	for (const line of text.trim().split('\n'))
		assert.match(line, /^(# (HELP|TYPE) derot_\w+ .+|derot_\w+(\{[^{}]*\})? \d+)$/);
});

test('no key leaves by HTTP, and nothing acts', async () => {
	const key = bytes((await kms.derive(APP, 'mail-v1')).key).toString('hex');
	const list = (await good('/')).text.split('\n').filter((line) => line.startsWith('/'));
	assert.ok(list.length >= 16);
	const fill = { '{generation}': '1', '{app}': label(APP), 'first=': 'first=1', 'num=': 'num=1000', 'idx=': 'idx=0', '&size=': '', 'log=': 'log=journal' };
	for (const line of list) {
		const path = Object.entries(fill).reduce((text, [from, to]) => text.replace(from, to), line);
		const { text } = await good(path);
		assert.ok(!text.includes(key), path);
		for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
			const answer = await get(path, { method });
			assert.equal(answer.status, 405, `${method} ${path}`);
			assert.equal(answer.headers.allow, 'GET, HEAD');
		}
	}
});

test('only by a name of this machine; no other origin may read', async () => {
	for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '169.254.1.1'])
		assert.equal((await get('/v1/status', { headers: { host } })).status, 421, host);
	for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]'])
		assert.equal((await get('/v1/status', { headers: { host } })).status, 200, host);
	const answer = await get('/v1/status', { headers: { origin: 'https://evil.example' } });
	assert.ok(!Object.keys(answer.headers).some((name) => name.startsWith('access-control')));
	assert.equal(answer.headers['x-content-type-options'], 'nosniff');
	assert.equal(answer.headers['cache-control'], 'no-store');
});

test('noise, half requests and many at once leave it well', async () => {
	const send = (text) =>
		new Promise((resolve) => {
			const socket = createConnection(port, '127.0.0.1', () => socket.end(text));
			socket.on('error', resolve).on('close', resolve).resume();
			setTimeout(() => socket.destroy(), 500).unref();
		});
	await Promise.all(['\r\n\r\n', 'GET', 'GET / HTTP/1.1\r\nHost', '\0\0\0\0\r\n\r\n', 'X'.repeat(100000), 'GET / HTTP/9\r\n\r\n'].map(send));
	const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => get(i % 2 ? '/v1/status' : '/v1/journal?num=1000')));
	for (const answer of answers) assert.equal(answer.status, 200);
});

test('sealed: not ready, and it says why', async () => {
	await kms.stop();
	await assert.rejects(get('/healthz'));
	await kms.start({ max_staleness: 1 });
	const answer = await eventually('the seal', async () => {
		const now = await get('/readyz').catch(() => undefined);
		return now?.status === 503 && now;
	});
	assert.equal(answer.json.sealed, true);
	assert.ok(answer.json.why.length > 0);
	assert.match((await good('/metrics')).text, /^derot_sealed 1$/m);
	assert.equal((await kms.stop()) ?? EXIT.good, EXIT.good);
});

test('at a unix socket: its file is the operator\'s alone', async () => {
	const path = join(folder(), 'http');
	await kms.start({ max_staleness: 1000000, serve: `unix:${path}` });
	await eventually('the socket', async () => http({ socketPath: path }, '/livez').then((a) => a.status === 200, () => false));
	assert.equal(statSync(path).mode & 0o777, 0o600);
	// Killed, it leaves its file behind; the next one takes its place.
	await kms.stop('SIGKILL');
	await kms.start();
	await eventually('the socket', async () => http({ socketPath: path }, '/livez').then((a) => a.status === 200, () => false));
	await kms.stop();
});

test('a place that other machines reach is refused when the configuration is read', async () => {
	await kms.configure({ serve: '0.0.0.0:8460' });
	const { code, err } = await kms.runs(readFileSync(kms.config, 'utf8'));
	assert.equal(code, EXIT.error);
	assert.match(err, /serve\.listen: expected 127\.0\.0\.1:PORT/);
});
