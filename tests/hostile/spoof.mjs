// SPDX-License-Identifier: Apache-2.0
//
// A contract of an attacker (T2, T3): in one transaction it emits events of any topic and data in its own name,
// anonymous, with one topic and with two, and calls a true contract, whose true event stands in the same receipt.

import { label, topicOf, word } from '../nodes/abi.mjs';
import { abi } from '../nodes/derot.mjs';

// Its input: topic · target · length of data · data · the call's input. It is memory as it comes.
const RUNTIME = [
	'366000600037', // CALLDATACOPY(0, 0, CALLDATASIZE)
	'6040516060a0', // LOG0(96, length)
	'6000516040516060a1', // LOG1(96, length, topic)
	'600051806040516060a2', // LOG2(96, length, topic, topic)
	'60006000', // CALL(gas, target, 0, 96 + length, rest, 0, 0)
	'60405160600136036040516060016000602051',
	'5af15000',
].join('');
const size = RUNTIME.length / 2;
// PUSH1 size DUP1 PUSH1 11 PUSH1 0 CODECOPY PUSH1 0 RETURN
const CREATION = '0x60' + size.toString(16).padStart(2, '0') + '80600b6000396000f3' + RUNTIME;

export async function deploySpoof(chain, from) {
	return (await chain.send({ from, data: CREATION })).contractAddress.toLowerCase();
}

// The transaction: fakes of the event `name` with these words, and then the call `tx`.
export function spoofed(spoof, from, name, words, tx) {
	const data = words.map(word).join('');
	const topic = topicOf(abi.find((i) => i.type === 'event' && i.name === name));
	return { from, to: spoof, data: topic + word(tx.to) + word(data.length / 2) + data + tx.data.slice(2) };
}

// What an attacker would say: that a version was announced long ago.
export const announced = (app, measurement, by) => [by, label(app), label(measurement), 1, 1];
