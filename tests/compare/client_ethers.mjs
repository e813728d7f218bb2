// SPDX-License-Identifier: Apache-2.0
//
// ethers, as its documentation reads events and state. It claims to verify nothing: it tells what the server says.

import { need } from '../nodes/packages.mjs';
import { answer, eventId } from './ask.mjs';

const { Contract, JsonRpcProvider } = await need('ethers');

const connect = async ({ url, address, abi }) => {
	const provider = new JsonRpcProvider(url, 1, { staticNetwork: true });
	await provider.getBlockNumber();
	return new Contract(address, abi, provider);
};

const questions = {
	events: async (contract, { birth }) => (await contract.queryFilter('*', Number(birth), 'latest')).map(eventId),
	suspended: (contract, { apps }) => Promise.all(apps.map(async (app) => (await contract.suspended(app)) !== 0n)),
};

await answer(connect, questions, (contract) => contract.runner.destroy());
