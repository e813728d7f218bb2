// SPDX-License-Identifier: Apache-2.0
//
// Everything about keys a second time, from the documents and not from derot's code: RFC 9497 (VOPRF), RFC 5869
// (HKDF), the sealed root, the derivation, the proof that goes with a key, the box to a recipient, heartbeats. On
// @noble's curves, hashes and ciphers and on Node's own crypto.

import { strict as assert } from 'node:assert';
import { createHash, createPrivateKey, createPublicKey, hkdfSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { RistrettoPoint, hashToRistretto255, hash_to_ristretto255, x25519 } from '@noble/curves/ed25519';
import { expand_message_xmd } from '@noble/curves/abstract/hash-to-curve';
import { sha512 } from '@noble/hashes/sha2';
import { xchacha20poly1305 } from '@noble/ciphers/chacha';

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const CONTEXT = Buffer.concat([Buffer.from('OPRFV1-'), Buffer.from([1]), Buffer.from('-ristretto255-SHA512')]);

export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const bytes = (text) => Buffer.from(text.replace(/^0x/, ''), 'hex');
const u16 = (n) => Buffer.from([n >> 8, n & 255]);
const u64 = (n) => {
	const out = Buffer.alloc(8);
	out.writeBigUInt64BE(BigInt(n));
	return out;
};
const prefixed = (part) => Buffer.concat([u16(part.length), part]);
const littleEndian = (b) => BigInt('0x' + (hex(Buffer.from(b).reverse()) || '0'));
const scalarBytes = (n) => Buffer.from(n.toString(16).padStart(64, '0'), 'hex').reverse();

const toGroup = hashToRistretto255 ?? hash_to_ristretto255;
const hashToGroup = (input) => toGroup(input, { DST: Buffer.concat([Buffer.from('HashToGroup-'), CONTEXT]) });
const hashToScalar = (input, tag = 'HashToScalar-') =>
	littleEndian(expand_message_xmd(input, Buffer.concat([Buffer.from(tag), CONTEXT]), 64, sha512)) % L;

// evaluate: {element, output} of RFC 9497's Evaluate (3.3.1) with Finalize (3.3.2) and no blind.
export function evaluate(scalar, input) {
	const element = hashToGroup(input).multiply(scalar).toRawBytes();
	return { element, output: finalize(input, element) };
}

function finalize(input, element) {
	return sha512(Buffer.concat([prefixed(input), prefixed(element), Buffer.from('Finalize')]));
}

// verifyDleq: VerifyProof (2.2.2) for one pair.
export function verifyDleq(pub, blinded, evaluated, c, s) {
	const [B, C, D] = [pub, blinded, evaluated].map((p) => RistrettoPoint.fromHex(p));
	const seedDst = Buffer.concat([Buffer.from('Seed-'), CONTEXT]);
	const seed = sha512(Buffer.concat([prefixed(pub), prefixed(seedDst)]));
	const d = hashToScalar(
		Buffer.concat([prefixed(seed), u16(0), prefixed(blinded), prefixed(evaluated), Buffer.from('Composite')]),
	);
	const M = C.multiply(d);
	const Z = D.multiply(d);
	const t2 = RistrettoPoint.BASE.multiply(s).add(B.multiply(c));
	const t3 = M.multiply(s).add(Z.multiply(c));
	const parts = [pub, M.toRawBytes(), Z.toRawBytes(), t2.toRawBytes(), t3.toRawBytes()].map((p) => prefixed(Buffer.from(p)));
	return hashToScalar(Buffer.concat([...parts, Buffer.from('Challenge')])) === c;
}

// kdfInput: what the PRF is evaluated on.
export function kdfInput({ chainId, genesis, contract, generation, deployer, appHash, nonce, purpose, service, epoch }) {
	const parts = [
		Buffer.from('derot-kdf-v1'),
		u64(chainId),
		bytes(genesis),
		bytes(contract),
		u64(generation),
		bytes(deployer),
		bytes(appHash),
		bytes(nonce),
		Buffer.from(purpose === 'contract' ? 'cluster' : purpose),
		bytes(service),
		u64(epoch),
	];
	return Buffer.concat(parts.map(prefixed));
}

const expand = (ikm, info, salt = '') => Buffer.from(hkdfSync('sha512', ikm, salt, info, 32));

// keyOf: the key that an output stands for.
export function keyOf(output, purpose, contract) {
	if (purpose !== 'contract') return expand(output, Buffer.from('derot-key-v1' + purpose));
	const cluster = expand(output, Buffer.from('derot-key-v1cluster'));
	return expand(cluster, Buffer.concat([Buffer.from('derot-contract-v1'), bytes(contract)]));
}

// checkProof: the key that a derivation proof (derivation.h) proves, against the published PRF key.
export function checkProof(proof, pub, input, purpose, contract) {
	assert.equal(proof.length, 4 + 32 + 1 + 1 + 96, 'length of a derivation proof');
	assert.deepEqual([...proof.subarray(0, 4)], [1, 1, 1, 1], 'version, scheme, t, n');
	const element = proof.subarray(4, 36);
	assert.deepEqual([...proof.subarray(36, 38)], [1, 1], 'one partial, of index 1');
	assert.ok(proof.subarray(38, 70).equals(element), 'the one partial is the element');
	const [c, s] = [littleEndian(proof.subarray(70, 102)), littleEndian(proof.subarray(102, 134))];
	assert.ok(verifyDleq(pub, Buffer.from(hashToGroup(input).toRawBytes()), element, c, s), 'the proof of equality');
	return keyOf(finalize(input, element), purpose, contract);
}

// openRoot: {scalar, seed} of a generation out of a data directory and its key file, as they lie on the disk.
export function openRoot({ data, keyFile, chainId, genesis, contract, proof = 1, profile, generation }) {
	const sealing = readFileSync(keyFile);
	const db = new DatabaseSync(`${data}/derot.db`, { readOnly: true });
	const row = db.prepare('SELECT sealed FROM roots WHERE generation = ?').get(generation);
	db.close();
	assert.ok(row, `a sealed root of generation ${generation}`);
	const sealed = Buffer.from(row.sealed);
	assert.equal(sealed[0], 2, 'version of a sealed root');
	assert.ok(sealed.subarray(1, 9).equals(expand(sealing, Buffer.from('derot-key-id-v1')).subarray(0, 8)), 'key id');
	const associated = Buffer.concat([
		Buffer.from('derot-seal-v1'),
		u64(chainId),
		bytes(genesis),
		bytes(contract),
		Buffer.from([proof]),
		bytes(profile),
		u64(generation),
	]);
	const plain = xchacha20poly1305(sealing, sealed.subarray(9, 33), associated).decrypt(sealed.subarray(33));
	return { scalar: littleEndian(plain.subarray(0, 32)), seed: Buffer.from(plain.subarray(32, 64)) };
}

export const prfPublic = (scalar) => Buffer.from(RistrettoPoint.BASE.multiply(scalar).toRawBytes());

// openBox: what a recipient finds in a box (box.h).
export function openBox(box, secret, label, associated) {
	const ephemeral = box.subarray(0, 32);
	const recipient = x25519.getPublicKey(secret);
	const shared = x25519.getSharedSecret(secret, ephemeral);
	const key = expand(shared, Buffer.concat([Buffer.from('derot-box-v1'), Buffer.from(label)]), Buffer.concat([ephemeral, recipient]));
	return Buffer.from(xchacha20poly1305(key, box.subarray(32, 56), associated).decrypt(box.subarray(56)));
}

const ed25519Private = (seed) =>
	createPrivateKey({ key: Buffer.concat([bytes('302e020100300506032b657004220420'), seed]), format: 'der', type: 'pkcs8' });

// ed25519Public: the public key of a seed (RFC 8032), by Node's OpenSSL.
export function ed25519Public(seed) {
	return createPublicKey(ed25519Private(seed)).export({ format: 'der', type: 'spki' }).subarray(-32);
}

// publication: the ten words that publish a first root generation with these secrets (governance/root.h, chain/crypto/voprf.h).
export function publication({ chainId, genesis, contract, node, generation = 1, scalar, seed }) {
	const [scheme, quote] = [bytes('010101'.padStart(64, '0')), Buffer.alloc(32)];
	const [prf, sig] = [prfPublic(scalar), ed25519Public(seed)];
	const head = [Buffer.from('derot-root-v1'), u64(chainId), bytes(genesis), bytes(contract), u64(generation), bytes(node)];
	const context = Buffer.concat([...head, scheme, quote, prf, sig]);
	const nonce = littleEndian(
		sha512(Buffer.concat([Buffer.from('derot-possession-nonce-v1'), scalarBytes(scalar), prf, prefixed(context)])),
	) % L;
	const parts = [Buffer.from('derot-possession-v1'), context, prf, prfPublic(nonce)];
	const c = hashToScalar(Buffer.concat(parts.map(prefixed)));
	const s = (((nonce - c * scalar) % L) + L) % L;
	const signature = sign(null, context, ed25519Private(seed));
	const words = [scheme, prf, scalarBytes(c), scalarBytes(s), sig, signature.subarray(0, 32), signature.subarray(32), quote, quote, quote];
	return words.map((word) => '0x' + hex(word));
}

export const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();

// heartbeat: the nonce that commits to a journal of this size and root.
export function heartbeat({ chainId, contract, node, size, root }) {
	const input = [Buffer.from('derot-heartbeat-v1'), u64(chainId), bytes(contract), bytes(node), u64(size), root];
	return Buffer.concat([u64(size), sha256(...input).subarray(0, 24)]);
}
