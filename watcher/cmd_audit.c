/* SPDX-License-Identifier: Apache-2.0
 *
 * derot audit: the two logs of a node, and what they prove.
 *
 *   log     the ledger (or, with --journal, the journal), entry by entry
 *   show    one entry in full
 *   verify  every leaf hashed again, both roots rebuilt, and the ledger made anew from the node's own
 *           evidence by a second core: the same root, or it is not what the chain says
 *   export  the node's evidence as a recording, for derot replay and for other auditors
 *
 * The running core answers over its socket; without one, a core is started on the store, read only.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/base/reader.h"
#include "kms-bridge/tell/tell.h"
#include "watcher/columns.h"
#include "watcher/config.h"
#include "watcher/session.h"

#define ANSWER_MS 60000

struct audit {
	struct dr_cli *cli;
	const char *path;
	struct dr_config config;
	struct dr_init init;
	struct dr_link core;
};

static int trouble(struct audit *a, int exit, const char *code, const char *what, const char *expected,
		   const char *got, const char *next)
{
	dr_out_trouble(&a->cli->out, &(struct dr_trouble){ .code = code,
							   .what = what,
							   .expected = expected,
							   .got = got,
							   .source = a->path,
							   .state = "nothing was changed",
							   .next = next });
	return exit;
}

static int failed(struct audit *a, const struct dr_fail *fail)
{
	return trouble(a, DR_EXIT_ERROR, fail->err != DR_OK ? dr_err_name(fail->err) : "io",
		       fail->err != DR_OK ? fail->what : "the core ended the conversation", NULL,
		       fail->err == DR_ERR_IO && fail->at != 0 ? strerror((int)fail->at) : NULL,
		       "run derot doctor; look at the output of derot run");
}

/* The next message of the conversation; what the core says about itself on the way is taken note of. */
static bool next(struct audit *a, uint16_t *type, struct dr_bytes *payload, struct dr_fail *fail)
{
	struct dr_error error;

	for (;;) {
		if (!dr_link_wait(&a->core, type, payload, ANSWER_MS, fail))
			return false;
		if (*type == DR_MSG_READY)
			continue;
		if (*type != DR_MSG_FATAL && *type != DR_MSG_ERROR)
			return true;
		if (dr_error_get(&error, *payload, fail) == DR_OK) {
			trouble(a, DR_EXIT_ERROR, dr_err_name((enum dr_err)error.err), error.what, NULL, NULL,
				"derot doctor checks configuration and directories; a data directory that is not "
				"as it was written is not read");
			dr_fail_set(fail, DR_ERR_IO, "the core could not answer", 0);
		}
		return false;
	}
}

static int open_core(struct audit *a, struct dr_cli *cli, const char *path)
{
	struct dr_yaml_error error = { "" };
	struct dr_fail fail = { 0 };

	memset(a, 0, sizeof(*a));
	a->cli = cli;
	a->path = path;
	a->core.fd = -1;
	if (path == NULL)
		return dr_cli_usage(cli, "which node? give -c FILE", NULL);
	if (dr_config_load(&a->config, path, &error) != DR_OK)
		return trouble(a, DR_EXIT_ERROR, "config", "the configuration", NULL, error.text, "mend it");
	if (dr_config_init(&a->init, &a->config, DR_MODE_QUERY, &fail) != DR_OK || a->init.data_dir[0] == '\0')
		return trouble(a, DR_EXIT_ERROR, "config", "the configuration names a data_dir", NULL, NULL,
			       "add data_dir");
	if (dr_link_socket(&a->core, a->config.data_dir, &fail) == DR_OK)
		return DR_EXIT_OK;
	memset(&fail, 0, sizeof(fail));
	if (dr_link_core(&a->core, -1, &fail) != DR_OK ||
	    dr_init_put(&a->core.out, DR_MSG_INIT, &a->init, &fail) != DR_OK)
		return failed(a, &fail);
	return DR_EXIT_OK;
}

static void close_core(struct audit *a)
{
	dr_link_end(&a->core);
	dr_config_free(&a->config);
}

struct range {
	bool journal;
	uint64_t first, num;
};

/* Walks a range of one log: each entry to take (false ends it), then its size and root. */
static int walk(struct audit *a, const struct range *range, bool (*take)(void *ctx, const struct dr_entry *entry),
		void *ctx, uint64_t *size, uint8_t root[static 32])
{
	const struct dr_log_query query = { range->journal ? 1 : 0, range->first, range->num };
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_reader r;
	uint16_t type;

	if (dr_log_query_put(&a->core.out, DR_MSG_LOG_GET, &query, &fail) != DR_OK)
		return failed(a, &fail);
	while (next(a, &type, &payload, &fail)) {
		struct dr_entry entry;
		uint8_t hash[32];

		if (type == DR_MSG_LOG_END) {
			dr_reader_init(&r, payload, &fail);
			*size = dr_reader_u64(&r);
			dr_reader_copy(&r, root, 32);
			return dr_reader_end(&r) == DR_OK ? DR_EXIT_OK : failed(a, &fail);
		}
		if (type != DR_MSG_LOG_ENTRY || dr_entry_get(&entry, payload, &fail) != DR_OK)
			break;
		dr_merkle_leaf(hash, entry.leaf);
		if (memcmp(hash, entry.leaf_hash, 32) != 0)
			return trouble(a, DR_EXIT_PROOF, "proof", "a leaf's hash", "SHA-256(0x00 ‖ leaf)",
				       "another hash",
				       "the store was changed by hand: restore it, or start anew from the chain");
		if (!take(ctx, &entry))
			break;
	}
	return failed(a, &fail);
}

struct printing {
	struct dr_rows rows;
	struct range range;
	bool whole;
	struct dr_cli *cli;
};

static bool print_entry(void *ctx, const struct dr_entry *entry)
{
	struct printing *p = ctx;
	json_t *obj = p->range.journal ? dr_tell_note(entry) : dr_tell_change(entry);

	if (obj == NULL)
		return false;
	if (p->whole)
		dr_out_object(&p->cli->out, obj);
	else
		dr_rows_add(&p->rows, obj);
	json_decref(obj);
	return true;
}

static int print_log(struct audit *a, const struct range *range, bool whole)
{
	struct printing p = { .range = *range, .whole = whole, .cli = a->cli };
	uint64_t size;
	uint8_t root[32];

	if (!whole)
		dr_rows_begin(&p.rows, &a->cli->out, range->journal ? dr_columns_note : dr_columns_change,
			      range->journal ? dr_columns_note_num : dr_columns_change_num);
	const int code = walk(a, range, print_entry, &p, &size, root);

	if (!whole)
		dr_rows_end(&p.rows);
	if (code == DR_EXIT_OK && range->first >= size && whole) {
		char expected[64], got[32];

		snprintf(expected, sizeof(expected), "an index below %" PRIu64 ", the size of the log", size);
		snprintf(got, sizeof(got), "%" PRIu64, range->first);
		return trouble(a, DR_EXIT_ERROR, "none", "no entry has this index", expected, got,
			       "see derot audit log");
	}
	return code;
}

/* The evidence of this node, handed on piece by piece. */
static int evidence(struct audit *a, bool (*take)(void *ctx, struct dr_bytes bytes), void *ctx)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	uint16_t type;

	if (dr_link_send(&a->core, DR_MSG_EVIDENCE_GET, (struct dr_bytes){ NULL, 0 }, &fail) != DR_OK)
		return failed(a, &fail);
	while (next(a, &type, &payload, &fail)) {
		if (type == DR_MSG_LOG_END)
			return DR_EXIT_OK;
		if (type != DR_MSG_KEPT)
			break;
		if (!take(ctx, payload)) {
			dr_fail_set(&fail, DR_ERR_IO, "handing on the evidence", (size_t)errno);
			break;
		}
	}
	return failed(a, &fail);
}

static bool to_file(void *ctx, struct dr_bytes bytes)
{
	return fwrite(bytes.ptr, 1, bytes.len, ctx) == bytes.len;
}

static int export(struct audit *a, const char *out)
{
	FILE *file = fopen(out, "wbx");

	if (file == NULL)
		return trouble(a, DR_EXIT_ERROR, "io", "the recording can be made", NULL, strerror(errno),
			       "choose a new file");
	int code = evidence(a, to_file, file);

	if (!dr_out_close(file))
		code = trouble(a, DR_EXIT_ERROR, "io", "writing the recording", NULL, strerror(errno),
			       "look for a full disk");
	return code;
}

/* A second core that makes the ledger anew. */
struct again {
	struct dr_session session;
	struct dr_fail fail;
	bool told; /* what went wrong was said */
};

static bool drain_again(struct again *g, int timeout_ms)
{
	uint16_t type;
	struct dr_bytes payload;

	if (dr_link_pump(&g->session.core, timeout_ms, -1, &g->fail) != DR_OK)
		return false;
	while (dr_link_next(&g->session.core, &type, &payload, &g->fail))
		if (!dr_session_take(&g->session, type, payload, &g->fail))
			return false;
	return g->fail.err == DR_OK;
}

static bool to_again(void *ctx, struct dr_bytes bytes)
{
	struct again *g = ctx;

	/* Who is gone takes nothing; what is asked for here is heard to its end all the same. */
	if (g->session.core.eof)
		return true;
	if (dr_link_send(&g->session.core, DR_MSG_EVIDENCE, bytes, &g->fail) != DR_OK)
		return false;
	while (g->session.core.out.len > ((size_t)1 << 20) && !g->session.core.eof)
		if (!drain_again(g, -1))
			return false;
	return drain_again(g, 0);
}

static bool refold(struct audit *a, struct again *g)
{
	struct dr_init init = a->init;

	dr_session_init(&g->session, a->cli);
	g->session.quiet = true;
	init.mode = DR_MODE_REPLAY;
	init.anchored = true;
	init.data_dir[0] = init.key_file[0] = '\0';
	if (dr_link_core(&g->session.core, -1, &g->fail) != DR_OK ||
	    dr_init_put(&g->session.core.out, DR_MSG_INIT, &init, &g->fail) != DR_OK)
		return false;
	g->told = evidence(a, to_again, g) != DR_EXIT_OK;
	if (g->told || dr_link_send(&g->session.core, DR_MSG_END, (struct dr_bytes){ NULL, 0 }, &g->fail) != DR_OK)
		return false;
	while (!g->session.core.eof && drain_again(g, -1))
		;
	return g->fail.err == DR_OK && g->session.has_status;
}

static bool add_leaf(void *ctx, const struct dr_entry *entry)
{
	struct dr_merkle *m = ctx;

	if (entry->idx != m->size)
		return false;
	dr_merkle_add(m, entry->leaf_hash);
	return true;
}

static bool same_root(const struct dr_merkle *m, uint64_t size, const uint8_t root[static 32])
{
	uint8_t own[32];

	dr_merkle_root(own, m);
	return m->size == size && memcmp(own, root, 32) == 0;
}

static int verify(struct audit *a)
{
	static struct dr_merkle ledger, journal;
	static struct again g;
	uint64_t ledger_size, journal_size;
	uint8_t ledger_root[32], journal_root[32];
	int code;

	dr_merkle_init(&ledger);
	dr_merkle_init(&journal);
	memset(&g, 0, sizeof(g));
	/* The evidence first: a live node's ledger may grow meanwhile, and then has what the replay has as its
	 * prefix. */
	const bool again = refold(a, &g);

	/* Otherwise what was asked for may still be coming: nothing else is asked. */
	if (!again)
		code = g.told ? DR_EXIT_ERROR : failed(a, &g.fail);
	else
		code = walk(a, &(struct range){ .journal = false }, add_leaf, &ledger, &ledger_size, ledger_root);
	if (code == DR_EXIT_OK)
		code = walk(a, &(struct range){ .journal = true }, add_leaf, &journal, &journal_size, journal_root);
	if (code == DR_EXIT_OK &&
	    !(same_root(&ledger, ledger_size, ledger_root) && same_root(&journal, journal_size, journal_root)))
		code = trouble(a, DR_EXIT_PROOF, "proof", "the logs' roots", "the roots of their leaves",
			       "other roots",
			       "the store was changed by hand: restore it, or start anew from the chain");
	const struct dr_status_report *s = &g.session.status;
	const bool whole =
		code == DR_EXIT_OK && s->ledger_size == ledger_size && memcmp(s->ledger_root, ledger_root, 32) == 0;

	if (code == DR_EXIT_OK && !whole)
		code = trouble(a, DR_EXIT_PROOF, "proof", "the ledger made anew from the evidence",
			       "this node's ledger root", "another root",
			       "if the node is running and a block came in between, ask again");
	/* All is as it was written, and says itself that it cannot be true. */
	if (code == DR_EXIT_OK && g.session.has_fatal && g.session.fatal.exit == DR_EXIT_CONFLICT)
		code = trouble(a, DR_EXIT_CONFLICT, dr_err_name((enum dr_err)g.session.fatal.err),
			       "something final was contradicted: the node's evidence, folded again, halts",
			       "one final chain", g.session.fatal.what,
			       "keep the evidence file; compare the chain with others");
	if (code == DR_EXIT_OK) {
		json_t *obj = json_object();

		json_object_set_new(obj, "ok", json_true());
		json_object_set_new(obj, "final", json_integer((json_int_t)s->final_number));
		json_object_set_new(obj, "ledger_size", json_integer((json_int_t)ledger_size));
		json_object_set_new(obj, "ledger_root", dr_tell_hex(ledger_root, 32));
		json_object_set_new(obj, "journal_size", json_integer((json_int_t)journal_size));
		json_object_set_new(obj, "journal_root", dr_tell_hex(journal_root, 32));
		json_object_set_new(obj, "state_digest", dr_tell_hex(s->state_digest, 32));
		json_object_set_new(obj, "findings", json_integer(s->findings));
		json_object_set_new(obj, "proof", json_string(dr_proof_name((enum dr_proof)s->proof)));
		json_object_set_new(obj, "before",
				    json_sprintf("before block %" PRIu64 ": unproven", s->start_number));
		dr_out_object(&a->cli->out, obj);
		json_decref(obj);
		code = s->findings > 0 || s->divergences > 0 ? DR_EXIT_FINDINGS : DR_EXIT_OK;
	}
	g.session.has_status = g.session.has_fatal = false;
	dr_session_end(&g.session, DR_EXIT_OK);
	return code;
}

static bool number(uint64_t *out, const char *text)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9';
}

int dr_cmd_audit(struct dr_cli *cli, int argc, char **argv)
{
	static struct audit a;
	struct range range = { 0 };
	const char *path = NULL, *first = NULL, *num = NULL, *out = NULL;
	const struct dr_opt opts[] = {
		{ "config", 'c', DR_OPT_VALUE, &path }, { "journal", 0, DR_OPT_FLAG, &range.journal },
		{ "first", 0, DR_OPT_VALUE, &first },   { "num", 'n', DR_OPT_VALUE, &num },
		{ "out", 'o', DR_OPT_VALUE, &out },
	};
	int code = dr_cli_options(cli, &argc, argv, opts, sizeof(opts) / sizeof(opts[0]));

	if (code != DR_EXIT_OK)
		return code;
	const char *what = argc > 1 ? argv[1] : "";
	const bool show = strcmp(what, "show") == 0;

	if (strcmp(what, "log") != 0 && !show && strcmp(what, "verify") != 0 && strcmp(what, "export") != 0)
		return dr_cli_usage(cli, "log, show, verify or export?", argc > 1 ? what : NULL);
	if (argc != (show ? 3 : 2))
		return dr_cli_usage(cli, show ? "show which entry? give its index" : "unexpected argument",
				    argc > 2 ? argv[2] : NULL);
	if ((first != NULL && !number(&range.first, first)) || (num != NULL && !number(&range.num, num)) ||
	    (show && !number(&range.first, argv[2])))
		return dr_cli_usage(cli, "an index is a number", NULL);
	if (show)
		range.num = 1;
	if (strcmp(what, "export") == 0 && out == NULL)
		return dr_cli_usage(cli, "where to? give -o FILE", NULL);
	code = open_core(&a, cli, path);
	if (code == DR_EXIT_OK && strcmp(what, "verify") == 0)
		code = verify(&a);
	else if (code == DR_EXIT_OK && strcmp(what, "export") == 0)
		code = export(&a, out);
	else if (code == DR_EXIT_OK)
		code = print_log(&a, &range, show);
	close_core(&a);
	return code;
}
