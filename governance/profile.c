/* SPDX-License-Identifier: Apache-2.0
 *
 * canonical form = u8 version (1) · name 32 · code hash 32 · u8 has accumulator · u64 count slot · u64 acc
 *                  slot · u32 state every · u64 stealth window · u64 exposure grace · u16 num events · events ·
 *                  u16 num slots · slots
 * event = topic0 32 · u16 action · u8 signature length · signature · u8 num words · (u8 field · u8 type) each
 * slot  = u8 kind · u64 slot
 * Integers big-endian. A name is printable ASCII, zero padded. Without accumulator its two slots are zero.
 */
#include "governance/profile.h"

#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "chain/crypto/keccak.h"
#include "chain/crypto/sha256.h"

#define VERSION 1

/* A cursor over a declaration: "Name(type name, type[n] name)", or a signature: no names, no blanks. */
struct text {
	const char *cur, *end;
};

struct param {
	char name[32]; /* empty in a signature */
	char type_name[8];
	enum dr_word_type type;
	unsigned num; /* words: 1, or the length of a fixed array */
	bool is_array;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take(struct text *t, char c)
{
	if (t->cur == t->end || *t->cur != c)
		return false;
	t->cur++;
	return true;
}

/* word: an identifier of at most cap - 1 characters. */
static bool word(struct text *t, char *out, size_t cap)
{
	size_t len = 0;

	memset(out, 0, cap);
	if (t->cur == t->end || !is_letter(*t->cur))
		return false;
	for (; t->cur < t->end && (is_letter(*t->cur) || is_digit(*t->cur)); t->cur++) {
		if (len + 1 == cap)
			return false;
		out[len++] = *t->cur;
	}
	return true;
}

static bool type_by_name(enum dr_word_type *type, const char *name)
{
	static const struct {
		const char *name;
		enum dr_word_type type;
	} types[] = {
		{ "bytes32", DR_WORD_BYTES32 }, { "uint64", DR_WORD_U64 }, { "uint32", DR_WORD_U64 },
		{ "uint16", DR_WORD_U64 },      { "uint8", DR_WORD_U64 },  { "address", DR_WORD_ADDRESS },
		{ "bool", DR_WORD_BOOL },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0) {
			*type = types[i].type;
			return true;
		}
	}
	return false;
}

static bool param(struct param *p, struct text *t, bool named)
{
	memset(p, 0, sizeof(*p));
	p->num = 1;
	if (!word(t, p->type_name, sizeof(p->type_name)) || !type_by_name(&p->type, p->type_name))
		return false;
	if (take(t, '[')) {
		p->is_array = true;
		p->num = 0;
		if (t->cur < t->end && *t->cur == '0')
			return false;
		while (t->cur < t->end && is_digit(*t->cur) && p->num <= DR_ARGS_MAX)
			p->num = p->num * 10 + (unsigned)(*t->cur++ - '0');
		if (!take(t, ']') || p->num == 0 || p->num > DR_ARGS_MAX)
			return false;
	}
	if (!named)
		return true;
	return take(t, ' ') && word(t, p->name, sizeof(p->name));
}

/* params: the whole text, which must be exactly of this form. Returns false otherwise. */
static bool params(struct param out[static DR_ARGS_MAX], unsigned *num, char name[static 64], struct text t,
		   bool named)
{
	*num = 0;
	if (!word(&t, name, 64) || !take(&t, '('))
		return false;
	if (take(&t, ')'))
		return t.cur == t.end;
	do {
		if (*num > 0 && named && !take(&t, ' '))
			return false;
		if (*num == DR_ARGS_MAX || !param(&out[*num], &t, named))
			return false;
		(*num)++;
	} while (take(&t, ','));
	return take(&t, ')') && t.cur == t.end;
}

/* signature_words: the types of a signature's words, arrays unrolled; false if it is none. */
static bool signature_words(enum dr_word_type types[static DR_ARGS_MAX], unsigned *num, struct text text)
{
	struct param list[DR_ARGS_MAX];
	char name[64];
	unsigned num_params;

	*num = 0;
	if (!params(list, &num_params, name, text, false))
		return false;
	for (unsigned i = 0; i < num_params; i++) {
		if (list[i].num > DR_ARGS_MAX - *num)
			return false;
		for (unsigned j = 0; j < list[i].num; j++)
			types[(*num)++] = list[i].type;
	}
	return true;
}

static bool field_fits(uint8_t field, enum dr_word_type type, const struct dr_action_def *def)
{
	switch (field) {
	case DR_FIELD_PROPOSAL:
	case DR_FIELD_DUE: return type == DR_WORD_U64;
	case DR_FIELD_BY: return type == DR_WORD_ADDRESS;
	case DR_FIELD_IGNORE: return true;
	}
	return field < def->num_args && def->args[field].type == type;
}

/* check_event: everything that makes an event of a profile well formed. */
static enum dr_err check_event(const struct dr_profile_event *e, struct dr_fail *fail)
{
	const struct dr_action_def *def = dr_action_def(e->action);
	const size_t len = strnlen(e->signature, sizeof(e->signature));
	enum dr_word_type types[DR_ARGS_MAX];
	uint64_t seen = 0;
	uint8_t topic0[32];
	unsigned num;

	if (def == NULL)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "profile: action", e->action);
	if (len == sizeof(e->signature) ||
	    !signature_words(types, &num, (struct text){ e->signature, e->signature + len }))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: event signature", 0);
	dr_keccak256(topic0, e->signature, len);
	if (memcmp(topic0, e->topic0, 32) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "profile: topic0 is the keccak256 of the signature", 0);
	if (num != e->num_words)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: as many words as the signature has", e->num_words);
	for (unsigned i = 0; i < num; i++) {
		const uint8_t field = e->words[i].field;

		if (e->words[i].type != types[i])
			return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: word types as in the signature", i);
		if (!field_fits(field, types[i], def))
			return dr_fail_set(fail, DR_ERR_SYNTAX,
					   "profile: word is not a field of the action, or not of its type", i);
		if (field != DR_FIELD_IGNORE && (seen >> field & 1) != 0)
			return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: field occurs twice", i);
		if (field != DR_FIELD_IGNORE)
			seen |= (uint64_t)1 << field;
	}
	if ((seen & 0xffffffffu) != ((uint64_t)1 << def->num_args) - 1)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: an argument of the action is missing", 0);
	return DR_OK;
}

static enum dr_err check_profile(const struct dr_profile *p, struct dr_fail *fail)
{
	const size_t name_len = strnlen(p->name, sizeof(p->name));

	for (size_t i = 0; i < name_len; i++)
		if (p->name[i] <= ' ' || p->name[i] > '~')
			return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: name in printable ASCII", i);
	if (name_len == 0 || !dr_bytes_zero(p->name + name_len, sizeof(p->name) - name_len))
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "profile: name, zero padded", name_len);
	if (!p->has_accumulator && (p->count_slot != 0 || p->acc_slot != 0))
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "profile: slots of an accumulator it does not have", 0);
	if (p->has_accumulator && p->count_slot == p->acc_slot)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: count and accumulator in one slot", 0);
	if (p->state_every == 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: state_every is at least 1", 0);
	if (p->exposure_grace_s == 0 || p->exposure_grace_s > DR_TIME_MAX_S)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: exposure_grace is at least one second, and an end",
				   0);
	if (p->num_events == 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: at least one event", 0);
	for (size_t i = 0; i < p->num_events; i++) {
		if (check_event(&p->events[i], fail) != DR_OK)
			return fail->err;
		if (i > 0 && memcmp(p->events[i - 1].topic0, p->events[i].topic0, 32) >= 0)
			return dr_fail_set(fail, DR_ERR_NONCANONICAL,
					   "profile: events in the order of topic0, each once", i);
	}
	for (size_t i = 0; i < p->num_slots; i++) {
		if (p->slots[i].kind < DR_SLOT_MEASUREMENT || p->slots[i].kind > DR_SLOT_SUSPENDED)
			return dr_fail_set(fail, DR_ERR_UNKNOWN, "profile: slot kind", i);
		if (i > 0 && p->slots[i - 1].kind >= p->slots[i].kind)
			return dr_fail_set(fail, DR_ERR_NONCANONICAL,
					   "profile: slots in the order of kind, each once", i);
	}
	return DR_OK;
}

/* sorted: p with its events and slots in canonical order. */
static void sorted(struct dr_profile *out, const struct dr_profile *p)
{
	*out = *p;
	for (size_t i = 1; i < out->num_events; i++) {
		for (size_t j = i; j > 0 && memcmp(out->events[j - 1].topic0, out->events[j].topic0, 32) > 0; j--) {
			const struct dr_profile_event t = out->events[j];

			out->events[j] = out->events[j - 1];
			out->events[j - 1] = t;
		}
	}
	for (size_t i = 1; i < out->num_slots; i++) {
		for (size_t j = i; j > 0 && out->slots[j - 1].kind > out->slots[j].kind; j--) {
			const struct dr_profile_slot t = out->slots[j];

			out->slots[j] = out->slots[j - 1];
			out->slots[j - 1] = t;
		}
	}
}

static void write_profile(struct dr_writer *w, const struct dr_profile *p)
{
	dr_writer_u8(w, VERSION);
	dr_writer_copy(w, p->name, sizeof(p->name));
	dr_writer_copy(w, p->code_hash, 32);
	dr_writer_u8(w, p->has_accumulator);
	dr_writer_u64(w, p->count_slot);
	dr_writer_u64(w, p->acc_slot);
	dr_writer_u32(w, p->state_every);
	dr_writer_u64(w, p->stealth_window_s);
	dr_writer_u64(w, p->exposure_grace_s);
	dr_writer_u16(w, p->num_events);
	for (size_t i = 0; i < p->num_events; i++) {
		const struct dr_profile_event *e = &p->events[i];
		const size_t len = strlen(e->signature);

		dr_writer_copy(w, e->topic0, 32);
		dr_writer_u16(w, e->action);
		dr_writer_u8(w, (uint8_t)len);
		dr_writer_copy(w, e->signature, len);
		dr_writer_u8(w, e->num_words);
		for (size_t j = 0; j < e->num_words; j++) {
			dr_writer_u8(w, e->words[j].field);
			dr_writer_u8(w, e->words[j].type);
		}
	}
	dr_writer_u16(w, p->num_slots);
	for (size_t i = 0; i < p->num_slots; i++) {
		dr_writer_u8(w, p->slots[i].kind);
		dr_writer_u64(w, p->slots[i].slot);
	}
}

enum dr_err dr_profile_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_profile *p, struct dr_fail *fail)
{
	struct dr_profile *copy;
	struct dr_writer w;

	*len = 0;
	if (p->num_events > DR_PROFILE_EVENTS_MAX || p->num_slots > DR_PROFILE_SLOTS_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "profile: number of events or slots", 0);
	copy = dr_heap_alloc(sizeof(*copy));
	if (copy == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "profile: encode", 0);
	sorted(copy, p);
	if (check_profile(copy, fail) == DR_OK) {
		dr_writer_init(&w, buf, cap < DR_PROFILE_LEN_MAX ? cap : DR_PROFILE_LEN_MAX, fail);
		write_profile(&w, copy);
		if (fail->err == DR_OK)
			*len = w.len;
	}
	dr_heap_free(copy);
	if (fail->err != DR_OK)
		memset(buf, 0, cap);
	return fail->err;
}

static void read_event(struct dr_reader *r, struct dr_profile_event *e)
{
	dr_reader_copy(r, e->topic0, 32);
	e->action = dr_reader_u16(r);
	const size_t len = dr_reader_u8(r);

	if (len >= sizeof(e->signature))
		dr_reader_fail(r, DR_ERR_LIMIT, "profile: length of a signature");
	else
		dr_reader_copy(r, e->signature, len);
	if (dr_reader_ok(r) && strlen(e->signature) != len)
		dr_reader_fail(r, DR_ERR_SYNTAX, "profile: signature without zero bytes");
	e->num_words = dr_reader_u8(r);
	if (e->num_words > DR_ARGS_MAX) {
		dr_reader_fail(r, DR_ERR_LIMIT, "profile: words of an event");
		return;
	}
	for (size_t j = 0; j < e->num_words; j++) {
		e->words[j].field = dr_reader_u8(r);
		e->words[j].type = dr_reader_u8(r);
	}
}

enum dr_err dr_profile_decode(struct dr_profile *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_reader r;

	memset(out, 0, sizeof(*out));
	if (bytes.len > DR_PROFILE_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "profile: length", bytes.len);
	dr_reader_init(&r, bytes, fail);
	if (dr_reader_u8(&r) != VERSION)
		dr_reader_fail(&r, DR_ERR_UNKNOWN, "profile: version 1");
	dr_reader_copy(&r, out->name, sizeof(out->name));
	dr_reader_copy(&r, out->code_hash, 32);
	const uint8_t has_accumulator = dr_reader_u8(&r);

	if (has_accumulator > 1)
		dr_reader_fail(&r, DR_ERR_NONCANONICAL, "profile: has_accumulator is 0 or 1");
	out->has_accumulator = has_accumulator == 1;
	out->count_slot = dr_reader_u64(&r);
	out->acc_slot = dr_reader_u64(&r);
	out->state_every = dr_reader_u32(&r);
	out->stealth_window_s = dr_reader_u64(&r);
	out->exposure_grace_s = dr_reader_u64(&r);
	out->num_events = dr_reader_u16(&r);
	if (out->num_events > DR_PROFILE_EVENTS_MAX)
		dr_reader_fail(&r, DR_ERR_LIMIT, "profile: number of events");
	for (size_t i = 0; dr_reader_ok(&r) && i < out->num_events; i++)
		read_event(&r, &out->events[i]);
	out->num_slots = dr_reader_u16(&r);
	if (out->num_slots > DR_PROFILE_SLOTS_MAX)
		dr_reader_fail(&r, DR_ERR_LIMIT, "profile: number of slots");
	for (size_t i = 0; dr_reader_ok(&r) && i < out->num_slots; i++) {
		out->slots[i].kind = dr_reader_u8(&r);
		out->slots[i].slot = dr_reader_u64(&r);
	}
	if (dr_reader_end(&r) != DR_OK || check_profile(out, fail) != DR_OK)
		memset(out, 0, sizeof(*out));
	else
		dr_sha256_one(out->digest, bytes.ptr, bytes.len);
	return fail->err;
}

/* field_by_name: DR_FIELD_IGNORE + 1 if the action has no such field. */
static unsigned field_by_name(const struct dr_action_def *def, const char *name)
{
	if (strcmp(name, "_") == 0)
		return DR_FIELD_IGNORE;
	for (unsigned i = 0; i < def->num_args; i++)
		if (strcmp(def->args[i].name, name) == 0)
			return DR_FIELD_ARG0 + i;
	if (strcmp(name, "proposal") == 0)
		return DR_FIELD_PROPOSAL;
	if (strcmp(name, "by") == 0)
		return DR_FIELD_BY;
	if (strcmp(name, "due") == 0)
		return DR_FIELD_DUE;
	return DR_FIELD_IGNORE + 1;
}

/* signature_of: "Name(type,type[n])" of the parsed parameters. */
static bool signature_of(struct dr_profile_event *out, const char *name, const struct param *list, unsigned num)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, out->signature, sizeof(out->signature) - 1, &fail);
	dr_writer_copy(&w, name, strlen(name));
	dr_writer_u8(&w, '(');
	for (unsigned i = 0; i < num; i++) {
		if (i > 0)
			dr_writer_u8(&w, ',');
		dr_writer_copy(&w, list[i].type_name, strlen(list[i].type_name));
		if (!list[i].is_array)
			continue;
		dr_writer_u8(&w, '[');
		if (list[i].num >= 10)
			dr_writer_u8(&w, (uint8_t)('0' + list[i].num / 10));
		dr_writer_u8(&w, (uint8_t)('0' + list[i].num % 10));
		dr_writer_u8(&w, ']');
	}
	dr_writer_u8(&w, ')');
	dr_keccak256(out->topic0, out->signature, w.len);
	return fail.err == DR_OK;
}

static enum dr_err declare(struct dr_profile_event *out, const char *declaration, const struct dr_action_def *def,
			   struct dr_fail *fail)
{
	const struct text text = { declaration, declaration + strlen(declaration) };
	struct param list[DR_ARGS_MAX];
	char name[64];
	uint32_t named = 0;
	unsigned num, next = 0;

	if (!params(list, &num, name, text, true) || !signature_of(out, name, list, num))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: declaration \"Name(type name, type name)\"", 0);
	out->action = (uint16_t)def->action;
	for (unsigned i = 0; i < num; i++) {
		const unsigned field = field_by_name(def, list[i].name);

		if (field < def->num_args)
			named |= (uint32_t)1 << field;
	}
	for (unsigned i = 0; i < num; i++) {
		const bool spread = list[i].is_array && strcmp(list[i].name, "args") == 0;
		unsigned field = field_by_name(def, list[i].name);

		for (unsigned j = 0; j < list[i].num; j++) {
			if (spread) {
				while (next < def->num_args && (named >> next & 1) != 0)
					next++;
				field = next < def->num_args ? next++ : DR_FIELD_IGNORE + 1;
			}
			if (field > DR_FIELD_IGNORE)
				return dr_fail_set(fail, DR_ERR_UNKNOWN,
						   "profile: the action has no argument of this name", i);
			if (out->num_words == DR_ARGS_MAX)
				return dr_fail_set(fail, DR_ERR_LIMIT, "profile: words of an event", i);
			out->words[out->num_words].field = (uint8_t)field;
			out->words[out->num_words++].type = (uint8_t)list[i].type;
		}
	}
	return check_event(out, fail);
}

enum dr_err dr_profile_declare(struct dr_profile_event *out, const char *declaration, const char *action,
			       struct dr_fail *fail)
{
	const struct dr_action_def *def = dr_action_by_name(action);

	memset(out, 0, sizeof(*out));
	if (def == NULL)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "profile: action name", 0);
	if (declare(out, declaration, def, fail) != DR_OK)
		memset(out, 0, sizeof(*out));
	return fail->err;
}

static bool word_is_clean(const uint8_t *w, uint8_t type)
{
	switch ((enum dr_word_type)type) {
	case DR_WORD_BYTES32: return true;
	case DR_WORD_U64: return dr_bytes_zero(w, 24);
	case DR_WORD_ADDRESS: return dr_bytes_zero(w, 12);
	case DR_WORD_BOOL: return dr_bytes_zero(w, 31) && w[31] <= 1;
	}
	return false;
}

static void fill(struct dr_act *act, uint8_t field, const uint8_t *w)
{
	switch (field) {
	case DR_FIELD_IGNORE: return;
	case DR_FIELD_PROPOSAL:
		act->has_proposal = true;
		act->proposal = dr_be64_get(w + 24);
		return;
	case DR_FIELD_DUE:
		act->has_due = true;
		act->due = dr_be64_get(w + 24);
		return;
	case DR_FIELD_BY:
		act->has_by = true;
		memcpy(act->by, w + 12, 20);
		return;
	}
	DR_ASSERT(field < act->num_args);
	memcpy(act->args[field], w, 32);
}

enum dr_err dr_profile_act(struct dr_act *out, const struct dr_profile *p, const struct dr_event *event,
			   struct dr_fail *fail)
{
	const struct dr_profile_event *e = NULL;
	struct dr_reader r;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < p->num_events && event->num_topics > 0 && e == NULL; i++)
		if (memcmp(p->events[i].topic0, event->topic0, 32) == 0)
			e = &p->events[i];
	if (e == NULL)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "profile: no such event", 0);
	if (event->num_topics != 1)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: an event has one topic", event->num_topics);
	const struct dr_action_def *def = dr_action_def(e->action);

	DR_ASSERT(def != NULL);
	out->action = def->action;
	out->num_args = def->num_args;
	if (event->data.len != 32u * e->num_words) {
		memset(out, 0, sizeof(*out));
		return dr_fail_set(fail, DR_ERR_SYNTAX, "profile: data of an event, 32 bytes a word",
				   event->data.len);
	}
	dr_reader_init(&r, event->data, fail);
	for (size_t i = 0; i < e->num_words && dr_reader_ok(&r); i++) {
		const struct dr_bytes w = dr_reader_view(&r, 32);

		if (w.ptr == NULL || !word_is_clean(w.ptr, e->words[i].type))
			dr_reader_fail(&r, DR_ERR_NONCANONICAL, "profile: word of an event is not of its type");
		else
			fill(out, e->words[i].field, w.ptr);
	}
	if (dr_reader_end(&r) != DR_OK)
		memset(out, 0, sizeof(*out));
	return fail->err;
}
