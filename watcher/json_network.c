/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/json_network.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/base/arena.h"
#include "chain/base/hex.h"
#include "watcher/json_beacon.h"
#include "watcher/json_evm.h"

struct source {
	const json_t *data;
	const char *path; /* "data." or "" */
	enum dr_network_file file;
	struct dr_network_notes *notes;
	struct dr_fail *fail;
};

static void fails(struct source *s, enum dr_err err, const char *what, const char *key)
{
	if (s->fail->err == DR_OK) {
		s->notes->file = s->file;
		snprintf(s->notes->at, sizeof(s->notes->at), "%s%.64s", s->path, key);
	}
	dr_fail_set(s->fail, err, what, 0);
}

static const json_t *member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

static void source_init(struct source *s, const json_t *root, enum dr_network_file file,
			struct dr_network_notes *notes, struct dr_fail *fail)
{
	const json_t *data = member(root, "data");

	*s = (struct source){ .data = data != NULL ? data : root,
			      .path = data != NULL ? "data." : "",
			      .file = file,
			      .notes = notes,
			      .fail = fail };
	if (!json_is_object(s->data))
		fails(s, DR_ERR_SYNTAX, "a JSON object is expected here", "");
}

static const char *text_of(struct source *s, const char *key, size_t *len)
{
	const json_t *value = member(s->data, key);

	*len = json_string_length(value);
	if (value == NULL)
		fails(s, DR_ERR_SYNTAX, "this member is missing", key);
	else if (!json_is_string(value))
		fails(s, DR_ERR_SYNTAX, "a string is expected here", key);
	return s->fail->err == DR_OK ? json_string_value(value) : NULL;
}

static uint64_t number(struct source *s, const char *key, uint64_t max)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint8_t le[8] = { 0 };
	uint64_t value = 0;
	size_t len;
	const char *text = text_of(s, key, &len);

	if (text != NULL && dr_json_decimal(le, sizeof(le), text, len, &fail) != DR_OK)
		fails(s, fail.err, fail.what, key);
	for (size_t i = sizeof(le); i-- > 0;)
		value = value << 8 | le[i];
	if (value > max)
		fails(s, DR_ERR_LIMIT, "a number is larger than any network's", key);
	return s->fail->err == DR_OK ? value : 0;
}

static void bytes(struct source *s, const char *key, uint8_t *out, size_t out_len)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	size_t len;
	const char *text = text_of(s, key, &len);

	if (text != NULL && dr_hex_fixed(out, out_len, text, len, &fail) != DR_OK)
		fails(s, fail.err, fail.what, key);
}

static void name_of(struct dr_network *out, const json_t *spec)
{
	const char *name = json_string_value(member(spec, "CONFIG_NAME"));
	const size_t len = name != NULL ? strlen(name) : 0;
	const struct dr_network *named;

	if (len > 0 && len < sizeof(out->name) && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len) {
		memcpy(out->name, name, len);
		named = dr_network_named(out->name);
		if (named == NULL || dr_network_same_chain(named, out))
			return;
	}
	memset(out->name, 0, sizeof(out->name));
	memcpy(out->name, "custom", sizeof("custom"));
}

static uint32_t slot_seconds(struct source *s)
{
	uint64_t ms;

	if (member(s->data, "SECONDS_PER_SLOT") != NULL || member(s->data, "SLOT_DURATION_MS") == NULL)
		return (uint32_t)number(s, "SECONDS_PER_SLOT", UINT32_MAX);
	ms = number(s, "SLOT_DURATION_MS", (uint64_t)UINT32_MAX);
	if (ms % 1000 != 0)
		fails(s, DR_ERR_UNKNOWN, "slots that last no whole seconds", "SLOT_DURATION_MS");
	return (uint32_t)(ms / 1000);
}

/* "ALTAIR" + "_FORK_EPOCH" */
static const char *fork_key(char buf[static 64], enum dr_beacon_fork fork, const char *end)
{
	size_t len = 0;

	for (const char *c = dr_beacon_fork_name(fork); *c != '\0' && len < 40; c++)
		buf[len++] = (char)toupper((unsigned char)*c);
	snprintf(buf + len, 64 - len, "%s", end);
	return buf;
}

#define EPOCH "_FORK_EPOCH"

static void forks(struct dr_network *out, struct source *s)
{
	const char *key;
	json_t *value;
	char name[64];

	bytes(s, "GENESIS_FORK_VERSION", out->forks[DR_BEACON_PHASE0].version, 4);
	for (unsigned f = DR_BEACON_ALTAIR; f < DR_BEACON_FORKS; f++) {
		struct dr_network_fork *fork = &out->forks[f];

		fork->epoch = DR_BEACON_NEVER;
		/* Without Altair there is no light client: then its epoch is missing. */
		if (f == DR_BEACON_ALTAIR || member(s->data, fork_key(name, f, EPOCH)) != NULL)
			fork->epoch = number(s, fork_key(name, f, EPOCH), UINT64_MAX);
		if (fork->epoch != DR_BEACON_NEVER)
			bytes(s, fork_key(name, f, "_FORK_VERSION"), fork->version, 4);
	}
	out->unknown_epoch = DR_BEACON_NEVER;
	json_object_foreach((json_t *)(uintptr_t)s->data, key, value)
	{
		const size_t len = strlen(key), end = strlen(EPOCH);
		bool known = false;

		if (len <= end || strcmp(key + len - end, EPOCH) != 0)
			continue;
		for (unsigned f = DR_BEACON_ALTAIR; f < DR_BEACON_FORKS; f++)
			known |= strcmp(fork_key(name, f, EPOCH), key) == 0;
		if (known)
			continue;
		const uint64_t epoch = number(s, key, UINT64_MAX);

		if (s->fail->err == DR_OK && epoch < out->unknown_epoch)
			out->unknown_epoch = epoch;
	}
}

enum dr_err dr_json_network(struct dr_network *out, const json_t *spec, const json_t *genesis,
			    struct dr_network_notes *notes, struct dr_fail *fail)
{
	struct source s, g;

	memset(out, 0, sizeof(*out));
	memset(notes, 0, sizeof(*notes));
	source_init(&s, spec, DR_NETWORK_SPEC, notes, fail);
	out->slots_per_epoch = (uint32_t)number(&s, "SLOTS_PER_EPOCH", UINT32_MAX);
	out->epochs_per_period = (uint32_t)number(&s, "EPOCHS_PER_SYNC_COMMITTEE_PERIOD", UINT32_MAX);
	out->committee_size = (uint32_t)number(&s, "SYNC_COMMITTEE_SIZE", UINT32_MAX);
	out->seconds_per_slot = slot_seconds(&s);
	forks(out, &s);
	source_init(&g, genesis, DR_NETWORK_GENESIS, notes, fail);
	out->genesis_time = number(&g, "genesis_time", UINT64_MAX);
	bytes(&g, "genesis_validators_root", out->genesis_validators_root, 32);
	if (fail->err == DR_OK)
		name_of(out, s.data);
	if (fail->err == DR_OK && dr_network_check(out, fail) != DR_OK)
		notes->file = DR_NETWORK_SPEC;
	if (fail->err != DR_OK)
		memset(out, 0, sizeof(*out));
	return fail->err;
}

#define FILE_LEN_MAX ((size_t)1 << 20) /* real ones: 10 KiB */

static enum dr_err io_failed(struct dr_network_notes *notes, const char *what, struct dr_fail *fail)
{
	snprintf(notes->at, sizeof(notes->at), "%s", strerror(errno));
	return dr_fail_set(fail, DR_ERR_IO, what, 0);
}

/* A configuration names plain files: on anything else a reader may wait for ever. */
static FILE *open_file(const char *path, bool plain, struct dr_network_notes *notes, struct dr_fail *fail)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (plain ? O_NONBLOCK : 0));
	FILE *from = NULL;
	struct stat st;

	if (fd >= 0 && plain && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)))
		dr_fail_set(fail, DR_ERR_IO, "not a plain file", 0);
	else if (fd < 0 || (from = fdopen(fd, "rb")) == NULL)
		io_failed(notes, "the file cannot be opened", fail);
	if (from == NULL && fd >= 0)
		close(fd);
	return from;
}

static enum dr_err load(json_t **root, const char *path, bool plain, enum dr_network_file file,
			struct dr_network_notes *notes, struct dr_fail *fail)
{
	FILE *from;
	struct dr_buf text;
	size_t got;

	notes->file = file;
	from = open_file(path, plain, notes, fail);
	if (from == NULL)
		return fail->err;
	dr_buf_init(&text, FILE_LEN_MAX);
	do {
		uint8_t *room = dr_buf_reserve(&text, 16384, fail);

		got = room != NULL ? fread(room, 1, 16384, from) : 0;
		text.len += got;
	} while (got > 0);
	if (ferror(from))
		io_failed(notes, "the file cannot be read", fail);
	fclose(from);
	if (fail->err == DR_OK)
		dr_json_load(root, dr_buf_view(&text), fail);
	dr_buf_free(&text);
	return fail->err;
}

enum dr_err dr_json_network_load(struct dr_network *out, const char *spec_path, const char *genesis_path, bool plain,
				 struct dr_network_notes *notes, struct dr_fail *fail)
{
	json_t *spec = NULL, *genesis = NULL;

	memset(out, 0, sizeof(*out));
	memset(notes, 0, sizeof(*notes));
	if (load(&spec, spec_path, plain, DR_NETWORK_SPEC, notes, fail) == DR_OK &&
	    load(&genesis, genesis_path, plain, DR_NETWORK_GENESIS, notes, fail) == DR_OK)
		dr_json_network(out, spec, genesis, notes, fail);
	json_decref(spec);
	json_decref(genesis);
	return fail->err;
}
