// SPDX-License-Identifier: Apache-2.0
//
// Every attack of attacks.mjs, against a real `derot run` on a real chain: by an endpoint that is alone, then honest
// again; and beside an honest one. Whatever an endpoint does, derot goes on with the true ledger or stands still; it
// never has another ledger, never answers a key that the honest chain does not grant, never crashes, never calls an
// honest endpoint a liar, and stays small.

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, eventually } from '../nodes/run.mjs';
import { Client } from './client.mjs';
import { GOES_ON, SEALED, STANDS, TOO_SLOW, WRONG_CHAIN } from './expect.mjs';
import { ATTACKS, startProxy } from './proxy.mjs';
import { at, base, chain, end, honest, useWorld } from './world.mjs';

const TIMES = 20;
const POLL_MS = 10 * TIMES;
const DEADLINE_MS = 20000 * TIMES;
const SLOW_MS = 1000 * TIMES;
const AGAIN_MS = 150; // an attack that was met is watched this much longer
const HEALS_MS = 60000;
// AddressSanitizer takes its own share.
const LARGEST_MIB = /asan/.test(process.env.DEROT_BUILD ?? '') ? { watch: 2048, core: 512 } : { watch: 640, core: 64 };

useWorld(TIMES);

// How much memory each process took at most, in MiB.
function largest(kms) {
	const of = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
	const children = kms.children();
	return { watch: of(children['derot-watch']), core: of(children['derot-core']) };
}

const noted = (kms, source, { kind, words }) =>
	kms.events.some((e) => e.type === 'journal' && e.source === source && e.kind === kind && words.test(e.detail));

class Run {
	static async start(attack, options) {
		const run = new Run();
		run.attack = attack;
		run.trap = await startProxy(chain.url);
		run.proxy = await startProxy(chain.url);
		run.proxy.traps = [run.trap.url];
		run.proxy.at = at;
		run.proxy.attack = attack;
		const endpoints = [{ name: 'liar', url: run.proxy.url }, ...(options.beside ?? [])];
		const timeout_ms = attack.journal === TOO_SLOW ? SLOW_MS : DEADLINE_MS;
		run.kms = base.copy({ endpoints, completeness: attack.way ?? 'bloom', poll_ms: POLL_MS, timeout_ms });
		await run.kms.start();
		run.client = await Client.open(join(run.kms.data, 'core.sock'));
		return run;
	}

	// Ends it: an orderly stop of processes that are still the first ones.
	async stop() {
		const { kms, attack } = this;
		assert.equal(this.proxy.trapped + [...this.trap.methods].length, 0, 'a redirect was followed');
		assert.doesNotMatch(kms.err, /restarting|starting again|Sanitizer/, 'a process ended');
		const took = largest(kms);
		assert.ok(took.watch < LARGEST_MIB.watch && took.core < LARGEST_MIB.core, `${attack.name}: MiB ${JSON.stringify(took)}`);
		this.client.close();
		assert.equal(await kms.stop(), EXIT.good);
		await Promise.all([this.proxy.stop(), this.trap.stop()]);
	}
}

async function alone(attack) {
	const run = await Run.start(attack, {});
	const { kms, client, proxy } = run;
	await eventually('the attack', () => proxy.lies > 0, HEALS_MS);
	if (attack.journal) await eventually(`${attack.journal.kind}: ${attack.journal.words} in the journal`, () => noted(kms, 0, attack.journal), HEALS_MS);
	if (attack.state === GOES_ON) await eventually('the end', async () => (await client.status()).final >= end, HEALS_MS);
	else await sleep(AGAIN_MS);
	const status = await honest(client);
	if (attack.state === STANDS) assert.ok(status.final < at, `the cursor is at ${status.final}`);
	if (attack.state === SEALED) assert.match(status.why, /no complete final block has been proven/);
	proxy.attack = null;
	// A chain that is another is not asked again for a minute.
	if (attack.journal !== WRONG_CHAIN) await eventually('it heals', async () => (await client.status()).final >= end, HEALS_MS);
	await honest(client);
	await run.stop();
}

async function beside(attack) {
	const run = await Run.start(attack, { beside: [{ name: 'honest', url: chain.url }] });
	await eventually('it goes on', async () => (await run.client.status()).final >= end, HEALS_MS);
	await honest(run.client);
	const accused = run.kms.events.filter((e) => e.type === 'journal' && e.source === 1 && ['lie', 'dissent'].includes(e.kind));
	assert.deepEqual(accused, [], 'an honest endpoint is called a liar');
	await run.stop();
}

const known = new Set([GOES_ON, SEALED, STANDS]);
test('every row says what is expected', () => {
	for (const row of ATTACKS) {
		assert.match(row.threat, /^T(1|2|3|4|5|8|13|14|15|16|17|24)$/, row.name);
		assert.ok(known.has(row.state) && row.journal !== undefined && (row.call ?? row.http), row.name);
	}
	assert.equal(new Set(ATTACKS.map((row) => row.name)).size, ATTACKS.length, 'two rows of one name');
});

// Bombs one after the other: they are to be measured, and what is honest is to be in time beside them.
for (const [kind, rows, concurrency] of [['bombs', ATTACKS.filter((a) => a.bomb), 1], ['attacks', ATTACKS.filter((a) => !a.bomb), 6]]) {
	describe(`${kind}, alone: the true ledger or none, and it heals`, { concurrency }, () => {
		for (const attack of rows) test(attack.name, () => alone(attack));
	});
	describe(`${kind}, beside an honest endpoint: the true ledger`, { concurrency }, () => {
		for (const attack of rows) test(attack.name, () => beside(attack));
	});
}
