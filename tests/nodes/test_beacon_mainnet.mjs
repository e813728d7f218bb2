// SPDX-License-Identifier: Apache-2.0
//
// derot run at proof consensus with the mainnet preset: committees of 512, epochs of 32 slots, periods of 8192. 341 of 512
// are too few and 342 are enough; a period is handed over; finality stands still for 50 epochs, the lease ends, revocations
// go on, and it heals.

import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { label } from './abi.mjs';
import { EXIT } from './run.mjs';
import { APP, NOTICE, Story } from './story.mjs';

process.env.LODESTAR_PRESET = 'mainnet';
const { Beacon, SLOTS_PER_EPOCH, SLOTS_PER_PERIOD, startBeforeTheEnd } = await import('./beacon.mjs');

const COMMITTEE = 512;
const STALL_EPOCHS = 50;
// The story begins so many slots before its first period ends, and ends well before now.
const BEFORE = 800;
const AFTER = 3300;

let beacon, story, kms;
before(async () => {
	beacon = await Beacon.start({ forks: { electra: 0, fulu: 250 }, behind_s: SLOTS_PER_PERIOD + AFTER, first: SLOTS_PER_PERIOD - BEFORE });
	story = await Story.found(beacon.chain, { beacon });
	kms = await story.kms({ max_staleness: 2 * AFTER }).start();
});
after(async () => {
	await kms?.stop();
	await beacon?.stop();
});

const takesHead = async () => {
	const height = await beacon.head();
	return kms.until((s) => s.head >= height, `head ${height}`);
};

test('a root, an application, and its version is allowed', async () => {
	await story.root(kms);
	await story.registerApp();
	for (const version of ['mail-v1', 'mail-v2']) await story.announce(version);
	await story.pass(NOTICE.app);
	await story.final(kms);
	assert.equal((await kms.decides(APP, 'mail-v1')).verdict, 'allow');
	assert.equal((await kms.status()).beacon.signed_by, '512 of 512');
});
test('one period is handed over to the next, and a fork lies between', async () => {
	assert.equal((await kms.status()).beacon.period, 0);
	await beacon.to(SLOTS_PER_PERIOD + SLOTS_PER_EPOCH);
	await story.final(kms);
	assert.equal((await kms.status()).beacon.period, 1);
});
test('341 of 512 move nothing, not even the head; 342 do', async () => {
	const before = await takesHead();
	beacon.forge.signs = () => 341;
	await beacon.epochs(4);
	await kms.until((s) => s.endpoints[1].state === 'good');
	await new Promise((resolve) => setTimeout(resolve, 500)); // ten polls
	const status = await kms.status();
	assert.deepEqual([status.final, status.head, status.beacon.head_slot], [before.final, before.head, before.beacon.head_slot]);
	assert.deepEqual(status.endpoints.map((e) => e.lies), [0, 0], 'an honest node is called a liar');
	beacon.forge.signs = () => 342;
	await beacon.epochs(1);
	await story.final(kms);
	assert.equal((await kms.status()).beacon.signed_by, '342 of 512');
	beacon.forge.signs = () => COMMITTEE;
});
test(`finality stands still for ${STALL_EPOCHS} epochs: revocations count, grants do not, the lease ends; and it heals`, async () => {
	await story.final(kms);
	const { final, final_time } = await kms.status();
	beacon.forge.finalizes = () => false;
	await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label('mail-v1')]);
	await story.announce('mail-v3');
	await beacon.epochs(STALL_EPOCHS);
	await takesHead();
	assert.equal((await kms.decides(APP, 'mail-v1')).reason, 'head');
	assert.equal((await kms.decides(APP, 'mail-v2')).verdict, 'allow');
	assert.equal((await kms.decides(APP, 'mail-v3')).reason, 'app-measurement');
	assert.equal(await kms.stop(), EXIT.good);
	await startBeforeTheEnd(kms, Date.parse(final_time) / 1000);
	const sealed = await kms.until((s) => s.sealed, 'the lease to end');
	assert.match(sealed.why, /older than max_staleness/);
	assert.equal(sealed.final, final);
	assert.ok(sealed.beacon.head_slot - sealed.beacon.final_slot > STALL_EPOCHS * SLOTS_PER_EPOCH);
	assert.equal((await kms.decides(APP, 'mail-v2')).reason, 'sealed');
	beacon.forge.finalizes = () => true;
	await beacon.epochs(1);
	await story.final(kms);
	await kms.until((s) => !s.sealed, 'unsealed again');
	assert.equal((await kms.decides(APP, 'mail-v1')).reason, 'app-measurement');
	assert.deepEqual(await kms.decides(APP, 'mail-v2'), { verdict: 'allow' });
	assert.deepEqual(await kms.decides(APP, 'mail-v3'), { verdict: 'allow' });
	assert.deepEqual((await kms.status()).endpoints.map((e) => e.lies), [0, 0], 'an honest node is called a liar');
});
