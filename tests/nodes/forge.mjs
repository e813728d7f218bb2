// SPDX-License-Identifier: Apache-2.0
//
// A forged beacon chain: every block of a real execution node, wrapped into a beacon block with genuine SSZ roots,
// genuine Merkle branches into block bodies and states, and BLS signatures of sync committees whose keys we hold. A
// light client that starts from our checkpoint cannot tell it from a real one. It is no consensus: nobody attests,
// states hold only what light clients are shown, and a block is "final" when two epochs have passed.
//
//     const forge = new Forge(anvil.url, shadow('mainnet'));      // a chain of forge_chain.mjs
//     await forge.follow();                        // wraps the execution blocks that are new, drops those that are gone
//     await forge.serve();                         // the beacon REST API of forge_api.mjs, at forge.url
//     forge.checkpoint()                           // root of the newest final block, for a client to start from
//     await forge.stop();
//
// Options: `seed` of the keys; `signs`, who signs what is signed at a slot (forge_committee.mjs; default: everybody);
// `finalizes`, whether what is final moves at a slot (default: always); `tamper(kind, value, block)`, which may change a
// message of the light-client protocol just before it is served.

import { setHasher } from '@chainsafe/persistent-merkle-tree';
import { hasher } from '@chainsafe/persistent-merkle-tree/hasher/hashtree';
import { createBeaconConfig } from '@lodestar/config';
import { DOMAIN_SYNC_COMMITTEE, SLOTS_PER_EPOCH, SYNC_COMMITTEE_SIZE } from '@lodestar/params';
import { ssz, sszTypesFor } from '@lodestar/types';
import { serveForge } from './forge_api.mjs';
import { bytes, epochOf, hex, periodOf } from './forge_chain.mjs';
import { Committees } from './forge_committee.mjs';

// The same SHA-256 as by default, ten times as fast.
setHasher(hasher);

// How long a block takes to be called final.
export const FINALITY_EPOCHS = 2;

// branch: from a node of an SSZ tree to its descendant with generalized index `gindex`; lowest sibling first.
function branch(node, gindex) {
	const siblings = [];
	for (const bit of gindex.toString(2).slice(1)) {
		siblings.push((bit === '1' ? node.left : node.right).root);
		node = bit === '1' ? node.right : node.left;
	}
	return siblings.reverse();
}
// Where a field lies follows from the fork's own type; there is no table of indices to get wrong.
const branchTo = (type, node, ...path) => branch(node, type.getPathInfo(path).gindex);

// payloadOf: an execution block, as JSON-RPC tells it, with its transactions as they are signed.
function payloadOf(block, transactions) {
	return {
		parentHash: bytes(block.parentHash),
		feeRecipient: bytes(block.miner),
		stateRoot: bytes(block.stateRoot),
		receiptsRoot: bytes(block.receiptsRoot),
		logsBloom: bytes(block.logsBloom),
		prevRandao: bytes(block.mixHash),
		blockNumber: Number(block.number),
		gasLimit: Number(block.gasLimit),
		gasUsed: Number(block.gasUsed),
		timestamp: Number(block.timestamp),
		extraData: bytes(block.extraData),
		baseFeePerGas: BigInt(block.baseFeePerGas),
		blockHash: bytes(block.hash),
		transactions: transactions.map(bytes),
		withdrawals: (block.withdrawals ?? []).map((w) => ssz.capella.Withdrawal.fromJson({ ...w, validator_index: w.validatorIndex })),
		blobGasUsed: BigInt(block.blobGasUsed ?? 0),
		excessBlobGas: BigInt(block.excessBlobGas ?? 0),
	};
}

function payloadHeaderOf({ transactions, withdrawals, ...payload }) {
	return {
		...payload,
		transactionsRoot: ssz.bellatrix.Transactions.hashTreeRoot(transactions),
		withdrawalsRoot: ssz.capella.Withdrawals.hashTreeRoot(withdrawals),
	};
}

export class Forge {
	// The blocks in order. Each: slot, root, types (its fork's), body, final (the block that its state calls final, or
	// undefined) and finalEpoch, and its light-client side: header, committees and branches, and `signed`, the committee's
	// word on it.
	blocks = [];
	// The update to serve for each period.
	updates = new Map();
	#bySlot = new Map();
	#byRoot = new Map();
	#bases = new Map();
	#el;
	#server;

	constructor(el, chain, { seed = 'forge', signs = () => SYNC_COMMITTEE_SIZE, finalizes = () => true, tamper = (kind, value) => value } = {}) {
		this.#el = el;
		this.genesisTime = chain.genesisTime;
		this.genesisValidatorsRoot = chain.genesisValidatorsRoot;
		this.config = createBeaconConfig(chain.config, chain.genesisValidatorsRoot);
		this.committees = new Committees(seed, SYNC_COMMITTEE_SIZE);
		this.signs = signs;
		this.finalizes = finalizes;
		this.tamper = tamper;
	}

	get head() {
		return this.blocks.at(-1);
	}

	// find: a block by slot, root (0x), or one of head, finalized, genesis.
	find(id) {
		const named = { head: this.head, finalized: this.head?.final, genesis: this.blocks[0] };
		return id in named ? named[id] : id.startsWith('0x') ? this.#byRoot.get(id) : this.#bySlot.get(Number(id));
	}

	checkpoint() {
		const final = this.head?.final;
		if (!final) throw new Error(`no block is final: the chain is younger than ${FINALITY_EPOCHS} epochs`);
		return hex(final.root);
	}

	async #rpc(calls) {
		const response = await fetch(this.#el, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(calls.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params }))),
		});
		const replies = (await response.json()).toSorted((a, b) => a.id - b.id);
		for (const { id, error } of replies) if (error) throw new Error(`${calls[id][0]}: ${error.message}`);
		return replies.map((reply) => reply.result);
	}

	// follow: wraps the execution blocks that came since, from block 1 to the newest; after a reorg, from where it began.
	async follow() {
		await this.#forget();
		const [newest] = await this.#rpc([['eth_blockNumber']]);
		for (let number = this.blocks.length + 1; number <= Number(newest); number++) {
			const [block] = await this.#rpc([['eth_getBlockByNumber', '0x' + number.toString(16), false]]);
			const hashes = block.transactions;
			const raw = hashes.length ? await this.#rpc(hashes.map((hash) => ['eth_getRawTransactionByHash', hash])) : [];
			this.#add(payloadOf(block, raw));
		}
		return this;
	}

	// Drops the blocks that the execution node no longer has.
	async #forget() {
		const before = this.blocks.length;
		for (let head; (head = this.head); ) {
			const { blockNumber, blockHash } = head.header.execution;
			const [block] = await this.#rpc([['eth_getBlockByNumber', '0x' + blockNumber.toString(16), false]]);
			if (block?.hash === hex(blockHash)) break;
			this.blocks.pop();
			this.#bySlot.delete(head.slot);
			this.#byRoot.delete(hex(head.root));
		}
		if (this.blocks.length === before) return;
		this.updates.clear();
		for (const block of this.blocks) this.#offer(block);
	}

	// slotAt: the slot of a time. An execution block's timestamp must be the beginning of one, as on the real chain.
	slotAt(time) {
		return (time - this.genesisTime) / this.config.SECONDS_PER_SLOT;
	}

	// signingRoot: what a sync committee signs at `slot` about the block with this root.
	signingRoot(root, slot) {
		const domain = this.config.getDomain(slot, DOMAIN_SYNC_COMMITTEE, Math.max(slot, 1) - 1);
		return ssz.phase0.SigningData.hashTreeRoot({ objectRoot: root, domain });
	}

	// sign: the sync aggregate of `slot` over the block with this root.
	sign(root, slot, signs = this.signs(slot)) {
		return this.committees.sign(periodOf(slot), this.signingRoot(root, slot), signs);
	}

	#add(payload) {
		const parent = this.head;
		const slot = this.slotAt(payload.timestamp);
		if (!Number.isInteger(slot) || slot <= (parent?.slot ?? 0))
			throw new Error(`execution block ${payload.blockNumber}: its timestamp ${payload.timestamp} begins no later slot`);
		const types = sszTypesFor(this.config.getForkName(slot));
		const { final, epoch } = this.#finalAt(slot, parent);

		const body = types.BeaconBlockBody.defaultValue();
		body.executionPayload = payload;
		if (parent) body.syncAggregate = this.sign(parent.root, slot);
		const bodyNode = types.BeaconBlockBody.toView(body).node;
		const execution = payloadHeaderOf(payload);
		const stateNode = this.#state(slot, types, execution, final, epoch);

		const beacon = {
			slot,
			proposerIndex: 0,
			parentRoot: parent?.root ?? new Uint8Array(32),
			stateRoot: stateNode.root,
			bodyRoot: bodyNode.root,
		};
		const root = ssz.phase0.BeaconBlockHeader.hashTreeRoot(beacon);
		const period = periodOf(slot);
		const block = {
			slot,
			root,
			types,
			body,
			final,
			finalEpoch: epoch,
			header: { beacon, execution, executionBranch: branchTo(types.BeaconBlockBody, bodyNode, 'executionPayload') },
			currentSyncCommittee: this.committees.of(period).ssz,
			currentSyncCommitteeBranch: branchTo(types.BeaconState, stateNode, 'currentSyncCommittee'),
			nextSyncCommittee: this.committees.of(period + 1).ssz,
			nextSyncCommitteeBranch: branchTo(types.BeaconState, stateNode, 'nextSyncCommittee'),
			finalityBranch: branchTo(types.BeaconState, stateNode, 'finalizedCheckpoint', 'root'),
			// Told one slot later, whether or not a block comes then.
			signed: { syncAggregate: this.sign(root, slot + 1), signatureSlot: slot + 1 },
		};
		this.#keep(block);
	}

	#keep(block) {
		this.blocks.push(block);
		this.#bySlot.set(block.slot, block);
		this.#byRoot.set(hex(block.root), block);
		this.#offer(block);
	}

	// as: this chain, when its blocks were these.
	as(blocks) {
		const forge = new Forge(this.#el, this);
		Object.assign(forge, { config: this.config, committees: this.committees, signs: this.signs });
		for (const block of blocks) forge.#keep(block);
		return forge;
	}

	// The newest block at or before the epoch that is two behind this slot's; while nothing is finalized, as before.
	#finalAt(slot, parent) {
		if (!this.finalizes(slot)) return { final: parent?.final, epoch: parent?.finalEpoch };
		const epoch = epochOf(slot) - FINALITY_EPOCHS;
		return { final: this.blocks.findLast((block) => block.slot <= epoch * SLOTS_PER_EPOCH), epoch };
	}

	// The state after a block, with what light clients are shown of it; its tree.
	#state(slot, types, execution, final, epoch) {
		const period = periodOf(slot);
		const fork = this.config.getForkInfo(slot);
		const key = `${fork.name}/${period}`;
		// The committees are most of the hashing, and the same for a whole period.
		if (!this.#bases.has(key)) {
			const base = types.BeaconState.defaultViewDU();
			base.genesisTime = this.genesisTime;
			base.genesisValidatorsRoot = this.genesisValidatorsRoot;
			base.fork = ssz.phase0.Fork.toViewDU({ previousVersion: fork.prevVersion, currentVersion: fork.version, epoch: fork.epoch });
			base.currentSyncCommittee = ssz.altair.SyncCommittee.toViewDU(this.committees.of(period).ssz);
			base.nextSyncCommittee = ssz.altair.SyncCommittee.toViewDU(this.committees.of(period + 1).ssz);
			base.hashTreeRoot();
			this.#bases.set(key, base);
		}
		const state = this.#bases.get(key).clone();
		state.slot = slot;
		if (final) {
			state.finalizedCheckpoint = ssz.phase0.Checkpoint.toViewDU({ epoch, root: final.root });
		}
		state.latestExecutionPayloadHeader = types.ExecutionPayloadHeader.toViewDU(execution);
		state.commit();
		return state.node;
	}

	// Keeps the best update of a block's period: one that says what is final, by as many signers as possible, and of
	// these the oldest.
	#offer(block) {
		const period = periodOf(block.slot);
		if (!block.final || periodOf(block.signed.signatureSlot) !== period) return;
		const worth = (b) => [Number(periodOf(b.final.slot) === period), b.signed.syncAggregate.syncCommitteeBits.getTrueBitIndexes().length];
		const best = this.updates.get(period);
		const [[ours, signers], [theirs, others]] = [worth(block), best ? worth(best) : [-1, 0]];
		if (ours > theirs || (ours === theirs && signers > others)) this.updates.set(period, block);
	}

	// The four messages of the light-client protocol, about a block.
	bootstrap({ header, currentSyncCommittee, currentSyncCommitteeBranch }) {
		return { header, currentSyncCommittee, currentSyncCommitteeBranch };
	}

	update(block) {
		const { nextSyncCommittee, nextSyncCommitteeBranch } = block;
		return { ...this.finalityUpdate(block), nextSyncCommittee, nextSyncCommitteeBranch };
	}

	finalityUpdate({ header, final, finalityBranch, signed }) {
		return { attestedHeader: header, finalizedHeader: final.header, finalityBranch, ...signed };
	}

	optimisticUpdate({ header, signed }) {
		return { attestedHeader: header, ...signed };
	}

	async serve() {
		this.#server = await serveForge(this, (...what) => this.tamper(...what));
		this.url = this.#server.url;
		return this;
	}

	async stop() {
		await this.#server?.stop();
	}
}
