// SPDX-License-Identifier: Apache-2.0
//
// What proof consensus rests on: checkpoints that are aged, or nobody's; a long way from one; a committee that signs two
// chains; a fork that this build does not know.

import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Beacon, Forge, SLOTS_PER_EPOCH, SLOTS_PER_PERIOD } from './beacon.mjs';
import { EXIT, eventually, replay } from './run.mjs';
import { aheadBy } from './shim_clock.mjs';
import { Story } from './story.mjs';

const noted = (kms, kind, words) => kms.events.filter((e) => e.type === 'journal' && e.kind === kind && words.test(e.detail));

// A chain, its story, and what is to be done when the test is over.
async function world(t, options = {}) {
	const beacon = await Beacon.start({ forks: { electra: 0 }, ...options });
	t.after(() => beacon.stop());
	const story = await Story.found(beacon.chain, { beacon });
	await story.settle();
	const run = async (consensus) => {
		const kms = story.kms({ consensus: beacon.consensus(consensus) });
		t.after(() => kms.stop('SIGKILL'));
		return kms.start();
	};
	return { beacon, run };
}

describe('checkpoints', { concurrency: 2 }, () => {
	test('older than max_age: refused, and said', async (t) => {
		const { run } = await world(t);
		const kms = await run({ max_age: 600 });
		await eventually('the refusal', () => noted(kms, 'checkpoint', /weak subjectivity: .* older than the checkpoint's max_age/).length > 0);
		const { sealed, final, beacon: said, endpoints } = await kms.status();
		assert.deepEqual([sealed, final, said.bootstrapped], [true, null, false]);
		assert.deepEqual(endpoints.map((e) => e.lies), [0, 0], 'an honest node is called a liar');
		const { code, out } = await kms.cli('doctor');
		assert.notEqual(code, EXIT.good);
		assert.match(out, /the checkpoint is \d+ s old; max_age is 600 s/);
		assert.equal(await kms.stop(), EXIT.good);
	});
	test('older, and accepted by name: shown everywhere', async (t) => {
		const { beacon, run } = await world(t);
		const kms = await run({ max_age: 600, accept_aged: 'Grace' });
		const { beacon: said } = await kms.reaches(beacon.final());
		assert.equal(said.checkpoint_accepted_aged_by, 'Grace');
		assert.equal(said.aged, true);
		assert.ok(said.age_s > 600);
		assert.equal(noted(kms, 'checkpoint', /whatever its age, by the word of Grace$/).length, 1);
		assert.match((await kms.cli('doctor')).out, /s old, beyond max_age; accepted by Grace/);
		const again = await replay(await kms.exported());
		assert.equal(again.status.beacon.checkpoint_accepted_aged_by, 'Grace');
		// The verifier has to accept it himself.
		const without = await replay(await kms.exported(), '--anchor', await kms.anchor({ accept_aged: undefined }));
		assert.equal(without.code, EXIT.proof);
		assert.equal(await kms.stop(), EXIT.good);
	});
	test('that nobody has: nothing is final, and it is said', async (t) => {
		const { run } = await world(t);
		const kms = await run({ root: '0x' + 'ab'.repeat(32) });
		await eventually('the journal', () => noted(kms, 'unavailable', /^no endpoint has it/).length > 0);
		const { sealed, final, beacon: said } = await kms.status();
		assert.deepEqual([sealed, final, said.bootstrapped], [true, null, false]);
		assert.match((await kms.cli('doctor')).out, /no bootstrap of the checkpoint/);
		assert.equal(await kms.stop(), EXIT.good);
	});
	test('of a chain that the same keys signed in secret: its own words are not taken for ours', async (t) => {
		const { beacon, run } = await world(t);
		const secret = await Beacon.start({ forks: { electra: 0 }, genesisTime: beacon.forge.genesisTime, first: 2 });
		t.after(() => secret.stop());
		await secret.settle();
		const kms = await run({ endpoints: [secret.forge.url] });
		await eventually('the journal', () => noted(kms, 'unavailable', /^no endpoint has it/).length > 0);
		assert.equal((await kms.status()).beacon.bootstrapped, false);
		assert.equal(await kms.stop(), EXIT.good);
	});
});

test('a long absence is judged as an old checkpoint is: refused, until somebody accepts it', async (t) => {
	const { beacon, run } = await world(t);
	const max_age = 3600;
	const kms = await run({ max_age });
	const { ledger_root } = await kms.reaches(beacon.final());
	assert.equal(await kms.stop(), EXIT.good);
	const height = await beacon.settle();
	t.after(() => aheadBy(0));
	aheadBy(max_age);
	await kms.start();
	await eventually('the refusal', () => noted(kms, 'checkpoint', /weak subjectivity/).length > 0);
	const { sealed, ledger_root: same } = await kms.status();
	assert.deepEqual([sealed, same], [true, ledger_root]);
	assert.equal(await kms.stop(), EXIT.good);
	await kms.start({ consensus: beacon.consensus({ max_age, accept_aged: 'Grace' }) });
	assert.equal((await kms.reaches(height)).beacon.aged, true);
	assert.equal(await kms.stop(), EXIT.good);
});

test('a hundred periods between the checkpoint and now', async (t) => {
	const { beacon, run } = await world(t, { behind_s: 105 * SLOTS_PER_PERIOD });
	await beacon.periods(102);
	const height = await beacon.settle();
	const kms = await run({});
	const { beacon: said } = await kms.reaches(height, 60000);
	assert.equal(said.period, Math.floor(said.final_slot / SLOTS_PER_PERIOD));
	assert.ok(said.period >= 102);
	// Each was handed over, one after the other, and it was told how far there is to go.
	const told = noted(kms, 'period', /^sync-committee period/).map(({ detail }) => Number(/period (\d+) of \d+,/.exec(detail)[1]));
	assert.deepEqual(told, Array.from({ length: told.length }, (_, i) => told[0] + i));
	assert.ok(told[0] <= 1 && told.at(-1) === said.period);
	const { endpoints } = await kms.status();
	assert.deepEqual(endpoints.map((e) => e.lies), [0, 0]);
	assert.equal(await kms.stop(), EXIT.good);
});

test('no finality for longer than a period: no way on but a new checkpoint, for there is no force_update', async (t) => {
	const { beacon, run } = await world(t);
	const kms = await run({});
	await kms.reaches(await beacon.settle());
	const { final } = await kms.status();
	beacon.forge.finalizes = () => false;
	await beacon.to((await beacon.slot()) + 2 * SLOTS_PER_PERIOD + SLOTS_PER_PERIOD / 2);
	beacon.forge.finalizes = () => true;
	const height = await beacon.settle();
	// Whose signatures these are was never final.
	const fresh = await run({ root: beacon.forge.checkpoint() });
	await fresh.reaches(height);
	const status = await kms.status();
	assert.equal(status.final, final);
	assert.ok(status.beacon.head_slot < (status.beacon.period + 2) * SLOTS_PER_PERIOD);
	assert.deepEqual(status.endpoints.map((e) => e.lies), [0, 0], 'an honest node is called a liar');
	for (const one of [kms, fresh]) assert.equal(await one.stop(), EXIT.good);
});

// The epochs in which the other chain has blocks, from the first one's newest on; and what the journal may say of it: which
// two blocks are held against each other first, and whether the light client does that or the follower, is a matter of time.
const TWO = { 'of the same slot': [-4, 0], 'told apart by their execution blocks alone': [0, 3] };
const WHY = new RegExp(
	'^two blocks of one slot are final$|^a later final block has no later execution block$' +
		'|^two final blocks have more execution blocks than slots between them$' +
		'|^a block is final (that does not descend from|beside) the final block that is held',
);
for (const [how, [from, to]] of Object.entries(TWO)) test(`a committee signs two final blocks, ${how}: halt, evidence, exit 4, for good`, async (t) => {
	const { beacon, run } = await world(t);
	const other = await new Forge(beacon.chain.url, beacon.setting).serve();
	t.after(() => other.stop());
	const kms = await run({ endpoints: [beacon.forge.url, other.url] });
	await beacon.settle();
	await beacon.epochs(3);
	await kms.reaches(beacon.final());
	// The first chain stays as it was told; the other goes on from below what is final.
	const { slot } = beacon.forge.head;
	await beacon.chain.reorg(6);
	for (let epoch = from; epoch <= to; epoch++) await beacon.jump(slot + epoch * SLOTS_PER_EPOCH);
	await other.follow();
	assert.equal(other.head.final.slot, beacon.forge.head.final.slot + to * SLOTS_PER_EPOCH);
	assert.equal(await kms.ended(), EXIT.conflict, kms.err);
	const conflicts = noted(kms, 'conflict', /./);
	assert.equal(conflicts.length, 1);
	assert.match(conflicts[0].detail, WHY);
	const files = readdirSync(kms.data).filter((name) => /^conflict-\d+\.ev$/.test(name));
	assert.equal(files.length, 1);
	const told = await replay(join(kms.data, files[0]), '--anchor', await kms.anchor());
	assert.equal(told.code, EXIT.conflict, told.err);
	// No flag, no wait, no honest node brings it back.
	await kms.start({ wait: false, consensus: beacon.consensus() });
	assert.equal(await kms.ended(), EXIT.conflict, kms.err);
});

test('a fork that this build does not know is scheduled: it follows up to it, and stops', async (t) => {
	const { beacon, run } = await world(t);
	const epoch = 12;
	// What a beacon node says of itself then.
	const edit = (name, text) => (name === 'spec' ? JSON.stringify({ data: { ...JSON.parse(text).data, GLOAS_FORK_EPOCH: String(epoch) } }) : text);
	const kms = await run({ edit });
	const height = await beacon.settle();
	await kms.reaches(height);
	await beacon.to((epoch + 6) * SLOTS_PER_EPOCH);
	const unknown = /^tells neither a finality update nor an optimistic one: unknown fork/;
	await eventually('the journal', () => noted(kms, 'unavailable', unknown).length > 0);
	const status = await kms.status();
	assert.match(status.endpoints[1].reason, unknown);
	assert.equal(status.endpoints[1].lies, 0);
	assert.ok(status.beacon.head_slot < epoch * SLOTS_PER_EPOCH);
	assert.equal(await kms.stop(), EXIT.good);
});
