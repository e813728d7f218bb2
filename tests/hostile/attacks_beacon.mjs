// SPDX-License-Identifier: Apache-2.0
//
// Every attack that a beacon node can play at proof consensus, as rows (attacks.mjs says what a row is). How: `tells`
// changes a message of the light-client protocol before it is encoded, with whatever genuine roots and signatures the row
// makes for it; `rest` changes an answer, as bytes; `http` answers in its own way. `json`: the answer is JSON. `first`: it
// is aimed at a derot that has nothing yet. `wrong`: the liar is not asked again for a minute.

import '../nodes/beacon.mjs'; // before Lodestar is loaded
import { need } from '../nodes/packages.mjs';
import { HTTP } from './attacks_http.mjs';
import { GOES_ON, HTTP_ERROR, LIMITED, NOTHING, NO_REPLY, SEALED, STANDS, TOO_LARGE, aside, lacks, lie } from './expect.mjs';

const { ssz } = await need('@lodestar/types');
const { DOMAIN_SYNC_COMMITTEE, SYNC_COMMITTEE_SIZE } = await need('@lodestar/params');
const { periodOf } = await import('../nodes/forge_chain.mjs');

// What the journal says.
const TOO_FEW = lacks(/^has an update that fewer than two thirds signed/);
const NOT_SIGNED = lie(/^proof: the signature is not of these keys over this message/);
const NOT_FINAL = lie(/^proof: the finalized header is not in the attested state/);
const NOT_NEXT = lie(/^proof: the next committee is not in the attested state/);
const NOT_IN_BODY = lie(/^proof: the (finalized|attested) header's execution payload is not in its body/);
const NOT_OF_CHECKPOINT = lie(/^proof: the committee is not in the checkpoint's state/);
const OTHER_GENESIS = aside(/^on a wrong chain: has another genesis/);
const OTHER_PERIODS = lacks(/^answers with other periods than asked for/);
const TOO_LONG = lacks(/^a framed update is longer than any of this network/);
const TELLS_NEITHER = lacks(/^tells neither a finality update nor an optimistic one/);

const SHORT = Math.ceil((SYNC_COMMITTEE_SIZE * 2) / 3) - 1; // one short of two thirds
const rootOf = (header) => ssz.phase0.BeaconBlockHeader.hashTreeRoot(header.beacon);
const flip = (bytes, at = 0) => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));
const zeros = (branch) => branch.map(() => new Uint8Array(32));
const swap = (branch) => branch.with(0, branch[1]).with(1, branch[0]);

// Every message that is signed; one kind of them.
const signed = (change) => (p, kind, v, block) => (kind === 'bootstrap' ? v : change(v, p.proxy.forge, kind, block));
const final = (change) => signed((v, forge, kind, block) => (v.finalizedHeader ? change(v, forge, kind, block) : v));
const only = (name, change) => (p, kind, v, block) => (kind === name ? change(v, p.proxy.forge, block) : v);
// What is asked for again and again, about another block than the newest.
const newest = (which) => (p, kind, v) => {
	const { forge } = p.proxy;
	const words = { finality_update: () => forge.finalityUpdate(which(forge)), optimistic_update: () => forge.optimisticUpdate(which(forge)) };
	return words[kind]?.() ?? v;
};
// Signed anew, by another rule: the parts of Forge.sign.
const by = (sign) => signed((v, forge) => ({ ...v, syncAggregate: sign(v, forge, forge.committees, periodOf(v.signatureSlot)) }));
const messageOf = (header, domain) => ssz.phase0.SigningData.hashTreeRoot({ objectRoot: rootOf(header), domain });
const domainAt = (forge, slot) => forge.config.getDomain(slot, DOMAIN_SYNC_COMMITTEE, slot);
const withAttested = (v, change, forge) => {
	const attestedHeader = { ...v.attestedHeader, ...change(v.attestedHeader) };
	return { ...v, attestedHeader, syncAggregate: forge.sign(rootOf(attestedHeader), v.signatureSlot) };
};
const execution = (change) => (header) => ({ ...header, execution: { ...header.execution, ...change(header.execution) } });
const forkVersion = (hex) => ssz.phase0.ForkData.hashTreeRoot({ currentVersion: Buffer.from(hex, 'hex'), genesisValidatorsRoot: new Uint8Array(32) });

// Answers: to what is asked for at `path`.
const LIGHT = '/light_client/';
const to = (path, change) => (p, asked, reply) => (asked.includes(path) && reply.status === 200 ? change(reply, p, asked) : reply);
const body = (change) => (reply, p) => ({ ...reply, body: Buffer.from(change(reply.body, p)) });
const json = (change) => body((bytes) => JSON.stringify(change(JSON.parse(bytes))));
const version = (name) => (reply) => ({ ...reply, headers: { ...reply.headers, 'eth-consensus-version': name } });
const status = (code) => (p, asked, reply) => (asked.includes(LIGHT) ? { ...reply, status: code, body: Buffer.from('{"code":0,"message":"no"}'), headers: { 'content-type': 'application/json' } } : reply);
// The chunks of an answer to /updates: each has its length before it.
function chunks(bytes) {
	const list = [];
	for (let at = 0; at < bytes.length; ) {
		const end = at + 8 + Number(bytes.readBigUInt64LE(at));
		list.push(bytes.subarray(at, end));
		at = end;
	}
	return list;
}
const updates = (change) => to('/updates', body((bytes) => Buffer.concat(change(chunks(bytes)))));

const MESSAGES = [
	// T10: who signed.
	{ name: 'one signature short of two thirds', threat: 'T10', state: SEALED, journal: TOO_FEW, tells: by((v, forge) => forge.sign(rootOf(v.attestedHeader), v.signatureSlot, SHORT)) },
	{ name: 'nobody’s signature', threat: 'T10', state: SEALED, journal: TOO_FEW, tells: by((v, forge) => forge.sign(rootOf(v.attestedHeader), v.signatureSlot, 0)) },
	{ name: 'a third says that all signed', threat: 'T10', state: SEALED, journal: NOT_SIGNED, tells: by((v, forge) => ({ ...forge.sign(rootOf(v.attestedHeader), v.signatureSlot, 10), syncCommitteeBits: forge.sign(rootOf(v.attestedHeader), v.signatureSlot).syncCommitteeBits })) },
	{ name: 'a signature with a bit changed', threat: 'T13', state: SEALED, journal: lie(/^proof: /), tells: by((v) => ({ ...v.syncAggregate, syncCommitteeSignature: flip(v.syncAggregate.syncCommitteeSignature, 40) })) },
	{ name: 'a signature with its sign changed', threat: 'T13', state: SEALED, journal: NOT_SIGNED, tells: by((v) => ({ ...v.syncAggregate, syncCommitteeSignature: Uint8Array.from(v.syncAggregate.syncCommitteeSignature, (byte, i) => (i === 0 ? byte ^ 0x20 : byte)) })) },
	{ name: 'the point at infinity for a signature', threat: 'T13', state: SEALED, journal: lie(/^proof: a point of G2 is infinity/), tells: by((v, forge) => ({ ...v.syncAggregate, syncCommitteeSignature: forge.sign(rootOf(v.attestedHeader), v.signatureSlot, 0).syncCommitteeSignature })) },
	{ name: 'the signature of another block', threat: 'T14', state: SEALED, journal: NOT_SIGNED, tells: by((v, forge) => forge.sign(new Uint8Array(32).fill(7), v.signatureSlot)) },
	{ name: 'signed under another fork’s version', threat: 'T24', state: SEALED, journal: NOT_SIGNED, tells: by((v, forge, committees, period) => committees.sign(period, messageOf(v.attestedHeader, Buffer.concat([Buffer.from([7, 0, 0, 0]), forkVersion('04000001').subarray(0, 28)])))) },
	{ name: 'signed for another purpose', threat: 'T14', state: SEALED, journal: NOT_SIGNED, tells: by((v, forge, committees, period) => committees.sign(period, messageOf(v.attestedHeader, Uint8Array.from(domainAt(forge, v.signatureSlot), (byte, i) => (i === 0 ? 0 : byte))))) },
	{ name: 'signed by the committee of the period before', threat: 'T9', state: SEALED, journal: NOT_SIGNED, tells: by((v, forge, committees, period) => committees.sign(period - 1, forge.signingRoot(rootOf(v.attestedHeader), v.signatureSlot))) },
	{ name: 'signed by the committee of the period after', threat: 'T9', state: SEALED, journal: NOT_SIGNED, tells: by((v, forge, committees, period) => committees.sign(period + 1, forge.signingRoot(rootOf(v.attestedHeader), v.signatureSlot))) },
	// T13: branches.
	{ name: 'no finality branch', threat: 'T10', state: SEALED, journal: lie(/^proof: a finalized header without its branch/), tells: final((v) => ({ ...v, finalityBranch: zeros(v.finalityBranch) })) },
	{ name: 'nothing final at all', threat: 'T10', state: SEALED, journal: NOTHING, tells: final((v, forge, kind, block) => ({ ...v, finalityBranch: zeros(v.finalityBranch), finalizedHeader: block.types.LightClientHeader.defaultValue() })) },
	{ name: 'a finality branch with two nodes swapped', threat: 'T13', state: SEALED, journal: NOT_FINAL, tells: final((v) => ({ ...v, finalityBranch: swap(v.finalityBranch) })) },
	{ name: 'the next committee’s branch for the finality branch', threat: 'T13', state: SEALED, journal: NOT_FINAL, tells: final((v, forge, kind, block) => ({ ...v, finalityBranch: [...block.nextSyncCommitteeBranch, new Uint8Array(32)].slice(0, v.finalityBranch.length) })) },
	{ name: 'the attested block is final at once', threat: 'T10', state: SEALED, journal: NOT_FINAL, tells: final((v) => ({ ...v, finalizedHeader: v.attestedHeader })) },
	{ name: 'another block is final', threat: 'T14', state: SEALED, journal: NOT_FINAL, tells: final((v, forge) => ({ ...v, finalizedHeader: forge.blocks[2].header })) },
	{ name: 'a next committee of its own', threat: 'T9', state: SEALED, journal: NOT_NEXT, tells: only('update', (v, forge) => ({ ...v, nextSyncCommittee: forge.committees.of(9999).ssz })) },
	{ name: 'a next committee with two members swapped', threat: 'T13', state: SEALED, journal: NOT_NEXT, tells: only('update', (v) => ({ ...v, nextSyncCommittee: { ...v.nextSyncCommittee, pubkeys: swap(v.nextSyncCommittee.pubkeys) } })) },
	{ name: 'no next committee', threat: 'T9', state: STANDS, journal: NOTHING, tells: only('update', (v) => ({ ...v, nextSyncCommittee: ssz.altair.SyncCommittee.defaultValue(), nextSyncCommitteeBranch: zeros(v.nextSyncCommitteeBranch) })) },
	{ name: 'a next committee without its branch', threat: 'T13', state: SEALED, journal: lie(/^proof: a next committee without its branch/), tells: only('update', (v) => ({ ...v, nextSyncCommitteeBranch: zeros(v.nextSyncCommitteeBranch) })) },
	// T14: what the branches are to bind.
	{ name: 'another execution block in the final header', threat: 'T14', state: SEALED, journal: NOT_IN_BODY, tells: final((v) => ({ ...v, finalizedHeader: execution((e) => ({ blockHash: flip(e.blockHash) }))(v.finalizedHeader) })) },
	{ name: 'another execution number in the final header', threat: 'T14', state: SEALED, journal: NOT_IN_BODY, tells: final((v) => ({ ...v, finalizedHeader: execution((e) => ({ blockNumber: e.blockNumber + 1 }))(v.finalizedHeader) })) },
	{ name: 'an execution branch with a bit changed', threat: 'T13', state: SEALED, journal: NOT_IN_BODY, tells: final((v) => ({ ...v, finalizedHeader: { ...v.finalizedHeader, executionBranch: v.finalizedHeader.executionBranch.with(0, flip(v.finalizedHeader.executionBranch[0])) } })) },
	{ name: 'another execution block in the attested header', threat: 'T14', state: SEALED, journal: NOT_IN_BODY, tells: signed((v) => ({ ...v, attestedHeader: execution((e) => ({ blockHash: flip(e.blockHash) }))(v.attestedHeader) })) },
	{ name: 'an attested header with another state, unsigned', threat: 'T14', state: SEALED, journal: lie(/^proof: /), tells: signed((v) => ({ ...v, attestedHeader: { ...v.attestedHeader, beacon: { ...v.attestedHeader.beacon, stateRoot: new Uint8Array(32) } } })) },
	// T17: slots.
	{ name: 'signed in the future', threat: 'T17', state: SEALED, journal: NOTHING, tells: signed((v, forge) => ({ ...v, signatureSlot: v.signatureSlot + 100000, syncAggregate: forge.sign(rootOf(v.attestedHeader), v.signatureSlot + 100000) })) },
	{ name: 'signed at the end of time', threat: 'T17', state: SEALED, journal: NOTHING, tells: signed((v) => ({ ...v, signatureSlot: Number.MAX_SAFE_INTEGER })) },
	{ name: 'signed no later than it was made', threat: 'T17', state: SEALED, journal: lie(/^proof: signed no later than/), tells: signed((v) => ({ ...v, signatureSlot: v.attestedHeader.beacon.slot })) },
	{ name: 'signed at slot 0', threat: 'T17', state: SEALED, journal: lie(/^proof: signed no later than/), tells: signed((v) => ({ ...v, signatureSlot: 0 })) },
	// T5: old words.
	{ name: 'repeats its words of the first period', threat: 'T5', state: STANDS, journal: NOTHING, tells: newest((forge) => [...forge.updates.values()][0]) },
	{ name: 'repeats its words of this period’s beginning', threat: 'T5', state: STANDS, journal: NOTHING, tells: newest((forge) => [...forge.updates.values()].at(-1)) },
	// T9: where it begins.
	{ name: 'the bootstrap of another block', threat: 'T9', first: true, state: SEALED, journal: lacks(/^answers with another block than the checkpoint/), tells: only('bootstrap', (v, forge) => forge.bootstrap(forge.head)) },
	{ name: 'a bootstrap with another committee', threat: 'T9', first: true, state: SEALED, journal: NOT_OF_CHECKPOINT, tells: only('bootstrap', (v, forge) => ({ ...v, currentSyncCommittee: forge.committees.of(9999).ssz })) },
	{ name: 'a bootstrap with the next committee', threat: 'T9', first: true, state: SEALED, journal: NOT_OF_CHECKPOINT, tells: only('bootstrap', (v, forge, block) => ({ ...v, currentSyncCommittee: block.nextSyncCommittee, currentSyncCommitteeBranch: block.nextSyncCommitteeBranch })) },
	{ name: 'a bootstrap whose branch has a bit changed', threat: 'T13', first: true, state: SEALED, journal: NOT_OF_CHECKPOINT, tells: only('bootstrap', (v) => ({ ...v, currentSyncCommitteeBranch: v.currentSyncCommitteeBranch.with(2, flip(v.currentSyncCommitteeBranch[2])) })) },
	{ name: 'a bootstrap with another execution block', threat: 'T14', first: true, state: SEALED, journal: lie(/^proof: the checkpoint's execution payload is not in its body/), tells: only('bootstrap', (v) => ({ ...v, header: execution((e) => ({ blockHash: flip(e.blockHash) }))(v.header) })) },
];

const ANSWERS = [
	// T24: other chains, other forks.
	{ name: 'another chain’s genesis', threat: 'T24', state: SEALED, journal: OTHER_GENESIS, wrong: true, rest: to('/beacon/genesis', json((o) => ({ data: { ...o.data, genesis_validators_root: '0x' + '4'.repeat(64) } }))) },
	{ name: 'another genesis time', threat: 'T24', state: SEALED, journal: OTHER_GENESIS, wrong: true, rest: to('/beacon/genesis', json((o) => ({ data: { ...o.data, genesis_time: '1606824023' } }))) },
	{ name: 'no genesis', threat: 'T24', state: SEALED, journal: aside(/^set aside: does not tell its genesis/), rest: to('/beacon/genesis', json(() => ({}))) },
	{ name: 'another version in the header of SSZ', threat: 'T24', state: GOES_ON, journal: NOTHING, rest: to(LIGHT, version('deneb')) },
	{ name: 'a version to come', threat: 'T24', state: GOES_ON, journal: NOTHING, rest: to(LIGHT, version('gloas')) },
	{ name: 'no version', threat: 'T24', state: GOES_ON, journal: NOTHING, rest: to(LIGHT, ({ headers, ...reply }) => ({ ...reply, headers: { 'content-type': headers['content-type'] } })) },
	{ name: 'another version in JSON', threat: 'T24', json: true, state: SEALED, journal: lacks(/^the version is not that of the attested header's slot/), rest: to(LIGHT, json((o) => (Array.isArray(o) ? o.map((x) => ({ ...x, version: 'deneb' })) : { ...o, version: 'deneb' }))) },
	{ name: 'a version to come in JSON', threat: 'T24', json: true, state: SEALED, journal: lacks(/^unknown fork/), rest: to(LIGHT, json((o) => (Array.isArray(o) ? o.map((x) => ({ ...x, version: 'gloas' })) : { ...o, version: 'gloas' }))) },
	{ name: 'answers in JSON, whatever it is asked for', threat: 'T24', json: true, state: GOES_ON, journal: NOTHING, rest: to(LIGHT, (reply) => ({ ...reply })) },
	// T15: SSZ and JSON of no form.
	{ name: 'SSZ cut short', threat: 'T15', state: SEALED, journal: lacks(/^input ends inside a field/), rest: to(LIGHT, body((b) => b.subarray(0, b.length - 1))) },
	{ name: 'half of the SSZ', threat: 'T15', state: STANDS, journal: lacks(/^input ends inside a field/), rest: to(LIGHT, body((b) => b.subarray(0, b.length >> 1))) },
	{ name: 'SSZ that goes on', threat: 'T15', state: SEALED, journal: lacks(/^input ends inside a field/), rest: to(LIGHT, body((b) => Buffer.concat([b, Buffer.alloc(1)]))) },
	{ name: 'SSZ with 20 MiB behind it', threat: 'T15', state: SEALED, journal: lacks(/^input ends|^a framed update/), rest: to(LIGHT, body((b) => Buffer.concat([b, Buffer.alloc(20 << 20)]))) },
	{ name: 'SSZ with an offset that points elsewhere', threat: 'T15', state: SEALED, journal: lacks(/^a framed update has no room for its digest/), rest: to(LIGHT, body((b) => Buffer.from(b.map((byte, i) => (i === 0 || i === 12 ? byte ^ 0x80 : byte))))) },
	{ name: 'SSZ of ones', threat: 'T15', state: SEALED, journal: TOO_LONG, rest: to(LIGHT, body((b) => Buffer.alloc(b.length, 0xff))) },
	{ name: 'garbage for SSZ', threat: 'T15', state: SEALED, journal: TOO_LONG, rest: to(LIGHT, body((b, p) => Buffer.from(b.map(() => p.below(256))))) },
	{ name: 'nothing for SSZ', threat: 'T15', state: SEALED, journal: TELLS_NEITHER, rest: to(LIGHT, body(() => '')) },
	{ name: 'JSON that says it is SSZ', threat: 'T15', json: true, state: SEALED, journal: TOO_LONG, rest: to(LIGHT, (reply) => ({ ...reply, headers: { ...reply.headers, 'content-type': 'application/octet-stream' } })) },
	{ name: 'SSZ that says it is JSON', threat: 'T15', state: SEALED, journal: NO_REPLY, rest: to(LIGHT, (reply) => ({ ...reply, headers: { ...reply.headers, 'content-type': 'application/json' } })) },
	{ name: 'JSON cut short', threat: 'T15', json: true, state: SEALED, journal: NO_REPLY, rest: to(LIGHT, body((b) => b.subarray(0, b.length - 1))) },
	{ name: 'JSON without its members', threat: 'T15', json: true, state: SEALED, journal: lacks(/^neither a bootstrap nor any kind of update/), rest: to(LIGHT, json(() => ({ data: {}, version: 'electra' }))) },
	{ name: 'JSON null', threat: 'T15', json: true, state: SEALED, journal: lacks(/^a JSON object is expected here/), rest: to(LIGHT, body(() => 'null')) },
	{ name: 'JSON that nests without end', threat: 'T15', json: true, state: SEALED, journal: TOO_LARGE, rest: to(LIGHT, body(() => '['.repeat(1 << 20))) },
	// T9, T14: updates that were not asked for.
	{ name: 'updates of other periods', threat: 'T14', state: SEALED, journal: OTHER_PERIODS, rest: updates((list) => list.slice(1)) },
	{ name: 'updates in another order', threat: 'T14', state: SEALED, journal: OTHER_PERIODS, rest: updates((list) => list.toReversed()) },
	{ name: 'the first update again and again', threat: 'T14', state: STANDS, journal: OTHER_PERIODS, rest: updates((list) => list.flatMap((x) => [x, list[0]])) },
	{ name: 'every update twice', threat: 'T14', state: STANDS, journal: OTHER_PERIODS, rest: updates((list) => list.flatMap((x) => [x, x])) },
	{ name: 'no updates', threat: 'T9', state: SEALED, journal: lacks(/^nothing where light client data was expected/), rest: updates(() => []) },
	{ name: 'two hundred updates', threat: 'T15', state: GOES_ON, journal: NOTHING, rest: updates((list) => [...list, ...Array.from({ length: 200 }, () => list.at(-1))].filter(Boolean)) },
	{ name: 'a chunk longer than the answer', threat: 'T15', state: SEALED, journal: TOO_LONG, rest: updates((list) => list.map((x) => Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), x.subarray(8)]))) },
	{ name: 'chunks of another fork’s digest', threat: 'T24', state: SEALED, journal: lacks(/^the digest is not that of the attested header's fork/), rest: updates((list) => list.map((x) => Buffer.concat([x.subarray(0, 8), Buffer.from([1, 2, 3, 4]), x.subarray(12)]))) },
	// T16: answers of no use.
	...[[404, TELLS_NEITHER], [401, TELLS_NEITHER], [500, HTTP_ERROR], [503, HTTP_ERROR], [429, LIMITED]].map(([code, journal]) => ({ name: `HTTP ${code}`, threat: 'T16', state: SEALED, journal, rest: status(code) })),
];

// What a server can do below, as at an execution endpoint: what does not speak of JSON-RPC's own rules.
const NAMES = [
	'sends garbage', 'sends a body without end', 'sends chunks without end', 'sends a gzip bomb that it was not asked for', 'compresses with gzip',
	'has text that is no UTF-8', 'goes on after the JSON', 'goes silent', 'goes silent before the last byte', 'drips', 'drips its headers', 'closes the connection',
	'cuts the body short', 'never ends its chunks', 'sends headers without end', 'speaks no HTTP', 'answers with status 204 and a body',
	'redirects', 'redirects for good', 'redirects to another port', 'redirects to a file',
];
const BELOW = NAMES.map((name) => HTTP.find((row) => row.name === name));

export const BEACON_ATTACKS = [...MESSAGES, ...ANSWERS, ...BELOW];
