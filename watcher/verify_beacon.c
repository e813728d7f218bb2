/* SPDX-License-Identifier: Apache-2.0
 *
 * Light-client data from a checkpoint on. Everything in a bootstrap, an update, a finality or an optimistic update is
 * under the checkpoint's root, or under a header that a committee signed; but not signature_slot, of which only the
 * period and the fork are (chain/beacon/lc.h).
 */
#include "watcher/verify.h"

#include <inttypes.h>
#include <string.h>

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

/* The two numbers that a refusal is about, where it is about two. The texts are the store's, one for each rule. */
static void explain(struct dr_verify_beacon *b, const struct dr_lc_update *u, const char *what)
{
	struct dr_check *c = b->c;
	const uint64_t attested = u->attested.beacon.slot, period = dr_lc_store_period(b->store);
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint64_t now = 0;

	if (strcmp(what, "fewer than two thirds of the committee signed") == 0) {
		expect(c, "at least ", (b->net.committee_size * 2u + 2) / 3, dr_lc_participation(&u->aggregate));
	} else if (strcmp(what, "signed no later than the attested header's slot") == 0) {
		expect(c, "signature_slot above ", attested, u->signature_slot);
	} else if (strcmp(what, "the finalized header is later than the attested one") == 0) {
		expect(c, "a finalized slot of at most ", attested, u->finalized.beacon.slot);
	} else if (strcmp(what, "signed in the future") == 0) {
		dr_network_slot(&now, &b->net, b->now + DR_CLOCK_SKEW_S, &fail);
		expect(c, "signature_slot of at most ", now, u->signature_slot);
	} else if (strncmp(what, "signed in a period", strlen("signed in a period")) == 0) {
		snprintf(c->expected, sizeof(c->expected), "period %" PRIu64 " or %" PRIu64, period, period + 1);
		snprintf(c->got, sizeof(c->got), "period %" PRIu64, dr_network_period(&b->net, u->signature_slot));
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
		dr_check_fail(c, fail.err, fail.what, notes.at, "");
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
