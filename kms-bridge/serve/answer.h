/* SPDX-License-Identifier: Apache-2.0
 *
 * answer: what each route asks the core, and how the core's messages become its body. Those that need no core answer
 * at once.
 *
 * Layer: kms-bridge/serve.
 */
#ifndef DR_SERVE_ANSWER_H
#define DR_SERVE_ANSWER_H

#include "kms-bridge/serve/exchange.h"

/* dr_ask_*: appends the question to *out. */
typedef enum dr_err dr_ask_fn(struct dr_exchange *x, struct dr_buf *out, struct dr_fail *fail);
dr_ask_fn dr_ask_status, dr_ask_log, dr_ask_proof, dr_ask_checkpoint, dr_ask_node, dr_ask_root_certificate,
	dr_ask_app_certificate;

/* dr_take_*: one message of the answer, none of them ERROR. The last one makes x done. DR_ERR_*: no message that
 * answers the question. */
typedef enum dr_err dr_take_fn(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail);
dr_take_fn dr_take_live, dr_take_ready, dr_take_metrics, dr_take_status, dr_take_log, dr_take_proof,
	dr_take_checkpoint, dr_take_node, dr_take_certificate;

/* Without the core: x is done. */
typedef void dr_say_fn(struct dr_exchange *x);
dr_say_fn dr_say_health;

/* dr_answer_take: a message of the core in answer to x's question, ERROR or not. *last: it was the last of them. Of
 * an abandoned exchange it only tells whether it was. */
enum dr_err dr_answer_take(bool *last, struct dr_exchange *x, uint16_t type, struct dr_bytes payload,
			   struct dr_fail *fail);

/* dr_metrics: the body of /metrics: Prometheus text exposition format 0.0.4. now_s: wall clock. */
void dr_metrics(struct dr_exchange *x, const struct dr_status_report *s, uint64_t now_s);

#endif
