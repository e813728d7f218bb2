// SPDX-License-Identifier: Apache-2.0
//
// A real execution node with a forged beacon chain over it (forge.mjs), for whole lives of a KMS node at proof consensus.
//
//     const beacon = await Beacon.start({ forks: { deneb: 0, electra: 8 } });    // a chain that began a while ago
//     const story = await Story.found(beacon.chain, { beacon });
//     const kms = await story.kms().start();
//     await beacon.head();                          // the beacon chain has every block; its newest is attested
//     await beacon.settle();                        // and what has happened is final
//
// Every second is a slot, not every slot has a block. Nobody may sign in the future, so the chain begins `behind_s` ago and
// its clock is moved on from there, never past ours. The preset is minimal, unless LODESTAR_PRESET says mainnet.

import { strict as assert } from 'node:assert';
import { startAnvil } from './chain.mjs';

// Before Lodestar is loaded.
process.env.LODESTAR_PRESET ??= 'minimal';
const { FINALITY_EPOCHS, Forge } = await import('./forge.mjs');
const { SLOTS_PER_EPOCH, SLOTS_PER_PERIOD, devnet } = await import('./forge_chain.mjs');

export { FINALITY_EPOCHS, Forge, SLOTS_PER_EPOCH, SLOTS_PER_PERIOD, devnet };

const BEHIND_S = 2700;
export const now = () => Math.floor(Date.now() / 1000);

// startBeforeTheEnd: starts a node so that its lease ends a few seconds after it proved what is final (a block of that
// time). Where the start took longer than that, once more with more.
export async function startBeforeTheEnd(kms, finalTime) {
	for (let left = 5; left <= 20; left *= 2) {
		await kms.start({ max_staleness: now() - finalTime + left });
		const status = await kms.until((s) => !s.sealed || /older than max_staleness/.test(s.why), 'unsealed');
		if (!status.sealed) return;
		await kms.stop();
	}
	throw new Error('always stale');
}

export class Beacon {
	// start: options forks (default: Capella for ever), behind_s or genesisTime, first, the slot of the first block, and what
	// the forge takes. Something is final then, for a client to start from.
	static async start({ forks = { capella: 0 }, behind_s = BEHIND_S, genesisTime = now() - behind_s, first = 1, ...options } = {}) {
		const beacon = new Beacon();
		beacon.chain = await startAnvil(['--timestamp', String(genesisTime)]);
		await beacon.chain.rpc('anvil_setBlockTimestampInterval', 1);
		beacon.setting = devnet({ genesisTime, forks });
		beacon.forge = new Forge(beacon.chain.url, beacon.setting, options);
		await beacon.jump(first);
		await beacon.epochs(FINALITY_EPOCHS + 1);
		await beacon.forge.serve();
		beacon.checkpoint = beacon.forge.checkpoint();
		return beacon;
	}

	// consensus: what derot.yaml says of it: options of Kms.
	consensus(options = {}) {
		return { from: 'the test', root: this.checkpoint, endpoints: [this.forge.url], setting: this.forge.url, ...options };
	}

	async slot() {
		return this.forge.slotAt(await this.chain.time());
	}

	// to: the chain goes on to this slot, with a block in it and one at the beginning of every epoch before: where a whole
	// period went by without anything final in it, no light client could learn the next committee.
	async to(slot) {
		for (let next = await this.slot(); next < slot; ) {
			next = Math.min(slot, (Math.floor(next / SLOTS_PER_EPOCH) + 1) * SLOTS_PER_EPOCH);
			await this.jump(next);
		}
		return this.head();
	}

	// periods: it goes on for so many whole sync-committee periods, with no more blocks than their updates need.
	async periods(num) {
		const first = Math.floor((await this.slot()) / SLOTS_PER_PERIOD) + 1;
		for (let period = first; period < first + num; period++)
			for (const epoch of [0, FINALITY_EPOCHS]) await this.jump(period * SLOTS_PER_PERIOD + epoch * SLOTS_PER_EPOCH);
		return this.head();
	}

	// jump: the chain goes on to this slot, with nothing between.
	async jump(slot) {
		assert.ok(this.forge.genesisTime + slot < now(), 'the chain would run past the clock: let it begin earlier');
		await this.chain.mine(this.forge.genesisTime + slot);
	}

	async epochs(num) {
		return this.to((Math.floor((await this.slot()) / SLOTS_PER_EPOCH) + num) * SLOTS_PER_EPOCH);
	}

	// head: what the execution chain has, the beacon chain has; its height.
	async head() {
		await this.forge.follow();
		return this.chain.height();
	}

	// settle: goes on until what is the newest block now is final; its number.
	async settle() {
		const height = await this.chain.height();
		const epoch = Math.ceil((await this.slot()) / SLOTS_PER_EPOCH) + FINALITY_EPOCHS;
		await this.to(epoch * SLOTS_PER_EPOCH);
		assert.ok(this.final() >= height, 'the chain does not finalize');
		return height;
	}

	// final: the number of the newest final block; 0: none.
	final() {
		return this.forge.head.final?.header.execution.blockNumber ?? 0;
	}

	async stop() {
		await this.forge.stop();
		await this.chain.stop();
	}
}
