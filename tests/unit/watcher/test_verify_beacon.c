/* SPDX-License-Identifier: Apache-2.0
 *
 * derot verify beacon, on a chain of ours: what each step moves, which rule a refusal breaks, and every exit code.
 */
#include "tests/unit/chain/beacon_forge.h"
#include "tests/unit/watcher/beacon_json.h"
#include "tests/unit/watcher/verify_kit.h"

static const char spec_text[] =
	"{\"data\":{\"CONFIG_NAME\":\"ours\",\"SLOTS_PER_EPOCH\":\"8\",\"EPOCHS_PER_SYNC_COMMITTEE_PERIOD\":\"8\","
	"\"SYNC_COMMITTEE_SIZE\":\"32\",\"SECONDS_PER_SLOT\":\"6\",\"GENESIS_FORK_VERSION\":\"0x00000001\","
	"\"ALTAIR_FORK_VERSION\":\"0x01000001\",\"ALTAIR_FORK_EPOCH\":\"0\","
	"\"BELLATRIX_FORK_VERSION\":\"0x02000001\",\"BELLATRIX_FORK_EPOCH\":\"0\","
	"\"CAPELLA_FORK_VERSION\":\"0x03000001\",\"CAPELLA_FORK_EPOCH\":\"%s\","
	"\"DENEB_FORK_VERSION\":\"0x04000001\",\"DENEB_FORK_EPOCH\":\"%s\","
	"\"ELECTRA_FORK_VERSION\":\"0x05000001\",\"ELECTRA_FORK_EPOCH\":\"%s\","
	"\"FULU_FORK_VERSION\":\"0x06000001\",\"FULU_FORK_EPOCH\":\"%s\",\"GLOAS_FORK_EPOCH\":\"%s\"}}";
#define NEVER "18446744073709551615"

static const char genesis_text[] = "{\"data\":{\"genesis_time\":\"1700000000\",\"genesis_validators_root\":"
				   "\"0x5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e\"}}";

static struct dr_network net;
static char root[2 + 64 + 1]; /* of the checkpoint: block 200, period 3 */

/* Forks: Capella, Deneb and Electra together, Fulu, one that is not known. */
static void spec_file_of(const char *name, const char *capella, const char *later, const char *fulu,
			 const char *unknown)
{
	char text[1024];

	snprintf(text, sizeof(text), spec_text, capella, later, later, fulu, unknown);
	kit_text(name, text);
}

static void load(const char *spec)
{
	struct dr_network_notes notes;
	struct dr_fail fail = { 0 };
	char a[256], b[256];

	snprintf(a, sizeof(a), "%s/%s", kit_folder, spec);
	snprintf(b, sizeof(b), "%s/genesis.json", kit_folder);
	assert_int_equal(dr_json_network_load(&net, a, b, true, &notes, &fail), DR_OK);
}

static struct dr_beacon_item item_of(const struct dr_lc_update *u)
{
	return (struct dr_beacon_item){ .kind = (enum dr_beacon_kind)u->kind, .update = *u };
}

/* A file of one update as a node answers it in JSON. */
static void put_update(const char *name, const struct dr_lc_update *u)
{
	const struct dr_beacon_item item = item_of(u);
	json_t *json = json_pack("{s:s, s:o}", "version", dr_beacon_fork_name(u->fork), "data",
				 beacon_item_json(&net, &item));
	char *text = json_dumps(json, JSON_COMPACT);

	kit_text(name, text);
	free(text);
	json_decref(json);
}

static void put_bootstrap(const char *name, const struct forge_block *b)
{
	const struct dr_beacon_item item = { .kind = DR_BEACON_BOOTSTRAP, .bootstrap = forge_bootstrap(&net, b) };

	kit_file(name, beacon_item_ssz(&net, &item));
}

/* period 3 is of slots 192 to 255, 4 begins at 256 */
static struct forge_block *block_200, *block_208, *block_240;

static void make_world(void)
{
	struct dr_lc_update u;

	block_200 = forge_block(&net, 0, 200, NULL);
	block_208 = forge_block(&net, 0, 208, block_200);
	block_240 = forge_block(&net, 0, 240, block_208);
	snprintf(root, sizeof(root), "0x");
	for (size_t i = 0; i < 32; i++)
		snprintf(root + 2 + 2 * i, 3, "%02x", block_200->root[i]);
	put_bootstrap("bootstrap", block_200);
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 224, block_208));
	put_update("update3", &u);
	u = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, 248, block_240));
	put_update("finality", &u);
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 288, forge_block(&net, 0, 272, NULL)));
	put_update("update4", &u);
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 352, forge_block(&net, 0, 336, NULL)));
	put_update("update5", &u);
	u = forge_update(&net, DR_LC_OPTIMISTIC_UPDATE, forge_block(&net, 0, 250, NULL));
	put_update("optimistic", &u);
}

static int setup(void **state)
{
	if (kit_folder_make(state) != 0)
		return 1;
	kit_text("genesis.json", genesis_text);
	spec_file_of("spec.json", "0", "0", NEVER, NEVER);
	load("spec.json");
	make_world();
	return 0;
}

/* Runs with files; slot: the clock stands at its beginning. */
static json_t *run_at(int expected, uint64_t slot, const char *spec, const char *files)
{
	char line[1024];

	snprintf(line, sizeof(line), "verify beacon --spec @%s --genesis @genesis.json --checkpoint %s --now %llu %s",
		 spec, root, (unsigned long long)dr_network_time(&net, slot), files);
	return kit_answer(expected, line);
}

static json_t *run(int expected, const char *files)
{
	return run_at(expected, 1000, "spec.json", files);
}

static uint64_t number(const json_t *answer, const char *key)
{
	const json_t *value = json_object_get(answer, key);

	if (!json_is_integer(value))
		fail_msg("%s is no number", key);
	return (uint64_t)json_integer_value(value);
}

/* The names of what a step moved, with blanks between. */
static const char *moved(const json_t *answer, size_t idx)
{
	static char text[128];
	const json_t *list = json_object_get(json_array_get(json_object_get(answer, "steps"), idx), "moved");
	size_t i;
	const json_t *name;

	text[0] = '\0';
	json_array_foreach(list, i, name)
	{
		const size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? " " : "", json_string_value(name));
	}
	return text;
}

static void test_steps(void **state)
{
	json_t *a = run(0, "@bootstrap @update3 @finality @optimistic @update4 @update4");
	const json_t *steps = json_object_get(a, "steps");

	(void)state;
	assert_int_equal(json_array_size(steps), 6);
	assert_string_equal(moved(a, 0), "checkpoint");
	assert_string_equal(moved(a, 1), "final head next_committee");
	assert_string_equal(moved(a, 2), "final head");
	assert_string_equal(moved(a, 3), "head");
	assert_string_equal(moved(a, 4), "final head next_committee period");
	assert_string_equal(moved(a, 5), "");
	assert_string_equal(kit_said(json_array_get(steps, 5), NULL, "note"), "valid, and adds nothing");
	assert_string_equal(kit_said(json_array_get(steps, 3), NULL, "kind"), "optimistic_update");
	assert_true(json_is_null(json_object_get(json_array_get(steps, 3), "finalized_slot")));
	assert_int_equal(number(json_array_get(steps, 1), "participation"), 32);
	assert_int_equal(number(json_array_get(steps, 1), "of"), 32);
	assert_int_equal(number(a, "finalized_slot"), 272);
	assert_int_equal(number(a, "execution_number"), 272);
	assert_int_equal(strlen(kit_said(a, NULL, "execution_hash")), 66);
	assert_int_equal(number(a, "period"), 4);
	assert_int_equal(number(a, "head_slot"), 288);
	assert_true(json_is_true(json_object_get(a, "next_committee_known")));
	assert_int_equal(number(a, "now"), dr_network_time(&net, 1000));
	assert_string_equal(kit_said(a, NULL, "now_from"), "--now");
	assert_int_equal(number(a, "checkpoint_slot"), 200);
	assert_int_equal(number(a, "checkpoint_age_s"), 800 * 6);
	assert_string_equal(kit_said(a, NULL, "network"), "ours");
	assert_null(json_object_get(a, "warning"));
	json_t *unproven = json_pack("[s]", "signature_slot");

	assert_true(json_equal(json_object_get(a, "unproven"), unproven));
	json_decref(unproven);
	json_decref(a);

	/* A bootstrap alone proves its block; of one without updates nothing is unproven. */
	a = run(0, "@bootstrap");
	assert_int_equal(number(a, "finalized_slot"), 200);
	assert_string_equal(kit_said(a, NULL, "finalized_root"), root);
	assert_false(json_is_true(json_object_get(a, "next_committee_known")));
	assert_int_equal(json_array_size(json_object_get(a, "unproven")), 0);
	json_decref(a);

	/* Older than 14 days: told, not refused: whoever asks may be looking at the past. */
	a = run_at(0, 200 + 14 * 86400 / 6, "spec.json", "@bootstrap");
	assert_null(json_object_get(a, "warning"));
	json_decref(a);
	a = run_at(0, 201 + 14 * 86400 / 6, "spec.json", "@bootstrap");
	assert_non_null(strstr(kit_said(a, NULL, "warning"), "older than 14 days"));
	json_decref(a);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name, *files;
		int code;
		const char *word, *what, *expected, *got, *source;
	} rows[] = {
		{ "a gap", "@bootstrap @update3 @update5", 3, "stale",
		  "signed in a period after the next: updates are lacking", "period 3 or 4", "period 5", "update5" },
		{ "a committee not learned", "@bootstrap @update4", 3, "stale",
		  "signed by the next committee, which is not known yet", "", "", "update4" },
		{ "of old", "@bootstrap @update3 @update4 @finality", 3, "stale", "signed in a period that is over",
		  "period 4 or 5", "period 3", "finality" },
		{ "an update first", "@update3 @bootstrap", 1, "syntax",
		  "an update before the bootstrap: the bootstrap comes first", "", "", "update3" },
		{ "two bootstraps", "@bootstrap @update3 @bootstrap", 1, "syntax", "a second bootstrap", "", "",
		  "bootstrap" },
		{ "no bootstrap", "@none", 1, "short", "no bootstrap", "", "", "none" },
		{ "no file", "@bootstrap @absent", 1, "io", "the file cannot be opened", "",
		  "No such file or directory", "absent" },
		{ "no JSON", "@bootstrap @words", 1, "syntax", "not valid JSON (byte offset)", "", "", "words" },
		{ "nothing", "@bootstrap @empty", 1, "syntax", "empty text where JSON was expected", "", "",
		  "empty" },
		{ "a node's no", "@bootstrap @error", 1, "syntax", "the node answered with an error, not with data",
		  "", "", "error" },
		{ "21 of 32", "@bootstrap @minority", 3, "proof", "fewer than two thirds of the committee signed",
		  "at least 22", "21", "minority" },
		{ "signed before it was", "@bootstrap @early", 3, "proof",
		  "signed no later than the attested header's slot", "signature_slot above 224", "224", "early" },
		{ "final after attested", "@bootstrap @order", 3, "proof",
		  "the finalized header is later than the attested one", "a finalized slot of at most 208", "240",
		  "order" },
		{ "nobody's signature", "@bootstrap @forged", 3, "proof",
		  "the signature is not of these keys over this message", "", "", "forged" },
		{ "another version", "@bootstrap @version", 3, "proof",
		  "the version is not that of the attested header's slot", "", "", "version" },
		{ "a bootstrap of another root", "@other", 3, "proof",
		  "the bootstrap's header is not the checkpoint's", root, NULL, "other" },
		{ "two that are final", "@bootstrap @update3 @finality @conflict", 4, "conflict",
		  "two blocks of one slot are final", "", "", "conflict" },
	};
	struct dr_lc_update u;
	json_t *version;

	(void)state;
	kit_text("none", "[]");
	kit_text("words", "period 3, please");
	kit_text("empty", "");
	kit_text("error", "{\"code\":404,\"message\":\"no\"}");
	put_bootstrap("other", block_208);
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 224, block_208));
	forge_sign(&u, &net, 3, 21);
	put_update("minority", &u);
	forge_sign(&u, &net, 3, 22);
	put_update("enough", &u);
	forge_sign(&u, &net, 4, 32);
	put_update("forged", &u);
	forge_sign(&u, &net, 3, 32);
	u.signature_slot = 224;
	put_update("early", &u);
	u = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, 208, block_240));
	put_update("order", &u);
	u = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, 248, forge_block(&net, 1, 240, NULL)));
	put_update("conflict", &u);
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 224, block_208));
	const struct dr_beacon_item item = item_of(&u);

	version = json_pack("{s:s, s:o}", "version", "deneb", "data", beacon_item_json(&net, &item));
	char *text = json_dumps(version, 0);

	kit_text("version", text);
	free(text);
	json_decref(version);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *a = run(rows[i].code, rows[i].files);
		const char *source = kit_said(a, "error", "source");

		if (strcmp(kit_said(a, "error", "code"), rows[i].word) != 0 ||
		    strcmp(kit_said(a, "error", "what"), rows[i].what) != 0 ||
		    strcmp(kit_said(a, "error", "expected"), rows[i].expected) != 0 ||
		    (rows[i].got != NULL && strcmp(kit_said(a, "error", "got"), rows[i].got) != 0) ||
		    strcmp(source + strlen(kit_folder) + 1, rows[i].source) != 0)
			fail_msg("%s: %s", rows[i].name, json_dumps(a, 0));
		/* What was proven before it is told, with the clock. */
		assert_int_equal(number(a, "now"), dr_network_time(&net, 1000));
		assert_true(json_is_array(json_object_get(a, "steps")));
		assert_null(json_object_get(a, "finalized_slot"));
		json_decref(a);
	}
	json_decref(run(0, "@bootstrap @enough"));
}

/* The clock: the second before the signature's slot begins is soon enough. */
static void test_clock(void **state)
{
	char line[512];
	json_t *a;

	(void)state;
	json_decref(run_at(0, 225, "spec.json", "@bootstrap @update3"));
	for (int early = 1; early <= 2; early++) {
		snprintf(line, sizeof(line),
			 "verify beacon --spec @spec.json --genesis @genesis.json --checkpoint %s --now %llu "
			 "@bootstrap "
			 "@update3",
			 root, (unsigned long long)dr_network_time(&net, 225) - (unsigned)early);
		a = kit_answer(early == 1 ? 0 : 3, line);
		if (early == 2) {
			assert_string_equal(kit_said(a, "error", "what"), "signed in the future");
			assert_string_equal(kit_said(a, "error", "expected"), "signature_slot of at most 224");
			assert_string_equal(kit_said(a, "error", "got"), "225");
		}
		json_decref(a);
	}
	a = run_at(3, 100, "spec.json", "@bootstrap");
	assert_string_equal(kit_said(a, "error", "what"), "the checkpoint lies in the future");
	json_decref(a);
	snprintf(line, sizeof(line),
		 "verify beacon --spec @spec.json --genesis @genesis.json --checkpoint %s --now 0 @bootstrap", root);
	a = kit_answer(3, line);
	assert_string_equal(kit_said(a, "error", "code"), "stale");
	json_decref(a);
	/* Without --now: the system's, which is long after. */
	snprintf(line, sizeof(line),
		 "verify beacon --spec @spec.json --genesis @genesis.json --checkpoint %s @bootstrap", root);
	a = kit_answer(0, line);
	assert_string_equal(kit_said(a, NULL, "now_from"), "system clock");
	assert_true(number(a, "now") > 1700001200);
	json_decref(a);
}

/* The same data in every form a node answers, under whatever name. */
static void test_forms(void **state)
{
	struct dr_lc_update u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 224, block_208));
	struct dr_lc_update v =
		forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 288, forge_block(&net, 0, 272, NULL)));
	const struct dr_beacon_item items[] = { item_of(&u), item_of(&v) };
	uint8_t *frames = kit_alloc(2 * (12 + dr_lc_len_max(&net)));
	size_t len = 0;
	char *text;
	json_t *a, *list = json_array();

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct dr_bytes ssz = beacon_item_ssz(&net, &items[i]);

		for (unsigned k = 0; k < 8; k++)
			frames[len + k] = (uint8_t)((uint64_t)(ssz.len + 4) >> (8 * k));
		assert_true(dr_network_digest(frames + len + 8, &net, DR_BEACON_ELECTRA));
		memcpy(frames + len + 12, ssz.ptr, ssz.len);
		len += 12 + ssz.len;
		json_array_append_new(list,
				      json_pack("{s:s, s:o, s:b, s:{s:i}}", "version", "electra", "data",
						beacon_item_json(&net, &items[i]), "finalized", 1, "meta", "x", 1));
	}
	kit_file("frames.json", dr_bytes_of(frames, len)); /* the name says nothing */
	kit_file("plain.bin", beacon_item_ssz(&net, &items[0]));
	text = json_dumps(list, JSON_INDENT(2));
	kit_text("list.ssz", text);
	free(text);

	a = run(0, "@bootstrap @frames.json");
	assert_int_equal(number(a, "finalized_slot"), 272);
	assert_int_equal(number(json_array_get(json_object_get(a, "steps"), 2), "at"), 1);
	assert_int_equal(json_array_size(json_object_get(a, "unproven")), 1);
	json_decref(a);
	a = run(0, "@bootstrap @plain.bin");
	assert_int_equal(number(a, "finalized_slot"), 208);
	json_decref(a);
	a = run(0, "@bootstrap @list.ssz");
	assert_int_equal(number(a, "finalized_slot"), 272);
	json_t *unproven = json_pack("[s, s, s]", "finalized", "meta", "signature_slot");

	assert_true(json_equal(json_object_get(a, "unproven"), unproven));
	json_decref(unproven);
	json_decref(a);

	/* The second of a list is refused: it is told which. */
	v.aggregate.signature[50] ^= 1;
	const struct dr_beacon_item bad = item_of(&v);

	json_object_set_new(json_array_get(list, 1), "data", beacon_item_json(&net, &bad));
	text = json_dumps(list, 0);
	kit_text("list.ssz", text);
	free(text);
	a = run(3, "@bootstrap @list.ssz");
	assert_string_equal(kit_said(a, "error", "at"), "[1]");
	assert_int_equal(json_array_size(json_object_get(a, "steps")), 2);
	json_decref(a);
	json_decref(list);
}

/* Forks: below Capella there is no execution block; at one that is not known it ends. */
static void test_forks(void **state)
{
	json_t *a;

	(void)state;
	spec_file_of("altair.json", NEVER, NEVER, NEVER, NEVER);
	load("altair.json");
	make_world();
	a = run_at(0, 1000, "altair.json", "@bootstrap @update3 @finality @update4");
	assert_int_equal(number(a, "finalized_slot"), 272);
	assert_true(json_is_null(json_object_get(a, "execution_number")));
	assert_true(json_is_null(json_object_get(a, "execution_hash")));
	assert_true(json_is_null(json_object_get(a, "head_execution_hash")));
	json_decref(a);

	spec_file_of("gloas.json", "0", "0", NEVER, "31"); /* from slot 248 on */
	load("spec.json");
	make_world();
	a = run_at(0, 1000, "gloas.json", "@bootstrap @update3");
	json_decref(a);
	a = run_at(3, 1000, "gloas.json", "@bootstrap @update3 @finality");
	assert_string_equal(kit_said(a, "error", "code"), "unknown");
	assert_string_equal(kit_said(a, "error", "at"), "data.attested_header.beacon.slot");
	json_decref(a);
	/* From Fulu on a frame's digest is of what nobody here knows: any will do, and is told as unproven. */
	spec_file_of("fulu.json", "0", "0", "0", NEVER);
	load("fulu.json");
	make_world();
	struct dr_lc_update u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 224, block_208));
	const struct dr_beacon_item item = item_of(&u);
	const struct dr_bytes ssz = beacon_item_ssz(&net, &item);
	uint8_t *frame = kit_alloc(12 + ssz.len);

	for (unsigned k = 0; k < 8; k++)
		frame[k] = (uint8_t)((uint64_t)(ssz.len + 4) >> (8 * k));
	memset(frame + 8, 0x77, 4);
	memcpy(frame + 12, ssz.ptr, ssz.len);
	kit_file("frame", dr_bytes_of(frame, 12 + ssz.len));
	a = run_at(0, 1000, "fulu.json", "@bootstrap @frame");
	assert_string_equal(kit_said(json_array_get(json_object_get(a, "steps"), 1), NULL, "fork"), "fulu");
	json_t *unproven = json_pack("[s, s]", "fork_digest", "signature_slot");

	assert_true(json_equal(json_object_get(a, "unproven"), unproven));
	json_decref(unproven);
	json_decref(a);
	load("spec.json");
	make_world();
	/* Of another schedule: the digest, the form and the domain are others. */
	spec_file_of("capella.json", "0", NEVER, NEVER, NEVER);
	a = run_at(3, 1000, "capella.json", "@bootstrap");
	assert_string_equal(kit_said(a, "error", "what"), "the form is not that of the slot's fork");
	json_decref(a);
}

static void test_usage(void **state)
{
#define NET   "--spec @spec.json --genesis @genesis.json "
#define POINT "--checkpoint 0x5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e "
	static const struct {
		const char *line;
		int code;
		const char *says; /* on either stream */
	} rows[] = {
		{ "verify beacon", 64, "which network?" },
		{ "verify beacon --network mainnet", 64, "from where on? give --checkpoint" },
		{ "verify beacon --network goerli " POINT "@bootstrap", 64, "no such network is built in: goerli" },
		{ "verify beacon --network mainnet " NET POINT "@bootstrap", 64, "which network?" },
		{ "verify beacon --spec @spec.json " POINT "@bootstrap", 64, "which network?" },
		{ "verify beacon --genesis @genesis.json " POINT "@bootstrap", 64, "which network?" },
		{ "verify beacon --network mainnet --checkpoint 0x5e @bootstrap", 64,
		  "--checkpoint must be 0x and 64" },
		{ "verify beacon --network mainnet " POINT, 64, "files are missing" },
		{ "verify beacon --network mainnet " POINT "--now 1e9 @bootstrap", 64, "--now must be seconds" },
		{ "verify beacon --network mainnet " POINT "--now -1 @bootstrap", 64, "--now must be seconds" },
		{ "verify beacon --network mainnet " POINT "--rule ethereum @bootstrap", 64,
		  "belong to the evm kinds" },
		{ "verify beacon --network mainnet " POINT "--message 0x @bootstrap", 64, "belong to bls" },
		{ "verify beacon --network mainnet " POINT "- -", 64, "only one file can be standard input" },
		{ "verify evm-header --network mainnet @bootstrap", 64, "belong to beacon" },
		{ "verify evm-header --now 5 @bootstrap", 64, "belong to beacon" },
		{ "verify moon @bootstrap", 64, "unknown kind of proof: moon" },
		{ "verify beacon --spec @genesis.json --genesis @spec.json " POINT "@bootstrap", 1,
		  "\"at\":\"data.SLOTS_PER_EPOCH\"" },
		{ "verify beacon --spec @absent.json --genesis @genesis.json " POINT "@bootstrap", 1,
		  "\"what\":\"the file cannot be opened\"" },
		{ "verify beacon --format table " NET POINT "@bootstrap", 3,
		  "the bootstrap's header is not the checkpoint's" },
		{ "help verify", 0, "derot verify beacon" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *out = NULL, *err = NULL;
		const int code = kit_derot(&out, &err, rows[i].line);

		if (code != rows[i].code || (strstr(out, rows[i].says) == NULL && strstr(err, rows[i].says) == NULL))
			fail_msg("%s: exit %d\n%s\n%s", rows[i].line, code, out, err);
		free(out);
		free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps), cmocka_unit_test(test_refused), cmocka_unit_test(test_clock),
		cmocka_unit_test(test_forms), cmocka_unit_test(test_forks),   cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests(tests, setup, kit_folder_drop);
}
