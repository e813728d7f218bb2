// SPDX-License-Identifier: Apache-2.0
//
// Endpoints that lie. Whatever an endpoint does, derot goes on with the true ledger or stands still; it never has
// another ledger, never answers a key that the honest chain does not grant, and never crashes. A lie that can be
// proven is in the journal, with the endpoint that told it. When the endpoint turns honest, the run goes on.

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, eventually } from '../nodes/run.mjs';
import { ATTACKS, startProxy } from './proxy.mjs';
import { at, base, chain, end, honestLedger, journalled, noGrant, useWorld } from './world.mjs';

const POLL_MS = 10;

useWorld();

describe('every attack, alone: the true ledger or none', { concurrency: 5 }, () => {
	for (const attack of ATTACKS)
		test(attack.name, async () => {
			const proxy = await startProxy(chain.url);
			proxy.at = at;
			proxy.attack = attack;
			const kms = base.copy({ endpoints: [proxy.url], completeness: attack.way ?? 'bloom', poll_ms: POLL_MS, timeout_ms: 200 });
			await kms.start();
			await eventually('the attack', () => proxy.lies > (attack.passes || attack.once ? 0 : 2));
			await sleep(300);
			const status = await honestLedger(kms);
			await noGrant(kms);
			if (!attack.harmless && !attack.passes) assert.ok(status.final < at, `the cursor is at ${status.final}`);
			// A header that is not what it was asked for is junk that leads nowhere; its server is set aside.
			const told = [...(await journalled(kms, ['lie'])), ...(await journalled(kms, ['endpoint'])).filter((n) => /^set aside/.test(n.detail))];
			if (attack.proof) assert.ok(told.length > 0, 'the lie is not in the journal');
			else if (attack.call && !attack.harmless) assert.ok((await journalled(kms, ['lie', 'unavailable', 'endpoint'])).length > 0, 'the endpoint is not in the journal');
			assert.equal(proxy.trapped, 0, 'a redirect was followed');
			proxy.attack = null;
			if (!attack.once) await kms.reaches(end, 30000);
			await honestLedger(kms);
			await noGrant(kms);
			assert.doesNotMatch(kms.err, /restarting|starting again/, 'a process ended');
			assert.equal(await kms.stop(), EXIT.good);
			await proxy.stop();
		});
});
