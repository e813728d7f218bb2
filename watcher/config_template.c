/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/config_template.h"

#include <stdlib.h>
#include <string.h>

#include "chain/beacon/beacon.h"

/* The execution chain under each built-in beacon chain: chain id (EIP-155) and hash of block 0 (go-ethereum,
 * params/config.go). */
static const struct {
	const char *network;
	const char *id, *genesis;
} chains[] = {
	{ "mainnet", "1", "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3" },
	{ "sepolia", "11155111", "0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9" },
	{ "holesky", "17000", "0xb5f7f912443c940f21fd611f12828d75b534364ed9e95ca4e307729a4661bde4" },
	{ "hoodi", "560048", "0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b" },
	{ "custom", "FILL-IN", "FILL-IN   # hash of the execution chain's block 0" },
};

#define NUM_CHAINS (sizeof(chains) / sizeof(chains[0]))

const char *dr_config_template_name(size_t idx)
{
	return idx < NUM_CHAINS ? chains[idx].network : NULL;
}

uint64_t dr_config_chain_id(const struct dr_network *network)
{
	for (size_t i = 0; i < NUM_CHAINS; i++) {
		const struct dr_network *known = dr_network_named(chains[i].network);

		if (known != NULL && dr_network_same_chain(known, network))
			return strtoull(chains[i].id, NULL, 10);
	}
	return 0;
}

bool dr_config_template(FILE *to, const char *network)
{
	size_t i = 0;

	while (i < NUM_CHAINS && strcmp(chains[i].network, network) != 0)
		i++;
	if (i == NUM_CHAINS)
		return false;
	fprintf(to,
		"# derot.yaml for %s. Replace every FILL-IN; fixtures/derot.example.yaml explains every key.\n\n"
		"chain:\n"
		"  id: %s\n"
		"  genesis: %s\n\n"
		"# The DeRoT contract, and the block that created it.\n"
		"contract: FILL-IN\n"
		"start:\n"
		"  block: FILL-IN\n"
		"  hash: FILL-IN\n\n"
		"# Execution servers (JSON-RPC). None of them is believed; any one that is honest and reachable is "
		"enough.\n"
		"endpoints:\n"
		"  - name: execution-1\n"
		"    url: FILL-IN\n\n"
		"proof: consensus\n"
		"consensus:\n",
		network, chains[i].id, chains[i].genesis);
	if (dr_network_named(network) != NULL)
		fprintf(to, "  network: %s\n", network);
	else
		fputs("  # A beacon node's answers to /eth/v1/config/spec and /eth/v1/beacon/genesis, from a node "
		      "you trust.\n"
		      "  spec: FILL-IN\n"
		      "  genesis: FILL-IN\n",
		      to);
	fprintf(to,
		"  checkpoint:\n"
		"    # The root of a finalized beacon block, at best the first of an epoch, that is younger than "
		"max_age.\n"
		"    # Everything rests on it: ask several people who do not know of each other.\n"
		"    root: FILL-IN\n"
		"    from: \"\"   # FILL-IN: whom it was taken from; kept in the journal\n"
		"    max_age: %u\n"
		"  # Beacon nodes (REST, light client data). None of them is believed.\n"
		"  endpoints:\n"
		"    - name: beacon-1\n"
		"      url: FILL-IN\n\n"
		"profile: FILL-IN\n"
		"# node, data_dir and key_file are needed by derot run.\n",
		(unsigned)DR_BEACON_AGE_DEFAULT_S);
	return true;
}
