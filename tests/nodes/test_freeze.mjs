// SPDX-License-Identifier: Apache-2.0
//
// The chain, the watcher and the clocks, each frozen alone and together: every node is sealed within the limit, says
// why, and heals when they go on. Two chains in real time, one of which stops; a node for each row; all at once.

import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startAnvil } from './chain.mjs';
import { folder } from './run.mjs';
import { Story } from './story.mjs';

const LIMIT_S = 6;
const SLACK_S = 3; // a busy machine, and the time that it takes to ask
const WALL = 1;
const BOOT = 2;
const STALE = /older than max_staleness/;
const MOVED = /against boot-time/;
const EITHER = /older than max_staleness|against boot-time/; // how old the newest block was when the clocks stopped decides

// chain: it stops; watch: its process is stopped; clocks: these stand still; wrong_s: the wall clock is set.
const ROWS = [
	{ name: 'the chain', chain: true, why: STALE },
	{ name: 'the watcher', watch: true, why: STALE },
	{ name: 'the clocks', clocks: WALL | BOOT, why: MOVED },
	{ name: 'the chain and the watcher', chain: true, watch: true, why: STALE },
	{ name: 'the chain and the clocks', chain: true, clocks: WALL | BOOT, why: EITHER },
	{ name: 'the watcher and the clocks', watch: true, clocks: WALL | BOOT, why: EITHER },
	{ name: 'the chain, the watcher and the clocks', chain: true, watch: true, clocks: WALL | BOOT, why: EITHER },
	{ name: 'the wall clock', clocks: WALL, why: MOVED },
	{ name: 'the chain and boot-time', chain: true, clocks: BOOT, why: STALE },
	{ name: 'nothing: the wall clock is set back', wrong_s: -3600, why: MOVED, within_s: 1 },
	{ name: 'nothing: the wall clock is set ahead', wrong_s: 3600, why: MOVED, within_s: 1 },
];

const nowS = () => Math.floor(Date.now() / 1000);

// A chain that was founded a while ago, and goes on in real time from here.
async function live() {
	const chain = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(nowS() - 300)]);
	const story = await Story.found(chain, { finality: 'safe' });
	await chain.mine(nowS());
	await chain.rpc('evm_setIntervalMining', 1);
	return story;
}

class Node {
	constructor(story, row, shim) {
		this.row = row;
		this.kms = story.kms({ max_staleness: LIMIT_S, poll_ms: 250 });
		this.shim = shim;
		this.orders = join(this.kms.folder, 'clock');
		writeFileSync(this.orders, Buffer.alloc(16));
	}

	// In place: the shim has it mapped.
	order(stopped, wrong_s) {
		const bytes = Buffer.alloc(16);
		bytes.writeBigInt64LE(BigInt(stopped), 0);
		bytes.writeBigInt64LE(BigInt(wrong_s), 8);
		const fd = openSync(this.orders, 'r+');
		writeSync(fd, bytes, 0, 16, 0);
		closeSync(fd);
	}

	async start() {
		Object.assign(process.env, { LD_PRELOAD: this.shim, DEROT_SHIM_CLOCK: this.orders });
		await this.kms.start({ wait: false });
		delete process.env.LD_PRELOAD;
		delete process.env.DEROT_SHIM_CLOCK;
	}

	freeze() {
		if (this.row.watch) process.kill((this.stopped = this.kms.children()['derot-watch']), 'SIGSTOP');
		if (this.row.clocks || this.row.wrong_s) this.order(this.row.clocks ?? 0, this.row.wrong_s ?? 0);
	}

	thaw() {
		this.order(0, 0);
		if (this.stopped) process.kill(this.stopped, 'SIGCONT');
		this.stopped = undefined;
	}
}

// Every node's status for which `holds` is true for the first time, and after how many seconds; undefined: never.
async function times(nodes, holds, wait_s) {
	const begin = Date.now();
	const found = new Map();
	while (found.size < nodes.length && Date.now() - begin < wait_s * 1000) {
		for (const node of nodes.filter((n) => !found.has(n))) {
			const status = await node.kms.status();
			if (status && holds(status)) found.set(node, { status, after_s: (Date.now() - begin) / 1000 });
		}
		await sleep(100);
	}
	return found;
}

describe('frozen, and thawed', () => {
	const nodes = [];
	let going, stopping, sealed, healed;

	before(async () => {
		const shim = join(folder(), 'shim_clock.so');
		const source = fileURLToPath(new URL('shim_clock.c', import.meta.url));
		execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O2', '-Wall', '-o', shim, source, '-ldl']);
		[going, stopping] = await Promise.all([live(), live()]);
		for (const row of ROWS) nodes.push(new Node(row.chain ? stopping : going, row, shim));
		for (const node of nodes) await node.start();
		const ready = await times(nodes, (s) => !s.sealed, 20);
		for (const node of nodes) assert.ok(ready.has(node), `${node.row.name}: never unsealed: ${node.kms.err}`);

		await stopping.chain.rpc('evm_setIntervalMining', 0);
		for (const node of nodes) node.freeze();
		sealed = await times(nodes, (s) => s.sealed, LIMIT_S + 2 + SLACK_S);
		for (const [node, seal] of sealed) {
			seal.answer = await node.kms.derive('mail', 'mail-v1');
			// Still frozen, still sealed; and by now it is said why.
			seal.status = await node.kms.status();
		}

		await stopping.chain.rpc('evm_setIntervalMining', 1);
		for (const node of nodes) node.thaw();
		healed = await times(nodes, (s) => !s.sealed, 20);
		for (const [node, heal] of healed) heal.answer = await node.kms.derive('mail', 'mail-v1');
	});
	after(async () => {
		for (const node of nodes) node.thaw();
		await Promise.all(nodes.map((node) => node.kms.stop()));
		await Promise.all([going?.chain.stop(), stopping?.chain.stop()]);
	});

	for (const [i, row] of ROWS.entries())
		test(`frozen: ${row.name}`, async () => {
			const seal = sealed.get(nodes[i]);
			const heal = healed.get(nodes[i]);
			assert.ok(seal, `not sealed within ${LIMIT_S + 2} s and ${SLACK_S} s of slack`);
			assert.ok(seal.after_s <= (row.within_s ?? LIMIT_S) + 2 + SLACK_S, `sealed after ${seal.after_s} s`);
			assert.equal(seal.answer.reason, 'sealed');
			assert.ok(seal.status.sealed);
			assert.match(seal.status.why, row.why);
			assert.ok(heal, `not healed: ${JSON.stringify(await nodes[i].kms.status())}`);
			assert.equal(heal.answer.reason, 'node'); // decided: no node is registered here
			const told = (await nodes[i].kms.journal()).filter((note) => note.kind === 'lease').map((note) => note.detail);
			assert.ok(told.some((detail) => row.why.test(detail)), told.join('\n'));
		});
});
