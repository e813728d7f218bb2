// SPDX-License-Identifier: Apache-2.0
//
// Heartbeats, live: a node that requires them is sealed until its account sent the nonce that it drew, of this boot
// and fresh; and a data directory that was rolled back behind one stays sealed until the node registers anew. The
// chain goes on in real time.

import { strict as assert } from 'node:assert';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAnvil } from './chain.mjs';
import { EXIT, eventually } from './run.mjs';
import { APP, NOTICE, Story } from './story.mjs';
import { bytes, heartbeat, hex, sha256 } from './kdf.mjs';

const LIMIT_S = 20;
const WAIT_MS = 60000; // a busy machine
const BEAT = /no heartbeat of this boot/;
const OLD = /rolled back, or is a copy; register the node anew/;
const nowS = () => Math.floor(Date.now() / 1000);
let chain, story, kms, unsent;

const own = async () => (await kms.cli('keys', 'node')).json;
const sizeOf = (nonce) => bytes(nonce).readBigUInt64BE();

// nonce: the newest that it drew; other than `not`.
const nonce = (not) =>
	eventually(
		'a nonce',
		async () => {
			const drawn = (await own())?.nonce;
			return drawn && drawn !== not && drawn;
		},
		WAIT_MS,
	);

// beat: `from` sends it, and the node has taken the block.
async function beat(drawn, from = story.kms1) {
	await story.derot.send(from, 'heartbeat', [drawn]);
	await kms.reaches(await chain.height(), WAIT_MS);
	return drawn;
}

const sealed = (why) => kms.until((s) => s.sealed && why.test(s.why), `sealed: ${why}`, WAIT_MS);
const open = () => kms.until((s) => !s.sealed, 'unsealed', WAIT_MS);
const ask = () => kms.derive(APP, 'mail-v1');

before(async () => {
	chain = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(nowS() - 600)]);
	story = await Story.found(chain, { finality: 'safe' });
	kms = await story.kms({ poll_ms: 250 }).start();
	await story.root(kms);
	await story.registerApp();
	await story.announce('mail-v1');
	await story.pass(NOTICE.app);
	await story.final(kms);
	assert.equal((await ask()).verdict, 'allow');
	await kms.stop();
	await chain.mine(nowS());
	await chain.rpc('evm_setIntervalMining', 1);
	await kms.start({ heartbeat: true, max_staleness: LIMIT_S });
});
after(async () => {
	await kms?.stop();
	await chain?.stop();
});

test('sealed until its own account sent what it drew', async () => {
	await sealed(BEAT);
	const drawn = await nonce();
	const said = await kms.cli('keys', 'heartbeat');
	assert.equal(said.code, EXIT.good, said.err);
	assert.ok(said.json.data.endsWith(said.json.heartbeat_nonce.slice(2)));
	await beat(drawn, story.mallory);
	assert.match((await kms.status()).why, BEAT, "another account's heartbeat");
	assert.equal((await ask()).reason, 'sealed');
	await beat('0x' + '5a'.repeat(32), story.kms2);
	assert.match((await kms.status()).why, BEAT, 'a nonce that nobody drew');
	await beat(await nonce());
	const status = await open();
	assert.ok(status.heartbeat && status.heartbeat_age_s <= LIMIT_S);
	assert.equal((await ask()).verdict, 'allow');
});

test('past max_staleness without a new one: sealed; healed by the next', async () => {
	let status = await kms.status();
	for (const end = Date.now() + WAIT_MS; !status.sealed && Date.now() < end; await sleep(100)) {
		assert.ok(status.heartbeat_age_s <= LIMIT_S, JSON.stringify(status));
		assert.ok(status.lease_left_s <= LIMIT_S - status.heartbeat_age_s, JSON.stringify(status));
		status = await kms.status();
	}
	assert.match(status.why, BEAT);
	assert.ok(status.heartbeat_age_s > LIMIT_S && status.heartbeat_age_s <= LIMIT_S + 15, JSON.stringify(status));
	assert.equal((await ask()).reason, 'sealed');
	await beat(await nonce());
	await open();
	assert.equal((await ask()).verdict, 'allow');
});

test('what was drawn before a restart counts for nothing after it', async () => {
	unsent = await nonce();
	const sent = (await kms.journal()).filter((n) => n.kind === 'heartbeat' && /seen in/.test(n.detail));
	assert.ok(sent.length > 0 && !JSON.stringify(sent).includes(unsent.slice(2)));
	assert.equal(await kms.stop(), 0);
	await kms.start();
	await sealed(BEAT);
	await beat(unsent);
	await kms.reaches((await chain.height()) + 1, WAIT_MS);
	assert.match((await kms.status()).why, BEAT, 'of this journal, and not of this boot');
	await beat(await nonce(unsent));
	await open();
});

test('a data directory rolled back behind a heartbeat: sealed, and stays so', async () => {
	const old = join(kms.folder, 'old');
	unsent = await nonce();
	assert.equal(await kms.stop(), 0);
	cpSync(kms.data, old, { recursive: true });
	await kms.start();
	await sealed(BEAT);
	const newest = await beat(await nonce());
	await open();
	assert.equal(await kms.stop(), 0);
	const rollBack = () => {
		rmSync(kms.data, { recursive: true });
		cpSync(old, kms.data, { recursive: true });
	};

	rollBack();
	await kms.start();
	await sealed(OLD);
	assert.equal((await ask()).reason, 'sealed');
	assert.equal((await own()).nonce, null, 'none is drawn that could hide it');
	assert.equal((await kms.cli('keys', 'heartbeat')).code, EXIT.sealed);
	// One that this very journal drew once; and what it would draw from as much as it had.
	assert.ok(sizeOf(unsent) < sizeOf(newest));
	await beat(unsent);
	assert.match((await kms.status()).why, OLD, 'the smaller journal does not take the place of the larger');
	// It goes on, and is as long as the lost one was some day: that makes it no other.
	await kms.until((s) => BigInt(s.journal_size) > sizeOf(newest), 'a longer journal', WAIT_MS);
	const { why, journal_size: size, journal_root } = await kms.status();
	assert.match(why, OLD);
	// Anybody can read a journal, and make a nonce of it that takes the place of the true one.
	const made = heartbeat({ chainId: 31337, contract: story.derot.address, node: story.kms1, size, root: bytes(journal_root) });
	await beat('0x' + hex(made));
	assert.match((await kms.status()).why, OLD, 'made by hand, and not drawn');
	assert.equal(await kms.stop(), 0);
	await kms.start();
	await sealed(OLD);
	assert.equal((await own()).nonce, null);
	assert.ok((await kms.journal()).some((n) => n.kind === 'lease' && OLD.test(n.detail)));
	assert.equal((await ask()).reason, 'sealed');
});

// rootOf: RFC 6962, 2.1: the root over leaf hashes.
function rootOf(hashes) {
	if (hashes.length === 1) return hashes[0];
	const left = 2 ** (Math.ceil(Math.log2(hashes.length)) - 1);
	return sha256(Buffer.from([1]), rootOf(hashes.slice(0, left)), rootOf(hashes.slice(left)));
}

test('every nonce names a size of the journal, and its root', async () => {
	const journal = await kms.journal();
	const drawn = journal.filter((n) => n.kind === 'heartbeat' && /^drawn/.test(n.detail));
	assert.ok(drawn.length >= 3);
	for (const { hash } of drawn) {
		const size = Number(sizeOf(hash));
		const root = rootOf(journal.slice(0, size).map((n) => bytes(n.leaf)));
		assert.equal(hash, '0x' + hex(heartbeat({ chainId: 31337, contract: story.derot.address, node: story.kms1, size, root })));
		assert.match(journal[size - 1].detail, /^a heartbeat is drawn; random [0-9a-f]{64}$/, 'that nobody knew before');
		assert.equal(journal[size].hash, hash);
	}
});

test('registered anew: it begins anew, without its generation', async () => {
	await story.register(kms, 9);
	await kms.reaches(await chain.height(), WAIT_MS);
	await sealed(BEAT);
	await beat(await nonce());
	await open();
	assert.equal((await ask()).reason, 'root-share', 'what it held was given to another registration');
	assert.equal(await kms.stop(), 0);
	await kms.start();
	await sealed(BEAT);
	await beat(await nonce());
	await open();
	assert.equal((await ask()).reason, 'root-share');
});
