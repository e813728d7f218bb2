/* SPDX-License-Identifier: Apache-2.0
 *
 * tell: what the core says, as JSON objects that people and scripts read: changes, findings, journal
 * notes, decisions, status. One place, so that the command line and HTTP say the same thing in the same words.
 *
 * Every function gives a new reference.
 *
 * Layer: kms-bridge/tell.
 */
#ifndef DR_TELL_H
#define DR_TELL_H

#include <jansson.h>

#include "kms-bridge/proto.h"

/* dr_tell_change: a ledger entry: index, block, time, action, effect, outcome, reason, subject in words
 * ("what") and every argument by its name. NULL if the leaf does not decode. */
json_t *dr_tell_change(const struct dr_entry *entry);

/* dr_tell_change_text: the one-line description of a change ("measurement 0x… allowed, from …"). */
void dr_tell_change_text(char *out, size_t cap, const struct dr_change *change);

json_t *dr_tell_finding(const struct dr_audit_finding *finding);

/* dr_tell_note: a journal entry. endpoints: names by source index; NULL: numbers only. */
json_t *dr_tell_note(const struct dr_entry *entry);

json_t *dr_tell_decision(const struct dr_decision *decision);
json_t *dr_tell_answer(const struct dr_answer *answer);
json_t *dr_tell_status(const struct dr_status_report *status);

/* dr_tell_node: its public keys, and "vkey", the verifier key of its checkpoints (C2SP signed-note: name, key hash
 * and algorithm ‖ key). What there is not yet is null. */
json_t *dr_tell_node(const struct dr_node_public *node);

/* dr_tell_proof: an answer to this query: hashes in the order of RFC 6962. */
json_t *dr_tell_proof(const struct dr_proof_query *query, const struct dr_log_proof *proof);
const char *dr_tell_log_name(uint8_t log); /* "ledger", "journal" */

/* dr_tell_hex: 0x and the bytes. dr_tell_time: "2026-01-02T03:04:05Z". */
json_t *dr_tell_hex(const void *ptr, size_t len);
void dr_tell_time(char out[static 32], uint64_t seconds);

#endif
