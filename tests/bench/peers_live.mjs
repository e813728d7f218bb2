// SPDX-License-Identifier: Apache-2.0
//
// peers_live.mjs TASK URL FROM TO CONTRACT: the same blocks of a node as others fetch them.
//
//     viem-logs        one eth_getLogs over all of it: what most programs do. Nothing is proven
//     viem-receipts    every block and its receipts. Nothing is proven
//     ethers-receipts  the same
//     ethers-proven    the same, and each receipts root is rebuilt with @ethereumjs/mpt and compared: as much as derot
//                      proves of a block, but not that the headers are linked
//
// Prints {work, seconds, wall, logs}: how many of the contract's logs were seen.

import { createRequire } from 'node:module';

const require = createRequire(new URL('../nodes/', import.meta.url));
const [, , task, url, from, to, contract] = process.argv;
const first = Number(from);
const last = Number(to);
const AHEAD = 8;

// each: block by block, some of them at once.
async function each(take) {
	for (let n = first; n <= last; n += AHEAD)
		await Promise.all(Array.from({ length: Math.min(AHEAD, last - n + 1) }, (_, i) => take('0x' + (n + i).toString(16))));
}

function viem() {
	const { createPublicClient, http } = require('viem');
	return createPublicClient({ transport: http(url) });
}

function ethers() {
	const { JsonRpcProvider } = require('ethers');
	return new JsonRpcProvider(url, undefined, { staticNetwork: true });
}

const mine = (receipts) => receipts.flatMap((r) => r.logs).filter((l) => l.address.toLowerCase() === contract).length;

async function proven(provider) {
	const { MerklePatriciaTrie } = require('@ethereumjs/mpt');
	const { RLP } = require('@ethereumjs/rlp');
	const bytes = (hex) => Buffer.from(hex.slice(2), 'hex');
	let logs = 0;
	await each(async (number) => {
		const [block, receipts] = await Promise.all([
			provider.send('eth_getBlockByNumber', [number, false]),
			provider.send('eth_getBlockReceipts', [number]),
		]);
		const trie = new MerklePatriciaTrie();
		for (const [i, r] of receipts.entries()) {
			const list = r.logs.map((l) => [bytes(l.address), l.topics.map(bytes), bytes(l.data)]);
			const body = RLP.encode([BigInt(r.status), BigInt(r.cumulativeGasUsed), bytes(r.logsBloom), list]);
			await trie.put(RLP.encode(i), Number(r.type) ? Buffer.concat([Buffer.of(Number(r.type)), body]) : body);
		}
		if (!Buffer.from(trie.root()).equals(bytes(block.receiptsRoot))) throw new Error(`block ${number}: another root`);
		logs += mine(receipts);
	});
	return logs;
}

const TASKS = {
	'viem-logs': async () => (await viem().getLogs({ address: contract, fromBlock: BigInt(first), toBlock: BigInt(last) })).length,
	'viem-receipts': async () => {
		const client = viem();
		let logs = 0;
		await each(async (number) => {
			const [, receipts] = await Promise.all([
				client.getBlock({ blockNumber: BigInt(number) }),
				client.request({ method: 'eth_getBlockReceipts', params: [number] }),
			]);
			logs += mine(receipts);
		});
		return logs;
	},
	'ethers-receipts': async () => {
		const provider = ethers();
		let logs = 0;
		await each(async (number) => {
			const [, receipts] = await Promise.all([provider.getBlock(number), provider.send('eth_getBlockReceipts', [number])]);
			logs += mine(receipts);
		});
		return logs;
	},
	'ethers-proven': () => proven(ethers()),
};

const cpu = process.cpuUsage();
const start = process.hrtime.bigint();
const logs = await TASKS[task]();
const wall = Number(process.hrtime.bigint() - start) / 1e9;
const used = process.cpuUsage(cpu);
console.log(JSON.stringify({ task, work: last - first + 1, seconds: [(used.user + used.system) / 1e6], wall: [wall], logs, result: '', tampered: '' }));
process.exit(0);
