// SPDX-License-Identifier: Apache-2.0
//
// What a run made of the chain is made again: by a replay of its recording, in the same order, and by other stores,
// whatever their endpoints, batches, ways, steps and restarts. Only the chain counts. Damaged recordings say so.

import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { label, word } from './abi.mjs';
import { startAnvil } from './chain.mjs';
import { ACTION, proposalSlots } from './derot.mjs';
import { EXIT, childrenOf, derotCli, eventually, folder, replay } from './run.mjs';
import { LACKS, startProxy } from '../hostile/proxy.mjs';
import { APP, NOTICE, SERVICE, Story } from './story.mjs';

let chain, story, kms, end, live, file, anchor;
const answers = [];

const ask = async (...request) => answers.push(await kms.derive(...request));
const rowOf = ({ type, ...row }) => row;
const decision = ({ verdict, reason, generation, epoch }) => ({ verdict, reason, generation, epoch });

// A story with everything in it: rights that come and go, epochs, a stealthy deployer, an unsupported execution; a
// restart in its middle; and questions all along.
before(async () => {
	chain = await startAnvil(['--slots-in-an-epoch', '2']);
	story = await Story.found(chain);
	kms = await story.kms().start();
	await ask(APP, 'mail-v1');
	await story.root(kms);
	await story.registerApp();
	await story.announce('mail-v1');
	await story.derot.send(story.dave, 'setEpochPolicy', [label(APP), label(SERVICE), 100, 20]);
	await story.final(kms);
	await ask(APP, 'mail-v1');
	await story.pass(NOTICE.app);
	await story.final(kms);
	await ask(APP, 'mail-v1');
	await ask(APP, 'mail-v1', '--service', SERVICE);
	assert.equal(await kms.stop(), EXIT.good);
	await kms.start();
	await kms.until((s) => !s.sealed);
	await ask(APP, 'mail-v1', '--service', SERVICE);
	await story.announce('mail-leak');
	await story.pass(NOTICE.app);
	await story.final(kms);
	await ask(APP, 'mail-leak');
	await story.derot.send(story.dave, 'revokeAppMeasurement', [label(APP), label('mail-leak')]);
	await story.derot.send(story.dave, 'advanceEpoch', [label(APP), label(SERVICE)]);
	await eventually('the head', async () => (await kms.status()).head >= (await chain.height()));
	await ask(APP, 'mail-leak');
	const id = await story.derot.propose(story.alice, ACTION.measurementAllow, [label('kms-evil')]);
	await chain.setStorage(story.derot.address, proposalSlots(id).yes, '0x' + word(2));
	await story.derot.send(story.mallory, 'execute', [id]);
	await chain.mineMany(40);
	end = await story.settle();
	await kms.reaches(end);
	const height = await chain.height();
	live = await kms.until((s) => s.head === height, 'the newest head');
	await ask(APP, 'mail-v1', '--service', SERVICE);
	file = await kms.exported();
	anchor = await kms.anchor();
	live = await kms.status();
});
after(async () => {
	await kms?.stop();
	await chain?.stop();
});

const same = (status) => {
	assert.equal(status.final, live.final);
	assert.equal(status.final_hash, live.final_hash);
	assert.equal(status.ledger_size, live.ledger_size);
	assert.equal(status.ledger_root, live.ledger_root);
	assert.equal(status.state_digest, live.state_digest);
};

describe('a replay of the recording', () => {
	test('gives the same ledger, changes, findings and answers, in the same order', async () => {
		const again = await replay(file, '--anchor', anchor);
		assert.equal(again.code, EXIT.findings, again.err);
		same(again.status);
		const of = (type) => kms.events.filter((e) => e.type === type).map(rowOf);
		assert.deepEqual(again.changes.map(rowOf), of('change'));
		assert.deepEqual(again.findings.map(rowOf), of('finding'));
		for (const kind of ['stealthy-deployer', 'unsupported-execution'])
			assert.ok(again.findings.some((f) => f.finding === kind), kind);
		assert.deepEqual(again.answers.map(decision), answers.map(decision));
		assert.ok(answers.some((a) => a.verdict === 'allow') && answers.some((a) => a.reason === 'head'));
		const changes = again.changes.map((c) => c.leaf);
		assert.deepEqual(changes, (await kms.log()).map((c) => c.leaf));
	});
	test('the journal too, but for what was said about endpoints, roots and keys', async () => {
		const again = await replay(file, '--anchor', anchor, '--journal');
		const words = (notes) => notes.filter((n) => ['final', 'head', 'lease', 'request', 'divergence', 'start'].includes(n.kind)).map(({ kind, block, hash, detail, ledger_root }) => ({ kind, block, hash, detail, ledger_root }));
		assert.deepEqual(words(again.rows.filter((r) => r.type === 'journal')), words(kms.events.filter((e) => e.type === 'journal')));
	});
	test('twice the same, byte for byte', async () => {
		const [one, two] = await Promise.all([replay(file, '--anchor', anchor), replay(file, '--anchor', anchor)]);
		assert.equal(one.out, two.out);
	});
	test('without an anchor: the same, and exit 6', async () => {
		const again = await replay(file);
		assert.equal(again.code, EXIT.unanchored, again.err);
		assert.match(again.err, /unanchored/);
		same(again.status);
	});
	test('with another anchor: nothing', async () => {
		const other = join(folder(), 'anchor.yaml');
		const changed = (_, before, digit) => before + (digit === '0' ? '1' : '0');
		for (const [from, to] of [[/id: \d+/, 'id: 1'], [/(genesis: "0x)(.)/, changed], [/(start:\n.*\n  hash: "0x)(.)/, changed]]) {
			assert.match(readFileSync(anchor, 'utf8'), from);
			writeFileSync(other, readFileSync(anchor, 'utf8').replace(from, to));
			const again = await replay(file, '--anchor', other);
			// A recording that calls another start block final contradicts the anchor.
			assert.ok([EXIT.error, EXIT.proof, EXIT.conflict].includes(again.code), `${from}: ${again.code} ${again.err}`);
			assert.equal(again.changes.length, 0);
		}
	});
	test('up to a block: a beginning', async () => {
		const again = await replay(file, '--anchor', anchor, '--until', '10');
		assert.ok(again.status.final >= 10 && again.status.final < live.final);
		const leaves = again.changes.map((c) => c.leaf);
		assert.deepEqual(leaves, (await kms.log()).map((c) => c.leaf).slice(0, leaves.length));
	});
	test('up to a block below the first: nothing', async () => {
		const start = Number(/start:\n  block: (\d+)/.exec(readFileSync(anchor, 'utf8'))[1]);
		for (const until of ['0', `${start - 1}`, '-1', '1e3', '']) {
			const again = await replay(file, '--anchor', anchor, '--until', until);
			assert.equal(again.code, EXIT.usage, again.err);
			assert.match(again.err, /not below the start block/);
			assert.equal(again.changes.length, 0);
		}
	});
	test('cut short: says that it is torn; what came before it counts', async () => {
		const bytes = readFileSync(file);
		const cut = join(folder(), 'cut.ev');
		const torn = (length) => {
			writeFileSync(cut, bytes.subarray(0, length));
			return replay(cut, '--anchor', anchor);
		};
		for (const length of [bytes.length - 1, bytes.length - 9, Math.floor(bytes.length / 2), 64 + 3]) {
			let again = await torn(length);
			// What ends between two frames is a recording that ends there.
			if (!/ends inside a frame/.test(again.err)) again = await torn(length - 1);
			assert.equal(again.code, EXIT.error);
			assert.match(again.err, /ends inside a frame/);
			assert.ok(again.changes.every((c, i) => c.leaf === kms.events.filter((e) => e.type === 'change')[i].leaf));
		}
		for (const length of [0, 1, 63]) {
			writeFileSync(cut, bytes.subarray(0, length));
			assert.equal((await replay(cut, '--anchor', anchor)).code, EXIT.error);
		}
	});
	test('what is found is not shown on a full disk: exit 1', async () => {
		const { code, err } = await derotCli(['replay', file, '--anchor', anchor], 60000, { to: openSync('/dev/full', 'w') });
		assert.equal(code, EXIT.error);
		assert.match(err, /could not be written/);
	});
	test('its core is killed: it says so', async () => {
		const fifo = join(folder(), 'recording');
		execFileSync('mkfifo', [fifo]);
		let child;
		const done = derotCli(['replay', fifo, '--anchor', anchor], 60000, { meets: (c) => (child = c) });
		// One that says the same again and again, and does not end.
		const bytes = readFileSync(file);
		const to = await open(fifo, 'w');
		await to.write(bytes.subarray(0, 64));
		for (let sent = 0; sent < 2 << 20; sent += bytes.length) await to.write(bytes.subarray(64));
		process.kill(await eventually('a core', () => childrenOf(child.pid)['derot-core']), 'SIGKILL');
		await to.close();
		const { code, err } = await done;
		assert.equal(code, EXIT.error);
		assert.match(err, /was killed by SIGKILL/);
	});
	test('a bit flipped anywhere: exit 1 or 3, never a good end', async () => {
		const bytes = readFileSync(file);
		const bent = join(folder(), 'bent.ev');
		const places = Array.from({ length: 60 }, (_, i) => (i < 12 ? i * 6 : 64 + Math.floor(((i - 12) * (bytes.length - 65)) / 47)));
		for (const at of places) {
			bytes[at] ^= 1 << at % 8;
			writeFileSync(bent, bytes);
			bytes[at] ^= 1 << at % 8;
			const { code } = await replay(bent, '--anchor', anchor);
			assert.ok([EXIT.error, EXIT.proof].includes(code), `byte ${at}: exit code ${code}`);
		}
	});
});

describe('another store', { concurrency: 2 }, () => {
	const rows = [
		{ name: 'the defaults' },
		{ name: 'bloom, step 1, single requests', completeness: 'bloom', step: 1, batch: { requests: 1 } },
		{ name: 'receipts, step 7, batches of 3', completeness: 'receipts', step: 7, batch: { requests: 3, bytes: 65536 } },
		{ name: 'accumulator, step 256', completeness: 'accumulator', step: 256 },
		{ name: 'accumulator, step 7', completeness: 'accumulator', step: 7 },
		{ name: 'accumulator, step 1', completeness: 'accumulator', step: 1 },
		{ name: 'receipts one by one, no batches', poor: true, completeness: 'receipts' },
		{ name: 'bloom over the same', poor: true, completeness: 'bloom', step: 7 },
		{ name: 'two endpoints, both needed', poor: true, both: true, quorum: 2 },
		{ name: 'stopped and started all along', step: 3, restart: 'SIGTERM' },
		{ name: 'killed and started all along', step: 3, restart: 'SIGKILL' },
		{ name: 'killed, by the accumulator', completeness: 'accumulator', step: 5, restart: 'SIGKILL' },
	];
	for (const { name, poor, both, restart, ...options } of rows)
		test(name, async () => {
			const proxy = await startProxy(chain.url);
			if (poor) {
				proxy.lacks = LACKS.blockReceipts;
				proxy.batches = false;
			}
			const endpoints = poor ? [proxy.url, ...(both ? [chain.url] : [])] : [chain.url];
			const other = story.kms({ ...options, endpoints });
			await other.start();
			for (let i = 0; restart && i < 8; i++) {
				await sleep(20 + 25 * (i % 3));
				const code = await other.stop(restart);
				assert.ok(code === EXIT.good || code === restart, `${code}: ${other.err}`);
				await other.start();
			}
			same(await other.reaches(live.final, 60000));
			assert.deepEqual((await other.log()).map((c) => c.leaf), (await kms.log()).map((c) => c.leaf));
			const verified = await other.verify();
			assert.equal(verified.code, EXIT.findings, verified.err);
			assert.equal(verified.json.ledger_root, live.ledger_root);
			const again = await replay(await other.exported(), '--anchor', anchor);
			assert.equal(again.code, EXIT.findings, again.err);
			same(again.status);
			assert.equal(await other.stop(), EXIT.good);
			if (poor && options.completeness === 'receipts') assert.ok(proxy.methods.get('eth_getTransactionReceipt') > 10);
			await proxy.stop();
		});
	test('derot record', async () => {
		const other = story.kms();
		await other.configure();
		const recorded = join(other.folder, 'r.ev');
		const done = await derotCli(['record', '-c', other.config, '--to', String(live.final), '-o', recorded, '--format', 'ndjson']);
		assert.equal(done.code, EXIT.good, done.err);
		const again = await replay(recorded, '--anchor', recorded + '.anchor.yaml');
		assert.equal(again.code, EXIT.findings, again.err);
		same(again.status);
		copyFileSync(recorded, recorded + '.copy');
		assert.equal((await derotCli(['record', '-c', other.config, '--to', '5', '-o', recorded])).code, EXIT.error);
		assert.deepEqual(readFileSync(recorded), readFileSync(recorded + '.copy'));
		// Nothing is left of a recording whose anchor could not be written.
		const next = join(other.folder, 'next.ev');
		writeFileSync(next + '.anchor.yaml', '');
		const refused = await derotCli(['record', '-c', other.config, '--to', '5', '-o', next]);
		assert.equal(refused.code, EXIT.error);
		assert.match(refused.err, /the recording's anchor file/);
		assert.equal(existsSync(next), false);
	});
	test('derot record, and its core is killed: it says so', async () => {
		const other = story.kms();
		await other.configure();
		const recorded = join(other.folder, 'r.ev');
		let child;
		const done = derotCli(['record', '-c', other.config, '--to', String(live.final + 1000), '-o', recorded], 60000, { meets: (c) => (child = c) });
		process.kill(await eventually('a core', () => childrenOf(child.pid)['derot-core']), 'SIGKILL');
		const { code, err } = await done;
		assert.equal(code, EXIT.error);
		assert.match(err, /derot-core/);
		assert.match(err, /was killed by SIGKILL/);
	});
});
