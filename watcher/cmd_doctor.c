/* SPDX-License-Identifier: Apache-2.0
 *
 * derot doctor: looks for what would keep derot from running, before it runs. Every line says what was checked,
 * what was found, and what to do. It changes nothing, and believes the endpoints in nothing: it only compares.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "kms-bridge/process/sandbox.h"
#include "watcher/cli.h"
#include "watcher/doctor.h"

#define DISK_LEAST    ((uint64_t)1 << 30)
#define CLOCK_LEAST   1735689600 /* 2025-01-01: a clock before that was never set */
#define CLOCK_SLACK_S 60
#define WAIT_STEP_MS  200

void dr_doctor_tell(struct doctor *d, const char *check, enum grade grade, const char *next, const char *form, ...)
{
	static const char *const names[] = { "good", "warning", "bad" };
	char got[512];
	va_list args;
	json_t *row;

	va_start(args, form);
	vsnprintf(got, sizeof(got), form, args);
	va_end(args);
	d->num_bad += grade == BAD;
	d->num_warn += grade == WARN;
	row = json_pack("{s:o, s:s, s:o}", "check", dr_out_json_text(check), "result", names[grade], "got",
			dr_out_json_text(got));
	json_object_set_new(row, "next", grade == GOOD ? json_null() : dr_out_json_text(next));
	dr_rows_add(&d->rows, row);
	json_decref(row);
}

static void programs(struct doctor *d)
{
	static const char *const names[] = { "derot-core", "derot-watch", "derot-serve" };
	char folder[4096], path[4096 + 16];

	dr_cli_self(folder, sizeof(folder));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (access(path, X_OK) == 0)
			dr_doctor_tell(d, names[i], GOOD, NULL, "found beside derot");
		else
			dr_doctor_tell(d, names[i], BAD, "install the programs in one folder", "%s: %s", path,
				       strerror(errno));
	}
}

static void limits(struct doctor *d)
{
	struct rlimit lock;

	if (getrlimit(RLIMIT_MEMLOCK, &lock) == 0 && lock.rlim_cur < 1 << 18)
		dr_doctor_tell(d, "locked memory", WARN, "raise it: ulimit -l 1024, or LimitMEMLOCK= of the service",
			       "%" PRIu64 " bytes: keys might be written to swap", (uint64_t)lock.rlim_cur);
	else
		dr_doctor_tell(d, "locked memory", GOOD, NULL, "enough for keys");
}

static void sandbox(struct doctor *d)
{
	if (dr_sandbox_landlock() == 0)
		dr_doctor_tell(d, "sandbox", WARN, "run a kernel with Landlock (Linux 5.13, and lsm= with landlock)",
			       "the processes are bounded in %s", dr_sandbox_reach());
	else
		dr_doctor_tell(d, "sandbox", GOOD, NULL, "the processes are bounded in %s", dr_sandbox_reach());
}

static void our_clock(struct doctor *d)
{
	struct timex tx = { .modes = 0 };
	time_t now = time(NULL);

	if (now < CLOCK_LEAST)
		dr_doctor_tell(d, "clock", BAD, "set the clock; everything proven would count as of the future",
			       "it was never set");
	else if (adjtimex(&tx) >= 0 && (tx.status & STA_UNSYNC) != 0)
		dr_doctor_tell(d, "clock", WARN,
			       "run a time service (chrony, systemd-timesyncd): leases are measured by this clock",
			       "set, but not kept in step by a time service");
	else
		dr_doctor_tell(d, "clock", GOOD, NULL, "kept in step by a time service");
}

static void config_file(struct doctor *d, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & 022) != 0)
		dr_doctor_tell(d, "configuration", BAD, "chmod go-w: it says whom to believe",
			       "%s can be changed by others", path);
	else if (stat(path, &st) == 0 && (st.st_mode & 004) != 0)
		dr_doctor_tell(d, "configuration", GOOD, NULL,
			       "well formed; everybody can read it (mind credentials in URLs)");
	else
		dr_doctor_tell(d, "configuration", GOOD, NULL, "well formed");
}

static void data_dir(struct doctor *d, const char *path)
{
	struct stat st;
	struct statvfs fs;

	if (path[0] == '\0') {
		dr_doctor_tell(d, "data directory", WARN, "derot run needs data_dir", "not configured");
		return;
	}
	if (stat(path, &st) != 0) {
		dr_doctor_tell(d, "data directory", errno == ENOENT ? WARN : BAD,
			       "mkdir -m 700 it, owned by who runs derot", "%s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		dr_doctor_tell(d, "data directory", BAD, "name a directory", "%s is no directory", path);
	else if (st.st_uid != geteuid())
		dr_doctor_tell(d, "data directory", BAD, "run derot as its owner, or chown it",
			       "%s belongs to user %u, not to %u", path, (unsigned)st.st_uid, (unsigned)geteuid());
	else if ((st.st_mode & 022) != 0)
		dr_doctor_tell(d, "data directory", BAD, "chmod 700", "others can write to %s (mode %04o)", path,
			       st.st_mode & 07777);
	else if (access(path, W_OK | X_OK) != 0)
		dr_doctor_tell(d, "data directory", BAD, "chmod u+rwx", "%s: %s", path, strerror(errno));
	else if (statvfs(path, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < DISK_LEAST)
		dr_doctor_tell(d, "data directory", WARN, "make room: a store that cannot be written seals the keys",
			       "%" PRIu64 " MB free at %s", (uint64_t)fs.f_bavail * fs.f_frsize >> 20, path);
	else
		dr_doctor_tell(d, "data directory", (st.st_mode & 077) != 0 ? WARN : GOOD, "chmod 700",
			       "%s, mode %04o", path, st.st_mode & 07777);
}

/* A file with a secret; what to do when none is named, or it is not there yet. */
static void secret_file(struct doctor *d, const char *check, const char *path, const char *unnamed,
			const char *absent)
{
	struct stat st;

	if (path[0] == '\0') {
		if (unnamed != NULL)
			dr_doctor_tell(d, check, WARN, unnamed, "not configured");
	} else if (lstat(path, &st) != 0)
		dr_doctor_tell(d, check, WARN, absent, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 || st.st_uid != geteuid())
		dr_doctor_tell(d, check, BAD, "it must be a file of the user that runs derot, chmod 600, and no link",
			       "%s, mode %04o", path, st.st_mode & 07777);
	else
		dr_doctor_tell(d, check, GOOD, NULL, "%s, mode %04o", path, st.st_mode & 07777);
}

/* Whoever could write both could roll back both. */
static void checkpoints(struct doctor *d, const struct dr_config *c)
{
	for (size_t i = 0; i < c->num_checkpoints; i++) {
		const char *path = c->checkpoints[i];
		struct stat st;

		errno = 0;
		if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, R_OK) != 0)
			dr_doctor_tell(d, "checkpoint", BAD, "ask a peer for it, or take it out of checkpoints",
				       "%s: %s", path, errno != 0 ? strerror(errno) : "no plain file");
		else
			dr_doctor_tell(d, "checkpoint", GOOD, NULL, "%s", path);
	}
}

bool dr_doctor_call(struct dr_rpc_call *call, const char *method, const char *params)
{
	size_t len = strlen(params) + 1;

	snprintf(call->method, sizeof(call->method), "%s", method);
	call->params = dr_heap_alloc(len);
	if (call->params == NULL)
		return false;
	memcpy(call->params, params, len);
	return true;
}

enum call {
	CHAIN_ID,
	GENESIS,
	START,
	TAGGED,
	LATEST,
	NUM_CALLS,
};

static bool ask(struct dr_rpc *rpc, uint16_t endpoint, const struct dr_config *c, struct dr_fail *fail)
{
	struct dr_rpc_call *calls = dr_heap_alloc(NUM_CALLS * sizeof(*calls));
	char start[64], tagged[64];

	if (calls == NULL)
		return false;
	snprintf(start, sizeof(start), "[\"0x%" PRIx64 "\",false]", c->start_number);
	snprintf(tagged, sizeof(tagged), "[\"%s\",false]", dr_tag_name(c->tag));
	if (!dr_doctor_call(&calls[CHAIN_ID], "eth_chainId", "[]") ||
	    !dr_doctor_call(&calls[GENESIS], "eth_getBlockByNumber", "[\"0x0\",false]") ||
	    !dr_doctor_call(&calls[START], "eth_getBlockByNumber", start) ||
	    !dr_doctor_call(&calls[TAGGED], "eth_getBlockByNumber", tagged) ||
	    !dr_doctor_call(&calls[LATEST], "eth_getBlockByNumber", "[\"latest\",false]")) {
		for (size_t i = 0; i < NUM_CALLS; i++)
			dr_heap_free(calls[i].params);
		dr_heap_free(calls);
		return false;
	}
	return dr_rpc_post(rpc, endpoint, calls, NUM_CALLS, NULL, fail) == DR_OK;
}

/* The block in an answer, hash and all; false if there is none. */
static bool block_of(struct dr_evm_header *h, const struct dr_rpc_call *call, struct dr_arena *arena)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint8_t hash[32];

	return call->end == DR_RPC_RESULT && dr_json_header(h, call->reply.result, arena, &fail) == DR_OK &&
	       dr_evm_header_hash(hash, h, &fail) == DR_OK && memcmp(hash, h->hash, 32) == 0;
}

static void time_of(struct doctor *d, const char *name, const struct dr_evm_header *newest, const struct dr_config *c)
{
	/* Any server may say any time. */
	const uint64_t told = newest->timestamp < DR_TIME_MAX_S ? newest->timestamp : DR_TIME_MAX_S;
	const int64_t age = (int64_t)time(NULL) - (int64_t)told;
	uint64_t most = c->max_staleness_s != 0 ? c->max_staleness_s : DR_STALENESS_DEFAULT_S;

	if (age < -CLOCK_SLACK_S)
		dr_doctor_tell(d, name, WARN, "set our clock, or ask another endpoint",
			       "its newest block is %" PRId64 " s in our future", -age);
	else if (age > 0 && (uint64_t)age > most)
		dr_doctor_tell(d, name, WARN, "derot would be sealed: is the chain or the endpoint standing still?",
			       "its newest block %" PRIu64 " is %" PRId64 " s old; max_staleness is %" PRIu64 " s",
			       newest->number, age, most);
	else
		dr_doctor_tell(d, name, GOOD, NULL,
			       "chain, genesis and start block are as configured; newest block %" PRIu64 ", %" PRId64
			       " s old",
			       newest->number, age);
}

static void judge(struct doctor *d, const struct dr_rpc_exchange *x, const struct dr_config *c)
{
	struct dr_arena *arena = dr_arena_new(DR_JSON_ARENA_CAP);
	const struct dr_rpc_call *calls = x->calls;
	struct dr_evm_header genesis, start, tagged, newest;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint64_t chain_id = 0;
	char name[96];

	snprintf(name, sizeof(name), "endpoint %s", c->endpoints[x->endpoint].name);
	if (arena == NULL)
		dr_doctor_tell(d, name, BAD, "try again", "no memory");
	else if (x->end != DR_RPC_RESULT || !dr_rpc_end_is_answer(calls[CHAIN_ID].end))
		dr_doctor_tell(d, name, BAD, "is its address right, and does it run?", "%s",
			       dr_rpc_end_name(x->end != DR_RPC_RESULT ? x->end : calls[CHAIN_ID].end));
	else if (calls[CHAIN_ID].end != DR_RPC_RESULT ||
		 dr_json_u64(&chain_id, calls[CHAIN_ID].reply.result, &fail) != DR_OK)
		dr_doctor_tell(d, name, BAD, "is it an Ethereum JSON-RPC server?", "no answer to eth_chainId: %s",
			       dr_rpc_end_name(calls[CHAIN_ID].end));
	else if (chain_id != c->chain_id)
		dr_doctor_tell(d, name, BAD, "name an endpoint of the configured chain",
			       "chain id %" PRIu64 ", not %" PRIu64, chain_id, c->chain_id);
	else if (!block_of(&genesis, &calls[GENESIS], arena))
		dr_doctor_tell(d, name, BAD, "derot needs a server that keeps block 0", "no true block 0: %s",
			       dr_rpc_end_name(calls[GENESIS].end));
	else if (memcmp(genesis.hash, c->genesis, 32) != 0)
		dr_doctor_tell(d, name, BAD, "name an endpoint of the configured chain",
			       "another genesis than the configured one");
	else if (!block_of(&start, &calls[START], arena) || memcmp(start.hash, c->start_hash, 32) != 0)
		dr_doctor_tell(d, name, BAD, "compare start with the contract's creation; is the endpoint in step?",
			       "block %" PRIu64 " is not the configured start", c->start_number);
	else if (!block_of(&tagged, &calls[TAGGED], arena))
		dr_doctor_tell(d, name, BAD, "choose another finality tag, or another endpoint",
			       "it knows no block \"%s\"", dr_tag_name(c->tag));
	else if (!block_of(&newest, &calls[LATEST], arena))
		dr_doctor_tell(d, name, BAD, "ask another endpoint", "no true newest block: %s",
			       dr_rpc_end_name(calls[LATEST].end));
	else
		time_of(d, name, &newest, c);
	dr_arena_free(arena);
}

static void endpoints(struct doctor *d, const struct dr_config *c)
{
	const char *urls[DR_ENDPOINTS_MAX];
	const struct dr_rpc_limits rpc_limits = { .timeout_ms = c->timeout_ms,
						  .batch_requests = c->batch_requests,
						  .batch_bytes = c->batch_bytes,
						  .body_max = 1 << 20 };
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_rpc *rpc;
	struct dr_progress progress;
	size_t left = 0;

	const size_t num = (size_t)c->num_endpoints + c->num_beacons;

	for (size_t i = 0; i < c->num_endpoints; i++)
		urls[i] = c->endpoints[i].url;
	for (size_t i = 0; i < c->num_beacons; i++)
		urls[c->num_endpoints + i] = c->beacons[i].url;
	rpc = dr_rpc_new(urls, num, c->num_beacons, &rpc_limits);
	if (rpc == NULL) {
		dr_doctor_tell(d, "endpoints", BAD, "try again", "no memory");
		return;
	}
	for (uint16_t i = 0; i < num; i++)
		left += i < c->num_endpoints ? ask(rpc, i, c, &fail) : dr_doctor_beacon_ask(rpc, i, c, &fail);
	dr_progress_begin(&progress, &d->cli->out, "endpoints", left);
	/* Every exchange ends by its own deadline. */
	for (size_t done = 0; done < left;) {
		struct dr_rpc_exchange *x;
		short ready;

		dr_rpc_wait(rpc, -1, 0, &ready, WAIT_STEP_MS);
		while ((x = dr_rpc_done(rpc)) != NULL) {
			dr_progress_end(&progress);
			if (x->endpoint < c->num_endpoints)
				judge(d, x, c);
			else
				dr_doctor_beacon_judge(d, x, c);
			dr_rpc_exchange_free(x);
			dr_progress_set(&progress, ++done);
		}
		dr_progress_set(&progress, done);
	}
	dr_progress_end(&progress);
	if (left < num)
		dr_doctor_tell(d, "endpoints", BAD, "try again", "not all could be asked: no memory");
	dr_rpc_free(rpc);
}

int dr_cmd_doctor(struct dr_cli *cli, int argc, char **argv)
{
	static const struct dr_column columns[] = {
		{ "check", "CHECK", 20 }, { "result", "RESULT", 8 }, { "got", "FOUND", 60 }, { "next", "DO", 0 }
	};
	const char *path = NULL;
	const struct dr_opt opts[] = { { "config", 'c', DR_OPT_VALUE, &path } };
	struct doctor d = { .cli = cli };
	struct dr_yaml_error error = { "" };
	struct dr_config *config;
	int code = dr_cli_options(cli, &argc, argv, opts, 1);

	if (code != DR_EXIT_OK)
		return code;
	if (argc > 1)
		return dr_cli_usage(cli, "unexpected argument", argv[1]);
	dr_rows_begin(&d.rows, &cli->out, columns, sizeof(columns) / sizeof(columns[0]));
	programs(&d);
	limits(&d);
	sandbox(&d);
	our_clock(&d);
	config = dr_heap_alloc(sizeof(*config));
	if (path == NULL) {
		dr_doctor_tell(&d, "configuration", WARN, "derot doctor -c derot.yaml checks the rest", "none given");
	} else if (config == NULL) {
		dr_doctor_tell(&d, "configuration", BAD, "try again", "no memory");
	} else if (dr_config_load(config, path, &error) != DR_OK) {
		dr_doctor_tell(&d, "configuration", BAD, "mend the line that is named", "%s", error.text);
	} else {
		config_file(&d, path);
		data_dir(&d, config->data_dir);
		secret_file(&d, "key file", config->key_file, "derot run needs key_file", "derot keys init makes it");
		secret_file(&d, "passphrase file", config->passphrase_file, NULL,
			    "make it, chmod 600: derot keys init and derot run need it");
		checkpoints(&d, config);
		endpoints(&d, config);
	}
	dr_rows_end(&d.rows);
	if (path != NULL && config != NULL)
		dr_config_free(config);
	dr_heap_free(config);
	return d.num_bad > 0 ? DR_EXIT_ERROR : DR_EXIT_OK;
}
