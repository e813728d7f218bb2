/* SPDX-License-Identifier: Apache-2.0
 *
 * What derot verify beacon says of a proof that leads elsewhere: where it should lead, and where it leads.
 */
#include "chain/base/hex.h"
#include "tests/unit/watcher/beacon_world.h"

/* What a proof should lead to and where it leads, for every kind of it: the first bit of a root is changed, and both
 * are told. */
static void explains(const char *name, const char *what, const uint8_t expected[static 32], const uint8_t *got)
{
	char files[64], hex[65];
	json_t *a;

	snprintf(files, sizeof(files), "@bootstrap @%s", name);
	a = run(3, files);
	assert_string_equal(kit_said(a, "error", "what"), what);
	dr_hex_put(hex, expected, 32);
	assert_string_equal(kit_said(a, "error", "expected") + 2, hex);
	if (got != NULL) {
		dr_hex_put(hex, got, 32);
		assert_string_equal(kit_said(a, "error", "got") + 2, hex);
	}
	assert_string_not_equal(kit_said(a, "error", "got"), kit_said(a, "error", "expected"));
	assert_string_equal(kit_said(a, "error", "state"), "the proof is false; nothing was proven");
	json_decref(a);
}

static void test_roots(void **state)
{
	const struct forge_block *block = forge_block(&net, 0, 224, block_208);
	const struct dr_lc_update good = forge_update(&net, DR_LC_UPDATE, block);
	const struct dr_lc_update final = forge_update(&net, DR_LC_FINALITY_UPDATE, block);
	struct dr_lc_update u = good;
	struct dr_lc_bootstrap boot = forge_bootstrap(&net, block_200);
	uint8_t keys[32 * 48], message[32], domain[32];
	struct dr_fail fail = { 0 };
	char hex[65], words[160];
	json_t *a;

	(void)state;
	u.attested.beacon.body_root[0] ^= 1;
	put_update("u", &u);
	explains("u", "the attested header's execution payload is not in its body", u.attested.beacon.body_root,
		 good.attested.beacon.body_root);
	u = final;
	u.finalized.beacon.body_root[0] ^= 1;
	put_update("u", &u);
	explains("u", "the finalized header's execution payload is not in its body", u.finalized.beacon.body_root,
		 good.finalized.beacon.body_root);
	u = final;
	u.attested.beacon.state_root[0] ^= 1;
	put_update("u", &u);
	explains("u", "the finalized header is not in the attested state", u.attested.beacon.state_root,
		 good.attested.beacon.state_root);
	/* No finality, so that the committee is what is looked at next. */
	u = good;
	memset(&u.finalized, 0, sizeof(u.finalized));
	memset(u.finality_branch.nodes, 0, sizeof(u.finality_branch.nodes));
	u.attested.beacon.state_root[0] ^= 1;
	const struct dr_beacon_item item = item_of(&u);

	kit_file("u", beacon_item_ssz(&net, &item));
	explains("u", "the next committee is not in the attested state", u.attested.beacon.state_root,
		 good.attested.beacon.state_root);
	memcpy(keys, boot.committee.pubkeys.ptr, sizeof(keys));
	keys[3] ^= 1;
	boot.committee.pubkeys = dr_bytes_of(keys, sizeof(keys));
	const struct dr_beacon_item first = { .kind = DR_BEACON_BOOTSTRAP, .bootstrap = boot };

	kit_file("first", beacon_item_ssz(&net, &first));
	a = run(3, "@first");
	assert_string_equal(kit_said(a, "error", "what"), "the committee is not in the checkpoint's state");
	dr_hex_put(hex, boot.header.beacon.state_root, 32);
	assert_string_equal(kit_said(a, "error", "expected") + 2, hex);
	assert_int_equal(strlen(kit_said(a, "error", "got")), 66);
	json_decref(a);

	/* Who should have signed what. */
	u = good;
	forge_sign(&u, &net, 4, 30);
	put_update("u", &u);
	a = run(3, "@bootstrap @u");
	dr_lc_header_root(message, &u.attested);
	assert_int_equal(dr_network_domain(domain, &net, u.signature_slot, &fail), DR_OK);
	dr_ssz_pair(message, message, domain);
	dr_hex_put(hex, message, 32);
	snprintf(words, sizeof(words), "the signature of 30 of the committee of period 3 over 0x%s", hex);
	assert_string_equal(kit_said(a, "error", "expected"), words);
	dr_hex_put(hex, u.aggregate.signature, 32);
	assert_int_equal(strncmp(kit_said(a, "error", "got") + 2, hex, 64), 0);
	json_decref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_roots) };

	return cmocka_run_group_tests(tests, setup, kit_folder_drop);
}
