// SPDX-License-Identifier: Apache-2.0
//
// Random rounds of lies against a real `derot run`, by seed:
//
//     make hostile ROUNDS=1000 SEED=1            plays so many rounds; PROFILE=asan: against the sanitized programs
//     make hostile SEED=1 LIFE=7 ROUND=12        plays that round alone: what was before it, honestly
//     make hostile SEED=1 LIFE=7                 plays that life from its beginning
//     make hostile SEED=1 CHAIN=5                goes on with the sixth chain; FAILURES=1: ends at the first failure
//     make hostile PROOF=consensus …             beacon nodes lie too, under a forged beacon chain; else proof is quorum
//
// A chain is played on a real anvil and recorded; lives (plan.mjs) are played on it (play.mjs), some at once; after
// some thousand rounds comes another chain, with another number of endpoints that must agree. What fails is said with its
// seed, the plan of its round, what derot said, and the command that plays it alone; the folder of the node is kept.
// SLOW=4: on a busy machine, or under a sanitizer, everything may take so many times as long.

import { appendFileSync, cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { liveFast } from './fast.mjs';
import { Life, PACE, TIMES, honestTruth } from './play.mjs';
import { planLife } from './plan.mjs';
import { Recording } from './record.mjs';

const SAY_EVERY_MS = 30000;
const MOST_FAILURES = Number(process.env.FAILURES || 20);
const TRIES = 5;
const AT_ONCE = 4; // lives that are played at once
const AGREE = { quorum: [2, 1, 3], consensus: [1] }; // how many must agree, chain by chain

// playRounds: {rounds, seed, proof, blocks (of a chain), perChain (rounds on it), life, round, say}; the sums.
export async function playRounds({ rounds, seed, proof = 'quorum', blocks = 300, perChain = 5000, from = 0, at_once = AT_ONCE, life: only, round: one, say = () => undefined }) {
	const sums = { rounds: 0, rows: {}, failures: [] };
	const begin = Date.now();
	let [said, recording, truth] = [begin, null, null];
	if (!process.env.LD_PRELOAD) liveFast(TIMES);
	const alive = setInterval(() => undefined, 1000); // what is started does not keep a test waiting; here it must
	const ends = () => sums.rounds >= rounds || sums.failures.length >= MOST_FAILURES;
	const lives = livesPerChain(blocks, perChain);
	const playLife = async (life) => {
		const plan = planLife(seed, life, recording);
		const playing = new Life(seed, plan, recording, truth);
		try {
			if (one === undefined) await playing.play(rounds - sums.rounds);
			else await playing.play(one + 1, one);
		} catch (error) {
			sums.failures.push(await failed(playing, `PROOF=${proof} SEED=${seed} LIFE=${life} BLOCKS=${blocks} PER_CHAIN=${perChain}`, error, say));
		}
		for (const [name, num] of Object.entries(playing.stats)) sums[name] = (sums[name] ?? 0) + num;
		for (const [name, num] of Object.entries(playing.rows)) sums.rows[name] = (sums.rows[name] ?? 0) + num;
		if (Date.now() - said < SAY_EVERY_MS) return;
		said = Date.now();
		say(told(sums, said - begin));
	};
	// The chain of a life is a function of the life, so that one can be played alone.
	for (let chain = only === undefined ? from : Math.floor(only / lives); !ends(); chain++) {
		[recording, truth] = await newChain(`${seed} ${chain}`, blocks, AGREE[proof][chain % AGREE[proof].length], proof, say);
		let next = only ?? chain * lives;
		const last = only ?? next + lives - 1;
		// Some at once: while one waits, another goes on.
		await Promise.all(Array.from({ length: only === undefined ? at_once : 1 }, async () => {
			while (next <= last && !ends()) await playLife(next++);
		}));
		await recording.stop();
		if (only !== undefined) break;
		say(`chain ${chain} is played; what comes after it: CHAIN=${chain + 1}`);
	}
	clearInterval(alive);
	say(`lies by attack: ${Object.entries(sums.rows).sort((a, b) => b[1] - a[1]).map(([name, num]) => `${name} ${num}`).join('; ')}`);
	say(told(sums, Date.now() - begin));
	return sums;
}

// Sums over lives: rounds; lies told, rounds that met one; keys allowed and denied; rounds in which nobody, or too few,
// were honest (absent), in which the chain went on and nothing became final (stalled), that began anew while too few signed
// (unshown), those that ended sealed, and those that healed; rights that had to be granted and were; sync-committee
// periods that went by …
function told({ rows, failures, ...sums }, ms) {
	const deaths = failures.filter(({ message }) => /process|ended with/.test(message)).length;
	const numbers = Object.entries({ ...sums, attacks: Object.keys(rows).length, failed: failures.length, deaths });
	return `${(ms / 1000).toFixed(0)} s, ${((sums.rounds * 1000) / ms).toFixed(1)} rounds a second: ${numbers.map(([name, num]) => `${num} ${name}`).join(', ')}`;
}

// A chain, and the truth about it. A machine that has better to do may let a step of it wait too long: again, then.
async function newChain(seed, blocks, agree, proof, say) {
	for (let tries = 1; ; tries++) {
		try {
			const recording = await Recording.make(seed, blocks, agree, PACE, proof);
			return [recording, await honestTruth(recording)];
		} catch (error) {
			if (tries === TRIES) throw error;
			say(`chain ${seed}: ${error.message}`);
		}
	}
}

// Somewhat more than a hundred rounds to a life of 300 blocks.
const livesPerChain = (blocks, perChain) => Math.max(1, Math.round(perChain / Math.max(1, blocks / 2.5)));

async function failed(playing, settings, error, say) {
	const { life } = playing.plan;
	const number = playing.round?.number;
	const kept = mkdtempSync(join(tmpdir(), 'hostile-failed-'));
	const { events, err } = playing.kms ?? { events: [], err: '' };
	await playing.abandon();
	if (playing.kms) cpSync(playing.kms.folder, join(kept, 'node'), { recursive: true, filter: (path) => !path.endsWith('.sock') });
	const command = `make hostile ${settings}`;
	const text = [
		`FAILED: life ${life}, round ${number}: ${error.message}`,
		`  alone: ${command} ROUND=${number}    or with all before it: ${command}`,
		`  life: ${JSON.stringify({ ...playing.plan, rounds: undefined })}`,
		`  round: ${JSON.stringify(playing.round)}`,
		`  lies: ${JSON.stringify(playing.acting?.map((a) => [a.row.name, a.at, a.lies]))}`,
		`  kept: ${kept}`,
		`  stderr: ${err}`,
		`  ${error.stack}`,
	].join('\n');
	writeFileSync(join(kept, 'failure.txt'), [text, ...events.map((e) => JSON.stringify(e))].join('\n') + '\n');
	say(text);
	return { life, round: number, message: error.message, kept };
}

if (basename(process.argv[1] ?? '') === 'rounds.mjs') {
	const number = (name, otherwise) => (process.env[name] ? Number(process.env[name]) : otherwise);
	const options = { seed: process.env.SEED || '1', proof: process.env.PROOF || 'quorum', rounds: number('ROUNDS', 1000), life: number('LIFE'), round: number('ROUND'), blocks: number('BLOCKS', 300), perChain: number('PER_CHAIN', 5000), from: number('CHAIN', 0) };
	if (options.life !== undefined) options.rounds = Infinity;
	const say = (text) => {
		console.log(text);
		if (process.env.LOG) appendFileSync(process.env.LOG, text + '\n');
	};
	const { failures } = await playRounds({ ...options, say });
	process.exitCode = failures.length === 0 ? 0 : 1;
	process.exit();
}
