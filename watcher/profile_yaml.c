/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/profile_yaml.h"

#include <stdio.h>
#include <string.h>

struct event {
	char *event;
	char *action;
};

struct slot {
	enum dr_slot_kind kind;
	char *slot;
};

struct file {
	char *name;
	char *code_hash;
	char *count_slot;
	char *acc_slot;
	char *state_every;
	char *stealth_window;
	char *exposure_grace;
	struct event *events;
	uint32_t events_count;
	struct slot *slots;
	uint32_t slots_count;
};

static const cyaml_strval_t kinds[] = {
	{ "measurement", DR_SLOT_MEASUREMENT }, { "app.measurement", DR_SLOT_APP_MEASUREMENT },
	{ "hardware", DR_SLOT_HARDWARE },       { "root", DR_SLOT_ROOT },
	{ "suspended", DR_SLOT_SUSPENDED },
};

static const cyaml_schema_field_t event_fields[] = {
	DR_YAML_TEXT("event", struct event, event),
	DR_YAML_TEXT("action", struct event, action),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t event_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct event, event_fields),
};
static const cyaml_schema_field_t slot_fields[] = {
	CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, struct slot, kind, kinds, CYAML_ARRAY_LEN(kinds)),
	DR_YAML_TEXT("slot", struct slot, slot),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t slot_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct slot, slot_fields),
};
static const cyaml_schema_field_t file_fields[] = {
	DR_YAML_TEXT("name", struct file, name),
	DR_YAML_TEXT("code_hash", struct file, code_hash),
	DR_YAML_TEXT_OR_NOT("count_slot", struct file, count_slot),
	DR_YAML_TEXT_OR_NOT("acc_slot", struct file, acc_slot),
	DR_YAML_TEXT("state_every", struct file, state_every),
	DR_YAML_TEXT("stealth_window", struct file, stealth_window),
	DR_YAML_TEXT("exposure_grace", struct file, exposure_grace),
	CYAML_FIELD_SEQUENCE("events", CYAML_FLAG_POINTER, struct file, events, &event_schema, 1,
			     DR_PROFILE_EVENTS_MAX),
	CYAML_FIELD_SEQUENCE("slots", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, slots, &slot_schema, 0,
			     DR_PROFILE_SLOTS_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields),
};

static enum dr_err events_of(struct dr_profile *p, const struct dr_yaml *y, const struct file *f,
			     struct dr_yaml_error *error)
{
	char key[64];

	for (uint32_t i = 0; i < f->events_count; i++) {
		struct dr_fail fail = { 0 };

		if (dr_profile_declare(&p->events[i], f->events[i].event, f->events[i].action, &fail) != DR_OK) {
			snprintf(key, sizeof(key), "events[%u]", (unsigned)i);
			return dr_yaml_fail(y, fail.err, key, fail.what, error);
		}
		for (uint32_t k = 0; k < i; k++) {
			if (memcmp(p->events[k].topic0, p->events[i].topic0, 32) != 0)
				continue;
			snprintf(key, sizeof(key), "events[%u].event", (unsigned)i);
			return dr_yaml_fail(y, DR_ERR_NONCANONICAL, key, "this event is declared twice", error);
		}
		p->num_events = (uint16_t)(i + 1);
	}
	return DR_OK;
}

static enum dr_err slots_of(struct dr_profile *p, const struct dr_yaml *y, const struct file *f,
			    struct dr_yaml_error *error)
{
	char key[64];

	for (uint32_t i = 0; i < f->slots_count; i++) {
		snprintf(key, sizeof(key), "slots[%u].slot", (unsigned)i);
		if (dr_yaml_u64(&p->slots[i].slot, y, key, f->slots[i].slot, 0, UINT64_MAX, error) != DR_OK)
			return DR_ERR_SYNTAX;
		p->slots[i].kind = (uint8_t)f->slots[i].kind;
		for (uint32_t k = 0; k < i; k++) {
			if (p->slots[k].kind != p->slots[i].kind)
				continue;
			snprintf(key, sizeof(key), "slots[%u].kind", (unsigned)i);
			return dr_yaml_fail(y, DR_ERR_NONCANONICAL, key, "this kind is given twice", error);
		}
		p->num_slots = (uint16_t)(i + 1);
	}
	return DR_OK;
}

static enum dr_err compile(struct dr_profile *p, const struct dr_yaml *y, const struct file *f,
			   struct dr_yaml_error *error)
{
	uint64_t state_every = 0;
	enum dr_err err;

	if ((err = dr_yaml_text(p->name, sizeof(p->name), y, "name", f->name, error)) != DR_OK ||
	    (err = dr_yaml_hex(p->code_hash, 32, y, "code_hash", f->code_hash, error)) != DR_OK ||
	    (err = dr_yaml_u64(&p->count_slot, y, "count_slot", f->count_slot, 0, UINT64_MAX, error)) != DR_OK ||
	    (err = dr_yaml_u64(&p->acc_slot, y, "acc_slot", f->acc_slot, 0, UINT64_MAX, error)) != DR_OK ||
	    (err = dr_yaml_u64(&state_every, y, "state_every", f->state_every, 1, UINT32_MAX, error)) != DR_OK ||
	    (err = dr_yaml_u64(&p->stealth_window_s, y, "stealth_window", f->stealth_window, 0, UINT64_MAX, error)) !=
		    DR_OK ||
	    (err = dr_yaml_u64(&p->exposure_grace_s, y, "exposure_grace", f->exposure_grace, 1, DR_TIME_MAX_S,
			       error)) != DR_OK)
		return err;
	if ((f->count_slot == NULL) != (f->acc_slot == NULL))
		return dr_yaml_fail(y, DR_ERR_SYNTAX, f->count_slot != NULL ? "count_slot" : "acc_slot",
				    "count_slot and acc_slot go together", error);
	p->has_accumulator = f->count_slot != NULL;
	p->state_every = (uint32_t)state_every;
	if ((err = events_of(p, y, f, error)) != DR_OK)
		return err;
	return slots_of(p, y, f, error);
}

enum dr_err dr_profile_load(struct dr_profile *out, struct dr_buf *form, const char *path,
			    struct dr_yaml_error *error)
{
	struct dr_fail fail = { 0 };
	struct dr_yaml *y = NULL;
	void *file = NULL;
	size_t len = 0;
	enum dr_err err;

	memset(out, 0, sizeof(*out));
	err = dr_yaml_open(&y, path, error);
	if (err == DR_OK)
		err = dr_yaml_load(&file, y, &file_schema, error);
	if (err == DR_OK)
		err = compile(out, y, file, error);
	/* What the canonical form refuses is refused here, and what comes out is what a core will read. */
	if (err == DR_OK) {
		uint8_t *to = dr_buf_reserve(form, DR_PROFILE_LEN_MAX, &fail);

		if (to == NULL || dr_profile_encode(to, DR_PROFILE_LEN_MAX, &len, out, &fail) != DR_OK ||
		    dr_profile_decode(out, dr_bytes_of(to, len), &fail) != DR_OK)
			err = dr_yaml_fail(y, fail.err, "events", fail.what, error);
		else
			form->len += len;
	}
	dr_yaml_unload(&file_schema, file);
	dr_yaml_free(y);
	if (err != DR_OK)
		memset(out, 0, sizeof(*out));
	return err;
}
