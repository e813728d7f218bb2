// SPDX-License-Identifier: Apache-2.0
//
// Sync committees of which we hold every key: a pure function of a seed and the period, so that a chain forged twice
// is the same chain.
//
//     const committees = new Committees('seed', 512);
//     committees.of(period).ssz                      // the SyncCommittee, for state roots and updates
//     committees.sign(period, signingRoot, 342)      // a SyncAggregate of its first 342 members

import { createHash } from 'node:crypto';
import { SecretKey, aggregatePublicKeys } from '@chainsafe/blst';
import { BitArray } from '@chainsafe/ssz';

// The order of BLS12-381's groups: secret keys are numbers below it.
const ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

const secretKey = (scalar) => SecretKey.fromBytes(Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex'));

export class Committees {
	#seed;
	#size;
	#known = new Map();

	constructor(seed, size) {
		this.#seed = seed;
		this.#size = size;
	}

	#scalar(period, idx) {
		const digest = createHash('sha256').update(`${this.#seed}/${period}/${idx}`).digest('hex');
		return (BigInt('0x' + digest) % (ORDER - 1n)) + 1n;
	}

	// of: the committee of a period: {scalars, ssz}.
	of(period) {
		if (!this.#known.has(period)) this.#known.set(period, this.#make(period));
		return this.#known.get(period);
	}

	#make(period) {
		const scalars = Array.from({ length: this.#size }, (_, idx) => this.#scalar(period, idx));
		const keys = scalars.map((scalar) => secretKey(scalar).toPublicKey());
		const ssz = { pubkeys: keys.map((key) => key.toBytes(true)), aggregatePubkey: aggregatePublicKeys(keys).toBytes(true) };
		return { scalars, ssz };
	}

	// sign: a SyncAggregate over a signing root by the members that `signs` names: how many of the first ones, or a
	// function of the member's index. BLS signatures of one message add up as their keys do: the sum of the members'
	// scalars signs once for all of them.
	sign(period, signingRoot, signs = this.#size) {
		const { scalars } = this.of(period);
		const bits = scalars.map((_, idx) => (typeof signs === 'function' ? Boolean(signs(idx)) : idx < signs));
		const sum = scalars.reduce((total, scalar, idx) => (bits[idx] ? total + scalar : total), 0n) % ORDER;
		// Nobody's signature is the point at infinity.
		const nobody = Uint8Array.from({ length: 96 }, (_, idx) => (idx === 0 ? 0xc0 : 0));
		return {
			syncCommitteeBits: BitArray.fromBoolArray(bits),
			syncCommitteeSignature: sum === 0n ? nobody : secretKey(sum).sign(signingRoot).toBytes(true),
		};
	}
}
