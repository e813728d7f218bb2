// SPDX-License-Identifier: Apache-2.0
//
// Packages for programs that lie outside this folder: Node.js looks for one in the folders above the file that imports
// it, and node_modules is here.
//
//     const { createPublicClient } = await need('viem');

import { readFileSync } from 'node:fs';

export const need = (name) => import(name);
// version: that is installed. (Not every package lets its package.json be imported.)
export const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
