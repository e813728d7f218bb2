/* SPDX-License-Identifier: Apache-2.0
 *
 * map: a persistent ordered map from short keys to short values, with a digest. The whole authorization
 * state is one of these, so that a state costs nothing to keep: heads, checks and the final state share
 * what they have in common.
 *
 * A treap whose priorities are the SHA-256 of the key: its shape depends on its content alone, so the
 * digest does too. node digest = SHA-256(0x01 ‖ left ‖ right ‖ u16 key len ‖ key ‖ u16 value len ‖
 * value), an empty subtree = 32 zero bytes. Digests are computed on demand and kept.
 *
 * Nodes are counted; a map is a handle to a root. Not thread-safe.
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_MAP_H
#define DR_GOVERNANCE_MAP_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/base/limits.h"

struct dr_map_node; /* opaque */

struct dr_map {
	struct dr_map_node *root; /* NULL: empty */
};

/* dr_map_share: a second handle to the same content. Both must be dropped. */
struct dr_map dr_map_share(struct dr_map map);
/* dr_map_drop: gives the handle up; *map becomes empty. */
void dr_map_drop(struct dr_map *map);

/* dr_map_get: the value under key, borrowed until any handle to this content is changed or dropped;
 * false if there is none. */
bool dr_map_get(struct dr_bytes *value, struct dr_map map, struct dr_bytes key);

/* dr_map_put: sets key to value in *map; other handles keep the old content. Errors: limit (key 1 to
 * DR_MAP_KEY_MAX, value up to DR_MAP_VALUE_MAX), nomem; *map is unchanged then. */
enum dr_err dr_map_put(struct dr_map *map, struct dr_bytes key, struct dr_bytes value, struct dr_fail *fail);

/* dr_map_del: removes key if it is there. Errors: nomem; unchanged then. */
enum dr_err dr_map_del(struct dr_map *map, struct dr_bytes key, struct dr_fail *fail);

/* dr_map_ceil / dr_map_floor: the first entry >= key / the last entry <= key. False if none. */
bool dr_map_ceil(struct dr_bytes *key_out, struct dr_bytes *value, struct dr_map map, struct dr_bytes key);
bool dr_map_floor(struct dr_bytes *key_out, struct dr_bytes *value, struct dr_map map, struct dr_bytes key);

/* dr_map_each: the entries >= from, in order, until `each` says false. A step each, however deep the map is:
 * dr_map_ceil goes the whole way from the root every time. The views are borrowed for the call; `each` walks no map
 * that shares content with this one (dr_map_each, dr_map_num, dr_map_digest). */
void dr_map_each(struct dr_map map, struct dr_bytes from,
		 bool (*each)(void *ctx, struct dr_bytes key, struct dr_bytes value), void *ctx);

size_t dr_map_num(struct dr_map map);
void dr_map_digest(uint8_t out[static 32], struct dr_map map);
/* dr_map_same: the same content by identity (cheap; false negatives never, after a digest compare). */
bool dr_map_same(struct dr_map a, struct dr_map b);

#endif
