// SPDX-License-Identifier: Apache-2.0
//
// derot run over a network that finalizes by itself: Lodestar and EthereumJS, from their genesis on (devnet.mjs). What is
// granted counts when it is final, what is revoked as soon as the committee attested it. Half of the validators stop:
// blocks go on, nothing becomes final, the lease seals the node; they start again, and it heals.
//
// Slots of two seconds: two epochs to finality, and none of it can be hurried. Some six minutes; a busy machine gets
// longer slots (devnet.mjs).

import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { label } from '../nodes/abi.mjs';
import { EXIT } from '../nodes/run.mjs';
import { APP, Story } from '../nodes/story.mjs';
import { Devnet, SLOTS_PER_EPOCH } from './devnet.mjs';

const SLOTS_PER_PERIOD = 8 * SLOTS_PER_EPOCH;
const NOTICE = { council: 1, measurement: 1, root: 1, profile: 1, app: 1 };
// A final block is two to three epochs old when the next comes; at the beginning of a period two to three more, because
// this Lodestar tells light clients nothing that is final in the period before; and some slots have no block.
const STALE_SLOTS = 7 * SLOTS_PER_EPOCH;
const WAIT_SLOTS = 60;

describe('over Lodestar and EthereumJS', () => {
	let net, story, kms, revoked;
	const decided = async (verdict, reason) =>
		assert.deepEqual(await kms.decides(APP, 'mail-v1'), reason ? { verdict, reason } : { verdict });
	// What is the newest block now is final, here too; its number.
	const final = async () => {
		const height = await net.settle();
		await kms.reaches(height, net.wait(WAIT_SLOTS));
		return height;
	};
	const takesHead = async (height) => kms.until((s) => s.head >= height, `head ${height}`, net.wait(WAIT_SLOTS));

	before(async () => {
		net = await Devnet.start();
		story = await Story.found(net.chain, { beacon: net, notice: NOTICE });
		await story.allowBuild();
		await story.registerApp();
		await story.announce('mail-v1');
		await net.finality();
		kms = story.kms({ max_staleness: STALE_SLOTS * net.slotS, poll_ms: 250, timeout_ms: 5000 });
		await kms.start();
	});
	after(async () => {
		await kms?.stop();
		await net?.stop();
	});

	test('it begins at the final checkpoint, and proves the contract from its birth on', async () => {
		await kms.until((s) => !s.sealed, 'the first proven block', net.wait(WAIT_SLOTS));
		const { beacon, final } = await kms.status();
		assert.equal(beacon.checkpoint, net.checkpoint);
		assert.ok(beacon.final_slot >= beacon.checkpoint_slot);
		assert.ok(final >= Number(story.derot.birth));
		await decided('deny', 'node');
	});

	test('a root: ordered, made when the order is final, published; nothing is granted by a head', async () => {
		await story.register(kms);
		await story.rotate();
		await final();
		await story.publish(kms);
		const blockNumber = await net.chain.height();
		await takesHead(blockNumber);
		assert.ok((await kms.status()).final < blockNumber, 'it was not final yet');
		await decided('deny', 'root');
		await final();
		await kms.until((s) => s.generation === 1 && s.generation_ours, 'the generation');
		await decided('allow');
	});

	test('a restart goes on from what was kept', async () => {
		const { final, ledger_size } = await kms.status();
		assert.equal(await kms.stop(), EXIT.good);
		await kms.start();
		const status = await kms.until((s) => !s.sealed && s.final >= final, 'going on', net.wait(WAIT_SLOTS));
		assert.equal(status.ledger_size, ledger_size);
		assert.equal(status.generation_ours, true);
		await decided('allow');
	});

	test('a guardian’s revocation denies at the attested head, before it is final', async () => {
		const tx = story.derot.transaction(story.grace, 'revokeAppMeasurement', [label(APP), label('mail-v1')]);
		revoked = Number((await net.chain.send(tx)).blockNumber);
		await takesHead(revoked);
		await decided('deny', 'head');
		assert.ok((await kms.status()).final < revoked, 'it was not final yet');
	});

	test('half of the validators stop: blocks go on, nothing is final, the lease seals', async () => {
		await calm();
		await net.validators(1).stop();
		const from = await net.chain.height();
		const sealed = await kms.until((s) => s.sealed, 'the lease to end', net.wait(2 * STALE_SLOTS));
		assert.match(sealed.why, /older than max_staleness/);
		assert.ok((await net.chain.height()) > from, 'blocks went on');
		await decided('deny', 'sealed');
	});

	test('they start again: finality comes back, and heals it', async () => {
		net.validators(1).start();
		await kms.until((s) => !s.sealed && s.final >= revoked, 'unsealed', net.wait(100));
		const { beacon, endpoints } = await kms.status();
		assert.ok(beacon.period >= 1, 'a committee handed over to the next');
		assert.deepEqual(endpoints.map((e) => [e.state, e.lies]), [['good', 0], ['good', 0]]);
		await decided('deny', 'app-measurement');
	});

	test('what it kept proves all of it again', async () => {
		const findings = kms.events.filter((e) => e.type === 'finding').map((e) => e.finding);
		const verified = await kms.verify();
		assert.equal(verified.json?.ok, true, verified.err);
		assert.deepEqual(findings, ['stealthy-deployer']); // a version came and went
		assert.equal(verified.code, EXIT.findings);
		assert.equal(await kms.stop(), EXIT.good);
	});

	// calm: a moment to stop finality at. The next committee is taught by what is final in this period, and the one after
	// it is taught in the next: if a period goes by without, no light client can follow any more.
	async function calm() {
		const [early, late] = [4 * SLOTS_PER_EPOCH, 6 * SLOTS_PER_EPOCH];
		const at = net.slot() % SLOTS_PER_PERIOD;
		if (at < early || at > late) await net.to(net.slot() + ((early - at + SLOTS_PER_PERIOD) % SLOTS_PER_PERIOD));
	}
});
