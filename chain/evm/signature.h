/* SPDX-License-Identifier: Apache-2.0
 *
 * signature: from the text of an event's or function's signature to the hash by which a chain knows it.
 *
 * A text is canonical ("Contract ABI Specification", "Function Selector" and "Events"): a Solidity
 * identifier and the parenthesised types, with no spaces, argument names or "indexed", and with sizes
 * written out (uint256, not uint). Anything else hashes to something that never occurs on a chain, and an
 * event nobody can see is the worst mistake here: so it is refused, not hashed.
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_SIGNATURE_H
#define DR_EVM_SIGNATURE_H

#include "chain/codec/abi.h"

#define DR_SIGNATURE_LEN_MAX 2048u

/* dr_signature_parse: checks that text is canonical. name_len (not NULL) is the length of the identifier,
 * *args the tuple of its arguments. Errors: DR_ERR_SYNTAX, DR_ERR_NONCANONICAL (an alias), DR_ERR_LIMIT, and
 * those of dr_abi_parse, fail->at then counting from the parenthesis. */
enum dr_err dr_signature_parse(struct dr_abi_type *args, size_t *name_len, struct dr_bytes text,
			       struct dr_fail *fail);

/* dr_signature_topic0: keccak256(text): topic 0 of an event that is not anonymous. Errors as above. */
enum dr_err dr_signature_topic0(uint8_t topic0[static 32], struct dr_bytes text, struct dr_fail *fail);

/* dr_signature_selector: the first four bytes of it: what call data begins with. */
enum dr_err dr_signature_selector(uint8_t selector[static 4], struct dr_bytes text, struct dr_fail *fail);

#endif
