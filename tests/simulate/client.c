/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/client.h"

#include <stdlib.h>

#include "kms-bridge/derivation.h"
#include "tests/simulate/clocks.h"

#define ASKED_MAX 64u
enum { KEYS = 0, LOGS = 1, RUDE = 2, SERVE = MACHINE_SERVE };

/* What was asked over a client's wire and not answered yet, in order. */
struct question {
	uint16_t type;
	struct dr_request request;
	uint64_t generation;
	uint8_t to;
	bool served;
	struct dr_proof_query proof;
};
static struct question asked[MACHINE_CLIENTS][ASKED_MAX];
static size_t num_asked[MACHINE_CLIENTS];
static bool exact_answers, any_allowed;
static uint8_t reading;          /* the log that is read */
static struct dr_buf *recording; /* what is read is evidence */

void client_reset(void)
{
	memset(num_asked, 0, sizeof(num_asked));
}

static void connect_client(size_t i)
{
	struct wire *wire = &machine.clients[i];

	/* Who serves the network is there from the start, or not at all. */
	if (i == SERVE || (wire->used && !wire->closed))
		return;
	dr_buf_free(&wire->in);
	dr_buf_free(&wire->out);
	memset(wire, 0, sizeof(*wire));
	dr_buf_init(&wire->in, (size_t)1 << 26);
	dr_buf_init(&wire->out, (size_t)1 << 30);
	wire->used = true;
	num_asked[i] = 0;
	machine.connecting = (int)i;
	hear_run();
}

/* A question is put into *message by who asks it; it is sent if there is a core that hears it. */
static struct dr_buf message = { .cap = 1u << 16 };

static void say(size_t i, const struct question *q)
{
	struct dr_fail fail = { 0 };

	if (machine.state == MACHINE_IDLE && w.ready)
		connect_client(i);
	if (machine.state == MACHINE_IDLE && w.ready && machine.clients[i].used && !machine.clients[i].closed) {
		SIM_MUST("limit", num_asked[i] < ASKED_MAX, "too many questions");
		asked[i][num_asked[i]++] = *q;
		dr_buf_append(&machine.clients[i].in, message.ptr, message.len, &fail);
	}
	message.len = 0;
}

static void put(const struct question *q, struct dr_bytes payload)
{
	struct dr_fail fail = { 0 };

	SIM_MUST("limit", dr_msg_put(&message, q->type, payload, &fail) == DR_OK, "a question: %s", fail.what);
}

/* Keys */

static size_t views(struct m_view *heads)
{
	return head_views(&w.s, heads);
}

static void check_key(const struct dr_request *q, const struct dr_key_answer *a, const struct m_view *v)
{
	static uint8_t input[DR_DERIVATION_INPUT_MAX];
	uint8_t key[DR_DERIVATION_KEY_LEN];
	const struct m_ev *published = NULL;
	struct dr_fail fail = { 0 };
	size_t len;

	/* The key is the one that the published root gives, and its intent and its release are in the journal. */
	M_BACK(v, e)
	if (published == NULL && e->action == DR_ACTION_ROOT_PUBLISH && e->n[0] == a->decision.generation)
		published = e;
	SIM_MUST("I1", published != NULL && published->pub.words != NULL,
		 "a key of generation %llu, which nobody published", (unsigned long long)a->decision.generation);
	SIM_MUST("I1",
		 dr_derivation_input(input, sizeof(input), &len, w.s.init.chain_id, w.s.init.genesis,
				     w.s.init.contract, &a->decision, q, &fail) == DR_OK &&
			 dr_derivation_verify(key, a->proof, published->pub.words[1], dr_bytes_of(input, len),
					      (enum dr_purpose)q->purpose, q->contract, &fail) == DR_OK &&
			 a->key_len == sizeof(key) && memcmp(key, a->key, sizeof(key)) == 0,
		 "a key that the published root does not give: %s", fail.what != NULL ? fail.what : "another key");
	const struct told_log *j = &w.logs[1];
	bool released = false;

	SIM_MUST("I3", a->request_idx < j->tree.size && j->entries[a->request_idx].kind == DR_NOTE_REQUEST,
		 "a key left, and its request was never told");
	for (uint64_t i = a->request_idx + 1; i < j->tree.size && !released; i++)
		released = j->entries[i].kind == DR_NOTE_RELEASE && j->entries[i].request == a->request_idx;
	SIM_MUST("I3", released, "a key left, and its release was never told");
}

static void tell_of(const struct dr_request *q, const struct m_view *heads, size_t num)
{
	w.s.final_ = w.cursor;
	tell(&w.s, q, heads, num);
}

/* At proof consensus no key leaves, whatever was decided (core_keys.c): what was, is held against the rules. */
static void hear_granted(const struct question *q)
{
	static struct m_view heads[BLOCKS];
	const struct m_view v = w.cursor != NULL ? view_of(w.cursor) : (struct m_view){ 0 };
	const size_t num = views(heads);
	struct dr_decision m;
	const bool rules = w.cursor != NULL && m_decide(&m, &v, heads, num, NODE, &q->request);

	sim_say("    key: allowed, and withheld");
	sim_count(SIM_GRANTED);
	report->counts[SIM_GRANTED_HEADS] += num > 0;
	any_allowed = true;
	if (!rules && sim_aloud)
		tell_of(&q->request, heads, num);
	SIM_MUST("I1", rules, "allowed against the rules, with %zu heads", num);
	SIM_MUST("I1", world_held(&v) == NULL, "allowed, under %s", world_held(&v));
	/* A sync that took long came after the decision, and its clock was read up to a second before; what has aged
	 * since would be seen before anything left. */
	if (machine.true_ms >= w.clock_set_ms + 1000 + w.slow_ms)
		clocks_check("allowed", w.slow_ms);
}

static void hear_key(const struct question *q, struct dr_bytes payload)
{
	static struct m_view heads[BLOCKS];
	static struct dr_key_answer a;
	struct dr_fail fail = { 0 };
	struct dr_decision m;

	SIM_MUST("protocol", dr_key_answer_get(&a, payload, &fail) == DR_OK, "an answer that is none: %s", fail.what);
	const bool allowed = a.decision.verdict == DR_ALLOW;
	const struct m_view v = w.cursor != NULL ? view_of(w.cursor) : (struct m_view){ 0 };
	const size_t num = views(heads);
	const bool rules = w.cursor != NULL && m_decide(&m, &v, heads, num, NODE, &q->request);

	SIM_MUST("I1", allowed == (a.decision.deny == DR_DENY_NONE) && allowed == (a.key_len > 0),
		 "an answer that allows and denies");
	sim_say("    key: %s%s", allowed ? "allow" : "deny ", allowed ? "" : dr_deny_name(a.decision.deny));
	if (!allowed) {
		report->denied[a.decision.deny % 32]++;
		sim_count(a.decision.deny == DR_DENY_SEALED ? SIM_SEALED : SIM_DENIALS);
		if (strstr(a.reason, "older than max_staleness") != NULL)
			sim_count(SIM_SEALED_STALE);
		if (a.decision.deny == DR_DENY_SEALED && w.held)
			sim_count(SIM_HELD);
		if (exact_answers && rules && a.decision.deny != DR_DENY_ROOT_FOREIGN && !w.held) {
			if (sim_aloud)
				tell_of(&q->request, heads, num);
			sim_fail("I5", "denied against the rules: %s", dr_deny_name(a.decision.deny));
		}
		return;
	}
	SIM_MUST("I1", !w.consensus, "a key of proof consensus left, to nobody who is attested");
	sim_count(SIM_ALLOWS);
	report->counts[SIM_ALLOWS_HEADS] += num > 0;
	any_allowed = true;
	if (!rules && sim_aloud)
		tell_of(&q->request, heads, num);
	SIM_MUST("I1", rules, "allowed against the rules, at block %llu, %zu heads",
		 (unsigned long long)w.cursor->number, num);
	SIM_MUST("I1",
		 a.decision.generation == m.generation && a.decision.epoch == m.epoch &&
			 memcmp(a.decision.app_hash, m.app_hash, 32) == 0 &&
			 memcmp(a.decision.deployer, m.deployer, 20) == 0 &&
			 memcmp(a.decision.nonce, m.nonce, 32) == 0,
		 "allowed, of another generation, epoch or application than the rules say");
	SIM_MUST("I1", world_held(&v) == NULL, "allowed, under %s", world_held(&v));
	clocks_check("allowed", machine.true_ms - machine.said_ms);
	check_key(&q->request, &a, &v);
}

/* The one that was handed out last. */
static uint8_t parcel[4096];
static size_t parcel_len;

static void hear_parcel(const struct question *q, struct dr_bytes payload)
{
	static struct m_view heads[BLOCKS];
	const size_t num = views(heads);
	static struct m_roots roots;
	const struct m_view v = w.cursor != NULL ? view_of(w.cursor) : (struct m_view){ 0 };
	uint64_t g = q->generation;

	struct dr_fail fail = { 0 };
	struct dr_run run;

	sim_count(SIM_SHARES);
	SIM_MUST("protocol", dr_run_get(&run, payload, &fail) == DR_OK && run.bytes.len <= sizeof(parcel),
		 "a parcel that is none");
	parcel_len = run.bytes.len;
	memcpy(parcel, run.bytes.ptr, parcel_len);
	SIM_MUST("I1", w.cursor != NULL, "a root is handed out before the first final block");
	m_roots(&roots, &v);
	g = g != 0 ? g : m_generation(&roots);
	SIM_MUST("I1", m_share(&v, NODE, g, q->to), "generation %llu is handed to node %u against the rules",
		 (unsigned long long)g, q->to);
	for (size_t i = 0; i < num; i++)
		SIM_MUST("I1", m_share(&heads[i], NODE, g, q->to),
			 "generation %llu is handed to node %u against a head", (unsigned long long)g, q->to);
	SIM_MUST("I1", world_held(&v) == NULL, "a root is handed out, under %s", world_held(&v));
	clocks_check("a root is handed out", machine.true_ms - machine.said_ms);
}

/* Roots: what the core tells is what its node would publish. */
static void hear_root(struct dr_bytes payload)
{
	struct dr_root_public root;
	struct dr_fail fail = { 0 };
	static struct m_roots roots;
	uint64_t below = 0;

	SIM_MUST("protocol", dr_root_public_get(&root, payload, &fail) == DR_OK, "a root that is none: %s",
		 fail.what);
	w.root_told = root.published_equal ? root.generation : 0;
	if (root.generation == 0 || root.published_equal || w.num_roots == ROOTS_MAX)
		return;
	if (w.cursor != NULL) {
		const struct m_view v = view_of(w.cursor);

		m_roots(&roots, &v);
		below = m_published_below(&roots, root.generation);
	}
	struct told_root *r = &w.roots[w.num_roots];

	*r = (struct told_root){ .generation = root.generation, .seed = (uint16_t)(256 + w.num_roots) };
	/* Told again it is the same root; only its proofs are new. */
	for (size_t i = 0; i < w.num_roots; i++)
		if (memcmp(w.roots[i].words[1], root.words[1], 32) == 0)
			r->seed = w.roots[i].seed;
	if (!dr_bytes_zero(root.words[8], 64) && below != 0)
		r->prev_seed = roots.g[below].seed;
	memcpy(r->words, root.words, sizeof(r->words));
	w.num_roots++;
	sim_count(SIM_ROOTS);
}

static void hear_proof(const struct question *q, struct dr_bytes payload)
{
	static struct dr_log_proof p;
	struct dr_fail fail = { 0 };
	const struct told_log *l = &w.logs[q->proof.log];

	SIM_MUST("protocol", dr_log_proof_get(&p, payload, &fail) == DR_OK, "a proof that is none: %s", fail.what);
	SIM_MUST("I3",
		 dr_merkle_verify_inclusion(p.root, p.size, q->proof.first, l->entries[q->proof.first].hash,
					    (const uint8_t(*)[32])p.hashes, p.num),
		 "a proof that does not hold of what was told");
	sim_count(q->served ? SIM_SERVED : SIM_PROOFS);
}

static void hear_log_end(struct dr_bytes payload)
{
	const struct told_log *l = &w.logs[reading];
	uint8_t root[32];

	SIM_MUST("protocol", payload.len == 40, "a log's end that is none");
	SIM_MUST("I3", dr_be64_get(payload.ptr) == l->tree.size, "the %s has %llu entries, %llu were told",
		 reading ? "journal" : "ledger", (unsigned long long)dr_be64_get(payload.ptr),
		 (unsigned long long)l->tree.size);
	dr_merkle_root(root, &l->tree);
	SIM_MUST("I3", memcmp(root, payload.ptr + 8, 32) == 0, "the %s' root is not that of what was told",
		 reading ? "journal" : "ledger");
	sim_count(SIM_LOGS_READ);
}

static void hear_answer(size_t i, uint16_t type, struct dr_bytes payload)
{
	struct dr_error error;
	struct dr_fail fail = { 0 };
	struct question q;

	if (type == DR_MSG_LOG_ENTRY) {
		hear_entry(reading, payload);
		return;
	}
	if (type == DR_MSG_KEPT && recording != NULL) {
		SIM_MUST("limit", dr_buf_append(recording, payload.ptr, payload.len, &fail) == DR_OK, "evidence: %s",
			 fail.what);
		return;
	}
	SIM_MUST("protocol", num_asked[i] > 0, "an answer %04x to nothing", type);
	q = asked[i][0];
	memmove(asked[i], asked[i] + 1, --num_asked[i] * sizeof(q));
	if (type == DR_MSG_ERROR) {
		SIM_MUST("protocol", dr_error_get(&error, payload, &fail) == DR_OK, "an error that is none");
		sim_say("    error: %s", error.what);
		if (q.type == DR_MSG_PARCEL_GET)
			sim_count(SIM_SHARES_DENIED);
		if (q.type == DR_MSG_PARCEL_PUT)
			sim_count(SIM_PARCELS_REFUSED);
		if (q.type == DR_MSG_KEY_GET && strstr(error.what, "attested recipient") != NULL)
			hear_granted(&q);
		else if (q.type == DR_MSG_KEY_GET)
			sim_count(SIM_AGED);
		return;
	}
	switch (type) {
	case DR_MSG_KEY: hear_key(&q, payload); return;
	case DR_MSG_PARCEL: hear_parcel(&q, payload); return;
	case DR_MSG_ROOT: hear_root(payload); return;
	case DR_MSG_PROOF: hear_proof(&q, payload); return;
	case DR_MSG_LOG_END:
		if (recording == NULL)
			hear_log_end(payload);
		recording = NULL;
		return;
	case DR_MSG_DONE:
		SIM_MUST("I1", q.type == DR_MSG_RESEAL, "a root is taken that nobody gave");
		sim_count(SIM_RESEALS);
		return;
	default: sim_fail("protocol", "the core answers %04x", type);
	}
}

void client_hear(bool logs)
{
	struct dr_bytes payload;
	uint16_t type;

	for (size_t i = 0; i < MACHINE_CLIENTS; i++)
		while ((i == LOGS) == logs && machine.clients[i].used &&
		       hear_next(&machine.clients[i], &type, &payload))
			hear_answer(i, type, payload);
}

bool client_keys(unsigned num, bool exact)
{
	uint8_t bytes[DR_REQUEST_LEN_MAX];
	struct dr_fail fail = { 0 };
	size_t len;

	exact_answers = exact;
	any_allowed = false;
	for (unsigned i = 0; i < num; i++) {
		struct question q = { .type = DR_MSG_KEY_GET, .request = random_request() };

		if (dr_request_encode(bytes, sizeof(bytes), &len, &q.request, &fail) != DR_OK)
			continue;
		sim_count(SIM_REQUESTS);
		put(&q, dr_bytes_of(bytes, len));
		say(KEYS, &q);
	}
	hear_run();
	exact_answers = false;
	return any_allowed;
}

void client_share(void)
{
	static struct m_roots roots;
	struct question q = { .type = DR_MSG_PARCEL_GET, .to = (uint8_t)PICK(nodes) };
	struct dr_parcel_query query = { 0 };
	struct dr_fail fail = { 0 };

	if (w.cursor != NULL) {
		const struct m_view v = view_of(w.cursor);

		m_roots(&roots, &v);
		q.generation = chance(80) ? m_generation(&roots) : draw((uint32_t)roots.ordered + 2);
	}
	query.generation = q.generation;
	memset(query.node, q.to, 20);
	dr_parcel_query_put(&message, q.type, &query, &fail);
	say(KEYS, &q);
	hear_run();
}

/* To another node, or spoiled, or nothing at all. */
void client_parcel(void)
{
	const struct question q = { .type = DR_MSG_PARCEL_PUT };
	uint8_t bytes[sizeof(parcel)];
	struct dr_fail fail = { 0 };
	size_t len = parcel_len;

	memcpy(bytes, parcel, len);
	if (len == 0)
		bytes[len++] = (uint8_t)draw(256);
	for (uint32_t flips = draw(4); flips > 0; flips--)
		bytes[draw(draw(2) == 0 ? 1 + (uint32_t)len / 2 : (uint32_t)len)] ^= (uint8_t)(1u << draw(8));
	if (chance(10))
		len = draw((uint32_t)len);
	const struct dr_run run = { dr_bytes_of(bytes, len) };

	SIM_MUST("limit", dr_run_put(&message, q.type, &run, &fail) == DR_OK, "a parcel: %s", fail.what);
	say(KEYS, &q);
	hear_run();
}

void client_root(void)
{
	const struct question q = { .type = DR_MSG_ROOT_GET };
	const uint8_t newest[8] = { 0 };

	put(&q, dr_bytes_of(newest, sizeof(newest)));
	say(KEYS, &q);
	hear_run();
}

void client_reseal(void)
{
	const struct question q = { .type = DR_MSG_RESEAL };

	put(&q, dr_bytes_of(NULL, 0));
	say(KEYS, &q);
	hear_run();
}

void client_proof(void)
{
	struct question q = { .type = DR_MSG_PROOF_GET, .proof = { .log = (uint8_t)draw(2) } };
	const struct told_log *l = &w.logs[q.proof.log];
	struct dr_fail fail = { 0 };

	if (l->tree.size == 0)
		return;
	q.proof.kind = DR_PROOF_INCLUSION;
	q.proof.first = draw((uint32_t)l->tree.size);
	q.served = machine.clients[SERVE].used && !machine.clients[SERVE].closed && draw(2) == 0;
	dr_proof_query_put(&message, q.type, &q.proof, &fail);
	say(q.served ? SERVE : KEYS, &q);
	hear_run();
}

void client_logs(void)
{
	const struct question q = { .type = DR_MSG_LOG_GET };

	for (reading = 0; reading < 2; reading++) {
		const struct dr_log_query query = { .log = reading, .first = w.logs[reading].tree.size };
		struct dr_fail fail = { 0 };

		dr_log_query_put(&message, q.type, &query, &fail);
		say(LOGS, &q);
		hear_run();
	}
	reading = 0;
}

bool client_evidence(struct dr_buf *out)
{
	const struct question q = { .type = DR_MSG_EVIDENCE_GET };

	recording = out;
	put(&q, dr_bytes_of(NULL, 0));
	say(LOGS, &q);
	hear_run();
	const bool whole = recording == NULL;

	recording = NULL;
	return whole;
}

void client_rude(void)
{
	/* Nobody says these but control; and who serves the network has no part in what is secret. */
	static const uint16_t types[] = { DR_MSG_STOP,       DR_MSG_KEY_GET, DR_MSG_PARCEL_GET,
					  DR_MSG_PARCEL_PUT, DR_MSG_RESEAL,  DR_MSG_EVIDENCE_GET };
	const size_t i = machine.clients[SERVE].used && !machine.clients[SERVE].closed && draw(2) == 0 ? SERVE : RUDE;
	const struct question q = { .type = types[i == SERVE ? draw(6) : 0] };

	put(&q, dr_bytes_of(NULL, 0));
	say(i, &q);
	hear_run();
	if (machine.state == MACHINE_IDLE && w.ready)
		SIM_MUST("protocol", machine.clients[i].closed, "a client may say what it must not");
}
