/* SPDX-License-Identifier: Apache-2.0
 *
 * out: everything the command line prints: objects and rows in three formats, errors that say what to do
 * next, progress.
 *
 * Foreign text never reaches a terminal or a log as it came: control characters, invalid UTF-8 and
 * characters that reorder text are shown as \xNN or \u{NNNN}, so that one line stays one line and says what
 * it seems to say. JSON output is plain ASCII.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_OUT_H
#define DR_WATCHER_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "chain/base/err.h"

enum dr_format {
	DR_FORMAT_AUTO = 0, /* table on a terminal; else JSON for one object, NDJSON for rows */
	DR_FORMAT_TABLE,
	DR_FORMAT_JSON,
	DR_FORMAT_NDJSON,
};

struct dr_out {
	FILE *out;
	FILE *err;
	enum dr_format format; /* as asked for */
	bool out_terminal, err_terminal;
	bool colour; /* out is a terminal, TERM is not dumb, NO_COLOR is unset or empty (no-color.org) */
};

/* dr_out_init: writes to these two streams, which it borrows; looks at the terminal and environment. */
void dr_out_init(struct dr_out *o, FILE *out, FILE *err);

/* dr_format_parse: "table", "json" or "ndjson"; false for anything else. */
bool dr_format_parse(enum dr_format *format, const char *text);

/* The format in which one object, or a run of rows, is printed. Never AUTO. */
enum dr_format dr_out_format_object(const struct dr_out *o);
enum dr_format dr_out_format_rows(const struct dr_out *o);

/* dr_out_text: text with everything unsafe made visible. NULL prints as "-". */
void dr_out_text(FILE *to, const char *text);

/* dr_out_json_text: the same as a JSON string, so that any bytes (a file name) can be told. A new reference. */
json_t *dr_out_json_text(const char *text);

/* dr_out_object: one object: "name  value" lines, or JSON on one line. Borrows obj. */
void dr_out_object(struct dr_out *o, const json_t *obj);

/* Rows: objects with the same members, printed as they come. A column is as wide as said; longer values
 * push the rest of their line. JSON prints one array, closed by dr_rows_end; NDJSON one object per line. */
struct dr_column {
	const char *key;
	const char *title;
	int width; /* of the last column: ignored */
};

struct dr_rows {
	struct dr_out *o;
	const struct dr_column *columns;
	size_t num_columns;
	uint64_t num;
};

void dr_rows_begin(struct dr_rows *r, struct dr_out *o, const struct dr_column *columns, size_t num_columns);
void dr_rows_add(struct dr_rows *r, const json_t *row); /* borrows row; flushes, so that a reader sees it now */
void dr_rows_end(struct dr_rows *r);

/* What an error says. Members may be NULL when there is nothing to say, but `what` and `next` never are. */
struct dr_trouble {
	const char *code; /* stable lower-case word for scripts */
	const char *what; /* what was checked, or attempted */
	const char *expected;
	const char *got;
	const char *source; /* file, endpoint or process it came from */
	const char *state;  /* what is true now: "nothing was written", … */
	const char *next;   /* what to do */
};

/* dr_out_trouble: the error in words on the error stream; with a JSON format asked for also as
 * {"ok":false,"error":{…}} on the output stream. */
void dr_out_trouble(struct dr_out *o, const struct dr_trouble *t);

/* dr_out_close: closes a file that was written; it is on the disk. False: some of it is not, and errno. */
bool dr_out_close(FILE *file);

/* A bar on the error stream, only if that is a terminal, drawn at most ten times a second. total 0: unknown. */
struct dr_progress {
	struct dr_out *o;
	const char *label;
	uint64_t total, done;
	int64_t drawn_ms;
	bool shown;
};

void dr_progress_begin(struct dr_progress *p, struct dr_out *o, const char *label, uint64_t total);
void dr_progress_set(struct dr_progress *p, uint64_t done);
void dr_progress_end(struct dr_progress *p); /* wipes the bar */

#endif
