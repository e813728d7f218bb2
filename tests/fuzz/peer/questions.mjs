// SPDX-License-Identifier: Apache-2.0
//
// Questions that a seed makes, and the answers of a program that reads them from its standard input: u8 kind, u32 length,
// bytes; a line for each.

import { spawnSync } from 'node:child_process';
import { random } from '../../hostile/random.mjs';

export const hex = (b) => Buffer.from(b).toString('hex');
export const u16 = (n) => Buffer.from([n >> 8, n & 255]);
export function u32(n) {
	const out = Buffer.alloc(4);
	out.writeUInt32BE(n);
	return out;
}

// seeded: below(n), odds(percent), pick(list), bytes(n).
export function seeded(seed) {
	const { below, chance, of } = random(seed);
	return {
		below, pick: of,
		odds: (percent) => chance(percent / 100),
		bytes: (n) => Buffer.from(Array.from({ length: n }, () => below(256))),
	};
}

// answers: a line for each of [[code, bytes], …]; a program that ends otherwise ends this one.
export function answers(command, args, questions, env = {}) {
	const input = Buffer.concat(questions.flatMap(([code, bytes]) => [Buffer.from([code]), u32(bytes.length), bytes]));
	const done = spawnSync(command, args, { input, maxBuffer: 1 << 30, env: { ...process.env, ...env } });
	const lines = done.stdout.toString().split('\n').slice(0, -1);
	if (done.status === 0 && lines.length === questions.length) return lines;
	console.error(`${command}: ended with ${done.status ?? done.signal} after ${lines.length} of ${questions.length} answers: ${done.stderr}`);
	process.exit(1);
}

// end: rules is { words: times }.
export function end(seed, rules, differences) {
	for (const [rule, times] of Object.entries(rules)) console.log(`rule, ${times} times: ${rule}`);
	console.log(`seed ${seed}: ${differences} differences`);
	process.exit(differences > 0 ? 1 : 0);
}

// judge: ours beside the peer's, question by question. questions: { kind, input, about }; codes: a number for each kind;
// compare[kind](question, ours) gives { verdict, rule }: 'no', or the line that ours must be, and the words of the rule
// that decides it by other means, if one does.
export async function judge(program, codes, questions, compare, seed) {
	const lines = answers(program, [], questions.map(({ kind, input }) => [codes[kind], input]));
	const counts = {}, rules = {};
	let differences = 0;
	for (const [i, question] of questions.entries()) {
		const ours = lines[i].startsWith('no ') ? 'no' : lines[i];
		const { verdict, rule } = await compare[question.kind](question, ours);
		const count = counts[question.kind] ??= { inputs: 0, taken: 0, refused: 0 };
		count.inputs++;
		if (rule) rules[rule] = (rules[rule] ?? 0) + 1;
		if (verdict === ours) count[ours === 'no' ? 'refused' : 'taken']++;
		else if (++differences <= 5)
			console.error(`${question.kind}: ours ${lines[i]}\n  peer ${verdict}${rule ? ` (${rule})` : ''}\n  input ${hex(question.input)}` +
				(question.about.type ? `\n  type ${question.about.type}` : ''));
	}
	for (const [kind, { inputs, taken, refused }] of Object.entries(counts)) {
		console.log(`${kind}: ${inputs} inputs, ${taken} taken with the same value, ${refused} refused by both or by rule`);
		if (taken > 0 && refused > 0) continue;
		console.error(`${kind}: none taken, or none refused: nothing was compared`);
		differences++;
	}
	end(seed, rules, differences);
}
