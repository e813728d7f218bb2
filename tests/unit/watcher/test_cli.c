/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watcher/cli.h"

#define ARGS_MAX 12

/* Splits a command line at blanks and runs it. */
static int run_to(FILE *to, char **err, const char *line)
{
	char words[512];
	char *argv[ARGS_MAX + 1];
	int argc = 0;
	size_t err_len;
	FILE *to_err = open_memstream(err, &err_len);
	int code;

	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok(words, " "); word != NULL && argc < ARGS_MAX; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	code = dr_cli_main(argc, argv, to, to_err);
	fclose(to);
	fclose(to_err);
	return code;
}

static int run(char **out, char **err, const char *line)
{
	size_t out_len;

	return run_to(open_memstream(out, &out_len), err, line);
}

/* Nothing that cannot be written was shown. */
static void test_full(void **state)
{
	static const struct {
		const char *line;
		int code;
	} rows[] = {
		{ "derot help", 1 },
		{ "derot help verify", 1 },
		{ "derot verify --help", 1 },
		{ "derot version", 1 },
		{ "derot config template sepolia", 1 },
		{ "derot nothing", 64 }, /* which says nothing there */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *full = fopen("/dev/full", "w");
		char *err = NULL;

		assert_non_null(full);
		const int code = run_to(full, &err, rows[i].line);

		if (code != rows[i].code || (code == 1) != (strstr(err, "could not be written") != NULL))
			fail_msg("%s: exit %d (expected %d)\n%s", rows[i].line, code, rows[i].code, err);
		free(err);
	}
}

static void test_main(void **state)
{
	static const struct {
		const char *line;
		int code;
		const char *out, *err; /* what must be in them; "" demands that nothing is */
	} rows[] = {
		{ "derot", 64, "", "usage: derot COMMAND" },
		{ "derot help", 0, "exit codes: 0 good", "" },
		{ "derot --help", 0, "usage: derot COMMAND", "" },
		{ "derot -h", 0, "usage: derot COMMAND", "" },
		{ "derot help verify", 0, "usage: derot verify evm-header", "" },
		{ "derot verify --help", 0, "usage: derot verify evm-header", "" },
		{ "derot help nothing", 64, "", "derot: unknown command: nothing\ntry: derot help\n" },
		{ "derot nothing", 64, "", "derot: unknown command: nothing\n" },
		{ "derot \033[31m", 64, "", "unknown command: \\x1b[31m\n" },
		{ "derot version", 0, "{\"version\":\"" DR_VERSION "\",\"compiler\":\"", "" },
		{ "derot --version", 0, "{\"version\":", "" },
		{ "derot version --format table", 0, "version   " DR_VERSION "\ncompiler  ", "" },
		{ "derot version --format=json", 0, "{\"version\":", "" },
		{ "derot --format json version", 0, "{\"version\":", "" },
		{ "derot --format=table version", 0, "version   " DR_VERSION "\ncompiler  ", "" },
		{ "derot --format json --format json version", 64, "", "unknown command: --format" },
		{ "derot version --format", 64, "", "--format must be table, json or ndjson, not: \n" },
		{ "derot version --format xml", 64, "", "--format must be" },
		{ "derot version --formats", 64, "",
		  "derot version: unknown option: --formats\nusage: derot version" },
		{ "derot version --digest=1", 64, "", "this option takes no value" },
		{ "derot version -d", 64, "", "unknown option: -d" },
		{ "derot version x", 64, "", "unexpected argument: x" },
		{ "derot version -- --digest", 64, "", "unexpected argument: --digest" },
		{ "derot verify", 64, "", "say what to verify" },
		{ "derot verify evm-header - --rule", 64, "", "this option needs a value: --rule" },
		{ "derot verify evm-header - --rule a --rule b", 64, "", "this option is given twice: rule" },
		{ "derot config", 64, "", "say check, print or template" },
		{ "derot config check", 64, "", "give -c FILE" },
		{ "derot config check -c /nonexistent/derot.yaml", 1, "",
		  "derot: the configuration is not good\n  expected" },
		{ "derot config check -c /nonexistent/derot.yaml --format json", 1,
		  "{\"ok\":false,\"error\":{\"code\":\"config\",", "  next " },
		{ "derot config check -c fixtures/derot.example.yaml", 0, "{\"ok\":true,", "" },
		{ "derot config template sepolia", 0, "  id: 11155111\n", "" },
		{ "derot config template custom", 0, "  spec: FILL-IN\n", "" },
		{ "derot config template goerli", 64, "",
		  "say which network: mainnet, sepolia, holesky, hoodi, custom: goerli\n" },
		{ "derot config template", 64, "", "say which network: mainnet" },
		{ "derot config print -cfixtures/derot.example.yaml", 0, "\"chain_id\":31337,", "" },
		{ "derot config print --config=fixtures/derot.example.yaml --format table", 0,
		  "endpoints         alpha (http), ", "" },
		{ "derot doctor x", 64, "", "unexpected argument: x" },
		{ "derot doctor -c /nonexistent/derot.yaml --format table", 1, "CHECK                 RESULT", "" },
		{ "derot doctor -c /nonexistent/derot.yaml --format ndjson", 1,
		  "\"check\":\"configuration\",\"result\":\"bad\"", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *out = NULL, *err = NULL;
		int code = run(&out, &err, rows[i].line);
		bool good = code == rows[i].code &&
			    (rows[i].out[0] != '\0' ? strstr(out, rows[i].out) != NULL : out[0] == '\0') &&
			    (rows[i].err[0] != '\0' ? strstr(err, rows[i].err) != NULL : err[0] == '\0');

		if (!good)
			fail_msg("%s: exit %d (expected %d)\n%s--\n%s", rows[i].line, code, rows[i].code, out, err);
		free(out);
		free(err);
	}
}

static void test_text(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91" },
		{ "a\nb\tc\r", "a\\x0ab\\x09c\\x0d" },
		{ "\033[2J", "\\x1b[2J" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b", "\\x9b" }, /* CSI in one character */
		{ "\xe2\x80\xae"
		  "abc",
		  "\\u{202e}abc" }, /* right to left from here */
		{ "\xef\xbb\xbf", "\\u{feff}" },
		{ "\xe2\x80\x8b", "\\u{200b}" },       /* no width */
		{ "\xff\xfe", "\\xff\\xfe" },          /* not UTF-8 */
		{ "\xc0\x8a", "\\xc0\\x8a" },          /* a line feed the long way */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xe2\x82", "\\xe2\\x82" }, /* cut off */
		{ "", "" },
		{ NULL, "-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *out = NULL;
		size_t len;
		FILE *f = open_memstream(&out, &len);
		json_t *value;

		dr_out_text(f, rows[i].in);
		fclose(f);
		assert_string_equal(out, rows[i].out);
		value = dr_out_json_text(rows[i].in);
		assert_string_equal(json_string_value(value), rows[i].out);
		json_decref(value);
		free(out);
	}
}

static void test_rows(void **state)
{
	static const struct dr_column columns[] = { { "a", "A", 4 }, { "b", "B", 0 } };
	static const struct {
		enum dr_format format;
		unsigned num;
		const char *out;
	} rows[] = {
		{ DR_FORMAT_TABLE, 0, "A     B\n" },
		{ DR_FORMAT_TABLE, 2, "A     B\n1     x\\x0ay\n1     x\\x0ay\n" },
		{ DR_FORMAT_JSON, 0, "[]\n" },
		{ DR_FORMAT_JSON, 2, "[\n{\"a\":1,\"b\":\"x\\ny\"},\n{\"a\":1,\"b\":\"x\\ny\"}\n]\n" },
		{ DR_FORMAT_NDJSON, 0, "" },
		{ DR_FORMAT_NDJSON, 2, "{\"a\":1,\"b\":\"x\\ny\"}\n{\"a\":1,\"b\":\"x\\ny\"}\n" },
		{ DR_FORMAT_AUTO, 1, "{\"a\":1,\"b\":\"x\\ny\"}\n" },
	};
	json_t *row = json_pack("{s:i, s:s}", "a", 1, "b", "x\ny");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *out = NULL;
		size_t len;
		FILE *f = open_memstream(&out, &len);
		struct dr_out o = { .out = f, .err = f, .format = rows[i].format };
		struct dr_rows r;

		dr_rows_begin(&r, &o, columns, 2);
		for (unsigned k = 0; k < rows[i].num; k++)
			dr_rows_add(&r, row);
		dr_rows_end(&r);
		fclose(f);
		assert_string_equal(out, rows[i].out);
		free(out);
	}
	json_decref(row);
}

static void test_object(void **state)
{
	json_t *obj = json_pack("{s:s, s:b, s:n, s:[s,s], s:[], s:[{s:i},{s:i}], s:s}", "name", "x", "yes", 1,
				"nothing", "list", "a", "b", "empty", "slots", "k", 1, "k", 2, "blank", "");
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct dr_out o = { .out = f, .err = f, .format = DR_FORMAT_TABLE };

	(void)state;
	dr_out_object(&o, obj);
	fclose(f);
	assert_string_equal(out,
			    "name     x\nyes      yes\nnothing  -\nlist     a, b\nempty    none\nslots    {\"k\":1}\n"
			    "         {\"k\":2}\nblank    -\n");
	free(out);
	json_decref(obj);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_main), cmocka_unit_test(test_full),   cmocka_unit_test(test_text),
		cmocka_unit_test(test_rows), cmocka_unit_test(test_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
