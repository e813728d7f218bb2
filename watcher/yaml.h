/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml: configuration files, strictly: what a file does not say in so many words it does not say.
 *
 * libcyaml checks the shape (unknown and missing keys, lists, closed sets of words) and hands out strings; numbers,
 * hashes and addresses are read here. libcyaml 1.3.1 lets the last of two equal keys win, follows aliases, and
 * reads -1, 10x, 010 and misspelt booleans as values; so a pass over libyaml's events comes first, which refuses
 * doubled keys, anchors, aliases, tags and second documents, and remembers on which line every key stands.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_YAML_H
#define DR_WATCHER_YAML_H

#include <cyaml/cyaml.h>

#include "chain/base/bytes.h"
#include "chain/base/err.h"

#define DR_YAML_LEN_MAX   (1u << 20)
#define DR_YAML_DEPTH_MAX 8u
#define DR_YAML_KEYS_MAX  2048u

/* "file:line: key: what is wrong". Printable ASCII and UTF-8 as the file has it; show it with dr_out_text. */
struct dr_yaml_error {
	char text[1024];
};

struct dr_yaml; /* a file, read */

/* dr_yaml_open: reads the file and makes the first pass. *out is NULL on failure. */
enum dr_err dr_yaml_open(struct dr_yaml **out, const char *path, struct dr_yaml_error *error);
void dr_yaml_free(struct dr_yaml *y); /* takes y, which may be NULL */

/* dr_yaml_load: the file as schema says, in libcyaml's memory: give it back with dr_yaml_unload. */
enum dr_err dr_yaml_load(void **out, const struct dr_yaml *y, const cyaml_schema_value_t *schema,
			 struct dr_yaml_error *error);
void dr_yaml_unload(const cyaml_schema_value_t *schema, void *loaded); /* loaded may be NULL */

/* dr_yaml_fail: records that key ("chain.id", "endpoints[1].url") is wrong, with its line; returns err. */
enum dr_err dr_yaml_fail(const struct dr_yaml *y, enum dr_err err, const char *key, const char *what,
			 struct dr_yaml_error *error);

/* Fields of a schema: a string that must be there, one that may be absent (NULL then). */
#define DR_YAML_TEXT(key, type, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 0, 2048)
#define DR_YAML_TEXT_OR_NOT(key, type, member)                                                                       \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0, 2048)

/* Values. text is what libcyaml gave; NULL leaves *out as it is (the default) and is DR_OK. */

/* dr_yaml_u64: decimal digits without sign or leading zero, between min and max. */
enum dr_err dr_yaml_u64(uint64_t *out, const struct dr_yaml *y, const char *key, const char *text, uint64_t min,
			uint64_t max, struct dr_yaml_error *error);

/* dr_yaml_hex: 0x and exactly 2*len digits. */
enum dr_err dr_yaml_hex(uint8_t *out, size_t len, const struct dr_yaml *y, const char *key, const char *text,
			struct dr_yaml_error *error);

/* dr_yaml_text: one line, not empty, without control characters, that fits cap with its NUL. */
enum dr_err dr_yaml_text(char *out, size_t cap, const struct dr_yaml *y, const char *key, const char *text,
			 struct dr_yaml_error *error);

/* dr_yaml_path: a path; a relative one is taken from the folder of the file that names it. */
enum dr_err dr_yaml_path(char *out, size_t cap, const struct dr_yaml *y, const char *key, const char *text,
			 struct dr_yaml_error *error);

#endif
