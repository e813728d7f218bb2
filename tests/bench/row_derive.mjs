// SPDX-License-Identifier: Apache-2.0
//
// Keys from a running core, each with two journal entries durable before it leaves: derive.mjs on a process of its own.

import { join } from 'node:path';

export default function ({ row, task, here }) {
	const { lines } = task([process.execPath, join(here, 'derive.mjs'), '--json']);
	for (const { name, rate, target, p50_ms, p99_ms } of lines) {
		row(`keys derived: ${name}`, '1/s', rate, { target });
		if (p50_ms) {
			row(`key over the socket, journal included: ${name}, half within`, 'ms', p50_ms, { less: true });
			row(`key over the socket, journal included: ${name}, 99 of 100 within`, 'ms', p99_ms, { less: true });
		}
	}
}
