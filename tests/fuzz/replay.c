/* SPDX-License-Identifier: Apache-2.0
 *
 * replay: drives a libFuzzer-style target without libFuzzer: every file of its corpus as it is, every
 * truncation of it, every single-bit flip (a stride of them for large files), and random splices. A file's splices
 * are its own: they depend on its name, not on the other files or their order, and not on what the target draws.
 *
 *   fuzz_<target> [-rounds=N | -once] CORPUS-FOLDER
 *
 * -once: the files as they are, and no more.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long runs;
static uint64_t drawn; /* splitmix64 */

static size_t draw(size_t below)
{
	uint64_t z = drawn += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((z ^ z >> 31) % below);
}

static void draw_as(const char *name)
{
	drawn = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (; *name != '\0'; name++)
		drawn = (drawn ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
}

static void once(const uint8_t *data, size_t size)
{
	/* An exact-size copy, so that a read past the end is seen. */
	uint8_t *copy = dr_heap_alloc(size);

	DR_ASSERT(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	dr_heap_free(copy);
	runs++;
}

static void around(uint8_t *data, size_t size, unsigned long rounds)
{
	const size_t stride_cut = size / 512 + 1, stride_flip = size * 8 / 4096 + 1;

	once(data, size);
	for (size_t cut = 0; cut < size; cut += stride_cut)
		once(data, cut);
	for (size_t bit = 0; bit < size * 8; bit += stride_flip) {
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		once(data, size);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	uint8_t *copy = dr_heap_alloc(size * 2 + 16);

	DR_ASSERT(copy != NULL);
	for (unsigned long i = 0; i < rounds && size > 0; i++) {
		memcpy(copy, data, size);
		for (size_t n = 1 + draw(8); n > 0; n--) {
			const size_t at = draw(size);

			copy[at] = (uint8_t)draw(256);
		}
		const size_t from = draw(size), to = draw(size), len = draw(size);

		if (from + len <= size && to + len <= size)
			memmove(copy + to, copy + from, len);
		once(copy, draw(4) == 0 ? draw(size) : size);
	}
	dr_heap_free(copy);
}

int main(int argc, char **argv)
{
	unsigned long rounds = 2000;
	const char *folder = NULL;
	bool as_is = false;
	unsigned files = 0;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-rounds=", 8) == 0)
			rounds = strtoul(argv[i] + 8, NULL, 10);
		else if (strcmp(argv[i], "-once") == 0)
			as_is = true;
		else
			folder = argv[i];
	}
	once((const uint8_t *)"", 0);
	DIR *dir = folder != NULL ? opendir(folder) : NULL;

	if (dir == NULL) {
		fprintf(stderr, "%s: no corpus at %s\n", argv[0], folder != NULL ? folder : "-");
		return 1;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char path[4096];
		static uint8_t data[1 << 20];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		FILE *file = fopen(path, "rb");

		if (file == NULL)
			continue;
		const size_t size = fread(data, 1, sizeof(data), file);

		fclose(file);
		draw_as(entry->d_name);
		if (as_is)
			once(data, size);
		else
			around(data, size, rounds);
		files++;
	}
	closedir(dir);
	printf("%s: %u corpus files, %lu runs\n", argv[0], files, runs);
	return files == 0;
}
