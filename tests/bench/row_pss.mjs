// SPDX-License-Identifier: Apache-2.0
//
// What the processes of a live, idle node take of the machine's memory, in sum: pss.mjs.

import { join } from 'node:path';

export default function ({ row, task, here }) {
	const { line } = task([process.execPath, join(here, 'pss.mjs'), '--json'], { ANY_EXIT: '1' });
	row('memory of the whole system, live and idle (core, watch, serve: PSS)', 'MiB', line.pss_mib, {
		...{ target: 16, less: true, memory_kib: Math.round(line.pss_mib * 1024) },
	});
}
