// SPDX-License-Identifier: Apache-2.0
//
// What a watch takes from its servers in a day, uncompressed: computed, from the lengths of a real node's answers and
// the blooms of the chain that replay was measured on.
//
//     a day = B·(H + P) + F·S + W
//
//     B   blocks of a day, 86400 s / T. H: a block's answer: E + t·X, E of an empty one, X for each of t transactions
//     P   what asking for the newest and the final block costs: each of n servers, every poll, two answers: 2·n·H·(T / poll)
//     F   final steps of a day, one each 384 s, each with a proof of the account and s slots: S = 2·H + A·N + s·C·N,
//         the block asked for before and after it, N the answer's length of a full branch, A branches above an account,
//         C above one of the contract's slots
//     W   by the way:   bloom         B·p·(H + t·R), p how often a bloom of t receipts names a contract that is not there
//                       receipts      B·(H + t·R), R a receipt
//                       accumulator   F·(2·H + A·N + 2·C·N + H) + the contract's own logs, after the last block of theirs

import { readFileSync } from 'node:fs';
import { fill } from './row_live.mjs';

const CHAINS = [
	{ name: 'mainnet-like: a block of 200 each 12 s', T: 12, t: 200, poll: 12 },
	{ name: 'Base-like: a block of 200 each 2 s', T: 2, t: 200, poll: 2 },
];
const [n, FINAL_S, A, C, s, N] = [3, 384, 8, 4, 20, 2 * 532 + 5];
const [EVENTS, LOG] = [100, 900];

// How often a bloom of this chain names an address that no log of its block has: its share of ones, cubed.
function misled(file) {
	const shares = [];
	for (let at = 64; at < file.length; at += 16 + file.readUInt32BE(at)) {
		if (file.readUInt16BE(at + 4) !== 2) continue;
		// After the list's prefix, five strings of 33 bytes (one of 21) and the bloom's own prefix of 3.
		const bloom = file.subarray(at + 8 + 3 + 33 * 5 + 21 + 3).subarray(0, 256);
		shares.push(bloom.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0) / 2048);
	}
	return shares.reduce((sum, x) => sum + x ** 3, 0) / shares.length;
}

export default async function ({ row, run, chain: chainFile }) {
	const { startAnvil } = await import('../nodes/chain.mjs');
	const node = await startAnvil(['--gas-limit', '60000000']);
	await fill(node, 1, 200);
	await node.mine();
	const size = async (...call) => JSON.stringify({ jsonrpc: '2.0', id: 1, result: await node.rpc(...call) }).length;
	const top = await node.height();
	const hex = (number) => '0x' + number.toString(16);
	const E = await size('eth_getBlockByNumber', hex(top), false);
	const X = ((await size('eth_getBlockByNumber', hex(top - 1), false)) - E) / 200;
	const R = (await size('eth_getBlockReceipts', hex(top - 1))) / 200;
	await node.stop();
	const p = misled(readFileSync(chainFile()));
	run.details.push({ name: 'bytes', empty_block: E, transaction: X, receipt: R, branch: N, bloom_names_a_stranger: p });
	for (const { name, T, t, poll } of CHAINS) {
		const B = 86400 / T;
		const F = 86400 / FINAL_S;
		const H = E + t * X;
		const common = B * H + (86400 / poll) * 2 * n * H + F * (2 * H + A * N + s * C * N);
		const ways = { bloom: B * p * (H + t * R), receipts: B * (H + t * R), accumulator: F * (3 * H + A * N + 2 * C * N) + EVENTS * LOG };
		run.details.push({ name: `bytes a day, ${name}`, headers: B * H, polls: (86400 / poll) * 2 * n * H, state: F * (2 * H + A * N + s * C * N), ...ways });
		for (const [way, bytes] of Object.entries(ways))
			row(`watch, computed: ${name}, by ${way}`, 'MiB/day', (common + bytes) / 2 ** 20, { less: true });
	}
}
