// SPDX-License-Identifier: Apache-2.0
//
// What the tests of lying endpoints share: a chain, a node that knows its beginning, and the truth about its end.

import { strict as assert } from 'node:assert';
import { after, before } from 'node:test';
import { label } from '../nodes/abi.mjs';
import { startAnvil } from '../nodes/chain.mjs';
import { EXIT } from '../nodes/run.mjs';
import { APP, NOTICE, Story } from '../nodes/story.mjs';

export let chain, story, base, at, end;
let truth;

// The chain: a node with a root, and an application with one version, known to `base`; then, from block `at` on, what
// the attacks are to hide or forge: a version revoked, another announced.
export function useWorld() {
	before(found);
	after(() => chain?.stop());
}

async function found() {
	chain = await startAnvil(['--slots-in-an-epoch', '1']);
	story = await Story.found(chain);
	base = story.kms();
	await base.start();
	await story.root(base);
	await story.registerApp();
	await story.announce('mail-v1');
	await story.pass(NOTICE.app);
	await story.final(base);
	assert.equal((await base.derive(APP, 'mail-v1')).verdict, 'allow');
	assert.equal(await base.stop(), EXIT.good);
	await chain.mineMany(3);
	// Block `at` has three receipts, one of them with two logs.
	await chain.rpc('evm_setAutomine', false);
	const words = [1, label('kms-v2'), label('enc'), label('tdx'), label('fam-good'), 7, label('rack2')];
	for (const tx of [
		story.derot.transaction(story.dave, 'announce', [label(APP), label('mail-v2')]),
		story.derot.transaction(story.mallory, 'registerNode', words, 10n ** 9n),
		story.derot.transaction(story.carol, 'heartbeat', [label('beat')]),
	])
		await chain.rpc('eth_sendTransaction', { gas: '0x1e8480', ...tx });
	await chain.mine();
	await chain.rpc('evm_setAutomine', true);
	at = await chain.height();
	const events = await story.derot.history();
	assert.equal(events.filter((e) => e.block === at).length, 4);
	await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label('mail-v1')]);
	await chain.mineMany(20);
	end = await story.settle();
	const honest = base.copy();
	await honest.start();
	const status = await honest.reaches(end);
	truth = { root: status.ledger_root, digest: status.state_digest, leaves: (await honest.log()).map((c) => c.leaf) };
	await honest.stop();
}

// Whatever happened: the ledger is a beginning of the true one, and the whole one at the end.
export async function honestLedger(kms) {
	const leaves = (await kms.log()).map((c) => c.leaf);
	assert.deepEqual(leaves, truth.leaves.slice(0, leaves.length), 'another ledger');
	const status = await kms.status();
	if (status.final < end) return status;
	assert.equal(status.ledger_root, truth.root);
	assert.equal(status.state_digest, truth.digest);
	return status;
}

// Nothing is granted that the chain does not grant: v1 only before its revocation, v2 never (it is in notice).
export async function noGrant(kms) {
	const v2 = await kms.derive(APP, 'mail-v2');
	assert.equal(v2.verdict, 'deny', JSON.stringify(v2));
	const { final } = await kms.status(); // before the question: the cursor may move meanwhile
	const v1 = await kms.derive(APP, 'mail-v1');
	if (v1.verdict === 'allow') assert.ok(final <= at, 'granted after its revocation');
}

export const journalled = async (kms, kinds, source = 0) =>
	(await kms.journal()).filter((n) => kinds.includes(n.kind) && n.source === source);
