// SPDX-License-Identifier: Apache-2.0
//
// A wrong wall clock for derot-core alone: shim_clock.c, preloaded into what is started from now on.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder } from './run.mjs';

const asanOptions = process.env.ASAN_OPTIONS;

// aheadBy: derot-core's wall clock, in what is started from now on, is so many seconds ahead; below 0: behind; 0: right again.
export function aheadBy(seconds) {
	for (const name of ['LD_PRELOAD', 'DEROT_SHIM_CLOCK', 'ASAN_OPTIONS']) delete process.env[name];
	if (asanOptions !== undefined) process.env.ASAN_OPTIONS = asanOptions;
	if (seconds === 0) return;
	const [shim, orders] = ['clock.so', 'clock'].map((name) => join(folder(), name));
	const source = fileURLToPath(new URL('shim_clock.c', import.meta.url));
	execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', shim, source, '-ldl']);
	const bytes = Buffer.alloc(16);
	bytes.writeBigInt64LE(BigInt(seconds), 8);
	writeFileSync(orders, bytes);
	// Under AddressSanitizer the shim comes before its runtime; it needs nothing of it.
	const asan = [asanOptions, 'verify_asan_link_order=0'].filter(Boolean).join(':');
	Object.assign(process.env, { LD_PRELOAD: shim, DEROT_SHIM_CLOCK: orders, ASAN_OPTIONS: asan });
}
