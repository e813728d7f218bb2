// SPDX-License-Identifier: Apache-2.0
//
// Events are not enough: a slot that says something else withholds the one key that rests on it, until a proof agrees
// again; other code at the contract's address withholds every key.

import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { keccak, label, mappingSlot, word } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { SLOT, runtime } from './derot.mjs';
import { EXIT, eventually } from './run.mjs';
import { APP, BUILD, NOTICE, Story } from './story.mjs';

const ZERO = '0x' + word(0);
let chain, story, kms;

const answer = async (measurement) => {
	const { verdict, reason } = await kms.derive(APP, measurement);
	return verdict === 'allow' ? verdict : reason;
};
// A state proof of the contract is taken every eighth block (state_every of the profile).
const proofs = () => eventually('the next state proof', async () => {
	await chain.mineMany(8);
	await story.final(kms);
	return true;
});
const becomes = (measurement, expected) =>
	eventually(`${measurement}: ${expected}`, async () => {
		await proofs();
		return (await answer(measurement)) === expected;
	});
const divergences = async () => (await kms.journal()).filter((n) => n.kind === 'divergence').map((n) => n.detail);

before(async () => {
	chain = await startAnvil(['--slots-in-an-epoch', '1']);
	story = await Story.found(chain);
	kms = await story.kms().start();
	await story.root(kms);
	await story.registerApp();
	for (const m of ['mail-v1', 'mail-v2']) await story.announce(m);
	await story.pass(NOTICE.app);
	await story.final(kms);
	await becomes('mail-v1', 'allow');
	assert.equal(await answer('mail-v2'), 'allow');
	assert.deepEqual(await divergences(), []);
});
after(async () => {
	await kms?.stop();
	await chain.stop();
});

describe('a slot', () => {
	const subjects = [
		['an app measurement, another value', () => mappingSlot(label('mail-v1'), mappingSlot(label(APP), SLOT.appMeasurement)), ['divergence', 'allow'], '0x' + word(1)],
		['an app measurement', () => mappingSlot(label('mail-v1'), mappingSlot(label(APP), SLOT.appMeasurement)), ['divergence', 'allow']],
		['the node’s measurement', () => mappingSlot(BUILD, SLOT.measurement), ['divergence', 'divergence']],
		['the published root', () => mappingSlot(1, SLOT.root), ['divergence', 'divergence']],
	];
	for (const [name, slot, [v1, v2], value = ZERO] of subjects)
		test(`${name}: withheld, and back when a proof agrees`, async () => {
			const { ledger_root } = await kms.status();
			const before = (await divergences()).length;
			const held = await chain.storage(story.derot.address, slot());
			assert.notEqual(held, ZERO);
			await chain.setStorage(story.derot.address, slot(), value);
			await becomes('mail-v1', v1);
			assert.equal(await answer('mail-v2'), v2);
			const said = (await divergences()).slice(before);
			assert.equal(said.length, 1);
			assert.match(said[0], new RegExp(`^diverges: .*expected ${held.slice(2)}, got ${value.slice(2)}`));
			const status = await kms.status();
			assert.equal(status.divergences, 1);
			assert.equal(status.ledger_root, ledger_root, 'a slot makes no ledger entry');
			await chain.setStorage(story.derot.address, slot(), held);
			await becomes('mail-v1', 'allow');
			assert.equal(await answer('mail-v2'), 'allow');
			assert.match((await divergences()).at(-1), /^cleared: /);
			assert.equal((await kms.status()).divergences, 0);
		});
	test('a slot without its event grants nothing', async () => {
		const slot = mappingSlot(label('mail-evil'), mappingSlot(label(APP), SLOT.appMeasurement));
		await chain.setStorage(story.derot.address, slot, '0x' + word(1));
		await proofs();
		await proofs();
		assert.equal(await answer('mail-evil'), 'app-measurement');
		assert.equal(await answer('mail-v1'), 'allow');
	});
	test('the accumulator: events were left out, everything is sealed', async () => {
		const held = await chain.storage(story.derot.address, '0x' + word(0));
		await chain.setStorage(story.derot.address, '0x' + word(0), '0x' + word(BigInt(held) + 1n));
		await becomes('mail-v1', 'sealed');
		assert.match((await kms.status()).why, /accumulator/);
		await chain.setStorage(story.derot.address, '0x' + word(0), held);
		await becomes('mail-v1', 'allow');
	});
});

test('other code: everything is withheld, and both hashes are in the journal', async () => {
	const other = runtime.slice(0, -2) + '00';
	await chain.rpc('anvil_setCode', story.derot.address, other);
	await becomes('mail-v1', 'code');
	assert.equal(await answer('mail-v2'), 'code');
	const said = (await divergences()).at(-1);
	assert.match(said, /^diverges: code/);
	for (const hash of [keccak(runtime), keccak(other)]) assert.ok(said.includes(hash.slice(2)), `${said} does not name ${hash}`);
	await kms.stop();
	await kms.start();
	await kms.until((s) => !s.sealed);
	assert.equal(await answer('mail-v1'), 'code');
	await chain.rpc('anvil_setCode', story.derot.address, runtime);
	await becomes('mail-v1', 'allow');
	assert.equal((await kms.verify()).code, EXIT.good);
});
