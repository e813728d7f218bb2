// SPDX-License-Identifier: Apache-2.0
//
// Words in which attacks are said: which call is meant, and how its honest reply is changed.

import { createHash } from 'node:crypto';

export const ZERO32 = '0x' + '0'.repeat(64);
export const NO_BLOOM = '0x' + '0'.repeat(512);
export const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';

export const hex = (number) => '0x' + number.toString(16);
// flip: one digit of a hex string, changed by one bit.
export const flip = (text, at = 4) => {
	const digit = (parseInt(text[at], 16) ^ 1).toString(16);
	return text.slice(0, at) + digit + text.slice(at + 1);
};
export const flipLast = (text) => flip(text, text.length - 1);
// flipBit: any bit of a hex string.
export const flipBit = (text, bit) => {
	const at = 2 + (bit >> 2);
	return text.slice(0, at) + (parseInt(text[at], 16) ^ (1 << (bit & 3))).toString(16) + text.slice(at + 1);
};
export const bits = (text) => (text.length - 2) * 4;
// other: 32 bytes that nothing else has, from a word.
export const other = (word) => '0x' + createHash('sha256').update(word).digest('hex');

export const isBlock = (c) => c.method === 'eth_getBlockByNumber' || c.method === 'eth_getBlockByHash';
export const isTag = (c) => c.method === 'eth_getBlockByNumber' && /^[a-z]/.test(c.params[0]);
export const isReceipt = (c) => c.method === 'eth_getBlockReceipts' || c.method === 'eth_getTransactionReceipt';
const blockOf = (result) => result && Number(result.blockNumber ?? result.number ?? result[0]?.blockNumber);
// The reply is about the block that is attacked.
export const about = (p, c, r) => r.result && blockOf(r.result) === p.at;
const clone = (value) => structuredClone(value);

// Changes of one kind of reply: functions of what an honest node says, and of the acting attack.
export const receipts = (change) => (p, c, r) => {
	if (!about(p, c, r)) return r;
	if (c.method === 'eth_getBlockReceipts') return { result: change(clone(r.result), p) };
	if (c.method === 'eth_getTransactionReceipt') return { result: change([clone(r.result)], p)?.[0] ?? null };
	return r;
};
export const logs = (change) => (p, c, r) =>
	c.method === 'eth_getLogs' && r.result?.length ? { result: change(clone(r.result), p, c) } : r;
export const header = (change) => (p, c, r) =>
	isBlock(c) && about(p, c, r) ? { result: { ...r.result, ...change(r.result, p) } } : r;
export const state = (change) => (p, c, r) =>
	c.method === 'eth_getProof' && r.result ? { result: change(clone(r.result), p, c) } : r;
export const instead = (isMeant, said) => (p, c, r) => (isMeant(c) ? said : r);
export const error = (code, message) => ({ error: { code, message } });

// The logs of a list of receipts or of a list of logs.
export const allLogs = (list) => list.flatMap((x) => x.logs ?? [x]);
export const withLog = (change, isMeant = (l) => l.data?.length > 2) => (list, p) => {
	const log = allLogs(list).find(isMeant);
	if (log) change(log, p);
	return list;
};
export const withData = (value) => withLog((l) => (l.data = value(l.data)));
// Changes every proof of a state proof: the account's and the slots'.
export const proofs = (change) =>
	state((s, p) => ({
		...s,
		accountProof: change(s.accountProof, p),
		storageProof: s.storageProof.map((x) => ({ ...x, proof: change(x.proof, p) })),
	}));
export const slotProofs = (change) =>
	state((s, p) => ({ ...s, storageProof: s.storageProof.map((x) => ({ ...x, proof: change(x.proof, p) })) }));
// Changes one node of a list of nodes, at random.
export const oneNode = (change) => (nodes, p) => {
	const at = p.below(nodes.length);
	return nodes.map((n, i) => (i === at ? change(n, p) : n));
};
// Two changes, one after the other.
export const both = (one, two) => (p, c, r) => two(p, c, one(p, c, r));
