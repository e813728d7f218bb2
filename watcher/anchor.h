/* SPDX-License-Identifier: Apache-2.0
 *
 * anchor: what a verifier brings along in his own hands: which chain, which contract, since which block,
 * and what its events mean. A replay or an audit that has one does not take the recorder's word for any of
 * these.
 *
 *   chain: {id: 31337, genesis: 0x…}
 *   contract: 0x…
 *   start: {block: 1, hash: 0x…}      the block that created the contract
 *   profile: derot-v1.yaml            relative to this file
 *   profile_digest: 0x…               optional: the profile must have this digest
 *   node: 0x…                         optional: whose view of the keys is replayed
 *
 * Also requests: what a replay shall ask after every change (--ask).
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_ANCHOR_H
#define DR_WATCHER_ANCHOR_H

#include "kms-bridge/proto.h"
#include "watcher/yaml.h"

/* dr_anchor_load: sets chain, contract, start, node and profile in *init (and leaves the rest as it is).
 * The profile's canonical form goes to *form, which init->profile then borrows. */
enum dr_err dr_anchor_load(struct dr_init *init, struct dr_buf *form, const char *path, struct dr_yaml_error *error);

/* dr_anchor_write: the anchor of init as a file; profile_path as it shall stand in it. */
enum dr_err dr_anchor_write(const struct dr_init *init, const char *profile_path, const char *path,
			    struct dr_yaml_error *error);

#define DR_ASKS_MAX 64u

/* A word as people write it in these files: 0x and hex (left-aligned when shorter than 32 bytes), or up to
 * 31 printable characters, left-aligned. */
bool dr_word_parse(uint8_t word[static 32], const char *text);

/* dr_asks_load: a file of named requests:
 *
 *   requests:
 *     - name: web
 *       app: web
 *       measurement: web-v1
 *       service: disk           optional; also contract, purpose (seal), from, tee, family, device, svn,
 *       advisories: [INTEL-…]   confidence (1), back (0), root_back (0)
 */
enum dr_err dr_asks_load(struct dr_ask *asks, size_t *num, const char *path, struct dr_yaml_error *error);

#endif
