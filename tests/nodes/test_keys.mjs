// SPDX-License-Identifier: Apache-2.0
//
// Keys across nodes: two nodes, every purpose, epochs, handover between versions and generations, certificates, the
// whole life of a root generation; each key once more by an implementation of its own (kdf.mjs), out of the sealed
// root as it lies on the disk.

import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { x25519 } from '@noble/curves/ed25519';
import { ACTION } from './derot.mjs';
import { label } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { EXIT, derotCli, eventually, profileDigest } from './run.mjs';
import { APP, BUILD, NOTICE, SERVICE, Story } from './story.mjs';
import { bytes, checkProof, ed25519Public, evaluate, hex, kdfInput, keyOf, openRoot, prfPublic } from './kdf.mjs';

const CLUSTER = 'cluster-7';
const CONTRACT = '0x' + '00'.repeat(31) + '2a';
let chain, story, one, two, facts;

before(async () => {
	// Two days ago: the chain's clock is moved on by hours, and certificates begin when the chain says.
	const start = Math.floor(Date.now() / 1000) - 172800;
	chain = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(start)]);
	story = await Story.found(chain);
	one = story.kms({ max_staleness: 1000000 });
	two = story.kms({ node: story.kms2, max_staleness: 1000000 });
	facts = {
		chainId: Number(await chain.rpc('eth_chainId')),
		genesis: (await chain.rpc('eth_getBlockByNumber', '0x0', false)).hash,
		contract: story.derot.address,
		profile: await profileDigest(),
	};
	await Promise.all([one.start(), two.start()]);
	await story.root(one);
	await story.registerApp();
	await story.announce('mail-v1');
	await story.derot.send(story.dave, 'setEpochPolicy', [label(APP), label(SERVICE), 3600, 600]);
	await story.pass(NOTICE.app);
	await story.final(one);
});
after(async () => {
	await Promise.all([one?.stop(), two?.stop()]);
	await chain?.stop();
});

// expected: the key by kdf.mjs for an answer of derot keys derive.
function expected(kms, answer, { purpose = 'seal', service = '0x' + '00'.repeat(32), contract } = {}) {
	const root = openRoot({ ...facts, data: kms.data, keyFile: join(kms.folder, 'key'), generation: answer.generation });
	const input = kdfInput({
		...facts,
		generation: answer.generation,
		deployer: story.dave,
		appHash: answer.app_hash,
		nonce: label(`nonce of ${APP}`),
		purpose,
		service,
		epoch: answer.epoch,
	});
	return { root, input, key: keyOf(evaluate(root.scalar, input).output, purpose, contract) };
}

const PURPOSES = [
	{ purpose: 'seal' },
	{ purpose: 'sign' },
	{ purpose: 'tls' },
	{ purpose: 'seal', service: label(SERVICE) },
	{ purpose: 'storage', service: label(SERVICE) },
	{ purpose: 'cluster', service: label(CLUSTER) },
	{ purpose: 'contract', service: label(CLUSTER), contract: CONTRACT },
];
const flags = ({ purpose, service, contract }) => [
	...['--purpose', purpose],
	...(service ? ['--service', service] : []),
	...(contract ? ['--contract', contract] : []),
];
const openssl = (...args) => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test('every purpose, by an implementation of its own', async () => {
	const seen = new Set();
	for (const row of PURPOSES) {
		const answer = await one.derive(APP, 'mail-v1', ...flags(row), '--prove');
		assert.equal(answer.verdict, 'allow', JSON.stringify(answer));
		const own = expected(one, answer, row);
		assert.equal(answer.key, '0x' + hex(own.key), row.purpose);
		const proven = checkProof(bytes(answer.proof), prfPublic(own.root.scalar), own.input, row.purpose, row.contract);
		assert.equal('0x' + hex(proven), answer.key);
		seen.add(answer.key);
	}
	assert.equal(seen.size, PURPOSES.length, 'no two purposes have one key');
});

test('a second node: nothing before its share; then byte for byte', async () => {
	const parcel = join(one.folder, 'parcel');
	const share = () => one.cli('keys', 'share', '--to', story.kms2, '-o', parcel);

	assert.equal((await share()).code, EXIT.sealed, 'a node that is not registered');
	await story.register(two, 2);
	await story.final(one);
	assert.equal((await share()).code, EXIT.sealed, 'a registered node without a share');
	await story.council(ACTION.rootShare, 1, story.kms2);
	await story.final(one);
	assert.equal((await share()).code, EXIT.sealed, 'a share whose notice still runs');
	await story.pass(NOTICE.root);
	await story.final(one);
	await story.final(two);
	assert.equal((await two.derive(APP, 'mail-v1')).reason, 'root-foreign');

	const done = await share();
	assert.equal(done.code, EXIT.good, done.err);
	const cut = readFileSync(parcel);
	cut[cut.length - 1] ^= 1;
	writeFileSync(parcel + '.bad', cut);
	assert.notEqual((await two.cli('keys', 'accept', parcel + '.bad')).code, EXIT.good, 'a changed parcel');
	assert.notEqual((await one.cli('keys', 'accept', parcel)).code, EXIT.good, 'a parcel for another node');
	const taken = await two.cli('keys', 'accept', parcel);
	assert.equal(taken.code, EXIT.good, taken.err);
	await two.until((s) => s.generation_ours && !s.sealed);

	for (const row of PURPOSES) {
		const [a, b] = await Promise.all([one, two].map((kms) => kms.derive(APP, 'mail-v1', ...flags(row))));
		assert.equal(a.key, b.key, row.purpose);
		assert.equal(a.certificate, b.certificate, row.purpose);
	}
	for (const kms of [one, two]) {
		const shares = (await kms.journal()).filter((n) => n.kind === 'share');
		assert.ok(shares.some((n) => /encrypted to node|taken from node/.test(n.detail)), JSON.stringify(shares));
	}
	const certificates = await Promise.all([one, two].map((kms) => kms.cli('keys', 'certificate')));
	assert.equal(certificates[0].code, EXIT.good, certificates[0].err);
	assert.equal(certificates[0].out, certificates[1].out);
});

test('certificates verify with plain openssl', async () => {
	for (const purpose of ['sign', 'tls']) {
		const answer = await one.derive(APP, 'mail-v1', '--purpose', purpose);
		const paths = { root: join(one.folder, 'root.pem'), app: join(one.folder, `${purpose}.pem`) };
		writeFileSync(paths.root, (await derotCli(['keys', 'certificate', '-c', one.config, '--format', 'table'])).out);
		writeFileSync(paths.app, answer.certificate);
		assert.match(openssl('verify', '-x509_strict', '-CAfile', paths.root, paths.app), /: OK/);
		const key = openssl('x509', '-in', paths.app, '-noout', '-pubkey').replace(/-----.*-----|\s/g, '');
		assert.equal(hex(Buffer.from(key, 'base64').subarray(-32)), hex(ed25519Public(bytes(answer.key))), 'its key');
		const other = readFileSync(paths.app, 'utf8').split('\n');
		other[4] = other[4].replace(/./, (c) => (c === 'A' ? 'B' : 'A'));
		writeFileSync(paths.app + '.bad', other.join('\n'));
		assert.throws(() => openssl('verify', '-CAfile', paths.root, paths.app + '.bad'), purpose);
	}
});

test('to a recipient: only its secret opens the answer', async () => {
	const secret = x25519.utils.randomPrivateKey();
	const answer = await one.derive(APP, 'mail-v1', '--recipient', '0x' + hex(x25519.getPublicKey(secret)));
	assert.equal(answer.key, undefined);
	assert.ok(bytes(answer.box).length > 100);
});

test('epochs: the one in force, the one before while the overlap runs, nothing older', async () => {
	const ask = (...more) => one.derive(APP, 'mail-v1', '--purpose', 'storage', '--service', label(SERVICE), ...more);
	const first = await ask();
	await story.pass(3600);
	await story.final(one);
	const second = await ask();
	assert.equal(second.epoch, first.epoch + 1);
	assert.equal(second.key, '0x' + hex(expected(one, second, { purpose: 'storage', service: label(SERVICE) }).key));
	assert.equal((await ask('--before')).key, first.key);
	await story.pass(700);
	await story.final(one);
	assert.equal((await ask('--before')).reason, 'epoch');
});

test('a generation after: signed by the one before, made by the second node, handed back', async () => {
	await story.announce('mail-v2');
	await story.derot.send(story.dave, 'handover', [label(APP), label('mail-v1'), label('mail-v2')]);
	await story.pass(NOTICE.app);
	await story.final(one);
	const old = await one.derive(APP, 'mail-v1');
	const from = ['--from', label('mail-v1')];
	assert.equal((await one.derive(APP, 'mail-v2', ...from)).key, old.key, 'handover between versions');

	await story.rotate(2, story.kms2);
	await story.final(two);
	await story.publish(two, 2);
	await story.final(one);
	await story.final(two);
	await two.until((s) => s.generation === 2 && s.generation_ours);
	assert.equal((await one.derive(APP, 'mail-v2')).reason, 'root-share', 'the first node was not given generation 2');
	await story.council(ACTION.rootShare, 2, story.kms1);
	await story.pass(NOTICE.root);
	await story.final(one);
	await story.final(two);
	const parcel = join(two.folder, 'parcel');
	const done = await two.cli('keys', 'share', '--to', story.kms1, '--generation', '2', '-o', parcel);
	assert.equal(done.code, EXIT.good, done.err);
	assert.equal((await one.cli('keys', 'accept', parcel)).code, EXIT.good);
	await one.until((s) => s.generation === 2 && s.generation_ours && !s.sealed);

	const rows = await Promise.all([one, two].map((kms) => kms.derive(APP, 'mail-v2')));
	assert.equal(rows[0].key, rows[1].key);
	assert.equal(rows[0].generation, 2);
	assert.notEqual(rows[0].key, old.key);
	const before = await Promise.all([one, two].map((kms) => kms.derive(APP, 'mail-v2', ...from, '--root-before')));
	assert.deepEqual(before.map((b) => b.key), [old.key, old.key], 'the generation before, under the handover');
	assert.equal((await one.derive(APP, 'mail-v1', '--root-before')).reason, 'malformed', 'never without a handover');
});

test('retired: destroyed, on both', async () => {
	await story.council(ACTION.rootRetire, 1);
	await story.final(one);
	await story.final(two);
	for (const kms of [one, two]) {
		await eventually('the destruction', async () =>
			(await kms.journal()).some((n) => /generation 1 destroyed/.test(n.detail)),
		);
		assert.equal((await kms.derive(APP, 'mail-v2', '--from', label('mail-v1'), '--root-before')).reason, 'root');
		assert.throws(() => openRoot({ ...facts, data: kms.data, keyFile: join(kms.folder, 'key'), generation: 1 }));
	}
});

test('sealed anew: the old key file opens nothing, the new one everything', async () => {
	const keyFile = join(one.folder, 'key');
	const old = readFileSync(keyFile);
	const key = (await one.derive(APP, 'mail-v2')).key;
	const done = await one.cli('keys', 'reseal');
	assert.equal(done.code, EXIT.good, done.err);
	const next = readFileSync(keyFile);
	assert.notDeepEqual(next, old);
	assert.equal((await one.derive(APP, 'mail-v2')).key, key);
	await one.stop();
	writeFileSync(keyFile, old);
	await one.start({ wait: false });
	assert.equal(await one.ended(), EXIT.error);
	assert.match(one.err, /another key file/);
	writeFileSync(keyFile, next);
	await one.start();
	await one.until((s) => s.generation_ours && !s.sealed);
	assert.equal((await one.derive(APP, 'mail-v2')).key, key);
});

test('the holder registers anew: its right is gone until it is given the generation again', async () => {
	await story.register(two, 2);
	await story.final(one);
	await story.final(two);
	assert.equal((await two.derive(APP, 'mail-v2')).reason, 'root-share');
	assert.equal((await one.derive(APP, 'mail-v2')).verdict, 'allow');
});

test('the build revoked: the generation is exposed, rotation is due, and then nothing', async () => {
	await story.derot.send(story.grace, 'revokeMeasurement', [BUILD]);
	await story.final(one);
	assert.equal((await one.derive(APP, 'mail-v2')).reason, 'node-measurement');
	const status = await one.until((s) => s.rotation_deadline !== null);
	assert.ok(status.rotation_deadline);
	const log = await one.log();
	assert.ok(log.some((c) => c.action === 'root.expose' && c.outcome === 'matured'), 'a change of its own');
});
