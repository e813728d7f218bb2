// SPDX-License-Identifier: Apache-2.0
//
// The part of the Solidity ABI that DeRoT.sol uses: words, fixed arrays of words and, for the constructor,
// dynamic arrays of words. Integers come and go as BigInt (numbers are accepted), bytes32 and addresses as
// hex strings, bool as a boolean.

import sha3 from 'js-sha3';

const bytesOf = (hex) => Buffer.from(hex.replace(/^0x/, ''), 'hex');

// keccak: of text, or of bytes given as a 0x string; a 0x string.
export function keccak(input) {
	return (
		'0x' + sha3.keccak256(typeof input === 'string' && /^0x([0-9a-f]{2})*$/i.test(input) ? bytesOf(input) : input)
	);
}

export const signatureOf = (item) => `${item.name}(${item.inputs.map((i) => i.type).join(',')})`;
export const topicOf = (item) => keccak(signatureOf(item));
export const selectorOf = (item) => keccak(signatureOf(item)).slice(0, 10);

// word: 64 hex digits of a number (right-aligned) or of a hex string (must fit; an address is right-aligned,
// and so is every shorter string).
export function word(value) {
	if (typeof value === 'boolean') value = value ? 1 : 0;
	const digits = typeof value === 'string' ? value.replace(/^0x/, '').toLowerCase() : BigInt(value).toString(16);
	if (!/^[0-9a-f]{0,64}$/.test(digits)) throw new Error(`not a word: ${value}`);
	return digits.padStart(64, '0');
}

// label: a bytes32 from a short text, left-aligned, as in DeRoT's ASCII values; for readable tests.
export function label(text) {
	const hex = Buffer.from(text).toString('hex');
	if (hex.length > 64) throw new Error(`longer than 32 bytes: ${text}`);
	return '0x' + hex.padEnd(64, '0');
}

const arrayOf = (type) => type.match(/^(.*)\[(\d*)\]$/);

// encode: the hex (without 0x) of values as types.
export function encode(types, values) {
	if (types.length !== values.length) throw new Error(`${types.length} arguments wanted, ${values.length} given`);
	const headWords = types.reduce((sum, type) => sum + (Number(arrayOf(type)?.[2]) || 1), 0);
	let head = '';
	let tail = '';
	types.forEach((type, idx) => {
		const array = arrayOf(type);
		if (!array) head += word(values[idx]);
		else if (array[2] !== '') {
			if (values[idx].length !== Number(array[2])) throw new Error(`${type}: ${values[idx].length} elements`);
			head += values[idx].map(word).join('');
		} else {
			head += word(headWords * 32 + tail.length / 2);
			tail += word(values[idx].length) + values[idx].map(word).join('');
		}
	});
	return head + tail;
}

// decode: the values of static types in a 0x string; trailing or missing bytes are an error.
export function decode(types, data) {
	const words = data.slice(2).match(/.{64}/g) ?? [];
	let at = 0;
	const one = (type) => {
		const w = words[at++];
		if (w === undefined) throw new Error('data too short');
		if (type === 'bool') return BigInt('0x' + w) === 1n;
		if (type === 'address') return '0x' + w.slice(24);
		return type.startsWith('uint') ? BigInt('0x' + w) : '0x' + w;
	};
	const values = types.map((type) => {
		const array = arrayOf(type);
		return array ? Array.from({ length: Number(array[2]) }, () => one(array[1])) : one(type);
	});
	if (at * 64 !== data.length - 2) throw new Error(`${types.join()}: ${(data.length - 2) / 2} bytes`);
	return values;
}

// mappingSlot: where mapping `slot` keeps `key` (of any value type); nest calls for nested mappings.
export const mappingSlot = (key, slot) => keccak('0x' + word(key) + word(slot));
export const slotPlus = (slot, n) => '0x' + word(BigInt(slot) + BigInt(n));
