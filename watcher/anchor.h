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
 *   proof: consensus                  optional: quorum or consensus; a recording that claims the other is refused
 *   consensus:                        at proof consensus (watcher/consensus_yaml.h): what its finality rests on
 *     network: mainnet                or spec and genesis, or form
 *     checkpoint: {root: 0x…}         also from, max_age, accept_aged
 *
 * Also requests: what a replay shall ask after every change (--ask).
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_ANCHOR_H
#define DR_WATCHER_ANCHOR_H

#include "chain/beacon/network.h"
#include "kms-bridge/proto.h"
#include "watcher/yaml.h"

#define DR_ANCHOR_FORM_MAX (DR_PROFILE_LEN_MAX + DR_NETWORK_LEN_MAX)

/* dr_anchor_load: sets chain, contract, start, node and profile in *init, at proof consensus also proof, network and
 * checkpoint (and leaves the rest as it is). A recording by consensus (init->proof as it comes in) is held against an
 * anchor that says consensus, or not at all: else its checkpoint would be the recorder's word. The canonical forms of
 * profile and network go to *form (cap DR_ANCHOR_FORM_MAX), which init->profile and init->network then borrow. */
enum dr_err dr_anchor_load(struct dr_init *init, struct dr_buf *form, const char *path, struct dr_yaml_error *error);

/* dr_anchor_write: the anchor of init as a file; profile_path as it shall stand in it. A network that is not built in
 * is written as its encoding, in hex. */
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
