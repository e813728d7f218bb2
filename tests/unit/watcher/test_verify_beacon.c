/* SPDX-License-Identifier: Apache-2.0
 *
 * derot verify beacon, on a chain of ours: what each step moves, which rule a refusal breaks, and every exit code.
 */
#include "tests/unit/watcher/beacon_world.h"

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

#define ANSWER "what a beacon node answers, as JSON or as SSZ (of whose first eight bytes one is zero)"

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
		  "signed by the next committee, which is not known yet",
		  "period 3, or first an update of it that teaches the next committee", "period 4", "update4" },
		{ "of old", "@bootstrap @update3 @update4 @finality", 3, "stale", "signed in a period that is over",
		  "period 4 or 5", "period 3", "finality" },
		{ "an update first", "@update3 @bootstrap", 1, "syntax",
		  "an update before the bootstrap: the bootstrap comes first", "", "", "update3" },
		{ "two bootstraps", "@bootstrap @update3 @bootstrap", 1, "syntax", "a second bootstrap", "", "",
		  "bootstrap" },
		{ "no bootstrap", "@none", 1, "short", "no bootstrap", "", "", "none" },
		{ "no file", "@bootstrap @absent", 1, "io", "the file cannot be opened", "",
		  "No such file or directory", "absent" },
		{ "no JSON", "@bootstrap @words", 1, "syntax", "not valid JSON (byte offset)", ANSWER, NULL,
		  "words" },
		{ "nothing", "@bootstrap @empty", 1, "syntax", "empty text where JSON was expected", ANSWER, "",
		  "empty" },
		{ "a node's no", "@bootstrap @error", 1, "syntax", "the node answered with an error, not with data",
		  "", "no", "error" },
		{ "21 of 32", "@bootstrap @minority", 3, "proof", "fewer than two thirds of the committee signed",
		  "at least 22", "21", "minority" },
		{ "signed before it was", "@bootstrap @early", 3, "proof",
		  "signed no later than the attested header's slot", "signature_slot above 224", "224", "early" },
		{ "final after attested", "@bootstrap @order", 3, "proof",
		  "the finalized header is later than the attested one", "a finalized slot of at most 208", "240",
		  "order" },
		{ "nobody's signature", "@bootstrap @forged", 3, "proof",
		  "the signature is not of these keys over this message", NULL, NULL, "forged" },
		{ "another version", "@bootstrap @version", 3, "proof",
		  "the version is not that of the attested header's slot", "electra", "deneb", "version" },
		{ "a version to come", "@bootstrap @later", 3, "unknown", "unknown fork", "electra", "gloas",
		  "later" },
		{ "another network's SSZ", "@bootstrap @mainnet", 1, "limit",
		  "a framed update is longer than any of this network",
		  "a light-client container of ours, whose committees have 32 members, or framed updates", "",
		  "mainnet" },
		{ "a committee of 31", "@bootstrap @fewer", 1, "syntax",
		  "a list has not as many elements as this fork's form", "32", "31", "fewer" },
		{ "a bootstrap of another root", "@other", 3, "proof",
		  "the bootstrap's header is not the checkpoint's", root, NULL, "other" },
		{ "two that are final", "@bootstrap @update3 @finality @conflict", 4, "conflict",
		  "two blocks of one slot are final", "", "", "conflict" },
	};
	struct dr_lc_update u;
	json_t *answer;

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

	uint8_t *mainnet = kit_alloc(24788); /* its bootstrap begins with this offset, and goes on with a slot */

	mainnet[0] = 0xd4;
	mainnet[1] = 0x60;
	mainnet[4] = 1;
	kit_file("mainnet", dr_bytes_of(mainnet, 24788));
	answer = json_pack("{s:s, s:o}", "version", "deneb", "data", beacon_item_json(&net, &item));
	put_json("version", answer);
	json_object_set_new(answer, "version", json_string("gloas"));
	put_json("later", answer);
	json_object_set_new(answer, "version", json_string("electra"));
	json_array_remove(
		json_object_get(json_object_get(json_object_get(answer, "data"), "next_sync_committee"), "pubkeys"),
		31);
	put_json("fewer", answer);
	json_decref(answer);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *a = run(rows[i].code, rows[i].files);
		const char *source = kit_said(a, "error", "source");

		if (strcmp(kit_said(a, "error", "code"), rows[i].word) != 0 ||
		    strcmp(kit_said(a, "error", "what"), rows[i].what) != 0 ||
		    (rows[i].expected != NULL && strcmp(kit_said(a, "error", "expected"), rows[i].expected) != 0) ||
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
	assert_string_equal(kit_said(a, "error", "expected"), "a slot of at most 100");
	assert_string_equal(kit_said(a, "error", "got"), "200");
	json_decref(a);
	snprintf(line, sizeof(line),
		 "verify beacon --spec @spec.json --genesis @genesis.json --checkpoint %s --now 0 @bootstrap", root);
	a = kit_answer(3, line);
	assert_string_equal(kit_said(a, "error", "code"), "stale");
	assert_string_equal(kit_said(a, "error", "expected"), "at least 1700000000");
	assert_string_equal(kit_said(a, "error", "got"), "0");
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
	assert_string_equal(kit_said(a, "error", "expected"), "an epoch below 31");
	assert_string_equal(kit_said(a, "error", "got"), "31");
	assert_non_null(strstr(kit_said(a, "error", "next"), "a newer derot"));
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
	assert_string_equal(kit_said(a, "error", "expected"), "capella");
	assert_string_equal(kit_said(a, "error", "got"), "electra");
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
		  "\"what\":\"the file cannot be opened\",\"at\":\"\",\"got\":\"No such file or directory\"" },
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
