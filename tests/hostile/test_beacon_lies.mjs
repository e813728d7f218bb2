// SPDX-License-Identifier: Apache-2.0
//
// Every attack of attacks_beacon.mjs, against a real `derot run` at proof consensus: by a beacon node that is alone, then
// honest again; and beside an honest one. What execution nodes do to it under honest beacon nodes; and both. Whatever they
// do, derot goes on with the true ledger or stands still.

import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { label } from '../nodes/abi.mjs';
import { Beacon, SLOTS_PER_PERIOD } from '../nodes/beacon.mjs';
import { EXIT, eventually } from '../nodes/run.mjs';
import { APP, NOTICE, Story } from '../nodes/story.mjs';
import { BEACON_ATTACKS } from './attacks_beacon.mjs';
import { startBeaconLiar } from './beacon_liar.mjs';
import { Client } from './client.mjs';
import { GOES_ON, SEALED, STANDS } from './expect.mjs';
import { liveFast } from './fast.mjs';
import { byName, startProxy } from './proxy.mjs';

const TIMES = 20;
const POLL_MS = 10 * TIMES;
const DEADLINE_MS = 20000 * TIMES;
const SLOW_MS = 1000 * TIMES;
const AGAIN_MS = 150; // an attack that was met is watched this much longer
const HEALS_MS = 60000;

let beacon, story, base, at, end, truth;

// `base` knows a node with a root and an application with one version; then, from block `at` on, two periods later, that
// version is revoked and another one announced.
before(async () => {
	beacon = await Beacon.start({ forks: { electra: 0 } });
	story = await Story.found(beacon.chain, { beacon });
	base = await story.kms().start();
	await story.root(base);
	await story.registerApp();
	await story.announce('mail-v1');
	await story.pass(NOTICE.app);
	await story.final(base);
	assert.equal((await base.decides(APP, 'mail-v1')).verdict, 'allow');
	assert.equal(await base.stop(), EXIT.good);
	// The middle of a period: the update that is served for it is older.
	const period = Math.floor((await beacon.slot()) / SLOTS_PER_PERIOD) + 3;
	await beacon.to(period * SLOTS_PER_PERIOD + SLOTS_PER_PERIOD / 2);
	await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label('mail-v1')]);
	at = await beacon.chain.height();
	await story.announce('mail-v2');
	end = await beacon.settle();
	const honest = await base.copy().start();
	const status = await honest.reaches(end);
	truth = { root: status.ledger_root, digest: status.state_digest, leaves: (await honest.log()).map((c) => c.leaf) };
	await honest.stop();
	liveFast(TIMES);
});
after(() => beacon?.stop());

// Whatever happened: the ledger is a beginning of the true one; a right is answered only before its revocation.
async function honest(client) {
	const leaves = await client.leaves();
	assert.deepEqual(leaves, truth.leaves.slice(0, leaves.length), 'another ledger');
	assert.equal((await client.key({ app: APP, measurement: 'mail-v2' })).allow, false);
	const before = await client.status();
	if ((await client.key({ app: APP, measurement: 'mail-v1' })).allow) assert.ok(before.final < at, 'granted after its revocation');
	const status = await client.status();
	if (status.final < end) return status;
	assert.equal(status.ledger_root, truth.root);
	assert.equal(status.state_digest, truth.digest);
	return status;
}

const about = (kms, source) => kms.events.filter((e) => e.type === 'journal' && e.source === source);
const noted = (kms, source, { kind, words }) => about(kms, source).some((e) => e.kind === kind && words.test(e.detail));

// One derot run. attack: by a beacon node; exec: by an execution node; beside: honest nodes of both kinds stand beside them.
// Execution nodes are the first sources.
class Run {
	static async start({ attack = null, exec = null, beside = false }) {
		const run = new Run();
		const servers = [startBeaconLiar(beacon), startBeaconLiar(beacon), startProxy(beacon.chain.url)];
		[run.liar, run.trap, run.proxy] = await Promise.all(servers);
		run.liar.traps = [run.trap.url];
		run.liar.attack = attack;
		run.proxy.at = at;
		run.proxy.attack = exec;
		const list = (url, honest) => [{ name: 'liar', url }, ...(beside ? [{ name: 'honest', url: honest }] : [])];
		const named = (kind, servers) => servers.map(({ name, url }) => ({ name: `${kind}-${name}`, url }));
		const endpoints = named('node', list(run.proxy.url, beacon.chain.url));
		const consensus = beacon.consensus({ endpoints: named('beacon', list(run.liar.url, beacon.forge.url)) });
		const slow = [attack, exec].some((row) => /not finish its answer/.test(row?.journal?.words));
		const options = { endpoints, consensus, completeness: exec?.way, poll_ms: POLL_MS, timeout_ms: slow ? SLOW_MS : DEADLINE_MS };
		run.sources = { exec: 0, beacon: beside ? 2 : 1, honest: beside ? [1, 3] : [] };
		run.kms = attack?.first ? story.kms(options) : base.copy(options);
		await run.kms.start();
		run.client = await Client.open(join(run.kms.data, 'core.sock'));
		return run;
	}

	get lies() {
		return this.liar.lies + (this.proxy.attacks[0]?.lies ?? 0);
	}

	async ends() {
		await eventually('the end', async () => (await this.client.status()).final >= end, HEALS_MS);
	}

	async stop() {
		assert.equal(this.liar.trapped + this.trap.trapped, 0, 'a redirect was followed');
		assert.doesNotMatch(this.kms.err, /restarting|starting again|Sanitizer/, 'a process ended');
		this.client.close();
		assert.equal(await this.kms.stop(), EXIT.good);
		await Promise.all([this.liar.stop(), this.trap.stop(), this.proxy.stop()]);
		this.kms.remove();
	}
}

async function alone(by) {
	const run = await Run.start(by);
	const { kms, client, liar, proxy, sources } = run;
	const row = by.attack ?? by.exec;
	await eventually('the attack', () => run.lies > 0, HEALS_MS);
	if (row.journal) await eventually(`${row.journal.kind}: ${row.journal.words} in the journal`, () => noted(kms, by.attack ? sources.beacon : sources.exec, row.journal), HEALS_MS);
	if (row.state === GOES_ON) await run.ends();
	else await sleep(AGAIN_MS);
	const status = await honest(client);
	if (row.state === STANDS) assert.ok(status.final < at, `the cursor is at ${status.final}`);
	if (row.state === SEALED) assert.match(status.why, /no complete final block has been proven/);
	liar.attack = proxy.attack = null;
	// A node of another chain is not asked again for a minute.
	if (!row.wrong) await run.ends();
	await honest(client);
	await run.stop();
}

async function beside(by) {
	const run = await Run.start({ ...by, beside: true });
	await run.ends();
	await honest(run.client);
	for (const source of run.sources.honest) {
		const accused = about(run.kms, source).filter((e) => ['lie', 'dissent'].includes(e.kind));
		assert.deepEqual(accused, [], 'an honest node is called a liar');
	}
	await run.stop();
}

// What execution nodes do, and what comes of it where they are believed nothing about heads.
const EXEC = [
	...['drops a log from a receipt', 'drops a receipt', 'answers [] for the receipts', 'empties a receipt and its bloom', 'answers null for the receipts', 'hides a block', 'forges a header’s receipts root and bloom', 'forges a header’s state root', 'forges a header’s timestamp', 'forges a header’s parent', 'answers with another block under this one’s hash'].map((name) => [name, STANDS]),
	...['answers [] to eth_getLogs', 'drops one log from eth_getLogs', 'claims other code', 'answers empty proofs', 'hides what is new behind an older state'].map((name) => [name, GOES_ON]),
].map(([name, state]) => ({ ...byName(name), state, journal: null }));

test('every row says what is expected', () => {
	for (const row of BEACON_ATTACKS) {
		assert.match(row.threat, /^T\d+$/, row.name);
		assert.ok([GOES_ON, SEALED, STANDS].includes(row.state) && row.journal !== undefined && (row.tells ?? row.rest ?? row.http), row.name);
	}
	assert.equal(new Set(BEACON_ATTACKS.map((row) => row.name)).size, BEACON_ATTACKS.length, 'two rows of one name');
});
for (const [kind, rows, concurrency] of [['bombs', BEACON_ATTACKS.filter((a) => a.bomb), 1], ['attacks', BEACON_ATTACKS.filter((a) => !a.bomb), 6]]) {
	describe(`${kind} by a beacon node, alone: the true ledger or none, and it heals`, { concurrency }, () => {
		for (const attack of rows) test(attack.name, () => alone({ attack }));
	});
	describe(`${kind} by a beacon node, beside an honest one: the true ledger`, { concurrency }, () => {
		for (const attack of rows) test(attack.name, () => beside({ attack }));
	});
}
describe('attacks by an execution node under an honest beacon node: the true ledger or none, and it heals', { concurrency: 6 }, () => {
	for (const exec of EXEC) test(exec.name, () => alone({ exec }));
});
describe('attacks by both, beside one honest of each: the true ledger', { concurrency: 6 }, () => {
	const tells = BEACON_ATTACKS.filter((a) => a.tells && !a.first);
	for (const [i, exec] of EXEC.entries()) {
		const attack = tells[(i * 3) % tells.length];
		test(`${exec.name}; ${attack.name}`, () => beside({ attack, exec }));
	}
});
