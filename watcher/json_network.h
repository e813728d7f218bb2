/* SPDX-License-Identifier: Apache-2.0
 *
 * json_network: a beacon node's own answers to /eth/v1/config/spec and /eth/v1/beacon/genesis → struct dr_network,
 * for networks that are not built in, of either preset.
 *
 * Trusted: both files, by whoever names them in a configuration or on a command line; nobody takes them from the
 * network while derot runs.
 *
 * Read: CONFIG_NAME (for show: what is no name, or is a built-in network's without being that chain, becomes
 * "custom"), SLOTS_PER_EPOCH, EPOCHS_PER_SYNC_COMMITTEE_PERIOD, SYNC_COMMITTEE_SIZE, SECONDS_PER_SLOT (where it is
 * not there, SLOT_DURATION_MS in whole seconds), GENESIS_FORK_VERSION, of every fork after that *_FORK_VERSION and
 * *_FORK_EPOCH; genesis_time and genesis_validators_root. A fork that is not mentioned, or whose epoch is
 * FAR_FUTURE_EPOCH, is not scheduled. An epoch of a fork that this build does not know becomes unknown_epoch.
 * genesis_fork_version is not read: nodes do not agree what it is on a network that begins after phase0.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_JSON_NETWORK_H
#define DR_WATCHER_JSON_NETWORK_H

#include <jansson.h>

#include "chain/beacon/network.h"

/* What a network was read from, and where a failure is. */
enum dr_network_file {
	DR_NETWORK_SPEC = 1,
	DR_NETWORK_GENESIS,
};
struct dr_network_notes {
	enum dr_network_file file; /* of the failure */
	char at[96];               /* the member that is missing or wrong, "data.SLOTS_PER_EPOCH"; "": all of it */
};

/* dr_json_network: both documents, {"data":{…}} or data alone; checked by dr_network_check. */
enum dr_err dr_json_network(struct dr_network *out, const json_t *spec, const json_t *genesis,
			    struct dr_network_notes *notes, struct dr_fail *fail);

/* dr_json_network_load: the same from two files, which must be plain ones if plain. DR_ERR_IO: notes->at is what the
 * system said. */
enum dr_err dr_json_network_load(struct dr_network *out, const char *spec_path, const char *genesis_path, bool plain,
				 struct dr_network_notes *notes, struct dr_fail *fail);

#endif
