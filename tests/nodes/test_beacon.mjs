// SPDX-License-Identifier: Apache-2.0
//
// derot run at proof consensus, over a real execution node and a forged beacon chain that crosses four forks and many
// sync-committee periods. Grants count when two thirds of a committee finalized them, and after their notice; revocations
// as soon as two thirds attested them.

import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { label } from './abi.mjs';
import { Beacon, SLOTS_PER_EPOCH, SLOTS_PER_PERIOD, startBeforeTheEnd } from './beacon.mjs';
import { ACTION } from './derot.mjs';
import { EXIT, derotCli, replay } from './run.mjs';
import { APP, BUILD, NOTICE, Story } from './story.mjs';

// deneb within a period, electra where one ends.
const FORKS = { capella: 0, deneb: 8, electra: 16, fulu: 26 };

const takesHead = async (beacon, kms) => {
	const height = await beacon.head();
	return kms.until((s) => s.head >= height, `head ${height}`);
};

describe('a life at proof consensus', () => {
	let beacon, chain, story, kms;
	const decided = async (verdict, reason, measurement = 'mail-v1') =>
		assert.deepEqual(await kms.decides(APP, measurement), reason ? { verdict, reason } : { verdict });
	const noted = async (kind, words) => (await kms.journal()).filter((note) => note.kind === kind && words.test(note.detail));
	before(async () => {
		beacon = await Beacon.start({ forks: FORKS });
		chain = beacon.chain;
		story = await Story.found(chain, { beacon });
		kms = await story.kms().start();
	});
	after(async () => {
		await kms?.stop();
		await beacon?.stop();
	});

	test('it begins at the checkpoint, and says whose word that is', async () => {
		const { proof, beacon: said } = await kms.until((s) => s.beacon.bootstrapped, 'the bootstrap');
		assert.equal(proof, 'consensus');
		assert.equal(said.checkpoint, beacon.checkpoint);
		assert.equal(said.checkpoint_from, 'the test');
		assert.equal(said.checkpoint_slot, beacon.forge.find(beacon.checkpoint).slot);
		assert.equal(said.aged, false);
		const [note] = await noted('checkpoint', /from the test$/);
		assert.ok(note.detail.includes(beacon.checkpoint));
		assert.equal((await kms.status()).sealed, true); // the contract is younger than the checkpoint
	});
	test('founding: final, and nobody is answered', async () => {
		await story.final(kms);
		const status = await kms.status();
		assert.equal(status.sealed, false);
		assert.equal(status.beacon.signed_by, '32 of 32');
		assert.equal(status.ledger_size, (await story.derot.history()).length);
		await decided('deny', 'node');
	});
	test('a registration is none at a head, and none before two epochs', async () => {
		await story.register(kms);
		await takesHead(beacon, kms);
		await decided('deny', 'node');
		await beacon.epochs(1);
		await takesHead(beacon, kms);
		await decided('deny', 'node');
		await story.final(kms);
		await decided('deny', 'node-measurement');
	});
	test('the council’s grant: after notice, after finality', async () => {
		await story.council(ACTION.measurementAllow, BUILD);
		await story.final(kms);
		await story.pass(NOTICE.measurement);
		await takesHead(beacon, kms);
		await story.final(kms);
		await decided('deny', 'app-unknown');
	});
	test('a root: made when it is due and final, published, ours', async () => {
		await story.rotate();
		await story.final(kms);
		await story.publish(kms);
		await story.final(kms);
		await kms.until((s) => s.generation === 1 && s.generation_ours);
	});
	test('an application: unknown, in notice, allowed; and its keys go to nobody', async () => {
		await story.registerApp();
		await story.announce('mail-v1');
		const due = (await beacon.slot()) + NOTICE.app;
		await takesHead(beacon, kms);
		await decided('deny', 'app-unknown');
		await story.final(kms);
		await decided('deny', 'app-notice');
		await beacon.to(due);
		await takesHead(beacon, kms);
		await decided('deny', 'app-notice');
		await story.final(kms);
		await decided('allow');
		assert.equal((await noted('release', /./)).length, 0);
	});
	test('killed, while the chain goes on for three periods: it catches up, and says the same', async () => {
		await story.announce('mail-v2');
		await takesHead(beacon, kms);
		assert.equal(await kms.stop('SIGKILL'), 'SIGKILL');
		const at = (await kms.log()).length;
		await beacon.to((await beacon.slot()) + 3 * SLOTS_PER_PERIOD);
		await kms.start();
		await story.final(kms);
		const { beacon: said, ledger_size } = await kms.status();
		assert.equal(said.period, Math.floor(said.final_slot / SLOTS_PER_PERIOD));
		assert.ok(ledger_size > at);
		await decided('allow');
		await decided('allow', undefined, 'mail-v2');
	});
	test('a guardian’s revocation denies at the attested head, two epochs before it is final', async () => {
		const { final } = await kms.status();
		await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label('mail-v1')]);
		await takesHead(beacon, kms);
		await decided('deny', 'head');
		assert.equal((await kms.status()).final, final);
		await decided('allow', undefined, 'mail-v2');
		await story.final(kms);
		await decided('deny', 'app-measurement');
	});
	test('a head that is attested and then reorged away: what it revoked stays revoked until finality passes it', async () => {
		await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label('mail-v2')]);
		await takesHead(beacon, kms);
		const orphan = beacon.forge.head;
		await decided('deny', 'head', 'mail-v2');
		await chain.reorg(1);
		await chain.mine();
		await takesHead(beacon, kms);
		assert.notEqual(beacon.forge.find(String(orphan.slot)), orphan);
		await decided('deny', 'head', 'mail-v2');
		await story.final(kms);
		await decided('allow', undefined, 'mail-v2');
	});
	test('every fork was crossed, and every period handed over', async () => {
		const slots = (await noted('final', /^proof consensus/)).map(({ detail }) => Number(/slot (\d+),/.exec(detail)[1]));
		for (const [fork, epoch] of Object.entries(FORKS)) {
			const [from, to] = [epoch, Object.values(FORKS).find((next) => next > epoch) ?? Infinity].map((e) => e * SLOTS_PER_EPOCH);
			assert.ok(slots.some((slot) => slot >= from && slot < to), `nothing was final in ${fork}`);
		}
		assert.ok((await kms.status()).beacon.period >= 6);
		const { endpoints } = await kms.status();
		assert.deepEqual(endpoints.map((e) => [e.state, e.lies]), [['good', 0], ['good', 0]]);
		assert.deepEqual(await noted('lie', /./), []);
	});
	test('audit verify and a replay of the recording say what the live node says', async () => {
		const live = await kms.status();
		const verified = await kms.verify();
		assert.equal(verified.code, EXIT.findings, verified.err); // a version came and went
		assert.equal(verified.json.ledger_root, live.ledger_root);
		const again = await replay(await kms.exported(), '--anchor', await kms.anchor());
		assert.equal(again.code, EXIT.findings, again.err);
		for (const what of ['final', 'final_hash', 'ledger_root', 'state_digest']) assert.equal(again.status[what], live[what], what);
		const requests = await noted('request', /./);
		assert.equal(again.answers.length, requests.length);
		for (const [i, { detail }] of requests.entries()) assert.ok(detail.includes(`: ${again.answers[i].verdict}`), detail);
		const other = await kms.anchor({ root: '0x' + '5'.repeat(64) });
		const refused = await replay(await kms.exported(), '--anchor', other);
		assert.equal(refused.code, EXIT.proof, refused.err);
		assert.deepEqual(refused.changes, []);
	});
	test('derot record, from the same checkpoint: the same ledger', async () => {
		const live = await kms.status();
		const file = join(kms.folder, 'recording.ev');
		const { code, err } = await derotCli(['record', '-c', kms.config, '--to', String(live.final), '-o', file]);
		assert.equal(code, EXIT.good, err);
		const again = await replay(file, '--anchor', await kms.anchor());
		assert.equal(again.code, EXIT.findings, again.err);
		assert.equal(again.status.ledger_root, live.ledger_root);
		assert.equal(again.status.final_hash, live.final_hash);
	});
	test('stops in good order', async () => assert.equal(await kms.stop(), EXIT.good));
});

describe('finality stops, and the lease ends', { concurrency: 2 }, () => {
	const COMMITTEE = 32;
	const ways = {
		'one signature short of two thirds': (beacon, stopped) => (beacon.forge.signs = () => (stopped ? 21 : COMMITTEE)),
		'everybody signs, nothing is finalized': (beacon, stopped) => (beacon.forge.finalizes = () => !stopped),
	};
	for (const [name, stop] of Object.entries(ways))
		test(name, async (t) => {
			const beacon = await Beacon.start({ forks: { electra: 0 } });
			t.after(() => beacon.stop());
			const story = await Story.found(beacon.chain, { beacon });
			await story.settle();
			const finalTime = await beacon.chain.time('0x' + beacon.final().toString(16));
			const kms = story.kms();
			await startBeforeTheEnd(kms, finalTime);
			stop(beacon, true);
			await beacon.epochs(3);
			const { final } = await kms.status();
			const height = await beacon.head();
			const sealed = await kms.until((s) => s.sealed, 'the lease to end');
			assert.match(sealed.why, /older than max_staleness/);
			assert.equal(sealed.final, final);
			if (beacon.forge.signs() === COMMITTEE) assert.ok((await kms.until((s) => s.head >= height, 'the head')).head > final);
			else assert.ok(sealed.head < height);
			assert.equal((await kms.decides(APP, 'mail-v1')).reason, 'sealed');
			stop(beacon, false);
			await beacon.to((await beacon.slot()) + 2 * SLOTS_PER_EPOCH);
			await story.final(kms);
			await kms.until((s) => !s.sealed, 'unsealed again');
			const { endpoints } = await kms.status();
			assert.deepEqual(endpoints.map((e) => e.lies), [0, 0], 'an honest node is called a liar');
			assert.equal(await kms.stop(), EXIT.good);
		});
});
