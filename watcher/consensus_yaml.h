/* SPDX-License-Identifier: Apache-2.0
 *
 * consensus_yaml: what derot.yaml and anchors say about proof consensus:
 *
 *   consensus:
 *     network: mainnet        a built-in one; or instead  spec: FILE  and  genesis: FILE , a beacon node's own
 *                             answers; in an anchor also  form: 0x… , the encoding of chain/beacon/network.h
 *     checkpoint:
 *       root: 0x…             a finalized beacon block root
 *       from: somebody        whom it was taken from; may be left out in an anchor
 *       max_age: 1209600      seconds
 *       accept_aged: name     who answers for a checkpoint beyond that age
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_CONSENSUS_YAML_H
#define DR_WATCHER_CONSENSUS_YAML_H

#include "chain/beacon/beacon.h"
#include "watcher/yaml.h"

/* As libcyaml loads it. */
struct dr_yaml_checkpoint {
	char *root, *from, *max_age, *accept_aged;
};
extern const cyaml_schema_field_t dr_yaml_checkpoint_fields[];

/* The texts of a `consensus` mapping; NULL: not said. */
struct dr_yaml_consensus {
	const char *network, *spec, *genesis, *form;
	const struct dr_yaml_checkpoint *checkpoint;
};

struct dr_consensus {
	struct dr_network network;
	uint8_t form[DR_NETWORK_LEN_MAX]; /* its encoding */
	size_t form_len;
	uint8_t root[32];
	char from[128];
	uint64_t max_age_s;
	char aged[64];
};

/* dr_consensus_read: what the texts mean; files are read. */
enum dr_err dr_consensus_read(struct dr_consensus *out, const struct dr_yaml *y, const struct dr_yaml_consensus *text,
			      struct dr_yaml_error *error);

#endif
