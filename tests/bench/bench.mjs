// SPDX-License-Identifier: Apache-2.0
//
// bench.mjs [--quick] [--out FOLDER] [TASK …]: what derot costs, beside the packages that a user would otherwise take,
// on the same bytes. Every task is a process of its own, on one core; a figure is the median of 7 rounds. Seconds are
// those that the process was busy (a machine that does other things too counts less against it), except where the disk
// or a node is waited for. Memory is the largest the task's process ever had in core.
//
// Speed is reported, never demanded. A wrong result is: a root that differs from the peer's or from the one it was made
// with, or a spoiled input that derot takes, ends this with 1.
//
// FOLDER (default: the build folder) gets bench.json, a list of {name, unit, derot, peer, peer_name, ratio, target, met,
// memory_kib}; ratio says how many times better derot is; and bench-run.json: the machine, and what became of the
// spoiled inputs. --quick: small inputs and one round, to see that all of it works.

import { spawn, spawnSync } from 'node:child_process';
import { cpus, loadavg, release } from 'node:os';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const build = resolve(here, '../..', process.env.DEROT_BUILD ?? 'build');
const bin = join(build, 'release/bench');
const args = process.argv.slice(2);
const quick = args.includes('--quick');
const out = args.includes('--out') ? args[args.indexOf('--out') + 1] : build;
const chosen = args.filter((a, i) => !a.startsWith('--') && args[i - 1] !== '--out');
const data = join(out, quick ? 'bench-data-quick' : 'bench-data');
const ROUNDS = quick ? 1 : 7;
const SIZE = quick
	? { blocks: 64, receipts: 50, events: 5000, proofs: 50, days: 1, peer_events: 200, live_blocks: 10 }
	: { blocks: 500, receipts: 200, events: 1000000, proofs: 1000, days: 30, peer_events: 5000, live_blocks: 100 };
const MIB = 1024;
export const rows = [];
const run = { machine: machine(), size: SIZE, rounds: ROUNDS, tampered: [], wrong: [], details: [] };

function machine() {
	const info = readFileSync('/proc/cpuinfo', 'utf8');
	const flags = info.match(/^flags\s*: (.*)$/m)?.[1].split(' ') ?? [];
	const words = (command, ...args) => spawnSync(command, args, { encoding: 'utf8' }).stdout?.split('\n')[0] ?? '';
	return {
		cpu: cpus()[0].model,
		cores: cpus().length,
		avx2: flags.includes('avx2'),
		avx512: flags.includes('avx512f'),
		sha_ni: flags.includes('sha_ni'),
		memory_mib: Math.round(Number(readFileSync('/proc/meminfo', 'utf8').match(/\d+/)[0]) / 1024),
		kernel: release(),
		compiler: words('gcc', '--version'),
		node: process.version,
		sqlite: words('sqlite3', '--version') || undefined,
		load_before: loadavg().map((l) => Math.round(l * 100) / 100),
	};
}

// One core: the last, unless BENCH_CORE names another.
const core = process.env.BENCH_CORE ?? String(cpus().length - 1);

// task: a command on one core; {lines, memory_kib, busy, wall, exit}.
function task(command, env = {}) {
	const { words, options, cost } = launch(command, env);
	const done = spawnSync('taskset', words, { ...options, encoding: 'utf8', maxBuffer: 1 << 30 });
	return told(command, env, cost, done.stdout, done.stderr);
}

// taskAsync: the same, while this process goes on serving.
function taskAsync(command, env = {}) {
	const { words, options, cost } = launch(command, env);
	return new Promise((resolve, reject) => {
		const child = spawn('taskset', words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
		const text = ['', ''];
		child.stdout.on('data', (chunk) => (text[0] += chunk));
		child.stderr.on('data', (chunk) => (text[1] += chunk));
		child.on('error', reject);
		child.on('close', () => resolve(told(command, env, cost, ...text)));
	});
}

function launch(command, env) {
	const cost = join(data, 'cost.json');
	const all = { ...process.env, BENCH_ROUNDS: String(ROUNDS), BENCH_EVENTS: String(SIZE.peer_events), ...env };
	return { words: ['-c', core, join(bin, 'bench_spawn'), cost, ...command], options: { env: all }, cost };
}

function told(command, env, cost, out, err) {
	const { exit, ...rest } = JSON.parse(readFileSync(cost, 'utf8'));
	if (exit === 77) return undefined;
	if (exit !== 0 && !env.ANY_EXIT) throw new Error(`${command.join(' ')}: ${exit}: ${err.slice(-2000)}`);
	const lines = out.split('\n').filter((l) => /^{.*}$/.test(l)).map((l) => JSON.parse(l));
	return { lines, line: lines[0], exit, ...rest };
}

const derot = (program, ...args) => task([join(bin, program), ...args]);
const derotWith = (keccak, program, ...args) => task([join(bin, program), ...args], { BENCH_KECCAK: keccak });
const peer = (...args) => task([process.execPath, join(here, 'peers.mjs'), ...args]);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const rate = (line, clock = 'seconds') => line.work / median(line[clock]);

// check: derot refused the spoiled input, and both found the same.
function check(name, line, other) {
	run.tampered.push({ name, derot: line.tampered, peer: other?.tampered ?? null });
	if (line.tampered !== 'refused') run.wrong.push(`${name}: a spoiled input was ${line.tampered}`);
	if (other && line.result && other.result && line.result !== other.result)
		run.wrong.push(`${name}: derot found ${line.result}, the peer ${other.result}`);
}

// row: target and less say when it is met; a missing figure is null.
function row(name, unit, figure, { peer = null, peer_name = null, target = null, less = false, memory_kib = null } = {}) {
	const round = (x) => (x === null ? null : Number(x.toPrecision(4)));
	const ratio = figure !== null && peer ? (less ? peer / figure : figure / peer) : null;
	if (quick) target = null; // it is meant for the full size
	const met = target === null ? null : less ? figure <= target : figure >= target;
	rows.push({ name, unit, derot: round(figure), peer: round(peer), peer_name, ratio: round(ratio), target, met, memory_kib });
}

const WIDTHS = ['portable', 'avx2', 'avx512'];

function chain() {
	const file = join(data, `chain-${SIZE.blocks}x${SIZE.receipts}.ev`);
	return made(file, 'chain', file, SIZE.blocks, SIZE.receipts, 20);
}

function made(file, ...args) {
	const maker = join(bin, 'bench_make');
	if (existsSync(file) && statSync(file).mtimeMs > statSync(maker).mtimeMs) return file;
	const done = spawnSync(maker, args.map(String), { encoding: 'utf8' });
	if (done.status !== 0) throw new Error(`bench_make ${args.join(' ')}: ${done.stderr}`);
	return file;
}

const eventsFile = () => made(join(data, 'events'), 'events', join(data, 'events'), join(data, 'ledger'), SIZE.events);
const ledgerFile = () => eventsFile() && join(data, 'ledger');
const proofsFile = () => made(join(data, 'proofs'), 'proofs', join(data, 'proofs'), SIZE.proofs);

const TASKS = {
	replay() {
		const file = chain();
		const other = peer('replay', file);
		const name = '@ethereumjs/mpt + rlp';
		for (const width of WIDTHS) {
			const mine = derotWith(width, 'bench_replay', file);
			if (!mine) continue;
			check(`replay, ${width}`, mine.line, other.line);
			run.details.push({ name: `replay, ${width}`, bytes_per_block: mine.line.bytes / mine.line.work });
			row(`replay of blocks with ${SIZE.receipts} receipts, ${width}`, 'blocks/s', rate(mine.line), {
				...{ peer: rate(other.line), peer_name: name, target: { portable: 1500, avx2: 4000 }[width] ?? null },
				memory_kib: mine.memory_kib,
			});
		}
		const whole = [];
		for (let i = 0; i < ROUNDS; i++) whole.push(task([join(build, 'derot'), 'replay', file], { ANY_EXIT: '1' }));
		if (whole.some((w) => w.exit !== 6)) run.wrong.push('derot replay: an unanchored recording must end with 6');
		row('the same as a command: derot replay, two processes', 'blocks/s', SIZE.blocks / median(whole.map((w) => w.busy)), {
			...{ peer: rate(other.line), peer_name: name, memory_kib: Math.max(...whole.map((w) => w.memory_kib)) },
		});
	},
	receipts() {
		const other = peer('receipts', chain());
		for (const width of WIDTHS) {
			const mine = derotWith(width, 'bench_trie', 'receipts', chain());
			if (!mine) continue;
			check(`receipts root, ${width}`, mine.line, other.line);
			const peers = { peer: rate(other.line), peer_name: '@ethereumjs/mpt' };
			row(`receipts root of ${SIZE.receipts}, ${width}`, 'roots/s', rate(mine.line), { ...peers, memory_kib: mine.memory_kib });
		}
	},
	proofs() {
		const other = peer('proofs', proofsFile());
		for (const width of WIDTHS) {
			const mine = derotWith(width, 'bench_trie', 'proofs', proofsFile());
			if (!mine) continue;
			check(`state proof, ${width}`, mine.line, other.line);
			row(`state proof of 7 nodes, ${width}`, 'proofs/s', rate(mine.line), {
				...{ peer: rate(other.line), peer_name: '@ethereumjs/mpt', target: { portable: 80000, avx2: 200000 }[width] ?? null },
				memory_kib: mine.memory_kib,
			});
		}
	},
	fold() {
		const mine = derot('bench_fold', eventsFile());
		const other = peer('events', eventsFile());
		check('fold', mine.line, other.line);
		row(`fold of ${SIZE.events} events`, 'events/s', rate(mine.line), {
			...{ peer: rate(other.line), peer_name: `ethers parseLog (decodes only; the first ${SIZE.peer_events})` },
			memory_kib: mine.memory_kib,
		});
	},
	ledger() {
		const file = ledgerFile();
		const others = { 'node:crypto': peer('ledger', file), '@noble/hashes': peer('ledger-noble', file) };
		const append = derot('bench_ledger', 'append', file);
		check('ledger append', append.line, others['node:crypto'].line);
		row(`ledger append of ${SIZE.events} entries, in memory`, 'entries/s', rate(append.line), {
			...{ peer: rate(others['node:crypto'].line), peer_name: 'RFC 6962 on node:crypto', memory_kib: append.memory_kib },
		});
		const verify = derot('bench_ledger', 'verify', file);
		for (const [name, other] of Object.entries(others)) {
			check('ledger verified again', verify.line, other.line);
			row(`${SIZE.events} ledger entries verified again`, 's', median(verify.line.seconds), {
				...{ peer: median(other.line.seconds), peer_name: `RFC 6962 on ${name}` },
				...{ target: 0.6, less: true, memory_kib: verify.memory_kib },
			});
		}
		const folder = mkdtempSync(join(process.env.BENCH_DISK ?? '/var/tmp', 'derot-bench-'));
		const store = derot('bench_ledger', 'store', file, folder);
		rmSync(folder, { recursive: true });
		const [added, opened] = store.lines;
		check('store opened', opened, verify.line);
		row('ledger append to the store, durable by the thousand (with the disk)', 'entries/s', rate(added, 'wall'), {
			memory_kib: store.memory_kib,
		});
		row(`store of ${SIZE.events} entries opened: every row read, hashed and compared`, 's', median(opened.seconds), {
			...{ less: true, memory_kib: store.memory_kib },
		});
		run.details.push({ name: 'store', bytes_per_entry: opened.bytes / SIZE.events });
	},
	decide() {
		const { line, memory_kib } = derot('bench_decide');
		check('decision', line);
		row(`decision over a final state and ${line.heads} heads, half of them within`, 'µs', line.p50_us, { less: true, memory_kib });
		row('decision, 99 of 100 within', 'µs', line.p99_us, { less: true, memory_kib });
	},
	start() {
		const folder = mkdtempSync(join(process.env.BENCH_DISK ?? '/var/tmp', 'derot-bench-'));
		const { line, memory_kib } = derot('bench_start', SIZE.days, folder);
		rmSync(folder, { recursive: true });
		check('start', line);
		const seconds = median(line.seconds);
		row(`start over ${SIZE.days} days of blocks of 12 s`, 's', seconds, { less: true, memory_kib });
		row(`start over a year, from ${SIZE.days} days`, 's', (seconds * 365) / SIZE.days, { less: true });
		run.details.push({ name: 'start', ...line, seconds });
	},
};

// What needs a live node or more packages, and the sweeps behind the plots, which are drawn only if asked for: modules
// of their own.
const AWAY = ['live', 'bytes', 'derive', 'pss', 'beacon'];
for (const name of [...AWAY, 'bls', 'sweep'])
	if (existsSync(join(here, `row_${name}.mjs`))) TASKS[name] = (await import(`./row_${name}.mjs`)).default;

if (chosen.some((name) => !TASKS[name])) {
	console.error(`bench: no such task; there are ${Object.keys(TASKS).join(', ')}`);
	process.exit(64);
}
mkdirSync(data, { recursive: true });
for (const [name, doTask] of Object.entries(TASKS)) {
	if (chosen.length > 0 ? !chosen.includes(name) : name === 'sweep' || (quick && AWAY.includes(name))) continue;
	const start = Date.now();
	await doTask({ row, rows, run, task, taskAsync, chain, made, check, median, quick, here, build, bin, data, out, SIZE, ROUNDS });
	console.error(`bench: ${name}: ${((Date.now() - start) / 1000).toFixed(0)} s`);
}
// Of the tasks of the core alone: not of what stands around it.
const largest = rows.filter((r) => r.memory_kib !== null && !/live|whole system/.test(r.name));
if (largest.length > 0) {
	const worst = largest.reduce((a, b) => (a.memory_kib >= b.memory_kib ? a : b));
	row(`memory of the core, the most of all these (${worst.name})`, 'MiB', worst.memory_kib / MIB, { target: 32, less: true, memory_kib: worst.memory_kib });
}
run.machine.load_after = loadavg().map((l) => Math.round(l * 100) / 100);
const file = join(out, 'bench.json');
if (rows.length > 0) writeFileSync(file, JSON.stringify(rows, null, '\t') + '\n');
if (rows.length > 0) writeFileSync(join(out, 'bench-run.json'), JSON.stringify(run, null, '\t') + '\n');

const text = (x) => (x === null ? '' : String(x));
const table = rows.map((r) => [r.name, r.unit, text(r.derot), text(r.peer), r.ratio === null ? '' : `${r.ratio}×`, text(r.target), r.met === null ? '' : r.met ? 'met' : 'MISSED', text(r.memory_kib), r.peer_name ?? '']);
table.unshift(['', 'unit', 'derot', 'peer', '', 'target', '', 'KiB', 'peer is']);
const widths = table[0].map((_, i) => Math.max(...table.map((r) => r[i].length)));
for (const r of table) console.log(r.map((cell, i) => (i >= 2 && i <= 7 ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ').trimEnd());
console.log('\nspoiled inputs:');
for (const { name, derot, peer } of run.tampered) console.log(`  ${name.padEnd(28)} derot: ${derot}${peer ? `; peer: ${peer}` : ''}`);
for (const wrong of run.wrong) console.error(`bench: WRONG: ${wrong}`);
console.log(`\n${JSON.stringify(run.machine)}\n${file}`);
process.exitCode = run.wrong.length > 0 ? 1 : 0;
