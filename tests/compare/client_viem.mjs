// SPDX-License-Identifier: Apache-2.0
//
// viem, as its documentation reads events and state. It claims to verify nothing: it tells what the server says.

import { setTimeout as sleep } from 'node:timers/promises';
import { need } from '../nodes/packages.mjs';
import { answer, eventId } from './ask.mjs';

const { createPublicClient, http } = await need('viem');
const { mainnet } = await need('viem/chains');

const POLL_MS = 25;
const POLLS = 4;
const LIMIT_MS = 60000;

const connect = async ({ url }) => {
	const client = createPublicClient({ chain: mainnet, transport: http(url, { retryCount: 0 }), pollingInterval: POLL_MS });
	await client.getChainId();
	return client;
};

const range = ({ address, abi, birth }) => ({ address, abi, fromBlock: BigInt(birth) });

// The watch begins in the past, so its first news is all that is there; some polls more, should it have second thoughts.
async function watched(client, world) {
	const seen = [];
	let stop;
	await new Promise((resolve, reject) => {
		const onLogs = (logs) => (seen.push(...logs.map(eventId)), resolve());
		stop = client.watchContractEvent({ ...range(world), poll: true, onLogs, onError: reject });
		setTimeout(reject, LIMIT_MS, new Error('no news')).unref();
	}).finally(() => sleep(POLLS * POLL_MS).then(stop));
	return seen;
}

await answer(connect, {
	events: async (client, world) => (await client.getContractEvents({ ...range(world), toBlock: 'latest' })).map(eventId),
	watched,
	suspended: (client, { address, abi, apps }) =>
		Promise.all(apps.map(async (app) => (await client.readContract({ address, abi, functionName: 'suspended', args: [app] })) !== 0n)),
});
