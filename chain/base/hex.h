/* SPDX-License-Identifier: Apache-2.0
 *
 * hex: the hexadecimal forms of Ethereum's JSON-RPC (execution-apis, "Hex value encoding").
 *
 *   data      0x and an even number of digits, either case
 *   quantity  0x and the fewest digits, no leading zero; zero is 0x0
 *
 * Layer: chain/base.
 */
#ifndef DR_BASE_HEX_H
#define DR_BASE_HEX_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* dr_hex_put: writes 2*len lower-case digits and a NUL, without 0x. out holds 2*len+1 chars. */
void dr_hex_put(char *out, const void *ptr, size_t len);

/* dr_hex_fixed: text is 0x and exactly 2*len digits (text_len counts the 0x). Fills out[0,len). */
enum dr_err dr_hex_fixed(uint8_t *out, size_t len, const char *text, size_t text_len, struct dr_fail *fail);

/* dr_hex_data: text is 0x and an even number of digits, at most cap bytes. Fills out and *len. */
enum dr_err dr_hex_data(uint8_t *out, size_t cap, size_t *len, const char *text, size_t text_len,
			struct dr_fail *fail);

/* dr_hex_quantity: a quantity of at most 32 bytes as a big-endian word. */
enum dr_err dr_hex_quantity(uint8_t word[static 32], const char *text, size_t text_len, struct dr_fail *fail);

/* dr_hex_padded: as dr_hex_quantity, with any number of leading zeros, or no digit at all (zero): at most 64
 * digits. For members that servers write as quantity, as data or as their caller did. */
enum dr_err dr_hex_padded(uint8_t word[static 32], const char *text, size_t text_len, struct dr_fail *fail);

/* dr_hex_u64: a quantity that must fit 64 bits. */
enum dr_err dr_hex_u64(uint64_t *out, const char *text, size_t text_len, struct dr_fail *fail);

#endif
