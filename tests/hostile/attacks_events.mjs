// SPDX-License-Identifier: Apache-2.0
//
// Lies about events: logs and receipts withheld, forged, doubled, displaced, spoofed (T1, T2, T3).

import { GOES_ON, LIMITED, NOTHING, NOT_REBUILT, NOT_ROLLED, STANDS, lacks } from './expect.mjs';
import { NO_BLOOM, allLogs, both, error, flip, flipLast, hex, instead, isReceipt, logs, other, receipts, withData, withLog } from './lie.mjs';

const isLogs = (c) => c.method === 'eth_getLogs';
const dropLog = receipts((l) => l.map((x) => ({ ...x, logs: x.logs.slice(1) })));
const shortenLogs = logs((l) => l.slice(1));
const toAddress = (address) => withLog((l) => (l.address = address));
// A log of the contract, made one of somebody else; and the other way round: the world's spoofed logs stand in the
// same receipt as a true one.
const STRANGER = '0x' + '5'.repeat(40);
const adopt = (list) => {
	const all = allLogs(list);
	const own = all.find((l) => l.data.length > 2 && l.topics.length === 1);
	const stranger = all.find((l) => own && l.address !== own.address);
	if (stranger) stranger.address = own.address;
	return list;
};
const withTopics = (topics) => withLog((l) => (l.topics = topics(l.topics)));
const longer = (d) => d + '00'.repeat(32);
const shorter = (d) => d.slice(0, -2);

export const EVENTS = [
	// T1: what eth_getLogs leaves out, or makes up. Receipts prove the same blocks, and so the run goes on.
	{ name: 'hides one log everywhere', threat: 'T1', state: STANDS, journal: NOT_REBUILT, way: 'accumulator', call: both(shortenLogs, dropLog) },
	{ name: 'drops one log from eth_getLogs', threat: 'T1', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: shortenLogs },
	{ name: 'drops the last log from eth_getLogs', threat: 'T1', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: logs((l) => l.slice(0, -1)) },
	{ name: 'adds a log twice to eth_getLogs', threat: 'T1', state: GOES_ON, journal: lacks(/^one log twice/), way: 'accumulator', call: logs((l) => [l[0], ...l]) },
	{ name: 'makes up a log in eth_getLogs', threat: 'T1', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: logs((l) => [...l, { ...l.at(-1), logIndex: hex(0xffff) }]) },
	{ name: 'swaps the data of two logs in eth_getLogs', threat: 'T1', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: logs((l) => l.map((x, i) => ({ ...x, data: l[l.length - 1 - i].data }))) },
	{ name: 'forges the data of a log', threat: 'T1', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: logs(withData(flipLast)) },
	{ name: 'forges the topic of a log', threat: 'T1', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: logs(withTopics((t) => [flip(t[0])])) },
	{ name: 'moves a log into the next block', threat: 'T1', state: GOES_ON, journal: lacks(/^one log twice/), way: 'accumulator', call: logs((l) => [{ ...l[0], blockNumber: hex(Number(l[0].blockNumber) + 1) }, ...l.slice(1)]) },
	{ name: 'moves a log beyond the range', threat: 'T1', state: GOES_ON, journal: lacks(/^a log that was not asked for/), way: 'accumulator', call: logs((l) => [{ ...l[0], blockNumber: '0xffffff' }, ...l.slice(1)]) },
	{ name: 'reverses the logs of eth_getLogs', threat: 'T1', state: GOES_ON, journal: NOTHING, way: 'accumulator', call: logs((l) => l.toReversed()) },
	{ name: 'answers [] to eth_getLogs', threat: 'T1', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: instead(isLogs, { result: [] }) },
	{ name: 'answers null to eth_getLogs', threat: 'T1', state: GOES_ON, journal: lacks(/^eth_getLogs: answered null/), way: 'accumulator', call: instead(isLogs, { result: null }) },
	{ name: 'answers an error to eth_getLogs', threat: 'T1', state: GOES_ON, journal: LIMITED, way: 'accumulator', call: instead(isLogs, error(-32005, 'query returned more than 10000 results')) },
	{ name: 'refuses every range of eth_getLogs', threat: 'T1', state: GOES_ON, journal: lacks(/^eth_getLogs: error -32600/), way: 'accumulator', call: instead(isLogs, error(-32600, 'block range is too large')) },
	{ name: 'answers eth_getLogs with an object', threat: 'T1', state: GOES_ON, journal: lacks(/^logs must be a JSON array/), way: 'accumulator', call: instead(isLogs, { result: { logs: [] } }) },
	// T1: receipts.
	{ name: 'drops a log from a receipt', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: dropLog },
	{ name: 'drops a receipt', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => l.slice(1)) },
	{ name: 'drops the last receipt', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => l.slice(0, -1)) },
	{ name: 'swaps two logs of a receipt', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => l.map((x) => ({ ...x, logs: x.logs.toReversed() }))) },
	{ name: 'swaps two receipts', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => l.map((x, i) => ({ ...l[l.length - 1 - i], transactionIndex: x.transactionIndex }))) },
	{ name: 'reverses the receipts', threat: 'T1', state: STANDS, journal: NOT_REBUILT, way: 'receipts', call: receipts((l) => l.toReversed()) },
	{ name: 'adds a receipt twice', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => [...l, l[0]]) },
	{ name: 'makes up a receipt', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => [...l, { ...l.at(-1), transactionIndex: hex(l.length) }]) },
	{ name: 'forges the data of a receipt', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts(withData(flipLast)) },
	{ name: 'forges the status of a receipt', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => l.map((x) => ({ ...x, status: flip(x.status, 2) }))) },
	{ name: 'forges the gas of a receipt', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => l.map((x) => ({ ...x, cumulativeGasUsed: flipLast(x.cumulativeGasUsed) }))) },
	{ name: 'forges the bloom of a receipt', threat: 'T1', state: GOES_ON, journal: NOTHING, call: receipts((l) => l.map((x) => ({ ...x, logsBloom: flip(x.logsBloom, 100) }))) },
	{ name: 'empties a receipt and its bloom', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts((l) => l.map((x) => ({ ...x, logs: [], logsBloom: NO_BLOOM }))) },
	{ name: 'answers [] for the receipts', threat: 'T1', state: STANDS, journal: NOT_REBUILT, call: receipts(() => []) },
	{ name: 'answers null for the receipts', threat: 'T1', state: STANDS, journal: lacks(/^eth_getTransactionReceipt: answered null/), call: receipts(() => null) },
	{ name: 'answers an error for the receipts', threat: 'T1', state: STANDS, journal: lacks(/^eth_getTransactionReceipt: error -32000/), call: instead(isReceipt, error(-32000, 'no')) },
	{ name: 'answers every receipt but in words', threat: 'T1', state: STANDS, journal: lacks(/^a receipt must be a JSON object/), call: receipts((l) => l.map((x) => x && String(x.transactionHash))) },
	{ name: 'has receipts of null', threat: 'T1', state: STANDS, journal: lacks(/^a receipt must be a JSON object/), call: receipts((l) => l.map(() => null)) },
	// T2: spoofed events. The chain itself holds them too, in a receipt with a true one (world.mjs).
	{ name: 'gives a stranger’s log the contract’s address in eth_getLogs', threat: 'T2', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: logs((l) => [...l, { ...l.at(-1), address: STRANGER, logIndex: hex(0xfffe) }].map((x) => ({ ...x, address: l[0].address }))) },
	{ name: 'adds a stranger’s log to eth_getLogs', threat: 'T2', state: GOES_ON, journal: lacks(/^a log that was not asked for/), way: 'accumulator', call: logs((l) => [...l, { ...l.at(-1), address: STRANGER, logIndex: hex(0xfffe) }]) },
	{ name: 'gives the contract’s log to a stranger in eth_getLogs', threat: 'T2', state: GOES_ON, journal: lacks(/^a log that was not asked for/), way: 'accumulator', call: logs(toAddress(STRANGER)) },
	{ name: 'gives a stranger’s log the contract’s address in a receipt', threat: 'T2', state: STANDS, journal: NOT_REBUILT, call: receipts(adopt) },
	{ name: 'gives the contract’s log to a stranger in a receipt', threat: 'T2', state: STANDS, journal: NOT_REBUILT, call: receipts(toAddress(STRANGER)) },
	// T3: events of no or another form.
	{ name: 'flags a log as removed in eth_getLogs', threat: 'T3', state: GOES_ON, journal: lacks(/^a log that is marked as removed/), way: 'accumulator', call: logs(withLog((l) => (l.removed = true))) },
	{ name: 'flags every log as removed in eth_getLogs', threat: 'T3', state: GOES_ON, journal: lacks(/^a log that is marked as removed/), way: 'accumulator', call: logs((l) => l.map((x) => ({ ...x, removed: true }))) },
	{ name: 'flags a log as removed in a receipt', threat: 'T3', state: STANDS, journal: lacks(/^a log that is marked as removed/), call: receipts(withLog((l) => (l.removed = true))) },
	{ name: 'makes a log anonymous in eth_getLogs', threat: 'T3', state: GOES_ON, journal: lacks(/^a log that does not have one topic/), way: 'accumulator', call: logs(withTopics(() => [])) },
	{ name: 'makes a log anonymous in a receipt', threat: 'T3', state: STANDS, journal: NOT_REBUILT, call: receipts(withTopics(() => [])) },
	{ name: 'gives a log a topic more in eth_getLogs', threat: 'T3', state: GOES_ON, journal: lacks(/^a log that does not have one topic/), way: 'accumulator', call: logs(withTopics((t) => [...t, t[0]])) },
	{ name: 'gives a log a topic more in a receipt', threat: 'T3', state: STANDS, journal: NOT_REBUILT, call: receipts(withTopics((t) => [...t, t[0]])) },
	{ name: 'gives a log five topics', threat: 'T3', state: STANDS, journal: lacks(/^member "topics" is missing or not of its form/), call: receipts(withTopics((t) => Array(5).fill(t[0]))) },
	{ name: 'gives a log an unknown topic in eth_getLogs', threat: 'T3', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: logs(withTopics(() => [other('no event')])) },
	{ name: 'gives a log an unknown topic in a receipt', threat: 'T3', state: STANDS, journal: NOT_REBUILT, call: receipts(withTopics(() => [other('no event')])) },
	{ name: 'lengthens a log’s data in eth_getLogs', threat: 'T3', state: GOES_ON, journal: NOT_ROLLED, way: 'accumulator', call: logs(withData(longer)) },
	{ name: 'lengthens a log’s data in a receipt', threat: 'T3', state: STANDS, journal: NOT_REBUILT, call: receipts(withData(longer)) },
	{ name: 'shortens a log’s data in a receipt', threat: 'T3', state: STANDS, journal: NOT_REBUILT, call: receipts(withData(shorter)) },
	{ name: 'has a log’s data in half a byte', threat: 'T3', state: STANDS, journal: lacks(/^member "data" is missing or not of its form/), call: receipts(withData((d) => d.slice(0, -1))) },
];
