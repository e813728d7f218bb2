// SPDX-License-Identifier: Apache-2.0
//
// The forged beacon chain, by the rules of the light-client protocol written out again: roots, branches and signatures of
// every message, over three forks and several periods of the minimal preset, in JSON and in SSZ. (That a client of others
// takes the mainnet preset's for real, and refuses false signatures, is seen in test_compare.mjs.)

import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { PublicKey, Signature, fastAggregateVerify } from '@chainsafe/blst';
import { startAnvil } from './chain.mjs';

// Before Lodestar is loaded.
process.env.LODESTAR_PRESET = 'minimal';
const { sszTypesFor } = await import('@lodestar/types');
const { Forge } = await import('./forge.mjs');
const { devnet } = await import('./forge_chain.mjs');

// consensus-specs, light-client/sync-protocol.md of altair (first) and electra (second), and capella's for the payload.
const GINDEX = { finalized: [105, 169], current: [54, 86], next: [55, 87], execution: [25, 25] };
const SIZE = 32;
const SLOTS_PER_PERIOD = 64;
const FORKS = { deneb: 0, electra: 4, fulu: 12 };
const EPOCH = 8;
const VERSIONS = { deneb: '0x04000001', electra: '0x05000001', fulu: '0x06000001' };
const SIGNERS = 22; // the fewest that are two thirds

const bytes = (hex) => Buffer.from(hex.slice(2), 'hex');
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const uint = (n) => {
	const leaf = Buffer.alloc(32);
	leaf.writeBigUInt64LE(BigInt(n));
	return leaf;
};
const forkAt = (slot) => Object.keys(FORKS).findLast((fork) => slot >= FORKS[fork] * EPOCH);
const gindexAt = (what, slot) => GINDEX[what][forkAt(slot) === 'deneb' ? 0 : 1];

function fold(leaf, branch, gindex) {
	let node = leaf;
	for (const sibling of branch.map(bytes)) {
		node = gindex & 1 ? sha256(sibling, node) : sha256(node, sibling);
		gindex >>= 1;
	}
	assert.equal(gindex, 1, 'length of a branch');
	return node;
}

// The root of a beacon header's five leaves, padded to eight.
function headerRoot({ slot, proposer_index, parent_root, state_root, body_root }) {
	const leaves = [uint(slot), uint(proposer_index), ...[parent_root, state_root, body_root].map(bytes)];
	while (leaves.length < 8) leaves.push(Buffer.alloc(32));
	const up = (nodes) => nodes.filter((_, i) => i % 2 === 0).map((node, i) => sha256(node, nodes[2 * i + 1]));
	return up(up(up(leaves)))[0];
}

let chain, forge, genesisTime;

const get = async (path, accept = 'application/json') => {
	const response = await fetch(forge.url + path, { headers: { accept } });
	assert.equal(response.status, 200, path);
	return accept === 'application/json' ? response.json() : { body: Buffer.from(await response.arrayBuffer()), fork: response.headers.get('eth-consensus-version') };
};
const typesAt = (slot) => sszTypesFor(forkAt(slot));

function checkHeader({ beacon, execution, execution_branch }) {
	const type = typesAt(beacon.slot).ExecutionPayloadHeader;
	const root = Buffer.from(type.hashTreeRoot(type.fromJson(execution)));
	assert.deepEqual(fold(root, execution_branch, GINDEX.execution[0]), bytes(beacon.body_root), 'execution branch');
	assert.equal(Number(execution.timestamp), genesisTime + Number(beacon.slot));
}

const committeeRoot = (slot, committee) => {
	const type = typesAt(slot).SyncCommittee;
	return Buffer.from(type.hashTreeRoot(type.fromJson(committee)));
};

function isSigned({ attested_header, sync_aggregate, signature_slot }, committee) {
	const bits = bytes(sync_aggregate.sync_committee_bits);
	const signers = committee.pubkeys.filter((_, i) => (bits[i >> 3] >> (i & 7)) & 1);
	assert.equal(signers.length, SIGNERS);
	const version = bytes(VERSIONS[forkAt(signature_slot - 1)]);
	const forkData = sha256(version, Buffer.alloc(28), forge.genesisValidatorsRoot);
	const domain = Buffer.concat([Buffer.from([7, 0, 0, 0]), forkData.subarray(0, 28)]);
	const message = sha256(headerRoot(attested_header.beacon), domain);
	const keys = signers.map((key) => PublicKey.fromBytes(bytes(key), true));
	return fastAggregateVerify(message, keys, Signature.fromBytes(bytes(sync_aggregate.sync_committee_signature), true));
}

function checkFinality(update) {
	const { attested_header: attested, finalized_header: finalized, finality_branch } = update;
	checkHeader(attested);
	checkHeader(finalized);
	const { slot, state_root } = attested.beacon;
	assert.deepEqual(fold(headerRoot(finalized.beacon), finality_branch, gindexAt('finalized', slot)), bytes(state_root), 'finality branch');
	assert.ok(Number(update.signature_slot) > Number(slot) && Number(slot) > Number(finalized.beacon.slot));
}

describe('a chain of three forks and four periods', () => {
	let committees;
	before(async () => {
		genesisTime = Math.floor(Date.now() / 1000) - 3600;
		chain = await startAnvil(['--timestamp', String(genesisTime)]);
		await chain.rpc('anvil_setBlockTimestampInterval', 1);
		for (let i = 0; i < 3; i++) await chain.send({ from: chain.accounts[0], to: chain.accounts[1], value: '0x1' });
		await chain.mineMany(3 * SLOTS_PER_PERIOD);
		forge = new Forge(chain.url, devnet({ genesisTime, forks: FORKS }), { signs: () => SIGNERS });
		await (await forge.follow()).serve();
	});
	after(async () => {
		await forge?.stop();
		await chain?.stop();
	});

	test('bootstraps, of every fork', async () => {
		for (const slot of [1, FORKS.electra * EPOCH, FORKS.fulu * EPOCH, 3 * SLOTS_PER_PERIOD]) {
			const { data: { root } } = await get(`/eth/v1/beacon/blocks/${slot}/root`);
			const { version, data } = await get(`/eth/v1/beacon/light_client/bootstrap/${root}`);
			assert.equal(version, forkAt(slot));
			assert.deepEqual(headerRoot(data.header.beacon), bytes(root));
			checkHeader(data.header);
			const leaf = committeeRoot(slot, data.current_sync_committee);
			const folded = fold(leaf, data.current_sync_committee_branch, gindexAt('current', slot));
			assert.deepEqual(folded, bytes(data.header.beacon.state_root));
			assert.equal(data.current_sync_committee.pubkeys.length, SIZE);
			if (slot === 1) committees = [data.current_sync_committee];
		}
	});
	test('updates: one for each period, each committee named by the one before', async () => {
		const updates = await get('/eth/v1/beacon/light_client/updates?start_period=0&count=128');
		assert.equal(updates.length, 4);
		for (const [period, { version, data }] of updates.entries()) {
			const { slot, state_root } = data.attested_header.beacon;
			assert.equal(Math.floor(slot / SLOTS_PER_PERIOD), period);
			assert.equal(version, forkAt(slot));
			checkFinality(data);
			const leaf = committeeRoot(slot, data.next_sync_committee);
			assert.deepEqual(fold(leaf, data.next_sync_committee_branch, gindexAt('next', slot)), bytes(state_root));
			assert.ok(isSigned(data, committees[period]), `signature of period ${period}`);
			committees.push(data.next_sync_committee);
		}
	});
	test('the newest: final and optimistic; and one that is not signed', async () => {
		const ask = async () => Promise.all(['finality', 'optimistic'].map((kind) => get(`/eth/v1/beacon/light_client/${kind}_update`)));
		const [final, optimistic] = (await ask()).map(({ data }) => data);
		checkFinality(final);
		const period = Math.floor(final.signature_slot / SLOTS_PER_PERIOD);
		for (const update of [final, optimistic]) assert.ok(isSigned(update, committees[period]));
		assert.equal(Number(optimistic.attested_header.execution.block_number), await chain.height());
		forge.tamper = (kind, update) => ({ ...update, syncAggregate: forge.sign(new Uint8Array(32), update.signatureSlot) });
		for (const { data } of await ask()) assert.equal(isSigned(data, committees[period]), false);
		forge.tamper = (kind, update) => update;
	});
	test('the same in SSZ', async () => {
		const kinds = [['finality_update', 'LightClientFinalityUpdate'], ['optimistic_update', 'LightClientOptimisticUpdate']];
		for (const [path, name] of kinds) {
			const { body, fork } = await get(`/eth/v1/beacon/light_client/${path}`, 'application/octet-stream');
			const type = sszTypesFor(fork)[name];
			assert.deepEqual(type.toJson(type.deserialize(body)), (await get(`/eth/v1/beacon/light_client/${path}`)).data);
		}
		const updates = '/eth/v1/beacon/light_client/updates?start_period=0&count=4';
		const { body } = await get(updates, 'application/octet-stream');
		let at = 0;
		for (const { version, data } of await get(updates)) {
			const end = at + 8 + Number(body.readBigUInt64LE(at));
			const type = sszTypesFor(version).LightClientUpdate;
			assert.deepEqual(type.toJson(type.deserialize(body.subarray(at + 12, end))), data);
			at = end;
		}
		assert.equal(at, body.length);
	});
	test('every execution block has its beacon block', async () => {
		const head = await chain.height();
		for (const number of [1, 2, 3, head]) {
			const block = await chain.rpc('eth_getBlockByNumber', '0x' + number.toString(16), false);
			const { data } = await get(`/eth/v2/beacon/blocks/${number}`);
			assert.equal(data.message.body.execution_payload.block_hash, block.hash);
			assert.equal(data.message.body.execution_payload.transactions.length, block.transactions.length);
		}
	});
});
