/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <string.h>

#include "chain/codec/abi.h"

#define ITEMS 4096u
static struct dr_abi_item items[ITEMS], again[ITEMS];
static uint8_t out[1 << 18];

static void parse(struct dr_abi_type *type, const char *text)
{
	struct dr_fail fail = { 0 };

	if (dr_abi_parse(type, dr_bytes_of(text, strlen(text)), &fail) != DR_OK)
		fail_msg("%s: %s at %zu", text, fail.what, fail.at);
}

#define OPEN16  "(((((((((((((((("
#define CLOSE16 "))))))))))))))))"
static const struct {
	const char *text, *canonical;
	enum dr_err err;
	bool dynamic;
	uint32_t len;
} type_rows[] = {
	{ "uint256", "uint256", DR_OK, false, 32 },
	{ "uint", "uint256", DR_OK, false, 32 },
	{ "int", "int256", DR_OK, false, 32 },
	{ "int8[3]", "int8[3]", DR_OK, false, 96 },
	{ "bytes1", "bytes1", DR_OK, false, 32 },
	{ "bytes", "bytes", DR_OK, true, 0 },
	{ "string[2]", "string[2]", DR_OK, true, 64 },
	{ "(uint256,bytes32[2],string)[]", "(uint256,bytes32[2],string)[]", DR_OK, true, 0 },
	{ "((bool,address)[2],uint8)[3][][4]", "((bool,address)[2],uint8)[3][][4]", DR_OK, true, 128 },
	{ "(bool,(address,int16)[2][3],(uint24))", "(bool,(address,int16)[2][3],(uint24))", DR_OK, false, 448 },
	{ "()", "()", DR_OK, false, 0 },
	{ "uint8[65536]", "uint8[65536]", DR_OK, false, 32 * 65536 },
	{ "uint8[][][][][][][][][][][][][][][][]", "uint8[][][][][][][][][][][][][][][][]", DR_OK, true, 0 },
	{ OPEN16 "bool" CLOSE16, OPEN16 "bool" CLOSE16, DR_OK, false, 32 },
	{ "uint8[][][][][][][][][][][][][][][][][]", NULL, DR_ERR_LIMIT, false, 0 },
	{ "(" OPEN16 "bool" CLOSE16 ")", NULL, DR_ERR_LIMIT, false, 0 },
	{ OPEN16 "bool" CLOSE16 "[]", NULL, DR_ERR_LIMIT, false, 0 },
	{ "uint8[65537]", NULL, DR_ERR_LIMIT, false, 0 },
	{ "uint8[4294967297]", NULL, DR_ERR_LIMIT, false, 0 },
	{ "uint8[65536][2]", NULL, DR_ERR_LIMIT, false, 0 },
	{ "uint8[0]", NULL, DR_ERR_LIMIT, false, 0 },
	{ "(uint8,())", NULL, DR_ERR_LIMIT, false, 0 },
	{ "()[]", NULL, DR_ERR_LIMIT, false, 0 },
	{ "", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "(", NULL, DR_ERR_SYNTAX, false, 0 },
	{ ")", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "(bool", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "(bool,", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "(bool,)", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "(,bool)", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "bool)", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "(bool))", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "bool,bool", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "bool[", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "bool[2", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "bool[x]", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "bool]", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "bool ", NULL, DR_ERR_SYNTAX, false, 0 },
	{ " bool", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "(bool a)", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "addressx", NULL, DR_ERR_SYNTAX, false, 0 },
	{ "uint7", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "uint0", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "uint08", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "int264", NULL, DR_ERR_LIMIT, false, 0 },
	{ "bytes0", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "bytes33", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "bool8", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "string8", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "address20", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "function", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "fixed128x18", NULL, DR_ERR_UNKNOWN, false, 0 },
	{ "tuple(bool)", NULL, DR_ERR_UNKNOWN, false, 0 },
};

static void test_types(void **state)
{
	char many[2 * DR_ABI_NODES_MAX * 5];

	(void)state;
	for (size_t i = 0; i < sizeof(type_rows) / sizeof(type_rows[0]); i++) {
		struct dr_abi_type type;
		struct dr_fail fail = { 0 };
		char text[512] = "";
		struct dr_writer w;

		if (dr_abi_parse(&type, dr_bytes_of(type_rows[i].text, strlen(type_rows[i].text)), &fail) !=
		    type_rows[i].err)
			fail_msg("%s: %s", type_rows[i].text, dr_err_name(fail.err));
		kit_assert_fail(type_rows[i].err, &fail);
		if (type_rows[i].err != DR_OK) {
			assert_true(dr_bytes_zero(&type, sizeof(type)));
			continue;
		}
		dr_writer_init(&w, text, sizeof(text) - 1, &fail);
		dr_abi_text(&w, &type);
		assert_string_equal(text, type_rows[i].canonical);
		assert_int_equal(type.node[0].dynamic, type_rows[i].dynamic);
		assert_int_equal(type.node[0].len, type_rows[i].len);
		assert_int_equal(type.node[0].span, type.num);
	}
	/* As many parts as there is room for, and one more. */
	for (size_t parts = DR_ABI_NODES_MAX - 1; parts <= DR_ABI_NODES_MAX; parts++) {
		struct dr_abi_type type;
		struct dr_fail fail = { 0 };
		size_t len = 0;

		for (size_t i = 0; i < parts; i++)
			len += (size_t)snprintf(many + len, sizeof(many) - len, "%sbool", i == 0 ? "(" : ",");
		many[len++] = ')';
		assert_int_equal(dr_abi_parse(&type, dr_bytes_of(many, len), &fail),
				 parts < DR_ABI_NODES_MAX ? DR_OK : DR_ERR_LIMIT);
	}
}

#define W0  "0000000000000000000000000000000000000000000000000000000000000000"
#define W1  "0000000000000000000000000000000000000000000000000000000000000001"
#define W2  "0000000000000000000000000000000000000000000000000000000000000002"
#define W3  "0000000000000000000000000000000000000000000000000000000000000003"
#define W20 "0000000000000000000000000000000000000000000000000000000000000020"
#define W40 "0000000000000000000000000000000000000000000000000000000000000040"
#define W60 "0000000000000000000000000000000000000000000000000000000000000060"
#define W80 "0000000000000000000000000000000000000000000000000000000000000080"
#define WFF "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define ABC "6162630000000000000000000000000000000000000000000000000000000000"

/* num: the items of a good encoding. The second and third rows are the specification's own examples. */
static const struct {
	const char *name, *type, *data;
	enum dr_err err;
	size_t num;
} value_rows[] = {
	{ "a word", "uint256", W1, DR_OK, 1 },
	{ "baz", "(uint32,bool)", "0000000000000000000000000000000000000000000000000000000000000045" W1, DR_OK, 2 },
	{ "bar", "(bytes3[2])", ABC "6465660000000000000000000000000000000000000000000000000000000000", DR_OK, 2 },
	{ "nothing", "()", "", DR_OK, 0 },
	{ "nothing, and more", "()", W0, DR_ERR_SYNTAX, 0 },
	{ "a string", "(string)", W20 W3 ABC, DR_OK, 1 },
	{ "a string alone", "string", W3 ABC, DR_OK, 1 },
	{ "an empty string", "(bytes)", W20 W0, DR_OK, 1 },
	{ "32 bytes", "bytes", W20 WFF, DR_OK, 1 },
	{ "an array", "(uint8[],bool)", W40 W1 W2 W1 W2, DR_OK, 4 },
	{ "an empty array", "(uint8[],bool)", W40 W1 W0, DR_OK, 2 },
	{ "arrays of arrays", "uint8[][]", W2 W40 W80 W1 W3 W1 W2, DR_OK, 5 },
	{ "two strings", "(string,string)", W40 W80 W3 ABC W3 ABC, DR_OK, 2 },
	{ "static in dynamic", "((uint8,bool)[],bytes)", W40 W80 W1 W2 W1 W0, DR_ERR_NONCANONICAL, 0 },
	{ "tuple with a string", "((uint8,string))", W20 W1 W40 W3 ABC, DR_OK, 2 },
	{ "fixed array of strings", "string[2]", W40 W80 W3 ABC W3 ABC, DR_OK, 2 },
	{ "two strings, one place", "(string,string)", W40 W40 W3 ABC, DR_ERR_NONCANONICAL, 0 },
	{ "two strings, swapped", "(string,string)", W80 W40 W3 ABC W3 ABC, DR_ERR_NONCANONICAL, 0 },
	{ "a gap", "(string)", W40 W0 W3 ABC, DR_ERR_NONCANONICAL, 0 },
	{ "an offset into the heads", "(bytes)", W0, DR_ERR_NONCANONICAL, 0 },
	{ "an offset beyond 64 bits", "(bytes)",
	  "0000000000000001000000000000000000000000000000000000000000000020" W0, DR_ERR_NONCANONICAL, 0 },
	{ "an endless string", "(bytes)", W20 WFF, DR_ERR_SHORT, 0 },
	{ "a length that is cut to 32 bits", "(bytes)",
	  W20 "0000000000000000000000000000000000000000000000000000000100000000", DR_ERR_SHORT, 0 },
	{ "an endless array", "(uint8[])", W20 WFF, DR_ERR_SHORT, 0 },
	{ "an array of 2^32-1", "(uint8[])", W20 "00000000000000000000000000000000000000000000000000000000ffffffff",
	  DR_ERR_SHORT, 0 },
	{ "one element too few", "(uint8[])", W20 W2 W1, DR_ERR_SHORT, 0 },
	{ "left over", "(uint8[])", W20 W1 W1 W1, DR_ERR_SYNTAX, 0 },
	{ "no padding", "bytes", W3 "616263", DR_ERR_SHORT, 0 },
	{ "padding", "bytes", W3 "6162630000000000000000000000000000000000000000000000000000000001",
	  DR_ERR_NONCANONICAL, 0 },
	{ "uint8 of 256", "uint8", "0000000000000000000000000000000000000000000000000000000000000100",
	  DR_ERR_NONCANONICAL, 0 },
	{ "uint256 full", "uint256", WFF, DR_OK, 1 },
	{ "uint248 full", "uint248", WFF, DR_ERR_NONCANONICAL, 0 },
	{ "int8 of -1", "int8", WFF, DR_OK, 1 },
	{ "int256 of -1", "int256", WFF, DR_OK, 1 },
	{ "int8 of 127", "int8", "000000000000000000000000000000000000000000000000000000000000007f", DR_OK, 1 },
	{ "int8 of 128", "int8", W80, DR_ERR_NONCANONICAL, 0 },
	{ "int8 of -128", "int8", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff80", DR_OK, 1 },
	{ "int8 of -129", "int8", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	  DR_ERR_NONCANONICAL, 0 },
	{ "int16 half extended", "int16", "00000000000000000000000000000000000000000000000000000000ffffff80",
	  DR_ERR_NONCANONICAL, 0 },
	{ "bool of 2", "bool", W2, DR_ERR_NONCANONICAL, 0 },
	{ "bool with a high byte", "bool",
	  "01"
	  "00000000000000000000000000000000000000000000000000000000000001",
	  DR_ERR_NONCANONICAL, 0 },
	{ "address", "address", "000000000000000000000000ffffffffffffffffffffffffffffffffffffffff", DR_OK, 1 },
	{ "address of 21 bytes", "address", "0000000000000000000000ff0000000000000000000000000000000000000000",
	  DR_ERR_NONCANONICAL, 0 },
	{ "bytes3", "bytes3", ABC, DR_OK, 1 },
	{ "bytes2 of 3", "bytes2", ABC, DR_ERR_NONCANONICAL, 0 },
	{ "bytes32", "bytes32", WFF, DR_OK, 1 },
	{ "empty input", "uint8", "", DR_ERR_SHORT, 0 },
};

static void reencode(const struct dr_abi_type *type, size_t num, struct dr_bytes expected)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	/* Behind something else, as behind a selector; into a buffer with no room to spare. */
	dr_writer_init(&w, out, expected.len + 4, &fail);
	dr_writer_u32(&w, 0);
	dr_abi_encode(&w, type, items, num);
	kit_assert_fail(DR_OK, &fail);
	assert_int_equal(w.len, expected.len + 4);
	if (expected.len > 0)
		assert_memory_equal(out + 4, expected.ptr, expected.len);
}

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(value_rows) / sizeof(value_rows[0]); i++) {
		const struct dr_bytes data = kit_hex(value_rows[i].data);
		struct dr_abi_type type;
		struct dr_fail fail = { 0 };
		struct dr_writer w;
		size_t num = 99, cut_num;

		parse(&type, value_rows[i].type);
		memset(items, 0, sizeof(items));
		if (dr_abi_decode(items, ITEMS, &num, &type, data, &fail) != value_rows[i].err)
			fail_msg("%s: %s (%s)", value_rows[i].name, dr_err_name(fail.err), fail.what);
		kit_assert_fail(value_rows[i].err, &fail);
		assert_int_equal(num, value_rows[i].num);
		if (value_rows[i].err != DR_OK) {
			assert_true(dr_bytes_zero(items, sizeof(items)));
			continue;
		}
		reencode(&type, num, data);
		for (size_t cut = 0; cut < data.len; cut++) {
			fail = (struct dr_fail){ 0 };
			assert_int_not_equal(
				dr_abi_decode(again, ITEMS, &cut_num, &type, dr_bytes_of(data.ptr, cut), &fail),
				DR_OK);
			assert_int_equal(cut_num, 0);
			/* And an output buffer that is too short. */
			fail = (struct dr_fail){ 0 };
			dr_writer_init(&w, out, cut, &fail);
			assert_int_equal(dr_abi_encode(&w, &type, items, num), DR_ERR_LIMIT);
			assert_null(dr_writer_view(&w).ptr);
		}
		if (num == 0)
			continue;
		/* One item too few, one too many, another kind; room for one less. */
		fail = (struct dr_fail){ 0 };
		dr_writer_init(&w, out, sizeof(out), &fail);
		assert_int_equal(dr_abi_encode(&w, &type, items, num - 1), DR_ERR_SYNTAX);
		fail = (struct dr_fail){ 0 };
		dr_writer_init(&w, out, sizeof(out), &fail);
		assert_int_equal(dr_abi_encode(&w, &type, items, num + 1), DR_ERR_SYNTAX);
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_abi_decode(again, num - 1, &cut_num, &type, data, &fail), DR_ERR_LIMIT);
		fail = (struct dr_fail){ 0 };
		dr_writer_init(&w, out, sizeof(out), &fail);
		items[num - 1].kind = items[num - 1].kind == DR_ABI_BOOL ? DR_ABI_UINT : DR_ABI_BOOL;
		assert_int_equal(dr_abi_encode(&w, &type, items, num), DR_ERR_SYNTAX);
	}
}

static void test_encode_refuses(void **state)
{
	const struct dr_abi_item bad = { .kind = DR_ABI_BOOL, .word = { [31] = 2 } };
	struct dr_abi_type type;
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	(void)state;
	parse(&type, "(bool)");
	dr_writer_init(&w, out, sizeof(out), &fail);
	assert_int_equal(dr_abi_encode(&w, &type, &bad, 1), DR_ERR_NONCANONICAL);
	kit_assert_fail(DR_ERR_NONCANONICAL, &fail);
}

/* Every bit of a good encoding matters: flipped, it is refused or means something else. */
static void test_flips(void **state)
{
	struct dr_abi_type type;
	uint8_t data[1024];
	size_t num, num_again;

	(void)state;
	for (size_t i = 0; i < sizeof(value_rows) / sizeof(value_rows[0]); i++) {
		const struct dr_bytes good = kit_hex(value_rows[i].data);
		struct dr_fail fail = { 0 };

		if (value_rows[i].err != DR_OK)
			continue;
		parse(&type, value_rows[i].type);
		memcpy(data, good.ptr, good.len);
		for (size_t bit = 0; bit < good.len * 8; bit++) {
			data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			fail = (struct dr_fail){ 0 };
			if (dr_abi_decode(items, ITEMS, &num, &type, dr_bytes_of(data, good.len), &fail) == DR_OK)
				reencode(&type, num, dr_bytes_of(data, good.len));
			else
				assert_int_equal(num, 0);
			data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_int_equal(dr_abi_decode(items, ITEMS, &num_again, &type, good, &(struct dr_fail){ 0 }), DR_OK);
	}
}

/* A value of the ethers vectors: lists for arrays, {type, value} for the rest. Test data: recursion is fine. */
static void collect(size_t *num, const struct dr_abi_node *node, const json_t *json)
{
	struct dr_abi_item *item = &items[*num];

	assert_true(*num < ITEMS);
	if (json_is_array(json)) {
		const size_t len = json_array_size(json);

		if (node->kind == DR_ABI_ARRAY) {
			*item = (struct dr_abi_item){ .kind = DR_ABI_ARRAY, .num = (uint32_t)len };
			(*num)++;
		} else {
			assert_int_equal(node->num, len);
		}
		for (size_t i = 0; i < len; i++)
			collect(num, node + 1, json_array_get(json, i));
		return;
	}
	const json_t *value = json_object_get(json, "value");
	const char *text = json_string_value(value);

	*item = (struct dr_abi_item){ .kind = node->kind };
	(*num)++;
	if (json_is_boolean(value)) {
		item->word[31] = json_is_true(value);
	} else if (node->kind == DR_ABI_STRING) {
		item->bytes = dr_bytes_of(text, json_string_length(value));
	} else if (node->kind == DR_ABI_BYTES) {
		item->bytes = kit_hex(text + 2);
	} else if (node->kind == DR_ABI_BYTESN) {
		memcpy(item->word, kit_hex(text + 2).ptr, node->size);
	} else if (node->kind == DR_ABI_ADDRESS) {
		memcpy(item->word + 12, kit_hex(text + 2).ptr, 20);
	} else {
		const bool minus = text[0] == '-';

		for (const char *c = text + minus; *c != '\0'; c++) {
			unsigned carry = (unsigned)(*c - '0');

			for (size_t i = 32; i-- > 0; carry >>= 8)
				item->word[i] = (uint8_t)(carry += item->word[i] * 10u);
		}
		for (size_t i = 32, carry = 1; minus && i-- > 0; carry >>= 8)
			item->word[i] = (uint8_t)(carry += (uint8_t)~item->word[i]);
	}
}

/* ethers.js, contract-interface: what compiled contracts returned. */
static void test_ethers(void **state)
{
	json_t *all = kit_vector("09-abi/ethersproject/contract-interface.json.gz"), *test, *member;
	size_t i, j, leaves = 0;

	(void)state;
	json_array_foreach(all, i, test)
	{
		json_t *types = json_loads(json_string_value(json_object_get(test, "types")), 0, NULL);
		json_t *values = json_loads(json_string_value(json_object_get(test, "normalizedValues")), 0, NULL);
		const struct dr_bytes data = kit_hex(json_string_value(json_object_get(test, "result")) + 2);
		char text[1024] = "(";
		struct dr_abi_type type;
		struct dr_fail fail = { 0 };
		size_t num = 0, num_again;

		json_array_foreach(types, j, member)
		{
			strcat(text, j > 0 ? "," : "");
			strcat(text, json_string_value(member));
		}
		strcat(text, ")");
		parse(&type, text);
		const struct dr_abi_node *node = &type.node[1];

		json_array_foreach(values, j, member)
		{
			collect(&num, node, member);
			node += node->span;
		}
		if (dr_abi_decode(again, ITEMS, &num_again, &type, data, &fail) != DR_OK)
			fail_msg("%s %s: %s at %zu", json_string_value(json_object_get(test, "name")), text,
				 fail.what, fail.at);
		assert_int_equal(num, num_again);
		for (j = 0; j < num; j++) {
			assert_int_equal(items[j].kind, again[j].kind);
			assert_int_equal(items[j].num, again[j].num);
			assert_memory_equal(items[j].word, again[j].word, 32);
			assert_true(dr_bytes_eq(items[j].bytes, again[j].bytes));
		}
		reencode(&type, num, data);
		leaves += num;
		json_decref(types);
		json_decref(values);
	}
	assert_int_equal(i, 2045);
	assert_true(leaves > 8000);
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types), cmocka_unit_test(test_values), cmocka_unit_test(test_encode_refuses),
		cmocka_unit_test(test_flips), cmocka_unit_test(test_ethers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
