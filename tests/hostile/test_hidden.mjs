// SPDX-License-Identifier: Apache-2.0
//
// An endpoint that hides one log, one receipt or one block. Alone, it never moves the cursor past that block, and its lie
// is in the journal; beside honest endpoints the run goes on, with the true ledger.

import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAnvil } from '../nodes/chain.mjs';
import { EXIT, replay, eventually } from '../nodes/run.mjs';
import { APP } from '../nodes/story.mjs';
import { byName, startProxy } from './proxy.mjs';
import { at, base, chain, end, honestLedger, journalled, noGrant, story, useWorld } from './world.mjs';

const POLLS = 500;
const POLL_MS = 10;

useWorld();

describe(`an endpoint that hides something, alone, for ${POLLS} polls`, { concurrency: 2 }, () => {
	const rows = [
		['hides one log everywhere', 'accumulator', ['lie']],
		['drops a log from a receipt', 'bloom', ['lie']],
		['drops a receipt', 'receipts', ['lie']],
		['hides a block', 'bloom', ['unavailable', 'endpoint']],
	];
	for (const [name, completeness, kinds] of rows)
		test(name, async () => {
			const proxy = await startProxy(chain.url);
			proxy.at = at;
			proxy.attack = byName(name);
			const kms = base.copy({ endpoints: [{ name: 'liar', url: proxy.url }], completeness, poll_ms: POLL_MS });
			const from = proxy.polls;
			await kms.start();
			for (let last = 0; proxy.polls - from < POLLS; ) {
				const status = await kms.status();
				assert.ok(status.final < at, `the cursor is at ${status.final}, past ${at}`);
				assert.ok(status.final >= last);
				last = status.final;
				await sleep(100);
			}
			assert.ok(proxy.lies > 2);
			await honestLedger(kms);
			await noGrant(kms);
			const notes = await journalled(kms, kinds);
			assert.ok(notes.length > 0, 'not in the journal');
			assert.ok(notes.length < 40, `${notes.length} entries for one lie`);
			assert.equal((await kms.status()).endpoints[0].name, 'liar');
			if (kinds.includes('lie')) assert.ok((await kms.status()).endpoints[0].lies > 0);
			proxy.attack = null;
			await kms.reaches(end);
			await honestLedger(kms);
			assert.equal(await kms.stop(), EXIT.good);
			await proxy.stop();
		});
});

describe('the same beside honest endpoints', { concurrency: 2 }, () => {
	for (const [quorum, of] of [[1, 2], [2, 3]])
		for (const [name, completeness] of [['hides one log everywhere', 'accumulator'], ['drops a log from a receipt', 'bloom'], ['drops a receipt', 'receipts'], ['hides a block', 'bloom']])
			test(`${quorum} of ${of}: ${name}`, async () => {
				const proxy = await startProxy(chain.url);
				const honest = await startProxy(chain.url);
				proxy.at = at;
				proxy.attack = byName(name);
				const endpoints = [{ name: 'liar', url: proxy.url }, { name: 'honest', url: chain.url }, { name: 'honest-2', url: honest.url }];
				// A store keeps the quorum that it was made with.
				const options = { endpoints: endpoints.slice(0, of), quorum, completeness, step: 16 };
				const kms = quorum === 1 ? base.copy(options) : story.kms(options);
				await kms.start();
				await kms.reaches(end);
				await honestLedger(kms);
				await noGrant(kms);
				assert.equal((await kms.derive(APP, 'mail-v1')).reason, 'app-measurement');
				assert.equal(await kms.stop(), EXIT.good);
				await Promise.all([proxy.stop(), honest.stop()]);
			});
});

// Above `at` it names and serves another chain's blocks, well formed in themselves: a second node, of the same genesis.
test('an endpoint that serves another fork, now and then, against two honest ones', async () => {
	const fork = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(await chain.time(0))]);
	assert.equal((await fork.rpc('eth_getBlockByNumber', '0x0', false)).hash, (await chain.rpc('eth_getBlockByNumber', '0x0', false)).hash);
	await fork.mineMany(await chain.height());
	const [proxy, second] = [await startProxy(chain.url), await startProxy(chain.url)];
	const liar = await startProxy(fork.url);
	// At random, so that no order of questions makes it honest in all that is asked of it.
	proxy.attack = { call: (p, c, r) => (c.method === 'eth_chainId' || Math.random() < 0.5 ? r : liar.ask(c.method, c.params)) };
	const endpoints = [{ name: 'liar', url: proxy.url }, { name: 'honest', url: chain.url }, { name: 'second', url: second.url }];
	const kms = await story.kms({ endpoints, quorum: 2, step: 4 }).start();
	await kms.reaches(end);
	await honestLedger(kms);
	assert.equal((await kms.status()).halted, false);
	// It may have been honest, or not asked, on the way; it is asked for its word about each block that becomes final.
	await eventually('the journal to name it', async () => {
		// By a second, as long as the tests before may have taken: no notice ends.
		await chain.mine((await chain.time()) + 1);
		await fork.mineMany(1);
		await kms.reaches();
		return (await journalled(kms, ['dissent', 'lie', 'unavailable', 'endpoint'])).length > 1;
	});
	await honestLedger(kms);
	assert.equal(await kms.stop(), EXIT.good);
	await Promise.all([proxy.stop(), second.stop(), liar.stop(), fork.stop()]);
});

test('two that agree on a fork after the honest chain is final: halt, exit 4', async () => {
	const fork = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(await chain.time(0))]);
	const [one, two] = [await startProxy(chain.url), await startProxy(chain.url)];
	const kms = await story.kms({ endpoints: [one.url, two.url, chain.url], quorum: 2, poll_ms: POLL_MS }).start();
	await kms.reaches(end);
	const { final, ledger_root } = await kms.status();
	await fork.mineMany(final + 10);
	one.target = two.target = fork.url;
	assert.equal(await kms.ended(), EXIT.conflict, kms.err);
	assert.equal((await kms.log()).length, (await replay(join(kms.data, `conflict-${final}.ev`), '--anchor', await kms.anchor())).changes.length);
	assert.equal((await replay(join(kms.data, `conflict-${final}.ev`), '--anchor', await kms.anchor())).status.ledger_root, ledger_root);
	await Promise.all([one.stop(), two.stop(), fork.stop()]);
});
