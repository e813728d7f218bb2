/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_file: the files that people write: u8 kind (a profile, an anchor, requests, a scenario, a configuration, a
 * secret) · the file. It lies in memory, as descriptor 200; a configuration or an anchor may name the profile there
 * as `profile: 201`. What must hold: a failure says where; a profile that loads has the canonical form it decodes
 * from; what loads of the others keeps their bounds and, for an anchor, reads the same when it is written and read
 * again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "watcher/anchor.h"
#include "watcher/config.h"
#include "watcher/profile_yaml.h"
#include "watcher/scenario.h"
#include "watcher/secret_file.h"

#define FILE_FD    200
#define PROFILE_FD 201
#define PATH       "/proc/self/fd/200"

static const char profile_yaml[] =
	"name: p\ncode_hash: '0x1111111111111111111111111111111111111111111111111111111111111111'\nstate_every: 8\n"
	"stealth_window: 60\nexposure_grace: 60\nevents:\n"
	"  - event: MeasurementAllowed(uint64 proposal, uint64 due, bytes32 measurement)\n    action: "
	"measurement.allow\n"
	"slots:\n  - kind: measurement\n    slot: 2\n";

static void in_memory(int fd)
{
	const int made = memfd_create("fuzz", 0);

	DR_ASSERT(made >= 0 && dup2(made, fd) == fd && fchmod(fd, 0600) == 0);
	close(made);
}

static void put(int fd, const void *bytes, size_t len)
{
	DR_ASSERT(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, len, 0) == (ssize_t)len);
}

static void profile(struct dr_yaml_error *error)
{
	static struct dr_profile p, back;
	struct dr_fail fail = { 0 };
	struct dr_buf form;

	dr_buf_init(&form, DR_PROFILE_LEN_MAX);
	if (dr_profile_load(&p, &form, PATH, error) == DR_OK) {
		DR_ASSERT(dr_profile_decode(&back, dr_buf_view(&form), &fail) == DR_OK);
		DR_ASSERT(memcmp(p.digest, back.digest, 32) == 0 && p.num_events == back.num_events);
	} else {
		DR_ASSERT(error->text[0] != '\0');
	}
	dr_buf_free(&form);
}

static void anchor(struct dr_yaml_error *error)
{
	static struct dr_init init, back;
	struct dr_buf form, form_back;

	dr_buf_init(&form, DR_ANCHOR_FORM_MAX);
	dr_buf_init(&form_back, DR_ANCHOR_FORM_MAX);
	memset(&init, 0, sizeof(init));
	memset(&back, 0, sizeof(back));
	if (dr_anchor_load(&init, &form, PATH, error) != DR_OK) {
		DR_ASSERT(error->text[0] != '\0');
	} else {
		char path[64];

		snprintf(path, sizeof(path), "/dev/shm/derot-fuzz-%d", (int)getpid());
		unlink(path);
		DR_ASSERT(dr_anchor_write(&init, "/proc/self/fd/201", path, error) == DR_OK);
		DR_ASSERT(dr_anchor_load(&back, &form_back, path, error) == DR_OK);
		unlink(path);
		DR_ASSERT(back.chain_id == init.chain_id && back.start_number == init.start_number);
		DR_ASSERT(memcmp(back.genesis, init.genesis, 32) == 0 &&
			  memcmp(back.contract, init.contract, 20) == 0);
		DR_ASSERT(dr_bytes_eq(dr_buf_view(&form), dr_buf_view(&form_back)));
		DR_ASSERT(back.proof == init.proof && dr_bytes_eq(back.network, init.network) &&
			  memcmp(back.checkpoint, init.checkpoint, 32) == 0 &&
			  strcmp(back.checkpoint_from, init.checkpoint_from) == 0 &&
			  strcmp(back.checkpoint_aged, init.checkpoint_aged) == 0);
	}
	dr_buf_free(&form);
	dr_buf_free(&form_back);
}

static void requests(struct dr_yaml_error *error)
{
	static struct dr_ask asks[DR_ASKS_MAX];
	uint8_t bytes[DR_REQUEST_LEN_MAX];
	struct dr_fail fail = { 0 };
	size_t num = 0, len;

	if (dr_asks_load(asks, &num, PATH, error) != DR_OK) {
		DR_ASSERT(error->text[0] != '\0');
		return;
	}
	DR_ASSERT(num <= DR_ASKS_MAX);
	for (size_t i = 0; i < num; i++)
		DR_ASSERT(dr_request_encode(bytes, sizeof(bytes), &len, &asks[i].request, &fail) == DR_OK);
}

static void scenario(struct dr_yaml_error *error)
{
	struct dr_scenario *s = NULL;
	struct dr_yaml *yaml = NULL;

	if (dr_scenario_load(&s, &yaml, PATH, error) == DR_OK)
		DR_ASSERT(s != NULL && yaml != NULL &&
			  (s->played_by != NULL || (s->accounts != NULL && s->council.quorum != NULL &&
						    s->node != NULL && s->start_time != NULL && s->steps != NULL)));
	else
		DR_ASSERT(s == NULL && error->text[0] != '\0');
	dr_scenario_free(s, yaml);
}

static void config(struct dr_yaml_error *error)
{
	static struct dr_config c;
	static struct dr_init init;
	struct dr_fail fail = { 0 };

	if (dr_config_load(&c, PATH, error) == DR_OK) {
		DR_ASSERT(c.num_endpoints >= 1 && c.num_endpoints <= DR_ENDPOINTS_MAX);
		if (c.proof == DR_PROOF_CONSENSUS)
			DR_ASSERT(c.quorum_k == 0 && c.num_beacons >= 1 &&
				  c.num_endpoints + c.num_beacons <= DR_ENDPOINTS_MAX &&
				  dr_network_check(&c.network, &fail) == DR_OK && c.network_form_len > 0 &&
				  !dr_bytes_zero(c.checkpoint_root, 32) && c.checkpoint_from[0] != '\0');
		else
			DR_ASSERT(c.quorum_k >= 1 && c.quorum_k <= c.num_endpoints && c.network_form_len == 0);
		DR_ASSERT(c.step_max >= 1 && c.step_max <= DR_FOLLOW_STEP_MAX);
		for (size_t i = 0; i < c.num_endpoints; i++)
			DR_ASSERT(strncmp(c.endpoints[i].url, "http", 4) == 0 && c.endpoints[i].name[0] != '\0');
		if (dr_config_init(&init, &c, DR_MODE_RUN, &fail) != DR_OK)
			DR_ASSERT(fail.what != NULL);
		dr_config_free(&c);
	} else {
		DR_ASSERT(error->text[0] != '\0');
	}
}

static void secret(const uint8_t *bytes, size_t len)
{
	uint8_t key[32];
	struct dr_fail fail = { 0 };

	if (dr_secret_file_read(key, PATH, &fail) != DR_OK)
		DR_ASSERT(dr_bytes_zero(key, 32) && fail.what != NULL);
	else
		DR_ASSERT(len == 32 ? memcmp(key, bytes, 32) == 0 : len >= 64 && len <= 67);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct dr_yaml_error error = { "" };

	if (!ready) {
		in_memory(FILE_FD);
		in_memory(PROFILE_FD);
		put(PROFILE_FD, profile_yaml, sizeof(profile_yaml) - 1);
		ready = true;
	}
	if (size == 0)
		return 0;
	put(FILE_FD, data + 1, size - 1);
	switch (data[0] % 6) {
	case 0: profile(&error); break;
	case 1: anchor(&error); break;
	case 2: requests(&error); break;
	case 3: scenario(&error); break;
	case 4: config(&error); break;
	default: secret(data + 1, size - 1); break;
	}
	DR_ASSERT(memchr(error.text, 0, sizeof(error.text)) != NULL);
	return 0;
}
