// SPDX-License-Identifier: Apache-2.0
//
// Numbers that a seed makes: the same word, the same numbers, on every machine.

// random: a function that gives numbers in [0, 1); `of` picks, `below` counts, `chance` tosses.
export function random(word) {
	let hash = 0x811c9dc5;
	for (const c of Buffer.from(String(word))) hash = Math.imul(hash ^ c, 0x01000193);
	let state = hash >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
	next.below = (n) => Math.floor(next() * n);
	next.between = (low, high) => low + next.below(high - low + 1);
	next.of = (list) => list[next.below(list.length)];
	next.chance = (p) => next() < p;
	return next;
}
