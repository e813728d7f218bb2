// SPDX-License-Identifier: Apache-2.0
//
// Some hundred random rounds of lies (rounds.mjs), of one seed; `make hostile ROUNDS=N SEED=S` plays more, and others.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { CHAINS, planLife } from './plan.mjs';
import { ATTACKS } from './proxy.mjs';
import { playRounds } from './rounds.mjs';

const ROUNDS = 250;
const seed = process.env.DEROT_SEED ?? '1';

test('the same seed plans the same rounds, and they have everything in them', () => {
	const forks = [{ base: 40, blocks: Array(3) }, { base: 90, blocks: Array(60) }];
	const recording = { start: 22, height: 300, agree: 2, forks };
	const plans = (word) => Array.from({ length: 40 }, (_, life) => planLife(word, life, recording));
	assert.deepEqual(plans('a'), plans('a'));
	assert.notDeepEqual(plans('a'), plans('b'));
	const rounds = plans('a').flatMap((plan) => plan.rounds);
	const named = new Set(rounds.flatMap((round) => round.attacks.map((attack) => attack.name)));
	for (const row of [...ATTACKS.filter((a) => !a.bomb), ...CHAINS]) assert.ok(named.has(row.name), `${row.name} is never played`);
	for (const holds of [(r) => r.absent, (r) => !r.absent && r.attacks.length > 0, (r) => r.hidden, (r) => r.restart, (r) => r.fork >= 0, (r) => r.swings > 1, (r) => r.conflict !== undefined])
		assert.ok(rounds.some(holds), String(holds));
	for (const kind of ['allowed', 'ends', 'begins', 'past', 'lost']) assert.ok(rounds.some((r) => r.requests.some(([k]) => k === kind)), kind);
	assert.ok(plans('a').some((plan) => plan.endpoints.some((e) => e.stranger)), 'nobody is on another chain');
});

test(`${ROUNDS} random rounds`, async () => {
	const sums = await playRounds({ rounds: ROUNDS, seed, blocks: 60, say: (text) => console.log(text) });
	assert.deepEqual(sums.failures, []);
	// They were worth playing.
	assert.ok(sums.rounds >= ROUNDS && sums.met > ROUNDS / 4 && sums.reorgs > 0 && sums.absent > ROUNDS / 10, JSON.stringify(sums));
	assert.ok(sums.allows > ROUNDS / 4 && sums.denies > ROUNDS / 4 && sums.granted > ROUNDS / 10, JSON.stringify(sums));
});
