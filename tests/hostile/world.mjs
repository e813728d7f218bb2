// SPDX-License-Identifier: Apache-2.0
//
// What the tests of lying endpoints share: a chain, a node that knows its beginning, and the truth about its end.

import { strict as assert } from 'node:assert';
import { after, before } from 'node:test';
import { label } from '../nodes/abi.mjs';
import { startAnvil } from '../nodes/chain.mjs';
import { EXIT } from '../nodes/run.mjs';
import { liveFast } from './fast.mjs';
import { APP, NOTICE, Story } from '../nodes/story.mjs';
import { announced, deploySpoof, spoofed } from './spoof.mjs';

export let chain, story, base, at, end, spoof;
let truth;

// The chain: a node with a root, and an application with one version, known to `base`; then, from block `at` on, what
// the attacks are to hide or forge: a version revoked, another announced.
// times: how many times as fast as its surroundings derot-watch lives.
export function useWorld(times = 1) {
	before(async () => {
		await found();
		if (times > 1) liveFast(times);
	});
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
	spoof = await deploySpoof(chain, story.mallory);
	await chain.mineMany(3);
	// Block `at` has four receipts; one has two logs; one has spoofed events beside a true one: that mail-v3 was
	// announced, which it never was.
	await chain.rpc('evm_setAutomine', false);
	const words = [1, label('kms-v2'), label('enc'), label('tdx'), label('fam-good'), 7, label('rack2')];
	for (const tx of [
		story.derot.transaction(story.dave, 'announce', [label(APP), label('mail-v2')]),
		story.derot.transaction(story.mallory, 'registerNode', words, 10n ** 9n),
		story.derot.transaction(story.carol, 'heartbeat', [label('beat')]),
		spoofed(spoof, story.mallory, 'AppMeasurementAllowed', announced(APP, 'mail-v3', story.dave), story.derot.transaction(story.mallory, 'heartbeat', [label('spoof')])),
	])
		await chain.rpc('eth_sendTransaction', { gas: '0x1e8480', ...tx });
	await chain.mine();
	await chain.rpc('evm_setAutomine', true);
	at = await chain.height();
	const events = await story.derot.history();
	assert.equal(events.filter((e) => e.block === at).length, 5);
	assert.equal((await chain.rpc('eth_getBlockReceipts', '0x' + at.toString(16))).flatMap((r) => r.logs).length, 8, 'the spoofed events');
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

// The same at the core's own socket (client.mjs): the ledger, and the keys of three versions; the status.
export async function honest(client) {
	const leaves = await client.leaves();
	assert.deepEqual(leaves, truth.leaves.slice(0, leaves.length), 'another ledger');
	for (const measurement of ['mail-v2', 'mail-v3']) assert.equal((await client.key({ app: APP, measurement })).allow, false, measurement);
	const before = await client.status();
	if ((await client.key({ app: APP, measurement: 'mail-v1' })).allow) assert.ok(before.final <= at, 'granted after its revocation');
	const status = await client.status();
	if (status.final < end) return status;
	assert.equal(status.ledger_root, truth.root);
	assert.equal(status.state_digest, truth.digest);
	return status;
}
