// SPDX-License-Identifier: Apache-2.0
//
// A node whose processes are killed (SIGKILL) at random instants, the core, the watch, serve or the supervisor, while
// transactions go on, heads come and clients ask: in the end its ledger is, entry for entry, that of a node that
// nothing befell, and every key that a client got has its request and its release in the journal.
//
// DEROT_KILLS: how many (default 20). DEROT_SEED: which instants and whom; printed.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { label } from '../nodes/abi.mjs';
import { startAnvil } from '../nodes/chain.mjs';
import { eventually } from '../nodes/run.mjs';
import { APP, NOTICE, Story } from '../nodes/story.mjs';

const KILLS = Number(process.env.DEROT_KILLS ?? 20);
const SEED = Number(process.env.DEROT_SEED ?? Date.now() % 1000000);

// A small generator of numbers below n, the same for a seed everywhere.
let state = SEED;
const random = (n) => {
	state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
	return Math.floor((state / 2 ** 32) * n);
};

// The chain's life: versions are announced and revoked, blocks without any event come between.
async function live(story, until) {
	for (let n = 2; !until.over; n++) {
		await story.announce(`mail-v${n}`);
		if (n % 3 === 0) await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label(`mail-v${n - 1}`)]);
		if (n % 2 === 0) await story.chain.mine();
		await sleep(random(60));
	}
}

// A client that asks again and again, whoever answers or does not; what it got.
async function ask(kms, until, keys) {
	const purposes = ['seal', 'sign', 'tls'];
	for (let n = 0; !until.over; n++) {
		try {
			const answer = await kms.derive(APP, 'mail-v1', '--purpose', purposes[n % 3]);
			if (answer.key !== undefined) keys.push({ request: answer.request, purpose: purposes[n % 3], key: answer.key });
		} catch {
			// Nobody was there, or died before it answered.
		}
		await sleep(random(20));
	}
}

// Kills one of the node's processes; true if that was the supervisor, which is started again.
async function strike(kms, whom) {
	if (kms.code === undefined && whom !== 'derot') {
		try {
			process.kill(kms.children()[whom], 'SIGKILL');
		} catch {
			// It is between two lives.
		}
		return false;
	}
	// Also one that ended by itself: its children died before they were ready.
	await kms.stop('SIGKILL');
	await eventually('derot to run again', async () => {
		try {
			return await kms.start();
		} catch {
			return undefined; // the old core is not gone yet, and holds the folder
		}
	});
	return true;
}

test(`${KILLS} kills, seed ${SEED}`, async (t) => {
	const chain = await startAnvil(['--slots-in-an-epoch', '1']);
	const story = await Story.found(chain);
	const kms = story.kms({ max_staleness: 10000000 });
	const calm = story.kms({ max_staleness: 10000000, node: chain.accounts[7] });
	const until = { over: false };
	const keys = [];
	try {
		await Promise.all([kms.start({ serve: `unix:${kms.folder}/serve.sock` }), calm.start()]);
		await story.root(kms);
		await story.registerApp();
		await story.announce('mail-v1');
		await story.pass(NOTICE.app);
		await story.final(kms);
		assert.equal((await kms.derive(APP, 'mail-v1')).verdict, 'allow');

		// An error in one of them ends the test, and the other.
		const busy = Promise.all([live(story, until), ask(kms, until, keys), ask(kms, until, keys)]);
		let failed;
		busy.catch((error) => (failed = error));
		const struck = { derot: 0, 'derot-core': 0, 'derot-watch': 0, 'derot-serve': 0 };
		for (let i = 0, since = 0; i < KILLS && !failed; i++) {
			// A supervisor waits longer from death to death of its children: it dies itself before that lasts.
			const victims = ['derot', 'derot-core', 'derot-core', 'derot-core', 'derot-watch', 'derot-serve'];
			const whom = since >= 2 ? 'derot' : victims[random(victims.length)];
			// From the first milliseconds of a life, refolding, to its midst.
			await sleep(random(3) === 0 ? random(150) : 300 + random(1200));
			since = (await strike(kms, whom)) ? 0 : since + 1;
			struck[whom]++;
		}
		until.over = true;
		await busy;

		const height = await story.settle();
		await Promise.all([kms.reaches(height, 90000), calm.reaches(height, 90000)]);
		const [mine, other] = await Promise.all([kms.log(), calm.log()]);
		assert.ok(other.length > 30, 'nothing happened');
		assert.equal(mine.length, other.length);
		other.forEach((entry, i) => assert.deepEqual(mine[i], entry, `ledger entry ${i}`));
		const [here, there] = await Promise.all([kms.status(), calm.status()]);
		assert.deepEqual(here.ledger, there.ledger);

		const notes = await kms.journal();
		const released = new Set(
			notes.filter((n) => n.kind === 'release').map((n) => Number(n.detail.match(/^request (\d+):/)[1])),
		);
		assert.ok(keys.length > 0, 'no key was given between the kills');
		for (const { request } of keys) {
			assert.equal(notes[request]?.kind, 'request', `entry ${request} of a key`);
			assert.match(notes[request].detail, /: allow/);
			assert.ok(released.has(request), `the key of request ${request} has no release`);
		}
		// One root for ever, and so one key for each purpose.
		for (const purpose of new Set(keys.map((k) => k.purpose)))
			assert.equal(new Set(keys.filter((k) => k.purpose === purpose).map((k) => k.key)).size, 1, purpose);
		assert.ok(notes.filter((n) => n.kind === 'start').length > KILLS / 3);
		t.diagnostic(`killed ${JSON.stringify(struck)}; ledger ${mine.length}, journal ${notes.length}, keys ${keys.length}`);
	} finally {
		until.over = true;
		await Promise.allSettled([kms.stop(), calm.stop()]);
		await chain.stop();
	}
});
