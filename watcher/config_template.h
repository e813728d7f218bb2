/* SPDX-License-Identifier: Apache-2.0
 *
 * config_template: a derot.yaml to begin with, for a network that is built in or for any other beacon chain. What
 * only the operator knows (contract, checkpoint, servers) stands there as a value that `derot config check` refuses.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_CONFIG_TEMPLATE_H
#define DR_WATCHER_CONFIG_TEMPLATE_H

#include <stdbool.h>
#include <stdio.h>

#include "chain/beacon/network.h"

/* dr_config_template: prints that of a network, or of "custom". False: no such network; nothing was printed. */
bool dr_config_template(FILE *to, const char *network);

/* dr_config_chain_id: the id of the execution chain under a beacon chain, where that is a built-in one; 0: not known
 * here. */
uint64_t dr_config_chain_id(const struct dr_network *network);

/* dr_config_template_name: the networks there are; NULL at the end. */
const char *dr_config_template_name(size_t idx);

#endif
