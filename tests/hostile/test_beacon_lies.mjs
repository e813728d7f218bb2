// SPDX-License-Identifier: Apache-2.0
//
// Every attack of attacks_beacon.mjs, against a real `derot run` at proof consensus: by a beacon node that is alone, then
// honest again; and beside an honest one. Whatever it does, derot goes on with the true ledger or stands still.

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

const TIMES = 20;
const POLL_MS = 10 * TIMES;
const DEADLINE_MS = 20000 * TIMES;
const SLOW_MS = 200 * TIMES;
const AGAIN_MS = 150; // an attack that was met is watched this much longer
const HEALS_MS = 30000;

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
const noted = (kms, { kind, words }) => about(kms, 1).some((e) => e.kind === kind && words.test(e.detail));

// Source 0 is the execution node, 1 the liar, 2 who stands beside it.
class Run {
	static async start(attack, beside = []) {
		const run = new Run();
		[run.liar, run.trap] = await Promise.all([startBeaconLiar(beacon.forge), startBeaconLiar(beacon.forge)]);
		run.liar.traps = [run.trap.url];
		run.liar.attack = attack;
		const endpoints = [{ name: 'liar', url: run.liar.url }, ...beside];
		const timeout_ms = /not finish its answer/.test(attack.journal?.words) ? SLOW_MS : DEADLINE_MS;
		const options = { consensus: beacon.consensus({ endpoints }), poll_ms: POLL_MS, timeout_ms };
		run.kms = attack.first ? story.kms(options) : base.copy(options);
		await run.kms.start();
		run.client = await Client.open(join(run.kms.data, 'core.sock'));
		return run;
	}

	async stop() {
		assert.equal(this.liar.trapped + this.trap.trapped, 0, 'a redirect was followed');
		assert.doesNotMatch(this.kms.err, /restarting|starting again|Sanitizer/, 'a process ended');
		this.client.close();
		assert.equal(await this.kms.stop(), EXIT.good);
		await Promise.all([this.liar.stop(), this.trap.stop()]);
		this.kms.remove();
	}
}

async function alone(attack) {
	const run = await Run.start(attack);
	const { kms, client, liar } = run;
	await eventually('the attack', () => liar.lies > 0, HEALS_MS);
	if (attack.journal) await eventually(`${attack.journal.kind}: ${attack.journal.words} in the journal`, () => noted(kms, attack.journal), HEALS_MS);
	if (attack.state === GOES_ON) await eventually('the end', async () => (await client.status()).final >= end, HEALS_MS);
	else await sleep(AGAIN_MS);
	const status = await honest(client);
	if (attack.state === STANDS) assert.ok(status.final < at, `the cursor is at ${status.final}`);
	if (attack.state === SEALED) assert.match(status.why, /no complete final block has been proven/);
	liar.attack = null;
	// A node of another chain is not asked again for a minute.
	if (!attack.wrong) await eventually('it heals', async () => (await client.status()).final >= end, HEALS_MS);
	await honest(client);
	await run.stop();
}

async function beside(attack) {
	const run = await Run.start(attack, [{ name: 'honest', url: beacon.forge.url }]);
	await eventually('it goes on', async () => (await run.client.status()).final >= end, HEALS_MS);
	await honest(run.client);
	const accused = about(run.kms, 2).filter((e) => ['lie', 'dissent'].includes(e.kind));
	assert.deepEqual(accused, [], 'an honest node is called a liar');
	await run.stop();
}

test('every row says what is expected', () => {
	for (const row of BEACON_ATTACKS) {
		assert.match(row.threat, /^T\d+$/, row.name);
		assert.ok([GOES_ON, SEALED, STANDS].includes(row.state) && row.journal !== undefined && (row.tells ?? row.rest ?? row.http), row.name);
	}
	assert.equal(new Set(BEACON_ATTACKS.map((row) => row.name)).size, BEACON_ATTACKS.length, 'two rows of one name');
});
for (const [kind, rows, concurrency] of [['bombs', BEACON_ATTACKS.filter((a) => a.bomb), 1], ['attacks', BEACON_ATTACKS.filter((a) => !a.bomb), 6]]) {
	describe(`${kind} by a beacon node, alone: the true ledger or none, and it heals`, { concurrency }, () => {
		for (const attack of rows) test(attack.name, () => alone(attack));
	});
	describe(`${kind} by a beacon node, beside an honest one: the true ledger`, { concurrency }, () => {
		for (const attack of rows) test(attack.name, () => beside(attack));
	});
}
