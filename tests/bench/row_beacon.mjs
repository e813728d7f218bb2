// SPDX-License-Identifier: Apache-2.0
//
// The light client: mainnet's updates of 26 consecutive periods (vectors/03-eth-lc-real), from their bytes to what they
// change, beside @lodestar/light-client on the Node.js that its native BLS is made for. Both begin with the bootstrap; both
// learn 26 committees of 512 keys.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const YEAR = 320; // periods: 8192 slots of 12 s are 27.3 hours
const GENESIS_S = 1606824023;
const SLOT_S = 12;

const slotOf = (file) => Number(/slot_(\d+)/.exec(file)[1]);
function u32(n) {
	const out = Buffer.alloc(4);
	out.writeUInt32BE(n);
	return out;
}

// The file that bench_beacon.c and tests/lodestar/client/bench.mjs read.
async function made(vectors, file) {
	const { need } = await import('../nodes/packages.mjs');
	const { ssz } = await need('@lodestar/types');
	const { BeaconBlockHeader } = ssz.phase0;
	const first = readdirSync(join(vectors, 'bootstraps')).find((name) => name.includes('period_1347'));
	const bootstrap = readFileSync(join(vectors, 'bootstraps', first));
	const header = bootstrap.subarray(bootstrap.readUInt32LE(0)).subarray(0, 112);
	const root = BeaconBlockHeader.hashTreeRoot(BeaconBlockHeader.deserialize(header));
	const updates = readdirSync(join(vectors, 'updates')).sort();
	const parts = updates.flatMap((name) => {
		const body = readFileSync(join(vectors, 'updates', name));
		return [u32(body.length), u32(0), u32(GENESIS_S + SLOT_S * (slotOf(name) + 64)), body];
	});
	writeFileSync(file, Buffer.concat([u32(bootstrap.length), root, bootstrap, ...parts]));
	return updates.length;
}

export default async function ({ row, run, check, task, median, here, bin, data }) {
	const root = join(here, '../..');
	const vectors = join(process.env.DEROT_VECTORS ?? join(root, '../shared/vectors'), '03-eth-lc-real/mainnet');
	if (!existsSync(vectors)) return console.error('bench: beacon: skipped, DEROT_VECTORS names no folder with 03-eth-lc-real');
	const installed = spawnSync(join(root, 'tests/lodestar/install.sh'), ['client'], { stdio: 'inherit' });
	if (installed.status !== 0) throw new Error('tests/lodestar/install.sh client failed');
	const client = join(root, 'tests/lodestar/client');
	const file = join(data, 'mainnet-updates');
	const num = await made(vectors, file);
	const peer_name = '@lodestar/light-client, native BLS';
	const ours = (what) => task([join(bin, 'bench_beacon'), what, file]);
	const theirs = (what) => task([join(client, 'node_modules/node/bin/node'), join(client, 'bench.mjs'), what, file]);
	const ms = ({ line }) => (median(line.seconds) / line.work) * 1e3;

	const [again, other] = [ours('again'), theirs('again')];
	check('mainnet update', again.line, other.line);
	row('mainnet update validated, its committees known', 'ms', ms(again), {
		...{ peer: ms(other), peer_name, target: Number((ms(other) / 6).toPrecision(3)), less: true },
	});
	const [sync, peer] = [ours('sync'), theirs('sync')];
	check('mainnet period', sync.line, peer.line);
	const common = { peer_name, less: true, memory_kib: sync.memory_kib };
	row('mainnet period: an update validated, the next committee learned', 'ms', ms(sync), { ...common, peer: ms(peer) });
	row(`a year of mainnet, ${YEAR} periods, from ${num} recorded ones`, 's', (ms(sync) * YEAR) / 1e3, {
		...common, peer: (ms(peer) * YEAR) / 1e3, target: 20,
	});
	run.details.push({ name: 'beacon', periods: num, peer_memory_kib: peer.memory_kib });
}
