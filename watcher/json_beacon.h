/* SPDX-License-Identifier: Apache-2.0
 *
 * json_beacon: what beacon nodes answer about the light client, in JSON or in SSZ → the structs of chain/beacon/lc.h,
 * strictly. Nothing here is believed: proving is the store's (chain/beacon/lc_store.h).
 *
 * Implements: beacon-APIs v4, /eth/v1/beacon/light_client/{bootstrap,updates,finality_update,optimistic_update}.
 * The tables of chain/beacon/lc.h are the only list of fields: uint64 and uint256 are decimal digits in a string,
 * bytes are 0x and exactly so many hex digits, vectors have exactly so many elements. A member of a fork's form that
 * is missing (or null) is refused; a member that no field has is told to the caller and otherwise ignored.
 *
 * The form is that of the attested header's slot (a bootstrap's: its header's). `version` is a claim: where it
 * stands, it must name that fork. Lodestar before 1.9 leaves it out.
 *
 * Memory: outputs borrow `arena`, and keys that came as SSZ borrow the bytes.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_JSON_BEACON_H
#define DR_WATCHER_JSON_BEACON_H

#include <jansson.h>

#include "chain/base/arena.h"
#include "chain/beacon/beacon.h"

#define DR_BEACON_ITEMS_MAX 1024u /* of one answer; MAX_REQUEST_LIGHT_CLIENT_UPDATES is 128 */

/* What is said about a document beside its content. */
struct dr_json_notes {
	char at[160];                                /* of a failure: the member's path, as jq writes it */
	char expected[96], got[96];                  /* where it is about two values; else "" */
	void (*extra)(void *to, const char *member); /* NULL, or told every member that no field has */
	void *to;
};

/* One object of an answer. */
struct dr_beacon_item {
	enum dr_beacon_kind kind;
	bool in_list; /* one of an /updates answer */
	union {
		struct dr_lc_bootstrap bootstrap; /* of kind BOOTSTRAP */
		struct dr_lc_update update;
	};
};

/* dr_json_beacon_parse: a whole answer: {"version":…,"data":{…}}, a list of these (or {"data":[…]}), or data alone.
 * What an object is follows from its members: `header` makes a bootstrap, `next_sync_committee` an update,
 * `finalized_header` a finality update, `attested_header` an optimistic update.
 * Errors: syntax (also {"code":…,"message":…}, a node's "no"), noncanonical, limit; unknown (a fork); proof (a
 * version that is not its slot's); nomem. notes says where, and what was expected. */
enum dr_err dr_json_beacon_parse(struct dr_beacon_item **items, size_t *num, const struct dr_network *net,
				 const json_t *root, struct dr_arena *arena, struct dr_json_notes *notes,
				 struct dr_fail *fail);

/* dr_json_beacon_ssz: the same from SSZ: one container, or the framing of /updates (dr_lc_frame). Which container,
 * the first offset says (below Capella: the length); no two kinds share one, and framed updates have neither. */
enum dr_err dr_json_beacon_ssz(struct dr_beacon_item **items, size_t *num, const struct dr_network *net,
			       struct dr_bytes bytes, struct dr_arena *arena, struct dr_json_notes *notes,
			       struct dr_fail *fail);

/* dr_json_beacon_read: JSON or SSZ, whichever it is: of the first eight bytes of SSZ one is zero, and of a text none.
 */
enum dr_err dr_json_beacon_read(struct dr_beacon_item **items, size_t *num, const struct dr_network *net,
				struct dr_bytes answer, struct dr_arena *arena, struct dr_json_notes *notes,
				struct dr_fail *fail);
bool dr_json_beacon_is_text(struct dr_bytes answer);

/* dr_json_decimal: decimal digits without sign or leading zero, of a number below 2^(8 * len), as len little-endian
 * bytes (at most 32). */
enum dr_err dr_json_decimal(uint8_t *out, size_t len, const char *text, size_t text_len, struct dr_fail *fail);

#endif
