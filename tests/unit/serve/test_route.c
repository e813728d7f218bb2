/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "kms-bridge/serve/route.h"

static const char *body(struct dr_exchange *x)
{
	char *text = (char *)kit_alloc(x->body.len + 1);

	memcpy(text, x->body.ptr, x->body.len);
	dr_exchange_free(x);
	return text;
}

/* Every route is told, is found by its own pattern, answers somehow, and by one way only. */
static void test_table(void **state)
{
	const struct dr_route *r;
	struct dr_exchange x;
	const char *list;

	(void)state;
	dr_exchange_init(&x);
	dr_route_list(&x);
	list = body(&x);
	for (size_t i = 0; (r = dr_route_at(i)) != NULL; i++) {
		char path[160], app[67] = "0x";
		const char *from = r->pattern;
		size_t len = 0;

		memset(app + 2, 'a', 64);
		assert_non_null(strstr(list, r->pattern));
		assert_non_null(strstr(list, r->what));
		assert_true((r->say != NULL) != (r->ask != NULL));
		assert_int_equal(r->ask != NULL, r->take != NULL);
		while (*from != '\0') {
			const char *word = from[0] == '{' ? (from[1] == 'g' ? "18446744073709551" : app) : NULL;

			if (word == NULL) {
				path[len++] = *from++;
				continue;
			}
			memcpy(path + len, word, strlen(word));
			len += strlen(word);
			from = strchr(from, '}') + 1;
		}
		path[len] = '\0';
		dr_exchange_init(&x);
		assert_true(dr_route_find(&x, path));
		assert_ptr_equal(x.route, r);
		/* And by nothing that is shorter or longer. */
		path[len] = 'x';
		path[len + 1] = '\0';
		assert_false(dr_route_find(&x, path) && x.route == r);
		dr_exchange_free(&x);
		for (size_t k = 0; k < len; k++) {
			path[k] = '\0';
			dr_exchange_init(&x);
			assert_false(dr_route_find(&x, path) && x.route == r);
			dr_exchange_free(&x);
			path[k] = 'x';
		}
	}
}

static void test_generation(void **state)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t generation;
	} rows[] = {
		{ "newest", true, 0 },
		{ "1", true, 1 },
		{ "9999999999999999999", true, 9999999999999999999u },
		{ "18446744073709551616", false, 0 },
		{ "18446744073709551617", false, 0 }, /* modulo 2^64 that is 1 */
		{ "0", false, 0 },
		{ "01", false, 0 },
		{ "+1", false, 0 },
		{ "1 ", false, 0 },
		{ "", false, 0 },
		{ "Newest", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_exchange x;
		char path[64];

		snprintf(path, sizeof(path), "/v1/keys/%s/certificate", rows[i].text);
		dr_exchange_init(&x);
		if (dr_route_find(&x, path) != rows[i].good)
			fail_msg("%s", rows[i].text);
		if (rows[i].good)
			assert_int_equal(x.generation, rows[i].generation);
		else
			assert_int_equal(x.status, DR_HTTP_NOT_FOUND);
		dr_exchange_free(&x);
	}
}

static const char *metrics(const struct dr_status_report *s, uint64_t now_s)
{
	struct dr_exchange x;

	dr_exchange_init(&x);
	dr_metrics(&x, s, now_s);
	assert_true(x.done);
	assert_int_equal(x.status, DR_HTTP_OK);
	return body(&x);
}

/* Text exposition format 0.0.4: HELP and TYPE once and before the samples of each name. */
static void assert_form(const char *text)
{
	char name[64] = "", line[512];

	while (*text != '\0') {
		const size_t len = strcspn(text, "\n");

		assert_true(len > 0 && len < sizeof(line) && text[len] == '\n');
		memcpy(line, text, len);
		line[len] = '\0';
		text += len + 1;
		if (strncmp(line, "# HELP ", 7) == 0) {
			const size_t name_len = strcspn(line + 7, " ");

			assert_true(name_len < sizeof(name));
			memcpy(name, line + 7, name_len);
			name[name_len] = '\0';
			assert_memory_equal(name, "derot_", 6);
			assert_memory_equal(text, "# TYPE ", 7);
			assert_memory_equal(text + 7, name, name_len);
		} else if (line[0] != '#') {
			assert_memory_equal(line, name, strlen(name));
			assert_true(line[strlen(name)] == ' ' || line[strlen(name)] == '{');
			assert_non_null(strrchr(line, ' '));
		}
	}
}

static void test_metrics(void **state)
{
	static const char *const all[] = {
		"derot_build_info{version=\"",
		"\nderot_sealed 1\n",
		"\nderot_halted 0\n",
		"\nderot_finalized_block_number 90\n",
		"\nderot_finalized_timestamp_seconds 900\n",
		"\nderot_finalized_lag_blocks 5\n",
		"\nderot_head_block_number 99\n",
		"\nderot_head_lag_seconds 10\n",
		"\nderot_lease_left_seconds 77\n",
		"\nderot_generation 3\n",
		"\nderot_holding{root=\"none\"} 0\n",
		"\nderot_holding{root=\"ours\"} 1\n",
		"\nderot_rotation_deadline_timestamp_seconds 12345\n",
		"\nderot_heartbeat_age_seconds 0\n",
		"\nderot_ledger_entries_total 11\n",
		"\nderot_journal_entries_total 18446744073709551615\n",
		"\nderot_frames_refused_total 4\n",
		"\nderot_endpoint_state{endpoint=\"al\\\"pha\\\\\",state=\"good\"} 1\n",
		"\nderot_endpoint_lies_total{endpoint=\"al\\\"pha\\\\\"} 7\n",
	};
	static const char *const absent[] = { "derot_finalized_block_number", "derot_head_lag_seconds",
					      "derot_rotation_deadline", "derot_heartbeat_age" };
	static struct dr_status_report s = { .sealed = true,
					     .has_final = true,
					     .final_number = 90,
					     .final_time = 900,
					     .target_number = 95,
					     .head_number = 99,
					     .head_time = 990,
					     .lease_left_s = 77,
					     .generation = 3,
					     .holding = DR_HOLDING_OURS,
					     .rotation_deadline = 12345,
					     .ledger_size = 11,
					     .journal_size = UINT64_MAX,
					     .frames_refused = 4,
					     .num_endpoints = 1,
					     .endpoints = { { .name = "al\"pha\\", .state = 1, .lies = 7 } } };
	const char *text = metrics(&s, 1000);

	(void)state;
	assert_form(text);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strstr(text, all[i]) == NULL)
			fail_msg("%s is not in\n%s", all[i], text);
	/* A clock behind the chain's is no lag. */
	assert_non_null(strstr(metrics(&s, 5), "\nderot_head_lag_seconds 0\n"));
	/* What is not known is not told. */
	s = (struct dr_status_report){ .heartbeat_age_s = UINT64_MAX };
	text = metrics(&s, 1000);
	assert_form(text);
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_null(strstr(text, absent[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_generation),
		cmocka_unit_test(test_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
