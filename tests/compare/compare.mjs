// SPDX-License-Identifier: Apache-2.0
//
// node compare.mjs [--markdown]
//
// What viem, ethers, Helios and derot say about one chain when the server they ask hides a revocation. Prints a table,
// then how long each took; ends with 1 if something differs from what README.md says.

import { readFileSync } from 'node:fs';
import { compare } from './facts.mjs';
import { markdown, text } from './table.mjs';

const README = new URL('../../README.md', import.meta.url);
const HEAD = '| client | ';

// documented: the table in README.md.
export function documented() {
	const lines = readFileSync(README, 'utf8').split('\n');
	const from = lines.findIndex((line) => line.startsWith(HEAD));
	if (from < 0) throw new Error(`README.md has no line that begins with ${HEAD}`);
	const length = lines.slice(from).findIndex((line) => !line.startsWith('|'));
	return lines.slice(from, from + length).join('\n');
}

// tableOf: rows of cells. A client's name stands in its first row alone.
export function tableOf({ columns, rows }) {
	const named = rows.map(({ who, asked, cells }, idx) => [rows[idx - 1]?.who === who ? '' : who, asked, ...cells]);
	return [['client', 'asked for', ...columns], ...named];
}

// differences: the lines of the table that are not the documented ones.
export function differences(found, expected) {
	const [ours, theirs] = [found.split('\n'), expected.split('\n')];
	const lines = Array.from({ length: Math.max(ours.length, theirs.length) }, (_, idx) => idx).filter((idx) => ours[idx] !== theirs[idx]);
	return lines.flatMap((idx) => [`README.md: ${theirs[idx] ?? '(nothing)'}`, `found:     ${ours[idx] ?? '(nothing)'}`]);
}

async function main(args) {
	if (args.some((arg) => arg !== '--markdown')) {
		console.error('usage: compare.mjs [--markdown]');
		return 64;
	}
	const result = await compare();
	const table = tableOf(result);
	console.log(args.length ? markdown(table) : text(table));
	console.log();
	for (const { name, load_ms, connect_ms, wall_ms } of result.times) {
		const loads = load_ms === undefined ? '' : `loads in ${load_ms} ms; `;
		console.log(`${name}: ${loads}can be asked after ${connect_ms} ms, has answered after ${wall_ms} ms`);
	}
	const wrong = [...result.broken, ...differences(markdown(table), documented())];
	for (const line of wrong.length > 0 ? [...wrong, ...result.errors] : []) console.error(`compare: ${line}`);
	return wrong.length > 0 ? 1 : 0;
}

if (process.argv[1] === new URL(import.meta.url).pathname) process.exit(await main(process.argv.slice(2)));
