// SPDX-License-Identifier: Apache-2.0
//
// `make bench`, small and once: that every task runs, agrees with its peers, refuses what was spoiled, and reports in
// the form that is promised. How fast anything is, is not looked at.

import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder } from '../nodes/run.mjs';

const bench = fileURLToPath(new URL('bench.mjs', import.meta.url));

test('every task runs and reports, and a spoiled input is refused', () => {
	const out = folder();
	const done = spawnSync(process.execPath, [bench, '--quick', '--out', out], { encoding: 'utf8' });
	assert.equal(done.status, 0, done.stderr);
	const rows = JSON.parse(readFileSync(join(out, 'bench.json'), 'utf8'));
	assert.ok(rows.length >= 15);
	for (const row of rows) {
		assert.deepEqual(Object.keys(row), ['name', 'unit', 'derot', 'peer', 'peer_name', 'ratio', 'target', 'met', 'memory_kib']);
		assert.ok(row.derot > 0, row.name);
		assert.equal(row.peer === null, row.peer_name === null, row.name);
		assert.equal(row.peer === null, row.ratio === null, row.name);
		assert.ok(row.memory_kib === null || row.memory_kib > 1000, row.name);
	}
	const run = JSON.parse(readFileSync(join(out, 'bench-run.json'), 'utf8'));
	assert.deepEqual(run.wrong, []);
	for (const task of ['replay', 'receipts root', 'state proof', 'fold', 'ledger', 'store', 'decision', 'start'])
		assert.ok(run.tampered.some((t) => t.name.startsWith(task) && t.derot === 'refused'), task);
	assert.ok(run.machine.cpu && run.machine.kernel && run.machine.compiler && run.machine.node);
});

test('a task that does not exist is said so', () => {
	const done = spawnSync(process.execPath, [bench, 'nothing'], { encoding: 'utf8' });
	assert.equal(done.status, 64);
	assert.match(done.stderr, /there are replay/);
});
