// SPDX-License-Identifier: Apache-2.0
//
// derot itself, live: a KMS node in a folder of its own, with its derot.yaml, its `derot run`, and short words for
// the questions that a test asks. DEROT_BUILD names the folder of the programs (default: build).
//
//     const kms = new Kms(derot, { endpoints: [chain.url], node: chain.accounts[5] });
//     await kms.start();
//     await kms.until((s) => s.final >= 12);
//     await kms.derive('app', 'measurement');      // {verdict, reason, key, …}
//     await kms.stop();                            // its exit code
//
// What was started is stopped, and what was made is removed, when the process ends.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
// The folder of the programs.
export const build = resolve(root, process.env.DEROT_BUILD ?? 'build');
export const PROFILE = root + 'governance/profiles/derot-v1.yaml';
export const EXIT = { good: 0, error: 1, sealed: 2, proof: 3, conflict: 4, findings: 5, unanchored: 6, usage: 64 };
// What an asking application runs on, unless a test says otherwise.
export const HARDWARE = ['--tee', 'tdx', '--family', 'fam-good', '--device', 'rack7', '--svn', '7'];
const WAIT_MS = 20000;

const running = new Set();
const folders = new Set();
process.on('exit', () => {
	for (const child of running) child.kill('SIGKILL');
	for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

// folder: a new temporary folder; short, because a unix socket's path goes into it.
export function folder() {
	const path = mkdtempSync(join(tmpdir(), 'dr-'));
	folders.add(path);
	return path;
}

function launch(args, out = 'pipe') {
	const child = spawn(join(build, 'derot'), args, { stdio: ['ignore', out, 'pipe'] });
	running.add(child);
	child.on('error', () => running.delete(child));
	child.once('exit', () => running.delete(child));
	return child;
}

// derotCli: runs one derot command to its end; {code, signal, out, err}. Its output may go elsewhere (a descriptor); meets
// is told the process.
export function derotCli(args, input_ms = 60000, { to = 'pipe', meets } = {}) {
	return new Promise((resolve, reject) => {
		const child = launch(args, to);
		meets?.(child);
		const timer = setTimeout(() => child.kill('SIGKILL'), input_ms);
		let out = '';
		let err = '';
		child.stdout?.setEncoding('utf8').on('data', (text) => (out += text));
		child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
		child.on('error', reject);
		child.on('close', (code, signal) => {
			clearTimeout(timer);
			resolve({ code, signal, out, err });
		});
	});
}

// childrenOf: the pids of a derot's processes by name: {'derot-core': 12, 'derot-watch': 13}.
export function childrenOf(pid) {
	const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
	return Object.fromEntries(
		pids.flatMap((pid) => {
			try {
				return [[readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), Number(pid)]];
			} catch {
				return []; // gone meanwhile
			}
		}),
	);
}

export const lines = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));

// eventually: the first truthy answer of `ask`, or an error that says what was waited for.
export async function eventually(what, ask, wait_ms = WAIT_MS) {
	for (const end = Date.now() + wait_ms; ; await sleep(20)) {
		const answer = await ask();
		if (answer) return answer;
		if (Date.now() > end) throw new Error(`waited ${wait_ms} ms for ${what}`);
	}
}

const opt = (key, value, indent = '') => (value === undefined ? [] : [`${indent}${key}: ${value}`]);
// A list of servers in derot.yaml.
const servers = (kind, list, indent = '') => [
	`${indent}endpoints:`,
	...list
		.map((e, i) => (typeof e === 'string' ? { name: `${kind}-${i}`, url: e } : e))
		.flatMap((e) => [`${indent}  - name: ${e.name}`, `${indent}    url: ${e.url}`]),
];

// One KMS node. options: endpoints ([url] or [{name, url}]), quorum, completeness, step, poll_ms, timeout_ms,
// batch ({requests, bytes}), finality, max_staleness, head_staleness, node (address), key_file,
// serve (where to listen), heartbeat, passphrase_file; and consensus, instead of quorum and finality: network or setting
// (a beacon node whose own answers say what the network is; edit(name, text) may change them), root, from, max_age,
// accept_aged, endpoints.
export class Kms {
	#child;
	#ended;

	constructor(derot, options) {
		this.derot = derot;
		this.folder = folder();
		this.data = join(this.folder, 'data');
		this.config = join(this.folder, 'derot.yaml');
		this.options = { quorum: 1, poll_ms: 50, timeout_ms: 2000, node: derot.chain.accounts[6], ...options };
		this.events = [];
		this.err = '';
	}

	// copy: a second node with this one's store and keys, as they lie there now; stop this one before.
	copy(options = {}) {
		const other = new Kms(this.derot, { ...this.options, ...options });
		for (const name of ['data', 'key']) cpSync(join(this.folder, name), join(other.folder, name), { recursive: true });
		return other;
	}

	// remove: its folder, once it has ended: thousands of nodes would fill a disk.
	remove() {
		folders.delete(this.folder);
		rmSync(this.folder, { recursive: true, force: true });
	}

	// configure: writes derot.yaml; options given here stay.
	async configure(options = {}) {
		const o = Object.assign(this.options, options);
		const { chain, address, birth } = this.derot;
		const [genesis, start] = await Promise.all(
			['0x0', birth].map((number) => chain.rpc('eth_getBlockByNumber', number, false)),
		);
		const text = [
			`chain:`,
			`  id: ${Number(await chain.rpc('eth_chainId'))}`,
			`  genesis: "${genesis.hash}"`,
			`contract: "${address}"`,
			`start:`,
			`  block: ${Number(birth)}`,
			`  hash: "${o.start_hash ?? start.hash}"`,
			...(o.consensus ? [`proof: consensus`] : [`proof: quorum`, `quorum: ${o.quorum}`]),
			...servers('node', o.endpoints),
			...(o.consensus ? [...(await this.#network()), ...servers('beacon', o.consensus.endpoints, '  ')] : []),
			`profile: ${PROFILE}`,
			...opt('completeness', o.completeness),
			...opt('step', o.step),
			...opt('poll_ms', o.poll_ms),
			...opt('timeout_ms', o.timeout_ms),
			...(o.batch ? ['batch:', ...opt('requests', o.batch.requests, '  '), ...opt('bytes', o.batch.bytes, '  ')] : []),
			...opt('finality', o.finality),
			`lease:`,
			`  max_staleness: ${o.max_staleness ?? 3600}`,
			...opt('head_staleness', o.head_staleness, '  '),
			...opt('heartbeat', o.heartbeat, '  '),
			`node: "${o.node}"`,
			`data_dir: data`,
			`key_file: key`,
			...opt('passphrase_file', o.passphrase_file),
			...(o.serve ? [`serve:`, `  listen: "${o.serve}"`] : []),
		];
		writeFileSync(this.config, text.join('\n') + '\n');
	}

	// What network it is, and the checkpoint.
	async #network(options) {
		const { network, setting, edit, root, from, max_age, accept_aged } = { ...this.options.consensus, ...options };
		const files = { spec: '/eth/v1/config/spec', genesis: '/eth/v1/beacon/genesis' };
		for (const [name, path] of setting ? Object.entries(files) : [])
			writeFileSync(join(this.folder, name + '.json'), (edit ?? ((_, text) => text))(name, await (await fetch(setting + path)).text()));
		return [
			`consensus:`,
			...(setting ? Object.keys(files).map((name) => `  ${name}: ${name}.json`) : [`  network: ${network}`]),
			`  checkpoint:`,
			`    root: "${root}"`,
			...opt('from', from, '    '),
			...opt('max_age', max_age, '    '),
			...opt('accept_aged', accept_aged, '    '),
		];
	}

	// runs: derot run on a derot.yaml of these words, to its end.
	runs(text) {
		writeFileSync(this.config, text);
		return derotCli(['run', '-c', this.config]);
	}

	// start: derot run; returns when the core answers at its socket (or, with {wait: false}, at once).
	async start({ wait = true, ...options } = {}) {
		await this.configure(options);
		const child = (this.#child = launch(['run', '-c', this.config, '--format', 'ndjson']));
		// A test that failed half-way must not wait for the node that it left running: see 'exit' above.
		for (const part of [child, child.stdout, child.stderr]) part.unref();
		let rest = '';
		this.err = '';
		child.stdout.setEncoding('utf8').on('data', (chunk) => {
			const parts = (rest + chunk).split('\n');
			rest = parts.pop();
			for (const line of parts.filter(Boolean)) this.events.push(JSON.parse(line));
		});
		child.stderr.setEncoding('utf8').on('data', (chunk) => (this.err = (this.err + chunk).slice(-8000)));
		this.#ended = new Promise((resolve, reject) => {
			child.once('error', reject);
			child.once('close', (code, signal) => resolve((this.code = signal ?? code)));
		});
		this.code = undefined;
		if (wait) await eventually(`derot run to answer: ${this.err}`, () => this.#alive() && this.status(), 20000);
		return this;
	}

	#alive() {
		if (this.code !== undefined) throw new Error(`derot run ended with ${this.code}: ${this.err}`);
		return true;
	}

	children() {
		return childrenOf(this.#child.pid);
	}

	// ended: waits for derot run to end by itself; its exit code.
	async ended(wait_ms = WAIT_MS) {
		const timer = setTimeout(() => this.#child.kill('SIGKILL'), wait_ms);
		const code = await this.#ended;
		clearTimeout(timer);
		return code;
	}

	// stop: SIGTERM, and the exit code; a number, or the signal that killed it.
	async stop(signal = 'SIGTERM') {
		if (this.code === undefined) this.#child.kill(signal);
		return this.ended();
	}

	// cli: a derot command about this node; JSON answers are parsed into `json`.
	async cli(...args) {
		const done = await derotCli([...args, '-c', this.config, '--format', 'json']);
		try {
			done.json = JSON.parse(done.out);
		} catch {
			done.json = undefined;
		}
		return done;
	}

	// status: what derot status says; undefined while nobody answers.
	async status() {
		const { code, json } = await this.cli('status');
		return code === EXIT.good || code === EXIT.sealed ? json : undefined;
	}

	// until: waits for a status that `holds`.
	async until(holds, what = String(holds), wait_ms = WAIT_MS) {
		let last;
		try {
			return await eventually(what, async () => this.#alive() && (last = await this.status()) && holds(last) && last, wait_ms);
		} catch (error) {
			throw new Error(`${error.message}\nlast status: ${JSON.stringify(last)}\nstderr: ${this.err}`);
		}
	}

	// reaches: waits until the chain's block `number` (default: its final one now) is final here.
	async reaches(number, wait_ms = WAIT_MS) {
		const at = number ?? (await finalHeight(this.derot.chain, this.options.finality));
		return this.until((s) => s.final >= at, `final block ${at}`, wait_ms);
	}

	// event: waits for a line of derot run's output.
	async event(matches, what = String(matches)) {
		return eventually(what, () => this.events.find(matches) ?? (this.#alive() && undefined));
	}

	// derive: derot keys derive, on HARDWARE; {verdict, reason, key, …}.
	async derive(app, measurement, ...more) {
		const asked = ['--app', app, '--measurement', measurement, ...HARDWARE, ...more];
		const { code, json, err } = await this.cli('keys', 'derive', ...asked);
		if (!json) throw new Error(`keys derive: ${code}: ${err}`);
		if ((code === EXIT.good) !== (json.verdict === 'allow' && (json.key ?? json.box) !== undefined))
			throw new Error(`keys derive: exit code ${code} for ${JSON.stringify(json)}`);
		return json;
	}

	// decides: what a node decides about a request that releases no keys: at proof consensus they go to an attested
	// recipient only. {verdict, reason} as the journal has it, and the answer says why nothing came of an allow.
	async decides(app, measurement) {
		const answer = await this.derive(app, measurement);
		if (answer.verdict) return { verdict: answer.verdict, reason: answer.reason };
		if (!/attested recipient only/.test(answer.error?.what)) throw new Error(`keys derive: ${JSON.stringify(answer)}`);
		const { detail } = (await this.journal()).findLast((note) => note.kind === 'request');
		return { verdict: /: allow generation \d+/.test(detail) ? 'allow' : detail };
	}

	async log(...args) {
		const { code, out, err } = await derotCli(['audit', 'log', '-c', this.config, '--format', 'ndjson', ...args]);
		if (code !== EXIT.good) throw new Error(`audit log: ${code}: ${err}`);
		return lines(out);
	}

	journal() {
		return this.log('--journal');
	}

	async verify() {
		return this.cli('audit', 'verify');
	}

	// exported: the path of a new recording of this node's evidence.
	async exported() {
		const path = join(this.folder, `export-${Math.random().toString(36).slice(2)}.ev`);
		const { code, err } = await this.cli('audit', 'export', '-o', path);
		if (code !== EXIT.good) throw new Error(`audit export: ${code}: ${err}`);
		return path;
	}

	// anchor: the path of an anchor file for replays, in the tests' own words; consensus: what of it is to be other.
	async anchor(consensus) {
		const { chain, address, birth } = this.derot;
		const [genesis, start] = await Promise.all(
			['0x0', birth].map((number) => chain.rpc('eth_getBlockByNumber', number, false)),
		);
		const path = join(this.folder, 'anchor.yaml');
		const text = [
			`chain:`,
			`  id: ${Number(await chain.rpc('eth_chainId'))}`,
			`  genesis: "${genesis.hash}"`,
			`contract: "${address}"`,
			`start:`,
			`  block: ${Number(birth)}`,
			`  hash: "${start.hash}"`,
			`profile: ${PROFILE}`,
			`node: "${this.options.node}"`,
			...(this.options.consensus ? [`proof: consensus`, ...(await this.#network(consensus))] : []),
		];
		writeFileSync(path, text.join('\n') + '\n');
		return path;
	}
}

// replay: derot replay; {code, err, changes, answers, findings, journal, status}.
export async function replay(file, ...args) {
	const done = await derotCli(['replay', file, '--format', 'ndjson', ...args]);
	const rows = lines(done.out);
	const of = (type) => rows.filter((row) => row.type === type);
	return { ...done, rows, changes: of('change'), answers: of('answer'), findings: of('finding'), status: of('status')[0] };
}

export async function finalHeight(chain, tag = 'finalized') {
	return Number((await chain.rpc('eth_getBlockByNumber', tag, false)).number);
}

let digest;
// profileDigest: of our own profile, as derot reads it; what a contract of ours must have been told.
export async function profileDigest() {
	if (digest) return digest;
	const path = join(folder(), 'derot.yaml');
	const zeros = (n) => '"0x' + '0'.repeat(n) + '"';
	writeFileSync(
		path,
		`chain:\n  id: 1\n  genesis: ${zeros(64)}\ncontract: ${zeros(40)}\nstart:\n  block: 1\n  hash: ${zeros(64)}\n` +
			`proof: quorum\nquorum: 1\nendpoints:\n  - name: a\n    url: http://127.0.0.1:1\nprofile: ${PROFILE}\n`,
	);
	const { code, out, err } = await derotCli(['config', 'check', '-c', path, '--format', 'json']);
	if (code !== EXIT.good) throw new Error(`derot config check: ${code}: ${err}`);
	return (digest = JSON.parse(out).profile_digest);
}
