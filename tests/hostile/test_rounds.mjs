// SPDX-License-Identifier: Apache-2.0
//
// Some hundred random rounds of lies (rounds.mjs), of one seed, at either proof; `make hostile ROUNDS=N SEED=S` plays
// more, and others, PROOF=consensus with beacon nodes.

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { BEACON_ATTACKS } from './attacks_beacon.mjs';
import { BEHIND, CHAINS, planLife } from './plan.mjs';
import { ATTACKS } from './proxy.mjs';
import { playRounds } from './rounds.mjs';

const PLAYED = { quorum: { rounds: 250, blocks: 60 }, consensus: { rounds: 150, blocks: 80 } };
const seed = process.env.DEROT_SEED ?? '1';

// Of no chain: as much as plans ask for. At proof consensus the newest block says that one twenty below it is final, and
// at every seventh block too few sign.
const forks = [{ base: 40, blocks: Array(3) }, { base: 90, blocks: Array(60) }];
const quorum = { start: 22, height: 300, agree: 2, forks };
const finalAt = (number) => ({ final: Math.max(0, number - 20), slot: number, signed: number % 7 !== 0 });
const withFinals = ({ base, blocks }) => ({ base, blocks, finals: Array.from(blocks, (_, i) => finalAt(base + i + 1)) });
const consensus = { ...quorum, agree: 1, birth: 5, head: 43, finals: Array.from({ length: 301 }, (_, number) => finalAt(number)), forks: forks.map(withFinals) };

const PLANS = {
	quorum: { recording: quorum, rows: ATTACKS, holds: [(r) => r.final === r.head] },
	consensus: { recording: consensus, rows: [...ATTACKS, ...BEACON_ATTACKS], holds: [(r) => !r.signed, (r) => r.deep > 0, (r) => r.most > r.final] },
};
for (const [proof, { recording, rows, holds }] of Object.entries(PLANS))
	test(`the same seed plans the same rounds, and they have everything in them: ${proof}`, () => {
		const plans = (word) => Array.from({ length: 100 }, (_, life) => planLife(word, life, recording));
		assert.deepEqual(plans('a'), plans('a'));
		assert.notDeepEqual(plans('a'), plans('b'));
		const lives = plans('a');
		const rounds = lives.flatMap((plan) => plan.rounds);
		const named = new Set(rounds.flatMap((round) => round.attacks.map((attack) => attack.name)));
		for (const { name } of [...rows.filter((a) => !a.bomb), ...CHAINS, { name: BEHIND }]) assert.ok(named.has(name), `${name} is never played`);
		for (const isThere of [(r) => r.absent, (r) => !r.absent && r.attacks.length > 0, (r) => r.hidden, (r) => r.restart, (r) => r.kill, (r) => r.fork >= 0, (r) => r.swings > 1, (r) => r.turns > 1, (r) => r.conflict !== undefined, ...holds])
			assert.ok(rounds.some(isThere), String(isThere));
		for (const kind of ['allowed', 'ends', 'begins', 'past', 'lost']) assert.ok(rounds.some((r) => r.requests.some(([k]) => k === kind)), kind);
		for (const i of lives[0].groups.keys()) {
			assert.ok(lives.some((plan) => plan.groups[i].stranger), 'nobody is on another chain');
			assert.ok(lives.some((plan) => plan.groups[i].num > 1), 'nobody is beside another');
		}
	});

describe('random rounds', () => {
	for (const [proof, { rounds, blocks }] of Object.entries(PLAYED))
		test(`${rounds} at proof ${proof}`, async () => {
			const sums = await playRounds({ rounds, seed, proof, blocks, say: (text) => console.log(text) });
			assert.deepEqual(sums.failures, []);
			// They were worth playing.
			assert.ok(sums.rounds >= rounds && sums.met > rounds / 4 && sums.reorgs > 0 && sums.absent > rounds / 10 && sums.kills > 0, JSON.stringify(sums));
			assert.ok(sums.allows > rounds / 4 && sums.denies > rounds / 4 && sums.granted > rounds / 10, JSON.stringify(sums));
			if (proof === 'consensus') assert.ok(sums.periods > 20 && sums.stalled > rounds / 20, JSON.stringify(sums));
		});
});
