// SPDX-License-Identifier: Apache-2.0
//
// make compare: what it finds is what README.md says, and everything that it holds besides the table holds.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { differences, documented, tableOf } from '../compare/compare.mjs';
import { compare } from '../compare/facts.mjs';
import { markdown } from '../compare/table.mjs';

test('viem, ethers, Helios and derot behind a server that hides something', async () => {
	const result = await compare();
	assert.deepEqual(result.broken, []);
	assert.deepEqual(differences(markdown(tableOf(result)), documented()), [], result.errors.join('\n'));
	// Whatever README.md says: derot tells of everything, or is sealed.
	for (const { who, cells } of result.rows.filter((row) => row.who.startsWith('derot')))
		for (const cell of cells) assert.match(cell, /^26 of 26$|, sealed$/, who);
});

test('a table that differs is told line by line', () => {
	const table = documented();
	assert.deepEqual(differences(table, table), []);
	const other = table.replace('26 of 26', '25 of 26');
	assert.equal(differences(other, table).length, 2);
	assert.equal(differences(table + '\n| more |', table).length, 2);
});
