// SPDX-License-Identifier: Apache-2.0
//
// judge.mjs: what @lodestar/light-client says to the questions that tests/fuzz/peer/beacon.c answers (their form stands
// there), from standard input; a line of JSON each: {ok, why, state, facts}. LODESTAR_PRESET: mainnet or minimal. Run under
// the Node.js beside this, for which Lodestar's BLS is native.
//
// Facts are found by Lodestar's own types; derot is stricter about each of them on purpose:
//
//   two_thirds   of the committee signed
//   version      the fork that the sender claimed is that of the attested slot
//   near         signed in the period of the finalized header, or in the next
//   taught       the signers' committee is the checkpoint's, or was learned as the specification has it: from an update that
//                attests, finalizes and is signed in the period before theirs
//   empty        what is left out is the default to its last field, and not only to its first
//   same_next    the next committee is the one that is known for that period
//   sum          the next committee's keys are keys, and its aggregate is their sum

import { readFileSync } from 'node:fs';
import bls from '@chainsafe/bls';
import { createBeaconConfig } from '@lodestar/config';
import { mainnetChainConfig, minimalChainConfig } from '@lodestar/config/configs';
import { LightclientSpec } from '@lodestar/light-client/spec';
import { ACTIVE_PRESET, EPOCHS_PER_SYNC_COMMITTEE_PERIOD, SLOTS_PER_EPOCH, SYNC_COMMITTEE_SIZE } from '@lodestar/params';
import { ssz } from '@lodestar/types';
// These are not exported.
import { validateLightClientBootstrap } from './node_modules/@lodestar/light-client/lib/spec/validateLightClientBootstrap.js';

const FORKS = ['phase0', 'altair', 'bellatrix', 'capella', 'deneb', 'electra', 'fulu'];
const KINDS = { 1: 'LightClientUpdate', 2: 'LightClientFinalityUpdate', 3: 'LightClientOptimisticUpdate' };
const CLOCK_SKEW_S = 1; // chain/base/limits.h
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const periodOf = (slot) => Math.floor(slot / SLOTS_PER_EPOCH / EPOCHS_PER_SYNC_COMMITTEE_PERIOD);
const isZero = (branch) => branch.every((node) => node.every((byte) => byte === 0));

// network: chain/beacon/network.h has the form.
function network(input) {
	const at = { epochs: 1 + 32 + 4 + 4 + 4 };
	const chain = { ...(ACTIVE_PRESET === 'minimal' ? minimalChainConfig : mainnetChainConfig) };
	chain.SECONDS_PER_SLOT = input.readUInt32BE(at.epochs);
	const genesisTime = Number(input.readBigUInt64BE(at.epochs + 4));
	const root = input.subarray(at.epochs + 12, at.epochs + 44);
	const num = input[at.epochs + 44];
	for (const [i, fork] of FORKS.entries()) {
		const from = at.epochs + 45 + 12 * i;
		const name = i === 0 ? 'GENESIS' : fork.toUpperCase();
		chain[`${name}_FORK_EPOCH`] = i < num ? Number(input.readBigUInt64BE(from)) : Infinity;
		if (i < num) chain[`${name}_FORK_VERSION`] = input.subarray(from + 8, from + 12);
	}
	return { genesisTime, config: createBeaconConfig(chain, root) };
}

// Is a committee's aggregate the sum of its keys? By the committee's root.
const sums = new Map();
function isSum({ pubkeys, aggregatePubkey }, root) {
	if (sums.has(root)) return sums.get(root);
	let same = false;
	try {
		const keys = pubkeys.map((key) => bls.PublicKey.fromBytes(key, undefined, true));
		same = hex(bls.PublicKey.aggregate(keys).toBytes()) === hex(aggregatePubkey);
	} catch {
		// No key.
	}
	sums.set(root, same);
	return same;
}

// The light client with what derot's rules ask about it.
class Judge {
	constructor(config, bootstrap) {
		this.spec = new LightclientSpec(config, {}, bootstrap);
		this.config = config;
		this.taught = new Set([periodOf(bootstrap.header.beacon.slot)]);
		this.next = new Map(); // period → root of the committee after it
	}

	copy() {
		const { spec } = this;
		const store = Object.create(Object.getPrototypeOf(spec.store), Object.getOwnPropertyDescriptors(spec.store));
		for (const name of ['syncCommittees', 'bestValidUpdates', 'maxActiveParticipants']) store[name] = new Map(spec.store[name]);
		const other = Object.assign(Object.create(Judge.prototype), this);
		other.spec = Object.assign(Object.create(LightclientSpec.prototype), spec, { store });
		other.taught = new Set(this.taught);
		other.next = new Map(this.next);
		return other;
	}

	state() {
		const { finalizedHeader, optimisticHeader } = this.spec.store;
		const root = ssz.phase0.BeaconBlockHeader.hashTreeRoot(finalizedHeader.beacon);
		return `${finalizedHeader.beacon.slot} ${hex(root)} ${optimisticHeader.beacon.slot}`;
	}

	// take: throws what Lodestar throws.
	take(kind, update, slot) {
		if (kind === 1) this.spec.onUpdate(slot, update);
		else if (kind === 2) this.spec.onFinalityUpdate(slot, update);
		else this.spec.onOptimisticUpdate(slot, update);
	}

	facts(kind, claimed, update) {
		const types = ssz[claimed][KINDS[kind]].fields;
		const [attested, signed] = [update.attestedHeader.beacon.slot, update.signatureSlot];
		const at = periodOf(this.spec.store.finalizedHeader.beacon.slot);
		const final = kind !== 3 && !isZero(update.finalityBranch);
		const committee = kind === 1 && !isZero(update.nextSyncCommitteeBranch);
		const empty = (type, value) => type.equals(value, type.defaultValue());
		const root = committee && hex(ssz.altair.SyncCommittee.hashTreeRoot(update.nextSyncCommittee));
		const facts = {
			two_thirds: update.syncAggregate.syncCommitteeBits.getTrueBitIndexes().length * 3 >= SYNC_COMMITTEE_SIZE * 2,
			version: this.config.getForkName(attested) === claimed,
			near: [at, at + 1].includes(periodOf(signed)),
			taught: this.taught.has(periodOf(signed)),
			empty:
				(kind === 3 || (final && update.finalizedHeader.beacon.slot > 0) || empty(types.finalizedHeader, update.finalizedHeader)) &&
				(kind !== 1 || committee || empty(ssz.altair.SyncCommittee, update.nextSyncCommittee)),
			same_next: !committee || periodOf(attested) !== at || [undefined, root].includes(this.next.get(at)),
			sum: !committee || isSum(update.nextSyncCommittee, root),
		};
		const finalized = final && periodOf(update.finalizedHeader.beacon.slot);
		const teaches = committee && final && facts.two_thirds && finalized === periodOf(attested) && finalized === periodOf(signed);
		return { facts, learn: teaches && (() => this.taught.add(finalized + 1) && this.next.set(finalized, root)) };
	}
}

let net, judge, remembered;
const slotAt = (now) => Math.floor((Number(now) + CLOCK_SKEW_S - net.genesisTime) / net.config.SECONDS_PER_SLOT);

function start(input) {
	const [fork, now, root] = [FORKS[input[0]], input.readBigUInt64BE(1), input.subarray(9, 41)];
	judge = undefined;
	const bootstrap = ssz[fork].LightClientBootstrap.deserialize(input.subarray(41));
	validateLightClientBootstrap(net.config, root, bootstrap);
	const facts = {
		version: net.config.getForkName(bootstrap.header.beacon.slot) === fork,
		past: bootstrap.header.beacon.slot <= slotAt(now),
	};
	judge = new Judge(net.config, bootstrap);
	return { ok: true, facts, state: judge.state() };
}

function take(input, keep) {
	const [kind, fork, now] = [input[0], FORKS[input[1]], input.readBigUInt64BE(2)];
	if (!judge) throw new Error('no store');
	const update = ssz[fork][KINDS[kind]].deserialize(input.subarray(10));
	const other = judge.copy();
	const { facts, learn } = other.facts(kind, fork, update);
	other.take(kind, update, slotAt(now));
	if (learn) learn();
	if (keep) judge = other;
	return { ok: true, facts, state: other.state() };
}

const done = { ok: true };
const answers = {
	1: (input) => ((net = network(input)), done),
	2: start,
	3: (input) => take(input, false),
	4: (input) => take(input, true),
	5: () => ((remembered = judge?.copy()), done),
	6: () => ((judge = remembered?.copy()), done),
};

const all = readFileSync(0);
const out = [];
for (let at = 0; at < all.length; ) {
	const [kind, length] = [all[at], all.readUInt32BE(at + 1)];
	const input = all.subarray(at + 5, at + 5 + length);
	at += 5 + length;
	try {
		out.push(JSON.stringify(answers[kind](input)));
	} catch (error) {
		out.push(JSON.stringify({ ok: false, why: error.message }));
	}
}
process.stdout.write(out.join('\n') + '\n');
