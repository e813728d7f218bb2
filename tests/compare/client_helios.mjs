// SPDX-License-Identifier: Apache-2.0
//
// Helios: a light client that syncs by the beacon chain's sync committees and verifies what the execution server
// returns. Three questions: the logs, as one asks for them; the receipts of every block, which is more work than its
// users do but as complete as its verification can be; and current state.

import { need } from '../nodes/packages.mjs';
import { answer, eventId } from './ask.mjs';

// It takes a Node.js for a browser, and looks for one's window.
globalThis.Window = class {
	static [Symbol.hasInstance]() {
		return true;
	}
};
globalThis.window = globalThis.self = globalThis;

const quantity = (number) => '0x' + BigInt(number).toString(16);

const { createHeliosProvider } = await need('@a16z/helios');

async function connect({ url, beacon, checkpoint }) {
	const config = { executionRpc: url, consensusRpc: beacon, network: 'mainnet', checkpoint };
	const provider = await createHeliosProvider(config, 'ethereum');
	await provider.waitSynced();
	return provider;
}

const request = (provider, method, ...params) => provider.request({ method, params });

async function everyReceipt(provider, { address, birth }) {
	const head = Number(await request(provider, 'eth_blockNumber'));
	const seen = [];
	for (let number = Number(birth); number <= head; number++) {
		const receipts = await request(provider, 'eth_getBlockReceipts', quantity(number)).catch((error) => {
			throw Object.assign(new Error(error.message), { at: number });
		});
		const logs = receipts.flatMap((receipt) => receipt.logs);
		seen.push(...logs.filter((log) => log.address.toLowerCase() === address).map(eventId));
	}
	return seen;
}

// One after the other: it must not be shut down while it is still about the second.
async function areSuspended(provider, { address, suspended, apps }) {
	const are = [];
	for (const app of apps) {
		const data = suspended + app.slice(2);
		are.push(BigInt(await request(provider, 'eth_call', { to: address, data }, 'latest')) !== 0n);
	}
	return are;
}

const questions = {
	events: async (provider, { address, birth }) =>
		(await request(provider, 'eth_getLogs', { address, fromBlock: quantity(birth), toBlock: 'latest' })).map(eventId),
	receipts: everyReceipt,
	suspended: areSuspended,
};

await answer(connect, questions, (provider) => provider.shutdown());
