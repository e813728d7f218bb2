// SPDX-License-Identifier: Apache-2.0
//
// Whole chains against derot: reorgs of every depth that is not final, back and forth (T6); as many liars as are not
// believed, on one fork (T8); another chain in the middle of a run (T24, T7); blocks far ahead and far behind (T17); a
// node that repeats what it once said (T5); hard forks, known and not (T24).

import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAnvil } from '../nodes/chain.mjs';
import { EXIT, eventually } from '../nodes/run.mjs';
import { APP, NOTICE, Story } from '../nodes/story.mjs';
import { Client } from './client.mjs';
import { liveFast } from './fast.mjs';
import { byName, startProxy } from './proxy.mjs';

const TIMES = 20;
const PACE = { poll_ms: 10 * TIMES, timeout_ms: 20000 * TIMES };
const DEEPEST = 64; // anvil's finalized block, at 32 slots to an epoch
const SOME = [1, 2, 3, 5, 8, 13, 21, 32, 48, 63, DEEPEST];
const DEPTHS = process.env.DEROT_DEPTHS === 'all' ? Array.from({ length: DEEPEST }, (_, i) => i + 1) : SOME;
const YEAR_S = 31536000;
const now = () => Math.floor(Date.now() / 1000);

before(() => liveFast(TIMES));

const open = async (kms) => Client.open(join(kms.data, 'core.sock'));
const until = (client, what, holds) => eventually(what, async () => {
	const status = await client.status();
	return holds(status) && status;
}, 30000);
const journal = (kms, kind, words) => kms.events.filter((e) => e.type === 'journal' && e.kind === kind && words.test(e.detail));

test(`reorgs of ${DEPTHS.length} depths from 1 to ${DEEPEST}: what was granted on the orphans never was`, async () => {
	const chain = await startAnvil(['--slots-in-an-epoch', String(DEEPEST / 2)]);
	const story = await Story.found(chain);
	const kms = story.kms({ ...PACE, max_staleness: 86400 }); // the chain runs ahead of the clock
	await kms.start();
	const client = await open(kms);
	await story.root(kms);
	await story.registerApp();
	await story.announce('kept');
	await story.pass(NOTICE.app);
	await story.final(kms);
	const seen = async () => {
		const tip = await chain.rpc('eth_getBlockByNumber', 'latest', false);
		await until(client, `head ${tip.number}`, (s) => s.head === Number(tip.number));
	};
	for (const depth of DEPTHS) {
		await story.announce(`lost-${depth}`);
		if (depth > 1) await chain.mineMany(depth - 1);
		await seen();
		await chain.reorg(depth);
		await chain.mine((await chain.time()) + NOTICE.app);
		await seen();
		assert.equal((await client.key({ app: APP, measurement: `lost-${depth}` })).allow, false);
		// Other blocks are final where it was.
		await chain.mineMany(DEEPEST + depth);
	}
	// Back and forth, faster than it can follow.
	for (let turn = 0; turn < 40; turn++) {
		await chain.mineMany(2);
		await chain.reorg(1 + (turn % 5));
	}
	await story.final(kms);
	assert.deepEqual(await client.key({ app: APP, measurement: 'kept' }), { allow: true, deny: 0 });
	const names = (await kms.log()).filter((c) => c.action === 'app.measurement.allow').map((c) => c.args.measurement);
	assert.deepEqual([...new Set(names)], ['kept']);
	client.close();
	assert.equal(await kms.stop(), EXIT.good);
	await chain.stop();
});

describe('a chain, and another of the same genesis', () => {
	let chain, fork, story;
	const ALL = ['a', 'b', 'c', 'd', 'e'];
	before(async () => {
		chain = await startAnvil(['--slots-in-an-epoch', '1']);
		fork = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(await chain.time(0))]);
		story = await Story.found(chain);
		await chain.mineMany(12);
		// Higher than the true one, and with other blocks from the first on.
		await fork.mineMany((await chain.height()) + 20);
	});
	after(() => Promise.all([chain?.stop(), fork?.stop()]));

	const play = async (quorum, liars, act) => {
		const proxies = await Promise.all(ALL.map((name, i) => startProxy(i < liars ? fork.url : chain.url)));
		const endpoints = proxies.map(({ url }, i) => ({ name: ALL[i], url }));
		const kms = await story.kms({ endpoints, quorum, ...PACE }).start();
		const client = await open(kms);
		await act(kms, client, proxies);
		client.close();
		await kms.stop();
		await Promise.all(proxies.map((proxy) => proxy.stop()));
	};
	for (const liars of [0, 1, 2])
		test(`${liars} of 5 on it, 3 must agree: the true ledger, and ${liars} are named`, () =>
			play(3, liars, async (kms, client) => {
				const height = await story.settle();
				const status = await until(client, 'the end', (s) => s.final >= height);
				assert.equal(status.final_hash, (await chain.rpc('eth_getBlockByNumber', '0x' + status.final.toString(16), false)).hash);
				assert.equal(status.ledger_size, (await story.derot.history()).length);
				for (let source = 0; source < 5; source++) {
					const told = kms.events.filter((e) => e.type === 'journal' && e.source === source && ['lie', 'dissent'].includes(e.kind));
					if (source >= liars) assert.deepEqual(told, [], 'an honest endpoint is called a liar');
				}
				for (let source = 0; source < liars; source++)
					await eventually('a block to tell them apart at', async () => {
						await chain.mine();
						return kms.events.some((e) => e.type === 'journal' && e.source === source && /dissent|lie|unavailable|endpoint/.test(e.kind) && !/^good/.test(e.detail));
					});
			}));
	test('3 of 5 change to it, 3 must agree: halt, evidence, exit 4', () =>
		play(3, 0, async (kms, client, proxies) => {
			const height = await story.settle();
			const { ledger_root } = await until(client, 'the end', (s) => s.final >= height);
			await fork.mineMany(10);
			for (const proxy of proxies.slice(0, 3)) proxy.target = fork.url;
			assert.equal(await kms.ended(), EXIT.conflict, kms.err);
			assert.equal(readdirSync(kms.data).filter((name) => /^conflict-\d+\.ev$/.test(name)).length, 1);
			// All is as it was written, and it cannot be true.
			assert.equal((await kms.cli('audit', 'verify')).code, EXIT.conflict, ledger_root);
		}));
	test('2 of 5 change to it, 3 must agree: it goes on', () =>
		play(3, 0, async (kms, client, proxies) => {
			let height = await story.settle();
			await until(client, 'the end', (s) => s.final >= height);
			for (const proxy of proxies.slice(0, 2)) proxy.target = fork.url;
			await chain.mineMany(5);
			height = await story.settle();
			await until(client, 'the end', (s) => s.final >= height && !s.halted);
		}));
	test('all change to a chain of another genesis: nothing of it is taken', async () => {
		const other = await startAnvil(['--slots-in-an-epoch', '1', '--chain-id', '4711', '--timestamp', '1700000000']);
		await other.mineMany(5);
		await play(3, 0, async (kms, client, proxies) => {
			const height = await story.settle();
			const { ledger_root } = await until(client, 'the end', (s) => s.final >= height);
			// Lower than what is final here: it is not even asked about.
			for (const proxy of proxies) proxy.target = other.url;
			await sleep(300);
			const status = await client.status();
			assert.equal(status.ledger_root, ledger_root);
			assert.ok(status.final >= height && !status.halted);
			for (const proxy of proxies) proxy.target = chain.url;
			await chain.mineMany(3);
			const more = await story.settle();
			await until(client, 'it heals', (s) => s.final >= more);
		});
		await other.stop();
	});
});

describe('times', () => {
	const following = async (flags, act) => {
		const chain = await startAnvil(['--slots-in-an-epoch', '1', ...flags]);
		const story = await Story.found(chain);
		const kms = await story.kms({ ...PACE, max_staleness: 600 }).start();
		const client = await open(kms);
		await act(chain, story, kms, client);
		client.close();
		assert.equal(await kms.stop(), EXIT.good);
		await chain.stop();
	};
	test('a chain a year behind is followed, sealed; it heals when it is told of now', () =>
		following(['--timestamp', String(now() - YEAR_S)], async (chain, story, kms, client) => {
			await story.final(kms);
			const old = await client.status();
			assert.ok(old.sealed);
			assert.match(old.why, /older than max_staleness/);
			await chain.mine(now());
			await story.final(kms);
			await until(client, 'it is unsealed', (s) => !s.sealed);
		}));
	test('a block a year ahead seals', () =>
		following([], async (chain, story, kms, client) => {
			await story.final(kms);
			await until(client, 'it is unsealed', (s) => !s.sealed);
			await chain.mine(now() + YEAR_S);
			await story.final(kms);
			const status = await client.status();
			assert.ok(status.sealed);
			assert.match(status.why, /far ahead of the wall clock/);
			await eventually('a note of it', () => journal(kms, 'lease', /far ahead of the wall clock/).length === 1);
		}));
	test('a node that repeats its old answers is stale after max_staleness, and heals', async () => {
		const chain = await startAnvil(['--slots-in-an-epoch', '1']);
		const story = await Story.found(chain);
		const proxy = await startProxy(chain.url);
		await chain.mine(now());
		await story.settle();
		proxy.attack = byName('repeats its old answers');
		const kms = await story.kms({ endpoints: [proxy.url], ...PACE, max_staleness: 3 }).start();
		const client = await open(kms);
		await until(client, 'a final block', (s) => s.has_final);
		const { final } = await client.status();
		for (let i = 0; i < 6; i++) await chain.mine();
		await until(client, 'it is sealed', (s) => s.sealed && /older than max_staleness/.test(s.why));
		assert.equal((await client.status()).final, final);
		proxy.attack = null;
		await chain.mine(now());
		await until(client, 'it heals', (s) => {
			void chain.mine(now()).catch(() => undefined);
			return !s.sealed && s.final > final;
		});
		client.close();
		assert.equal(await kms.stop(), EXIT.good);
		await Promise.all([proxy.stop(), chain.stop()]);
	});
});

describe('hard forks that are known', { concurrency: 2 }, () => {
	for (const name of ['shanghai', 'cancun', 'prague', 'osaka'])
		test(name, async () => {
			const chain = await startAnvil(['--slots-in-an-epoch', '1', '--hardfork', name]);
			const story = await Story.found(chain);
			const kms = await story.kms({ ...PACE, completeness: 'accumulator' }).start();
			await chain.mineMany(3);
			await story.final(kms);
			assert.equal((await kms.status()).ledger_size, (await story.derot.history()).length);
			assert.equal(await kms.stop(), EXIT.good);
			await chain.stop();
		});
});
