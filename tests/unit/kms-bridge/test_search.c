/* SPDX-License-Identifier: Apache-2.0
 *
 * A search for an answer that the rules would refuse: random chains of events, legal and not, with forks, heads that
 * never become final, finality that lags, clocks that go wrong, restarts; and after each step random requests, asked
 * of the engine and of a plain model of the rules (model.h). The contract's storage in the forged chain is the
 * model's too, so that where model and fold differ about a slot, divergence says so.
 *
 * Each world has a seed and a process of its own. DEROT_SEARCH: how many events in all (default 100000);
 * DEROT_SEARCH_SEED: the first world's seed, which a failure prints.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/kms-bridge/search_ask.h"

#if defined(__SANITIZE_ADDRESS__)
#define EVENTS 10000u
#else
#define EVENTS 100000u
#endif

/* The seal */

static int64_t moved_s(const struct search *s)
{
	return s->offset_known ? ((int64_t)(s->k->wall_ms - s->k->boot_ms) - s->offset_ms) / 1000 : 0;
}

static bool is_sealed(struct search *s)
{
	const struct engine_kit *k = s->k;
	const int64_t limit = (int64_t)s->init.max_staleness_s, wall = (int64_t)(k->wall_ms / 1000);
	const int64_t final_time = s->final_ != NULL ? (int64_t)s->final_->time : 0;
	const int64_t newest = (int64_t)s->head_time > final_time ? (int64_t)s->head_time : final_time;
	const bool sealed =
		!k->started || s->final_ == NULL || !k->proven || llabs(moved_s(s)) > limit ||
		llabs(wall - final_time) > limit || (int64_t)(k->boot_ms - k->lease_boot_ms) / 1000 > limit ||
		(s->init.head_staleness_s != 0 && wall - newest > (int64_t)s->init.head_staleness_s) ||
		(s->init.heartbeat && (!s->seen || (int64_t)(k->boot_ms - s->seen_boot_ms) / 1000 > limit));

	if (!sealed && !s->offset_known) {
		s->offset_known = true;
		s->offset_ms = (int64_t)(k->wall_ms - k->boot_ms);
	}
	return sealed;
}

static void see_nonce(struct search *s)
{
	const struct m_view v = view_of(s->final_);
	const struct m_ev *nonce = m_nonce(&v, NODE);
	size_t at = 0;

	while (nonce != NULL && at < s->num_nonces &&
	       (s->nonces[at].size != nonce->n[0] || s->nonces[at].id != nonce->n[1]))
		at++;
	if (nonce == NULL || at == s->num_nonces)
		return;
	s->seen = true;
	s->seen_boot_ms = s->nonces[at].boot_ms;
	s->num_nonces -= at + 1;
	memmove(s->nonces, s->nonces + at + 1, s->num_nonces * sizeof(s->nonces[0]));
}

static enum dr_err on_step(void *ctx, uint64_t number, const uint8_t hash[static 32])
{
	struct search *s = ctx;
	struct block *b = NULL;

	if (s->quiet)
		return ek_step(s->k, number, hash);
	for (size_t i = 0; i < s->num; i++)
		if (memcmp(s->blocks[i]->forged->header.hash, hash, 32) == 0)
			b = s->blocks[i];
	assert_non_null(b);
	assert_true(s->final_ == NULL || descends(b, s->final_));
	ek_step(s->k, number, hash);
	for (struct block *x = b; x != NULL && x != s->final_; x = x->parent) {
		s->t->events += x->own;
		for (size_t i = x->num - x->own; i < x->num; i++)
			s->t->obeyed += x->line[i]->obeyed;
	}
	s->final_ = b;
	for (size_t i = 0; i < s->num; i++)
		s->blocks[i]->counts &= s->blocks[i]->number > number;
	if (moved_s(s) > (int64_t)s->init.max_staleness_s &&
	    llabs((int64_t)(s->k->wall_ms / 1000) - (int64_t)b->time) <= (int64_t)s->init.max_staleness_s)
		s->offset_ms = (int64_t)(s->k->wall_ms - s->k->boot_ms);
	see_nonce(s);
	return DR_OK;
}

static enum dr_err on_kept(void *ctx, const struct dr_frame *frame)
{
	return ek_kept(((struct search *)ctx)->k, frame);
}

static enum dr_err on_ledger(void *ctx, const struct dr_entry *entry, const struct dr_change *change)
{
	return ek_ledger(((struct search *)ctx)->k, entry, change);
}

static enum dr_err on_journal(void *ctx, const struct dr_entry *entry, const struct dr_note *note)
{
	return ek_journal(((struct search *)ctx)->k, entry, note);
}

static enum dr_err on_finding(void *ctx, const struct dr_audit_finding *finding)
{
	return ek_finding(((struct search *)ctx)->k, finding);
}

static enum dr_err on_refused(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	return ek_refuse(((struct search *)ctx)->k, frame, why);
}

static struct engine_kit *engine_new(struct search *s)
{
	struct engine_kit *k = (struct engine_kit *)kit_alloc(sizeof(*k));
	const struct dr_engine_host host = { s, on_kept, on_ledger, on_journal, on_finding, on_refused, on_step };

	k->w = &s->w;
	dr_buf_init(&k->kept, 64u << 20);
	dr_buf_init(&k->changes, 16u << 20);
	k->e = dr_engine_new(&s->init, &host, &k->fail);
	kit_assert_fail(DR_OK, &k->fail);
	return k;
}

static void drain(struct search *s)
{
	static struct dr_want wants[DR_WANTS_MAX];
	static struct ek_pile pile;

	for (size_t round = 0, before = 1; before > 0; round++) {
		const size_t num = dr_engine_wants(s->k->e, wants, DR_WANTS_MAX);
		const size_t kept = s->k->num_kept;

		pile.num = 0;
		for (size_t i = 0; i < num; i++)
			if (!(s->k->no_state && wants[i].kind == DR_WANT_STATE))
				forge_answer(s->w.forge, &wants[i], ek_pile, &pile);
		for (size_t i = 0; i < pile.num; i++) {
			ek_feed(s->k, pile.frames[i]);
			kit_assert_fail(DR_OK, &s->k->fail);
			is_sealed(s);
		}
		before = s->k->num_kept - kept;
		assert_true(round < 600);
	}
}

/* Questions */

/* own_reason: why the engine may deny what the rules would not. */
static bool own_reason(enum dr_deny deny)
{
	return deny == DR_DENY_CODE;
}

static void ask(struct search *s)
{
	static struct m_view heads[BLOCKS];
	const struct dr_request q = random_request();
	struct dr_decision d, m = { 0 };
	const bool sealed = is_sealed(s);
	const struct m_view v = s->final_ != NULL ? view_of(s->final_) : (struct m_view){ 0 };
	const size_t num = head_views(s, heads);
	const bool allowed = !sealed && m_decide(&m, &v, heads, num, NODE, &q);
	uint64_t idx;

	if (odds(3) && s->k->num_notes[DR_NOTE_REQUEST] < 3000) {
		memset(&s->k->fail, 0, sizeof(s->k->fail));
		dr_engine_request(s->k->e, &d, &idx, &q, &s->k->fail);
		kit_assert_fail(DR_OK, &s->k->fail);
		s->k->answers[s->k->num_answers++] = d;
	} else {
		dr_engine_ask(s->k->e, &d, &q);
	}
	s->t->asked++;
	assert_int_equal(d.verdict == DR_ALLOW, d.deny == DR_DENY_NONE);
	if (d.verdict == DR_ALLOW) {
		if (!allowed) {
			tell(s, &q, heads, num);
			fail_msg("allowed against the rules%s: purpose %u back %u root_back %u from %d, %zu heads",
				 sealed ? ": it must be sealed" : "", q.purpose, q.back, q.root_back, q.has_from,
				 num);
		}
		assert_int_equal(d.generation, m.generation);
		assert_int_equal(d.epoch, m.epoch);
		assert_int_equal(d.root_time, m.root_time);
		assert_memory_equal(d.app_hash, m.app_hash, 32);
		assert_memory_equal(d.deployer, m.deployer, 20);
		assert_memory_equal(d.nonce, m.nonce, 32);
		s->t->allowed++;
		s->t->back += q.back;
		s->t->root_back += q.root_back;
		s->t->from += q.has_from;
		s->t->epochs += d.epoch > 0;
		s->t->generations += d.generation > 1;
		s->t->foreseen += num > 0;
		return;
	}
	s->t->unsealed += !sealed;
	s->t->denied[d.deny]++;
	if (!allowed)
		return;
	s->t->refused++;
	s->t->withheld[d.deny]++;
	if (!own_reason(d.deny)) {
		tell(s, &q, heads, num);
		fail_msg("refused against the rules: %s; %zu heads", dr_deny_name(d.deny), num);
	}
}

static void ask_share(struct search *s)
{
	static struct m_view heads[BLOCKS];
	static struct m_roots roots;
	const struct m_view v = s->final_ != NULL ? view_of(s->final_) : (struct m_view){ 0 };
	const size_t num = head_views(s, heads);
	const uint64_t to = PICK(nodes);
	bool allowed = !is_sealed(s);
	uint64_t g = 0;
	enum dr_deny deny;

	m_roots(&roots, &v);
	g = odds(80) ? m_generation(&roots) : rnd(roots.ordered + 2);
	allowed = allowed && m_share(&v, NODE, g, to);
	for (size_t i = 0; i < num; i++)
		allowed = allowed && m_share(&heads[i], NODE, g, to);
	deny = dr_engine_ask_share(s->k->e, g, kit_id((uint8_t)to));
	s->t->shares++;
	s->t->shares_allowed += deny == DR_DENY_NONE;
	if (deny == DR_DENY_NONE && !allowed)
		fail_msg("generation %llu may go to node %llu against the rules", (unsigned long long)g,
			 (unsigned long long)to);
	if (allowed && deny != DR_DENY_NONE && !own_reason(deny))
		fail_msg("a share refused against the rules: %s", dr_deny_name(deny));
}

/* Steps */

static void clock_to(struct search *s, uint64_t boot_ms, uint64_t wall_ms)
{
	ek_clock(s->k, boot_ms, wall_ms);
	kit_assert_fail(DR_OK, &s->k->fail);
	is_sealed(s);
}

static void do_grow(struct search *s)
{
	const uint64_t before = s->tip->time;

	s->tip = block_on(s, s->tip, false);
	s->w.forge->tip = s->tip->forged;
	s->now_ms += (s->tip->time - before) * 1000;
	clock_to(s, s->k->boot_ms + (s->tip->time - before) * 1000,
		 s->clock_wrong ? s->k->wall_ms + rnd(2) * 1000 : s->now_ms);
}

/* A fork from some block that is not below the final one; a few blocks; sometimes it is the chain from now on. */
static void do_fork(struct search *s)
{
	struct block *from = s->tip;

	for (uint64_t up = rnd(5); up > 0 && from != s->final_ && from->parent != NULL; up--)
		from = from->parent;
	/* Never below what is named final: that would be a contradiction, and the engine halts. */
	if (s->final_ == NULL || !descends(from, s->final_) || from->number < s->w.forge->final_number)
		return;
	for (uint64_t num = 1 + rnd(3); num > 0 && s->num + 8 < BLOCKS; num--)
		from = block_on(s, from, true);
	for (size_t i = 0; i < from->num; i++)
		if (from->line[i]->what == M_UNREADABLE)
			return; /* never the chain itself, or nothing would be answered in this world again */
	if (odds(30)) {
		s->tip = from;
		s->w.forge->tip = from->forged;
		s->t->reorgs++;
	}
}

static void do_final(struct search *s)
{
	const uint64_t from = s->w.forge->final_number, room = s->tip->number - from;

	if (room > 0)
		s->w.forge->final_number +=
			odds(40) ? room - (odds(50) ? 0 : rnd(room)) : 1 + rnd(room < 4 ? room : 4);
	if (s->w.forge->final_number > s->tip->number)
		s->w.forge->final_number = s->tip->number;
	drain(s);
}

static void do_head(struct search *s)
{
	struct block *b = odds(50) ? s->tip : s->blocks[s->num - 1 - rnd(s->num < 12 ? s->num : 12)];

	if (s->final_ == NULL || b->number <= s->final_->number || !descends(b, s->final_))
		return;
	/* Whatever is final and can be had goes before any head. */
	drain(s);
	if (b->number <= s->final_->number || !descends(b, s->final_) ||
	    s->final_->number != s->w.forge->final_number)
		return;
	s->w.forge->tip = b->forged; /* the chain that the sources are on, for now */
	for (uint16_t source = 0; source < 2; source++) {
		ek_feed(s->k, frame_named(DR_STATUS_HEAD, b->forged, source));
		kit_assert_fail(DR_OK, &s->k->fail);
		is_sealed(s);
	}
	/* The engine has it once its blocks are complete; it may then be sealed no more by the model's word. */
	drain(s);
	s->w.forge->tip = s->tip->forged;
	for (struct block *x = b; x != s->final_ && x != NULL; x = x->parent) {
		x->counts = true;
		s->head_time = x->time > s->head_time ? x->time : s->head_time;
		if (!x->counted)
			s->t->events += x->own;
		x->counted = true;
		s->t->heads++;
	}
	is_sealed(s);
}

static void do_clock(struct search *s)
{
	const uint64_t far_ms = rnd(2 * s->init.max_staleness_s < 4000 ? 2 * s->init.max_staleness_s : 4000) * 1000;

	switch (rnd(5)) {
	case 0: clock_to(s, s->k->boot_ms + far_ms / 4, s->now_ms += far_ms / 4); break; /* time goes by */
	case 1: clock_to(s, s->k->boot_ms, s->now_ms + far_ms); break;
	case 2: clock_to(s, s->k->boot_ms, s->now_ms > far_ms ? s->now_ms - far_ms : 0); break;
	case 3: s->clock_wrong = odds(30); break;
	case 4: clock_to(s, s->k->boot_ms + 1000, s->now_ms); break;
	}
}

static void do_restart(struct search *s)
{
	struct engine_kit *old = s->k;

	if (odds(70)) { /* a new process, on what the old one kept */
		struct engine_kit *k = engine_new(s);

		s->k = k;
		s->quiet = true;
		dr_engine_quiet(k->e, true);
		ek_replay(k, dr_buf_view(&old->kept));
		dr_engine_quiet(k->e, false);
		s->quiet = false;
		assert_true(dr_bytes_eq(dr_buf_view(&old->changes), dr_buf_view(&k->changes)));
		assert_int_equal(old->num_answers, k->num_answers);
		assert_memory_equal(old->answers, k->answers, k->num_answers * sizeof(k->answers[0]));
		k->no_state = old->no_state;
		k->boot_ms = old->boot_ms;
		ek_free(old);
	}
	s->k->boot_ms = odds(50) ? 5000 : s->k->boot_ms + rnd(100000);
	s->k->wall_ms = s->now_ms;
	s->clock_wrong = s->offset_known = s->seen = false;
	s->num_nonces = 0;
	ek_start(s->k);
	kit_assert_fail(DR_OK, &s->k->fail);
	is_sealed(s);
	s->t->restarts++;
	if (odds(70))
		drain(s);
}

static void do_nonce(struct search *s)
{
	struct w nonce;

	if (!s->k->started || !dr_engine_nonce_wanted(s->k->e))
		return;
	if (s->num_nonces == NONCES)
		memmove(s->nonces, s->nonces + 1, --s->num_nonces * sizeof(s->nonces[0]));
	s->nonces[s->num_nonces].size = odds(95) ? dr_engine_journal(s->k->e)->size : rnd(40);
	s->nonces[s->num_nonces].id = ++s->last_nonce + 5000;
	s->nonces[s->num_nonces++].boot_ms = s->k->boot_ms;
	nonce = kit_n(s->last_nonce + 5000);
	dr_be64_put(nonce.b, s->nonces[s->num_nonces - 1].size);
	memset(&s->k->fail, 0, sizeof(s->k->fail));
	dr_engine_nonce(s->k->e, nonce.b, &s->k->fail);
	kit_assert_fail(DR_OK, &s->k->fail);
}

static void world(struct totals *t, unsigned seed)
{
	static const uint64_t limits[] = { 600, 2000, 100000 };
	struct search *s = (struct search *)kit_alloc(sizeof(*s));
	const char *why;

	srand(seed);
	s->t = t;
	s->w.forge = forge_new(3);
	s->w.forge->noise = odds(20);
	s->w.k = kit_new();
	profile_of(&s->w.k->profile);
	s->w.k->fold.start_number = START;
	s->tip = block_new(s, NULL, 0);
	founders(s, s->tip);
	s->w.forge->tip = s->tip->forged;
	s->w.forge->final_number = START;
	s->now_ms = s->tip->time * 1000;
	ek_init(&s->init, &s->w, (enum dr_way)rnd(3), (uint32_t)(odds(50) ? 64 : 1 + rnd(8)));
	s->init.max_staleness_s = PICK(limits);
	s->init.heartbeat = odds(25);
	s->init.head_staleness_s = odds(20) ? 900 : 0;
	s->k = engine_new(s);
	s->k->boot_ms = 5000;
	s->k->wall_ms = s->now_ms;
	ek_start(s->k);
	drain(s);
	t->worlds++;
	while (s->num + 8 < BLOCKS / 2) {
		const unsigned what = (unsigned)rnd(100);

		if (what < 45)
			do_grow(s);
		else if (what < 53)
			do_fork(s);
		else if (what < 70)
			do_final(s);
		else if (what < 78)
			do_head(s);
		else if (what < (s->init.heartbeat && odds(50) ? 90 : 82))
			do_nonce(s);
		else if (what < 85)
			do_clock(s);
		else if (what < 86)
			do_restart(s);
		else if (what < 87)
			s->k->no_state = odds(20);
		else if (what < 90)
			clock_to(s, s->k->boot_ms, s->now_ms);
		s->broken = s->num + 30 > BLOCKS / 2; /* near the end, events that nobody can read */
		if (dr_engine_sealed(s->k->e, &why) != is_sealed(s))
			fail_msg("the seal and its model differ: %s", *why != 0 ? why : "not sealed");
		for (size_t i = 0; i < 4; i++)
			ask(s);
		ask_share(s);
	}
	ek_free(s->k);
	kit_free(s->w.k);
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && *text != 0 ? strtoull(text, NULL, 10) : otherwise;
}

static void test_search(void **state)
{
	const uint64_t events = from_env("DEROT_SEARCH", EVENTS), first = from_env("DEROT_SEARCH_SEED", 1);
	struct totals *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	(void)state;
	assert_ptr_not_equal(t, MAP_FAILED);
	for (uint64_t seed = first; t->events < events; seed++) {
		const pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			world(t, (unsigned)seed);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("seed %llu: DEROT_SEARCH=1 DEROT_SEARCH_SEED=%llu shows it",
				 (unsigned long long)seed, (unsigned long long)seed);
	}
	print_message("%llu worlds, %llu blocks, %llu events (%llu final and obeyed), %llu heads, %llu reorgs, %llu "
		      "restarts\n",
		      (unsigned long long)t->worlds, (unsigned long long)t->blocks, (unsigned long long)t->events,
		      (unsigned long long)t->obeyed, (unsigned long long)t->heads, (unsigned long long)t->reorgs,
		      (unsigned long long)t->restarts);
	print_message(
		"%llu requests: %llu allowed (epoch before %llu, generation before %llu, handover %llu, epoch > 0 "
		"%llu, generation > 1 %llu, under heads %llu), %llu denied unsealed\n",
		(unsigned long long)t->asked, (unsigned long long)t->allowed, (unsigned long long)t->back,
		(unsigned long long)t->root_back, (unsigned long long)t->from, (unsigned long long)t->epochs,
		(unsigned long long)t->generations, (unsigned long long)t->foreseen, (unsigned long long)t->unsealed);
	print_message("%llu shares asked, %llu allowed\n", (unsigned long long)t->shares,
		      (unsigned long long)t->shares_allowed);
	for (size_t i = 0; i < DENIES; i++)
		if (t->withheld[i] > 0)
			print_message("withheld though the rules allow it: %s %llu\n", dr_deny_name((enum dr_deny)i),
				      (unsigned long long)t->withheld[i]);
	print_message("denied:");
	for (size_t i = 0; i < DENIES; i++)
		if (t->denied[i] > 0)
			print_message(" %s %llu", dr_deny_name((enum dr_deny)i), (unsigned long long)t->denied[i]);
	print_message("\n");
	if (events < 10000)
		return;
	/* A search that hardly ever finds keys proves nothing. */
	assert_true(t->allowed * 50 > t->asked);
	assert_true(t->back > 0 && t->root_back > 0 && t->from > 0 && t->epochs > 0 && t->generations > 0);
	assert_true(t->foreseen > 0 && t->shares_allowed > 0 && t->reorgs > 0 && t->restarts > 0 && t->unsealed > 0);
	assert_true(t->refused * 5 < t->allowed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_search) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
