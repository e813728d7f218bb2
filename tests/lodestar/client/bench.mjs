// SPDX-License-Identifier: Apache-2.0
//
// bench.mjs sync|again FILE: what @lodestar/light-client takes for the light-client updates of FILE (tests/bench/bench_beacon.c
// has its form), from their SSZ to what they change in the store; the line of JSON that tests/bench/bench.h describes.
// BENCH_ROUNDS: how many rounds (default 7).

import { readFileSync } from 'node:fs';
import { createBeaconConfig } from '@lodestar/config';
import { networksChainConfig, genesisData } from '@lodestar/config/networks';
import { LightclientSpec } from '@lodestar/light-client/spec';
import { ssz } from '@lodestar/types';
import { validateLightClientBootstrap } from './node_modules/@lodestar/light-client/lib/spec/validateLightClientBootstrap.js';

const TIMES = 4;
const [, , task, path] = process.argv;
const rounds = Number(process.env.BENCH_ROUNDS ?? 7);
const { genesisTime, genesisValidatorsRoot } = genesisData.mainnet;
const config = createBeaconConfig(networksChainConfig.mainnet, Buffer.from(genesisValidatorsRoot.slice(2), 'hex'));
const file = readFileSync(path);
const length = file.readUInt32BE(0);
const [root, bootstrap] = [file.subarray(4, 36), file.subarray(36, 36 + length)];
const updates = [];
for (let at = 36 + length; at < file.length; ) {
	const body = file.subarray(at + 12, at + 12 + file.readUInt32BE(at));
	updates.push({ slot: Math.floor((Number(file.readBigUInt64BE(at + 4)) - genesisTime) / config.SECONDS_PER_SLOT), body });
	at += 12 + body.length;
}
// The slot of a container's first header: that is where the first offset says, and the slot first in it.
const typesAt = (body) => config.getForkTypes(Number(body.readBigUInt64LE(body.readUInt32LE(0))));

function begin() {
	const value = typesAt(bootstrap).LightClientBootstrap.deserialize(bootstrap);
	validateLightClientBootstrap(config, root, value);
	return new LightclientSpec(config, {}, value);
}
const take = (client, { slot, body }) => client.onUpdate(slot, typesAt(body).LightClientUpdate.deserialize(body));

const [busy, wall] = [[], []];
let from;
const on = () => (from = [process.cpuUsage(), process.hrtime.bigint()]);
const off = () => {
	const { user, system } = process.cpuUsage(from[0]);
	busy.push((user + system) / 1e6);
	wall.push(Number(process.hrtime.bigint() - from[1]) / 1e9);
};
let client;
for (let round = 0; round < rounds; round++) {
	client = begin();
	if (task === 'sync') {
		on();
		for (const update of updates) take(client, update);
		off();
		continue;
	}
	// Where each was taken: two committees are known then.
	const clients = updates.map((update) => {
		take(client, update);
		const store = Object.create(Object.getPrototypeOf(client.store), Object.getOwnPropertyDescriptors(client.store));
		for (const name of ['syncCommittees', 'bestValidUpdates', 'maxActiveParticipants']) store[name] = new Map(store[name]);
		return Object.assign(Object.create(LightclientSpec.prototype), client, { store });
	});
	on();
	for (const [i, update] of updates.entries()) for (let n = 0; n < TIMES; n++) take(clients[i], update);
	off();
}
const result = Buffer.from(ssz.phase0.BeaconBlockHeader.hashTreeRoot(client.store.finalizedHeader.beacon)).toString('hex');
const last = updates.at(-1);
last.body[last.body.readUInt32LE(0) - 9] ^= 1;
let tampered = 'accepted';
try {
	take(client, last);
} catch {
	tampered = 'refused';
}
console.log(JSON.stringify({ task, work: updates.length * (task === 'sync' ? 1 : TIMES), seconds: busy, wall, result, tampered }));
