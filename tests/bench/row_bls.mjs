// SPDX-License-Identifier: Apache-2.0
//
// Sync committees: bench_bls beside @chainsafe/blst, on one file of keys and signatures (peers_bls.mjs). The targets are
// that many times what blst takes on the same machine.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const KERNELS = ['int128', 'adx'];

export default function ({ row, check, task, median, here, bin, data }) {
	const script = join(here, 'peers_bls.mjs');
	const file = join(data, 'committee');
	const made = spawnSync(process.execPath, [script, 'make', file], { encoding: 'utf8' });
	if (made.status !== 0) throw new Error(`peers_bls.mjs make: ${made.stderr}`);
	const name = '@chainsafe/blst';
	const us = (line) => (median(line.seconds) / line.work) * 1e6;
	const ours = (fp, ...args) => task([join(bin, 'bench_bls'), ...args], { BENCH_FP: fp });
	const theirs = (...args) => task([process.execPath, script, ...args]).line;

	const load = theirs('load', file);
	for (const fp of KERNELS) {
		const mine = ours(fp, 'load', file);
		if (!mine) continue;
		check(`committee load, ${fp}`, mine.line, load);
		row(`sync committee load: 512 keys decoded, subgroups checked, ${fp}`, 'ms', us(mine.line) / 1e3, {
			...{ peer: us(load) / 1e3, peer_name: name, target: Number(((2.5 * us(load)) / 1e3).toPrecision(3)), less: true, memory_kib: mine.memory_kib },
		});
	}
	for (const [which, share] of ['100 %', '90 %', '67 %'].entries()) {
		const other = theirs('verify', file, which);
		const summed = theirs('sum', file, which);
		for (const fp of KERNELS) {
			const mine = ours(fp, 'verify', file, which);
			if (!mine) continue;
			check(`fast aggregate, ${share}, ${fp}`, mine.line, other);
			const common = { less: true, memory_kib: mine.memory_kib };
			row(`signature of ${share} of 512, the committee's sum kept, ${fp}`, 'µs', us(mine.line), {
				...common, peer: us(other), peer_name: `${name} fastAggregateVerify, keys decoded before`, target: Number((2 * us(other)).toPrecision(3)),
			});
			row(`the same beside a sum of those present made before, ${fp}`, 'µs', us(mine.line), {
				...common, peer: us(summed), peer_name: `${name} verify`,
			});
		}
	}
}
