// SPDX-License-Identifier: Apache-2.0
//
// Reorgs. Above what is final: a grant on an orphaned block never was, and a right that an orphaned head revoked does
// not come back before a final block passes that height. Below it: halt, an evidence file, exit code 4, for good.

import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { label } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { EXIT, finalHeight, replay } from './run.mjs';
import { APP, NOTICE, Story } from './story.mjs';

const SLOTS = 32; // anvil's finalized is latest - 64

const seen = async (kms, chain) => {
	const height = await chain.height();
	return kms.until((s) => s.head >= height, `head ${height}`);
};

describe('above finality', () => {
	let chain, story, kms;
	before(async () => {
		chain = await startAnvil(['--slots-in-an-epoch', String(SLOTS)]);
		story = await Story.found(chain);
		kms = story.kms();
		await kms.start();
		await story.root(kms);
		await story.registerApp();
		for (const depth of [1, 2, 5, 10, 30]) await story.announce(`kept-${depth}`);
		await story.pass(NOTICE.app);
		await story.final(kms);
	});
	after(async () => {
		await kms?.stop();
		await chain?.stop();
	});

	for (const depth of [1, 2, 5, 10, 30]) {
		test(`depth ${depth}: what was granted on the orphans was never granted`, async () => {
			await story.announce(`lost-${depth}`);
			if (depth > 1) await chain.mineMany(depth - 1);
			await seen(kms, chain);
			await chain.reorg(depth);
			await chain.mine();
			await seen(kms, chain);
			await story.pass(NOTICE.app);
			await seen(kms, chain);
			assert.equal((await kms.derive(APP, `lost-${depth}`)).reason, 'app-measurement');
			assert.equal((await kms.derive(APP, `kept-${depth}`)).verdict, 'allow');
		});
		test(`depth ${depth}: what an orphaned head revoked stays revoked until finality passes it`, async () => {
			await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label(`kept-${depth}`)]);
			const revokedAt = await chain.height();
			if (depth > 1) await chain.mineMany(depth - 1);
			await seen(kms, chain);
			assert.equal((await kms.derive(APP, `kept-${depth}`)).reason, 'head');
			await chain.reorg(depth);
			await chain.mine();
			await seen(kms, chain);
			assert.ok((await kms.status()).final < revokedAt);
			assert.equal((await kms.derive(APP, `kept-${depth}`)).reason, 'head');
			// The other fork becomes final: it does not hold the revocation, so the right is whole again.
			while ((await finalHeight(chain)) < revokedAt + depth) await chain.mineMany(16);
			await story.final(kms);
			assert.equal((await kms.derive(APP, `kept-${depth}`)).verdict, 'allow');
		});
	}
	test('the ledger is what the evidence says, and no lost announcement is in it', async () => {
		const names = (await kms.log()).filter((c) => c.action === 'app.measurement.allow').map((c) => c.args.measurement);
		assert.ok(names.includes('kept-30'));
		assert.ok(!names.some((name) => name.startsWith('lost-')));
		assert.equal((await kms.verify()).code, EXIT.good);
	});
});

describe('below finality', () => {
	let chain, story, kms;
	before(async () => {
		chain = await startAnvil(['--slots-in-an-epoch', '1']);
		story = await Story.found(chain);
		kms = story.kms();
		await kms.start();
		await chain.mineMany(12);
		await story.final(kms);
	});
	after(async () => {
		await kms?.stop('SIGKILL').catch(() => undefined);
		await chain?.stop();
	});

	test('halts, writes evidence, exits 4', async () => {
		const { final } = await kms.status();
		await chain.reorg(6);
		await chain.mineMany(6);
		assert.equal(await kms.ended(), EXIT.conflict);
		const files = readdirSync(kms.data).filter((name) => /^conflict-\d+\.ev$/.test(name));
		assert.equal(files.length, 1);
		const told = await replay(join(kms.data, files[0]), '--anchor', await kms.anchor());
		assert.equal(told.code, EXIT.conflict, told.err);
		assert.ok(final > 0);
	});
	test('audit verify says so, and exits 4 as a replay does', async () => {
		const { code, json, out, err } = await kms.verify();
		assert.equal(code, EXIT.conflict, `${out}${err}`);
		assert.equal(json.ok, false);
		assert.match(json.error.what, /something final was contradicted/);
	});
	test('and again at the next start: no flag, no wait, no honest chain brings it back', async () => {
		await kms.start({ wait: false });
		assert.equal(await kms.ended(), EXIT.conflict);
	});
});

test('below finality, while nobody looked: the next start halts', async () => {
	const chain = await startAnvil(['--slots-in-an-epoch', '1']);
	const story = await Story.found(chain);
	const kms = await story.kms().start();
	await chain.mineMany(10);
	await story.final(kms);
	const { final } = await kms.status();
	assert.equal(await kms.stop(), EXIT.good);
	await chain.reorg(8);
	await chain.mineMany(8);
	assert.ok((await finalHeight(chain)) > final);
	await kms.start({ wait: false });
	assert.equal(await kms.ended(), EXIT.conflict, kms.err);
	assert.ok(readdirSync(kms.data).some((name) => /^conflict-\d+\.ev$/.test(name)));
	await chain.stop();
});
