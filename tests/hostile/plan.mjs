// SPDX-License-Identifier: Apache-2.0
//
// What the rounds are: pure functions of the seed. A life is one data directory, which derot runs on with these
// endpoints; a round in it is some progress of the chain, with one to six attacks.

import { ATTACKS } from './attacks.mjs';
import { random } from './random.mjs';

const WAYS = ['bloom', 'receipts', 'accumulator'];
// They take seconds each, and are measured elsewhere (test_lies.mjs).
const PLAYED = ATTACKS.filter((row) => !row.bomb);
// What costs tens of milliseconds is played one time in so many.
const HEAVY = /nests|million times|number without end|without end|70 KiB/;
const HEAVY_ONE_IN = 12;
// These name blocks final that are not. Whoever is believed by the quorum is believed, and words are remembered: so one
// endpoint alone plays them, where more than one must agree.
const NAMES = new Set(['names its latest block final', 'serves a head that it does not have', 'serves the greatest head there can be', 'answers with each other’s ids']);
// These name old blocks: they are to be final ones.
const OLD = new Set(['serves an old head', 'names a head at random']);
// Played by every endpoint at a block that derot has not seen, nobody's cursor may pass it.
const HIDES = [
	'hides a block',
	'hides a block behind an error',
	'forges a header’s parent',
	'forges a header’s state root',
	'forges a header’s timestamp',
	'puts a block a year ahead',
	'answers with another block',
	'adds the fields of a fork to come to a header',
];

// What an endpoint says that is on another chain.
const STRANGERS = ['is another chain', 'has another genesis'];
// For whom a key is asked, as recording.who() knows them.
const KINDS = ['allowed', 'allowed', 'allowed', 'ends', 'ends', 'begins', 'past', 'lost'];

// The same at a block with events of the contract, by ways of completeness: its receipts or logs are not to be had.
const NO_RECEIPTS = ['drops a log from a receipt', 'drops a receipt', 'answers [] for the receipts', 'answers null for the receipts', 'answers an error for the receipts', 'gives a receipt an unknown type'];
const CONSPIRE = ['hides what is new behind an older state', 'drops the last log from eth_getLogs'];
const WITHHOLDS = { bloom: NO_RECEIPTS, receipts: NO_RECEIPTS, accumulator: ['hides one log everywhere', ...CONSPIRE] };

// Beside the rows of attacks.mjs: whole chains. `target`: what the endpoint is while it attacks.
export const CHAINS = [
	{ name: 'is on a fork', fork: () => true },
	{ name: 'is now and then on a fork', fork: (p) => p.random() < 0.5 },
];

const rowFor = (r, way, mayName) => {
	for (;;) {
		const row = r.of(PLAYED);
		const fits = !row.way || row.way === way || r.chance(0.05);
		if (fits && (mayName || !NAMES.has(row.name)) && (!HEAVY.test(row.name) || r.below(HEAVY_ONE_IN) === 0)) return row.name;
	}
};

// planLife: n endpoints, k of which must agree; the first round begins at block `start`.
export function planLife(seed, life, recording) {
	const r = random(`${seed} life ${life}`);
	const birth = r.chance(0.1); // from the contract's birth, with no keys; else from the base's store
	const n = birth ? r.between(1, 4) : Math.min(4, recording.agree + r.of([0, 1, 1, 2, 3]));
	const k = birth ? r.between(1, n) : recording.agree;
	const plan = { life, n, k, birth, way: r.of(WAYS), step: r.of([1, 3, 16, 256]), batch: r.of([1, 4, 50, 50]), rounds: [] };
	plan.start = plan.birth ? 1 : recording.start;
	plan.endpoints = Array.from({ length: n }, () => ({ lacks: r.chance(0.15), batches: !r.chance(0.1) }));
	// One that is on another chain from the beginning to the end, where it is not needed: nothing is ever asked of it.
	if (n > k && r.chance(0.25)) plan.endpoints[n - 1].stranger = r.of(STRANGERS);
	plan.chunk = r.of([2, 3, 5, 8]);
	for (let head = plan.start + 2, final = plan.start; head < recording.height; ) {
		const round = planRound(random(`${seed} life ${life} round ${plan.rounds.length}`), plan, recording, head, final);
		plan.rounds.push(round);
		({ head, final } = round);
	}
	// Some lives end with as many on a fork as are believed, after the honest chain was final there.
	if (r.chance(0.2)) {
		const found = plan.rounds.flatMap((round) => forksAcross(recording, round.final).map((fork) => [round.number, fork]));
		if (found.length > 0) {
			const [number, fork] = r.of(found);
			plan.rounds.length = number + 1;
			plan.rounds[number].conflict = fork;
		}
	}
	return plan;
}

// The forks that leave the main chain below a final block, and reach its height.
const forksAcross = (recording, final) =>
	recording.forks.flatMap(({ base, blocks }, i) => (base < final && base + blocks.length >= final && base > recording.start ? [i] : []));

// A block to attack: mostly one that the contract has events in.
function aim(r, { touched = [] }, first, last) {
	const there = touched.filter((number) => number >= first && number <= last);
	return there.length > 0 && r.chance(0.8) ? r.of(there) : r.between(first, last);
}

function planRound(r, plan, recording, before, final) {
	const { n, k } = plan;
	const round = { number: plan.rounds.length, before, attacks: [], restart: plan.rounds.length > 0 && r.chance(0.015) };
	// What was proven by blooms or the accumulator is not enough for a node that asks for all receipts.
	const way = plan.rounds.at(-1)?.way ?? plan.way;
	round.way = round.restart ? r.of(way === 'receipts' ? WAYS : WAYS.filter((w) => w !== 'receipts')) : way;
	round.head = Math.min(recording.height, before + r.below(plan.chunk + 1));
	// A fork is shown only above what is final, then and until it is left.
	const forks = recording.forks.filter((f) => f.base >= before && f.base <= round.head);
	round.fork = forks.length > 0 && r.chance(0.5) ? recording.forks.indexOf(r.of(forks)) : -1;
	const most = round.fork >= 0 ? recording.forks[round.fork].base : round.head;
	const stalls = r.chance(0.15);
	round.final = stalls ? final : Math.max(final, Math.min(most, round.head - r.of([0, 1, 2, 3, 8, 20])));
	round.swings = r.chance(0.3) ? r.between(2, 4) : 1;
	// Who lies. Honest endpoints absent: fewer of them than must agree.
	round.absent = n - k === 0 || r.chance(0.4);
	// The stranger is no help to anybody.
	const liars = plan.endpoints.flatMap((e, i) => (e.stranger ? [] : [i]));
	const strange = n - liars.length;
	for (let left = round.absent ? r.between(n - k + 1, n) - strange : r.between(0, n - k - strange); liars.length > left; ) liars.splice(r.below(liars.length), 1);
	const fresh = round.head > before;
	if (round.absent && fresh && r.chance(0.3)) {
		const there = (recording.touched ?? []).filter((number) => number > before && number <= round.head);
		const hidden = { name: r.of(HIDES), at: r.between(before + 1, round.head), chance: 1 };
		if (there.length > 0 && r.chance(0.6)) Object.assign(hidden, { name: r.of(WITHHOLDS[round.way]), at: r.of(there) });
		for (let i = 0; i < n - strange; i++) round.attacks.push({ ...hidden, endpoint: i });
		// Where receipts are honest, they prove what logs and state hide.
		if (!CONSPIRE.includes(hidden.name)) round.hidden = hidden.at;
	} else if (liars.length > 0) {
		for (let num = r.between(1, 6); num > 0; num--) {
			const endpoint = r.of(liars);
			const believed = endpoint === 0 && k > 1 && round.fork < 0;
			const name = believed && r.chance(0.15) ? r.of(CHAINS).name : rowFor(r, round.way, believed);
			const at = OLD.has(name) ? final : aim(r, recording, fresh && r.chance(0.85) ? before + 1 : Math.max(1, Math.min(final, before)), round.head);
			round.attacks.push({ name, endpoint, at, chance: r.of([1, 1, 0.5]) });
		}
	}
	round.requests = Array.from({ length: 3 }, () => [r.of(KINDS), r.below(1 << 30)]);
	return round;
}
