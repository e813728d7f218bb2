// SPDX-License-Identifier: Apache-2.0
//
// Lies about blocks, heads and chains: forged headers, blocks withheld, old heads, other chains, headers and receipts
// of forks that nobody knows (T5, T8, T14, T17, T24).

import { GOES_ON, LIMITED, NOTHING, NOT_ITS_HASH, NOT_ITS_NUMBER, NOT_REBUILT, NO_CHAIN, SEALED, STANDS, WRONG_CHAIN, lacks } from './expect.mjs';
import { EMPTY_ROOT, NO_BLOOM, about, error, flip, flipLast, header, hex, instead, isBlock, isTag, other, receipts } from './lie.mjs';

const ANY = () => true;
const block = (said) => (p, c, r) => (isBlock(c) && !isTag(c) && about(p, c, r) ? said(p, c, r) : r);
const tag = (said) => (p, c, r) => (isTag(c) ? said(p, c, r) : r);
const isGenesis = (c) => c.method === 'eth_getBlockByNumber' && Number(c.params[0]) === 0;
const addTime = (seconds) => header((h) => ({ timestamp: hex(Number(h.timestamp) + seconds) }));

export const BLOCKS = [
	// T1, T8: blocks withheld or forged.
	{ name: 'hides a block', threat: 'T1', state: SEALED, journal: lacks(/^eth_getBlockByNumber: answered null/), call: block(() => ({ result: null })) },
	{ name: 'hides a block behind an error', threat: 'T1', state: SEALED, journal: lacks(/^eth_getBlockByNumber: error -32001/), call: block(() => error(-32001, 'pruned')) },
	{ name: 'answers null to everything', threat: 'T1', state: SEALED, journal: NO_CHAIN, call: instead(ANY, { result: null }) },
	{ name: 'answers [] to everything', threat: 'T1', state: SEALED, journal: NO_CHAIN, call: instead(ANY, { result: [] }) },
	{ name: 'answers {} to everything', threat: 'T1', state: SEALED, journal: NO_CHAIN, call: instead(ANY, { result: {} }) },
	{ name: 'answers true to everything', threat: 'T1', state: SEALED, journal: NO_CHAIN, call: instead(ANY, { result: true }) },
	{ name: 'answers an error to everything', threat: 'T1', state: SEALED, journal: NO_CHAIN, call: instead(ANY, error(-32603, 'internal "\u001b[31m')) },
	{ name: 'limits everything', threat: 'T1', state: SEALED, journal: LIMITED, call: instead(ANY, error(-32005, 'rate limited')) },
	{ name: 'forges a header’s timestamp', threat: 'T8', state: SEALED, journal: NOT_ITS_HASH, call: header((h) => ({ timestamp: flipLast(h.timestamp) })) },
	{ name: 'forges a header’s state root', threat: 'T8', state: SEALED, journal: NOT_ITS_HASH, call: header((h) => ({ stateRoot: flip(h.stateRoot) })) },
	{ name: 'forges a header’s receipts root and bloom', threat: 'T8', state: SEALED, journal: NOT_ITS_HASH, call: header(() => ({ receiptsRoot: EMPTY_ROOT, logsBloom: NO_BLOOM })) },
	{ name: 'forges a header’s bloom', threat: 'T8', state: SEALED, journal: NOT_ITS_HASH, call: header(() => ({ logsBloom: NO_BLOOM })) },
	{ name: 'forges a header’s hash', threat: 'T8', state: SEALED, journal: NOT_ITS_HASH, call: header((h) => ({ hash: flip(h.hash) })) },
	{ name: 'forges a header’s parent', threat: 'T8', state: SEALED, journal: NOT_ITS_HASH, call: header((h) => ({ parentHash: flip(h.parentHash) })) },
	{ name: 'forges a header’s number', threat: 'T8', state: SEALED, journal: NOT_ITS_NUMBER, call: block((p, c, r) => ({ result: { ...r.result, number: hex(Number(r.result.number) + 1) } })) },
	{ name: 'forges a header’s extra data', threat: 'T8', state: SEALED, journal: NOT_ITS_HASH, call: header((h) => ({ extraData: h.extraData + '00' })) },
	{ name: 'answers with another block', threat: 'T14', state: SEALED, journal: lacks(/^a block with another number than asked for/), call: block((p) => p.block(p.at - 1)) },
	{ name: 'answers with another block under this one’s hash', threat: 'T14', state: SEALED, journal: NOT_ITS_HASH, call: block(async (p, c, r) => ({ result: { ...(await p.block(p.at - 1)).result, hash: r.result.hash } })) },
	{ name: 'answers with another block under this one’s number', threat: 'T14', state: SEALED, journal: NOT_ITS_NUMBER, call: block(async (p, c, r) => ({ result: { ...(await p.block(p.at - 1)).result, number: r.result.number } })) },
	{ name: 'answers with the receipts of another block', threat: 'T14', state: STANDS, journal: lacks(/^has another block at this number/), call: async (p, c, r) => (/Receipts/.test(c.method) && about(p, c, r) ? p.ask(c.method, [hex(p.at + 1)]) : r) },
	{ name: 'answers with another block’s receipts as this one’s', threat: 'T14', state: STANDS, journal: NOT_REBUILT, call: async (p, c, r) => {
		if (c.method !== 'eth_getBlockReceipts' || !about(p, c, r)) return r;
		const { result } = await p.ask(c.method, [hex(p.at + 1)]);
		return { result: result.map((x) => ({ ...x, blockHash: r.result[0].blockHash, blockNumber: r.result[0].blockNumber })) };
	} },
	// T5: heads.
	{ name: 'serves an old head', threat: 'T5', state: STANDS, journal: NOTHING, call: tag((p) => p.block(p.at - 2)) },
	{ name: 'serves a head that it does not have', threat: 'T5', state: SEALED, journal: lacks(/^does not have a block that it named/), call: tag((p, c, r) => (r.result ? { result: { ...r.result, number: '0xffffff' } } : r)) },
	{ name: 'serves the greatest head there can be', threat: 'T5', state: SEALED, journal: lacks(/^does not have a block that it named/), call: tag((p, c, r) => (r.result ? { result: { ...r.result, number: '0xffffffffffffffff' } } : r)) },
	{ name: 'serves the genesis as its head', threat: 'T5', state: SEALED, journal: NOTHING, call: tag((p) => p.block(0)) },
	{ name: 'serves no head', threat: 'T5', state: SEALED, journal: lacks(/^does not name its latest block/), call: tag(() => ({ result: null })) },
	{ name: 'names a head at random', threat: 'T5', state: STANDS, journal: NOTHING, call: tag((p) => p.block(p.below(p.at))) },
	{ name: 'names its latest block final', threat: 'T5', state: GOES_ON, journal: NOTHING, call: tag((p) => p.ask('eth_getBlockByNumber', ['latest', false])) },
	{ name: 'repeats its old answers', threat: 'T5', state: GOES_ON, journal: NOTHING, call: (p, c, r) => {
		const key = JSON.stringify([c.method, c.params]);
		const known = p.seen.get(key);
		if (known === undefined) p.seen.set(key, r);
		return known === undefined ? r : { result: known.result };
	} },
	// T8, T24: other chains.
	{ name: 'is another chain', threat: 'T24', state: SEALED, journal: WRONG_CHAIN, call: (p, c, r) => (c.method === 'eth_chainId' ? { result: '0x2' } : r) },
	{ name: 'has another genesis', threat: 'T24', state: SEALED, journal: WRONG_CHAIN, call: (p, c, r) => (isGenesis(c) ? { result: { ...r.result, hash: other('genesis') } } : r) },
	{ name: 'has no genesis', threat: 'T24', state: SEALED, journal: NO_CHAIN, call: (p, c, r) => (isGenesis(c) ? { result: null } : r) },
	{ name: 'has a chain id beyond 64 bits', threat: 'T24', state: SEALED, journal: NO_CHAIN, call: (p, c, r) => (c.method === 'eth_chainId' ? { result: '0x10000000000007a69' } : r) },
	// T17: times.
	{ name: 'puts a block a year ahead', threat: 'T17', state: SEALED, journal: NOT_ITS_HASH, call: addTime(31536000) },
	{ name: 'puts a block a year back', threat: 'T17', state: SEALED, journal: NOT_ITS_HASH, call: addTime(-31536000) },
	{ name: 'puts a block at the end of time', threat: 'T17', state: SEALED, journal: NOT_ITS_HASH, call: header(() => ({ timestamp: '0xffffffffffffffff' })) },
	{ name: 'puts a block beyond time', threat: 'T17', state: SEALED, journal: lacks(/^member "timestamp" is missing or not of its form/), call: header(() => ({ timestamp: '0x10000000000000000' })) },
	// T24: forks and types that are not known.
	{ name: 'adds the fields of a later fork to a header', threat: 'T24', state: SEALED, journal: NOT_ITS_HASH, call: header(() => ({ requestsHash: EMPTY_ROOT, parentBeaconBlockRoot: EMPTY_ROOT, blobGasUsed: '0x1', excessBlobGas: '0x1' })) },
	{ name: 'adds the fields of a fork to come to a header', threat: 'T24', state: SEALED, journal: lacks(/^the block's members belong to no fork that this build knows/), call: header(() => ({ blockAccessListHash: EMPTY_ROOT, slotNumber: '0x1' })) },
	{ name: 'takes a fork’s field from a header', threat: 'T24', state: SEALED, journal: lacks(/^the block's members belong to no fork that this build knows/), call: header(() => ({ withdrawalsRoot: undefined })) },
	{ name: 'takes the base fee from a header', threat: 'T24', state: SEALED, journal: lacks(/^the block's members belong to no fork that this build knows/), call: header(() => ({ baseFeePerGas: undefined })) },
	{ name: 'gives a receipt an unknown type', threat: 'T24', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => l.map((x) => ({ ...x, type: '0x7e' }))) },
	{ name: 'gives a receipt another known type', threat: 'T24', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => l.map((x) => ({ ...x, type: x.type === '0x2' ? '0x1' : '0x2' }))) },
	{ name: 'gives a receipt a type beyond all', threat: 'T24', state: STANDS, journal: lacks(/^a receipt type beyond EIP-2718/), call: receipts((l) => l.map((x) => ({ ...x, type: '0x1ff' }))) },
	{ name: 'gives receipts a state root for a status', threat: 'T24', state: STANDS, journal: lacks(/^only a legacy receipt has a post-state root/), call: receipts((l) => l.map(({ status, ...x }) => ({ ...x, root: other(`a root for ${status}`) }))) },
	{ name: 'answers with the wrong kinds', threat: 'T24', state: SEALED, journal: lacks(/^member "logsBloom" is missing or not of its form/), call: header(() => ({ number: 5, gasLimit: null, logsBloom: {} })) },
	{ name: 'writes numbers with leading zeros', threat: 'T24', state: SEALED, journal: lacks(/^member "gasLimit" is missing or not of its form/), call: header((h) => ({ gasLimit: '0x00' + h.gasLimit.slice(2), timestamp: '0x00' + h.timestamp.slice(2) })) },
];
