/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "chain/base/limits.h"
#include "chain/evidence.h"
#include "chain/evm/quorum.h"

/* What one word led to. */
struct said {
	enum dr_err err;
	bool news;
	struct dr_finality_finding f[64];
	size_t num;
};

static const uint8_t *hash_of(uint8_t name)
{
	static uint8_t hashes[256][32];

	memset(hashes[name], name, 32);
	return hashes[name];
}

static struct said raw(const struct dr_finality *fin, struct dr_bytes payload, uint16_t source)
{
	struct said s = { .num = 0 };
	struct dr_fail fail = { 0 };

	s.err = fin->frame(fin->self, payload, source, &s.news, &fail);
	assert_int_equal(s.err, fail.err);
	while (fin->next(fin->self, &s.f[s.num]))
		assert_true(++s.num < 64);
	return s;
}

static struct said say(const struct dr_finality *fin, uint16_t source, enum dr_status status, uint64_t number,
		       uint8_t name)
{
	uint8_t payload[DR_QUORUM_PAYLOAD_LEN];

	dr_quorum_payload(payload, status, number, hash_of(name));
	return raw(fin, dr_bytes_of(payload, sizeof(payload)), source);
}

static size_t count(const struct said *s, enum dr_finding_kind kind)
{
	size_t num = 0;

	for (size_t i = 0; i < s->num; i++)
		num += s->f[i].kind == kind;
	return num;
}

static void expect_block(const struct said *s, enum dr_status status, uint64_t number, uint8_t name)
{
	const struct dr_finality_finding *f = NULL;

	for (size_t i = 0; i < s->num; i++)
		f = s->f[i].kind == DR_FINDING_BLOCK ? &s->f[i] : f;
	assert_int_equal(count(s, DR_FINDING_BLOCK), 1);
	assert_int_equal(f->status, status);
	assert_int_equal(f->number, number);
	assert_memory_equal(f->hash, hash_of(name), 32);
}

/* The k-th endpoint proves it, not the one before, and it is said once; heads and finals do not add up. */
static void test_k_of_n(void **state)
{
	(void)state;
	for (size_t n = 1; n <= DR_ENDPOINTS_MAX; n++) {
		for (size_t k = 1; k <= n; k++) {
			for (int status = DR_STATUS_HEAD; status <= DR_STATUS_FINAL; status++) {
				struct dr_quorum *q = dr_quorum_new(k, n);
				const struct dr_finality fin = dr_quorum_finality(q);
				struct said s;

				assert_int_equal(fin.proof, DR_PROOF_QUORUM);
				for (uint16_t e = 0; e < n; e++) {
					/* The other kind of word, a near number and another hash from all: no help.
					 */
					s = say(&fin, (uint16_t)(n - 1 - e),
						status == DR_STATUS_HEAD ? DR_STATUS_FINAL : DR_STATUS_HEAD, 100,
						(uint8_t)(10 + e));
					assert_int_equal(s.err, DR_OK);
					s = say(&fin, (uint16_t)(n - 1 - e), (enum dr_status)status, 100, 1);
					assert_true(s.news);
					if (e + 1u == k)
						expect_block(&s, (enum dr_status)status, 100, 1);
					else
						assert_int_equal(count(&s, DR_FINDING_BLOCK), 0);
					/* The same endpoint again: no news, no vote. */
					s = say(&fin, (uint16_t)(n - 1 - e), (enum dr_status)status, 100, 1);
					assert_false(s.news);
					assert_int_equal(s.num, 0);
				}
				dr_quorum_free(q);
			}
		}
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *name;
		size_t at, len;
		uint8_t value;
		uint16_t source;
		enum dr_err expected;
	} rows[] = {
		{ "scheme 0", 0, 42, 0, 0, DR_ERR_UNKNOWN },
		{ "scheme 2", 0, 42, 2, 0, DR_ERR_UNKNOWN },
		{ "status 0", 1, 42, 0, 0, DR_ERR_SYNTAX },
		{ "status 3", 1, 42, 3, 0, DR_ERR_SYNTAX },
		{ "source 3 of 3", 2, 42, 0, 3, DR_ERR_PROOF },
		{ "the core", 2, 42, 0, DR_SOURCE_CORE, DR_ERR_PROOF },
		{ "source 16", 2, 42, 0, 16, DR_ERR_PROOF },
		{ "trailing", 2, 43, 0, 0, DR_ERR_SYNTAX },
		{ "empty", 2, 0, 0, 0, DR_ERR_SHORT },
		{ "short", 2, 41, 0, 0, DR_ERR_SHORT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_quorum *q = dr_quorum_new(1, 3);
		const struct dr_finality fin = dr_quorum_finality(q);
		uint8_t payload[43] = { 0 };

		dr_quorum_payload(payload, DR_STATUS_FINAL, 7, hash_of(1));
		payload[rows[i].at] = rows[i].value;
		const struct said s = raw(&fin, dr_bytes_of(payload, rows[i].len), rows[i].source);

		if (s.err != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(s.err));
		assert_false(s.news);
		assert_int_equal(s.num, 0);
		dr_quorum_free(q);
	}
}

/* Random words against a model that only counts newest words. Final words about few numbers and hashes. */
static void test_model(void **state)
{
	(void)state;
	srand(11);
	for (size_t n = 1; n <= 6; n++) {
		for (size_t k = 1; k <= n; k++) {
			struct dr_quorum *q = dr_quorum_new(k, n);
			const struct dr_finality fin = dr_quorum_finality(q);
			uint8_t newest[6][4] = { { 0 } }, known[4] = { 0 }, head[6] = { 0 }, head_said = 0;
			bool known_said[4] = { false };

			for (unsigned round = 0; round < 3000; round++) {
				const size_t e = (size_t)rand() % n, at = (size_t)rand() % 4;
				const uint8_t name = (uint8_t)(1 + rand() % 3);
				size_t votes = 0;

				if (round % 500 == 499) { /* words are forgotten; what was final is not */
					fin.restart(fin.self);
					memset(newest, 0, sizeof(newest));
					memset(head, 0, sizeof(head));
					memset(known_said, 0, sizeof(known_said));
					head_said = 0;
				}
				if (rand() % 4 == 0) {
					const struct said s = say(&fin, (uint16_t)e, DR_STATUS_HEAD, 1000, name);

					assert_int_equal(s.news, head[e] != name);
					head[e] = name;
					for (size_t i = 0; i < n; i++)
						votes += head[i] == name;
					if (s.news && votes >= k && head_said != name) {
						expect_block(&s, DR_STATUS_HEAD, 1000, name);
						head_said = name;
					} else {
						assert_int_equal(s.num, 0);
					}
					continue;
				}
				const struct said s = say(&fin, (uint16_t)e, DR_STATUS_FINAL, 100 + at, name);
				const bool changed = newest[e][at] != 0 && newest[e][at] != name;

				assert_int_equal(s.news, newest[e][at] != name);
				assert_int_equal(count(&s, DR_FINDING_EQUIVOCAL), changed);
				newest[e][at] = name;
				for (size_t i = 0; i < n; i++)
					votes += newest[i][at] == name;
				if (!s.news)
					assert_int_equal(s.num, 0);
				else if (votes >= k && !(known[at] == name && known_said[at]))
					expect_block(&s, DR_STATUS_FINAL, 100 + at, name);
				else
					assert_int_equal(count(&s, DR_FINDING_BLOCK), 0);
				if (s.news && votes < k)
					assert_int_equal(count(&s, DR_FINDING_DISSENT),
							 known[at] != 0 && known[at] != name);
				if (s.news && votes >= k) {
					if (known[at] == 0) {
						size_t others = 0;

						for (size_t i = 0; i < n; i++)
							others += newest[i][at] != 0 && newest[i][at] != name;
						assert_int_equal(count(&s, DR_FINDING_DISSENT), others);
						known[at] = name;
					}
					known_said[at] = known[at] == name;
				}
			}
			dr_quorum_free(q);
		}
	}
}

/* Two of three change their minds about a final block: both blocks come out, so that a conflict is seen. */
static void test_conflict_is_seen(void **state)
{
	struct dr_quorum *q = dr_quorum_new(2, 3);
	const struct dr_finality fin = dr_quorum_finality(q);
	struct said s;

	(void)state;
	say(&fin, 0, DR_STATUS_FINAL, 9, 1);
	s = say(&fin, 1, DR_STATUS_FINAL, 9, 1);
	expect_block(&s, DR_STATUS_FINAL, 9, 1);
	s = say(&fin, 2, DR_STATUS_FINAL, 9, 2);
	assert_int_equal(count(&s, DR_FINDING_DISSENT), 1);
	assert_int_equal(s.f[0].source, 2);
	assert_memory_equal(s.f[0].hash, hash_of(2), 32);
	s = say(&fin, 1, DR_STATUS_FINAL, 9, 2);
	assert_int_equal(count(&s, DR_FINDING_EQUIVOCAL), 1);
	expect_block(&s, DR_STATUS_FINAL, 9, 2);
	/* After a restart it takes k words again, and the other block is still told. */
	fin.restart(fin.self);
	s = say(&fin, 0, DR_STATUS_FINAL, 9, 1);
	assert_int_equal(s.num, 0);
	s = say(&fin, 2, DR_STATUS_FINAL, 9, 1);
	expect_block(&s, DR_STATUS_FINAL, 9, 1);
	fin.restart(fin.self);
	say(&fin, 0, DR_STATUS_FINAL, 9, 3);
	s = say(&fin, 2, DR_STATUS_FINAL, 9, 3);
	expect_block(&s, DR_STATUS_FINAL, 9, 3);
	dr_quorum_free(q);
}

/* Endpoints that run ahead and lag meet at the older number while each remembers it; beyond its ring a word is gone.
 */
static void test_lagging(void **state)
{
	struct dr_quorum *q = dr_quorum_new(2, 2);
	const struct dr_finality fin = dr_quorum_finality(q);
	struct said s;

	(void)state;
	for (uint64_t number = 1; number <= DR_QUORUM_WORDS; number++) {
		s = say(&fin, 0, DR_STATUS_FINAL, number, 1);
		assert_int_equal(s.num, 0);
	}
	s = say(&fin, 1, DR_STATUS_FINAL, 1, 1);
	expect_block(&s, DR_STATUS_FINAL, 1, 1);
	say(&fin, 0, DR_STATUS_FINAL, DR_QUORUM_WORDS + 1, 1);
	say(&fin, 0, DR_STATUS_FINAL, DR_QUORUM_WORDS + 2, 1);
	s = say(&fin, 1, DR_STATUS_FINAL, 2, 1);
	assert_int_equal(s.num, 0);
	s = say(&fin, 1, DR_STATUS_FINAL, DR_QUORUM_WORDS + 2, 1);
	expect_block(&s, DR_STATUS_FINAL, DR_QUORUM_WORDS + 2, 1);
	/* Only the newest word about the head counts. */
	say(&fin, 0, DR_STATUS_HEAD, 200, 1);
	say(&fin, 0, DR_STATUS_HEAD, 201, 2);
	s = say(&fin, 1, DR_STATUS_HEAD, 200, 1);
	assert_int_equal(s.num, 0);
	s = say(&fin, 1, DR_STATUS_HEAD, 201, 2);
	expect_block(&s, DR_STATUS_HEAD, 201, 2);
	s = say(&fin, 0, DR_STATUS_HEAD, 201, 3);
	s = say(&fin, 1, DR_STATUS_HEAD, 201, 3);
	expect_block(&s, DR_STATUS_HEAD, 201, 3);
	dr_quorum_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k_of_n),           cmocka_unit_test(test_refused), cmocka_unit_test(test_model),
		cmocka_unit_test(test_conflict_is_seen), cmocka_unit_test(test_lagging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
