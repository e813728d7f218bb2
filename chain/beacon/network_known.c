/* SPDX-License-Identifier: Apache-2.0
 *
 * The networks that need no configuration: figures of metadata/config.yaml (and genesis.ssz, for time and validators
 * root) of eth-clients/mainnet, sepolia, holesky and hoodi. Forks after Fulu have no epoch on any of them.
 */
#include "chain/beacon/network.h"

#include <string.h>

#define MAINNET_PRESET                                                                                               \
	.slots_per_epoch = 32, .epochs_per_period = 256, .committee_size = 512, .seconds_per_slot = 12,              \
	.unknown_epoch = DR_BEACON_NEVER

static const struct dr_network networks[] = {
	{
		.name = "mainnet",
		MAINNET_PRESET,
		.genesis_time = 1606824023,
		.genesis_validators_root = { 0x4b, 0x36, 0x3d, 0xb9, 0x4e, 0x28, 0x61, 0x20, 0xd7, 0x6e, 0xb9,
					     0x05, 0x34, 0x0f, 0xdd, 0x4e, 0x54, 0xbf, 0xe9, 0xf0, 0x6b, 0xf3,
					     0x3f, 0xf6, 0xcf, 0x5a, 0xd2, 0x7f, 0x51, 0x1b, 0xfe, 0x95 },
		.forks = { [DR_BEACON_PHASE0] = { 0, { 0 } },
			   [DR_BEACON_ALTAIR] = { 74240, { 1 } },
			   [DR_BEACON_BELLATRIX] = { 144896, { 2 } },
			   [DR_BEACON_CAPELLA] = { 194048, { 3 } },
			   [DR_BEACON_DENEB] = { 269568, { 4 } },
			   [DR_BEACON_ELECTRA] = { 364032, { 5 } },
			   [DR_BEACON_FULU] = { 411392, { 6 } } },
	},
	{
		.name = "sepolia",
		MAINNET_PRESET,
		.genesis_time = 1655733600,
		.genesis_validators_root = { 0xd8, 0xea, 0x17, 0x1f, 0x3c, 0x94, 0xae, 0xa2, 0x1e, 0xbc, 0x42,
					     0xa1, 0xed, 0x61, 0x05, 0x2a, 0xcf, 0x3f, 0x92, 0x09, 0xc0, 0x0e,
					     0x4e, 0xfb, 0xaa, 0xdd, 0xac, 0x09, 0xed, 0x9b, 0x80, 0x78 },
		.forks = { [DR_BEACON_PHASE0] = { 0, { 0x90, 0, 0, 0x69 } },
			   [DR_BEACON_ALTAIR] = { 50, { 0x90, 0, 0, 0x70 } },
			   [DR_BEACON_BELLATRIX] = { 100, { 0x90, 0, 0, 0x71 } },
			   [DR_BEACON_CAPELLA] = { 56832, { 0x90, 0, 0, 0x72 } },
			   [DR_BEACON_DENEB] = { 132608, { 0x90, 0, 0, 0x73 } },
			   [DR_BEACON_ELECTRA] = { 222464, { 0x90, 0, 0, 0x74 } },
			   [DR_BEACON_FULU] = { 272640, { 0x90, 0, 0, 0x75 } } },
	},
	{
		.name = "holesky",
		MAINNET_PRESET,
		.genesis_time = 1695902400,
		.genesis_validators_root = { 0x91, 0x43, 0xaa, 0x7c, 0x61, 0x5a, 0x7f, 0x71, 0x15, 0xe2, 0xb6,
					     0xaa, 0xc3, 0x19, 0xc0, 0x35, 0x29, 0xdf, 0x82, 0x42, 0xae, 0x70,
					     0x5f, 0xba, 0x9d, 0xf3, 0x9b, 0x79, 0xc5, 0x9f, 0xa8, 0xb1 },
		.forks = { [DR_BEACON_PHASE0] = { 0, { 1, 1, 0x70 } },
			   [DR_BEACON_ALTAIR] = { 0, { 2, 1, 0x70 } },
			   [DR_BEACON_BELLATRIX] = { 0, { 3, 1, 0x70 } },
			   [DR_BEACON_CAPELLA] = { 256, { 4, 1, 0x70 } },
			   [DR_BEACON_DENEB] = { 29696, { 5, 1, 0x70 } },
			   [DR_BEACON_ELECTRA] = { 115968, { 6, 1, 0x70 } },
			   [DR_BEACON_FULU] = { 165120, { 7, 1, 0x70 } } },
	},
	{
		.name = "hoodi",
		MAINNET_PRESET,
		.genesis_time = 1742213400,
		.genesis_validators_root = { 0x21, 0x2f, 0x13, 0xfc, 0x4d, 0xf0, 0x78, 0xb6, 0xcb, 0x7d, 0xb2,
					     0x28, 0xf1, 0xc8, 0x30, 0x75, 0x66, 0xdc, 0xec, 0xf9, 0x00, 0x86,
					     0x74, 0x01, 0xa9, 0x20, 0x23, 0xd7, 0xba, 0x99, 0xcb, 0x5f },
		.forks = { [DR_BEACON_PHASE0] = { 0, { 0x10, 0, 0x09, 0x10 } },
			   [DR_BEACON_ALTAIR] = { 0, { 0x20, 0, 0x09, 0x10 } },
			   [DR_BEACON_BELLATRIX] = { 0, { 0x30, 0, 0x09, 0x10 } },
			   [DR_BEACON_CAPELLA] = { 0, { 0x40, 0, 0x09, 0x10 } },
			   [DR_BEACON_DENEB] = { 0, { 0x50, 0, 0x09, 0x10 } },
			   [DR_BEACON_ELECTRA] = { 2048, { 0x60, 0, 0x09, 0x10 } },
			   [DR_BEACON_FULU] = { 50688, { 0x70, 0, 0x09, 0x10 } } },
	},
};

const struct dr_network *dr_network_known(size_t idx)
{
	return idx < sizeof(networks) / sizeof(networks[0]) ? &networks[idx] : NULL;
}

const struct dr_network *dr_network_named(const char *name)
{
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		if (strcmp(networks[i].name, name) == 0)
			return &networks[i];
	return NULL;
}
