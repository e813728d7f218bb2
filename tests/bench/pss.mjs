// SPDX-License-Identifier: Apache-2.0
//
// What memory derot takes, live and idle, in MiB: proportional set size of each process, by the kernel's word
// (/proc/PID/smaps_rollup). The target is 16 for core, watch and serve in sum; the supervisor above them is shown beside
// it. Pages of libraries are divided among whoever uses them: on a machine that runs little else they count in full.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAnvil } from '../nodes/chain.mjs';
import { folder } from '../nodes/run.mjs';
import { Story } from '../nodes/story.mjs';

const TARGET_MIB = 16;
const WORDS = ['Pss', 'Pss_Anon', 'Pss_File', 'Private_Dirty', 'Rss'];

const chain = await startAnvil(['--slots-in-an-epoch', '1']);
const story = await Story.found(chain);
const kms = story.kms({ serve: `unix:${join(folder(), 'http')}`, poll_ms: 1000 });
await kms.start();
await story.final(kms);
await kms.until((s) => !s.sealed);
await sleep(3000);

const children = kms.children();
const supervisor = readFileSync(`/proc/${children['derot-core']}/status`, 'utf8').match(/^PPid:\t(\d+)$/m)[1];
const all = Object.entries({ ...children, derot: supervisor });
const rows = [];
for (const [name, pid] of all) {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
	rows.push([name, ...WORDS.map((word) => Number(text.match(new RegExp(`^${word}: +(\\d+) kB`, 'm'))[1]) / 1024)]);
}
if (process.argv.includes('--maps'))
	for (const [name, pid] of all) {
		const maps = {};
		let at = '';
		for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
			const [, path] = line.match(/^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$/) ?? [];
			if (path !== undefined) at = path || '(anonymous)';
			const [, kib] = line.match(/^Pss: +(\d+) kB/) ?? [];
			if (kib) maps[at] = (maps[at] ?? 0) + Number(kib);
		}
		console.log(`\n${name}, KiB`);
		for (const [path, kib] of Object.entries(maps).sort((a, b) => b[1] - a[1]).slice(0, 16)) console.log(`${String(kib).padStart(7)}  ${path}`);
	}
await kms.stop();
await chain.stop();

if (process.argv.includes('--json')) console.log(JSON.stringify({ pss_mib: rows.slice(0, -1).reduce((sum, row) => sum + row[1], 0) }));
const line = (name, ...numbers) => console.log(name.padEnd(14) + numbers.map((n) => (typeof n === 'string' ? n : n.toFixed(2)).padStart(15)).join(''));
line('MiB', ...WORDS);
const above = rows.pop();
for (const row of rows) line(...row);
const sums = WORDS.map((_, i) => rows.reduce((sum, row) => sum + row[i + 1], 0));
line('sum', ...sums);
line('(supervisor)', ...above.slice(1));
console.log(`target: at most ${TARGET_MIB} MiB of Pss in sum: ${sums[0] <= TARGET_MIB ? 'met' : 'missed'}`);
process.exitCode = sums[0] <= TARGET_MIB ? 0 : 1;
