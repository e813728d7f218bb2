// SPDX-License-Identifier: Apache-2.0
//
// Catching up with a live node, JSON and all: blocks of 200 transactions of a local anvil, taken by derot record (each
// block proven, whatever its bloom says) and by what others use. The node runs on the other cores and is waited for:
// these are seconds of time, not of processor. Then the same over a server that hides one log of a receipt.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TRANSFER = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
// A contract that logs Transfer(caller, number) with a word of data, whatever it is called with.
const RUNTIME = `3343${'7f' + TRANSFER}60206000a300`;
const CREATION = `0x6029600c60003960296000f3${RUNTIME}`;
const LOGGED = 0.6; // of the transactions; the others move ether

// batch: many calls in one request.
async function batch(chain, calls) {
	const body = JSON.stringify(calls.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params })));
	const answer = await (await fetch(chain.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
	for (const { error } of answer) if (error) throw new Error(error.message);
}

// fill: so many blocks of so many transactions.
export async function fill(chain, blocks, transactions) {
	const { contractAddress: token } = await chain.send({ from: chain.accounts[0], data: CREATION });
	await chain.rpc('evm_setAutomine', false);
	// Told one by one: in a batch the node would give a number twice.
	const nonces = await Promise.all(chain.accounts.map(async (a) => Number(await chain.rpc('eth_getTransactionCount', a, 'latest'))));
	for (let n = 0; n < blocks; n++) {
		const calls = [];
		for (let i = 0; i < transactions; i++) {
			const logged = i < transactions * LOGGED;
			const nonce = '0x' + (nonces[i % 10]++).toString(16);
			const to = logged ? { to: token } : { to: chain.accounts[(i + 1) % 10], value: '0x1' };
			calls.push(['eth_sendTransaction', { from: chain.accounts[i % 10], gas: '0x11170', nonce, ...to }]);
		}
		await batch(chain, calls);
		await chain.rpc('evm_mine');
	}
	await chain.rpc('evm_setAutomine', true);
}

export default async function ({ row, run, taskAsync, median, here, build, SIZE, ROUNDS }) {
	const { startAnvil } = await import('../nodes/chain.mjs');
	const { Story } = await import('../nodes/story.mjs');
	const { startProxy, byName } = await import('../hostile/proxy.mjs');
	const blocks = SIZE.live_blocks;
	const chain = await startAnvil(['--slots-in-an-epoch', '1', '--gas-limit', '60000000']);
	const story = await Story.found(chain);
	const folder = mkdtempSync(join(tmpdir(), 'dr-'));
	await fill(chain, blocks / 2, SIZE.receipts);
	await story.registerApp();
	const at = await chain.height();
	await fill(chain, blocks / 2, SIZE.receipts);
	await story.announce('mail-v1');
	const last = await story.settle();
	const first = Number(story.derot.birth);
	let made = 0;
	const record = async (completeness, url = chain.url, limit_s = '120') => {
		const kms = story.kms({ completeness, endpoints: [url], step: 512, poll_ms: 20 });
		await kms.configure();
		const command = [join(build, 'derot'), 'record', '-c', kms.config, '--to', String(last), '-o', join(folder, `${made++}.ev`)];
		return taskAsync(['timeout', '-s', 'INT', limit_s, ...command], { ANY_EXIT: '1' });
	};
	const peer = async (name, url = chain.url) =>
		taskAsync([process.execPath, join(here, 'peers_live.mjs'), name, url, String(first), String(last), story.derot.address], { ANY_EXIT: '1' });
	const work = last - first + 1;
	const times = async (what) => {
		const all = [];
		for (let i = 0; i < ROUNDS; i++) all.push(await what());
		return { rate: work / median(all.map((a) => a.line?.wall?.[0] ?? a.wall)), busy: median(all.map((a) => a.busy)), memory_kib: Math.max(...all.map((a) => a.memory_kib)), all };
	};

	const peers = {};
	for (const name of ['ethers-proven', 'ethers-receipts', 'viem-receipts', 'viem-logs']) peers[name] = await times(() => peer(name));
	for (const way of ['receipts', 'bloom', 'accumulator']) {
		const mine = await times(() => record(way));
		if (mine.all.some((a) => a.exit !== 0)) run.wrong.push(`live, ${way}: derot record ended with ${mine.all.map((a) => a.exit)}`);
		run.details.push({ name: `live, ${way}`, busy_s: mine.busy, blocks: work, bytes: readFileSync(join(folder, `${made - 1}.ev`)).length });
		const others =
			way === 'receipts'
				? { 'ethers-proven': 'ethers + @ethereumjs/mpt, each root rebuilt', 'ethers-receipts': 'ethers, receipts believed', 'viem-receipts': 'viem, receipts believed' }
				: way === 'accumulator'
					? { 'viem-logs': 'viem getLogs, one request, believed' }
					: { 'ethers-proven': 'ethers + @ethereumjs/mpt, each root rebuilt' };
		for (const [name, peer_name] of Object.entries(others))
			row(`live catch-up with blocks of ${SIZE.receipts} receipts, by ${way}`, 'blocks/s', mine.rate, {
				...{ peer: peers[name].rate, peer_name, memory_kib: mine.memory_kib },
			});
	}

	// The liar: one log of one receipt, and of every list, is not there.
	const proxy = await startProxy(chain.url);
	proxy.attack = byName('hides one log everywhere');
	proxy.at = at;
	const lied = await record('receipts', proxy.url, '10');
	const honest = (await peer('viem-logs')).line.logs;
	const told = (await peer('viem-logs', proxy.url)).line?.logs;
	const proven = await peer('ethers-proven', proxy.url);
	const viem = told < honest ? `viem getLogs accepted ${told} of ${honest} logs` : 'viem getLogs was told all';
	run.tampered.push({ name: 'live catch-up', derot: lied.exit === 0 ? 'accepted' : 'refused', peer: `${viem}; with roots rebuilt: ${proven.exit === 0 ? 'accepted' : 'another root'}` });
	if (lied.exit === 0) run.wrong.push('live: derot record took a block of which a log was hidden');
	await proxy.stop();
	await chain.stop();
	rmSync(folder, { recursive: true });
}
