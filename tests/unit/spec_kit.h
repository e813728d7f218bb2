/* SPDX-License-Identifier: Apache-2.0
 *
 * spec_kit: what consensus-spec-tests come in: files as they are, snappy's block format, tar, and the few shapes of
 * YAML that their generator writes. For tests alone: the product reads none of it.
 */
#ifndef DR_TESTS_SPEC_KIT_H
#define DR_TESTS_SPEC_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "tests/unit/kit.h"

/* spec_path: DEROT_VECTORS/path; lives until the process ends. */
static inline const char *spec_path(const char *path)
{
	const char *root = getenv("DEROT_VECTORS");
	const size_t room = strlen(path) + (root != NULL ? strlen(root) : 32) + 2;
	char *full = (char *)kit_alloc(room);

	snprintf(full, room, "%s/%s", root != NULL ? root : "../shared/vectors", path);
	return full;
}

/* spec_file: all bytes of DEROT_VECTORS/path, gunzipped if they are gzip; skips the test by name if there is none. */
static inline struct dr_bytes spec_file(const char *path)
{
	const size_t room = (size_t)8 << 20;
	gzFile file = gzopen(spec_path(path), "rb");

	if (file == NULL) {
		print_message("absent: %s\n", spec_path(path));
		skip();
		return dr_bytes_of(NULL, 0);
	}
	uint8_t *bytes = malloc(room);

	assert_non_null(bytes);
	const int len = gzread(file, bytes, (unsigned)room);

	assert_true(len >= 0 && (size_t)len < room);
	gzclose(file);
	uint8_t *kept = kit_alloc((size_t)len);

	memcpy(kept, bytes, (size_t)len);
	free(bytes);
	return dr_bytes_of(kept, (size_t)len);
}

/* spec_snappy: google/snappy format_description.txt, the block format that .ssz_snappy files are in. */
static inline struct dr_bytes spec_snappy(struct dr_bytes in)
{
	size_t at = 0, len = 0, put = 0;
	unsigned shift = 0;

	do {
		assert_true(at < in.len && shift < 32);
		len |= (size_t)(in.ptr[at] & 0x7f) << shift;
		shift += 7;
	} while (in.ptr[at++] & 0x80);
	uint8_t *out = kit_alloc(len);

	while (at < in.len) {
		const uint8_t tag = in.ptr[at++];
		size_t run = 0, back = 0;

		if ((tag & 3) == 0) { /* literal */
			run = tag >> 2;
			if (run >= 60) {
				const size_t more = run - 59;

				assert_true(more <= in.len - at);
				run = 0;
				for (size_t i = 0; i < more; i++)
					run |= (size_t)in.ptr[at + i] << (8 * i);
				at += more;
			}
			run++;
			assert_true(run <= in.len - at && run <= len - put);
			memcpy(out + put, in.ptr + at, run);
			at += run;
			put += run;
			continue;
		}
		const size_t more = (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4;

		assert_true(more <= in.len - at);
		for (size_t i = 0; i < more; i++)
			back |= (size_t)in.ptr[at + i] << (8 * i);
		at += more;
		run = (tag >> 2) + 1u;
		if (more == 1) {
			run = (tag >> 2 & 7) + 4u;
			back |= (size_t)(tag >> 5) << 8;
		}
		assert_true(back > 0 && back <= put && run <= len - put);
		for (; run > 0; run--, put++)
			out[put] = out[put - back];
	}
	assert_int_equal(put, len);
	return dr_bytes_of(out, len);
}

/* spec_ssz: an .ssz_snappy file. */
static inline struct dr_bytes spec_ssz(const char *folder, const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s.ssz_snappy", folder, name);
	return spec_snappy(spec_file(path));
}

/* spec_tar: the file `path` of a tar (POSIX.1-1988 ustar), or {NULL, 0}; idx names the n-th file instead if path is
 * NULL, whose name is then in name[256]. */
static inline struct dr_bytes spec_tar(struct dr_bytes tar, const char *path, size_t idx, char *name)
{
	for (size_t at = 0; at + 512 <= tar.len && tar.ptr[at] != 0;) {
		const char *head = (const char *)tar.ptr + at;
		char size[13] = { 0 };

		memcpy(size, head + 124, 12);
		const size_t len = (size_t)strtoull(size, NULL, 8);

		assert_true(len <= tar.len - at - 512);
		if (head[156] == '0' && (path != NULL ? strncmp(head, path, 100) == 0 : idx-- == 0)) {
			if (name != NULL)
				snprintf(name, 256, "%.100s", head);
			return dr_bytes_of(tar.ptr + at + 512, len);
		}
		at += 512 + (len + 511) / 512 * 512;
	}
	return dr_bytes_of(NULL, 0);
}

/* spec_line: the next line of text: what stands before the colon, without indentation and dashes, and what stands
 * behind it, without quotes; a bare value has an empty key. False at the end. */
static inline bool spec_line(struct dr_bytes *text, char key[128], char value[256])
{
	const char *line = (const char *)text->ptr;
	size_t len = 0;

	if (text->len == 0)
		return false;
	while (len < text->len && line[len] != '\n')
		len++;
	text->ptr += len < text->len ? len + 1 : len;
	text->len -= len < text->len ? len + 1 : len;
	while (len > 0 && (*line == ' ' || *line == '-')) {
		line++;
		len--;
	}
	const char *colon = memchr(line, ':', len);
	const char *rest = colon != NULL ? colon + 1 : line;

	snprintf(key, 128, "%.*s", colon != NULL ? (int)(colon - line) : 0, line);
	size_t left = len - (size_t)(rest - line);

	while (left > 0 && (*rest == ' ' || *rest == '\'')) {
		rest++;
		left--;
	}
	while (left > 0 && rest[left - 1] == '\'')
		left--;
	snprintf(value, 256, "%.*s", (int)left, rest);
	return true;
}

/* spec_key: the value of a key of a flat document; "" if there is none. Keys may stand in braces: {root: '0x…'}. */
static inline const char *spec_key(struct dr_bytes text, const char *key)
{
	char name[128];
	char *value = (char *)kit_alloc(256);

	while (spec_line(&text, name, value)) {
		const char *bare = name[0] == '{' ? name + 1 : name;

		value[strcspn(value, "'}")] = '\0';
		if (strcmp(bare, key) == 0)
			return value;
	}
	return "";
}

static inline uint64_t spec_u64(struct dr_bytes text, const char *key)
{
	const char *value = spec_key(text, key);

	assert_true(value[0] != '\0');
	return strtoull(value, NULL, 0);
}

static inline const uint8_t *spec_hex(const char *text)
{
	assert_true(text[0] == '0' && text[1] == 'x');
	return kit_hex(text + 2).ptr;
}

#endif
