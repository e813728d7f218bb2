/* SPDX-License-Identifier: Apache-2.0
 *
 * verify_kit: the command line on files of a folder of ours.
 */
#ifndef DR_TESTS_VERIFY_KIT_H
#define DR_TESTS_VERIFY_KIT_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/kit.h"
#include "watcher/cli.h"

static char kit_folder[] = "/tmp/derot-test-verify-XXXXXX";

static inline int kit_folder_make(void **state)
{
	(void)state;
	return mkdtemp(kit_folder) == NULL;
}

static inline int kit_folder_drop(void **state)
{
	DIR *dir = opendir(kit_folder);
	char path[512];

	(void)state;
	for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
		snprintf(path, sizeof(path), "%s/%s", kit_folder, e->d_name);
		unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	return rmdir(kit_folder);
}

static inline void kit_file(const char *name, struct dr_bytes content)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", kit_folder, name);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(content.ptr, 1, content.len, f), content.len);
	assert_int_equal(fclose(f), 0);
}

static inline void kit_text(const char *name, const char *text)
{
	kit_file(name, dr_bytes_of(text, strlen(text)));
}

/* kit_derot: `derot` with the words of line, of which one that begins with @ is a file of the folder. What it printed
 * is in *out and *err: to be freed. The exit code. */
static inline int kit_derot(char **out, char **err, const char *line)
{
	char *words = strdup(line), *argv[64] = { (char *)(uintptr_t) "derot" };
	char paths[64][256];
	size_t out_len, err_len;
	FILE *to = open_memstream(out, &out_len), *trouble = open_memstream(err, &err_len);
	int argc = 1;

	assert_non_null(words);
	for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
		assert_true(argc < 64);
		argv[argc] = word;
		if (word[0] == '@') {
			snprintf(paths[argc], sizeof(paths[0]), "%s/%s", kit_folder, word + 1);
			argv[argc] = paths[argc];
		}
		argc++;
	}
	const int code = dr_cli_main(argc, argv, to, trouble);

	fclose(to);
	fclose(trouble);
	free(words);
	return code;
}

/* kit_answer: as kit_derot, for one JSON object on the output; the caller gives the reference back. */
static inline json_t *kit_answer(int expected, const char *line)
{
	char *out = NULL, *err = NULL;
	const int code = kit_derot(&out, &err, line);
	json_t *root = json_loads(out, 0, NULL);

	if (code != expected || root == NULL)
		fail_msg("%s: exit %d (expected %d)\n%s\n%s", line, code, expected, out, err);
	assert_int_equal(json_is_true(json_object_get(root, "ok")), code == DR_EXIT_OK);
	free(out);
	free(err);
	return root;
}

/* A text inside an object, "" if there is none. */
static inline const char *kit_said(const json_t *root, const char *object, const char *key)
{
	const json_t *from = object != NULL ? json_object_get(root, object) : root;
	const char *text = json_string_value(json_object_get(from, key));

	return text != NULL ? text : "";
}

#endif
