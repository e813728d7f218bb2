/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/quorum.h"

#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/base/writer.h"

#define OUT_MAX 64u /* findings not yet handed out */

struct word {
	uint64_t number;
	uint8_t hash[32];
	bool set;
};

struct dr_quorum {
	size_t k, n;
	struct {
		struct word head;
		struct word final_[DR_QUORUM_WORDS]; /* a ring */
		size_t next;
	} endpoint[DR_ENDPOINTS_MAX];
	struct {
		struct word word;
		bool said;            /* handed out since the last restart */
	} known[DR_QUORUM_KNOWN_MAX]; /* a ring */
	size_t known_next;
	struct word head_said;
	struct dr_finality_finding out[OUT_MAX];
	size_t out_num, out_next;
};

struct dr_quorum *dr_quorum_new(size_t k, size_t n)
{
	DR_ASSERT(k >= 1 && k <= n && n <= DR_ENDPOINTS_MAX);
	struct dr_quorum *q = dr_heap_alloc(sizeof(*q));

	if (q != NULL) {
		q->k = k;
		q->n = n;
	}
	return q;
}

void dr_quorum_free(struct dr_quorum *q)
{
	dr_heap_free(q);
}

void dr_quorum_payload(uint8_t out[static DR_QUORUM_PAYLOAD_LEN], enum dr_status status, uint64_t number,
		       const uint8_t hash[static 32])
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, out, DR_QUORUM_PAYLOAD_LEN, &fail);
	dr_writer_u8(&w, DR_FINALITY_QUORUM);
	dr_writer_u8(&w, (uint8_t)status);
	dr_writer_u64(&w, number);
	dr_writer_copy(&w, hash, 32);
	DR_ASSERT(fail.err == DR_OK && w.len == DR_QUORUM_PAYLOAD_LEN);
}

static bool same(const struct word *a, uint64_t number, const uint8_t hash[static 32])
{
	return a->set && a->number == number && memcmp(a->hash, hash, 32) == 0;
}

static void report(struct dr_quorum *q, enum dr_finding_kind kind, enum dr_status status, const struct word *word,
		   size_t source)
{
	if (q->out_num == OUT_MAX)
		return; /* the caller drains after every frame; a word makes at most n + 2 findings */
	struct dr_finality_finding *f = &q->out[q->out_num++];

	*f = (struct dr_finality_finding){
		.kind = kind, .status = status, .number = word->number, .source = (uint16_t)source
	};
	memcpy(f->hash, word->hash, 32);
}

static struct word *final_at(struct dr_quorum *q, size_t source, uint64_t number)
{
	for (size_t i = 0; i < DR_QUORUM_WORDS; i++) {
		struct word *w = &q->endpoint[source].final_[i];

		if (w->set && w->number == number)
			return w;
	}
	return NULL;
}

static size_t known_at(const struct dr_quorum *q, uint64_t number)
{
	for (size_t i = 0; i < DR_QUORUM_KNOWN_MAX; i++)
		if (q->known[i].word.set && q->known[i].word.number == number)
			return i;
	return DR_QUORUM_KNOWN_MAX;
}

/* The block is authenticated as final: hand it out once a start, and name those who say otherwise. */
static void authenticate(struct dr_quorum *q, const struct word *word, size_t source)
{
	size_t at = known_at(q, word->number);

	if (at < DR_QUORUM_KNOWN_MAX && same(&q->known[at].word, word->number, word->hash) && q->known[at].said)
		return;
	if (at == DR_QUORUM_KNOWN_MAX) {
		at = q->known_next;
		q->known_next = (at + 1) % DR_QUORUM_KNOWN_MAX;
		q->known[at].word = *word;
		for (size_t e = 0; e < q->n; e++) {
			const struct word *other = final_at(q, e, word->number);

			if (other != NULL && !same(other, word->number, word->hash))
				report(q, DR_FINDING_DISSENT, DR_STATUS_FINAL, other, e);
		}
	}
	/* A second hash authenticated at one number is handed out too: the follower calls it a conflict. */
	q->known[at].said = same(&q->known[at].word, word->number, word->hash);
	report(q, DR_FINDING_BLOCK, DR_STATUS_FINAL, word, source);
}

static void take_final(struct dr_quorum *q, const struct word *word, size_t source)
{
	struct word *mine = final_at(q, source, word->number);
	size_t votes = 0;

	if (mine != NULL && !same(mine, word->number, word->hash))
		report(q, DR_FINDING_EQUIVOCAL, DR_STATUS_FINAL, word, source);
	if (mine == NULL) {
		mine = &q->endpoint[source].final_[q->endpoint[source].next];
		q->endpoint[source].next = (q->endpoint[source].next + 1) % DR_QUORUM_WORDS;
	}
	*mine = *word;
	for (size_t e = 0; e < q->n; e++) {
		const struct word *other = final_at(q, e, word->number);

		votes += other != NULL && same(other, word->number, word->hash);
	}
	if (votes >= q->k) {
		authenticate(q, word, source);
		return;
	}
	const size_t at = known_at(q, word->number);

	if (at < DR_QUORUM_KNOWN_MAX && !same(&q->known[at].word, word->number, word->hash))
		report(q, DR_FINDING_DISSENT, DR_STATUS_FINAL, word, source);
}

static void take_head(struct dr_quorum *q, const struct word *word, size_t source)
{
	size_t votes = 0;

	q->endpoint[source].head = *word;
	for (size_t e = 0; e < q->n; e++)
		votes += same(&q->endpoint[e].head, word->number, word->hash);
	if (votes < q->k || same(&q->head_said, word->number, word->hash))
		return;
	q->head_said = *word;
	report(q, DR_FINDING_BLOCK, DR_STATUS_HEAD, word, source);
}

static enum dr_err quorum_frame(void *self, struct dr_bytes payload, uint16_t source, bool *news,
				struct dr_fail *fail)
{
	struct dr_quorum *q = self;
	struct dr_reader r;
	struct word word = { .set = true };

	*news = false;
	dr_reader_init(&r, payload, fail);
	const uint8_t scheme = dr_reader_u8(&r), status = dr_reader_u8(&r);

	word.number = dr_reader_u64(&r);
	dr_reader_copy(&r, word.hash, 32);
	if (dr_reader_end(&r) != DR_OK)
		return fail->err;
	if (scheme != DR_FINALITY_QUORUM)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "finality scheme: proof quorum takes scheme 1", 0);
	if (status != DR_STATUS_HEAD && status != DR_STATUS_FINAL)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "finality status is 1 (head) or 2 (final)", 1);
	if (source >= q->n)
		return dr_fail_set(fail, DR_ERR_PROOF, "a word about finality from no configured endpoint", source);
	if (status == DR_STATUS_HEAD) {
		*news = !same(&q->endpoint[source].head, word.number, word.hash);
		if (*news)
			take_head(q, &word, source);
	} else {
		const struct word *mine = final_at(q, source, word.number);

		*news = mine == NULL || !same(mine, word.number, word.hash);
		if (*news)
			take_final(q, &word, source);
	}
	return DR_OK;
}

static bool quorum_next(void *self, struct dr_finality_finding *out)
{
	struct dr_quorum *q = self;

	if (q->out_next == q->out_num) {
		q->out_next = q->out_num = 0;
		memset(out, 0, sizeof(*out));
		return false;
	}
	*out = q->out[q->out_next++];
	return true;
}

static void quorum_restart(void *self)
{
	struct dr_quorum *q = self;

	memset(q->endpoint, 0, sizeof(q->endpoint));
	memset(&q->head_said, 0, sizeof(q->head_said));
	for (size_t i = 0; i < DR_QUORUM_KNOWN_MAX; i++)
		q->known[i].said = false;
	q->out_num = q->out_next = 0;
}

struct dr_finality dr_quorum_finality(struct dr_quorum *q)
{
	return (struct dr_finality){
		.proof = DR_PROOF_QUORUM,
		.self = q,
		.frame = quorum_frame,
		.next = quorum_next,
		.restart = quorum_restart,
	};
}
