// SPDX-License-Identifier: Apache-2.0
//
// A long chain for random rounds: played on a real anvil by seed, and kept as the answers that the node gave: blocks,
// receipts, and (as they are asked for) state proofs; with short forks that the node had, and left again. Rounds show
// it to derot up to a head that moves.
//
// At proof consensus a forged beacon chain is over it (../nodes/beacon.mjs), forks and all: every second is a slot, and now
// and then nothing becomes final, or too few sign, for up to a period and a half.
//
// Beside the answers stands what they mean, by a plain model of the contract's events that is not derot's: from which
// block on, and until which, a version of an application is allowed (`allows`).

import { strict as assert } from 'node:assert';
import { label, topicOf } from '../nodes/abi.mjs';
import { startAnvil } from '../nodes/chain.mjs';
import { Beacon, FINALITY_EPOCHS, SLOTS_PER_EPOCH, SLOTS_PER_PERIOD } from '../nodes/beacon.mjs';
import { ACTION, abi, decodeLog } from '../nodes/derot.mjs';
import { EXIT } from '../nodes/run.mjs';
import { APP, NOTICE, SERVICE, Story } from '../nodes/story.mjs';
import { hex } from './lie.mjs';
import { startProxy } from './proxy.mjs';
import { random } from './random.mjs';
import { announced, deploySpoof, spoofed } from './spoof.mjs';

const APPS = [APP, 'post', 'news'];
const DEPTHS = [1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 11, 16, 32, 64];
const GAS = { gas: '0x100000' };
const AGE_S = 20000; // how long ago the chain began
// Where in a period there is a block, whatever else: with these, what is final moves in every period, and nobody lacks the
// update from which the next committee is learned: #stall leaves one of them alone in every period.
const LAST_EPOCH = SLOTS_PER_PERIOD / SLOTS_PER_EPOCH - 1;
const SURE = [0, FINALITY_EPOCHS, LAST_EPOCH].map((epoch) => epoch * SLOTS_PER_EPOCH);
const ALL = 32; // of the minimal preset's committee
const ENOUGH = 22;
const words = (num) => Array.from({ length: num }, (_, i) => `word-${i}`);

// A block as a node answers about it.
class Block {
	constructor(result, receipts) {
		this.number = Number(result.number);
		this.hash = result.hash;
		this.parent = result.parentHash;
		this.time = Number(result.timestamp);
		this.answer = kept(result);
		this.receipts = kept(receipts);
		this.single = new Map(receipts.map((r) => [r.transactionHash, kept(r)]));
		this.logs = receipts.flatMap((r) => r.logs.map(kept));
	}
}

// What a beacon block says is final: the number of an execution block, and its slot; and whether enough sign it.
const finalOf = ({ final, signed }) => ({
	final: final?.header.execution.blockNumber ?? 0,
	slot: final?.slot ?? 0,
	signed: signed.syncAggregate.syncCommitteeBits.getTrueBitIndexes().length >= ENOUGH,
});

const named = (app, version) => ({ app, version, key: label(app) + label(version) });

// An answer with its JSON beside it, so that it is written once.
export const kept = (result) => ({ result, text: JSON.stringify(result) });

export class Recording {
	main = []; // by number
	byHash = new Map();
	forks = []; // {base, blocks}: blocks[0] follows main[base]
	versions = []; // as named() has them
	lost = []; // announced on forks that were left
	#proofs = new Map();
	#shown = new Map();

	// agree: how many endpoints made the base's store; who goes on with it needs as many, and as many to agree.
	// pace: poll_ms and timeout_ms of its node. proof: quorum or consensus.
	static async make(seed, num, agree, pace, proof = 'quorum') {
		const recording = new Recording();
		recording.proof = proof;
		recording.pace = pace;
		recording.agree = agree;
		recording.random = random(`chain ${seed}`);
		await recording.#found();
		while ((await recording.chain.height()) < recording.start + num) await recording.#turn();
		await recording.chain.mineMany(2);
		await recording.#keepMain();
		// What stalls at the end is seen to go on.
		for (; recording.beacon && !recording.finals.at(-1).signed; await recording.#keepMain()) await recording.#mine((await recording.chain.time()) + 4);
		recording.#model();
		return recording;
	}

	async stop() {
		await (this.beacon ?? this.chain).stop();
	}

	get height() {
		return this.main.length - 1;
	}

	// The contract, and a node with a root (base).
	async #found() {
		if (this.proof === 'consensus') await this.#forge();
		else this.chain = await startAnvil(['--slots-in-an-epoch', '1', '--timestamp', String(Math.floor(Date.now() / 1000) - AGE_S)]);
		this.story = await Story.found(this.chain, { beacon: this.beacon });
		this.birth = Number(this.story.derot.birth);
		const proxies = await Promise.all(Array.from({ length: this.agree }, () => startProxy(this.chain.url)));
		const endpoints = proxies.map(({ url }, i) => ({ name: `node-${i}`, url }));
		this.base = this.story.kms({ endpoints, quorum: this.agree, max_staleness: 86400, ...this.pace });
		await this.base.start();
		await this.story.root(this.base);
		for (const app of APPS) {
			await this.story.registerApp(app);
			for (const version of ['v-0', 'v-1', 'v-2']) await this.#announce(app, version);
		}
		await this.story.pass(NOTICE.app);
		await this.story.final(this.base);
		assert.equal((await this.base.decides(APP, 'v-0')).verdict, 'allow');
		this.start = (await this.base.until((s) => s.lag_blocks === 0)).final;
		this.head = await this.chain.height();
		if (this.beacon) this.#stall();
		assert.equal(await this.base.stop(), EXIT.good);
		await Promise.all(proxies.map((proxy) => proxy.stop()));
		this.spoof = await deploySpoof(this.chain, this.story.mallory);
		// A heartbeat of our node that our node did not make would seal it.
		this.others = this.chain.accounts.filter((account) => account !== this.story.kms1);
		await this.chain.rpc('evm_setAutomine', false);
	}

	// The beacon chain, its forks at random: of the hundred epochs that come, some begin in blocks that are played.
	async #forge() {
		const r = this.random;
		const [deneb, electra] = [r.between(0, 40), r.between(41, 120)];
		this.beacon = await Beacon.start({ forks: { capella: 0, deneb, electra, fulu: electra + r.between(1, 100) }, behind_s: AGE_S });
		this.chain = this.beacon.chain;
	}

	// From the next period on: which slots are signed by how many, and at which nothing becomes final. Every second period
	// may stall in its second part, and what stalls goes on at the next one's last epoch at the latest.
	#stall() {
		const { forge } = this.beacon;
		const first = Math.floor(forge.head.slot / SLOTS_PER_PERIOD) + 1;
		const word = this.random();
		const stalls = (slot) => {
			const pair = Math.floor((Math.floor(slot / SLOTS_PER_PERIOD) - first) / 2);
			const at = slot - (first + 2 * pair) * SLOTS_PER_PERIOD;
			const r = random(`${word} pair ${pair}`);
			const [few, none] = [r.chance(0.25), r.chance(0.25)];
			const [from, to] = [SURE[1] + 2 + r.below(40), SLOTS_PER_PERIOD + r.below(SURE[2])];
			return pair >= 0 && at >= from && at < to ? { few, none } : {};
		};
		forge.finalizes = (slot) => !stalls(slot).none;
		forge.signs = (slot) => {
			const r = random(`${word} slot ${slot}`);
			if (stalls(slot).few) return r.below(ENOUGH);
			return r.chance(0.7) ? ALL : r.between(ENOUGH, ALL);
		};
	}

	async #announce(app, version) {
		this.versions.push(named(app, version));
		await this.story.announce(version, app);
	}

	// A transaction that somebody may send now.
	#transaction(where) {
		const { story, random: r } = this;
		const call = (from, name, args, value) => story.derot.transaction(from, name, args, value);
		const { app, version } = r.of(this.versions);
		const fresh = `${where}-${this.versions.length}`;
		const one = r.of(['announce', 'announce', 'announce', 'revoke', 'revoke', 'beat', 'beat', 'node', 'policy', 'epoch', 'spoof', 'spoof', 'spoof', 'hand', 'suspend', 'register', 'blacklist', 'plain', 'plain', 'never']);
		switch (one) {
			case 'announce': this.versions.push(named(app, fresh)); return call(story.dave, 'announce', [label(app), label(fresh)]);
			case 'revoke': return call(r.of([story.grace, story.dave]), 'revokeAppMeasurement', [label(app), label(version)]);
			case 'beat': return call(r.of(this.others), 'heartbeat', [label(r.of(words(9)))]);
			case 'node': return call(story.mallory, 'registerNode', [1, label('kms-v2'), label('enc'), label('tdx'), label('fam-good'), 7, label(r.of(words(9)))], 10n ** 9n);
			case 'policy': return call(story.dave, 'setEpochPolicy', [label(app), label(r.of([SERVICE, ...words(2)])), r.of([0, 40, 1000]), r.below(30)]);
			case 'epoch': return call(story.dave, 'advanceEpoch', [label(app), label(SERVICE)]);
			case 'spoof': return spoofed(this.spoof, story.mallory, 'AppMeasurementAllowed', announced(app, 'evil', story.dave), call(story.mallory, 'heartbeat', [label('x')]));
			case 'hand': return call(story.dave, 'handover', [label(app), label(version), label(r.of(this.versions).version)]);
			case 'suspend': return r.chance(0.3) ? this.#suspend(app) : this.#plain();
			case 'register': return call(r.of(this.chain.accounts), 'registerApp', [label(r.of(words(30))), label('n'), NOTICE.app, 3]);
			case 'blacklist': return call(story.grace, 'blacklist', [1, label(r.of(words(9))), r.below(4)]);
			case 'never': return call(story.mallory, 'suspendApp', [label(app)]); // it reverts
			default: return this.#plain();
		}
	}

	#suspend(app) {
		this.suspends = app;
		return this.story.derot.transaction(this.story.grace, 'suspendApp', [label(app)]);
	}

	#plain() {
		const [from, to] = [this.random.of(this.chain.accounts), this.random.of(this.chain.accounts)];
		return { from, to, value: '0x1' };
	}

	// One block of so many transactions. Which of them fail is the chain's business.
	async #block(num, where) {
		for (let i = 0; i < num; i++) await this.chain.rpc('eth_sendTransaction', { ...GAS, ...this.#transaction(where) });
		await this.#mine((await this.chain.time()) + this.random.of([1, 1, 2, 5, 12, 55]));
	}

	// A block at this time; of a beacon chain, those that it needs before.
	async #mine(time) {
		const { beacon, chain } = this;
		for (let slot = beacon && (await beacon.slot()) + 1; beacon && slot < time - beacon.forge.genesisTime; slot++)
			if (SURE.includes(slot % SLOTS_PER_PERIOD)) await beacon.jump(slot);
		await chain.mine(time);
	}

	async #turn() {
		const r = this.random;
		if (r.chance(0.12)) await this.#fork();
		if (r.chance(this.suspends ? 0.3 : 0.02)) await this.#council();
		await this.#block(r.of([0, 0, 0, 1, 1, 2, 4]), 'v');
	}

	// The council resumes the application that was suspended last; else it sends a notice ahead that changes nothing.
	async #council() {
		const { story, chain } = this;
		const app = this.suspends ?? APP;
		this.suspends = undefined;
		await chain.rpc('evm_setAutomine', true);
		await story.council(ACTION.appResume, label(app)).catch(() => story.council(ACTION.noticeSet, 4, NOTICE.app).catch(() => undefined));
		await chain.rpc('evm_setAutomine', false);
	}

	// Some blocks that the node has, and then others in their place.
	async #fork() {
		const { chain, random: r } = this;
		const base = await chain.height();
		const known = this.versions.length;
		const snapshot = await chain.rpc('evm_snapshot');
		for (let depth = r.of(DEPTHS); depth > 0; depth--) await this.#block(r.of([0, 1, 2]), 'lost');
		const blocks = [];
		for (let number = base + 1; number <= (await chain.height()); number++) blocks.push(await this.#keep(number));
		await this.beacon?.head();
		const slots = this.beacon?.forge.blocks.slice(base);
		await chain.rpc('evm_revert', snapshot);
		assert.equal(await chain.height(), base);
		// What was announced there is asked for later, in vain; it is not what others are made of.
		this.lost.push(...this.versions.splice(known));
		this.forks.push({ base, blocks, slots, finals: slots?.map(finalOf) });
	}

	async #keep(number) {
		const [block, receipts] = await Promise.all([
			this.chain.rpc('eth_getBlockByNumber', hex(number), false),
			this.chain.rpc('eth_getBlockReceipts', hex(number)),
		]);
		const kept = new Block(block, receipts);
		this.byHash.set(kept.hash, kept);
		return kept;
	}

	async #keepMain() {
		for (let number = this.main.length; number <= (await this.chain.height()); number++) this.main.push(await this.#keep(number));
		if (this.beacon) {
			await this.beacon.head();
			this.finals = [{ final: 0, slot: 0, signed: false }, ...this.beacon.forge.blocks.map(finalOf)];
		}
		for (const { base, blocks } of this.forks) assert.equal(blocks[0].parent, this.main[base].hash, 'a fork that does not link');
	}

	// cut: the first blocks of a fork.
	cut({ base, blocks, slots }, num) {
		return { base, blocks: blocks.slice(0, num), slots: slots?.slice(0, num) };
	}

	// shown: the beacon chain up to block `head`, or up to a fork's end; made once.
	shown(head, fork) {
		const known = this.#shown.get(fork ?? head);
		if (known) return known;
		const { forge } = this.beacon;
		const shown = forge.as(fork ? [...forge.blocks.slice(0, fork.base), ...fork.slots] : forge.blocks.slice(0, head));
		this.#shown.set(fork ?? head, shown);
		return shown;
	}

	// proof: the state proof that the node gives; asked once.
	proof(params) {
		const key = JSON.stringify(params);
		if (!this.#proofs.has(key)) {
			const asked = this.chain.rpc('eth_getProof', ...params).then(kept, (error) => ({ error: { code: -32000, message: error.message } }));
			this.#proofs.set(key, asked);
			asked.then((answer) => this.#proofs.set(key, answer));
		}
		return this.#proofs.get(key);
	}

	// The model: by block, which versions the contract's events allow.
	#model() {
		const apps = new Map(APPS.map((app) => [label(app), { allowed: new Map(), suspended: false, resumed: Infinity }]));
		let num = 0;
		const ours = new Set(abi.filter((i) => i.type === 'event').map(topicOf));
		this.touched = []; // blocks with events of the contract
		this.events = []; // by block: how many of its events there are up to it
		this.first = new Map(); // key → the first block that allows it
		this.rights = this.main.map(({ number, logs, time }) => {
			for (const { result: log } of logs) {
				if (log.address !== this.story.derot.address || !ours.has(log.topics[0])) continue;
				num++;
				if (this.touched.at(-1) !== number) this.touched.push(number);
				const { name, args } = decodeLog(log);
				const app = apps.get(args.app);
				if (app === undefined) continue;
				if (name === 'AppMeasurementAllowed') app.allowed.set(args.measurement, Number(args.due));
				if (name === 'AppMeasurementRevoked') app.allowed.set(args.measurement, Infinity);
				if (name === 'AppSuspended') Object.assign(app, { suspended: true, resumed: Infinity });
				if (name === 'AppResumed') app.resumed = Number(args.due);
			}
			this.events[number] = num;
			const now = new Set();
			for (const [id, app] of apps) {
				if (app.suspended && app.resumed <= time) app.suspended = false;
				for (const [version, due] of app.suspended ? [] : app.allowed) if (due <= time) now.add(id + version);
			}
			for (const key of now) if (!this.first.has(key)) this.first.set(key, number);
			return now;
		});
	}

	// allows: after block `number` of the main chain.
	allows({ key }, number) {
		return this.rights[number]?.has(key) ?? false;
	}

	// holds: after every block of these.
	holds(who, first, last) {
		for (let number = first; number <= last; number++) if (!this.allows(who, number)) return false;
		return true;
	}

	// who: a version to ask for, while `final` is final and `head` the newest block; of this kind, if there is one.
	who(kind, final, head, pick) {
		const all = [...this.versions, ...this.lost, named(APPS[pick % APPS.length], 'evil')];
		const fits = {
			allowed: (w) => this.holds(w, final, head),
			ends: (w) => this.allows(w, final) && !this.holds(w, final, head),
			begins: (w) => !this.allows(w, final) && this.allows(w, head),
			past: (w) => !this.allows(w, final) && this.first.get(w.key) < final,
			lost: (w) => this.lost.includes(w) || w.version === 'evil',
		}[kind];
		const found = all.filter(fits);
		return found.length > 0 ? found[pick % found.length] : all[pick % all.length];
	}
}
