/* SPDX-License-Identifier: Apache-2.0
 *
 * checkpoint: a log's size and root, signed by the node whose log it is, in the form that monitors and witnesses of
 * transparency logs read: C2SP tlog-checkpoint, a C2SP signed-note (c2sp.org, both v1.0.0), Ed25519 (type 0x01).
 *
 *   origin LF size LF base64(root) LF (extension line LF)* LF ("— " name " " base64(key id 4 ‖ signature) LF)+
 *   key id = SHA-256(name ‖ LF ‖ 0x01 ‖ public key)[0,4); the signature is over the text before the empty line
 *
 * Ours have no extension lines and one signature. Others may add signatures (witnesses do): those of unknown keys are
 * ignored, those of ours must all be good. Stricter than the specification in two ways: DEL and the C1 controls are
 * refused as well, and a signature is at most DR_CHECKPOINT_SIG_MAX bytes. The text form of a public key ("vkey") is
 * made by dr_checkpoint_vkey of proto.h.
 *
 * Layer: kms-bridge.
 */
#ifndef DR_KMS_CHECKPOINT_H
#define DR_KMS_CHECKPOINT_H

#include "kms-bridge/proto.h"

#define DR_CHECKPOINT_LEN_MAX  DR_RUN_MAX
#define DR_CHECKPOINT_NAME_MAX 256u  /* an origin or a key's name, with its NUL */
#define DR_CHECKPOINT_SIGS_MAX 100u  /* signature lines; 16 at least are to be accepted */
#define DR_CHECKPOINT_SIG_MAX  8192u /* bytes of one, key id included: of unknown keys, which may be of any kind */

/* dr_checkpoint_origin: which log: "derot/<chain id>/0x<contract>/ledger" (log 0), which is the same on all nodes, or
 * "derot/<chain id>/0x<contract>/0x<node>/journal" (log 1). dr_checkpoint_name: the name of a node's key:
 * "derot/<chain id>/0x<contract>/0x<node>". */
void dr_checkpoint_origin(char out[static DR_CHECKPOINT_NAME_MAX], uint64_t chain_id,
			  const uint8_t contract[static 20], const uint8_t node[static 20], uint8_t log);
void dr_checkpoint_name(char out[static DR_CHECKPOINT_NAME_MAX], uint64_t chain_id, const uint8_t contract[static 20],
			const uint8_t node[static 20]);

/* dr_checkpoint_make: appends the signed checkpoint to *out; sign is called once, with the text. DR_ERR_SYNTAX: an
 * origin or name that cannot be written (origin: one clean line that is not empty; name: without spaces and "+"
 * also). *out is unchanged on failure. */
enum dr_err dr_checkpoint_make(struct dr_buf *out, const char *origin, uint64_t size, const uint8_t root[static 32],
			       const char *name, const uint8_t pub[static 32],
			       void (*sign)(void *ctx, uint8_t sig[static 64], struct dr_bytes msg), void *ctx,
			       struct dr_fail *fail);

/* dr_checkpoint_read: what the note says, if the key (name, pub) signed it. Whose log it is, is for the caller to
 * compare (origin). On failure every output is zeroed:
 *   DR_ERR_UNKNOWN  well formed, and not signed by this key
 *   DR_ERR_PROOF    a signature that names this key is not its signature
 *   DR_ERR_SYNTAX, DR_ERR_NONCANONICAL, DR_ERR_LIMIT  no signed note, or one that is no checkpoint; an origin that
 *                   does not fit cap (with its NUL) */
enum dr_err dr_checkpoint_read(char *origin, size_t cap, uint64_t *size, uint8_t root[static 32],
			       struct dr_bytes note, const char *name, const uint8_t pub[static 32],
			       struct dr_fail *fail);

#endif
