/* SPDX-License-Identifier: Apache-2.0
 *
 * kit: what unit tests share: cmocka's include ritual, hex literals, and the public vectors.
 */
#ifndef DR_TESTS_KIT_H
#define DR_TESTS_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>

#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/evm/header.h"

/* kit_hex: bytes of a hex literal without 0x, in memory that lives until the process ends. */
struct dr_bytes kit_hex(const char *hex);

/* kit_alloc: len zeroed bytes that live until the process ends. */
uint8_t *kit_alloc(size_t len);

/* kit_now_ms: a clock that only goes forward. */
int64_t kit_now_ms(void);

/* kit_json_hex: bytes of a JSON string of 0x and an even number of digits; lives as kit_hex's. */
struct dr_bytes kit_json_hex(const json_t *value);

/* kit_vector: the JSON at DEROT_VECTORS/path (default ../shared/vectors), gunzipped if it ends in .gz.
 * Skips the test by name if the file is absent. The caller gives the reference back. */
json_t *kit_vector(const char *path);

/* kit_json_u64, kit_json_word: a quantity of block JSON. */
uint64_t kit_json_u64(const json_t *value);
void kit_json_word(uint8_t word[static 32], const json_t *value);

/* kit_header: *out as block JSON (eth_getBlockByNumber) tells it, the hash too; the fields present say the fork.
 * Extra data lives as kit_hex's. */
void kit_header(struct dr_evm_header *out, const json_t *block);

/* kit_assert_fail: err and what a failed call recorded. */
void kit_assert_fail(enum dr_err expected, const struct dr_fail *fail);

#endif
