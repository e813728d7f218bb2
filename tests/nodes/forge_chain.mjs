// SPDX-License-Identifier: Apache-2.0
//
// What a forged beacon chain (forge.mjs) is set in: {config, genesisTime, genesisValidatorsRoot}. shadow(network) is a
// public network's own, so that clients which have that network built in accept a chain of ours; devnet(…) makes one up.
//
// The preset is a property of the process, fixed when Lodestar's modules are loaded: mainnet, unless the environment
// variable LODESTAR_PRESET says minimal before the first import of this file.

import { createHash } from 'node:crypto';
import { minimalChainConfig } from '@lodestar/config/configs';
import { genesisData, networksChainConfig } from '@lodestar/config/networks';
import { ACTIVE_PRESET, EPOCHS_PER_SYNC_COMMITTEE_PERIOD, SLOTS_PER_EPOCH } from '@lodestar/params';

export { SLOTS_PER_EPOCH };
export const SLOTS_PER_PERIOD = SLOTS_PER_EPOCH * EPOCHS_PER_SYNC_COMMITTEE_PERIOD;
export const epochOf = (slot) => Math.floor(slot / SLOTS_PER_EPOCH);
export const periodOf = (slot) => Math.floor(slot / SLOTS_PER_PERIOD);
const FORKS = ['altair', 'bellatrix', 'capella', 'deneb', 'electra', 'fulu', 'gloas'];

export const hex = (bytes) => '0x' + Buffer.from(bytes).toString('hex');
export const bytes = (text) => Uint8Array.from(Buffer.from(text.slice(2), 'hex'));

// shadow: the chain of a public network, by its genesis and its fork schedule.
export function shadow(network) {
	if (ACTIVE_PRESET !== 'mainnet') throw new Error(`${network} has the preset mainnet, this process ${ACTIVE_PRESET}`);
	const { genesisTime, genesisValidatorsRoot } = genesisData[network];
	return { config: networksChainConfig[network], genesisTime, genesisValidatorsRoot: bytes(genesisValidatorsRoot) };
}

// devnet: a chain of our own. forks: the epoch at which each begins, {deneb: 0, electra: 4}; those before the first
// named begin at epoch 0, those after the last never.
export function devnet({ genesisTime, forks, secondsPerSlot = 1, name = 'forge' }) {
	const base = ACTIVE_PRESET === 'minimal' ? minimalChainConfig : networksChainConfig.mainnet;
	const first = FORKS.findIndex((fork) => fork in forks);
	if (first < 0) throw new Error('no fork is named');
	const epochs = FORKS.map((fork, idx) => [`${fork.toUpperCase()}_FORK_EPOCH`, idx < first ? 0 : (forks[fork] ?? Infinity)]);
	const config = { ...base, ...Object.fromEntries(epochs), SECONDS_PER_SLOT: secondsPerSlot, SLOT_DURATION_MS: 1000 * secondsPerSlot };
	return { config, genesisTime, genesisValidatorsRoot: createHash('sha256').update(name).digest() };
}
