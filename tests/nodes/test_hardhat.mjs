// SPDX-License-Identifier: Apache-2.0
//
// A second implementation: hardhat's EDR. It has no eth_getBlockReceipts and calls its newest block final. And derot
// verify on what both nodes answer.

import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { label, mappingSlot } from './abi.mjs';
import { startAnvil, startHardhat } from './chain.mjs';
import { SLOT } from './derot.mjs';
import { EXIT, derotCli, folder } from './run.mjs';
import { APP, NOTICE, Story } from './story.mjs';

// What one node answers about the block of a transaction, in files, through derot verify; and one lie each.
async function verifyAll(chain, story, receipt) {
	const dir = folder();
	const put = (name, value) => {
		const path = join(dir, name);
		writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
		return path;
	};
	const derot = async (...args) => {
		const { code, out } = await derotCli(['verify', ...args, '--format', 'json']);
		return { code, json: JSON.parse(out) };
	};
	const number = receipt.blockNumber;
	const block = await chain.rpc('eth_getBlockByNumber', number, false);
	const receipts = await Promise.all(block.transactions.map((hash) => chain.rpc('eth_getTransactionReceipt', hash)));
	const logs = await chain.rpc('eth_getLogs', { fromBlock: number, toBlock: number, address: story.derot.address });
	const slot = mappingSlot(label('mail-v1'), mappingSlot(label(APP), SLOT.appMeasurement));
	const none = mappingSlot(label('never'), mappingSlot(label(APP), SLOT.appMeasurement));
	const latest = await chain.rpc('eth_getBlockByNumber', 'latest', false);
	const proof = await chain.rpc('eth_getProof', story.derot.address, [slot, none], latest.number);
	const files = { block: put('block', { jsonrpc: '2.0', id: 1, result: block }), receipts: put('receipts', receipts),
		logs: put('logs', logs), latest: put('latest', latest), proof: put('proof', proof) };

	let done = await derot('evm-header', files.block);
	assert.equal(done.code, EXIT.good, JSON.stringify(done.json));
	assert.equal(done.json.hash, block.hash);
	assert.equal(done.json.number, Number(number));
	done = await derot('evm-receipts', files.block, files.receipts);
	assert.equal(done.code, EXIT.good, JSON.stringify(done.json));
	assert.equal(done.json.receipts, receipts.length);
	done = await derot('evm-logs', files.block, files.receipts, files.logs, '--address', story.derot.address);
	assert.equal(done.code, EXIT.good, JSON.stringify(done.json));
	assert.equal(done.json.logs, logs.length);
	assert.ok(logs.length > 0);
	done = await derot('evm-proof', files.latest, files.proof);
	assert.equal(done.code, EXIT.good, JSON.stringify(done.json));
	assert.deepEqual(done.json.storage.map((s) => s.present), [true, false]);

	const lies = [
		['evm-header', put('l1', { ...block, gasUsed: '0x1' })],
		['evm-receipts', files.block, put('l2', receipts.map((r, i) => (i === 0 ? { ...r, logs: r.logs.slice(1) } : r)))],
		['evm-logs', files.block, files.receipts, put('l3', logs.slice(1)), '--address', story.derot.address],
		['evm-logs', files.block, files.receipts, put('l4', []), '--address', story.derot.address],
		['evm-proof', files.latest, put('l5', { ...proof, balance: '0x1' })],
	];
	for (const lie of lies) {
		const told = await derot(...lie);
		assert.equal(told.code, EXIT.proof, `${lie[0]}: ${JSON.stringify(told.json)}`);
		assert.equal(told.json.ok, false);
	}
	assert.equal((await derot('evm-header', put('null', 'null'))).code, EXIT.error);
}

for (const [name, start, finality] of [['hardhat', startHardhat, 'latest'], ['anvil', () => startAnvil(['--slots-in-an-epoch', '1']), undefined]]) {
	describe(name, () => {
		let chain, story, kms;
		before(async () => {
			chain = await start();
			story = await Story.found(chain, { finality });
			kms = story.kms();
			await kms.start();
		});
		after(async () => {
			await kms?.stop();
			await chain?.stop();
		});

		test('from the constitution to a key, and a guardian’s revocation', async () => {
			await story.root(kms);
			await story.registerApp();
			await story.announce('mail-v1');
			await story.final(kms);
			assert.equal((await kms.derive(APP, 'mail-v1')).reason, 'app-notice');
			await story.pass(NOTICE.app);
			await story.final(kms);
			assert.equal((await kms.derive(APP, 'mail-v1')).verdict, 'allow');
			assert.equal((await kms.verify()).code, EXIT.good);
		});
		test('derot verify takes what it answers, and no lie', async () => {
			await story.derot.send(story.dave, 'announce', [label(APP), label('mail-v2')]);
			const number = '0x' + (await chain.height()).toString(16);
			await verifyAll(chain, story, { blockNumber: number });
		});
		test('a guardian’s revocation denies', async () => {
			await story.derot.send(story.grace, 'revokeAppMeasurement', [label(APP), label('mail-v1')]);
			await story.final(kms);
			assert.equal((await kms.derive(APP, 'mail-v1')).reason, 'app-measurement');
		});
	});
}
