/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/signature.h"

#include <string.h>

#include "chain/crypto/keccak.h"

static bool is_identifier(uint8_t c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
	       (!first && c >= '0' && c <= '9');
}

/* The bytes of text before the parenthesis; the whole if there is none. */
static size_t name_of(struct dr_bytes text)
{
	struct dr_fail ignored = { 0 };
	struct dr_reader r;
	size_t len = 0;

	dr_reader_init(&r, text, &ignored);
	while (r.left > 0 && is_identifier(dr_reader_u8(&r), len == 0))
		len++;
	return len;
}

enum dr_err dr_signature_parse(struct dr_abi_type *args, size_t *name_len, struct dr_bytes text, struct dr_fail *fail)
{
	uint8_t canonical[DR_SIGNATURE_LEN_MAX];
	struct dr_fail full = { 0 };
	struct dr_writer w;
	struct dr_reader r;

	memset(args, 0, sizeof(*args));
	*name_len = 0;
	if (text.len > DR_SIGNATURE_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "signature text too long", text.len);
	dr_reader_init(&r, text, fail);
	const struct dr_bytes name = dr_reader_view(&r, name_of(text));

	if (name.len == 0 || r.left == 0)
		return dr_reader_fail(&r, DR_ERR_SYNTAX, "signature: expected a name and (");
	const struct dr_bytes types = dr_reader_view(&r, r.left);

	if (dr_abi_parse(args, types, fail) != DR_OK)
		return fail->err;
	dr_writer_init(&w, canonical, sizeof(canonical), &full);
	dr_abi_text(&w, args);
	if (args->node[0].kind != DR_ABI_TUPLE)
		dr_fail_set(fail, DR_ERR_SYNTAX, "signature: expected (types)", name.len);
	else if (!dr_bytes_eq(dr_writer_view(&w), types))
		dr_fail_set(fail, DR_ERR_NONCANONICAL, "signature: a type has a longer canonical name", name.len);
	if (fail->err != DR_OK) {
		memset(args, 0, sizeof(*args));
		return fail->err;
	}
	*name_len = name.len;
	return DR_OK;
}

enum dr_err dr_signature_topic0(uint8_t topic0[static 32], struct dr_bytes text, struct dr_fail *fail)
{
	struct dr_abi_type args;
	size_t name_len;

	memset(topic0, 0, 32);
	if (dr_signature_parse(&args, &name_len, text, fail) != DR_OK)
		return fail->err;
	dr_keccak256(topic0, text.ptr, text.len);
	return DR_OK;
}

enum dr_err dr_signature_selector(uint8_t selector[static 4], struct dr_bytes text, struct dr_fail *fail)
{
	uint8_t hash[32];
	const enum dr_err err = dr_signature_topic0(hash, text, fail);

	memcpy(selector, hash, 4);
	return err;
}
