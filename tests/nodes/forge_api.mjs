// SPDX-License-Identifier: Apache-2.0
//
// The beacon REST API of a forged chain (forge.mjs), as far as light clients ask: the four light-client messages in
// JSON and SSZ, blocks and headers, genesis, specification and fork schedule. On loopback.

import { createServer } from 'node:http';
import { chainConfigToJson } from '@lodestar/config';
import { activePreset } from '@lodestar/params';
import { ssz } from '@lodestar/types';
import { epochOf, hex } from './forge_chain.mjs';

const UPDATES_MAX = 128;

// A reply is {data, version?}: JSON; or {type, value, fork}: JSON or SSZ, as asked.
const typed = (forge, block, name, value) => ({ type: block.types[name], value, fork: forge.config.getForkName(block.slot) });

function headerOf(block) {
	const message = ssz.phase0.BeaconBlockHeader.toJson(block.header.beacon);
	const data = { root: hex(block.root), canonical: true, header: { message, signature: '0x' + '0'.repeat(192) } };
	return { data, execution_optimistic: false, finalized: false };
}

function blockOf(forge, block) {
	const { bodyRoot, ...message } = block.header.beacon;
	return typed(forge, block, 'SignedBeaconBlock', { message: { ...message, body: block.body }, signature: new Uint8Array(96) });
}

function scheduleOf(forge) {
	const forks = Object.values(forge.config.forks).filter((fork) => Number.isFinite(fork.epoch));
	return forks.map((f) => ({ previous_version: hex(f.prevVersion), current_version: hex(f.version), epoch: String(f.epoch) }));
}

function specOf(forge) {
	const preset = Object.fromEntries(Object.entries(activePreset).map(([key, value]) => [key, String(value)]));
	return { ...preset, ...chainConfigToJson(forge.config) };
}

const genesisOf = (forge) => ({
	genesis_time: String(forge.genesisTime),
	genesis_validators_root: hex(forge.genesisValidatorsRoot),
	genesis_fork_version: hex(forge.config.GENESIS_FORK_VERSION),
});

function updatesOf(forge, query, tamper) {
	const first = Number(query.get('start_period'));
	const num = Math.min(UPDATES_MAX, Number(query.get('count')));
	const periods = Array.from({ length: num }, (_, idx) => first + idx).filter((period) => forge.updates.has(period));
	return periods.map((period) => {
		const block = forge.updates.get(period);
		return { block, ...typed(forge, block, 'LightClientUpdate', tamper('update', forge.update(block), block)) };
	});
}

// Path, and what it answers; undefined: 404.
const ROUTES = [
	[/^\/eth\/v1\/beacon\/light_client\/bootstrap\/(0x[0-9a-f]{64})$/, (forge, [, root], _, tamper) => {
		const block = forge.find(root);
		return block && typed(forge, block, 'LightClientBootstrap', tamper('bootstrap', forge.bootstrap(block), block));
	}],
	[/^\/eth\/v1\/beacon\/light_client\/updates$/, (forge, _, query, tamper) => ({ list: updatesOf(forge, query, tamper) })],
	[/^\/eth\/v1\/beacon\/light_client\/finality_update$/, (forge, _, query, tamper) =>
		forge.head?.final && typed(forge, forge.head, 'LightClientFinalityUpdate', tamper('finality_update', forge.finalityUpdate(forge.head), forge.head))],
	[/^\/eth\/v1\/beacon\/light_client\/optimistic_update$/, (forge, _, query, tamper) =>
		forge.head && typed(forge, forge.head, 'LightClientOptimisticUpdate', tamper('optimistic_update', forge.optimisticUpdate(forge.head), forge.head))],
	[/^\/eth\/v2\/beacon\/blocks\/(\w+)$/, (forge, [, id]) => forge.find(id) && blockOf(forge, forge.find(id))],
	[/^\/eth\/v1\/beacon\/blocks\/(\w+)\/root$/, (forge, [, id]) => forge.find(id) && { data: { root: hex(forge.find(id).root) } }],
	[/^\/eth\/v1\/beacon\/headers\/(\w+)$/, (forge, [, id]) => forge.find(id) && headerOf(forge.find(id))],
	[/^\/eth\/v1\/beacon\/genesis$/, (forge) => ({ data: genesisOf(forge) })],
	[/^\/eth\/v1\/config\/spec$/, (forge) => ({ data: specOf(forge) })],
	[/^\/eth\/v1\/config\/fork_schedule$/, (forge) => ({ data: scheduleOf(forge) })],
	[/^\/eth\/v1\/node\/version$/, () => ({ data: { version: 'forge' } })],
];

// The SSZ form of several updates: each with its length and its fork's digest before it.
function chunk(forge, { block, type, value }) {
	const epoch = epochOf(block.slot);
	const digest = forge.config.forkBoundary2ForkDigest(forge.config.getForkBoundaryAtEpoch(epoch));
	const body = type.serialize(value);
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(digest.length + body.length));
	return Buffer.concat([length, digest, body]);
}

function written(forge, reply, binary) {
	const said = (type, body, fork) => ({ status: 200, headers: { 'content-type': type, ...(fork && { 'eth-consensus-version': fork }) }, body });
	const json = (value, fork) => said('application/json', Buffer.from(JSON.stringify(value)), fork);
	const raw = (body, fork) => said('application/octet-stream', Buffer.from(body), fork);
	const { list, type, value, fork } = reply;
	if (list && binary) return raw(Buffer.concat(list.map((one) => chunk(forge, one))), list[0]?.fork);
	if (list) return json(list.map((one) => ({ version: one.fork, data: one.type.toJson(one.value) })));
	if (type && binary) return raw(type.serialize(value), fork);
	return type ? json({ version: fork, data: type.toJson(value) }, fork) : json(reply);
}

const NOT_FOUND = { status: 404, headers: { 'content-type': 'application/json' }, body: Buffer.from('{"code":404,"message":"not found"}') };
const honestly = (kind, value) => value;

// answerOf: {status, headers, body}: what a node of this chain answers to a GET.
export function answerOf(forge, path, accept = '', tamper = honestly) {
	const url = new URL(path, 'http://forge');
	const route = ROUTES.map(([path, answer]) => [url.pathname.match(path), answer]).find(([match]) => match);
	const reply = route?.[1](forge, route[0], url.searchParams, tamper);
	return reply ? written(forge, reply, accept.includes('octet-stream')) : NOT_FOUND;
}

// serveForge: {url, stop()}. tamper: as Forge has it; one chain may be served by several nodes, each with a word of its own.
export async function serveForge(forge, tamper = honestly) {
	const server = createServer((req, res) => {
		const { status, headers, body } = answerOf(forge, req.url, req.headers.accept, tamper);
		res.writeHead(status, headers).end(body);
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	server.unref();
	// A client that a failed test left running must not keep this process.
	server.on('connection', (socket) => socket.unref());
	return {
		url: `http://127.0.0.1:${server.address().port}`,
		stop: () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())),
	};
}
