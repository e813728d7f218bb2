// SPDX-License-Identifier: Apache-2.0
//
// The life of root generations where it goes wrong: a generator that misses its deadline, a publication that the
// last generation did not sign, emergencies that are none and one that is, a holder's build revoked, and a node that
// holds another root than the published one of its number.

import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ACTION } from './derot.mjs';
import { label } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { EXIT, eventually, profileDigest } from './run.mjs';
import { APP, BUILD, NOTICE, Story } from './story.mjs';
import { openRoot } from './kdf.mjs';

const OTHER_BUILD = label('kms-v2'); // what the second node runs
const GRACE_S = 604800; // exposure_grace of the profile
const ZERO = '0x' + '00'.repeat(32);
const WAIT_MS = 60000;
let chain, story, one, two, facts;

before(async () => {
	// A month ago: the chain's clock is moved on by weeks.
	chain = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(Math.floor(Date.now() / 1000) - 30 * 86400)]);
	story = await Story.found(chain);
	one = story.kms({ max_staleness: 40 * 86400 });
	two = story.kms({ node: story.kms2, max_staleness: 40 * 86400 });
	facts = {
		chainId: Number(await chain.rpc('eth_chainId')),
		genesis: (await chain.rpc('eth_getBlockByNumber', '0x0', false)).hash,
		contract: story.derot.address,
		profile: await profileDigest(),
	};
	await Promise.all([one.start(), two.start()]);
	await story.council(ACTION.measurementAllow, OTHER_BUILD);
	await story.root(one);
	const enc = (await two.cli('keys', 'node')).json.enc_key;
	const words = [1, OTHER_BUILD, enc, label('tdx'), label('fam-good'), 7, label('rack2')];
	await story.derot.send(story.kms2, 'registerNode', words, 1000n * 10n ** 9n);
	await story.registerApp();
	await story.announce('mail-v1');
	await story.pass(NOTICE.app);
	await story.final(one);
});
after(async () => {
	await Promise.all([one?.stop(), two?.stop()]);
	await chain?.stop();
});

const taken = async () => {
	await story.final(one);
	await story.final(two);
};
const ask = (kms) => kms.derive(APP, 'mail-v1');
const told = (kms, words) => async () => (await kms.journal()).some((n) => words.test(n.detail));
const held = (kms, generation) => openRoot({ ...facts, data: kms.data, keyFile: join(kms.folder, 'key'), generation });
const findings = (kms, kind) => kms.events.filter((e) => e.type === 'finding' && e.finding === kind);
const signed = ({ prev_r, prev_s }) => prev_r !== ZERO || prev_s !== ZERO;

// share: a generation goes from one node to the other, as the council decides.
async function share(generation, from, to) {
	await story.council(ACTION.rootShare, generation, to.options.node);
	await story.pass(NOTICE.root);
	await taken();
	const parcel = join(from.folder, `parcel-${generation}`);
	const done = await from.cli('keys', 'share', '--to', to.options.node, '--generation', String(generation), '-o', parcel);
	assert.equal(done.code, EXIT.good, done.err);
	const accepted = await to.cli('keys', 'accept', parcel);
	assert.equal(accepted.code, EXIT.good, accepted.err);
}

// make: the council orders a generation of a node, which makes it; what it would publish.
async function make(generation, kms) {
	await story.rotate(generation, kms.options.node);
	await taken();
	return eventually(
		`generation ${generation} to be made`,
		async () => {
			const { code, json } = await kms.cli('keys', 'public', '--generation', String(generation));
			return code === EXIT.good && json;
		},
		WAIT_MS,
	);
}

test('a generator that misses its deadline: the generation fails, its root is destroyed; another makes the next', async () => {
	await share(1, one, two);
	const late = await make(2, one);
	held(one, 2);
	await story.pass(1300);
	assert.equal(await story.derot.refusal(story.kms1, 'publishRoot', [2, Array(10).fill(label('x'))]), 'TooLate');
	await taken();
	await eventually('its destruction', told(one, /^root generation 2 destroyed here: it was not published in time/), WAIT_MS);
	assert.throws(() => held(one, 2), /a sealed root of generation 2/);
	held(one, 1);
	for (const kms of [one, two]) {
		await eventually('the finding', () => findings(kms, 'root-failed').length === 1, WAIT_MS);
		assert.ok((await kms.log()).some((c) => c.action === 'root.rotate' && c.outcome === 'refused' && c.reason === 'deadline'));
		assert.equal((await ask(kms)).generation, 1, 'the one before stays in force');
	}
	assert.ok(signed(late));

	assert.ok(signed(await make(3, two)), 'by the last that was published, which is 1');
	await story.publish(two, 3);
	await taken();
	await two.until((s) => s.generation === 3 && s.generation_ours && !s.sealed, 'generation 3', WAIT_MS);
	assert.equal((await ask(two)).generation, 3);
	assert.equal((await ask(one)).reason, 'root-share', 'nobody gave it to the first');
});

// refusedPublication: kms publishes; the contract takes it, and nobody who reads it.
async function refusedPublication(generation, kms, inForce) {
	const before = findings(one, 'refused').length;
	const words = await make(generation, kms);
	assert.ok(!signed(words), 'it does not hold the last generation');
	await story.publish(kms, generation);
	assert.notEqual(await story.derot.call('rootPublished', [generation]), ZERO, 'to the contract it is published');
	await taken();
	for (const node of [one, two]) {
		await eventually('the finding', () => findings(node, 'refused').length === before + 1, WAIT_MS);
		const finding = findings(node, 'refused').at(-1);
		assert.equal(finding.action, 'root.publish');
		assert.equal(finding.reason, 'false-proof');
		assert.equal((await node.status()).generation, inForce);
	}
	assert.equal((await ask(one)).reason, 'root-share');
	const certificate = await kms.cli('keys', 'certificate', '--generation', String(generation));
	assert.notEqual(certificate.code, EXIT.good, 'what is not published has no certificate');
}

test('a publication that the last generation did not sign: a finding, and never used', async () => {
	await refusedPublication(4, one, 3);
	const answer = await ask(two);
	assert.equal(answer.verdict, 'allow');
	assert.equal(answer.generation, 3);
});

test("after a guardian's exposure it is refused still", async () => {
	await story.derot.send(story.grace, 'exposeRoot', [3, (await chain.time()) + 20 * 3600]);
	await taken();
	await two.until((s) => s.rotation_deadline !== null, 'rotation to be due', WAIT_MS);
	assert.equal((await ask(two)).verdict, 'allow', 'until the deadline');
	await refusedPublication(5, one, 3);
	assert.equal((await ask(two)).generation, 3);
});

test("after the council's own exposure it is accepted", async () => {
	await story.council(ACTION.rootExpose, 3, (await chain.time()) + 10 * 3600);
	await taken();
	const words = await make(6, one);
	assert.ok(!signed(words));
	await story.publish(one, 6);
	await taken();
	await one.until((s) => s.generation === 6 && s.generation_ours && !s.sealed, 'generation 6', WAIT_MS);
	assert.equal((await one.status()).rotation_deadline, null);
	assert.equal((await ask(one)).generation, 6);
	assert.equal((await ask(two)).reason, 'root-share');
	const published = (await one.log()).filter((c) => c.action === 'root.publish').map((c) => [c.args.generation, c.outcome]);
	assert.deepEqual(published, [['1', 'applied'], ['3', 'applied'], ['4', 'refused'], ['5', 'refused'], ['6', 'applied']]);
	// What was refused was never more than an order, which failed when its time was over.
	await story.pass(1300);
	await taken();
	await eventually('their destruction', told(one, /generation 5 destroyed here/), WAIT_MS);
	for (const generation of [4, 5]) assert.throws(() => held(one, generation), /a sealed root of generation/);
	held(two, 3);
});

test("a holder's build revoked: its generation answers until its deadline, and nothing after it", async () => {
	await share(6, one, two);
	const key = (await ask(one)).key;
	assert.equal((await ask(two)).key, key);
	await story.derot.send(story.grace, 'revokeMeasurement', [BUILD]);
	const revoked = await chain.time();
	await taken();
	assert.equal((await ask(one)).reason, 'node-measurement');
	const status = await two.until((s) => s.rotation_deadline !== null, 'rotation to be due', WAIT_MS);
	assert.equal(Date.parse(status.rotation_deadline) / 1000, revoked + GRACE_S);
	assert.equal((await ask(two)).key, key, 'who runs another build goes on');

	await chain.mine(revoked + GRACE_S - 3600);
	await taken();
	assert.equal((await ask(two)).key, key, 'an hour before');
	await chain.mine(revoked + GRACE_S);
	await taken();
	assert.equal((await ask(two)).reason, 'root');
	await two.until((s) => s.generation === 0 || s.generation === null, 'none in force', WAIT_MS);
	assert.equal((await ask(one)).verdict, 'deny');
	assert.notEqual((await two.cli('keys', 'share', '--to', story.kms1, '--generation', '6', '-o', join(two.folder, 'no'))).code, EXIT.good);
	held(two, 6); // withheld; not destroyed: nobody said that
	await two.stop();
	await two.start();
	await two.until((s) => !s.sealed, 'unsealed', WAIT_MS);
	assert.equal((await ask(two)).reason, 'root', 'also after a restart');
});

test('another root of the same number: it says so, and stays sealed', async () => {
	// Made here, and its transaction not sent yet, when the directory was lost and made anew.
	const first = await make(7, two);
	assert.ok(signed(first));
	await two.stop();
	const anew = story.kms({ node: story.kms2, max_staleness: 40 * 86400 });
	await anew.start();
	try {
		const second = await eventually(
			'another root',
			async () => {
				const { code, json } = await anew.cli('keys', 'public', '--generation', '7');
				return code === EXIT.good && json;
			},
			WAIT_MS,
		);
		assert.notEqual(second.prf_pub, first.prf_pub);
		await chain.send({ from: first.from, to: first.to, data: first.data });
		await story.final(anew);
		const foreign = /^sealed: the root held here is not the published one of its number/;
		const status = await anew.until((s) => s.sealed && foreign.test(s.why), 'sealed by its root', WAIT_MS);
		assert.equal(status.generation, 7);
		assert.equal(status.generation_ours, false);
		assert.equal(status.holding, 'foreign');
		assert.equal((await ask(anew)).reason, 'sealed');
		await eventually('the comparison', told(anew, /^root generation 7 is published: its keys are not those/), WAIT_MS);
		assert.notEqual((await anew.cli('keys', 'certificate')).code, EXIT.good);
		assert.notEqual(
			(await anew.cli('keys', 'share', '--to', story.kms1, '--generation', '7', '-o', join(anew.folder, 'no'))).code,
			EXIT.good,
		);
		// Nothing heals it: not the next blocks, not a restart.
		await story.pass(60);
		await story.final(anew);
		assert.match((await anew.status()).why, foreign);
		await anew.stop();
		await anew.start();
		await anew.until((s) => s.sealed && foreign.test(s.why), 'sealed by its root', WAIT_MS);
	} finally {
		await anew.stop();
	}
	await two.start();
	await two.until((s) => s.generation === 7 && s.generation_ours && !s.sealed, 'the directory that made it', WAIT_MS);
	assert.equal((await ask(two)).generation, 7);
});
