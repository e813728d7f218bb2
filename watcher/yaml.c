/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "chain/base/arena.h"
#include "chain/base/hex.h"

#define KEY_LEN_MAX 160u

struct key {
	char name[KEY_LEN_MAX]; /* "endpoints[1].url" */
	size_t line;
};

struct dr_yaml {
	char path[512];
	struct dr_buf text;
	struct key *keys;
	size_t num_keys;
};

static enum dr_err say(struct dr_yaml_error *error, enum dr_err err, const char *path, size_t line, const char *key,
		       const char *what)
{
	char place[32] = "";

	if (line > 0)
		snprintf(place, sizeof(place), ":%zu", line);
	snprintf(error->text, sizeof(error->text), "%s%s: %s%s%s", path, place, key, *key != '\0' ? ": " : "", what);
	return err;
}

/* The file. */

static enum dr_err slurp(struct dr_yaml *y, struct dr_yaml_error *error)
{
	struct dr_fail fail = { 0 };
	struct stat st;
	const int fd = open(y->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return say(error, DR_ERR_IO, y->path, 0, "", strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return say(error, DR_ERR_IO, y->path, 0, "", "not a plain file");
	}
	for (;;) {
		uint8_t *to = dr_buf_reserve(&y->text, 4096, &fail);

		if (to == NULL) {
			close(fd);
			return say(error, fail.err, y->path, 0, "", "the file is too long");
		}
		const ssize_t got = read(fd, to, 4096);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			close(fd);
			return got == 0 ? DR_OK : say(error, DR_ERR_IO, y->path, 0, "", strerror(errno));
		}
		y->text.len += (size_t)got;
	}
}

/* The first pass. A level is a mapping or a list; its name is the path of keys to it. */

struct level {
	char name[KEY_LEN_MAX];
	bool list;
	size_t idx;      /* of the next item of a list */
	bool value_next; /* mapping: the key was read */
};

struct walk {
	struct dr_yaml *y;
	struct dr_yaml_error *error;
	struct level levels[DR_YAML_DEPTH_MAX + 1];
	size_t depth;
	char key[KEY_LEN_MAX]; /* of the value that comes next */
};

static bool join(char out[static KEY_LEN_MAX], const char *parent, const char *child)
{
	const int len = snprintf(out, KEY_LEN_MAX, "%s%s%s", parent, *parent != '\0' ? "." : "", child);

	return len >= 0 && (size_t)len < KEY_LEN_MAX;
}

static enum dr_err remember(struct walk *w, const char *name, size_t line)
{
	struct dr_yaml *y = w->y;

	for (size_t i = 0; i < y->num_keys; i++)
		if (strcmp(y->keys[i].name, name) == 0)
			return say(w->error, DR_ERR_NONCANONICAL, y->path, line, name, "given twice");
	if (y->num_keys == DR_YAML_KEYS_MAX)
		return say(w->error, DR_ERR_LIMIT, y->path, line, name, "too many keys in one file");
	memcpy(y->keys[y->num_keys].name, name, KEY_LEN_MAX);
	y->keys[y->num_keys++].line = line;
	return DR_OK;
}

/* A value begins: names it, and moves its parent on. */
static enum dr_err value_begins(struct walk *w, size_t line)
{
	struct level *top = w->depth > 0 ? &w->levels[w->depth - 1] : NULL;

	if (top == NULL) {
		memset(w->key, 0, sizeof(w->key));
		return DR_OK;
	}
	if (!top->list) {
		if (!top->value_next)
			return say(w->error, DR_ERR_SYNTAX, w->y->path, line, top->name, "a key must be a word");
		top->value_next = false;
		return DR_OK;
	}
	char name[KEY_LEN_MAX] = { 0 };

	if (snprintf(name, sizeof(name), "%.100s[%zu]", top->name, top->idx++) >= (int)sizeof(name))
		return say(w->error, DR_ERR_LIMIT, w->y->path, line, top->name, "a key is too long");
	memcpy(w->key, name, sizeof(name));
	return remember(w, name, line);
}

static enum dr_err open_level(struct walk *w, bool list, size_t line)
{
	if (value_begins(w, line) != DR_OK)
		return DR_ERR_SYNTAX;
	if (w->depth == DR_YAML_DEPTH_MAX)
		return say(w->error, DR_ERR_LIMIT, w->y->path, line, w->key, "nested too deep");
	struct level *top = &w->levels[w->depth++];

	*top = (struct level){ .list = list };
	memcpy(top->name, w->key, sizeof(top->name));
	return DR_OK;
}

static enum dr_err scalar(struct walk *w, const char *text, size_t len, size_t line)
{
	struct level *top = w->depth > 0 ? &w->levels[w->depth - 1] : NULL;
	char name[KEY_LEN_MAX] = { 0 };

	if (memchr(text, '\0', len) != NULL)
		return say(w->error, DR_ERR_SYNTAX, w->y->path, line, w->key, "a NUL character");
	if (top == NULL || top->list || top->value_next)
		return value_begins(w, line);
	if (len == 0 || !join(name, top->name, text))
		return say(w->error, DR_ERR_LIMIT, w->y->path, line, top->name, "a key is empty or too long");
	top->value_next = true;
	memcpy(w->key, name, sizeof(name));
	return remember(w, name, line);
}

static enum dr_err event(struct walk *w, const yaml_event_t *e)
{
	const size_t line = e->start_mark.line + 1;
	const char *special = NULL;

	if (e->type == YAML_ALIAS_EVENT)
		special = "aliases are not allowed";
	else if (e->type == YAML_SCALAR_EVENT && (e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL))
		special = "anchors and tags are not allowed";
	else if (e->type == YAML_MAPPING_START_EVENT &&
		 (e->data.mapping_start.anchor != NULL || e->data.mapping_start.tag != NULL))
		special = "anchors and tags are not allowed";
	else if (e->type == YAML_SEQUENCE_START_EVENT &&
		 (e->data.sequence_start.anchor != NULL || e->data.sequence_start.tag != NULL))
		special = "anchors and tags are not allowed";
	if (special != NULL)
		return say(w->error, DR_ERR_SYNTAX, w->y->path, line, w->key, special);
	if (e->type == YAML_SCALAR_EVENT)
		return scalar(w, (const char *)e->data.scalar.value, e->data.scalar.length, line);
	if (e->type == YAML_MAPPING_START_EVENT || e->type == YAML_SEQUENCE_START_EVENT)
		return open_level(w, e->type == YAML_SEQUENCE_START_EVENT, line);
	if (e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT)
		w->depth--;
	return DR_OK;
}

static enum dr_err first_pass(struct dr_yaml *y, struct dr_yaml_error *error)
{
	struct walk w = { .y = y, .error = error };
	enum dr_err err = DR_OK;
	size_t documents = 0;
	yaml_parser_t parser;
	bool end = false;

	if (y->text.len == 0)
		return say(error, DR_ERR_SYNTAX, y->path, 0, "", "the file is empty");
	if (!yaml_parser_initialize(&parser))
		return say(error, DR_ERR_NOMEM, y->path, 0, "", "no memory");
	yaml_parser_set_input_string(&parser, y->text.ptr, y->text.len);
	while (err == DR_OK && !end) {
		yaml_event_t e;

		if (!yaml_parser_parse(&parser, &e)) {
			err = say(error, DR_ERR_SYNTAX, y->path, parser.problem_mark.line + 1, "",
				  parser.problem != NULL ? parser.problem : "not YAML");
			break;
		}
		if (e.type == YAML_DOCUMENT_START_EVENT && ++documents > 1)
			err = say(error, DR_ERR_SYNTAX, y->path, e.start_mark.line + 1, "", "a second document");
		else
			err = event(&w, &e);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return err;
}

enum dr_err dr_yaml_open(struct dr_yaml **out, const char *path, struct dr_yaml_error *error)
{
	struct dr_yaml *y = dr_heap_alloc(sizeof(*y));
	enum dr_err err;

	*out = NULL;
	memset(error, 0, sizeof(*error));
	if (y == NULL)
		return say(error, DR_ERR_NOMEM, path, 0, "", "no memory");
	dr_buf_init(&y->text, DR_YAML_LEN_MAX);
	y->keys = dr_heap_alloc(DR_YAML_KEYS_MAX * sizeof(*y->keys));
	if (y->keys == NULL)
		err = say(error, DR_ERR_NOMEM, path, 0, "", "no memory");
	else if (strlen(path) >= sizeof(y->path))
		err = say(error, DR_ERR_LIMIT, path, 0, "", "the path is too long");
	else {
		memcpy(y->path, path, strlen(path));
		err = slurp(y, error);
	}
	if (err == DR_OK)
		err = first_pass(y, error);
	if (err == DR_OK)
		*out = y;
	else
		dr_yaml_free(y);
	return err;
}

void dr_yaml_free(struct dr_yaml *y)
{
	if (y == NULL)
		return;
	dr_buf_free(&y->text);
	dr_heap_free(y->keys);
	dr_heap_free(y);
}

/* The second pass: libcyaml tells what is wrong only through its log: an error, then a backtrace whose first line
 * says where. */

struct heard {
	char what[256];
	char where[256];
};

static void hear(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	struct heard *h = ctx;
	char line[256];

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	const char *text = strncmp(line, "Load: ", 6) == 0 ? line + 6 : line;

	if (h->what[0] == '\0')
		snprintf(h->what, sizeof(h->what), "%s", text);
	else if (h->where[0] == '\0' && strstr(text, "(line: ") != NULL)
		snprintf(h->where, sizeof(h->where), "%s", text);
}

static void listen(cyaml_config_t *config, struct heard *heard)
{
	*config = (cyaml_config_t){
		.log_fn = hear,
		.log_ctx = heard,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

/* The last word of a key's name is word. */
static bool ends_in(const char *name, const char *word)
{
	const size_t len = strlen(name), word_len = strlen(word);

	return len >= word_len && strcmp(name + len - word_len, word) == 0 &&
	       (len == word_len || name[len - word_len - 1] == '.');
}

/* The schema of the key that is named so: words with dots between them, a number in brackets behind a list's. NULL:
 * there is none. */
static const cyaml_schema_value_t *schema_of(const cyaml_schema_value_t *s, const char *name)
{
	while (s != NULL && *name != '\0') {
		const size_t len = strcspn(name, ".[");
		const cyaml_schema_field_t *f = s->type == CYAML_MAPPING ? s->mapping.fields : NULL;

		if (*name == '[') {
			s = s->type == CYAML_SEQUENCE ? s->sequence.entry : NULL;
			name += strcspn(name, "]");
			name += *name == ']';
		} else {
			while (f != NULL && f->key != NULL &&
			       (strlen(f->key) != len || strncmp(f->key, name, len) != 0))
				f++;
			s = f != NULL && f->key != NULL ? &f->value : NULL;
			name += len;
		}
		name += *name == '.';
	}
	return s;
}

/* What libcyaml says of a word that is none of its set, and the set. */
static const char *with_words(char *buf, size_t cap, const char *what, const cyaml_schema_value_t *s)
{
	static const char invalid[] = "Invalid ENUM value: ";
	size_t len;

	if (strncmp(what, invalid, strlen(invalid)) != 0 || s == NULL || s->type != CYAML_ENUM)
		return what;
	snprintf(buf, cap, "must be ");
	for (uint32_t i = 0; i < s->enumeration.count; i++) {
		len = strlen(buf);
		snprintf(buf + len, cap - len, "%s%s",
			 i == 0                          ? ""
			 : i + 1 == s->enumeration.count ? " or "
							 : ", ",
			 s->enumeration.strings[i].str);
	}
	len = strlen(buf);
	snprintf(buf + len, cap - len, ", not %s", what + strlen(invalid));
	return buf;
}

/* libcyaml's line is where it stood when it noticed: for an unknown key the one before it. The key itself, as the
 * first pass saw it, is found again from there on. */
static enum dr_err retell(const struct dr_yaml *y, const cyaml_schema_value_t *schema, const char *what,
			  const char *where, struct dr_yaml_error *error)
{
	static const char unknown[] = "Unexpected key: ", missing[] = "Missing required mapping field: ";
	const char *at = strstr(where, "(line: ");
	char words[512];
	size_t line = 0;

	if (at != NULL)
		sscanf(at, "(line: %zu", &line);
	if (strncmp(what, missing, strlen(missing)) == 0)
		return say(error, DR_ERR_SYNTAX, y->path, 0, what + strlen(missing), "is missing");
	for (size_t i = 0; i < y->num_keys; i++) {
		const struct key *k = &y->keys[i];

		if (strncmp(what, unknown, strlen(unknown)) == 0) {
			if (k->line >= line && ends_in(k->name, what + strlen(unknown)))
				return say(error, DR_ERR_SYNTAX, y->path, k->line, k->name, "unknown key");
		} else if (k->line == line && (i + 1 == y->num_keys || y->keys[i + 1].line > line)) {
			return say(error, DR_ERR_SYNTAX, y->path, line, k->name,
				   with_words(words, sizeof(words), what, schema_of(schema, k->name)));
		}
	}
	return say(error, DR_ERR_SYNTAX, y->path, line, "", what);
}

enum dr_err dr_yaml_load(void **out, const struct dr_yaml *y, const cyaml_schema_value_t *schema,
			 struct dr_yaml_error *error)
{
	struct heard heard = { 0 };
	cyaml_config_t config;
	cyaml_data_t *data = NULL;

	*out = NULL;
	listen(&config, &heard);
	const cyaml_err_t err = cyaml_load_data(y->text.ptr, y->text.len, &config, schema, &data, NULL);

	if (err == CYAML_OK && data != NULL) {
		*out = data;
		return DR_OK;
	}
	return retell(y, schema, heard.what[0] != '\0' ? heard.what : cyaml_strerror(err), heard.where, error);
}

void dr_yaml_unload(const cyaml_schema_value_t *schema, void *loaded)
{
	struct heard heard = { 0 };
	cyaml_config_t config;

	listen(&config, &heard);
	if (loaded != NULL)
		cyaml_free(&config, schema, loaded, 0);
}

/* Values. */

enum dr_err dr_yaml_fail(const struct dr_yaml *y, enum dr_err err, const char *key, const char *what,
			 struct dr_yaml_error *error)
{
	size_t line = 0;

	for (size_t i = 0; i < y->num_keys; i++)
		if (strcmp(y->keys[i].name, key) == 0)
			line = y->keys[i].line;
	return say(error, err, y->path, line, key, what);
}

enum dr_err dr_yaml_u64(uint64_t *out, const struct dr_yaml *y, const char *key, const char *text, uint64_t min,
			uint64_t max, struct dr_yaml_error *error)
{
	uint64_t value = 0;
	char what[128];

	if (text == NULL)
		return DR_OK;
	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0' || (text[0] == '0' && text[1] != '\0'))
		return dr_yaml_fail(y, DR_ERR_SYNTAX, key, "must be a decimal number: digits only, no leading zero",
				    error);
	for (const char *c = text; *c != '\0'; c++) {
		const uint64_t digit = (uint64_t)(*c - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return dr_yaml_fail(y, DR_ERR_LIMIT, key, "does not fit 64 bits", error);
		value = value * 10 + digit;
	}
	if (value < min || value > max) {
		snprintf(what, sizeof(what), "must be between %llu and %llu", (unsigned long long)min,
			 (unsigned long long)max);
		return dr_yaml_fail(y, DR_ERR_LIMIT, key, what, error);
	}
	*out = value;
	return DR_OK;
}

enum dr_err dr_yaml_hex(uint8_t *out, size_t len, const struct dr_yaml *y, const char *key, const char *text,
			struct dr_yaml_error *error)
{
	struct dr_fail fail = { 0 };
	char what[128];

	if (text == NULL || dr_hex_fixed(out, len, text, strlen(text), &fail) == DR_OK)
		return DR_OK;
	snprintf(what, sizeof(what), "must be 0x and %zu hexadecimal digits", 2 * len);
	return dr_yaml_fail(y, DR_ERR_SYNTAX, key, what, error);
}

enum dr_err dr_yaml_text(char *out, size_t cap, const struct dr_yaml *y, const char *key, const char *text,
			 struct dr_yaml_error *error)
{
	if (text == NULL)
		return DR_OK;
	if (text[0] == '\0')
		return dr_yaml_fail(y, DR_ERR_SYNTAX, key, "must not be empty", error);
	if (strlen(text) >= cap)
		return dr_yaml_fail(y, DR_ERR_LIMIT, key, "is too long", error);
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return dr_yaml_fail(y, DR_ERR_SYNTAX, key, "has a control character in it", error);
	memset(out, 0, cap);
	memcpy(out, text, strlen(text));
	return DR_OK;
}

enum dr_err dr_yaml_path(char *out, size_t cap, const struct dr_yaml *y, const char *key, const char *text,
			 struct dr_yaml_error *error)
{
	const char *slash = strrchr(y->path, '/');
	char joined[1024];

	if (text == NULL || text[0] == '/' || text[0] == '\0' || slash == NULL)
		return dr_yaml_text(out, cap, y, key, text, error);
	const int len = snprintf(joined, sizeof(joined), "%.*s/%s", (int)(slash - y->path), y->path, text);

	if (len < 0 || (size_t)len >= sizeof(joined))
		return dr_yaml_fail(y, DR_ERR_LIMIT, key, "is too long", error);
	return dr_yaml_text(out, cap, y, key, joined, error);
}
