// SPDX-License-Identifier: Apache-2.0
//
// What an operator does by hand, from an empty folder to a node in use: a key file under a passphrase, registration,
// publication and heartbeat as raw transactions of the node's account, which the test sends as the operator would.

import { strict as assert } from 'node:assert';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { x25519 } from '@noble/curves/ed25519';
import { startAnvil } from './chain.mjs';
import { EXIT, eventually } from './run.mjs';
import { APP, BUILD, NOTICE, Story } from './story.mjs';

// anvil's accounts 6 (the node's) and 5, whose keys everybody knows.
const KEY = '92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e';
const OTHER = '8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba';
let chain, story, kms, account, other;

const file = (name, text) => {
	const path = join(kms.folder, name);
	writeFileSync(path, text, { mode: 0o600 });
	return path;
};

before(async () => {
	chain = await startAnvil(['--slots-in-an-epoch', '1']);
	story = await Story.found(chain);
	kms = story.kms({ heartbeat: true, passphrase_file: 'phrase' });
	await kms.configure();
	file('phrase', 'correct horse battery staple\n');
	account = file('account', KEY + '\n');
	other = file('other', OTHER);
});
after(async () => {
	await kms?.stop();
	await chain?.stop();
});

// send: the raw transaction of an answer of derot keys, and its receipt; every claim of the answer holds.
async function send({ code, json, err }) {
	assert.equal(code, EXIT.good, err);
	const block = await chain.height();
	assert.equal(await chain.rpc('eth_getTransactionReceipt', json.transaction), null, 'nothing was sent before');
	assert.equal(await chain.rpc('eth_sendRawTransaction', json.raw), json.transaction);
	const receipt = await chain.receipt(json.transaction);
	assert.equal(receipt.status, '0x1');
	assert.ok(Number(receipt.blockNumber) > block);
	const sent = await chain.rpc('eth_getTransactionByHash', json.transaction);
	assert.equal(sent.type, '0x2');
	assert.equal(sent.from, story.kms1);
	assert.equal(sent.to, story.derot.address);
	assert.equal(sent.input, json.data);
	assert.equal(Number(sent.nonce), json.nonce);
	assert.equal(Number(sent.gas), json.gas);
	assert.equal(Number(sent.maxFeePerGas), json.max_fee);
	assert.equal(Number(sent.maxPriorityFeePerGas), json.priority_fee);
	return json;
}

test('the key file is wrapped under the passphrase', async () => {
	const made = await kms.cli('keys', 'init', '--argon2-mib', '8');
	assert.equal(made.code, EXIT.good, made.err);
	assert.equal(made.json.argon2_mib, 8);
	const key = readFileSync(join(kms.folder, 'key'));
	assert.equal(key.subarray(0, 8).toString(), 'derotkey');
	assert.equal(statSync(join(kms.folder, 'key')).mode & 0o777, 0o600);
	assert.equal((await kms.cli('keys', 'init')).code, EXIT.error, 'never over a key that is there');
	assert.deepEqual(readFileSync(join(kms.folder, 'key')), key);
	await kms.start();
});

test('the node says what to register', async () => {
	const { code, json, err } = await kms.cli(
		...['keys', 'node', '--measurement', BUILD, '--tee', 'tdx', '--family', 'fam-good', '--svn', '7', '--device', 'rack1'],
	);
	assert.equal(code, EXIT.good, err);
	assert.match(json.vkey, /^derot\/31337\/0x[0-9a-f]{40}\/0x[0-9a-f]{40}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/);
	assert.equal(json.from, story.kms1);
	await chain.send({ from: json.from, to: json.to, data: json.data, value: '0x' + (1000n * 10n ** 9n).toString(16) });
	await story.final(kms);
	const node = (await kms.log()).find((c) => c.action === 'node.register');
	assert.ok(JSON.stringify(node).includes(json.enc_key.slice(2)), JSON.stringify(node));
});

test('sealed until its heartbeat is final', async () => {
	await story.allowBuild();
	await story.rotate();
	await story.final(kms);
	const status = await kms.status();
	assert.equal(status.sealed, true);
	assert.match(status.why, /heartbeat/);
	const drawn = await eventually('a nonce', async () => {
		const answer = await kms.cli('keys', 'heartbeat', '--account-key', account);
		return answer.code === EXIT.good && answer;
	});
	assert.equal(drawn.json.gas_note, undefined, 'estimated');
	const sent = await send(drawn);
	assert.ok(sent.data.endsWith(sent.heartbeat_nonce.slice(2)));
	await story.final(kms);
	await kms.until((s) => !/heartbeat/.test(s.why ?? ''), 'the heartbeat to count');
	assert.ok((await kms.status()).heartbeat_age_s !== null);
});

test('refuses another account, and says which', async () => {
	for (const form of ['publish', 'heartbeat']) {
		const { code, json } = await kms.cli('keys', form, '--account-key', other);
		assert.equal(code, EXIT.error);
		assert.equal(json.error.code, 'account');
		assert.equal(json.error.expected, story.kms1);
		assert.equal(json.error.got, story.mallory);
	}
});

test('publishes the root by the raw transaction', async () => {
	const before = await kms.cli('keys', 'publish');
	assert.equal(before.code, EXIT.good, before.err);
	assert.equal(before.json.raw, undefined, 'no key, no signature');
	const sent = await send(await kms.cli('keys', 'publish', '--account-key', account));
	assert.equal(sent.data, before.json.data);
	await story.final(kms);
	await kms.until((s) => s.generation === 1 && s.generation_ours && !s.sealed, 'the active generation');
	assert.equal((await kms.status()).holding, 'ours');
	const again = await kms.cli('keys', 'publish', '--account-key', account);
	assert.equal(again.code, EXIT.error);
	assert.equal(again.json.error.code, 'published');
});

test('takes the terms that are given, and asks nobody then', async () => {
	const given = ['--tx-nonce', '99', '--gas', '60000', '--max-fee-gwei', '3', '--priority-fee', '7'];
	const { code, json } = await kms.cli('keys', 'heartbeat', '--account-key', account, ...given);
	assert.equal(code, EXIT.good);
	assert.deepEqual([json.nonce, json.gas, json.max_fee, json.priority_fee], [99, 60000, 3000000000, 7]);
	assert.equal(json.endpoints, undefined);
});

test('a key, proven; in the clear and in a box', async () => {
	await story.registerApp();
	await story.announce('mail-v1');
	await story.pass(NOTICE.app);
	await story.final(kms);
	const plain = await kms.derive(APP, 'mail-v1', '--prove');
	assert.equal(plain.verdict, 'allow', JSON.stringify(plain));
	assert.equal(plain.proven, true);
	const box = join(kms.folder, 'recipient');
	const boxed = await kms.derive(APP, 'mail-v1', '--recipient-file', box, '--prove');
	assert.equal(boxed.key, plain.key);
	assert.equal(boxed.proven, true);
	assert.equal(statSync(box).mode & 0o777, 0o600);
	const pub = '0x' + Buffer.from(x25519.getPublicKey(readFileSync(box))).toString('hex');
	assert.equal(boxed.recipient, pub);
	const shut = await kms.cli('keys', 'derive', '--app', APP, '--measurement', 'mail-v1', '--recipient', pub);
	assert.equal(shut.json.key, undefined);
});

test('starts again with the passphrase, and not with another', async () => {
	assert.equal(await kms.stop(), EXIT.good);
	file('phrase', 'incorrect horse battery staple\n');
	await kms.start({ wait: false });
	assert.notEqual(await kms.ended(), EXIT.good);
	file('phrase', 'correct horse battery staple');
	await kms.start();
	const { json } = await kms.cli('keys', 'public');
	assert.equal(json.published, true);
});
