/* SPDX-License-Identifier: Apache-2.0
 *
 * The council's records. Weights, quorum and notice periods are checkpoints, keyed by the second from which
 * they count.
 */
#include "governance/record.h"
#include "governance/state_put.h"

static void put_checkpoint(struct dr_state *s, enum dr_record kind, const void *prefix, size_t prefix_len,
			   uint64_t from, uint64_t value, struct dr_fail *fail)
{
	struct dr_bytes old;
	uint64_t last;

	while (fail->err == DR_OK && dr_record_last_u64(&last, &old, s, kind, prefix, prefix_len, UINT64_MAX) &&
	       last >= from)
		dr_record_del(s, dr_record_key_u64(kind, prefix, prefix_len, last), fail);
	dr_record_put_u64(s, dr_record_key_u64(kind, prefix, prefix_len, from), value, fail);
}

static bool checkpoint(uint64_t *out, const struct dr_state *s, enum dr_record kind, const void *prefix,
		       size_t prefix_len, uint64_t time)
{
	struct dr_bytes value;
	uint64_t from;

	*out = 0;
	if (!dr_record_last_u64(&from, &value, s, kind, prefix, prefix_len, time))
		return false;
	DR_ASSERT(value.len == 8);
	*out = dr_be64_get(value.ptr);
	return true;
}

uint64_t dr_state_weight(const struct dr_state *s, const uint8_t member[static 20], uint64_t time)
{
	uint64_t weight;

	checkpoint(&weight, s, DR_RECORD_WEIGHT, member, 20, time);
	return weight;
}

bool dr_state_has_weight(const struct dr_state *s, const uint8_t member[static 20], uint64_t time)
{
	return dr_state_weight(s, member, time) > 0 || dr_state_weight(s, member, UINT64_MAX) > 0;
}

void dr_state_put_weight(struct dr_state *s, const uint8_t member[static 20], uint64_t from, uint64_t weight,
			 struct dr_fail *fail)
{
	put_checkpoint(s, DR_RECORD_WEIGHT, member, 20, from, weight, fail);
}

uint64_t dr_state_quorum(const struct dr_state *s, uint64_t time)
{
	uint64_t quorum;

	checkpoint(&quorum, s, DR_RECORD_QUORUM, NULL, 0, time);
	return quorum;
}

void dr_state_put_quorum(struct dr_state *s, uint64_t from, uint64_t quorum, struct dr_fail *fail)
{
	put_checkpoint(s, DR_RECORD_QUORUM, NULL, 0, from, quorum, fail);
}

bool dr_state_has_notice(const struct dr_state *s, uint64_t class, uint64_t time)
{
	const uint8_t byte = (uint8_t) class;
	uint64_t notice;

	return checkpoint(&notice, s, DR_RECORD_NOTICE, &byte, 1, time);
}

uint64_t dr_state_notice(const struct dr_state *s, enum dr_notice class, uint64_t time)
{
	const uint8_t byte = (uint8_t) class;
	uint64_t notice;

	checkpoint(&notice, s, DR_RECORD_NOTICE, &byte, 1, time);
	return notice;
}

void dr_state_put_notice(struct dr_state *s, uint64_t class, uint64_t from, uint64_t notice_s, struct dr_fail *fail)
{
	const uint8_t byte = (uint8_t) class;

	DR_ASSERT(class < DR_NOTICE_CLASSES);
	put_checkpoint(s, DR_RECORD_NOTICE, &byte, 1, from, notice_s, fail);
}

bool dr_state_guardian(const struct dr_state *s, const uint8_t who[static 20])
{
	return dr_record_has(s, dr_record_key(DR_RECORD_GUARDIAN, who, 20, NULL, 0));
}

void dr_state_put_guardian(struct dr_state *s, const uint8_t who[static 20], bool is, struct dr_fail *fail)
{
	const struct dr_key key = dr_record_key(DR_RECORD_GUARDIAN, who, 20, NULL, 0);

	if (is)
		dr_record_put(s, key, (struct dr_bytes){ 0 }, fail);
	else
		dr_record_del(s, key, fail);
}

bool dr_state_constituted(const struct dr_state *s)
{
	return dr_record_has(s, dr_record_key(DR_RECORD_CONSTITUTION, NULL, 0, NULL, 0));
}

uint64_t dr_state_voting_period(const struct dr_state *s)
{
	uint64_t period;

	dr_record_get_u64(&period, s, dr_record_key(DR_RECORD_CONSTITUTION, NULL, 0, NULL, 0));
	return period;
}

void dr_state_put_constitution(struct dr_state *s, uint64_t voting_period_s, struct dr_fail *fail)
{
	dr_record_put_u64(s, dr_record_key(DR_RECORD_CONSTITUTION, NULL, 0, NULL, 0), voting_period_s, fail);
}
