// SPDX-License-Identifier: Apache-2.0
//
// State too: what the contract's storage and code say is proven and held against the events. A folded right without
// its slot is withheld until they agree again; other code than the pinned one withholds everything.

import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { label, mappingSlot } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { SLOT, runtime } from './derot.mjs';
import { eventually } from './run.mjs';
import { APP, NOTICE, Story } from './story.mjs';

const STATE_EVERY = 8; // governance/profiles/derot-v1.yaml
const ZERO = '0x' + '0'.repeat(64);

describe('slots and code against the folded events', () => {
	let chain, story, kms, slot, value;

	// Blocks enough for a state proof above now, all final and taken.
	const nextProof = async () => {
		await chain.mineMany(STATE_EVERY);
		await story.final(kms);
	};
	const answers = (measurement, reason) =>
		eventually(`${measurement}: ${reason ?? 'allow'}`, async () => {
			const answer = await kms.derive(APP, measurement);
			return reason ? answer.reason === reason : answer.verdict === 'allow';
		});
	const divergences = async () => (await kms.journal()).filter((n) => n.kind === 'divergence').map((n) => n.detail);

	before(async () => {
		chain = await startAnvil(['--slots-in-an-epoch', '1']);
		story = await Story.found(chain);
		kms = story.kms();
		await kms.start();
		await story.root(kms);
		await story.registerApp();
		await story.announce('mail-v1');
		await story.announce('mail-v2');
		await story.pass(NOTICE.app);
		await nextProof();
		await answers('mail-v1');
		await answers('mail-v2');
		slot = mappingSlot(label('mail-v1'), mappingSlot(label(APP), SLOT.appMeasurement));
		value = await chain.storage(story.derot.address, slot);
		assert.notEqual(value, ZERO);
	});
	after(async () => {
		await kms?.stop();
		await chain?.stop();
	});

	// Not zero: anvil would keep a zero in the storage trie, which no chain does and no proof may show.
	test('a right whose slot says something else is withheld; its neighbour is not', async () => {
		await chain.setStorage(story.derot.address, slot, '0x' + '1'.padStart(64, '0'));
		await nextProof();
		await answers('mail-v1', 'divergence');
		await answers('mail-v2');
		assert.match((await divergences()).at(-1), /^diverges: /);
		assert.equal((await kms.status()).divergences, 1);
	});
	test('it comes back when slot and events agree again', async () => {
		await chain.setStorage(story.derot.address, slot, value);
		await nextProof();
		await answers('mail-v1');
		assert.match((await divergences()).at(-1), /^cleared: /);
		assert.equal((await kms.status()).divergences, 0);
	});
	test('a slot without its event grants nothing', async () => {
		const never = mappingSlot(label('mail-v9'), mappingSlot(label(APP), SLOT.appMeasurement));
		await chain.setStorage(story.derot.address, never, value);
		await nextProof();
		await answers('mail-v9', 'app-measurement');
		await answers('mail-v1');
	});
	test('an accumulator that is not that of the proven events seals everything', async () => {
		const count = await chain.storage(story.derot.address, ZERO);
		await chain.setStorage(story.derot.address, ZERO, '0x' + (BigInt(count) + 1n).toString(16).padStart(64, '0'));
		await nextProof();
		await kms.until((s) => s.sealed && /accumulator/.test(s.why), 'the seal of the accumulator');
		await answers('mail-v2', 'sealed');
		await chain.setStorage(story.derot.address, ZERO, count);
		await nextProof();
		await answers('mail-v2');
	});
	test('other code withholds everything, and the journal says which', async () => {
		await chain.rpc('anvil_setCode', story.derot.address, runtime + '00');
		await nextProof();
		await answers('mail-v1', 'code');
		await answers('mail-v2', 'code');
		const said = (await divergences()).at(-1);
		assert.match(said, /^diverges: code/);
		assert.match(said, /expected [0-9a-f]{64}, got [0-9a-f]{64}/);
		await chain.rpc('anvil_setCode', story.derot.address, runtime);
		await nextProof();
		await answers('mail-v1');
	});
});
