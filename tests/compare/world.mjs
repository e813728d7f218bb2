// SPDX-License-Identifier: Apache-2.0
//
// The chain that all clients are asked about: a real anvil with chain id 1 whose blocks lie on mainnet's slots, with
// DeRoT.sol and a short history on it; and the beacon chain that is forged over it, for clients that verify by one.
//
// The history is an hour long and ends now. A build and versions of two applications are allowed. One deployer
// announces another version, the leak, lets it run and revokes it; a guardian suspends the other's application; more
// follows.

import { label } from '../nodes/abi.mjs';
import { startAnvil } from '../nodes/chain.mjs';
import { FINALITY_EPOCHS, Forge } from '../nodes/forge.mjs';
import { SLOTS_PER_EPOCH, hex, shadow } from '../nodes/forge_chain.mjs';
import { APP, BUILD, Story } from '../nodes/story.mjs';
import { ACTION, decodeLog } from '../nodes/derot.mjs';
import { eventId } from './ask.mjs';

const SLOT_S = 12;
// How long ago the chain begins. Finality by epochs needs a quarter of an hour of it.
const HISTORY_S = 3600;
// Longer than every notice of the story, and whole slots.
const NOTICE_S = 5 * SLOT_S;
// The deployer's own application, and what it was for.
export const LEAKY = 'wiki';
const LEAK = 'wiki-leak';

export class World {
	#renewed = Promise.resolve();

	static async build() {
		const world = new World();
		const mainnet = shadow('mainnet');
		const slots = Math.floor((Date.now() / 1000 - mainnet.genesisTime) / SLOT_S);
		world.now = mainnet.genesisTime + slots * SLOT_S;
		world.chain = await startAnvil(['--chain-id', '1', '--slots-in-an-epoch', '1', '--timestamp', String(world.now - HISTORY_S)]);
		await world.chain.rpc('anvil_setBlockTimestampInterval', SLOT_S);
		world.setting = mainnet;
		await world.#tell();
		world.forge = await new Forge(world.chain.url, mainnet).follow();
		await world.forge.serve();
		await world.#look();
		return world;
	}

	async #tell() {
		const { chain } = this;
		await chain.mine(); // viem's watch from block 1 would begin now instead
		const story = (this.story = await Story.found(chain));
		this.derot = story.derot;
		await story.council(ACTION.measurementAllow, BUILD);
		await story.pass(NOTICE_S);
		for (const [app, version] of [[APP, 'mail-v1'], [LEAKY, 'wiki-v1'], [LEAKY, LEAK]]) {
			if (version !== LEAK) await story.registerApp(app, NOTICE_S);
			await story.announce(version, app);
			await story.pass(NOTICE_S);
		}
		await this.derot.send(story.dave, 'revokeAppMeasurement', [label(LEAKY), label(LEAK)]);
		await chain.mine();
		await this.derot.send(story.grace, 'suspendApp', [label(APP)]);
		await chain.mine();
		await story.announce('mail-v2');
		await this.derot.send(story.mallory, 'heartbeat', [label('beat')]);
		await chain.mineMany(8, SLOT_S);
		// The checkpoint; the newest final block, where an epoch begins as well; and the newest blocks, the last of the slot
		// before now.
		const { genesisTime } = this.setting;
		const epoch = Math.floor((this.now - SLOT_S - genesisTime) / SLOT_S / SLOTS_PER_EPOCH);
		const [from, to] = [2, 1].map((n) => (epoch - n * FINALITY_EPOCHS) * SLOTS_PER_EPOCH);
		for (const slot of [from, to]) await chain.mine(genesisTime + slot * SLOT_S);
		this.checkpointSlot = from;
		await chain.mine(this.now - 3 * SLOT_S);
		await chain.mineMany(2, SLOT_S);
	}

	// proof: where a client's knowledge of what is final comes from: a beacon node, and a checkpoint older than the newest
	// final block, so that the signatures have to be verified.
	proof() {
		return { beacon: this.forge.url, checkpoint: hex(this.forge.find(String(this.checkpointSlot)).root) };
	}

	// What is true, and what can be hidden of it. An event's id is as its block's log tells it (eventId of ask.mjs); its
	// place is its block and its number there.
	async #look() {
		this.end = this.forge.head.final.header.execution.blockNumber;
		if (this.forge.head.final.slot === this.checkpointSlot) throw new Error('nothing is final after the checkpoint');
		const { address, birth } = this.derot;
		const logs = await this.chain.rpc('eth_getLogs', { address, fromBlock: birth, toBlock: 'latest' });
		const places = new Map();
		this.events = logs.map((log) => {
			const block = Number(log.blockNumber);
			places.set(block, (places.get(block) ?? -1) + 1);
			const { blockHash, transactionHash: hash } = log;
			return { id: eventId(log), place: `${block}/${places.get(block)}`, block, blockHash, hash, ...decodeLog(log) };
		});
		const transactions = (matches) => this.events.filter(matches).map(({ block, blockHash, hash }) => ({ block, blockHash, hash, to: address }));
		this.revocation = transactions((event) => event.name === 'AppSuspended');
		this.leak = transactions((event) => event.args.measurement === label(LEAK));
		if (this.revocation.length !== 1 || this.leak.length !== 2) throw new Error('the history is not as it should be');
	}

	// renew: the chain goes on to now; clients that look at the clock refuse a head that is a minute old.
	renew() {
		this.#renewed = this.#renewed.then(async () => {
			const slots = Math.floor((Date.now() / 1000 - this.now) / SLOT_S);
			if (slots < 1) return;
			this.now += slots * SLOT_S;
			await this.chain.mine(this.now - SLOT_S);
			await this.forge.follow();
		});
		return this.#renewed;
	}

	async stop() {
		await this.forge.stop();
		await this.chain.stop();
	}
}
