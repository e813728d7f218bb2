/* SPDX-License-Identifier: Apache-2.0
 *
 * Type texts: parsing and printing. The text may come from a profile: it is foreign.
 */
#include "chain/codec/abi.h"

#include <string.h>

#define HEADS_LEN_MAX (32u * DR_ABI_ITEMS_MAX)

struct parse {
	struct dr_abi_type *type;
	struct dr_reader in;
	uint16_t open[DR_ABI_DEPTH_MAX]; /* tuples not yet closed, outermost first */
	size_t depth;
};

/* The next character, which stays; 0 at the end. */
static char peek(const struct parse *p)
{
	struct dr_reader probe = p->in;

	return probe.left > 0 ? (char)dr_reader_u8(&probe) : '\0';
}

static bool skip(struct parse *p, char c)
{
	if (peek(p) != c)
		return false;
	dr_reader_u8(&p->in);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal number from 1 to max, without a leading zero. 0 if there is none; a failure if it is larger. */
static uint32_t number(struct parse *p, uint32_t max)
{
	uint32_t value = 0;

	if (peek(p) == '0')
		return 0;
	while (is_digit(peek(p))) {
		value = value * 10 + (uint32_t)(dr_reader_u8(&p->in) - '0');
		if (value > max) {
			dr_reader_fail(&p->in, DR_ERR_LIMIT, "ABI type: number too large");
			return 0;
		}
	}
	return value;
}

/* Makes room for a node at idx; what stood there and behind moves up. */
static struct dr_abi_node *insert(struct parse *p, size_t idx, enum dr_abi_kind kind)
{
	struct dr_abi_type *type = p->type;

	if (type->num == DR_ABI_NODES_MAX) {
		dr_reader_fail(&p->in, DR_ERR_LIMIT, "ABI type: too many parts");
		return NULL;
	}
	memmove(&type->node[idx + 1], &type->node[idx], (type->num - idx) * sizeof(type->node[0]));
	type->num++;
	type->node[idx] = (struct dr_abi_node){ .kind = kind, .span = 1 };
	return &type->node[idx];
}

static uint32_t head_len(const struct dr_abi_node *node)
{
	return node->dynamic ? 32 : node->len;
}

/* Fills in what a container's node says of its contents, which are complete. */
static void measure(struct parse *p, size_t idx)
{
	struct dr_abi_node *node = &p->type->node[idx];
	uint64_t len = 0;

	node->span = (uint16_t)(p->type->num - idx);
	node->dynamic = node->kind == DR_ABI_ARRAY;
	node->height = 1;
	for (size_t i = 1; i < node->span; i += node[i].span) {
		node->dynamic = node->dynamic || node[i].dynamic;
		if (node->height <= node[i].height)
			node->height = (uint16_t)(node[i].height + 1);
		len += head_len(&node[i]);
	}
	if (node->kind == DR_ABI_FIXED_ARRAY)
		len *= node->num;
	if (node->kind == DR_ABI_ARRAY)
		len = 0;
	if (len > HEADS_LEN_MAX)
		dr_reader_fail(&p->in, DR_ERR_LIMIT, "ABI type: too large");
	else if (node->height > DR_ABI_DEPTH_MAX)
		dr_reader_fail(&p->in, DR_ERR_LIMIT, "ABI type: nested too deeply");
	else
		node->len = (uint32_t)len;
}

static void elementary(struct parse *p)
{
	struct dr_abi_node *node = insert(p, p->type->num, DR_ABI_UINT);
	char name[8] = "";
	size_t len = 0;

	if (node == NULL)
		return;
	while (peek(p) >= 'a' && peek(p) <= 'z' && len < sizeof(name) - 1)
		name[len++] = (char)dr_reader_u8(&p->in);
	if (len == 0) {
		dr_reader_fail(&p->in, DR_ERR_SYNTAX, "ABI type: expected a type");
		return;
	}
	const bool sized = is_digit(peek(p));
	const uint32_t size = number(p, 256);
	bool known = true;

	node->len = 32;
	if (strcmp(name, "uint") == 0 || strcmp(name, "int") == 0) {
		node->kind = name[0] == 'u' ? DR_ABI_UINT : DR_ABI_INT;
		node->size = sized ? (uint16_t)size : 256;
		known = node->size >= 8 && node->size % 8 == 0;
	} else if (strcmp(name, "bytes") == 0 && sized) {
		node->kind = DR_ABI_BYTESN;
		node->size = (uint16_t)size;
		known = size >= 1 && size <= 32;
	} else if (strcmp(name, "bytes") == 0 || strcmp(name, "string") == 0) {
		node->kind = name[0] == 'b' ? DR_ABI_BYTES : DR_ABI_STRING;
		node->dynamic = true;
		node->len = 0;
		known = !sized;
	} else if (strcmp(name, "address") == 0 || strcmp(name, "bool") == 0) {
		node->kind = name[0] == 'a' ? DR_ABI_ADDRESS : DR_ABI_BOOL;
		known = !sized;
	} else {
		known = false;
	}
	if (!known)
		dr_reader_fail(&p->in, DR_ERR_UNKNOWN, "ABI type: no such elementary type");
}

/* Array suffixes of the type that starts at idx and reaches to the last node. */
static void suffixes(struct parse *p, size_t idx)
{
	while (dr_reader_ok(&p->in) && skip(p, '[')) {
		const bool fixed = peek(p) != ']', zero = peek(p) == '0';
		const uint32_t num = fixed && !zero ? number(p, DR_ABI_ITEMS_MAX) : 0;

		if (zero) {
			dr_reader_fail(&p->in, DR_ERR_LIMIT, "ABI type: an array of no elements");
		} else if ((fixed && num == 0) || !skip(p, ']')) {
			dr_reader_fail(&p->in, DR_ERR_SYNTAX, "ABI type: expected an array's size and ]");
		} else {
			struct dr_abi_node *node = insert(p, idx, fixed ? DR_ABI_FIXED_ARRAY : DR_ABI_ARRAY);

			if (node != NULL) {
				node->num = num;
				measure(p, idx);
			}
		}
	}
}

static void parse_type(struct parse *p)
{
	while (dr_reader_ok(&p->in)) {
		size_t idx = p->type->num;

		if (skip(p, '(')) {
			if (p->depth == DR_ABI_DEPTH_MAX) {
				dr_reader_fail(&p->in, DR_ERR_LIMIT, "ABI type: nested too deeply");
				return;
			}
			if (insert(p, idx, DR_ABI_TUPLE) == NULL)
				return;
			p->open[p->depth++] = (uint16_t)idx;
			if (idx == 0 && p->in.left == 1 && skip(p, ')')) {
				measure(p, 0);
				return;
			}
			if (peek(p) == ')')
				dr_reader_fail(&p->in, DR_ERR_LIMIT, "ABI type: a tuple of no members");
			continue;
		}
		elementary(p);
		suffixes(p, idx);
		while (p->depth > 0 && dr_reader_ok(&p->in)) {
			idx = p->open[p->depth - 1];
			p->type->node[idx].num++;
			if (skip(p, ','))
				break;
			if (!skip(p, ')')) {
				dr_reader_fail(&p->in, DR_ERR_SYNTAX, "ABI type: expected , or )");
				return;
			}
			p->depth--;
			measure(p, idx);
			suffixes(p, idx);
			if (p->depth == 0)
				return;
		}
		if (p->depth == 0)
			return;
	}
}

enum dr_err dr_abi_parse(struct dr_abi_type *type, struct dr_bytes text, struct dr_fail *fail)
{
	struct parse p = { .type = type };

	memset(type, 0, sizeof(*type));
	dr_reader_init(&p.in, text, fail);
	parse_type(&p);
	if (dr_reader_end(&p.in) != DR_OK)
		memset(type, 0, sizeof(*type));
	return fail->err;
}

static void put_text(struct dr_writer *w, const char *text)
{
	dr_writer_copy(w, text, strlen(text));
}

static void put_number(struct dr_writer *w, uint32_t value)
{
	char digits[10];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	dr_writer_copy(w, digits + at, sizeof(digits) - at);
}

/* The opening of a node: all of an elementary one. */
static void put_open(struct dr_writer *w, const struct dr_abi_node *node)
{
	switch (node->kind) {
	case DR_ABI_UINT:
	case DR_ABI_INT:
	case DR_ABI_BYTESN:
		put_text(w, node->kind == DR_ABI_UINT ? "uint" : node->kind == DR_ABI_INT ? "int" : "bytes");
		put_number(w, node->size);
		break;
	case DR_ABI_ADDRESS: put_text(w, "address"); break;
	case DR_ABI_BOOL: put_text(w, "bool"); break;
	case DR_ABI_BYTES: put_text(w, "bytes"); break;
	case DR_ABI_STRING: put_text(w, "string"); break;
	case DR_ABI_TUPLE: put_text(w, "("); break;
	case DR_ABI_ARRAY:
	case DR_ABI_FIXED_ARRAY: break;
	}
}

static void put_close(struct dr_writer *w, const struct dr_abi_node *node)
{
	if (node->kind == DR_ABI_TUPLE) {
		put_text(w, ")");
	} else if (node->kind == DR_ABI_ARRAY) {
		put_text(w, "[]");
	} else if (node->kind == DR_ABI_FIXED_ARRAY) {
		put_text(w, "[");
		put_number(w, node->num);
		put_text(w, "]");
	}
}

void dr_abi_text(struct dr_writer *w, const struct dr_abi_type *type)
{
	size_t open[DR_ABI_DEPTH_MAX + 1], depth = 0;

	for (size_t i = 0; i < type->num; i++) {
		const struct dr_abi_node *node = &type->node[i];

		/* Containers that end before i. */
		while (depth > 0 && i >= open[depth - 1] + type->node[open[depth - 1]].span)
			put_close(w, &type->node[open[--depth]]);
		if (depth > 0 && type->node[open[depth - 1]].kind == DR_ABI_TUPLE && i != open[depth - 1] + 1)
			put_text(w, ",");
		put_open(w, node);
		if (node->height > 0)
			open[depth++] = i;
	}
	while (depth > 0)
		put_close(w, &type->node[open[--depth]]);
}
