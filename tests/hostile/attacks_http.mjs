// SPDX-License-Identifier: Apache-2.0
//
// What a server can do to a client below JSON-RPC: bombs, drips, floods, broken framing, wrong ids, redirects
// (T15, T16). A row's `http` answers the whole request; false: in the usual way.

import { BROKEN_OFF, GOES_ON, HTTP_ERROR, LIMITED, NOTHING, NO_CHAIN, NO_REPLY, SEALED, TOO_LARGE, TOO_SLOW } from './expect.mjs';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

const CRLF = '\r\n';
const MIB = 1 << 20;
const json = 'content-type: application/json' + CRLF;
const ok = 'HTTP/1.1 200 OK' + CRLF;
const sized = (n) => `content-length: ${n}${CRLF}`;
const bytes = (text) => Buffer.byteLength(text);
const chunked = 'transfer-encoding: chunked' + CRLF;
const chunk = (text) => bytes(text).toString(16) + CRLF + text + CRLF;

// Writes pieces as fast as they are taken, up to a bound that no client should come near; then nothing more.
function pour(p, res, head, piece, most) {
	const state = (p.proxy.flooded ??= { bytes: 0 });
	res.raw(head);
	let left = most;
	const more = () => {
		while (!res.destroyed && left > 0) {
			left -= piece.length;
			state.bytes += piece.length;
			if (!res.raw(piece)) return;
		}
	};
	res.socket.on('drain', more);
	more();
}

// One byte every few milliseconds.
function drip(res, text, first = '') {
	res.raw(first);
	let at = 0;
	const timer = setInterval(() => {
		if (res.destroyed || at >= text.length) clearInterval(timer);
		else res.raw(text[at++]);
	}, 50);
	timer.unref();
	res.socket.once('close', () => clearInterval(timer));
}

const whole = (text, more = '') => ok + json + more + sized(bytes(text)) + CRLF + text;
const shifted = (replies) => replies.map((r, i) => ({ ...r, id: replies[(i + 1) % replies.length].id }));
const many = (say) => (p, res, text, replies) => (replies.length > 1 ? say(p, res, text, replies) : false);
const all = (change) => (p, res, text, replies) => res.end(JSON.stringify(change(replies)));
const encoded = (name, pack) => (p, res, text) => res.end(pack(text), { 'content-encoding': name });

// Packed once: they are bombs.
const packed = new Map();
const bomb = (name, pack) => (p, res) => {
	if (!packed.has(name)) packed.set(name, pack(Buffer.alloc(256 * MIB, 0x5b)));
	res.end(packed.get(name), { 'content-encoding': name });
};
// Every call answered with one huge result; result(n): its JSON, when there are n of them. Built once.
const filled = (result) => {
	const built = new Map();
	return (p, res, text, replies) => {
		const n = replies.length;
		if (!built.has(n)) built.set(n, result(n));
		const texts = replies.map((r) => `{"jsonrpc":"2.0","id":${r.id},"result":${built.get(n)}}`);
		res.end(n > 1 ? `[${texts.join()}]` : texts[0]);
	};
};
const redirect = (status, to) => (p, res, text) => res.end(text, { status, location: to(p) });

export const HTTP = [
	// T15: bombs.
	{ name: 'sends garbage', threat: 'T15', state: SEALED, journal: NO_REPLY, http: (p, res) => res.end(Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 137) & 255))) },
	{ name: 'sends nothing', threat: 'T15', state: SEALED, journal: NO_REPLY, http: (p, res) => res.end('') },
	{ name: 'sends JSON that nests without end', threat: 'T15', state: SEALED, journal: TOO_LARGE, http: (p, res) => res.end('['.repeat(MIB)) },
	{ name: 'sends JSON that nests deeply, and closes', threat: 'T15', state: SEALED, journal: TOO_LARGE, http: (p, res) => res.end('{"a":'.repeat(100000) + '1' + '}'.repeat(100000)) },
	{ name: 'sends a number without end', threat: 'T15', state: SEALED, journal: NO_REPLY, http: (p, res) => res.end('1'.repeat(MIB)) },
	{ name: 'sends a hex string of 24 MiB', threat: 'T15', state: SEALED, journal: NO_CHAIN, bomb: true, http: filled((n) => `"0x${'0'.repeat((24 * MIB) / n)}"`) },
	{ name: 'sends a million empty arrays', threat: 'T15', state: SEALED, journal: NO_CHAIN, bomb: true, http: filled((n) => `[${Array(Math.floor(MIB / n)).fill('[]').join()}]`) },
	{ name: 'sends a million members', threat: 'T15', state: SEALED, journal: NO_CHAIN, bomb: true, http: filled((n) => `{${Array.from({ length: Math.floor(MIB / n) }, (_, i) => `"${i}":0`).join()}}`) },
	{ name: 'sends one member a million times', threat: 'T15', state: SEALED, journal: NO_REPLY, http: filled(() => `{${Array(300000).fill('"a":0').join()}}`) },
	{ name: 'sends a body without end', threat: 'T15', state: SEALED, journal: TOO_LARGE, bomb: true, http: (p, res) => pour(p, res, ok + json + CRLF, Buffer.alloc(1 << 16, 0x20), 1 << 30) },
	{ name: 'sends a body of 1 GB', threat: 'T15', state: SEALED, journal: TOO_LARGE, bomb: true, http: (p, res) => pour(p, res, ok + json + sized(1e9) + CRLF, Buffer.alloc(1 << 16, 0x5b), 1e9) },
	{ name: 'sends chunks without end', threat: 'T15', state: SEALED, journal: TOO_LARGE, bomb: true, http: (p, res) => pour(p, res, ok + json + chunked + CRLF, Buffer.from(chunk('['.repeat(65536))), 1 << 30) },
	{ name: 'sends a gzip bomb that it was not asked for', threat: 'T15', state: SEALED, journal: NO_REPLY, bomb: true, http: bomb('gzip', gzipSync) },
	{ name: 'sends a deflate bomb that it was not asked for', threat: 'T15', state: SEALED, journal: NO_REPLY, bomb: true, http: bomb('deflate', deflateSync) },
	{ name: 'compresses with gzip', threat: 'T15', state: SEALED, journal: NO_REPLY, http: encoded('gzip', gzipSync) },
	{ name: 'compresses with brotli', threat: 'T15', state: SEALED, journal: NO_REPLY, http: encoded('br', brotliCompressSync) },
	{ name: 'says that it compressed, and did not', threat: 'T15', state: SEALED, journal: NO_REPLY, http: encoded('gzip', (text) => text) },
	{ name: 'names an encoding that nobody knows', threat: 'T15', state: GOES_ON, journal: NOTHING, http: encoded('identity, x-own', (text) => text) },
	{ name: 'has text that is no UTF-8', threat: 'T15', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.end(Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(text.slice(-2))])) },
	{ name: 'has a NUL in a string', threat: 'T15', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.end(text.replace('0x', '0x\\u0000')) },
	{ name: 'goes on after the JSON', threat: 'T15', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.end(text + text) },
	// T16: slow, silent, broken off.
	{ name: 'goes silent', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: () => true },
	{ name: 'goes silent after the status', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: (p, res) => res.raw(ok) },
	{ name: 'goes silent after the headers', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: (p, res, text) => res.raw(ok + json + sized(bytes(text)) + CRLF) },
	{ name: 'goes silent before the last byte', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: (p, res, text) => res.raw(whole(text).slice(0, -1)) },
	{ name: 'drips', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: (p, res, text) => drip(res, text, ok + json + sized(bytes(text)) + CRLF) },
	{ name: 'drips its headers', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: (p, res, text) => drip(res, whole(text)) },
	{ name: 'drips chunks of one byte', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: (p, res, text) => drip(res, Array.from(text, chunk), ok + json + chunked + CRLF) },
	{ name: 'closes the connection', threat: 'T16', state: SEALED, journal: BROKEN_OFF, http: (p, res) => res.socket.destroy() },
	{ name: 'closes after the headers', threat: 'T16', state: SEALED, journal: BROKEN_OFF, http: (p, res, text) => res.socket.end(ok + json + sized(bytes(text)) + CRLF) },
	{ name: 'cuts the body short', threat: 'T16', state: SEALED, journal: BROKEN_OFF, http: (p, res, text) => res.socket.end(ok + json + sized(bytes(text) + 9) + CRLF + text) },
	{ name: 'resets in the middle', threat: 'T16', state: SEALED, journal: BROKEN_OFF, http: (p, res, text) => (res.raw(whole(text).slice(0, -20)), res.socket.resetAndDestroy()) },
	// T16: lengths and chunks that lie.
	{ name: 'says it is shorter than it is', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.raw(ok + json + sized(bytes(text) - 5) + CRLF + text) },
	{ name: 'says two lengths', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.raw(ok + json + sized(bytes(text)) + sized(3) + CRLF + text) },
	{ name: 'says a length below zero', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.raw(ok + json + sized(-1) + CRLF + text) },
	{ name: 'says a length beyond all', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: (p, res, text) => res.raw(ok + json + sized('99999999999999999999999') + CRLF + text) },
	{ name: 'says a length and chunks', threat: 'T16', state: GOES_ON, journal: NOTHING, http: (p, res, text) => res.raw(ok + json + sized(3) + chunked + CRLF + chunk(text) + '0' + CRLF + CRLF) },
	{ name: 'has a chunk size that is no number', threat: 'T16', state: SEALED, journal: BROKEN_OFF, http: (p, res, text) => res.raw(ok + json + chunked + CRLF + 'zz' + CRLF + text + CRLF + '0' + CRLF + CRLF) },
	{ name: 'has a chunk size below zero', threat: 'T16', state: SEALED, journal: BROKEN_OFF, http: (p, res, text) => res.raw(ok + json + chunked + CRLF + '-1' + CRLF + text + CRLF + '0' + CRLF + CRLF) },
	{ name: 'has a chunk size beyond all', threat: 'T16', state: SEALED, journal: BROKEN_OFF, http: (p, res, text) => res.raw(ok + json + chunked + CRLF + 'ffffffffffffffffff' + CRLF + text + CRLF + '0' + CRLF + CRLF) },
	{ name: 'has a chunk longer than it says', threat: 'T16', state: SEALED, journal: BROKEN_OFF, http: (p, res, text) => res.raw(ok + json + chunked + CRLF + '5' + CRLF + text + CRLF + '0' + CRLF + CRLF) },
	{ name: 'never ends its chunks', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: (p, res, text) => res.raw(ok + json + chunked + CRLF + chunk(text)) },
	{ name: 'sends trailers', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.raw(ok + json + chunked + 'trailer: content-length' + CRLF + CRLF + chunk(text) + '0' + CRLF + sized(3) + 'content-encoding: gzip' + CRLF + CRLF) },
	{ name: 'sends trailers without end', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => pour(p, res, ok + json + chunked + CRLF + chunk(text) + '0' + CRLF, Buffer.from(('x: ' + 'y'.repeat(1000) + CRLF).repeat(60)), 1 << 26) },
	// T16: heads.
	{ name: 'sends headers without end', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res) => pour(p, res, ok, Buffer.from(('x: ' + 'y'.repeat(1000) + CRLF).repeat(60)), 1 << 26) },
	{ name: 'sends one header without end', threat: 'T16', state: SEALED, journal: BROKEN_OFF, http: (p, res) => pour(p, res, ok + 'x: ', Buffer.alloc(1 << 16, 0x79), 1 << 26) },
	{ name: 'sends 70 KiB of headers', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.raw(whole(text, ('x: ' + 'y'.repeat(1000) + CRLF).repeat(70))) },
	{ name: 'sends 1xx replies without end', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res) => pour(p, res, '', Buffer.from(('HTTP/1.1 100 Continue' + CRLF + CRLF).repeat(2000)), 1 << 26) },
	{ name: 'sends a few 1xx replies first', threat: 'T16', state: GOES_ON, journal: NOTHING, http: (p, res, text) => res.raw(('HTTP/1.1 103 Early Hints' + CRLF + 'link: </x>' + CRLF + CRLF).repeat(20) + whole(text)) },
	{ name: 'speaks no HTTP', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => (res.raw(text), res.socket.end()) },
	{ name: 'speaks HTTP/0.9', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.socket.end('\n' + text) },
	{ name: 'speaks HTTP/3 over TCP', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.socket.end(whole(text).replace('HTTP/1.1', 'HTTP/3')) },
	{ name: 'upgrades', threat: 'T16', state: SEALED, journal: TOO_SLOW, http: (p, res) => res.raw('HTTP/1.1 101 Switching Protocols' + CRLF + 'connection: upgrade' + CRLF + 'upgrade: h2c' + CRLF + CRLF) },
	{ name: 'has a status of no form', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.raw(whole(text).replace('200 OK', '2000 OK')) },
	{ name: 'answers with status 204 and a body', threat: 'T16', state: SEALED, journal: HTTP_ERROR, http: (p, res, text) => res.raw(whole(text).replace('200 OK', '204 No Content')) },
	{ name: 'answers with status 500', threat: 'T16', state: GOES_ON, journal: NOTHING, http: (p, res, text) => res.end(text, { status: '500 No' }) },
	{ name: 'answers with a bare status 503', threat: 'T16', state: SEALED, journal: HTTP_ERROR, http: (p, res) => res.end('busy', { status: '503 Busy' }) },
	{ name: 'answers with status 429', threat: 'T16', state: SEALED, journal: LIMITED, http: (p, res, text) => res.end(text, { status: '429 Slow', 'retry-after': '86400' }) },
	{ name: 'asks for a password', threat: 'T16', state: SEALED, journal: HTTP_ERROR, http: (p, res) => res.end('{}', { status: '401 Who', 'www-authenticate': 'Basic realm="x"' }) },
	{ name: 'sets a million cookies', threat: 'T16', state: GOES_ON, journal: NOTHING, http: (p, res, text) => res.raw(whole(text, ('set-cookie: a=' + 'b'.repeat(100) + CRLF).repeat(500))) },
	// T16: redirects.
	{ name: 'redirects', threat: 'T16', state: SEALED, journal: HTTP_ERROR, http: redirect('307 There', (p) => p.trap) },
	{ name: 'redirects for good', threat: 'T16', state: SEALED, journal: HTTP_ERROR, http: redirect('308 There', (p) => p.trap) },
	{ name: 'redirects to another port', threat: 'T16', state: SEALED, journal: HTTP_ERROR, http: redirect('302 There', (p) => p.traps[0] ?? p.trap) },
	{ name: 'redirects to a file', threat: 'T16', state: SEALED, journal: HTTP_ERROR, http: redirect('301 There', () => 'file:///etc/passwd') },
	{ name: 'says where it moved, with status 200', threat: 'T16', state: GOES_ON, journal: NOTHING, http: redirect('200 OK', (p) => p.trap) },
	// T16: two responses to one request, and none to the next.
	{ name: 'sends two responses to one request', threat: 'T16', state: GOES_ON, journal: NO_REPLY, http: (p, res, text) => res.raw(whole(text) + whole(text)) },
	{ name: 'sends the last response again', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => {
		const last = p.seen.get(res.socket);
		p.seen.set(res.socket, text);
		if (last === undefined) return false;
		res.raw(whole(last));
		return true;
	} },
	// T16: ids and batches.
	{ name: 'answers with other ids', threat: 'T16', state: SEALED, journal: NO_REPLY, http: all((replies) => replies.map((r) => ({ ...r, id: 7e9 + r.id }))) },
	{ name: 'answers with ids as text', threat: 'T16', state: SEALED, journal: NO_REPLY, http: all((replies) => replies.map((r) => ({ ...r, id: String(r.id) }))) },
	{ name: 'answers with ids below zero', threat: 'T16', state: SEALED, journal: NO_REPLY, http: all((replies) => replies.map((r) => ({ ...r, id: -r.id }))) },
	{ name: 'answers with ids beyond 64 bits', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text) => res.end(text.replaceAll('"id":', '"id":1844674407370955161600')) },
	{ name: 'answers without ids', threat: 'T16', state: SEALED, journal: NO_REPLY, http: all((replies) => replies.map(({ result, error }) => ({ jsonrpc: '2.0', ...(error ? { error } : { result }) }))) },
	{ name: 'answers in another version', threat: 'T16', state: SEALED, journal: NO_REPLY, http: all((replies) => replies.map((r) => ({ ...r, jsonrpc: '1.0' }))) },
	{ name: 'answers with result and error', threat: 'T16', state: SEALED, journal: NO_REPLY, http: all((replies) => replies.map((r) => ({ ...r, error: { code: 1, message: 'no' } }))) },
	{ name: 'answers with each other’s ids', threat: 'T16', state: SEALED, journal: NO_CHAIN, http: many((p, res, text, replies) => res.end(JSON.stringify(shifted(replies)))) },
	{ name: 'reverses its batches', threat: 'T16', state: GOES_ON, journal: NOTHING, http: many((p, res, text, replies) => res.end(JSON.stringify(replies.toReversed()))) },
	{ name: 'answers each call twice', threat: 'T16', state: SEALED, journal: NO_REPLY, http: all((replies) => [...replies, ...replies]) },
	{ name: 'answers a batch with its first reply', threat: 'T16', state: SEALED, journal: NO_REPLY, http: many((p, res, text, replies) => res.end(JSON.stringify(replies[0]))) },
	{ name: 'leaves out replies of a batch', threat: 'T16', state: SEALED, journal: NO_CHAIN, http: many((p, res, text, replies) => res.end(JSON.stringify(replies.slice(1)))) },
	{ name: 'answers a batch with []', threat: 'T16', state: SEALED, journal: NO_CHAIN, http: many((p, res) => res.end('[]')) },
	{ name: 'answers one call with a batch', threat: 'T16', state: SEALED, journal: NO_REPLY, http: (p, res, text, replies) => (replies.length === 1 ? res.end(JSON.stringify(replies)) : res.end(JSON.stringify(replies[0]))) },
];
