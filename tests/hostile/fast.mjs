// SPDX-License-Identifier: Apache-2.0
//
// Makes every derot-watch that this process starts from here on live faster than its surroundings (fast.c): its polls,
// deadlines and pauses in derot.yaml are in a time of its own.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder } from '../nodes/run.mjs';

export function liveFast(times) {
	const shim = join(folder(), 'fast.so');
	const source = fileURLToPath(new URL('fast.c', import.meta.url));
	execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', shim, source, '-ldl']);
	// Under AddressSanitizer the shim comes before its runtime; it needs nothing of it.
	const asan = [process.env.ASAN_OPTIONS, 'verify_asan_link_order=0'].filter(Boolean).join(':');
	Object.assign(process.env, { LD_PRELOAD: shim, DEROT_FAST: String(times), ASAN_OPTIONS: asan });
}
