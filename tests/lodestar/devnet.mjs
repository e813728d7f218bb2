// SPDX-License-Identifier: Apache-2.0
//
// A whole proof-of-stake network on loopback, from its genesis on: an EthereumJS execution client, a Lodestar beacon node
// over it through the Engine API, and validators in processes of their own. Minimal preset (8 slots an epoch, 64 a period,
// a committee of 32), Capella, slots of two seconds (more on a machine that is busy). Who proposes, attests and signs, and what is final, is theirs alone.
//
//     const net = await Devnet.start();
//     const story = await Story.found(net.chain, { beacon: net });      // as tests/nodes/story.mjs does over a forged chain
//     await net.finality();                  // waits until the first block is final
//     await net.validators(1).stop();        // half of the validators: blocks go on, finality does not
//     await net.validators(1).start();
//     await net.stop();
//
// The accounts are ours, and their transactions signed here: this execution client holds no keys.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Chain, freePort } from '../nodes/chain.mjs';
import { need } from '../nodes/packages.mjs';

const { Wallet } = await need('ethers');
const here = fileURLToPath(new URL('.', import.meta.url));
const NODE = here + 'client/node_modules/node/bin/node';
const EXECUTION = here + 'node/node_modules/@ethereumjs/client/dist/esm/bin/cli.js';
const LODESTAR = here + 'node/node_modules/@chainsafe/lodestar/lib/index.js';

export const SLOTS_PER_EPOCH = 8;
const VALIDATORS = 16;
const PARTIES = ['0..7', '8..15'];
const ACCOUNTS = 10;
const START_MS = 200000;
// When the chain begins, after its beacon node is started, and how long a slot is: a machine that misses the first of
// these is too busy for short slots as well. (Below two seconds, blocks come late, and are left out, too often.)
const ATTEMPTS = [
	{ begin_s: 15, slot_s: 2 },
	{ begin_s: 60, slot_s: 4 },
	{ begin_s: 150, slot_s: 8 },
];

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// One program of the network; what it says goes to a file.
class Part {
	#child;

	constructor(name, folder, args) {
		Object.assign(this, { name, folder, args, log: join(folder, `${name}.log`) });
	}

	start() {
		// bcrypto, of which only discovery makes use, has a JavaScript form: nothing is compiled here.
		const env = { ...process.env, LODESTAR_PRESET: 'minimal', NODE_BACKEND: 'js', NODE_NO_WARNINGS: '1' };
		const child = (this.#child = spawn(NODE, this.args, { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] }));
		const log = createWriteStream(this.log, { flags: 'a' });
		for (const pipe of [child.stdout, child.stderr]) pipe.pipe(log, { end: false });
		for (const part of [child, child.stdout, child.stderr]) part.unref();
		running.add(child);
		child.once('exit', () => running.delete(child));
		child.once('error', () => running.delete(child));
		return this;
	}

	// The end of what it said.
	words() {
		return readFileSync(this.log, 'utf8').slice(-2000);
	}

	get alive() {
		return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
	}

	async stop(signal = 'SIGTERM') {
		if (!this.alive) return;
		const gone = new Promise((resolve) => this.#child.once('exit', resolve));
		this.#child.ref();
		this.#child.kill(signal);
		const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
		await gone;
		clearTimeout(timer);
	}

	// until: the first answer of `ask` that is one.
	async until(what, ask, wait_ms = START_MS) {
		for (const end = Date.now() + wait_ms; ; await sleep(100)) {
			if (!this.alive) throw new Error(`${this.name} ended: ${this.words()}`);
			const answer = await ask().catch(() => undefined);
			if (answer) return answer;
			if (Date.now() > end) throw new Error(`waited ${wait_ms} ms for ${what}: ${this.words()}`);
		}
	}
}

// The execution client as tests/nodes/chain.mjs would have it: one that signs for its accounts.
class Execution extends Chain {
	kind = 'ethereumjs';
	#wallets;
	#chainId;
	#sent = new Map();

	constructor(port, wallets, chainId) {
		super({}, port);
		this.#wallets = new Map(wallets.map((wallet) => [wallet.address.toLowerCase(), wallet]));
		this.#chainId = chainId;
		this.accounts = [...this.#wallets.keys()];
	}

	async rpc(method, ...params) {
		if (method !== 'eth_sendTransaction') return super.rpc(method, ...params);
		const [{ from, to, data, value, gas }] = params;
		const wallet = this.#wallets.get(from);
		const [nonce, block] = await Promise.all([
			super.rpc('eth_getTransactionCount', from, 'latest'),
			super.rpc('eth_getBlockByNumber', 'latest', false),
		]);
		const fees = { maxFeePerGas: 2n * BigInt(block.baseFeePerGas) + 1n, maxPriorityFeePerGas: 1n };
		const tx = { type: 2, chainId: this.#chainId, nonce: Number(nonce), to, data, value, gasLimit: gas, ...fees };
		const raw = await wallet.signTransaction(tx);
		const hash = await super.rpc('eth_sendRawTransaction', raw);
		this.#sent.set(hash, raw);
		return hash;
	}

	// A transaction waits for the next slot, and counts when there is a block on top of its own: blocks that come late are
	// left out by the next proposer. This client forgets what was in them, so it is sent again.
	async receipt(hash) {
		for (let half = 1; half <= 60; half++) {
			const receipt = await this.rpc('eth_getTransactionReceipt', hash).catch(() => null);
			const block = receipt && (await this.rpc('eth_getBlockByNumber', receipt.blockNumber, false).catch(() => null));
			const stands = block !== null && block.hash === receipt.blockHash;
			if (stands && (await this.height()) > Number(block.number)) return receipt;
			if (!stands && half % 8 === 0) await super.rpc('eth_sendRawTransaction', this.#sent.get(hash)).catch(() => {});
			await sleep(500 * this.slotS);
		}
		throw new Error(`no receipt of ${hash} within 30 slots; do the validators propose?`);
	}
}

const walletOf = (idx) => new Wallet('0x' + createHash('sha256').update(`derot devnet ${idx}`).digest('hex'));

// What the execution chain begins with: merged, Shanghai (the execution side of Capella) from the start.
function genesisOf(wallets, chainId) {
	const forks = ['homestead', 'eip150', 'eip155', 'eip158', 'byzantium', 'constantinople', 'petersburg', 'istanbul', 'berlin', 'london', 'mergeFork'];
	return {
		config: {
			...{ chainId, ...Object.fromEntries(forks.map((fork) => [`${fork}Block`, 0])) },
			...{ terminalTotalDifficulty: 0, terminalTotalDifficultyPassed: true, shanghaiTime: 0 },
		},
		...{ nonce: '0x0', timestamp: '0x0', extraData: '0x', gasLimit: '0x1c9c380', difficulty: '0x0' },
		...{ mixHash: '0x' + '0'.repeat(64), coinbase: '0x' + '0'.repeat(40), number: '0x0', gasUsed: '0x0' },
		...{ parentHash: '0x' + '0'.repeat(64), baseFeePerGas: '0x3b9aca00' },
		alloc: Object.fromEntries(wallets.map(({ address }) => [address.slice(2).toLowerCase(), { balance: '0x3635c9adc5dea00000' }])),
	};
}

export class Devnet {
	#parts = [];

	static async start({ chainId = 31338 } = {}) {
		const net = new Devnet();
		net.folder = mkdtempSync(join(tmpdir(), 'dr-net-'));
		process.on('exit', () => rmSync(net.folder, { recursive: true, force: true }));
		const wallets = Array.from({ length: ACCOUNTS }, (_, idx) => walletOf(idx));
		const [rpc, engine, peers] = [await freePort(), await freePort(), await freePort()];

		writeFileSync(join(net.folder, 'genesis.json'), JSON.stringify(genesisOf(wallets, chainId)));
		const loopback = ['--rpc', '--rpcAddr', '127.0.0.1', '--rpcPort', rpc, '--rpcEngine', '--rpcEngineAddr', '127.0.0.1', '--rpcEnginePort', engine];
		const alone = ['--rpcEngineAuth=false', '--sync', 'none', '--isSingleNode', '--port', peers, '--discV4', 'false', '--discDns', 'false', '--logFile', 'false'];
		const execution = net.#part('execution', [EXECUTION, '--gethGenesis', 'genesis.json', '--dataDir', 'execution', ...loopback, ...alone]).start();
		net.chain = new Execution(rpc, wallets, chainId);
		const block = await execution.until('the execution client', () => net.chain.rpc('eth_getBlockByNumber', '0x0', false));

		// A beacon node without a block for an epoch takes itself for one that must catch up, for ever.
		for (const attempt of ATTEMPTS) if (await net.#begin(attempt, block.hash, engine)) return net;
		throw new Error(`no block when the chain began: ${net.words()}`);
	}

	// begin: beacon node and validators, for a chain that begins in begin_s. False if they came too late.
	async #begin({ begin_s, slot_s }, genesisHash, engine) {
		const [rest, p2p] = [await freePort(), await freePort()];
		const folder = `in-${begin_s}`;
		this.slotS = this.chain.slotS = slot_s;
		this.url = `http://127.0.0.1:${rest}`;
		this.genesisTime = Math.floor(Date.now() / 1000) + begin_s;
		const params = { SECONDS_PER_SLOT: slot_s, ALTAIR_FORK_EPOCH: 0, BELLATRIX_FORK_EPOCH: 0, CAPELLA_FORK_EPOCH: 0 };
		const setting = ['--terminal-total-difficulty-override', 0, ...Object.entries(params).flatMap(([name, value]) => [`--params.${name}`, value])];
		const genesis = ['--genesisValidators', VALIDATORS, '--genesisTime', this.genesisTime, '--genesisEth1Hash', genesisHash];
		const network = ['--discv5', 'false', '--listenAddress', '127.0.0.1', '--port', p2p, '--sync.isSingleNode', 'true', '--network.allowPublishToZeroPeers', 'true'];
		const api = ['--rest', '--rest.namespace', '*', '--rest.address', '127.0.0.1', '--rest.port', rest, '--eth1', 'false', '--execution.urls', `http://127.0.0.1:${engine}`];
		this.beacon = this.#part('beacon', [LODESTAR, 'dev', '--dataDir', `beacon-${folder}`, ...genesis, ...setting, ...network, ...api]).start();
		this.parties = PARTIES.map((indices, idx) => {
			const home = `validators-${idx}-${folder}`;
			mkdirSync(join(this.folder, home));
			const who = ['--network', 'dev', '--dataDir', home, '--interopIndexes', indices, '--beaconNodes', this.url];
			return this.#part(`validators-${idx}`, [LODESTAR, 'validator', ...who, ...setting]);
		});
		await this.beacon.until('the beacon node', () => this.ask('/eth/v1/beacon/genesis'));
		if (this.slot() < 0) for (const part of this.parties) part.start();
		const begun = await this.beacon.until('a block, or that it is too late for one', async () => {
			if ((await this.chain.height()) > 0) return 'yes';
			return this.slot() > SLOTS_PER_EPOCH && 'no';
		});
		if (begun === 'yes') return true;
		for (const part of [...this.parties, this.beacon]) await part.stop('SIGKILL');
		return false;
	}

	#part(name, args) {
		const part = new Part(name, this.folder, args.map(String));
		this.#parts.push(part);
		return part;
	}

	// validators: one of the parties, each half of all.
	validators(idx) {
		return this.parties[idx];
	}

	// ask: the beacon node's answer; undefined if it has none.
	async ask(path) {
		const response = await fetch(this.url + path);
		return response.ok ? response.json() : undefined;
	}

	// wait: so many slots, in milliseconds.
	wait(slots) {
		return slots * this.slotS * 1000;
	}

	// slot: the slot that the clock says it is.
	slot() {
		return Math.floor((Date.now() / 1000 - this.genesisTime) / this.slotS);
	}

	// to: waits until this slot is over and a block came since.
	async to(slot) {
		await sleep(Math.max(0, (this.genesisTime + (slot + 1) * this.slotS) * 1000 - Date.now()));
		await this.beacon.until(`a block after slot ${slot}`, async () => (await this.chain.time()) >= this.genesisTime + slot * this.slotS, this.wait(30));
	}

	// final: the number of the newest final execution block that light clients are told of; 0: none.
	async final() {
		const update = await this.ask('/eth/v1/beacon/light_client/finality_update');
		return Number(update?.data.finalized_header.execution?.block_number ?? 0);
	}

	// settle: waits until what is the newest block now is final; its number.
	async settle() {
		const height = await this.chain.height();
		await this.beacon.until(`final block ${height}`, async () => (await this.final()) >= height, this.wait(100));
		return height;
	}

	// finality: waits until something is final; then `checkpoint` is the root of the newest final block.
	async finality() {
		await this.beacon.until('finality', async () => (await this.final()) > 0, this.wait(100));
		return (this.checkpoint = (await this.ask('/eth/v1/beacon/blocks/finalized/root')).data.root);
	}

	// consensus: what derot.yaml says of it: options of Kms.
	consensus(options = {}) {
		return { from: 'the test', root: this.checkpoint, endpoints: [this.url], setting: this.url, ...options };
	}

	// What the parts say, for a test that failed.
	words() {
		return this.#parts.map((part) => `== ${part.name}\n${part.words()}`).join('\n');
	}

	async stop() {
		for (const part of this.#parts.toReversed()) await part.stop();
	}
}
