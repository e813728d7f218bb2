// SPDX-License-Identifier: Apache-2.0
//
// Lies about state: other accounts, other code, swapped slots, proofs with nodes dropped, doubled, cut and turned
// (T4, T13, T14). All of them are played where the state proof is the way to completeness; receipts prove the same
// blocks, and so the run goes on.

import { GOES_ON, NOTHING, NOT_PROVEN, lacks } from './expect.mjs';
import { bits, flipBit, flipLast, hex, oneNode, other, proofs, slotProofs, state } from './lie.mjs';

const STRANGER = '0x' + '5'.repeat(40);
const EMPTY_CODE = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';
// The same question about another account, or at another block: a valid proof, of something else.
const instead = (params) => async (p, c, r) => (c.method === 'eth_getProof' && r.result ? { result: { ...(await p.ask(c.method, params(p, c))).result, address: r.result.address } } : r);
const cutEnd = (n) => n.slice(0, -2);

const ROWS = [
	// T4
	{ name: 'proves another account', threat: 'T4', state: GOES_ON, journal: NOT_PROVEN, call: instead((p, c) => [STRANGER, ...c.params.slice(1)]) },
	{ name: 'proves another account with the contract’s storage', threat: 'T4', state: GOES_ON, journal: NOT_PROVEN, call: async (p, c, r) => (c.method === 'eth_getProof' && r.result ? { result: { ...(await p.ask(c.method, [STRANGER, ...c.params.slice(1)])).result, storageProof: r.result.storageProof } } : r) },
	{ name: 'claims other code', threat: 'T4', state: GOES_ON, journal: NOTHING, call: state((s) => ({ ...s, codeHash: other('code') })) },
	{ name: 'claims no code', threat: 'T4', state: GOES_ON, journal: NOTHING, call: state((s) => ({ ...s, codeHash: EMPTY_CODE, balance: '0x0', nonce: '0x0' })) },
	{ name: 'swaps the values of two slots', threat: 'T4', state: GOES_ON, journal: NOTHING, call: state((s) => ({ ...s, storageProof: s.storageProof.map((x, i) => ({ ...x, value: s.storageProof[(i + 1) % s.storageProof.length].value })) })) },
	{ name: 'swaps the proofs of two slots', threat: 'T4', state: GOES_ON, journal: NOT_PROVEN, call: state((s) => ({ ...s, storageProof: s.storageProof.map((x, i) => ({ ...x, proof: s.storageProof[(i + 1) % s.storageProof.length].proof })) })) },
	{ name: 'swaps the keys of two slots', threat: 'T4', state: GOES_ON, journal: NOT_PROVEN, call: state((s) => ({ ...s, storageProof: s.storageProof.map((x, i) => ({ ...x, key: s.storageProof[(i + 1) % s.storageProof.length].key })) })) },
	// T13
	{ name: 'forges a storage value', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: slotProofs((nodes) => nodes.map((n, i) => (i === nodes.length - 1 ? flipLast(n) : n))) },
	{ name: 'turns a bit of a state proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs(oneNode((n, p) => flipBit(n, p.below(bits(n))))) },
	{ name: 'turns a bit of a slot’s proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: slotProofs(oneNode((n, p) => flipBit(n, p.below(bits(n))))) },
	{ name: 'cuts a node of a state proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs(oneNode(cutEnd)) },
	{ name: 'cuts a node of a state proof anywhere', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs(oneNode((n, p) => n.slice(0, 2 + 2 * p.below(n.length / 2 - 1)))) },
	{ name: 'lengthens a node of a state proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs(oneNode((n) => n + '00')) },
	{ name: 'drops a node of a state proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: state((s) => ({ ...s, accountProof: s.accountProof.slice(1) })) },
	{ name: 'drops any node of a state proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs((nodes, p) => nodes.toSpliced(p.below(nodes.length), 1)) },
	{ name: 'doubles a node of a state proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs((nodes, p) => { const at = p.below(nodes.length); return nodes.toSpliced(at, 0, nodes[at]); }) },
	{ name: 'leaves a node over after a state proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs((nodes) => [...nodes, nodes[0]]) },
	{ name: 'puts another node before a state proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs((nodes) => [nodes.at(-1), ...nodes]) },
	{ name: 'reverses a state proof', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: state((s) => ({ ...s, accountProof: s.accountProof.toReversed() })) },
	{ name: 'answers empty proofs', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs(() => []) },
	{ name: 'answers proofs of empty nodes', threat: 'T13', state: GOES_ON, journal: NOT_PROVEN, call: proofs((nodes) => nodes.map(() => '0x')) },
	{ name: 'leaves out a slot', threat: 'T13', state: GOES_ON, journal: lacks(/^a state proof without a slot that was asked for/), call: state((s) => ({ ...s, storageProof: s.storageProof.slice(1) })) },
	{ name: 'answers a slot twice', threat: 'T13', state: GOES_ON, journal: NOTHING, call: state((s) => ({ ...s, storageProof: [s.storageProof[0], ...s.storageProof] })) },
	// T14
	{ name: 'proves another block’s state', threat: 'T14', state: GOES_ON, journal: NOT_PROVEN, call: instead((p, c) => [...c.params.slice(0, 2), hex(p.at - 3)]) },
	{ name: 'hides what is new behind an older state', threat: 'T14', state: GOES_ON, journal: NOT_PROVEN, call: async (p, c, r) => {
		if (c.method === 'eth_getLogs' && r.result) return { result: r.result.filter((l) => Number(l.blockNumber) < p.at) };
		return c.method === 'eth_getProof' && r.result && Number(c.params[2]) >= p.at ? p.ask(c.method, [...c.params.slice(0, 2), hex(p.at - 1)]) : r;
	} },
	{ name: 'proves other slots', threat: 'T14', state: GOES_ON, journal: lacks(/^a state proof without a slot that was asked for/), call: instead((p, c) => [c.params[0], c.params[1].map((s) => other(s)), c.params[2]]) },
	{ name: 'proves other slots under the names of these', threat: 'T14', state: GOES_ON, journal: NOT_PROVEN, call: async (p, c, r) => {
		if (c.method !== 'eth_getProof' || !r.result) return r;
		const { result } = await p.ask(c.method, [c.params[0], c.params[1].map((s) => other(s)), c.params[2]]);
		return { result: { ...result, storageProof: result.storageProof.map((x, i) => ({ ...x, key: c.params[1][i] })) } };
	} },
	{ name: 'answers null for a state proof', threat: 'T1', state: GOES_ON, journal: lacks(/^eth_getProof: answered null/), call: (p, c, r) => (c.method === 'eth_getProof' ? { result: null } : r) },
	{ name: 'has no state that old', threat: 'T1', state: GOES_ON, journal: lacks(/^eth_getProof: error -32000/), call: (p, c, r) => (c.method === 'eth_getProof' ? { error: { code: -32000, message: 'missing trie node' } } : r) },
];

export const STATE = ROWS.map((row) => ({ way: 'accumulator', ...row }));
