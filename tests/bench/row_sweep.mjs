// SPDX-License-Identifier: Apache-2.0
//
// What grows with what: the sweeps that the plots of docs/performance.md are drawn from. Each point is the median of 3.
// Writes bench-sweep.json: {name: {x, y, series: {name: [[x, y], …]}}}.

import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BLOCKS = [64, 125, 250, 500, 1000, 2000];
const RECEIPTS = [10, 25, 50, 100, 200, 400, 800];
const EVENTS = [0, 25, 50, 75, 100];
const ENTRIES = [1000, 10000, 100000, 1000000];
const DAYS = [1, 3, 10, 30, 60];

export default function ({ task, median, here, bin, data, out, made, quick }) {
	const env = { BENCH_ROUNDS: quick ? '1' : '3' };
	const some = (list) => (quick ? list.slice(0, 2) : list);
	const sweeps = {};
	const save = () => writeFileSync(join(out, 'bench-sweep.json'), JSON.stringify(sweeps, null, '\t') + '\n');
	// What is there already is kept, if the next one fails.
	const add = (name, x, y) => {
		save();
		return (sweeps[name] = { x, y, series: {} });
	};
	const put = (sweep, series, x, y) => (sweep.series[series] ??= []).push([x, Number(y.toPrecision(4))]);
	const mine = (keccak, ...args) => task([join(bin, args[0]), ...args.slice(1)], { ...env, ...(keccak ? { BENCH_KECCAK: keccak } : {}) });
	const peer = (...args) => task([process.execPath, join(here, 'peers.mjs'), ...args], { ...env, BENCH_ROUNDS: '1' });
	const chain = (blocks, receipts, events) => {
		const file = join(data, `chain-${blocks}x${receipts}x${events}.ev`);
		return made(file, 'chain', file, blocks, receipts, events);
	};
	const each = ({ line }) => median(line.seconds) / line.work;

	const blocks = add('blocks', 'blocks of 200 receipts', 'seconds');
	const memory = add('memory', 'blocks of 200 receipts', 'MiB');
	for (const n of some(BLOCKS)) {
		const file = chain(n, 200, 20);
		for (const width of ['portable', 'avx2']) {
			const done = mine(width, 'bench_replay', file);
			if (!done) continue;
			put(blocks, `derot, ${width}`, n, each(done) * n);
			if (width === 'portable') put(memory, 'derot', n, done.memory_kib / 1024);
		}
		if (n <= 250) {
			const other = peer('replay', file);
			put(memory, '@ethereumjs/mpt', n, other.memory_kib / 1024);
			if (n === 64) for (const m of some(BLOCKS)) put(blocks, '@ethereumjs/mpt (64 blocks, drawn on)', m, each(other) * m);
		}
		if (n > 500) unlinkSync(file);
	}

	const receipts = add('receipts', 'receipts a block', 'ms a block');
	for (const n of some(RECEIPTS)) {
		const file = chain(64, n, 20);
		for (const width of ['portable', 'avx2']) {
			const done = mine(width, 'bench_replay', file);
			if (done) put(receipts, `derot, ${width}`, n, each(done) * 1000);
		}
		put(receipts, '@ethereumjs/mpt', n, each(peer('replay', file)) * 1000);
	}

	const events = add('events', 'of 100 blocks, those with events of the contract', 'ms a block');
	for (const n of some(EVENTS))
		for (const width of ['portable', 'avx2']) {
			const done = mine(width, 'bench_replay', chain(250, 200, n));
			if (done) put(events, `derot, ${width}`, n, each(done) * 1000);
		}

	const ledger = add('ledger', 'ledger entries', 'seconds');
	for (const n of some(ENTRIES)) {
		const [file, entries] = [join(data, `events-${n}`), join(data, `ledger-${n}`)];
		made(file, 'events', file, entries, n);
		put(ledger, 'derot, root verified again', n, each(mine(null, 'bench_ledger', 'verify', entries)) * n);
		const folder = mkdtempSync(join(process.env.BENCH_DISK ?? '/var/tmp', 'derot-bench-'));
		put(ledger, 'derot, store opened', n, median(mine(null, 'bench_ledger', 'store', entries, folder).lines[1].seconds));
		rmSync(folder, { recursive: true });
		put(ledger, 'RFC 6962 on node:crypto', n, each(peer('ledger', entries)) * n);
		put(ledger, 'RFC 6962 on @noble/hashes', n, each(peer('ledger-noble', entries)) * n);
	}

	const start = add('start', 'days of history, a block each 12 s', 'seconds');
	for (const n of some(DAYS)) {
		const folder = mkdtempSync(join(process.env.BENCH_DISK ?? '/var/tmp', 'derot-bench-'));
		const { line } = mine(null, 'bench_start', String(n), folder);
		rmSync(folder, { recursive: true });
		put(start, 'derot, the whole start', n, median(line.seconds));
		put(start, 'of it, the logs verified', n, line.opening_s);
	}
	save();
}
