// SPDX-License-Identifier: Apache-2.0
//
// Compiles DeRoT.sol with fixed settings into what is checked in beside it:
//
//     DeRoT.abi.json      the ABI
//     DeRoT.bin           creation bytecode, hex
//     DeRoT.runtime.bin   runtime bytecode, hex: its keccak256 is the profile's code_hash
//
// node build.mjs           writes them
// node build.mjs --check   compiles again and compares; exit 1 on any difference
//
// Needs tests/nodes/install.sh to have run. No metadata hash is appended and there are no immutables, so
// the bytes depend on the code alone.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const nodes = join(here, '../../tests/nodes/package.json');
const RUNTIME_MAX = 24576; // EIP-170

// compile: {abi, creation, runtime, layout}; hex without 0x. Throws with the compiler's own words.
export function compile() {
	const solc = createRequire(nodes)('solc');
	const input = {
		language: 'Solidity',
		sources: { 'DeRoT.sol': { content: readFileSync(join(here, 'DeRoT.sol'), 'utf8') } },
		settings: {
			evmVersion: 'paris', // no PUSH0: runs on every fork since London
			optimizer: { enabled: true, runs: 200 },
			metadata: { bytecodeHash: 'none', appendCBOR: false },
			outputSelection: {
				'*': {
					'*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode', 'storageLayout'],
				},
			},
		},
	};
	const output = JSON.parse(solc.compile(JSON.stringify(input)));
	const messages = output.errors ?? [];
	if (messages.length) throw new Error(messages.map((m) => m.formattedMessage).join('\n'));
	const contract = output.contracts['DeRoT.sol'].DeRoT;
	const runtime = contract.evm.deployedBytecode;
	if (Object.keys(runtime.immutableReferences ?? {}).length)
		throw new Error('immutables: the code hash would vary');
	if (runtime.object.length / 2 > RUNTIME_MAX)
		throw new Error(`runtime code is ${runtime.object.length / 2} bytes, the limit is ${RUNTIME_MAX}`);
	return {
		abi: contract.abi,
		creation: contract.evm.bytecode.object,
		runtime: runtime.object,
		layout: contract.storageLayout,
	};
}

function main() {
	const { abi, creation, runtime } = compile();
	const files = {
		'DeRoT.abi.json': '[\n' + abi.map((item) => '\t' + JSON.stringify(item)).join(',\n') + '\n]\n',
		'DeRoT.bin': creation + '\n',
		'DeRoT.runtime.bin': runtime + '\n',
	};
	const check = process.argv[2] === '--check';
	let differ = 0;
	for (const [name, content] of Object.entries(files)) {
		const path = join(here, name);
		if (!check) writeFileSync(path, content);
		else if (!existsSync(path) || readFileSync(path, 'utf8') !== content) {
			console.error(`${name}: not what DeRoT.sol compiles to. Run: node governance/contracts/build.mjs`);
			differ++;
		}
	}
	console.log(`DeRoT.sol: runtime ${runtime.length / 2} of ${RUNTIME_MAX} bytes, creation ${creation.length / 2}`);
	return differ ? 1 : 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exit(main());
