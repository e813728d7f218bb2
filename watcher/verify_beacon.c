/* SPDX-License-Identifier: Apache-2.0
 *
 * Light-client data from a checkpoint on. Everything in a bootstrap, an update, a finality or an optimistic update is
 * under the checkpoint's root, or under a header that a committee signed; but not signature_slot, of which only the
 * period and the fork are (chain/beacon/lc.h).
 */
#include "watcher/verify.h"

#include <inttypes.h>
#include <string.h>

#include "chain/base/hex.h"
#include "watcher/json_beacon.h"
#include "watcher/out.h"

static const char *kind_name(enum dr_beacon_kind kind)
{
	switch (kind) {
	case DR_BEACON_BOOTSTRAP: return "bootstrap";
	case DR_BEACON_UPDATE: return "update";
	case DR_BEACON_FINALITY_UPDATE: return "finality_update";
	case DR_BEACON_OPTIMISTIC_UPDATE: return "optimistic_update";
	}
	return "unknown";
}

void dr_verify_beacon_begin(struct dr_verify_beacon *b, struct dr_check *c, const struct dr_network *net,
			    const uint8_t checkpoint[static 32], uint64_t now)
{
	*b = (struct dr_verify_beacon){ .c = c, .net = *net, .now = now, .steps = json_array() };
	memcpy(b->checkpoint, checkpoint, 32);
	b->store = dr_heap_alloc(sizeof(*b->store));
	if (b->store == NULL)
		dr_check_fail(c, DR_ERR_NOMEM, "no memory", "", "");
	c->tells = true;
	json_object_set_new(c->facts, "network", json_string(net->name));
	dr_fact_u64(c, "now", now);
	dr_fact_hex(c, "checkpoint", checkpoint, 32);
}

static void expect(struct dr_check *c, const char *words, uint64_t expected, uint64_t got)
{
	snprintf(c->expected, sizeof(c->expected), "%s%" PRIu64, words, expected);
	snprintf(c->got, sizeof(c->got), "%" PRIu64, got);
}

static void expect_hash(struct dr_check *c, const uint8_t expected[static 32], const uint8_t got[static 32])
{
	char hex[65];

	dr_hex_put(hex, expected, 32);
	snprintf(c->expected, sizeof(c->expected), "0x%s", hex);
	dr_hex_put(hex, got, 32);
	snprintf(c->got, sizeof(c->got), "0x%s", hex);
}

/* expected, and the root that a branch of gindex leads to from leaf. */
static void expect_root(struct dr_check *c, const uint8_t expected[static 32], const uint8_t leaf[static 32],
			const struct dr_ssz_branch *branch, uint64_t gindex)
{
	const size_t depth = dr_ssz_depth(gindex);
	uint8_t node[32];

	memcpy(node, leaf, 32);
	for (size_t i = branch->num > depth ? branch->num - depth : 0; i < branch->num; i++, gindex >>= 1)
		if (gindex & 1)
			dr_ssz_pair(node, branch->nodes[i], node);
		else
			dr_ssz_pair(node, node, branch->nodes[i]);
	expect_hash(c, expected, node);
}

static void expect_body(struct dr_verify_beacon *b, const struct dr_lc_header *header)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint8_t root[32];

	if (dr_lc_execution_root(root, &b->net, header, &fail) == DR_OK)
		expect_root(b->c, header->beacon.body_root, root, &header->execution_branch, DR_LC_EXECUTION_GINDEX);
}

/* What the clock says: of the bootstrap's header, or of a signature. */
static bool explain_clock(struct dr_verify_beacon *b, const char *words, uint64_t slot, const char *what)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint64_t now = 0;

	if (strcmp(what, "there is no clock") == 0 ||
	    strcmp(what, "the clock is before the network's genesis") == 0) {
		expect(b->c, "at least ", b->net.genesis_time, b->now);
		return true;
	}
	if (strcmp(what, "signed in the future") != 0 && strcmp(what, "the checkpoint lies in the future") != 0)
		return false;
	dr_network_slot(&now, &b->net, b->now + DR_CLOCK_SKEW_S, &fail);
	expect(b->c, words, now, slot);
	return true;
}

static void explain_signature(struct dr_verify_beacon *b, const struct dr_lc_update *u)
{
	struct dr_check *c = b->c;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint8_t root[32], domain[32];
	char hex[65];

	if (dr_network_domain(domain, &b->net, u->signature_slot, &fail) != DR_OK)
		return;
	dr_lc_header_root(root, &u->attested);
	dr_ssz_pair(root, root, domain);
	dr_hex_put(hex, root, 32);
	snprintf(c->expected, sizeof(c->expected),
		 "the signature of %" PRIu32 " of the committee of period %" PRIu64 " over 0x%s",
		 dr_lc_participation(&u->aggregate), dr_network_period(&b->net, u->signature_slot), hex);
	dr_hex_put(hex, u->aggregate.signature, 32);
	snprintf(c->got, sizeof(c->got), "0x%s… (96 bytes)", hex);
}

/* The two values that a refusal is about, where it is about two. The texts are the store's, one for each rule. */
static void explain(struct dr_verify_beacon *b, const struct dr_lc_update *u, const char *what)
{
	struct dr_check *c = b->c;
	const uint64_t attested = u->attested.beacon.slot, period = dr_lc_store_period(b->store);
	const uint8_t *state_root = u->attested.beacon.state_root;
	uint8_t root[32] = { 0 };

	if (explain_clock(b, "signature_slot of at most ", u->signature_slot, what))
		return;
	if (strcmp(what, "fewer than two thirds of the committee signed") == 0) {
		expect(c, "at least ", (b->net.committee_size * 2u + 2) / 3, dr_lc_participation(&u->aggregate));
	} else if (strcmp(what, "signed no later than the attested header's slot") == 0) {
		expect(c, "signature_slot above ", attested, u->signature_slot);
	} else if (strcmp(what, "the finalized header is later than the attested one") == 0) {
		expect(c, "a finalized slot of at most ", attested, u->finalized.beacon.slot);
	} else if (strncmp(what, "signed in a period", strlen("signed in a period")) == 0) {
		snprintf(c->expected, sizeof(c->expected), "period %" PRIu64 " or %" PRIu64, period, period + 1);
		snprintf(c->got, sizeof(c->got), "period %" PRIu64, dr_network_period(&b->net, u->signature_slot));
	} else if (strcmp(what, "signed by the next committee, which is not known yet") == 0) {
		snprintf(c->expected, sizeof(c->expected),
			 "period %" PRIu64 ", or first an update of it that teaches the next committee", period);
		snprintf(c->got, sizeof(c->got), "period %" PRIu64, period + 1);
	} else if (strcmp(what, "the attested header's execution payload is not in its body") == 0) {
		expect_body(b, &u->attested);
	} else if (strcmp(what, "the finalized header's execution payload is not in its body") == 0) {
		expect_body(b, &u->finalized);
	} else if (strcmp(what, "the finalized header is not in the attested state") == 0) {
		if (u->finalized.beacon.slot > 0) /* the genesis block's root is zero there */
			dr_lc_header_root(root, &u->finalized);
		expect_root(c, state_root, root, &u->finality_branch, dr_lc_finalized_gindex(u->fork));
	} else if (strncmp(what, "the next committee is not", strlen("the next committee is not")) == 0) {
		dr_ssz_root(root, &dr_lc_committee_type, dr_lc_shape(&b->net, u->fork), &u->next_committee);
		if (strcmp(what, "the next committee is not the one that is known") == 0)
			expect_hash(c, b->store->keys[b->store->next].root, root);
		else
			expect_root(c, state_root, root, &u->next_committee_branch,
				    dr_lc_next_committee_gindex(u->fork));
	} else if (strcmp(what, "the signature is not of these keys over this message") == 0) {
		explain_signature(b, u);
	}
}

static void explain_bootstrap(struct dr_verify_beacon *b, const struct dr_lc_bootstrap *first, const char *what)
{
	uint8_t root[32];

	if (explain_clock(b, "a slot of at most ", first->header.beacon.slot, what))
		return;
	if (strcmp(what, "the checkpoint's execution payload is not in its body") == 0) {
		expect_body(b, &first->header);
	} else if (strcmp(what, "the committee is not in the checkpoint's state") == 0) {
		dr_ssz_root(root, &dr_lc_committee_type, dr_lc_shape(&b->net, first->fork), &first->committee);
		expect_root(b->c, first->header.beacon.state_root, root, &first->committee_branch,
			    dr_lc_current_committee_gindex(first->fork));
	}
}

static void refuse(struct dr_verify_beacon *b, const struct dr_fail *fail, const char *path)
{
	if (dr_check_ok(b->c))
		b->c->refused = true;
	dr_check_fail(b->c, fail->err, fail->what, path, "");
}

/* One step of the answer. moved: of NULL-terminated names; NULL: nothing was moved. */
static json_t *step(const struct dr_beacon_item *item, const char *name, size_t idx)
{
	const bool first = item->kind == DR_BEACON_BOOTSTRAP;
	json_t *obj = json_object();

	json_object_set_new(obj, "file", dr_out_json_text(name));
	if (item->in_list)
		json_object_set_new(obj, "at", json_integer((json_int_t)idx));
	json_object_set_new(obj, "kind", json_string(kind_name(item->kind)));
	json_object_set_new(obj, "fork",
			    json_string(dr_beacon_fork_name(first ? item->bootstrap.fork : item->update.fork)));
	if (first)
		json_object_set_new(obj, "slot", dr_json_integer(item->bootstrap.header.beacon.slot));
	return obj;
}

static void take_bootstrap(struct dr_verify_beacon *b, const struct dr_beacon_item *item, json_t *obj,
			   const char *path)
{
	struct dr_check *c = b->c;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint8_t root[32];

	if (b->store->ready) {
		dr_check_fail(c, DR_ERR_SYNTAX, "a second bootstrap", path, "");
		return;
	}
	dr_lc_header_root(root, &item->bootstrap.header);
	if (memcmp(root, b->checkpoint, 32) != 0) {
		dr_check_equal(c, b->checkpoint, root, 32, "the bootstrap's header is not the checkpoint's", path,
			       "");
		return;
	}
	if (dr_lc_store_start(b->store, &b->net, b->checkpoint, &item->bootstrap, b->now, &fail) != DR_OK) {
		explain_bootstrap(b, &item->bootstrap, fail.what);
		refuse(b, &fail, path);
		return;
	}
	json_object_set_new(obj, "moved", json_pack("[s]", "checkpoint"));
	json_array_append(b->steps, obj);
}

static void take_update(struct dr_verify_beacon *b, const struct dr_beacon_item *item, json_t *obj, const char *path)
{
	const struct dr_lc_update *u = &item->update;
	struct dr_check *c = b->c;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_lc_news news;
	json_t *moved;

	if (!b->store->ready) {
		dr_check_fail(c, DR_ERR_SYNTAX, "an update before the bootstrap: the bootstrap comes first", path,
			      "");
		return;
	}
	if (dr_lc_store_take(b->store, u, b->now, &news, &fail) != DR_OK) {
		explain(b, u, fail.what);
		refuse(b, &fail, path);
		return;
	}
	json_object_set_new(obj, "attested_slot", dr_json_integer(u->attested.beacon.slot));
	json_object_set_new(obj, "finalized_slot",
			    dr_lc_is_final(u) ? dr_json_integer(u->finalized.beacon.slot) : json_null());
	json_object_set_new(obj, "signature_slot", dr_json_integer(u->signature_slot));
	json_object_set_new(obj, "participation", json_integer(news.participation));
	json_object_set_new(obj, "of", json_integer(b->net.committee_size));
	json_object_set_new(obj, "moved", moved = json_array());
	if (news.final)
		json_array_append_new(moved, json_string("final"));
	if (news.head)
		json_array_append_new(moved, json_string("head"));
	if (news.committee)
		json_array_append_new(moved, json_string("next_committee"));
	if (news.period)
		json_array_append_new(moved, json_string("period"));
	if (news.verdict == DR_LC_KNOWN)
		json_object_set_new(obj, "note", json_string("valid, and adds nothing"));
	json_array_append(b->steps, obj);
	dr_check_unproven(c, "signature_slot");
	if (news.verdict == DR_LC_CONFLICT) {
		c->conflict = true;
		dr_check_fail(c, DR_ERR_PROOF, news.conflict, path, "");
	}
}

static void note_extra(void *to, const char *member)
{
	dr_check_unproven(to, member);
}

void dr_verify_beacon_file(struct dr_verify_beacon *b, const char *name, struct dr_bytes content)
{
	struct dr_check *c = b->c;
	struct dr_json_notes notes = { .extra = note_extra, .to = c };
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_beacon_item *items;
	size_t num;

	if (!dr_check_ok(c))
		return;
	if (dr_json_beacon_read(&items, &num, &b->net, content, c->arena, &notes, &fail) != DR_OK) {
		const bool text = dr_json_beacon_is_text(content);

		snprintf(c->expected, sizeof(c->expected), "%s", notes.expected);
		snprintf(c->got, sizeof(c->got), "%s", notes.got);

		if (text && notes.at[0] == '\0' && fail.err == DR_ERR_SYNTAX)
			snprintf(c->expected, sizeof(c->expected),
				 "what a beacon node answers, as JSON or as SSZ (of whose first eight bytes one is "
				 "zero)");
		else if (!text && strcmp(notes.at, "[0]") == 0)
			snprintf(c->expected, sizeof(c->expected),
				 "a light-client container of %s, whose committees have %" PRIu32
				 " members, or framed updates",
				 b->net.name, b->net.committee_size);
		dr_check_read(c, &fail, notes.at);
		/* Of a fork that is not known nothing more can be said; that is a refusal too. */
		c->refused = fail.err == DR_ERR_UNKNOWN;
	}
	for (size_t i = 0; i < num && dr_check_ok(c); i++) {
		json_t *obj = step(&items[i], name, i);
		char path[32] = "";

		if (items[i].in_list)
			snprintf(path, sizeof(path), "[%zu]", i);
		/* From Fulu on the digest of a frame is of things that are not told (EIP-7892). */
		if (items[i].in_list && items[i].update.fork >= DR_BEACON_FULU && !dr_json_beacon_is_text(content))
			dr_check_unproven(c, "fork_digest");
		if (items[i].kind == DR_BEACON_BOOTSTRAP)
			take_bootstrap(b, &items[i], obj, path);
		else
			take_update(b, &items[i], obj, path);
		json_decref(obj);
	}
	dr_arena_reset(c->arena);
}

/* Slot, root and execution block of a point, under these keys. */
static void point(struct dr_check *c, const struct dr_lc_point *p, const char *const keys[static 4])
{
	dr_fact_u64(c, keys[0], p->header.beacon.slot);
	dr_fact_hex(c, keys[1], p->root, 32);
	if (p->has_execution) {
		dr_fact_u64(c, keys[2], p->header.execution.block_number);
		dr_fact_hex(c, keys[3], p->header.execution.block_hash, 32);
	} else {
		json_object_set_new(c->facts, keys[2], json_null());
		json_object_set_new(c->facts, keys[3], json_null());
	}
}

void dr_verify_beacon_end(struct dr_verify_beacon *b)
{
	static const char *const final_keys[] = { "finalized_slot", "finalized_root", "execution_number",
						  "execution_hash" };
	static const char *const head_keys[] = { "head_slot", "head_root", "head_execution_number",
						 "head_execution_hash" };
	struct dr_check *c = b->c;
	struct dr_lc_store *store = b->store;

	if (dr_check_ok(c) && !store->ready)
		dr_check_fail(c, DR_ERR_SHORT, "no bootstrap", "", "");
	if (dr_check_ok(c)) {
		const uint64_t began = dr_network_time(&b->net, store->checkpoint_slot);
		const uint64_t age = b->now > began ? b->now - began : 0;

		point(c, &store->finalized, final_keys);
		dr_fact_u64(c, "period", dr_lc_store_period(store));
		json_object_set_new(c->facts, "next_committee_known", json_boolean(dr_lc_store_next_known(store)));
		point(c, &store->head, head_keys);
		dr_fact_u64(c, "checkpoint_slot", store->checkpoint_slot);
		dr_fact_u64(c, "checkpoint_age_s", age);
		if (age > DR_BEACON_AGE_DEFAULT_S)
			json_object_set_new(c->facts, "warning",
					    json_string("the checkpoint is older than 14 days: committees of old "
							"can be bought"));
	}
	json_object_set_new(c->facts, "steps", b->steps);
	dr_heap_free(store);
	b->store = NULL;
	b->steps = NULL;
}
