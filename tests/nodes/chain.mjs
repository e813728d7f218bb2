// SPDX-License-Identifier: Apache-2.0
//
// Real chain nodes on loopback: start one, talk JSON-RPC to it, make it misbehave, stop it. Run under the
// Node.js that install.sh put into node_modules/node.
//
//     const chain = await startAnvil(['--slots-in-an-epoch', '1']);
//     await chain.rpc('eth_blockNumber');
//     await chain.stop();

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const ANVIL = here + 'node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil';
const HARDHAT = here + 'node_modules/hardhat/dist/src/cli.js';
const START_MS = 20000;

export class RpcError extends Error {
	constructor(method, error) {
		super(`${method}: ${error.message} (${error.code})`);
		this.code = error.code;
		// Revert data: nodes disagree on where it goes.
		const data = error.data?.data ?? error.data?.result ?? error.data;
		this.data = typeof data === 'string' ? data : undefined;
	}
}

// One running node. Its unlocked accounts are in `accounts`, lower case.
export class Chain {
	#child;
	#id = 0;

	constructor(child, port) {
		this.#child = child;
		this.port = port;
		this.url = `http://127.0.0.1:${port}`;
		this.pid = child.pid;
	}

	async rpc(method, ...params) {
		const response = await fetch(this.url, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ jsonrpc: '2.0', id: ++this.#id, method, params }),
		});
		const answer = await response.json();
		if (answer.error) throw new RpcError(method, answer.error);
		return answer.result;
	}

	// The node has stopped when this returns. Only this node's process is touched.
	async stop() {
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		const gone = new Promise((resolve) => this.#child.once('exit', resolve));
		this.#child.kill('SIGTERM');
		const timer = setTimeout(() => this.#child.kill('SIGKILL'), 3000);
		await gone;
		clearTimeout(timer);
	}

	async height() {
		return Number(await this.rpc('eth_blockNumber'));
	}

	// The timestamp of a block (default: the latest).
	async time(block = 'latest') {
		return Number((await this.rpc('eth_getBlockByNumber', block, false)).timestamp);
	}

	// The next block, whenever it comes, has this timestamp.
	async nextTime(time) {
		await this.rpc('evm_setNextBlockTimestamp', time);
	}

	// Mines an empty block, at `time` if given.
	async mine(time) {
		if (time !== undefined) await this.nextTime(time);
		await this.rpc('evm_mine');
	}

	// Mines num blocks, interval seconds apart. Anvil and Hardhat differ in the name only.
	async mineMany(num, interval_s = 1) {
		const hex = (n) => '0x' + n.toString(16);
		await this.rpc(this.kind === 'anvil' ? 'anvil_mine' : 'hardhat_mine', hex(num), hex(interval_s));
	}

	// Sends a transaction from an unlocked account and returns its receipt; a failed one is an error.
	async send(tx) {
		const hash = await this.rpc('eth_sendTransaction', { gas: '0x1e8480', ...tx });
		const receipt = await this.receipt(hash);
		if (receipt.status !== '0x1') throw new Error(`transaction ${hash} failed in block ${receipt.blockNumber}`);
		return receipt;
	}

	// Nodes answer eth_sendTransaction before they have mined it.
	async receipt(hash) {
		for (const end = Date.now() + 5000; Date.now() < end; await sleep(2)) {
			const receipt = await this.rpc('eth_getTransactionReceipt', hash);
			if (receipt) return receipt;
		}
		throw new Error(`no receipt of ${hash} within 5 s; is the node mining?`);
	}

	// Overwrites a storage slot without a transaction: what no chain does, to play a lying or broken contract.
	async setStorage(address, slot, value) {
		const name = this.kind === 'anvil' ? 'anvil_setStorageAt' : 'hardhat_setStorageAt';
		await this.rpc(name, address, slot, value);
	}

	async storage(address, slot, block = 'latest') {
		return this.rpc('eth_getStorageAt', address, slot, block);
	}

	// Anvil: replaces the last `depth` blocks by as many new ones. txs: [transaction, index of its new block]
	// pairs; without them the new blocks are empty.
	async reorg(depth, txs = []) {
		await this.rpc('anvil_reorg', depth, txs);
	}
}

export async function startAnvil(flags = []) {
	return start('anvil', (port) => [ANVIL, ['--host', '127.0.0.1', '--port', port, '--silent', ...flags]], ANVIL);
}

export async function startHardhat(flags = []) {
	const args = (port) => [HARDHAT, 'node', '--hostname', '127.0.0.1', '--port', port, ...flags];
	return start('hardhat', (port) => [process.execPath, args(port)], HARDHAT);
}

const running = new Set();
// Nothing we started outlives us.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

async function start(kind, command, needed) {
	if (!existsSync(needed)) throw new Error(`${kind} is not installed: run tests/nodes/install.sh`);
	// Somebody may take the port between our choice and the node's; then it exits and we choose again.
	for (let tries = 0; tries < 3; tries++) {
		const port = await freePort();
		const child = spawn(...command(String(port)), { cwd: here, stdio: ['ignore', 'ignore', 'pipe'] });
		let words = '';
		child.stderr.on('data', (chunk) => (words = (words + chunk).slice(-2000)));
		child.on('error', (error) => (words += error.message));
		// A test that failed before it could stop its node must not wait for it: 'exit' above ends it.
		child.unref();
		child.stderr.unref();
		running.add(child);
		child.once('exit', () => running.delete(child));
		const chain = new Chain(child, port);
		chain.kind = kind;
		if (await answers(chain, child)) return chain;
		await chain.stop();
		if (tries === 2) throw new Error(`${kind} did not start: ${words || 'no answer in time'}`);
	}
}

async function answers(chain, child) {
	for (const end = Date.now() + START_MS; Date.now() < end; await sleep(10)) {
		if (child.exitCode !== null || child.pid === undefined) return false;
		try {
			chain.accounts = (await chain.rpc('eth_accounts')).map((a) => a.toLowerCase());
			return true;
		} catch {
			// Not listening yet.
		}
	}
	return false;
}

// Where it listens, or undefined: somebody else does.
function listens(where) {
	const server = createServer().unref();
	return new Promise((resolve, reject) => {
		server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve() : reject(error)));
		server.listen(where, () => resolve(server));
	});
}

// A port that is free, of those that the kernel gives to nobody by itself; and as long as this process lives no other test
// chooses it: who does holds the name of it, an abstract socket.
export async function freePort() {
	for (;;) {
		const port = 20000 + randomInt(12000);
		if (!(await listens({ path: `\0derot-test-port-${port}` }))) continue;
		const probe = await listens({ port, host: '127.0.0.1' });
		if (!probe) continue;
		await new Promise((resolve) => probe.close(resolve));
		return port;
	}
}
