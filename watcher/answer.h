/* SPDX-License-Identifier: Apache-2.0
 *
 * answer: what an endpoint answered → the payload of a frame, and whether it proves what was asked, so that a lie is
 * recognised here already. Pure. The core trusts none of it and checks everything again.
 *
 * Every function appends the payload to *out when it can be built at all. Results:
 *   DR_OK          the payload is there, and proves (or cannot be judged here)
 *   DR_ERR_PROOF   the payload is there, and is false
 *   anything else  not an answer of this form; *out is unchanged
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_ANSWER_H
#define DR_WATCHER_ANSWER_H

#include "chain/want.h"
#include "watcher/json_evm.h"

/* dr_answer_header: HEADER. hash NULL: the hash that the block itself claims is compared. *h is filled, its hash
 * being the true one. */
enum dr_err dr_answer_header(struct dr_buf *out, struct dr_evm_header *h, const json_t *block, const uint8_t *hash,
			     struct dr_arena *arena, struct dr_fail *fail);

/* dr_answer_receipts: RECEIPTS of the block with this hash and receiptsRoot. */
enum dr_err dr_answer_receipts(struct dr_buf *out, const uint8_t hash[static 32], const uint8_t root[static 32],
			       const struct dr_bytes *receipts, size_t num, struct dr_arena *arena,
			       struct dr_fail *fail);

/* dr_answer_state: STATE of want's account and slots, in want's order, under state_root. */
enum dr_err dr_answer_state(struct dr_buf *out, const struct dr_want *want, const uint8_t state_root[static 32],
			    const json_t *proof, struct dr_arena *arena, struct dr_fail *fail);

/* dr_answer_logs: LOGS of want's address and range, from logs[0,num) in any order. */
enum dr_err dr_answer_logs(struct dr_buf *out, const struct dr_want *want, struct dr_json_log *logs, size_t num,
			   struct dr_fail *fail);

#endif
