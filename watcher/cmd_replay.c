/* SPDX-License-Identifier: Apache-2.0
 *
 * derot replay F: hands a recording to a core that has no network, no store and no keys, and prints every
 * change it makes of it. The evidence is verified by the same code as live.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/base/hex.h"
#include "watcher/anchor.h"
#include "watcher/session.h"

#define ABOUT_MAX ((size_t)1 << 20)

struct replay {
	struct dr_cli *cli;
	FILE *file;
	const char *path;
	struct dr_init init;
	struct dr_buf form, begin;
	struct dr_ask asks[DR_ASKS_MAX];
	size_t num_asks;
	uint64_t recorded_until; /* by the recorder's word; 0: it says nothing */
	struct dr_session session;
};

static int trouble(struct replay *r, int exit, const char *code, const char *what, const char *got, const char *next)
{
	dr_out_trouble(&r->cli->out, &(struct dr_trouble){ .code = code,
							   .what = what,
							   .got = got,
							   .source = r->path,
							   .state = "nothing was replayed",
							   .next = next });
	return exit;
}

/* The head and, if it comes first, the recorder's claim about itself. */
static int read_begin(struct replay *r)
{
	struct dr_fail fail = { 0 };
	struct dr_evidence_head head;
	struct dr_frame frame;
	size_t used, got;
	uint8_t *to = dr_buf_reserve(&r->begin, ABOUT_MAX, &fail);

	if (to == NULL)
		return trouble(r, DR_EXIT_ERROR, "nomem", "memory for the beginning of the file", NULL,
			       "free some memory");
	got = fread(to, 1, ABOUT_MAX, r->file);
	r->begin.len = got;
	if (ferror(r->file))
		return trouble(r, DR_EXIT_ERROR, "io", "the recording could not be read", strerror(errno),
			       "read it again; rely on nothing of this replay");
	if (dr_evidence_head_get(&head, dr_buf_view(&r->begin), &fail) != DR_OK)
		return trouble(r, DR_EXIT_ERROR, dr_err_name(fail.err), fail.what, NULL,
			       "give a file that derot record or derot audit export wrote");
	const struct dr_bytes rest = { to + DR_EVIDENCE_HEAD_LEN, got - DR_EVIDENCE_HEAD_LEN };

	if (dr_frame_get(&frame, &used, rest, &fail) == DR_OK && frame.type == DR_FRAME_ABOUT) {
		static struct dr_init about;

		if (dr_init_get(&about, frame.payload, &fail) != DR_OK)
			return trouble(r, DR_EXIT_ERROR, dr_err_name(fail.err), fail.what, NULL,
				       "the recording is damaged");
		r->init = about;
	}
	r->init.chain_id = head.chain_id;
	memcpy(r->init.genesis, head.genesis, 32);
	return DR_EXIT_OK;
}

static void chain_text(char text[static 128], uint64_t chain_id, const uint8_t genesis[static 32])
{
	char hex[65];

	dr_hex_put(hex, genesis, 32);
	snprintf(text, 128, "chain %llu, genesis 0x%s", (unsigned long long)chain_id, hex);
}

static int other_chain(struct replay *r, uint64_t chain_id, const uint8_t genesis[static 32])
{
	char expected[128], got[128];

	chain_text(expected, r->init.chain_id, r->init.genesis);
	chain_text(got, chain_id, genesis);
	dr_out_trouble(&r->cli->out,
		       &(struct dr_trouble){ .code = "proof",
					     .what = "the recording is not of the anchor's chain and genesis",
					     .expected = expected,
					     .got = got,
					     .source = r->path,
					     .state = "nothing was replayed",
					     .next = "this recording is of another chain than you expect" });
	return DR_EXIT_PROOF;
}

static int prepare(struct replay *r, const char *anchor, const char *asks)
{
	struct dr_yaml_error error = { "" };
	uint64_t chain_id;
	uint8_t genesis[32];
	const int code = read_begin(r);

	if (code != DR_EXIT_OK)
		return code;
	chain_id = r->init.chain_id;
	memcpy(genesis, r->init.genesis, 32);
	if (anchor != NULL) {
		if (dr_anchor_load(&r->init, &r->form, anchor, &error) != DR_OK)
			return trouble(r, DR_EXIT_ERROR, "anchor", "the anchor file", error.text,
				       "mend the anchor file");
		if (r->init.chain_id != chain_id || memcmp(r->init.genesis, genesis, 32) != 0)
			return other_chain(r, chain_id, genesis);
	} else if (r->init.version == 0) {
		return trouble(r, DR_EXIT_ERROR, "unknown",
			       "which contract to follow: the recording does not say, and there is no --anchor", NULL,
			       "give --anchor FILE with chain, contract, start and profile");
	}
	if (asks != NULL && dr_asks_load(r->asks, &r->num_asks, asks, &error) != DR_OK)
		return trouble(r, DR_EXIT_ERROR, "requests", "the file of requests", error.text, "mend it");
	if (r->init.version == 0) {
		r->init.step_max = DR_FOLLOW_STEP_MAX;
		r->init.quorum_n = 1;
		if (r->init.proof != DR_PROOF_CONSENSUS) { /* the anchor's word */
			r->init.quorum_k = 1;
			r->init.proof = DR_PROOF_QUORUM;
		}
	}
	r->init.version = DR_PROTO_VERSION;
	r->init.mode = DR_MODE_REPLAY;
	r->init.clock = DR_CLOCK_SYSTEM;
	r->init.anchored = anchor != NULL;
	/* A recording that names files of this machine is not followed to them. */
	r->init.data_dir[0] = r->init.key_file[0] = r->init.passphrase_file[0] = '\0';
	memset(r->init.checkpoints, 0, sizeof(r->init.checkpoints));
	/* All that is there is folded, wherever its recorder says that it ends. */
	r->recorded_until = r->init.until;
	r->init.until = 0;
	return DR_EXIT_OK;
}

/* What is left out of a recording stops it there: nothing is folded over a gap. So the end is held against what the
 * recording itself calls final: it is stale, as a node is that such a server keeps there. A verifier may want no more
 * than up to `--until`; a recorder may have wanted no more, and then it is said that this is his word. */
static bool is_short(const struct replay *r, const struct dr_status_report *s)
{
	if (s->has_final &&
	    (s->final_number >= s->target_number || (r->init.until != 0 && s->final_number >= r->init.until)))
		return false;
	if (s->has_final && r->recorded_until != 0 && s->final_number >= r->recorded_until) {
		fprintf(r->cli->out.err,
			"derot replay: the recording was made until block %llu, by its recorder's own word: complete "
			"up to block %llu, while it calls block %llu final\n",
			(unsigned long long)r->recorded_until, (unsigned long long)s->final_number,
			(unsigned long long)s->target_number);
		return false;
	}
	fprintf(r->cli->out.err, "derot replay: the recording ");
	if (s->target_number != 0)
		fprintf(r->cli->out.err,
			"does not reach block %llu, which it calls final: ", (unsigned long long)s->target_number);
	if (s->has_final)
		fprintf(r->cli->out.err, "complete up to block %llu", (unsigned long long)s->final_number);
	else
		fprintf(r->cli->out.err, "proves no final block complete");
	fprintf(r->cli->out.err, "; what comes after is left out, or was not recorded yet\n");
	return true;
}

static void unread(struct replay *r, const struct dr_fail *fail)
{
	const bool read = fail->err != DR_ERR_IO || !ferror(r->file);

	dr_out_trouble(&r->cli->out,
		       &(struct dr_trouble){ .code = dr_err_name(fail->err),
					     .what = fail->what,
					     .got = read ? NULL : strerror((int)fail->at),
					     .source = r->path,
					     .state = "what was read before it was replayed, and nothing after it",
					     .next = read ? "run derot doctor"
							  : "read it again; rely on nothing of this replay" });
}

static int run(struct replay *r, bool journal)
{
	struct dr_fail fail = { 0 };
	struct dr_session *s = &r->session;

	dr_session_init(s, r->cli);
	s->recording = r->path;
	s->journal = journal;
	if (dr_link_core(&s->core, -1, &fail) != DR_OK) {
		dr_session_end(s, DR_EXIT_OK);
		return trouble(r, DR_EXIT_ERROR, "io", fail.what, strerror((int)fail.at), "run derot doctor");
	}
	bool good = dr_init_put(&s->core.out, DR_MSG_INIT, &r->init, &fail) == DR_OK;

	for (size_t i = 0; good && i < r->num_asks; i++)
		good = dr_ask_put(&s->core.out, DR_MSG_ASK, &r->asks[i], &fail) == DR_OK;
	struct dr_progress progress;
	struct dr_feed feed = { .file = r->file, .begin = dr_buf_view(&r->begin), .progress = &progress };

	dr_progress_begin(&progress, &r->cli->out, "replay", 0);
	good = good && dr_session_feed(s, &feed, &fail);
	dr_progress_end(&progress);
	const int code = dr_session_end(s, DR_EXIT_OK);
	char words[160];

	/* Half of a recording is not less of the same: what it shows may be taken back in the other half. */
	if (!good)
		unread(r, &fail);
	/* A contradiction is one, whatever else went wrong. */
	if (s->has_fatal && (good || code == DR_EXIT_CONFLICT))
		return code;
	if (!good)
		return DR_EXIT_ERROR;
	dr_link_words(words, sizeof(words), "derot-core", s->core.status);
	if (code != DR_EXIT_OK || !s->has_status)
		return trouble(r, DR_EXIT_ERROR, "io",
			       s->has_status ? "the core ended well" : "the core ended without a status", words,
			       "run derot doctor");
	FILE *err = r->cli->out.err;

	if (s->status.torn)
		fprintf(err, "derot replay: the recording ends inside a frame; what came before it was replayed\n");
	if (s->status.frames_refused > 0) {
		fprintf(err, "derot replay: %llu frames of the recording prove nothing and were refused%s\n",
			(unsigned long long)s->status.frames_refused, journal ? "" : "; --journal tells why");
		return DR_EXIT_PROOF;
	}
	/* What a crash left, or somebody cut: what is missing is not known to be good. */
	if (s->status.torn)
		return DR_EXIT_ERROR;
	if (is_short(r, &s->status))
		return DR_EXIT_SEALED;
	if (!r->init.anchored) {
		fprintf(err,
			"derot replay: unanchored: self-consistent only (give --anchor FILE from your own hands)\n");
		return DR_EXIT_UNANCHORED;
	}
	return s->status.findings > 0 || s->status.divergences > 0 ? DR_EXIT_FINDINGS : DR_EXIT_OK;
}

int dr_cmd_replay(struct dr_cli *cli, int argc, char **argv)
{
	static struct replay r;
	const char *anchor = NULL, *until = NULL, *asks = NULL;
	bool journal = false;
	const struct dr_opt opts[] = {
		{ "anchor", 0, DR_OPT_VALUE, &anchor },
		{ "until", 0, DR_OPT_VALUE, &until },
		{ "ask", 0, DR_OPT_VALUE, &asks },
		{ "journal", 0, DR_OPT_FLAG, &journal },
	};
	int code = dr_cli_options(cli, &argc, argv, opts, sizeof(opts) / sizeof(opts[0]));

	if (code != DR_EXIT_OK)
		return code;
	if (argc != 2)
		return dr_cli_usage(cli, argc < 2 ? "which recording?" : "one recording at a time",
				    argc > 2 ? argv[2] : NULL);
	memset(&r, 0, sizeof(r));
	r.cli = cli;
	r.path = argv[1];
	dr_buf_init(&r.form, DR_ANCHOR_FORM_MAX);
	dr_buf_init(&r.begin, ABOUT_MAX);
	r.file = strcmp(r.path, "-") == 0 ? stdin : fopen(r.path, "rb");
	if (r.file == NULL)
		return trouble(&r, DR_EXIT_ERROR, "io", "the recording can be opened", strerror(errno),
			       "check the path");
	code = prepare(&r, anchor, asks);
	if (code == DR_EXIT_OK && until != NULL) {
		char *end;

		errno = 0;
		r.init.until = strtoull(until, &end, 10);
		if (errno != 0 || *end != '\0' || until[0] < '0' || until[0] > '9' || r.init.until == 0 ||
		    r.init.until < r.init.start_number)
			code = dr_cli_usage(cli, "--until takes a block number, not below the start block", until);
	}
	if (code == DR_EXIT_OK)
		code = run(&r, journal);
	if (r.file != stdin)
		fclose(r.file);
	dr_buf_free(&r.form);
	dr_buf_free(&r.begin);
	return code;
}
