/* SPDX-License-Identifier: Apache-2.0
 *
 * record: keys and values of the state's map, as state*.c build and read them.
 *
 * Layer: governance (private).
 */
#ifndef DR_GOVERNANCE_RECORD_H
#define DR_GOVERNANCE_RECORD_H

#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "governance/state_put.h"

struct dr_key {
	uint8_t bytes[DR_MAP_KEY_MAX];
	size_t len;
};

/* dr_record_key: kind ‖ up to two runs of bytes. dr_record_key_u64: kind ‖ a run ‖ an integer. */
struct dr_key dr_record_key(enum dr_record kind, const void *a, size_t a_len, const void *b, size_t b_len);
struct dr_key dr_record_key_u64(enum dr_record kind, const void *a, size_t a_len, uint64_t number);
struct dr_bytes dr_record_view(const struct dr_key *key);

void dr_record_put(struct dr_state *s, struct dr_key key, struct dr_bytes value, struct dr_fail *fail);
void dr_record_del(struct dr_state *s, struct dr_key key, struct dr_fail *fail);
bool dr_record_has(const struct dr_state *s, struct dr_key key);

void dr_record_put_u64(struct dr_state *s, struct dr_key key, uint64_t value, struct dr_fail *fail);
bool dr_record_get_u64(uint64_t *out, const struct dr_state *s, struct dr_key key);
/* dr_record_last_u64: the last record with this prefix and an integer <= number after it. */
bool dr_record_last_u64(uint64_t *found, struct dr_bytes *value, const struct dr_state *s, enum dr_record kind,
			const void *prefix, size_t prefix_len, uint64_t number);

/* A record being read. open: false if there is none. shut: it read exactly to its end; true. */
struct dr_open {
	struct dr_reader r;
	struct dr_fail fail;
};
bool dr_record_open(struct dr_open *o, const struct dr_state *s, struct dr_key key);
bool dr_record_shut(struct dr_open *o);

/* A value under construction; every record fits. */
struct dr_draft {
	uint8_t bytes[DR_MAP_VALUE_MAX];
	struct dr_writer w;
	struct dr_fail fail;
};
struct dr_writer *dr_record_draft(struct dr_draft *d);
void dr_record_put_draft(struct dr_state *s, struct dr_key key, const struct dr_draft *d, struct dr_fail *fail);

#endif
