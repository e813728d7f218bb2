// SPDX-License-Identifier: Apache-2.0
//
// What the rounds are: pure functions of the seed. A life is one data directory, which derot runs on with these
// endpoints; a round in it is some progress of the chain, with one to six attacks, all at once or in two turns.
//
// At proof consensus there are two groups of endpoints, execution nodes and beacon nodes, and one honest one of each is
// enough. What is final there, the chain says.

import { ATTACKS } from './attacks.mjs';
import { BEACON_ATTACKS } from './attacks_beacon.mjs';
import { SEALED } from './expect.mjs';
import { random } from './random.mjs';

const WAYS = ['bloom', 'receipts', 'accumulator'];
// They take seconds each, and are measured elsewhere (test_lies.mjs).
const PLAYED = ATTACKS.filter((row) => !row.bomb);
const BEACON_PLAYED = BEACON_ATTACKS.filter((row) => !row.bomb && !row.first);
const BEACON_FIRST = BEACON_ATTACKS.filter((row) => row.first);
// Played by every beacon node, nothing newer is proven final: of what is told again and again they leave nothing good.
const BEACON_HIDES = BEACON_PLAYED.filter((row) => row.state === SEALED && !/update|chunk|next committee|genesis|version in JSON|says it is JSON/.test(row.name));
// What costs tens of milliseconds is played one time in so many.
const HEAVY = /nests|20 MiB|million times|number without end|without end|70 KiB/;
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
const BEACON_STRANGERS = ['another chain’s genesis', 'another genesis time'];
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
// Not a lie: it is honest, and knows the chain up to an older block.
export const BEHIND = 'is behind';

const rowFor = (r, way, mayName) => {
	for (;;) {
		const row = r.of(PLAYED);
		const fits = !row.way || row.way === way || r.chance(0.05);
		if (fits && (mayName || !NAMES.has(row.name)) && (!HEAVY.test(row.name) || r.below(HEAVY_ONE_IN) === 0)) return row.name;
	}
};

const beaconRowFor = (r) => {
	for (;;) {
		const row = r.of(BEACON_PLAYED);
		if (!HEAVY.test(row.name) || r.below(HEAVY_ONE_IN) === 0) return row.name;
	}
};

// planLife: n execution endpoints, k of which must agree, and b beacon nodes (0: at proof quorum); the first round begins
// with block `head` shown and `start` final.
export function planLife(seed, life, recording) {
	const r = random(`${seed} life ${life}`);
	const { finals } = recording;
	const birth = r.chance(finals ? 0.2 : 0.1); // from the contract's birth, with no keys; else from the base's store
	const k = birth && !finals ? r.between(1, 4) : recording.agree;
	const n = birth ? r.between(k, 4) : Math.min(4, recording.agree + r.of([0, 1, 1, 2, 3]));
	const b = finals ? r.between(1, 3) : 0;
	const plan = { life, n, k, b, birth, way: r.of(WAYS), step: r.of([1, 3, 16, 256]), batch: r.of([1, 4, 50, 50]), rounds: [] };
	Object.assign(plan, begins(recording, birth));
	plan.endpoints = Array.from({ length: n + b }, (_, i) => (i < n ? { lacks: r.chance(0.15), batches: !r.chance(0.1) } : { beacon: true, json: r.chance(0.3) }));
	plan.groups = [groupOf(r, 0, n, k), ...(finals ? [groupOf(r, n, b, 1)] : [])];
	for (const [i, group] of plan.groups.entries()) if (group.stranger) plan.endpoints[group.first + group.num].stranger = r.of([STRANGERS, BEACON_STRANGERS][i]);
	plan.chunk = r.of(finals ? [2, 5, 12, 40] : [2, 3, 5, 8]);
	for (let at = { head: plan.head, final: plan.start, most: plan.start }; at.head < recording.height; ) {
		const round = planRound(random(`${seed} life ${life} round ${plan.rounds.length}`), plan, recording, at);
		plan.rounds.push(round);
		at = round;
	}
	// Some lives end with as many on a fork as are believed, after the honest chain was final there.
	if (r.chance(0.2)) {
		const found = plan.rounds.flatMap((round) => forksAcross(recording, round).map((fork) => [round.number, fork]));
		if (found.length > 0) {
			const [number, fork] = r.of(found);
			plan.rounds.length = number + 1;
			plan.rounds[number].conflict = fork;
		}
	}
	return plan;
}

// Where a life begins: {head, start}. By a beacon chain the first is final with the first block that says so.
function begins({ finals, start, birth: born, head }, birth) {
	if (!finals) return birth ? { head: 3, start: 1 } : { head: start + 2, start };
	if (birth) head = finals.findIndex(({ final, signed }) => signed && final >= born);
	return { head, start: finals[head].final };
}

// A group: its first endpoint's index, how many there are of it, how many of them must be honest. loyal: its first never lies. Its
// last may be on another chain from the beginning to the end, where it is not needed: it is none of `num`, and nothing is
// ever asked of it.
function groupOf(r, first, all, k) {
	const stranger = all > k && r.chance(0.25);
	return { first, num: all - stranger, k, stranger, loyal: k === 1 && r.chance(0.4) };
}

// The forks that leave the main chain below a final block, and on which another one of its height is final.
function forksAcross(recording, { final, most }) {
	return recording.forks.flatMap(({ base, blocks, finals }, i) => {
		if (base >= final || base <= recording.start) return [];
		// Without transactions and of the same time it is the main chain's own block.
		if (recording.main && blocks[0].hash === recording.main[base + 1]?.hash) return [];
		if (!finals) return base + blocks.length >= final ? [i] : [];
		// Two thirds signed it, and it is later than what is final here.
		const last = finals.at(-1);
		const { slot } = recording.finals.find((f) => f.final === most);
		return last.signed && last.final > base && last.slot > slot ? [i] : [];
	});
}

// A block to attack: mostly one that the contract has events in.
function aim(r, { touched = [] }, first, last) {
	const there = touched.filter((number) => number >= first && number <= last);
	return there.length > 0 && r.chance(0.8) ? r.of(there) : r.between(first, last);
}

function planRound(r, plan, recording, { head: before, final, most }) {
	const round = { number: plan.rounds.length, before, attacks: [], turns: r.chance(0.3) ? 2 : 1 };
	Object.assign(round, { restart: round.number > 0 && r.chance(0.015), kill: r.chance(0.03) });
	// What was proven by blooms or the accumulator is not enough for a node that asks for all receipts.
	const way = plan.rounds.at(-1)?.way ?? plan.way;
	round.way = round.restart ? r.of(way === 'receipts' ? WAYS : WAYS.filter((w) => w !== 'receipts')) : way;
	round.head = Math.min(recording.height, before + r.below(plan.chunk + 1));
	planFinal(r, round, recording, before, final, most);
	round.swings = r.chance(0.3) ? r.between(2, 4) : 1;
	// Who lies. Honest endpoints absent: fewer of them than must agree.
	const fresh = round.head > before;
	const groups = plan.groups.map((group) => liarsOf(r, group, plan.groups.length));
	round.absent = groups.some(({ absent }) => absent);
	// All of a group hide what is new.
	const hiding = groups.findIndex(({ absent }) => absent && fresh && r.chance(0.3));
	if (hiding === 0) hideBlock(r, round, plan, recording, before);
	else if (hiding === 1) hideFinal(r, round, plan, most);
	const liars = groups.flatMap(({ liars }, i) => (i === hiding ? [] : liars));
	if (liars.length > 0) {
		for (let num = r.between(1, 6); num > 0; num--) {
			const attack = planAttack(r, r.of(liars), round, plan, recording, before, final);
			round.attacks.push({ ...attack, turn: r.below(round.turns), chance: r.of([1, 1, 0.5]) });
		}
	}
	if (plan.b > 0 && plan.birth && round.number === 0) lieAtFirst(r, round, plan.groups[1]);
	round.requests = Array.from({ length: 3 }, () => [r.of(KINDS), r.below(1 << 30)]);
	return round;
}

// What is final at the round's end (and no more than `most` ever before), and the fork that is shown before, if any: only
// above what is final, then and until it is left.
function planFinal(r, round, recording, before, final, most) {
	const { finals } = recording;
	round.signed = !finals || finals[round.head].signed;
	if (finals) {
		round.final = round.signed ? Math.max(final, finals[round.head].final) : final;
		round.most = finals.slice(0, round.head + 1).reduce((top, f) => (f.signed ? Math.max(top, f.final) : top), most);
	}
	const forks = recording.forks.filter((f) => f.base >= (finals ? round.most : before) && f.base <= round.head);
	const fork = forks.length > 0 && r.chance(0.5) ? r.of(forks) : undefined;
	round.fork = recording.forks.indexOf(fork);
	if (!finals) {
		const stalls = r.chance(0.15);
		round.final = stalls ? final : Math.max(final, Math.min(fork?.base ?? round.head, round.head - r.of([0, 1, 2, 3, 8, 20])));
		round.most = round.final;
		return;
	}
	// As much of it as does not call anything else final.
	round.deep = fork?.finals.filter((f) => f.final <= round.final).length;
	if (round.deep === 0) round.fork = -1;
}

// Who of a group lies, as indices of endpoints; absent: fewer than must be are honest.
function liarsOf(r, { first, num, k, loyal }, groups) {
	const absent = !loyal && r.chance(groups > 1 ? 0.3 : num === k ? 0.8 : 0.4);
	const most = loyal ? num - 1 : num - k;
	const liars = Array.from({ length: num }, (_, i) => first + i).slice(loyal ? 1 : 0);
	for (let left = absent ? r.between(num - k + 1, num) : r.between(0, most); liars.length > left; ) liars.splice(r.below(liars.length), 1);
	return { liars, absent };
}

function hideBlock(r, round, plan, recording, before) {
	const [{ first, num }] = plan.groups;
	// Where a beacon chain says what is final, it matters below that.
	const last = recording.finals && round.final > before ? round.final : round.head;
	const there = (recording.touched ?? []).filter((number) => number > before && number <= last);
	const hidden = { name: r.of(HIDES), at: r.between(before + 1, last), turn: 0, chance: 1 };
	if (there.length > 0 && r.chance(0.6)) Object.assign(hidden, { name: r.of(WITHHOLDS[round.way]), at: r.of(there) });
	for (let i = 0; i < num; i++) round.attacks.push({ ...hidden, endpoint: first + i });
	// Where receipts are honest, they prove what logs and state hide.
	if (!CONSPIRE.includes(hidden.name)) round.hidden = hidden.at;
	round.turns = 1;
}

function hideFinal(r, round, plan, most) {
	const { first, num } = plan.groups[1];
	const { name } = r.of(BEACON_HIDES);
	for (let i = 0; i < num; i++) round.attacks.push({ name, endpoint: first + i, at: 0, turn: 0, chance: 1 });
	round.hidden = most + 1;
	round.turns = 1;
}

// What beacon nodes tell who has nothing but a checkpoint.
function lieAtFirst(r, round, { first, num, loyal }) {
	for (let i = Number(loyal); i < num; i++) round.attacks.push({ name: r.of(BEACON_FIRST).name, endpoint: first + i, at: 0, turn: 0, chance: 1 });
	round.absent ||= !loyal;
}

function planAttack(r, endpoint, round, plan, recording, before, final) {
	const behind = r.between(Math.min(plan.start, before), before);
	if (r.chance(0.04)) return { name: BEHIND, endpoint, at: behind };
	if (plan.endpoints[endpoint].beacon) return { name: beaconRowFor(r), endpoint, at: 0 };
	// Where a beacon chain says what is final, nobody is believed.
	const believed = (recording.finals || (endpoint === 0 && plan.k > 1)) && round.fork < 0;
	const name = believed && recording.forks.length > 0 && r.chance(0.15) ? r.of(CHAINS).name : rowFor(r, round.way, believed);
	const fresh = round.head > before && r.chance(0.85);
	return { name, endpoint, at: OLD.has(name) ? final : aim(r, recording, fresh ? before + 1 : Math.max(1, Math.min(final, before)), round.head) };
}
