/* SPDX-License-Identifier: Apache-2.0
 *
 * derot verify KIND FILE…: reads what servers answered and prints what it proves.
 */
#include <errno.h>
#include <string.h>

#include "chain/base/hex.h"
#include "watcher/cmd_verify.h"
#include "watcher/json_evm.h"

enum kind {
	HEADER,
	RECEIPTS,
	LOGS,
	PROOF,
};

#define FILES_MAX 3

static const struct {
	const char *name;
	enum kind kind;
	int num_files;
	const char *files[FILES_MAX]; /* what they hold */
} kinds[] = {
	{ "evm-header", HEADER, 1, { "block" } },
	{ "evm-receipts", RECEIPTS, 2, { "block", "receipts" } },
	{ "evm-logs", LOGS, 3, { "block", "receipts", "logs" } },
	{ "evm-proof", PROOF, 2, { "block", "proof" } },
};

enum dr_err dr_verify_read(struct dr_buf *buf, const char *name, char *said, size_t cap, struct dr_fail *fail)
{
	bool is_stdin = strcmp(name, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(name, "rbe");
	size_t got;

	dr_buf_init(buf, DR_JSON_LEN_MAX + (1 << 16));
	if (f == NULL) {
		snprintf(said, cap, "%s", strerror(errno));
		return dr_fail_set(fail, DR_ERR_IO, "the file cannot be opened", 0);
	}
	do {
		uint8_t *room = dr_buf_reserve(buf, 1 << 16, fail);

		got = room != NULL ? fread(room, 1, 1 << 16, f) : 0;
		buf->len += got;
	} while (got > 0);
	if (ferror(f)) {
		snprintf(said, cap, "%s", strerror(errno));
		dr_fail_set(fail, DR_ERR_IO, "the file cannot be read", 0);
	}
	if (!is_stdin)
		fclose(f);
	return fail->err;
}

#define NUM_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The result in a file: a reply's, or the whole. *root is a new reference and *result borrows it. A server's
 * "no" is DR_ERR_UNKNOWN: there is no such thing; what it said instead goes to said. */
static enum dr_err load(json_t **root, const json_t **result, char *said, size_t cap, const char *name,
			struct dr_fail *fail)
{
	struct dr_buf buf;
	struct dr_reply reply = { .kind = DR_REPLY_RESULT };

	*root = NULL;
	*result = NULL;
	if (dr_verify_read(&buf, name, said, cap, fail) == DR_OK) {
		struct dr_bytes text = dr_buf_view(&buf);

		/* "MAY ignore the presence of a byte order mark" (RFC 8259): some editors and shells add one. */
		if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
			text = dr_bytes_of(text.ptr + 3, text.len - 3);
		dr_json_load(root, text, fail);
	}
	dr_buf_free(&buf);
	if (fail->err != DR_OK)
		return fail->err;
	/* A reply whose server, or whose keeper, left the version out is still a reply. */
	if (json_is_object(*root) && json_object_get(*root, "jsonrpc") == NULL &&
	    (json_object_get(*root, "result") != NULL || json_object_get(*root, "error") != NULL))
		json_object_set_new(*root, "jsonrpc", json_string("2.0"));
	if (dr_reply_open(&reply, *root, fail) != DR_OK)
		return fail->err;
	*result = reply.result;
	switch (reply.kind) {
	case DR_REPLY_RESULT: break;
	case DR_REPLY_NULL:
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "the server answered null: it has no such thing", 0);
	case DR_REPLY_ERROR:
		snprintf(said, cap, "%lld: %s", (long long)reply.code, reply.message);
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "the server answered with an error, not with a result", 0);
	}
	return DR_OK;
}

static int filter_of(struct dr_cli *cli, struct dr_log_filter *f, const struct dr_opt_list *addresses,
		     const struct dr_opt_list *topics)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < addresses->num; i++) {
		struct dr_fail fail = { DR_OK, NULL, 0 };
		const char *text = addresses->values[i];

		if (dr_hex_fixed(f->addresses[f->num_addresses++], 20, text, strlen(text), &fail) != DR_OK)
			return dr_cli_usage(cli, "--address must be 0x and 40 hexadecimal digits", text);
	}
	for (size_t i = 0; i < topics->num; i++) {
		struct dr_fail fail = { DR_OK, NULL, 0 };
		const char *text = topics->values[i];

		if (dr_hex_fixed(f->topics[f->num_topics++], 32, text, strlen(text), &fail) != DR_OK)
			return dr_cli_usage(cli, "--topic0 must be 0x and 64 hexadecimal digits", text);
	}
	return DR_EXIT_OK;
}

/* What a failure comes to. */
struct verdict {
	int code;
	const char *state, *next;
};

static struct verdict verdict_of(const struct dr_check *c, bool answer)
{
	if (c->conflict)
		return (struct verdict){ DR_EXIT_CONFLICT, "two proofs that both hold contradict one another",
					 "these files are the evidence: keep them all, and rely on neither" };
	if (c->fail.err == DR_ERR_PROOF)
		return (struct verdict){ DR_EXIT_PROOF, "the proof is false; nothing was proven",
					 answer ? "believe nothing of this answer, and ask another server"
						: "rely on nothing that rests on this signature" };
	if (c->refused && c->fail.err == DR_ERR_UNKNOWN)
		return (struct verdict){
			DR_EXIT_PROOF, "this derot cannot check it; nothing of it was proven",
			"is it of this network? a newer derot, or the network's newer spec, may know the fork"
		};
	if (c->refused)
		return (struct verdict){
			DR_EXIT_PROOF, "this proves nothing here and now",
			"see what is expected: files may be lacking, out of order or too old, or the "
			"clock is wrong"
		};
	return (struct verdict){ DR_EXIT_ERROR, "nothing was proven",
				 "check that the files are what the server answered, in the order of the usage" };
}

/* The answer: ok, kind, facts, unproven; or ok false and the error. */
int dr_verify_answer(struct dr_cli *cli, const char *kind, struct dr_check *c, const char *source)
{
	const struct verdict verdict = verdict_of(c, strcmp(kind, "bls") != 0); /* a server's answer, or one's own */
	const char *word = c->conflict ? "conflict" : dr_err_name(c->fail.err);
	json_t *all, *error;

	if (dr_check_ok(c)) {
		all = json_pack("{s:b, s:s}", "ok", 1, "kind", kind);
		json_object_update(all, c->facts);
		json_object_set(all, "unproven", c->unproven);
		dr_out_object(&cli->out, all);
		json_decref(all);
		return DR_EXIT_OK;
	}
	if (dr_out_format_object(&cli->out) == DR_FORMAT_TABLE) {
		char what[512];

		snprintf(what, sizeof(what), "verify %s: %s%s%s", kind, c->fail.what, c->at[0] != '\0' ? ": at " : "",
			 c->at);
		dr_out_trouble(&cli->out,
			       &(struct dr_trouble){ .code = word,
						     .what = what,
						     .expected = c->expected[0] != '\0' ? c->expected : NULL,
						     .got = c->got[0] != '\0' ? c->got : NULL,
						     .source = source,
						     .state = verdict.state,
						     .next = verdict.next });
	} else {
		error = json_pack("{s:s, s:s, s:o}", "code", word, "what", c->fail.what, "at",
				  dr_out_json_text(c->at));
		if (c->expected[0] != '\0')
			json_object_set_new(error, "expected", dr_out_json_text(c->expected));
		if (c->got[0] != '\0')
			json_object_set_new(error, "got", dr_out_json_text(c->got));
		json_object_set_new(error, "source", dr_out_json_text(source));
		json_object_set_new(error, "state", json_string(verdict.state));
		json_object_set_new(error, "next", json_string(verdict.next));
		all = json_pack("{s:b, s:s, s:o}", "ok", 0, "kind", kind, "error", error);
		if (c->tells)
			json_object_update(all, c->facts);
		dr_out_object(&cli->out, all);
		json_decref(all);
	}
	return verdict.code;
}

/* The file whose content the failure is in: paths begin with what it holds. */
static const char *source_of(const struct dr_check *c, size_t k, char **files)
{
	for (int i = 0; i < kinds[k].num_files; i++) {
		size_t len = strlen(kinds[k].files[i]);

		if (strncmp(c->at, kinds[k].files[i], len) == 0)
			return files[i];
	}
	return files[0];
}

static void run(struct dr_check *c, enum kind kind, const json_t *const *docs, const struct dr_log_filter *filter)
{
	switch (kind) {
	case HEADER: dr_verify_header(c, docs[0]); break;
	case RECEIPTS: dr_verify_receipts(c, docs[0], docs[1]); break;
	case LOGS: dr_verify_logs(c, docs[0], docs[1], docs[2], filter); break;
	case PROOF: dr_verify_proof(c, docs[0], docs[1]); break;
	}
}

static int verify_evm(struct dr_cli *cli, size_t k, char **files, int num, const struct dr_opt_list *addresses,
		      const struct dr_opt_list *topics)
{
	struct dr_log_filter filter;
	struct dr_check c;
	json_t *roots[FILES_MAX] = { NULL };
	const json_t *docs[FILES_MAX] = { NULL };
	int code;

	if (num != kinds[k].num_files)
		return dr_cli_usage(cli, num < kinds[k].num_files ? "files are missing" : "too many files", NULL);
	if (kinds[k].kind != LOGS && addresses->num + topics->num > 0)
		return dr_cli_usage(cli, "--address and --topic0 belong to evm-logs", NULL);
	code = filter_of(cli, &filter, addresses, topics);
	if (code != DR_EXIT_OK)
		return code;
	if (!dr_check_init(&c)) {
		fputs("derot: no memory\n", cli->out.err);
		return DR_EXIT_ERROR;
	}
	for (int i = 0; i < num && dr_check_ok(&c); i++) {
		struct dr_fail fail = { DR_OK, NULL, 0 };

		if (load(&roots[i], &docs[i], c.got, sizeof(c.got), files[i], &fail) != DR_OK)
			dr_check_read(&c, &fail, kinds[k].files[i]);
	}
	if (dr_check_ok(&c))
		run(&c, kinds[k].kind, docs, &filter);
	code = dr_verify_answer(cli, kinds[k].name, &c, source_of(&c, k, files));
	for (int i = 0; i < FILES_MAX; i++)
		json_decref(roots[i]);
	dr_check_free(&c);
	return code;
}

int dr_cmd_verify(struct dr_cli *cli, int argc, char **argv)
{
	const char *rule = NULL;
	struct dr_opt_list addresses = { .num = 0 }, topics = { .num = 0 };
	struct dr_verify_opts more = { .network = NULL };
	const struct dr_opt opts[] = { { "rule", 0, DR_OPT_VALUE, &rule },
				       { "address", 0, DR_OPT_LIST, &addresses },
				       { "topic0", 0, DR_OPT_LIST, &topics },
				       { "network", 0, DR_OPT_VALUE, &more.network },
				       { "spec", 0, DR_OPT_VALUE, &more.spec },
				       { "genesis", 0, DR_OPT_VALUE, &more.genesis },
				       { "checkpoint", 0, DR_OPT_VALUE, &more.checkpoint },
				       { "now", 0, DR_OPT_VALUE, &more.now },
				       { "message", 0, DR_OPT_VALUE, &more.message },
				       { "signature", 0, DR_OPT_VALUE, &more.signature } };
	size_t k = 0;
	int num_stdin = 0;
	const int code = dr_cli_options(cli, &argc, argv, opts, sizeof(opts) / sizeof(opts[0]));

	if (code != DR_EXIT_OK)
		return code;
	if (argc < 2)
		return dr_cli_usage(cli, "say what to verify", NULL);
	const bool beacon = strcmp(argv[1], "beacon") == 0, bls = strcmp(argv[1], "bls") == 0;

	while (k < NUM_KINDS && strcmp(kinds[k].name, argv[1]) != 0)
		k++;
	if (k == NUM_KINDS && !beacon && !bls)
		return dr_cli_usage(cli, "unknown kind of proof", argv[1]);
	for (int i = 2; i < argc; i++)
		num_stdin += strcmp(argv[i], "-") == 0;
	if (num_stdin > 1)
		return dr_cli_usage(cli, "only one file can be standard input", NULL);
	if (!beacon && (more.network != NULL || more.spec != NULL || more.genesis != NULL ||
			more.checkpoint != NULL || more.now != NULL))
		return dr_cli_usage(cli, "--network, --spec, --genesis, --checkpoint and --now belong to beacon",
				    NULL);
	if (!bls && (more.message != NULL || more.signature != NULL))
		return dr_cli_usage(cli, "--message and --signature belong to bls", NULL);
	if ((beacon || bls) && (rule != NULL || addresses.num + topics.num > 0))
		return dr_cli_usage(cli, "--rule, --address and --topic0 belong to the evm kinds", NULL);
	if (beacon)
		return dr_cmd_verify_beacon(cli, &more, argv + 2, argc - 2);
	if (bls)
		return dr_cmd_verify_bls(cli, &more, argv + 2, argc - 2);
	if (rule != NULL && strcmp(rule, "ethereum") != 0)
		return dr_cli_usage(cli, "unknown rule; the rules known are: ethereum", rule);
	return verify_evm(cli, k, argv + 2, argc - 2, &addresses, &topics);
}
