// SPDX-License-Identifier: Apache-2.0
//
// derot run on a live chain: what council and deployer decide changes what a key request is answered, after finality
// and notice only; what a guardian revokes does so at the head; what lacks a vote changes nothing.

import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { label, word } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { ACTION, proposalSlots } from './derot.mjs';
import { EXIT, build, eventually, folder, replay } from './run.mjs';
import { APP, BUILD, NOTICE, Story } from './story.mjs';

let chain;
before(async () => (chain = await startAnvil(['--slots-in-an-epoch', '1'])));
after(() => chain.stop());

// The node has taken the newest block as a head.
const atHead = async (kms) => {
	const height = await chain.height();
	return kms.until((s) => s.head >= height, `head ${height}`);
};
const denied = async (kms, reason, measurement = 'mail-v1') => {
	const answer = await kms.derive(APP, measurement);
	assert.equal(answer.verdict, 'deny');
	assert.equal(answer.reason, reason);
	assert.equal(answer.key, undefined);
};

describe('a council, a node, a root, an application', () => {
	let story, kms, key;
	before(async () => {
		story = await Story.found(chain);
		kms = story.kms();
		await kms.start();
	});
	after(() => kms?.stop());

	test('founding: proven, and nobody is answered', async () => {
		await story.final(kms);
		const actions = (await kms.log()).map((c) => c.action);
		assert.deepEqual(new Set(actions), new Set(['council.member_set', 'council.quorum_set', 'council.notice_set', 'council.guardian_add', 'profile.set', 'council.constitute']));
		assert.equal((await kms.status()).sealed, false);
		await denied(kms, 'node');
	});
	test('a node that registers is no node before the council allows its build', async () => {
		await story.register();
		await atHead(kms);
		await denied(kms, 'node'); // a head grants nothing
		await story.final(kms);
		await denied(kms, 'node-measurement');
	});
	test('the council allows it: after notice, after finality', async () => {
		await story.council(ACTION.measurementAllow, BUILD);
		await story.final(kms);
		await denied(kms, 'node-measurement');
		await story.pass(NOTICE.measurement);
		await atHead(kms);
		await denied(kms, 'node-measurement');
		await story.final(kms);
		await denied(kms, 'app-unknown');
	});
	test('a rotation: the core makes the root once it is due and final', async () => {
		await story.council(ACTION.rootRotate, 1, story.kms1, (await chain.time()) + 1200);
		await story.final(kms);
		assert.equal((await kms.cli('keys', 'public')).code, EXIT.sealed);
		await story.pass(NOTICE.root);
		await atHead(kms);
		assert.equal((await kms.cli('keys', 'public')).code, EXIT.sealed);
		await story.final(kms);
		const root = await story.publish(kms);
		assert.equal(root.generation, 1);
		assert.equal(root.published, false);
		assert.equal((await kms.status()).generation, null);
		await story.final(kms);
		await kms.until((s) => s.generation === 1 && s.generation_ours);
		const published = (await kms.log()).find((c) => c.action === 'root.publish');
		assert.equal(published.outcome, 'applied');
		assert.equal((await kms.cli('keys', 'public')).json.published, true);
	});
	for (const name of ['derot-core', 'derot-watch'])
		test(`${name} is killed: started again, sealed first, with the same root`, async () => {
			const before = (await kms.cli('keys', 'public')).json;
			const { [name]: pid } = kms.children();
			process.kill(pid, 'SIGKILL');
			await eventually('other processes', () => {
				const now = kms.children();
				return now['derot-core'] && now['derot-watch'] && now[name] !== pid && now;
			});
			await kms.until((s) => !s.sealed && s.generation_ours, 'unsealed');
			assert.deepEqual((await kms.cli('keys', 'public')).json, before);
			assert.ok((await kms.journal()).filter((n) => n.kind === 'start').length >= 2);
		});
	// A program that is killed; one that folds a long history first, for longer than it is waited for when it is to end.
	const killed = '#!/bin/sh\nkill -9 $$\n';
	const slow = `#!/bin/sh\nsleep 17\nexec ${join(build, 'derot-core')} "$@"\n`;
	for (const [name, programs] of [['derot-core', { 'derot-core': killed }], ['derot-watch', { 'derot-core': slow, 'derot-watch': killed }]])
		test(`${name} is killed before the core was ever ready: nothing is started again, and derot run ends with an error`, async () => {
			const other = story.kms();
			await other.configure();
			const path = folder();
			for (const program of ['derot', 'derot-watch']) copyFileSync(join(build, program), join(path, program));
			for (const [program, text] of Object.entries(programs)) writeFileSync(join(path, program), text, { mode: 0o755 });
			const ended = spawnSync(join(path, 'derot'), ['run', '-c', other.config], { encoding: 'utf8', timeout: 60000 });
			assert.equal(ended.status, EXIT.error, ended.stderr);
			assert.match(ended.stderr, new RegExp(`${name} was killed by SIGKILL`));
			assert.doesNotMatch(ended.stderr, /starting again/);
		});
	test('the configuration is changed meanwhile: it counts as a whole from the next start; spoiled, nothing runs', async () => {
		const other = await story.kms().start();
		await other.until((s) => !s.sealed, 'unsealed');
		const text = readFileSync(other.config, 'utf8');
		writeFileSync(other.config, text.replace('endpoints:\n', 'endpoints:\n  - name: dead\n    url: http://127.0.0.1:1/\n'));
		process.kill(other.children()['derot-watch'], 'SIGKILL');
		const names = (s) => String(s.endpoints.map((e) => e.name));
		await other.until((s) => !s.sealed && names(s) === 'dead,node-0', 'unsealed, with both');
		await chain.mine();
		await story.final(other);
		assert.equal((await other.verify()).code, EXIT.good);
		writeFileSync(other.config, text.slice(0, text.length / 2));
		process.kill(other.children()['derot-core'], 'SIGKILL');
		await eventually('a word about it', () => /the configuration/.test(other.err));
		assert.deepEqual(other.children(), {});
		writeFileSync(other.config, text);
		await other.until((s) => !s.sealed && names(s) === 'node-0', 'unsealed, as before');
		assert.equal((await other.verify()).code, EXIT.good);
		assert.equal((await replay(await other.exported(), '--anchor', await other.anchor())).status.final, (await other.status()).final);
		assert.equal(await other.stop(), EXIT.good);
	});
	test('an application: unknown, then in notice, then allowed', async () => {
		await denied(kms, 'app-unknown');
		await story.registerApp();
		await story.announce('mail-v1');
		await atHead(kms);
		await denied(kms, 'app-unknown');
		await story.final(kms);
		await denied(kms, 'app-notice');
		await story.pass(NOTICE.app);
		await atHead(kms);
		await denied(kms, 'app-notice');
		await story.final(kms);
		const answer = await kms.derive(APP, 'mail-v1');
		assert.equal(answer.verdict, 'allow');
		assert.equal(answer.generation, 1);
		assert.equal(answer.development_root, true);
		assert.match(answer.key, /^0x([0-9a-f]{2}){32,}$/);
		({ key } = answer);
	});
	test('the same request has the same key, another has another', async () => {
		assert.equal((await kms.derive(APP, 'mail-v1')).key, key);
		assert.notEqual((await kms.derive(APP, 'mail-v1', '--purpose', 'sign')).key, key);
		await denied(kms, 'app-measurement', 'mail-v2');
	});
	test('a restart is sealed until something final is proven, and then knows the same', async () => {
		assert.equal(await kms.stop(), EXIT.good);
		const deaf = kms.copy({ endpoints: ['http://127.0.0.1:9'] });
		await deaf.start();
		const status = await deaf.cli('status');
		assert.equal(status.code, EXIT.sealed);
		assert.match(status.json.why, /no complete final block/);
		assert.equal((await deaf.derive(APP, 'mail-v1')).reason, 'sealed');
		await deaf.stop();
		await kms.start();
		await kms.until((s) => !s.sealed);
		assert.equal((await kms.derive(APP, 'mail-v1')).key, key);
	});
	test('every request is in the journal before its key, and the ledger is what the evidence says', async () => {
		const notes = await kms.journal();
		const requests = notes.filter((n) => n.kind === 'request');
		const releases = notes.filter((n) => n.kind === 'release');
		assert.ok(requests.length > 8);
		assert.equal(releases.length, 4);
		for (const release of releases) {
			const [, request] = release.detail.match(/^request (\d+):/);
			const intent = notes[Number(request)];
			assert.equal(intent.kind, 'request');
			assert.match(intent.detail, /: allow/);
			assert.ok(intent.index < release.index);
			assert.doesNotMatch(release.detail, new RegExp(key.slice(2)));
		}
		const verified = await kms.verify();
		assert.equal(verified.code, EXIT.good, verified.err);
		assert.equal(verified.json?.ok, true, verified.out);
	});
	test('a guardian’s revocation denies at the head, and stays', async () => {
		const { final } = await kms.status();
		await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label('mail-v1')]);
		await atHead(kms);
		await denied(kms, 'head');
		assert.ok((await kms.status()).final < (await chain.height()), 'it was not final yet');
		assert.ok((await kms.status()).final >= final);
		await story.final(kms);
		await denied(kms, 'app-measurement');
	});
	test('stops in good order', async () => assert.equal(await kms.stop(), EXIT.good));
});

describe('without one needed vote', () => {
	let story, kms, id;
	before(async () => {
		story = await Story.found(chain);
		kms = story.kms();
		await kms.start();
		await story.register();
		id = await story.derot.propose(story.alice, ACTION.measurementAllow, [BUILD]);
		await story.derot.send(story.alice, 'vote', [id, true]);
	});
	after(() => kms?.stop());

	test('nothing changes: the execution reverts', async () => {
		assert.equal(await story.derot.refusal(story.alice, 'execute', [id]), 'Unsupported');
		await story.pass(NOTICE.measurement);
		await story.final(kms);
		await denied(kms, 'node-measurement');
		assert.equal((await kms.status()).findings, 0);
		assert.ok(!(await kms.log()).some((c) => c.action === 'measurement.allow'));
	});
	test('a tally written from outside: on chain it goes through, here it is a finding and grants nothing', async () => {
		await chain.setStorage(story.derot.address, proposalSlots(id).yes, '0x' + word(2));
		await story.derot.send(story.mallory, 'execute', [id]);
		await story.pass(NOTICE.measurement);
		await story.final(kms);
		const refused = (await kms.log()).filter((c) => c.outcome === 'refused');
		assert.deepEqual(refused.map((c) => c.action), ['proposal.execute', 'measurement.allow']);
		const finding = await kms.event((e) => e.type === 'finding' && e.finding === 'unsupported-execution');
		assert.equal(finding.proposal, Number(id));
		assert.ok((await kms.status()).findings >= 1);
		await denied(kms, 'node-measurement');
		assert.equal((await kms.verify()).code, EXIT.findings);
	});
	test('a terminal that hangs up stops it in good order too', async () => {
		assert.equal(await kms.stop('SIGHUP'), EXIT.good);
		assert.ok(kms.events.some((e) => e.type === 'journal' && e.kind === 'stop'));
	});
});

test('a chain that stands still seals the node when its lease ends', async () => {
	const still = await startAnvil(['--slots-in-an-epoch', '1']);
	const story = await Story.found(still);
	const kms = await story.kms({ max_staleness: 3 }).start();
	// Where it takes longer than the lease, once more.
	const unseal = () =>
		eventually('unsealed', async () => {
			await still.mine();
			await story.final(kms);
			const status = await kms.status();
			return !status.sealed && status.lease_left_s > 0;
		});
	await unseal();
	const sealed = await kms.until((s) => s.sealed, 'the lease to end');
	assert.match(sealed.why, /older than max_staleness/);
	assert.equal(sealed.lease_left_s, 0);
	await denied(kms, 'sealed');
	await unseal();
	await kms.stop();
	await still.stop();
});
