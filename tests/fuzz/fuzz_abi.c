/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_abi: the first byte chooses a type, the rest is its encoding; or, for the last two choices, the rest is a
 * type's text, or one, a newline, and its encoding. What decodes must encode to the very same bytes; what parses must
 * print and parse again.
 */
#include <string.h>

#include "chain/codec/abi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ITEMS_MAX 4096u

static const char *const texts[] = {
	"(uint64,address,uint16,bytes32[8])",
	"(uint256,bytes32[2],string)[]",
	"(string,bytes)",
	"(int8,int24[],bool,bytes3)",
	"((uint8,string[2])[],(bytes,bool)[2][],address[])",
	"()",
	"uint8[][][]",
};

#define TYPES (sizeof(texts) / sizeof(texts[0]))

static void fuzz_text(struct dr_bytes text)
{
	static uint8_t printed[8192], twice[8192];
	struct dr_abi_type type;
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	if (dr_abi_parse(&type, text, &fail) != DR_OK)
		return;
	dr_writer_init(&w, printed, sizeof(printed), &fail);
	dr_abi_text(&w, &type);
	const struct dr_bytes once = dr_writer_view(&w);

	/* Aliases get longer, nothing gets shorter. */
	DR_ASSERT(fail.err == DR_OK && once.len >= text.len);
	DR_ASSERT(dr_abi_parse(&type, once, &fail) == DR_OK);
	dr_writer_init(&w, twice, sizeof(twice), &fail);
	dr_abi_text(&w, &type);
	DR_ASSERT(dr_bytes_eq(dr_writer_view(&w), once));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dr_abi_item items[ITEMS_MAX];
	static uint8_t out[1 << 20];
	struct dr_abi_type type;
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	size_t num;

	if (size == 0)
		return 0;
	struct dr_bytes rest = dr_bytes_of(data + 1, size - 1);
	const size_t choice = data[0] % (TYPES + 2);
	const uint8_t *end = choice > TYPES && rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;

	if (choice == TYPES) {
		fuzz_text(rest);
		return 0;
	}
	if (choice < TYPES) {
		DR_ASSERT(dr_abi_parse(&type, dr_bytes_of(texts[choice], strlen(texts[choice])), &fail) == DR_OK);
	} else {
		if (end == NULL ||
		    dr_abi_parse(&type, dr_bytes_of(rest.ptr, (size_t)(end - rest.ptr)), &fail) != DR_OK)
			return 0;
		rest = dr_bytes_of(end + 1, rest.len - 1 - (size_t)(end - rest.ptr));
	}
	if (dr_abi_decode(items, ITEMS_MAX, &num, &type, rest, &fail) != DR_OK) {
		DR_ASSERT(num == 0);
		return 0;
	}
	dr_writer_init(&w, out, rest.len < sizeof(out) ? rest.len : sizeof(out), &fail);
	DR_ASSERT(dr_abi_encode(&w, &type, items, num) == DR_OK);
	DR_ASSERT(dr_bytes_eq(dr_writer_view(&w), rest));
	return 0;
}
