/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void dr_out_init(struct dr_out *o, FILE *out, FILE *err)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	*o = (struct dr_out){ .out = out, .err = err };
	o->out_terminal = isatty(fileno(out)) == 1;
	o->err_terminal = isatty(fileno(err)) == 1;
	o->colour = o->out_terminal && (no_colour == NULL || *no_colour == '\0') && term != NULL &&
		    strcmp(term, "dumb") != 0;
}

bool dr_format_parse(enum dr_format *format, const char *text)
{
	static const struct {
		const char *name;
		enum dr_format format;
	} names[] = { { "table", DR_FORMAT_TABLE }, { "json", DR_FORMAT_JSON }, { "ndjson", DR_FORMAT_NDJSON } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i].name) == 0) {
			*format = names[i].format;
			return true;
		}
	}
	*format = DR_FORMAT_AUTO;
	return false;
}

enum dr_format dr_out_format_object(const struct dr_out *o)
{
	if (o->format != DR_FORMAT_AUTO)
		return o->format;
	return o->out_terminal ? DR_FORMAT_TABLE : DR_FORMAT_JSON;
}

enum dr_format dr_out_format_rows(const struct dr_out *o)
{
	if (o->format != DR_FORMAT_AUTO)
		return o->format;
	return o->out_terminal ? DR_FORMAT_TABLE : DR_FORMAT_NDJSON;
}

/* One UTF-8 character at s: its length, and its code point; 0 if s does not begin with a well-formed one
 * (RFC 3629: shortest form, no surrogates, at most U+10FFFF). */
static size_t utf8_next(uint32_t *code, const unsigned char *s)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80             ? 1
		     : (s[0] & 0xe0) == 0xc0 ? 2
		     : (s[0] & 0xf0) == 0xe0 ? 3
		     : (s[0] & 0xf8) == 0xf0 ? 4
					     : 0;
	uint32_t c = len == 1 ? s[0] : len > 0 ? s[0] & (0xffu >> (len + 1)) : 0;

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0; /* the NUL at the end stops here, too */
		c = c << 6 | (s[i] & 0x3f);
	}
	if (len == 0 || c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return len;
}

/* Controls (C0, DEL, C1), line separators, and characters that reorder or hide what follows. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x00ad || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

void dr_out_text(FILE *to, const char *text)
{
	const unsigned char *s = (const unsigned char *)(text != NULL ? text : "-");

	while (*s != '\0') {
		uint32_t c = 0;
		size_t len = utf8_next(&c, s);

		if (len == 0) {
			fprintf(to, "\\x%02x", *s++);
			continue;
		}
		if (!is_unsafe(c))
			fwrite(s, 1, len, to);
		else if (c < 0x100)
			fprintf(to, "\\x%02" PRIx32, c);
		else
			fprintf(to, "\\u{%" PRIx32 "}", c);
		s += len;
	}
}

json_t *dr_out_json_text(const char *text)
{
	char *safe = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&safe, &len);
	json_t *value;

	if (f == NULL)
		return json_string("");
	dr_out_text(f, text);
	fclose(f);
	value = json_string(safe != NULL ? safe : "");
	free(safe);
	return value;
}

/* A value as one word or line; returns the columns it took (bytes, near enough for our own output). */
static int value_text(FILE *to, const json_t *value)
{
	char *packed;
	int width;

	if (json_is_string(value)) {
		const char *text = json_string_value(value);

		dr_out_text(to, *text != '\0' ? text : "-");
		return *text != '\0' ? (int)strlen(text) : 1;
	}
	if (value == NULL || json_is_null(value))
		return fprintf(to, "-");
	if (json_is_true(value))
		return fprintf(to, "yes");
	if (json_is_false(value))
		return fprintf(to, "no");
	if (json_is_integer(value))
		return fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_array_size(value) > 0 && json_is_string(json_array_get(value, 0))) {
		size_t i;
		const json_t *item;

		width = 0;
		json_array_foreach(value, i, item)
		{
			if (i > 0)
				width += fprintf(to, ", ");
			width += value_text(to, item);
		}
		return width;
	}
	if (json_is_array(value) && json_array_size(value) == 0)
		return fprintf(to, "none");
	packed = json_dumps(value, JSON_ENSURE_ASCII | JSON_COMPACT);
	width = packed != NULL ? (int)strlen(packed) : 0;
	dr_out_text(to, packed);
	free(packed);
	return width;
}

static void json_line(FILE *to, const json_t *obj)
{
	json_dumpf(obj, to, JSON_ENSURE_ASCII | JSON_COMPACT);
	fputc('\n', to);
}

void dr_out_object(struct dr_out *o, const json_t *obj)
{
	int width = 0;
	const char *key;
	json_t *value;

	if (dr_out_format_object(o) != DR_FORMAT_TABLE) {
		json_line(o->out, obj);
		fflush(o->out);
		return;
	}
	/* jansson's iteration does not change the object; its type only lacks the const. */
	json_object_foreach((json_t *)(uintptr_t)obj, key, value)
	{
		if ((int)strlen(key) > width)
			width = (int)strlen(key);
	}
	json_object_foreach((json_t *)(uintptr_t)obj, key, value)
	{
		fprintf(o->out, "%s", o->colour ? "\033[2m" : "");
		dr_out_text(o->out, key);
		fprintf(o->out, "%s%*s  ", o->colour ? "\033[0m" : "", width - (int)strlen(key), "");
		if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
			size_t i;
			const json_t *item;

			json_array_foreach(value, i, item)
			{
				if (i > 0)
					fprintf(o->out, "%*s  ", width, "");
				value_text(o->out, item);
				fputc('\n', o->out);
			}
			continue;
		}
		value_text(o->out, value);
		fputc('\n', o->out);
	}
	fflush(o->out);
}

void dr_rows_begin(struct dr_rows *r, struct dr_out *o, const struct dr_column *columns, size_t num_columns)
{
	*r = (struct dr_rows){ .o = o, .columns = columns, .num_columns = num_columns };
	switch (dr_out_format_rows(o)) {
	case DR_FORMAT_AUTO:
	case DR_FORMAT_NDJSON: return;
	case DR_FORMAT_JSON: fputc('[', o->out); return;
	case DR_FORMAT_TABLE: break;
	}
	fprintf(o->out, "%s", o->colour ? "\033[1m" : "");
	for (size_t i = 0; i < num_columns; i++) {
		bool last = i + 1 == num_columns;

		fprintf(o->out, "%-*s%s", last ? 0 : columns[i].width, columns[i].title, last ? "" : "  ");
	}
	fprintf(o->out, "%s\n", o->colour ? "\033[0m" : "");
}

void dr_rows_add(struct dr_rows *r, const json_t *row)
{
	FILE *out = r->o->out;

	switch (dr_out_format_rows(r->o)) {
	case DR_FORMAT_AUTO:
	case DR_FORMAT_NDJSON: json_line(out, row); break;
	case DR_FORMAT_JSON:
		fputs(r->num > 0 ? ",\n" : "\n", out);
		json_dumpf(row, out, JSON_ENSURE_ASCII | JSON_COMPACT);
		break;
	case DR_FORMAT_TABLE:
		for (size_t i = 0; i < r->num_columns; i++) {
			int width = value_text(out, json_object_get(row, r->columns[i].key));

			if (i + 1 < r->num_columns)
				fprintf(out, "%*s", width < r->columns[i].width ? r->columns[i].width - width + 2 : 2,
					"");
		}
		fputc('\n', out);
		break;
	}
	r->num++;
	fflush(out);
}

void dr_rows_end(struct dr_rows *r)
{
	if (dr_out_format_rows(r->o) == DR_FORMAT_JSON)
		fputs(r->num > 0 ? "\n]\n" : "]\n", r->o->out);
	fflush(r->o->out);
}

void dr_out_trouble(struct dr_out *o, const struct dr_trouble *t)
{
	const struct {
		const char *name, *text;
	} lines[] = {
		{ "expected", t->expected }, { "got", t->got },   { "source", t->source },
		{ "state", t->state },       { "next", t->next },
	};

	fputs("derot: ", o->err);
	dr_out_text(o->err, t->what);
	fputc('\n', o->err);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i].text == NULL)
			continue;
		fprintf(o->err, "  %-8s  ", lines[i].name);
		dr_out_text(o->err, lines[i].text);
		fputc('\n', o->err);
	}
	fflush(o->err);
	if (o->format == DR_FORMAT_JSON || o->format == DR_FORMAT_NDJSON) {
		json_t *error = json_pack("{s:s, s:o}", "code", t->code != NULL ? t->code : "error", "what",
					  dr_out_json_text(t->what));
		json_t *all;

		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
			if (lines[i].text != NULL)
				json_object_set_new(error, lines[i].name, dr_out_json_text(lines[i].text));
		}
		all = json_pack("{s:b, s:o}", "ok", 0, "error", error);
		json_line(o->out, all);
		json_decref(all);
		fflush(o->out);
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_MONOTONIC, &t) == 0 ? (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 : 0;
}

#define BAR_CELLS     30
#define DRAW_EVERY_MS 100

static void draw(struct dr_progress *p)
{
	FILE *err = p->o->err;

	fprintf(err, "\r\033[K%s ", p->label);
	if (p->total > 0) {
		uint64_t done = p->done < p->total ? p->done : p->total;
		int cells = (int)((double)done / (double)p->total * BAR_CELLS);

		fputc('[', err);
		for (int i = 0; i < BAR_CELLS; i++)
			fputc(i < cells ? '#' : '.', err);
		fprintf(err, "] %d%% ", (int)((double)done / (double)p->total * 100));
		fprintf(err, "%" PRIu64 "/%" PRIu64, p->done, p->total);
	} else {
		fprintf(err, "%" PRIu64, p->done);
	}
	fflush(err);
	p->shown = true;
}

void dr_progress_begin(struct dr_progress *p, struct dr_out *o, const char *label, uint64_t total)
{
	*p = (struct dr_progress){ .o = o, .label = label, .total = total, .drawn_ms = now_ms() };
}

void dr_progress_set(struct dr_progress *p, uint64_t done)
{
	int64_t now = now_ms();

	p->done = done;
	/* The first bar is drawn a moment late, so that short work shows none. */
	if (!p->o->err_terminal || now - p->drawn_ms < DRAW_EVERY_MS)
		return;
	p->drawn_ms = now;
	draw(p);
}

void dr_progress_end(struct dr_progress *p)
{
	if (p->shown) {
		fputs("\r\033[K", p->o->err);
		fflush(p->o->err);
	}
	p->shown = false;
}

bool dr_out_close(FILE *file)
{
	/* What is no plain file has no disk to be on. */
	const bool lost = ferror(file) != 0; /* by an earlier write, whose reason is no longer known */
	const bool good = fflush(file) == 0 && !lost &&
			  (fsync(fileno(file)) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP);
	const int error = lost ? EIO : errno;

	if (fclose(file) == 0 && good)
		return true;
	if (!good)
		errno = error;
	return false;
}
