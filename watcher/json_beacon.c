/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/json_beacon.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chain/base/hex.h"
#include "chain/base/reader.h"
#include "watcher/json_evm.h"

#define KEY_LEN 48u

/* One walk over one object; the first failure sticks. */
struct walk {
	struct dr_ssz_shape shape;
	struct dr_arena *arena;
	struct dr_json_notes *notes;
	struct dr_fail *fail;
	char path[160];    /* where we are: "[3].data.attested_header." */
	size_t item, data; /* how much of path leads to the answer's element, and to the object in it */
};

static const json_t *member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

static enum dr_err fails(struct walk *w, enum dr_err err, const char *what, const char *name)
{
	if (w->fail->err == DR_OK)
		snprintf(w->notes->at, sizeof(w->notes->at), "%s%s", w->path, name);
	return dr_fail_set(w->fail, err, what, 0);
}

static bool ok(const struct walk *w)
{
	return w->fail->err == DR_OK;
}

static void notes_clear(struct dr_json_notes *notes)
{
	notes->at[0] = notes->expected[0] = notes->got[0] = '\0';
}

/* What the failure that comes next is about. */
static void differ(struct dr_json_notes *notes, const char *expected, const char *got)
{
	snprintf(notes->expected, sizeof(notes->expected), "%s", expected);
	snprintf(notes->got, sizeof(notes->got), "%.80s", got);
}

static void differ_num(struct dr_json_notes *notes, const char *words, uint64_t expected, uint64_t got)
{
	snprintf(notes->expected, sizeof(notes->expected), "%s%" PRIu64, words, expected);
	snprintf(notes->got, sizeof(notes->got), "%" PRIu64, got);
}

/* The fork of a slot, or the epoch from which on it is not known. */
static enum dr_err fork_at(enum dr_beacon_fork *fork, const struct dr_network *net, uint64_t slot,
			   struct dr_json_notes *notes, struct dr_fail *fail)
{
	const enum dr_err err = dr_network_fork_at(fork, net, slot, fail);

	if (err == DR_ERR_UNKNOWN)
		differ_num(notes, "an epoch below ", net->unknown_epoch, dr_network_epoch(net, slot));
	return err;
}

/* The same of SSZ, whose slot is read elsewhere: too late for this network, or too early for any light client. */
static void tell_epoch(struct dr_json_notes *notes, const struct dr_network *net, const struct dr_fail *fail)
{
	if (fail->err == DR_ERR_UNKNOWN && strcmp(fail->what, "unknown fork") == 0)
		snprintf(notes->expected, sizeof(notes->expected), "an epoch below %" PRIu64, net->unknown_epoch);
	else if (fail->err == DR_ERR_UNKNOWN)
		snprintf(notes->expected, sizeof(notes->expected), "a slot from Altair on");
}

enum dr_err dr_json_decimal(uint8_t *out, size_t len, const char *text, size_t text_len, struct dr_fail *fail)
{
	enum dr_err err = DR_OK;

	memset(out, 0, len);
	if (text_len == 0 || strspn(text, "0123456789") != text_len)
		err = dr_fail_set(fail, DR_ERR_SYNTAX, "a string of decimal digits is expected here", 0);
	else if (text[0] == '0' && text_len > 1)
		err = dr_fail_set(fail, DR_ERR_NONCANONICAL, "a number with leading zeros", 0);
	for (size_t i = 0; i < text_len && err == DR_OK; i++) {
		unsigned carry = (unsigned)(text[i] - '0');

		for (size_t k = 0; k < len; k++) {
			carry += out[k] * 10u;
			out[k] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry != 0)
			err = dr_fail_set(fail, DR_ERR_LIMIT, "a number is too large for its type", i);
	}
	if (err != DR_OK)
		memset(out, 0, len);
	return err;
}

/* The string of a member, or NULL and a failure. */
static const char *text_of(struct walk *w, const json_t *value, const char *name, const char *form)
{
	if (!ok(w))
		return NULL;
	if (!json_is_string(value)) {
		fails(w, DR_ERR_SYNTAX, form, name);
		return NULL;
	}
	return json_string_value(value);
}

static void get_hex(struct walk *w, uint8_t *out, size_t len, const json_t *value, const char *name)
{
	const char *text = text_of(w, value, name, "a hex string is expected here");
	struct dr_fail fail = { DR_OK, NULL, 0 };

	if (text != NULL && dr_hex_fixed(out, len, text, json_string_length(value), &fail) != DR_OK)
		fails(w, fail.err, fail.what, name);
}

static void get_number(struct walk *w, uint8_t *out, size_t len, const json_t *value, const char *name)
{
	const char *text = text_of(w, value, name, "a string of decimal digits is expected here");
	struct dr_fail fail = { DR_OK, NULL, 0 };

	if (text != NULL && dr_json_decimal(out, len, text, json_string_length(value), &fail) != DR_OK)
		fails(w, fail.err, fail.what, name);
}

static uint64_t get_u64(struct walk *w, const json_t *value, const char *name)
{
	uint8_t le[8] = { 0 };
	uint64_t number = 0;

	get_number(w, le, sizeof(le), value, name);
	for (size_t i = sizeof(le); i-- > 0;)
		number = number << 8 | le[i];
	return number;
}

/* num elements of len bytes each, one after the other. */
static void get_vector(struct walk *w, uint8_t *out, size_t num, size_t len, const json_t *value, const char *name)
{
	char element[96];
	size_t i;
	const json_t *item;

	if (!ok(w))
		return;
	if (!json_is_array(value))
		fails(w, DR_ERR_SYNTAX, "a JSON array is expected here", name);
	else if (json_array_size(value) != num) {
		differ_num(w->notes, "", num, json_array_size(value));
		fails(w, DR_ERR_SYNTAX, "a list has not as many elements as this fork's form", name);
	}
	if (!ok(w))
		return;
	json_array_foreach(value, i, item)
	{
		snprintf(element, sizeof(element), "%s[%zu]", name, i);
		get_hex(w, out + i * len, len, item, element);
	}
}

static void get_list(struct walk *w, struct dr_ssz_list *list, size_t max, const json_t *value, const char *name)
{
	const char *text = text_of(w, value, name, "a hex string is expected here");
	struct dr_fail fail = { DR_OK, NULL, 0 };
	size_t len = 0;

	if (text != NULL && dr_hex_data(list->bytes, max, &len, text, json_string_length(value), &fail) != DR_OK)
		fails(w, fail.err, fail.what, name);
	list->len = len;
}

static void get_keys(struct walk *w, struct dr_bytes *keys, const json_t *value, const char *name)
{
	const size_t num = w->shape.committee_size;
	uint8_t *out = ok(w) ? dr_arena_alloc(w->arena, num * KEY_LEN) : NULL;

	if (out == NULL) {
		fails(w, DR_ERR_NOMEM, "the input is larger than this program takes", name);
		return;
	}
	get_vector(w, out, num, KEY_LEN, value, name);
	if (ok(w))
		*keys = dr_bytes_of(out, num * KEY_LEN);
}

static void tell(const struct walk *w, const char *path, const char *key)
{
	char name[320];
	size_t len = strnlen(key, 128);

	while (len > 0 && ((unsigned char)key[len] & 0xc0) == 0x80) /* cut between characters */
		len--;
	snprintf(name, sizeof(name), "%s%.*s", path, (int)len, key);
	w->notes->extra(w->notes->to, name);
}

/* Members that no row of this form names. */
static void tell_extra(const struct walk *w, const struct dr_ssz_type *type, const json_t *object)
{
	const char *key;
	json_t *value;

	if (w->notes->extra == NULL)
		return;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		bool known = false;

		for (size_t i = 0; i < type->num; i++)
			known |=
				dr_ssz_field_in(&type->fields[i], w->shape) && strcmp(type->fields[i].name, key) == 0;
		if (!known)
			tell(w, w->path + w->data, key);
	}
}

static void get_container(struct walk *w, void *out, const struct dr_ssz_type *type, const json_t *object);

static void get_field(struct walk *w, void *out, const struct dr_ssz_field *field, const json_t *value)
{
	void *to = (uint8_t *)out + field->at;

	switch (field->kind) {
	case DR_SSZ_U64: *(uint64_t *)to = get_u64(w, value, field->name); break;
	case DR_SSZ_U256: get_number(w, to, 32, value, field->name); break;
	case DR_SSZ_BYTES: get_hex(w, to, field->len, value, field->name); break;
	case DR_SSZ_BITS: get_hex(w, to, w->shape.committee_size / 8, value, field->name); break;
	case DR_SSZ_LIST: get_list(w, to, field->len, value, field->name); break;
	case DR_SSZ_BRANCH: {
		struct dr_ssz_branch *branch = to;

		branch->num = field->len;
		get_vector(w, branch->nodes[0], field->len, sizeof(branch->nodes[0]), value, field->name);
		break;
	}
	case DR_SSZ_KEYS: get_keys(w, to, value, field->name); break;
	case DR_SSZ_CONTAINER: {
		const size_t len = strlen(w->path);

		snprintf(w->path + len, sizeof(w->path) - len, "%s.", field->name);
		get_container(w, to, field->type, value);
		w->path[len] = '\0';
		break;
	}
	}
}

/* The tables end after three containers: so does this. */
static void get_container(struct walk *w, void *out, const struct dr_ssz_type *type, const json_t *object)
{
	if (ok(w) && !json_is_object(object)) {
		fails(w, DR_ERR_SYNTAX, "a JSON object is expected here", "");
		return;
	}
	for (size_t i = 0; i < type->num && ok(w); i++) {
		const struct dr_ssz_field *field = &type->fields[i];

		if (!dr_ssz_field_in(field, w->shape))
			continue;
		if (member(object, field->name) == NULL)
			fails(w, DR_ERR_SYNTAX, "this member is missing", field->name);
		else
			get_field(w, out, field, member(object, field->name));
	}
	if (ok(w))
		tell_extra(w, type, object);
}

static const struct dr_ssz_type *table_of(enum dr_beacon_kind kind)
{
	return kind == DR_BEACON_BOOTSTRAP ? &dr_lc_bootstrap_type : dr_lc_type((enum dr_lc_kind)kind);
}

/* What an object is: its table. */
static const struct dr_ssz_type *type_of(struct dr_beacon_item *item, const json_t *data)
{
	if (member(data, "header") != NULL)
		item->kind = DR_BEACON_BOOTSTRAP;
	else if (member(data, "next_sync_committee") != NULL)
		item->kind = DR_BEACON_UPDATE;
	else if (member(data, "finalized_header") != NULL)
		item->kind = DR_BEACON_FINALITY_UPDATE;
	else if (member(data, "attested_header") != NULL)
		item->kind = DR_BEACON_OPTIMISTIC_UPDATE;
	else
		return NULL;
	return table_of(item->kind);
}

/* The fork of the slot in the object's first header, which `version` must name where it stands. */
static enum dr_beacon_fork fork_of(struct walk *w, const struct dr_network *net, const struct dr_ssz_type *type,
				   const json_t *data, const json_t *version)
{
	const char *header = type->fields[0].name;
	const json_t *slot = member(member(member(data, header), "beacon"), "slot");
	struct dr_fail fail = { DR_OK, NULL, 0 };
	enum dr_beacon_fork fork = DR_BEACON_ALTAIR, claimed;
	uint64_t number;
	char path[64];

	snprintf(path, sizeof(path), "%s.beacon.slot", header);
	if (slot == NULL)
		fails(w, DR_ERR_SYNTAX, "this member is missing", path);
	number = get_u64(w, slot, path);
	if (ok(w) && fork_at(&fork, net, number, w->notes, &fail) != DR_OK)
		fails(w, fail.err, fail.what, path);
	claimed = fork;
	if (ok(w) && version != NULL) {
		w->path[w->item] = '\0';
		snprintf(path, sizeof(path), "version");
		if (!json_is_string(version))
			fails(w, DR_ERR_SYNTAX, "the name of a fork is expected here", path);
		else if (!dr_beacon_fork_named(&claimed, json_string_value(version), json_string_length(version)))
			fails(w, DR_ERR_UNKNOWN, "unknown fork", path);
		if (json_is_string(version) && (!ok(w) || claimed != fork))
			differ(w->notes, dr_beacon_fork_name(fork), json_string_value(version));
	}
	if (ok(w) && dr_lc_check_fork(net, claimed, number, &fail) != DR_OK)
		fails(w, fail.err, fail.what, path);
	return fork;
}

static void path_to_data(struct walk *w, bool wrapped)
{
	snprintf(w->path + w->item, sizeof(w->path) - w->item, "%s", wrapped ? "data." : "");
}

/* One element of an answer: {"version", "data"}, or data alone. */
static void get_item(struct walk *w, struct dr_beacon_item *item, const struct dr_network *net, const json_t *json)
{
	const json_t *data = member(json, "data"), *version = member(json, "version");
	const bool wrapped = json_is_object(data);
	const struct dr_ssz_type *type;
	const char *key;
	json_t *value;

	w->item = strlen(w->path);
	if (!wrapped)
		data = json;
	path_to_data(w, wrapped);
	w->data = strlen(w->path);
	if (!json_is_object(data)) {
		fails(w, DR_ERR_SYNTAX, "a JSON object is expected here", "");
		return;
	}
	if (!wrapped && member(data, "code") != NULL && member(data, "message") != NULL) {
		const char *message = json_string_value(member(data, "message"));

		differ(w->notes, "", message != NULL ? message : "");
		fails(w, DR_ERR_SYNTAX, "the node answered with an error, not with data", "message");
		return;
	}
	type = type_of(item, data);
	if (type == NULL) {
		fails(w, DR_ERR_SYNTAX, "neither a bootstrap nor any kind of update", "");
		return;
	}
	w->shape = dr_lc_shape(net, fork_of(w, net, type, data, wrapped ? version : NULL));
	if (!ok(w))
		return;
	path_to_data(w, wrapped);
	if (item->kind == DR_BEACON_BOOTSTRAP) {
		get_container(w, &item->bootstrap, type, data);
		item->bootstrap.fork = w->shape.fork;
	} else {
		get_container(w, &item->update, type, data);
		item->update.kind = (enum dr_lc_kind)item->kind;
		item->update.fork = w->shape.fork;
	}
	if (!ok(w) || !wrapped || w->notes->extra == NULL)
		return;
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		if (strcmp(key, "data") != 0 && strcmp(key, "version") != 0)
			tell(w, "", key);
	}
}

static enum dr_err too_many(struct dr_json_notes *notes, struct dr_fail *fail)
{
	notes_clear(notes);
	return dr_fail_set(fail, DR_ERR_LIMIT, "more updates than one answer may have", DR_BEACON_ITEMS_MAX);
}

enum dr_err dr_json_beacon_parse(struct dr_beacon_item **items, size_t *num, const struct dr_network *net,
				 const json_t *root, struct dr_arena *arena, struct dr_json_notes *notes,
				 struct dr_fail *fail)
{
	const json_t *list = json_is_array(root) ? root : member(root, "data");
	const bool is_list = json_is_array(list);
	const size_t total = is_list ? json_array_size(list) : 1;
	struct dr_beacon_item *out;

	*items = NULL;
	*num = 0;
	notes_clear(notes);
	if (total > DR_BEACON_ITEMS_MAX)
		return too_many(notes, fail);
	out = dr_arena_alloc(arena, (total + 1) * sizeof(*out));
	if (out == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "the input is larger than this program takes", 0);
	for (size_t i = 0; i < total && fail->err == DR_OK; i++) {
		struct walk w = { .arena = arena, .notes = notes, .fail = fail };

		if (is_list)
			snprintf(w.path, sizeof(w.path), "%s[%zu].", list == root ? "" : "data", i);
		get_item(&w, &out[i], net, is_list ? json_array_get(list, i) : root);
		out[i].in_list = is_list;
	}
	if (fail->err != DR_OK)
		return fail->err;
	*items = out;
	*num = total;
	return DR_OK;
}

/* Where the fixed part of a container ends whose headers are of variable size. */
static size_t first_offset(const struct dr_ssz_type *type, struct dr_ssz_shape shape)
{
	size_t len = dr_ssz_len_max(type, shape);

	for (size_t i = 0; i < type->num; i++)
		if (type->fields[i].type == &dr_lc_header_type)
			len -= dr_ssz_len_max(&dr_lc_header_type, shape);
	return len;
}

/* The container that bytes begin like. From Capella on a fixed part begins with an offset, which is the fixed part's
 * length: 164 or 196 + the committee, 528 or 592 + the committee, 368 or 400, 172, where the committee is 48 bytes
 * for each member and 48. Below, all is fixed: 272 and 744 + the committee, 584, 280. A framed update begins with a
 * number that is larger than any of these, and is longer. */
static const struct dr_ssz_type *type_like(enum dr_beacon_kind *kind, const struct dr_network *net,
					   struct dr_bytes bytes)
{
	static const enum dr_beacon_kind kinds[] = { DR_BEACON_BOOTSTRAP, DR_BEACON_UPDATE, DR_BEACON_FINALITY_UPDATE,
						     DR_BEACON_OPTIMISTIC_UPDATE };
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_reader r;
	size_t offset = 0;

	dr_reader_init(&r, bytes, &fail);
	for (unsigned shift = 0; shift < 32; shift += 8)
		offset |= (size_t)dr_reader_u8(&r) << shift;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct dr_ssz_type *type = table_of(kinds[i]);

		*kind = kinds[i];
		if (offset == first_offset(type, dr_lc_shape(net, DR_BEACON_CAPELLA)) ||
		    offset == first_offset(type, dr_lc_shape(net, DR_BEACON_ELECTRA)) ||
		    bytes.len == dr_ssz_fixed_len(type, dr_lc_shape(net, DR_BEACON_ALTAIR)))
			return type;
	}
	*kind = DR_BEACON_UPDATE;
	return NULL;
}

static enum dr_err decode_by(struct dr_beacon_item *item, const struct dr_network *net, enum dr_beacon_fork fork,
			     struct dr_bytes ssz, struct dr_fail *fail)
{
	if (item->kind == DR_BEACON_BOOTSTRAP)
		return dr_lc_bootstrap_decode(&item->bootstrap, net, fork, ssz, fail);
	return dr_lc_update_decode(&item->update, net, (enum dr_lc_kind)item->kind, fork, ssz, fail);
}

/* By the form of the slot's fork. What has the form of another one is no broken container, but a false one. */
static enum dr_err decode(struct dr_beacon_item *item, const struct dr_network *net, enum dr_beacon_fork fork,
			  struct dr_bytes ssz, struct dr_json_notes *notes, struct dr_fail *fail)
{
	struct dr_beacon_item other = { .kind = item->kind };
	struct dr_fail first = { DR_OK, NULL, 0 };

	if (decode_by(item, net, fork, ssz, &first) == DR_OK)
		return DR_OK;
	for (enum dr_beacon_fork f = DR_BEACON_ALTAIR; f <= DR_BEACON_FULU && first.err != DR_ERR_UNKNOWN; f++) {
		struct dr_fail second = { DR_OK, NULL, 0 };

		if (decode_by(&other, net, f, ssz, &second) == DR_OK) {
			differ(notes, dr_beacon_fork_name(fork), dr_beacon_fork_name(f));
			return dr_fail_set(fail, DR_ERR_PROOF, "the form is not that of the slot's fork", 0);
		}
	}
	return dr_fail_set(fail, first.err, first.what, first.at);
}

static enum dr_err get_frames(struct dr_beacon_item *items, size_t *num, const struct dr_network *net,
			      struct dr_bytes bytes, struct dr_json_notes *notes, struct dr_fail *fail)
{
	size_t at = 0;

	while (bytes.len > 0 && fail->err == DR_OK) {
		enum dr_beacon_fork fork;
		struct dr_bytes ssz;

		snprintf(notes->at, sizeof(notes->at), "[%zu]", at);
		if (at == DR_BEACON_ITEMS_MAX)
			return too_many(notes, fail);
		if (dr_lc_frame(&ssz, &fork, &bytes, net, fail) == DR_OK && items != NULL) {
			items[at].kind = DR_BEACON_UPDATE;
			decode(&items[at], net, fork, ssz, notes, fail);
			items[at].in_list = true;
		}
		at++;
	}
	tell_epoch(notes, net, fail);
	if (fail->err == DR_OK) {
		notes->at[0] = '\0';
		*num = at;
	}
	return fail->err;
}

enum dr_err dr_json_beacon_ssz(struct dr_beacon_item **items, size_t *num, const struct dr_network *net,
			       struct dr_bytes bytes, struct dr_arena *arena, struct dr_json_notes *notes,
			       struct dr_fail *fail)
{
	enum dr_beacon_kind kind;
	const struct dr_ssz_type *type = type_like(&kind, net, bytes);
	struct dr_beacon_item *out;
	enum dr_beacon_fork fork;
	size_t total = type != NULL;

	*items = NULL;
	*num = 0;
	notes_clear(notes);
	if (bytes.len == 0)
		return dr_fail_set(fail, DR_ERR_SHORT, "nothing where light client data was expected", 0);
	if (type == NULL && get_frames(NULL, &total, net, bytes, notes, fail) != DR_OK)
		return fail->err;
	out = dr_arena_alloc(arena, total * sizeof(*out));
	if (out == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "the input is larger than this program takes", 0);
	out->kind = kind;
	if (type == NULL)
		get_frames(out, &total, net, bytes, notes, fail);
	else if (dr_lc_peek(&fork, net, type, bytes, fail) == DR_OK)
		decode(out, net, fork, bytes, notes, fail);
	tell_epoch(notes, net, fail);
	if (fail->err != DR_OK)
		return fail->err;
	*items = out;
	*num = total;
	return DR_OK;
}

bool dr_json_beacon_is_text(struct dr_bytes answer)
{
	return answer.len == 0 || memchr(answer.ptr, 0, answer.len < 8 ? answer.len : 8) == NULL;
}

enum dr_err dr_json_beacon_read(struct dr_beacon_item **items, size_t *num, const struct dr_network *net,
				struct dr_bytes answer, struct dr_arena *arena, struct dr_json_notes *notes,
				struct dr_fail *fail)
{
	json_t *root = NULL;
	enum dr_err err;

	if (!dr_json_beacon_is_text(answer))
		return dr_json_beacon_ssz(items, num, net, answer, arena, notes, fail);
	*items = NULL;
	*num = 0;
	notes_clear(notes);
	/* "MAY ignore the presence of a byte order mark" (RFC 8259): some editors and shells add one. */
	if (answer.len >= 3 && memcmp(answer.ptr, "\xef\xbb\xbf", 3) == 0)
		answer = dr_bytes_of(answer.ptr + 3, answer.len - 3);
	err = dr_json_load(&root, answer, fail);
	if (err == DR_OK)
		err = dr_json_beacon_parse(items, num, net, root, arena, notes, fail);
	json_decref(root);
	return err;
}
