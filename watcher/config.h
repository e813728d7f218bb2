/* SPDX-License-Identifier: Apache-2.0
 *
 * config: derot.yaml: which chain, which contract, whom to ask, where to keep things.
 * fixtures/derot.example.yaml shows every key with its default.
 *
 * Everything is a string until this module has read it: numbers are decimal digits only, booleans are true and
 * false, unknown and doubled keys are errors, and nothing is expanded. URLs may carry credentials: they are used
 * and never printed; an endpoint is spoken of by its name.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_CONFIG_H
#define DR_WATCHER_CONFIG_H

#include "kms-bridge/proto.h"
#include "watcher/consensus_yaml.h"
#include "watcher/yaml.h"

#define DR_URL_MAX 1024u

/* The block tag that is read as final. */
enum dr_tag {
	DR_TAG_FINALIZED = 0,
	DR_TAG_SAFE = 1,
	DR_TAG_LATEST = 2,
};

struct dr_config_endpoint {
	char name[64]; /* letters, digits, '.', '_', '-'; unique */
	char url[DR_URL_MAX];
};

struct dr_config {
	uint64_t chain_id;
	uint8_t genesis[32];
	uint8_t contract[20];
	uint64_t start_number; /* the block that created the contract */
	uint8_t start_hash[32];
	enum dr_proof proof;
	uint16_t quorum_k; /* 0 at proof consensus */
	uint16_t num_endpoints;
	struct dr_config_endpoint endpoints[DR_ENDPOINTS_MAX];
	/* Proof consensus; zero and empty otherwise. Sources of evidence are numbered endpoints first, beacons behind
	 * them: together at most DR_ENDPOINTS_MAX, of different names. */
	struct dr_network network;
	uint8_t network_form[DR_NETWORK_LEN_MAX]; /* its encoding */
	size_t network_form_len;
	uint8_t checkpoint_root[32];
	char checkpoint_from[128];
	uint64_t checkpoint_max_age_s;
	char checkpoint_aged[64]; /* who answers for one beyond that age; "": nobody */
	uint16_t num_beacons;
	struct dr_config_endpoint beacons[DR_ENDPOINTS_MAX];
	enum dr_way way;
	uint32_t step_max;
	uint64_t poll_ms, timeout_ms;
	uint32_t batch_requests; /* requests in one HTTP request, at most */
	uint64_t batch_bytes;    /* bytes of one HTTP request's body, at most */
	enum dr_tag tag;
	uint64_t max_staleness_s, head_staleness_s; /* 0: the core's default, no separate limit */
	bool heartbeat;
	uint8_t node[20];
	bool has_node;
	char data_dir[DR_TEXT_MAX]; /* "" if not said */
	char key_file[DR_TEXT_MAX];
	char passphrase_file[DR_TEXT_MAX]; /* "": the key file holds the key itself */
	uint16_t num_checkpoints;
	char checkpoints[DR_CHECKPOINTS_MAX][DR_TEXT_MAX];
	char serve_listen[DR_TEXT_MAX]; /* where derot-serve listens (process/listen.h); "": it is not started */
	char profile_path[DR_TEXT_MAX];
	struct dr_profile profile;
	struct dr_buf profile_form; /* canonical form */
};

/* dr_config_load: the file and the profile that it names. Large: keep *out on the heap or static. */
enum dr_err dr_config_load(struct dr_config *out, const char *path, struct dr_yaml_error *error);
void dr_config_free(struct dr_config *c); /* what load allocated; c is empty then */

/* dr_config_init: what a core is told. Mode RUN needs node, data_dir and key_file: DR_ERR_SYNTAX names the one that
 * is missing. out->profile and out->network borrow c. `clock` SYSTEM, `anchored` true (the anchor comes from the
 * operator's own file), `until` 0: the caller changes them if need be. */
enum dr_err dr_config_init(struct dr_init *out, const struct dr_config *c, enum dr_mode mode, struct dr_fail *fail);

const char *dr_tag_name(enum dr_tag tag); /* "finalized", … */

#endif
