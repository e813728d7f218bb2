/* SPDX-License-Identifier: Apache-2.0
 *
 * derot version [--digest]: what this is, and the SHA-256 of the executables that work together, so that an
 * operator can compare them with a reproducible build's.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "chain/crypto/sha256.h"
#include "watcher/cli.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

static bool digest_file(char hex[static 65], const char *path)
{
	struct stat st;
	void *map = MAP_FAILED;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t digest[32];

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED)
		return false;
	dr_sha256_one(digest, map, (size_t)st.st_size);
	munmap(map, (size_t)st.st_size);
	dr_hex_put(hex, digest, sizeof(digest));
	return true;
}

int dr_cmd_version(struct dr_cli *cli, int argc, char **argv)
{
	static const char *const programs[] = { "derot", "derot-core", "derot-watch", "derot-serve" };
	bool digest = false;
	const struct dr_opt opts[] = { { "digest", 0, DR_OPT_FLAG, &digest } };
	char folder[4096];
	json_t *obj;
	int code = dr_cli_options(cli, &argc, argv, opts, 1);

	if (code != DR_EXIT_OK)
		return code;
	if (argc > 1)
		return dr_cli_usage(cli, "unexpected argument", argv[1]);
	obj = json_pack("{s:s, s:s}", "version", DR_VERSION, "compiler", COMPILER);
	dr_cli_self(folder, sizeof(folder));
	for (size_t i = 0; digest && i < sizeof(programs) / sizeof(programs[0]); i++) {
		char path[4096 + 16];
		char hex[65];

		snprintf(path, sizeof(path), "%s/%s", folder, programs[i]);
		/* One's own file may have been replaced since; /proc still names the one that runs. */
		if (digest_file(hex, i == 0 ? "/proc/self/exe" : path)) {
			json_object_set_new(obj, programs[i], json_string(hex));
			continue;
		}
		json_object_set_new(obj, programs[i], json_null());
		fprintf(cli->out.err, "derot version: cannot read ");
		dr_out_text(cli->out.err, path);
		fprintf(cli->out.err, ": install the three programs in one folder\n");
		code = DR_EXIT_ERROR;
	}
	dr_out_object(&cli->out, obj);
	json_decref(obj);
	return code;
}
