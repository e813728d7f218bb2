/* SPDX-License-Identifier: Apache-2.0
 *
 * test_faults [PART]: whatever call fails or takes for ever, and wherever a core dies, it goes on from where it was,
 * its ledger is the one it would have been, and no key left without a durable record. Parts: fail, kill, lose, stall,
 * recording; without one, all. derot-core is looked for in the folder above this program, shim.so beside it.
 * DEROT_CORE: another program instead; DEROT_PRELOAD: what is to be loaded before the shim (a sanitizer).
 * DEROT_FAULTS: cases of each row at most (default 5, 0: all there are).
 *
 * Two stretches of a forged chain: the first from an empty folder until the core has made its root, the second from
 * there, with the root published, until an application has its right and loses it again.
 */
#include "tests/unit/kms-bridge/engine_kit.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/faults/drive.h"

static char here[PATH_MAX], core[PATH_MAX + 16], shim[2 * PATH_MAX + 16];
static char dir[64]; /* everything made here: first/ (as the first stretch left it), case/ */
static size_t per_row = 5;
#define ENOUGH 10 /* bad cases: the others tell nothing new */

struct stretch {
	const char *name;
	const char *from; /* what a case begins with: a folder to copy, or NULL */
	struct drive_script script;
	struct drive_log ledger;
	struct drive_key keys[DRIVE_KEYS];
	size_t num_keys;
	struct drive_fault quiet; /* the counts of a run without a fault */
};
static struct stretch first, second;
static struct world w;

static void run(const char *format, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), format, a, b);
	assert_int_equal(system(command), 0);
}

/* The folder case/, as the stretch begins. */
static void begin_case(const struct stretch *s)
{
	char to[128];

	snprintf(to, sizeof(to), "%s/case", dir);
	run("rm -rf %s", to, "");
	if (s->from != NULL)
		run("cp -a %s %s", s->from, to);
	else
		run("mkdir -m 700 %s", to, "");
}

static void place(struct drive_script *script)
{
	snprintf(script->init.data_dir, sizeof(script->init.data_dir), "%s/case/data", dir);
	snprintf(script->init.key_file, sizeof(script->init.key_file), "%s/case/key", dir);
	script->init.mode = DR_MODE_RUN;
	script->init.clock = DR_CLOCK_SYSTEM;
	/* The chain's time is long past, and the clock is the system's. */
	script->init.max_staleness_s = UINT64_C(1) << 40;
}

/* The foreign frames of a recording without its head, from `frames` on. */
static void take_frames(struct drive_script *script, struct dr_bytes frames)
{
	while (frames.len > 0) {
		struct dr_fail fail = { 0 };
		struct dr_frame frame;
		size_t used;

		assert_int_equal(dr_frame_get(&frame, &used, frames, &fail), DR_OK);
		assert_true(script->num_frames < DRIVE_FRAMES);
		if (!dr_frame_is_core(frame.type)) {
			script->frames[script->num_frames] = frame;
			script->frames[script->num_frames++].payload = copy_of(frame.payload.ptr, frame.payload.len);
		}
		frames = dr_bytes_of(frames.ptr + used, frames.len - used);
	}
}

/* The chain until the block at which the root is due. */
static void build_first(void)
{
	struct w words[3], key, key2, value;

	srand(1);
	w.forge = forge_new(3);
	w.k = kit_new();
	w.k->number = START - 1;
	w.k->time = 1000000 - 1;
	w.k->fold.start_number = START;
	kit_founders(w.k, w.k->time + 1);
	ACT(w.k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
	world_block(&w, 1);
	kit_node(w.k, NODE, DR_ROLE_KMS, KMS, 5);
	ACT(w.k, DR_ACTION_APP_REGISTER, 0, DEPLOYER, 0, kit_b(APP), kit_b(0x0c), kit_n(APP_NOTICE), kit_n(3));
	ACT(w.k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, w.k->time + 1 + APP_NOTICE, kit_b(APP),
	    kit_b(VERSION));
	key = kit_b(APP);
	key2 = kit_b(VERSION);
	value = kit_n(w.k->time + 1 + APP_NOTICE);
	world_slot(&w, 3, &key, &key2, value.b);
	world_block(&w, 1);
	words[0] = kit_b(KMS);
	world_pass(&w, DR_ACTION_MEASUREMENT_ALLOW, NOTICE_MEASUREMENT, words, 1);
	key = kit_b(KMS);
	value = kit_n(w.k->time + 1 + NOTICE_MEASUREMENT);
	world_slot(&w, 2, &key, NULL, value.b);
	world_block(&w, 1);
	words[0] = kit_n(1);
	words[1] = kit_a(NODE);
	words[2] = kit_n(w.k->time + 10000);
	world_pass(&w, DR_ACTION_ROOT_ROTATE, NOTICE_ROOT, words, 3);
	world_block(&w, 1);
	world_block(&w, NOTICE_ROOT);
}

/* And on: the root is published; three blocks later the app's right is taken away. */
static void build_second(const struct dr_root_public *root)
{
	struct w words[11], key = kit_n(1), value;
	uint8_t pubs[64];

	words[0] = kit_n(1);
	memcpy(words[1].b, root->words, sizeof(root->words));
	kit_act(w.k, DR_ACTION_ROOT_PUBLISH, 0, NODE, 0, words, 11);
	memcpy(pubs, root->words[1], 32);
	memcpy(pubs + 32, root->words[4], 32);
	dr_keccak256(value.b, pubs, 64);
	world_slot(&w, 5, &key, NULL, value.b);
	world_block(&w, 1);
	world_plain(&w, 3);
	world_revoke(&w, 1);
	world_plain(&w, 2);
}

/* Frames and requests up to block `last`, one final block after the other; the engine here takes them as they go. */
static void record(struct stretch *s, struct engine_kit *k, uint64_t last, bool asks)
{
	const size_t before = k->kept.len;
	size_t at = before;

	if (k->step_number == 0)
		ek_start(k);
	while (k->step_number < last) {
		w.forge->final_number = k->step_number == 0 ? START : k->step_number + 1;
		ek_run(k, w.forge->final_number);
		take_frames(&s->script, dr_bytes_of(k->kept.ptr + at, k->kept.len - at));
		at = k->kept.len;
		for (int i = 0; asks && i < 2; i++) {
			s->script.asks[s->script.num_asks].at = s->script.num_frames;
			s->script.asks[s->script.num_asks].request = world_request();
			s->script.asks[s->script.num_asks++].request.purpose =
				i == 0 ? DR_PURPOSE_SEAL : DR_PURPOSE_SIGN;
		}
	}
}

/* A run without a fault, under the shim, which counts; and what the engine in this process says of the ledger. */
static void run_quiet(struct stretch *s, struct engine_kit *k)
{
	static struct drive_seen seen;
	char why[DR_TEXT_MAX];
	uint8_t root[32];

	begin_case(s);
	memset(&seen, 0, sizeof(seen));
	if (drive(&seen, core, shim, &s->script, &s->quiet, why) != DRIVE_STOPPED)
		fail_msg("%s, without a fault: %s %s", s->name, why, seen.fatal);
	assert_false(s->quiet.lost);
	s->ledger = seen.logs[0];
	memcpy(s->keys, seen.keys, sizeof(s->keys));
	s->num_keys = seen.num_keys;
	if (!drive_holds(&seen, &s->ledger, s->keys, s->num_keys, why))
		fail_msg("%s, without a fault: %s", s->name, why);
	if (k != NULL) {
		dr_merkle_root(root, dr_engine_ledger(k->e));
		assert_int_equal(s->ledger.size, dr_engine_ledger(k->e)->size);
		assert_memory_equal(s->ledger.root, root, 32);
	}
	print_message("# %s: %zu frames, %zu keys and %zu denials, ledger %llu, journal %llu\n", s->name,
		      s->script.num_frames, seen.num_keys, seen.num_denied, (unsigned long long)seen.logs[0].size,
		      (unsigned long long)seen.logs[1].size);
}

/* One case: a run with the fault, another without; what holds. What does not is told, and the others go on. */
static size_t num_bad;
static void run_case(const struct stretch *s, struct drive_fault *fault, const char *name, bool must_happen)
{
	static struct drive_seen seen;
	char why[2 * DR_TEXT_MAX + 16], last[DR_TEXT_MAX];

	begin_case(s);
	memset(&seen, 0, sizeof(seen));
	const enum drive_end end = drive(&seen, core, shim, &s->script, fault, why);

	snprintf(last, sizeof(last), "%s", seen.fatal);
	if (end != DRIVE_BAD && fault->lost)
		snprintf(why, sizeof(why), "more was unsynced than the shim remembers");
	else if (end != DRIVE_BAD && must_happen && !fault->done)
		snprintf(why, sizeof(why), "it did not happen");
	else if (end != DRIVE_BAD && drive(&seen, core, NULL, &s->script, NULL, why) != DRIVE_STOPPED)
		snprintf(why + strlen(why), sizeof(why) - strlen(why), " (undisturbed) %s", seen.fatal);
	else if (end != DRIVE_BAD && drive_holds(&seen, &s->ledger, s->keys, s->num_keys, why))
		return;
	num_bad++;
	print_error("# %s, %s: %s; its last words then: %s\n", s->name, name, why, last);
}

struct row {
	const char *name;
	enum fault_call call;
	enum fault_way way;
	int error;
	bool sticky;
};

/* Every nth, or as many as asked for, spread over all there are; the last too. */
static void run_row(const struct stretch *s, const struct row *row)
{
	const uint64_t num = s->quiet.num[row->call];
	const uint64_t cases = per_row == 0 || num < per_row ? num : per_row;

	for (uint64_t i = 0; i < cases && num_bad < ENOUGH; i++) {
		const uint64_t nth = cases == num ? i + 1 : 1 + i * (num - 1) / (cases - 1);
		struct drive_fault fault = { .plan = { .call = row->call,
						       .way = row->way,
						       .nth = nth,
						       .sticky = row->sticky,
						       .error = row->error,
						       .seed = nth } };
		char name[128];

		snprintf(name, sizeof(name), "%s, the %lluth of %llu", row->name, (unsigned long long)nth,
			 (unsigned long long)num);
		run_case(s, &fault, name, false);
	}
}

static const struct row failures[] = {
	{ "reading fails", FAULT_READ, FAULT_FAIL, EIO, false },
	{ "writing fails", FAULT_WRITE, FAULT_FAIL, EIO, false },
	{ "no space for a file", FAULT_WRITE, FAULT_FAIL, ENOSPC, true },
	{ "the database cannot be written", FAULT_PWRITE, FAULT_FAIL, EIO, false },
	{ "no space for the database", FAULT_PWRITE, FAULT_FAIL, ENOSPC, true },
	{ "a sync fails", FAULT_SYNC, FAULT_FAIL, EIO, false },
	{ "every sync fails", FAULT_SYNC, FAULT_FAIL, EIO, true },
	{ "a truncation fails", FAULT_TRUNCATE, FAULT_FAIL, EIO, false },
	{ "a file cannot be opened", FAULT_OPEN, FAULT_FAIL, EMFILE, false },
	{ "a close fails", FAULT_CLOSE, FAULT_FAIL, EIO, false },
	{ "a file cannot be removed", FAULT_UNLINK, FAULT_FAIL, EPERM, false },
	{ "a file cannot be renamed", FAULT_RENAME, FAULT_FAIL, EIO, false },
	{ "nothing can be mapped", FAULT_MMAP, FAULT_FAIL, ENOMEM, false },
	{ "no memory, once", FAULT_MALLOC, FAULT_FAIL, ENOMEM, false },
	{ "no memory any more", FAULT_MALLOC, FAULT_FAIL, ENOMEM, true },
};

static const struct row losses[] = {
	{ "dies in a write", FAULT_WRITE, FAULT_HALF, 0, false },
	{ "dies in a write to the database", FAULT_PWRITE, FAULT_HALF, 0, false },
	{ "dies before a write to the database", FAULT_PWRITE, FAULT_DIE, 0, false },
	{ "dies before a file is opened", FAULT_OPEN, FAULT_DIE, 0, false },
	{ "dies before a file is closed", FAULT_CLOSE, FAULT_DIE, 0, false },
	{ "dies before a file is removed", FAULT_UNLINK, FAULT_DIE, 0, false },
	{ "dies before a file is renamed", FAULT_RENAME, FAULT_DIE, 0, false },
	{ "the power goes before a message is written", FAULT_WRITE, FAULT_LOSE, 0, false },
	{ "the power goes before a write to the database", FAULT_PWRITE, FAULT_LOSE, 0, false },
	{ "the power goes before a sync", FAULT_SYNC, FAULT_LOSE, 0, false },
	{ "the power goes before a read", FAULT_READ, FAULT_LOSE, 0, false },
	{ "the power goes before a sync, some was written", FAULT_SYNC, FAULT_SOME, 0, false },
	{ "the power goes before a write, some was written", FAULT_PWRITE, FAULT_SOME, 0, false },
};

static void test_fail(void **state)
{
	(void)state;
	num_bad = 0;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		run_row(&first, &failures[i]);
		run_row(&second, &failures[i]);
	}
	assert_int_equal(num_bad, 0);
}

static void test_lose(void **state)
{
	(void)state;
	num_bad = 0;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		run_row(&first, &losses[i]);
		run_row(&second, &losses[i]);
	}
	assert_int_equal(num_bad, 0);
}

/* A key is there, and then the power goes: its record stands. */
static void test_lose_at_a_key(void **state)
{
	(void)state;
	num_bad = 0;
	assert_true(second.num_keys > 0);
	for (int some = 0; some <= 1; some++) {
		for (size_t i = 0; i < 4; i++) {
			struct drive_fault fault = { .plan = { .call = FAULT_CALLS,
							       .way = some == 1 ? FAULT_SOME : FAULT_LOSE,
							       .seed = i },
						     .lose_at_key = true };

			run_case(&second, &fault, "the power goes when a key was given", true);
		}
	}
	assert_int_equal(num_bad, 0);
}

/* The disk stands still in a sync until every lease is over: what was allowed before is not carried out after it. */
static void test_stall(void **state)
{
	static struct drive_seen seen;
	const uint64_t num = second.quiet.num[FAULT_SYNC];
	size_t in_between = 0, withheld = 0;

	(void)state;
	for (uint64_t nth = 1; nth <= num; nth++) {
		struct drive_fault fault = { .plan = { .call = FAULT_SYNC, .way = FAULT_STALL, .nth = nth } };
		const struct drive_log *journal = &seen.told[1];
		bool sealed = true, asked = false;
		char why[DR_TEXT_MAX];

		begin_case(&second);
		memset(&seen, 0, sizeof(seen));
		if (drive(&seen, core, shim, &second.script, &fault, why) != DRIVE_STOPPED || !fault.done)
			fail_msg("the %lluth sync: %s %s", (unsigned long long)nth, why, seen.fatal);
		for (uint64_t i = 0; i < journal->size; i++) {
			const struct drive_entry *e = &journal->entries[i];

			if (e->kind == DR_NOTE_LEASE && e->sealed && asked)
				in_between++;
			if (e->kind == DR_NOTE_LEASE)
				sealed = e->sealed;
			if (e->withheld)
				withheld++;
			else if (e->kind == DR_NOTE_RELEASE && sealed)
				fail_msg("the %lluth sync: a key left while sealed", (unsigned long long)nth);
			for (size_t key = 0; key < seen.num_keys && e->withheld; key++)
				if (seen.keys[key].request_idx == e->request_idx)
					fail_msg("the %lluth sync: a key left that was withheld",
						 (unsigned long long)nth);
			asked = e->kind == DR_NOTE_REQUEST;
		}
	}
	/* Between a request and its key, for some; for some after its release was journalled. */
	assert_true(in_between > 0);
	assert_true(withheld > 0);
}

static void kill_each(const struct stretch *s)
{
	const size_t num = s->quiet.num_messages;
	const size_t cases = per_row == 0 || num < 3 * per_row ? num : 3 * per_row;

	for (size_t i = 0; i < cases && num_bad < ENOUGH; i++) {
		const size_t at = cases == num ? i + 1 : 1 + i * (num - 1) / (cases - 1);
		struct drive_fault fault = { .kill_at = at, .kill_us = (unsigned)(at % 3) * 400 };
		char name[64];

		snprintf(name, sizeof(name), "killed at message %zu of %zu", at, num);
		run_case(s, &fault, name, false);
	}
}

static void test_kill(void **state)
{
	(void)state;
	num_bad = 0;
	kill_each(&first);
	kill_each(&second);
	assert_int_equal(num_bad, 0);
}

/* A recording of a real chain, whole; killed on its way. */
static void test_recording(void **state)
{
	static struct stretch demo = { .name = "fixtures/demo.ev" };
	static struct dr_buf buf;
	struct dr_fail fail = { 0 };
	struct dr_frame about;
	size_t used;

	(void)state;
	num_bad = 0;
	FILE *file = fopen("fixtures/demo.ev", "rb");

	assert_non_null(file);
	dr_buf_init(&buf, 64u << 20);
	uint8_t *to = dr_buf_reserve(&buf, 16u << 20, &fail);

	assert_non_null(to);
	buf.len = fread(to, 1, 16u << 20, file);
	fclose(file);
	const struct dr_bytes frames = dr_bytes_of(buf.ptr + DR_EVIDENCE_HEAD_LEN, buf.len - DR_EVIDENCE_HEAD_LEN);

	assert_int_equal(dr_frame_get(&about, &used, frames, &fail), DR_OK);
	assert_int_equal(about.type, DR_FRAME_ABOUT);
	if (dr_init_get(&demo.script.init, about.payload, &fail) != DR_OK)
		fail_msg("what the recording says about itself: %s", fail.what);
	place(&demo.script);
	take_frames(&demo.script, frames);
	for (size_t i = 1; i <= 8; i++) {
		demo.script.asks[i - 1].at = demo.script.num_frames * i / 8;
		demo.script.asks[i - 1].request = world_request();
	}
	demo.script.num_asks = 8;
	run_quiet(&demo, NULL);
	assert_int_equal(demo.num_keys, 0);
	assert_true(demo.ledger.size > 20);
	kill_each(&demo);
	dr_buf_free(&buf);
	assert_int_equal(num_bad, 0);
}

static int set_up(void **state)
{
	static struct drive_seen seen;
	const char *other = getenv("DEROT_CORE"), *num = getenv("DEROT_FAULTS"), *before = getenv("DEROT_PRELOAD");
	struct engine_kit *k;
	static char from[128];
	char why[DR_TEXT_MAX];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (num != NULL)
		per_row = strtoul(num, NULL, 10);
	if (per_row == 1)
		per_row = 2;
	snprintf(core, sizeof(core), "%s/../derot-core", here);
	if (other != NULL)
		snprintf(core, sizeof(core), "%s", other);
	snprintf(shim, sizeof(shim), "%s%s%s/shim.so", before != NULL ? before : "", before != NULL ? ":" : "", here);
	strcpy(dir, "/tmp/derot-faults-XXXXXX");
	assert_non_null(mkdtemp(dir));
	first.name = "from the beginning";
	second.name = "with a root";
	build_first();
	k = ek_new(&w, DR_WAY_BLOOM, 512);
	ek_init(&first.script.init, &w, DR_WAY_BLOOM, 512);
	place(&first.script);
	record(&first, k, w.tip->header.number, false);
	first.script.root = true;
	run_quiet(&first, k);
	/* Once more, to stay: the second stretch begins here. */
	begin_case(&first);
	assert_int_equal(drive(&seen, core, NULL, &first.script, NULL, why), DRIVE_STOPPED);
	assert_int_equal(seen.root.generation, 1);
	run("mv %s/case %s/first", dir, dir);
	snprintf(from, sizeof(from), "%s/first", dir);
	second.from = from;
	/* The second stretch's script has all frames: the driver goes on from where the store is. */
	second.script = first.script;
	second.script.root = false;
	build_second(&seen.root);
	record(&second, k, w.tip->header.number, true);
	run_quiet(&second, k);
	assert_true(second.num_keys >= 4);
	ek_free(k);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_free(&w);
	run("rm -rf %s", dir, "");
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fail), cmocka_unit_test(test_lose),  cmocka_unit_test(test_lose_at_a_key),
		cmocka_unit_test(test_kill), cmocka_unit_test(test_stall), cmocka_unit_test(test_recording),
	};
	char filter[64], *slash;

	assert(realpath(argv[0], here) != NULL);
	if ((slash = strrchr(here, '/')) != NULL)
		*slash = '\0';

	if (argc > 1) {
		snprintf(filter, sizeof(filter), "test_%s*", argv[1]);
		cmocka_set_test_filter(filter);
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
