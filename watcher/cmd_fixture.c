/* SPDX-License-Identifier: Apache-2.0
 *
 * derot fixture: recordings that are true by construction.
 *
 *   make SCENARIO -o F   plays the scenario on a real anvil while a core and a watch follow it live, and
 *                        keeps what the core accepted: F, and F.anchor.yaml beside it
 *   lint SCENARIO F      replays F against its anchor and holds every change, finding and answer against
 *                        what the scenario expects
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "kms-bridge/tell/tell.h"
#include "watcher/anchor.h"
#include "watcher/config.h"
#include "watcher/live.h"
#include "watcher/player.h"
#include "watcher/profile_yaml.h"

#define STEP_MS 20000

static int trouble(struct dr_cli *cli, const char *what, const char *expected, const char *got, const char *source,
		   const char *next)
{
	dr_out_trouble(&cli->out, &(struct dr_trouble){ .code = "fixture",
							.what = what,
							.expected = expected,
							.got = got,
							.source = source,
							.state = "the fixture is not good",
							.next = next });
	return DR_EXIT_ERROR;
}

struct making {
	struct dr_cli *cli;
	const char *scenario_path, *profile_path, *anvil, *contract, *out;
	struct dr_scenario *scenario;
	struct dr_yaml *yaml;
	struct dr_player player;
	struct dr_profile profile;
	struct dr_buf form, creation;
	char config_path[64];
	struct dr_config config;
	struct dr_init init;
	struct dr_live live;
	FILE *file;
	uint64_t head, final_;
};

static bool read_creation(struct making *m)
{
	struct dr_fail fail = { 0 };
	FILE *file = fopen(m->contract, "rb");
	uint8_t *to = dr_buf_reserve(&m->creation, m->creation.cap, &fail);

	if (file == NULL || to == NULL) {
		if (file != NULL)
			fclose(file);
		return false;
	}
	size_t len = fread(to, 1, m->creation.cap - 1, file);

	if (ferror(file))
		len = 0;
	fclose(file);
	while (len > 0 && (to[len - 1] == '\n' || to[len - 1] == '\r'))
		len--;
	to[len] = '\0';
	m->creation.len = len;
	return len > 0;
}

static bool write_config(struct making *m)
{
	const struct dr_player *p = &m->player;
	char hex[4][67], profile[4096];

	snprintf(m->config_path, sizeof(m->config_path), "/tmp/derot-fixture-XXXXXX");
	const int fd = mkstemp(m->config_path);
	FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (to == NULL || realpath(m->profile_path, profile) == NULL)
		return false;
	dr_hex_put(hex[0], p->genesis, 32);
	dr_hex_put(hex[1], p->contract, 20);
	dr_hex_put(hex[2], p->start_hash, 32);
	dr_hex_put(hex[3], p->node, 20);
	fprintf(to,
		"chain: {id: %llu, genesis: \"0x%s\"}\ncontract: \"0x%s\"\nstart: {block: %llu, hash: \"0x%s\"}\n"
		"proof: quorum\nquorum: 1\nendpoints: [{name: anvil, url: %s}]\nprofile: %s\npoll_ms: 50\n"
		"finality: finalized\nlease: {max_staleness: 172800}\nnode: \"0x%s\"\n",
		(unsigned long long)p->chain_id, hex[0], hex[1], (unsigned long long)p->start_number, hex[2], p->url,
		profile, hex[3]);
	return dr_out_close(to);
}

static void noted(void *ctx, const struct dr_note *note)
{
	struct making *m = ctx;

	if (note->kind == DR_NOTE_HEAD && note->number > m->head)
		m->head = note->number;
	if (note->kind == DR_NOTE_FINAL && note->number > m->final_)
		m->final_ = note->number;
}

static bool kept(void *ctx, struct dr_bytes bytes)
{
	struct making *m = ctx;

	return fwrite(bytes.ptr, 1, bytes.len, m->file) == bytes.len;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the core has seen the newest block as head, and what is final as final. */
static bool caught_up(struct making *m, struct dr_fail *fail)
{
	const int64_t until = now_ms() + STEP_MS;
	const struct dr_player *p = &m->player;

	while (m->head < p->latest || m->final_ + DR_PLAYER_FINAL_DEPTH < p->latest) {
		if (now_ms() > until) {
			dr_fail_set(fail, DR_ERR_STALE, "the core did not follow the chain in time",
				    (size_t)p->latest);
			return false;
		}
		if (!dr_live_turn(&m->live, 100, fail)) {
			dr_fail_set(fail, DR_ERR_IO, "the core ended early", (size_t)p->latest);
			return false;
		}
	}
	return true;
}

static int play(struct making *m)
{
	struct dr_fail fail = { 0 };
	struct dr_player *p = &m->player;
	char step[32];
	uint32_t i = 0;

	/* The constitution must be final before the story begins. */
	if (!dr_player_mine(p, DR_PLAYER_FINAL_DEPTH + 1))
		return trouble(m->cli, "mining", NULL, p->why, m->anvil, "look at the node");
	if (!dr_live_start(&m->live, m->cli, &m->init, m->config_path, NULL, &fail))
		return trouble(m->cli, fail.what, NULL, NULL, "derot-core", "run derot doctor");
	m->live.session.quiet = true;
	m->live.kept = kept;
	m->live.kept_ctx = m;
	m->live.noted = noted;
	m->live.noted_ctx = m;
	bool good = caught_up(m, &fail);

	for (; good && i < m->scenario->steps_count; i++)
		good = dr_player_step(p, &m->scenario->steps[i]) && caught_up(m, &fail);
	good = good && dr_player_mine(p, DR_PLAYER_FINAL_DEPTH + 1) && caught_up(m, &fail);
	if (good)
		dr_live_stop(&m->live, &fail);
	while (good && dr_live_turn(&m->live, 1000, &fail))
		;
	const int code = dr_live_end(&m->live);

	if (good && fail.err == DR_OK && (code != DR_EXIT_OK || m->live.session.has_status))
		return code;
	snprintf(step, sizeof(step), "step %u", i);
	return trouble(m->cli, fail.err != DR_OK ? fail.what : "a step of the scenario", NULL, p->why, step,
		       "mend the scenario");
}

static int make(struct making *m)
{
	struct dr_yaml_error error = { "" };
	struct dr_fail fail = { 0 };

	dr_buf_init(&m->form, DR_PROFILE_LEN_MAX);
	dr_buf_init(&m->creation, (size_t)1 << 20);
	if (dr_scenario_load(&m->scenario, &m->yaml, m->scenario_path, &error) != DR_OK)
		return trouble(m->cli, "the scenario", NULL, error.text, m->scenario_path, "mend it");
	if (m->scenario->played_by != NULL)
		return trouble(m->cli, "a scenario that is played here", "steps", m->scenario->played_by,
			       m->scenario_path, "run that script: it makes the recording");
	if (dr_profile_load(&m->profile, &m->form, m->profile_path, &error) != DR_OK)
		return trouble(m->cli, "the profile", NULL, error.text, m->profile_path, "mend it");
	if (!read_creation(m))
		return trouble(m->cli, "the contract's creation code", "hex digits", strerror(errno), m->contract,
			       "give --contract FILE");
	if (!dr_player_start(&m->player, m->scenario, m->anvil, (const char *)m->creation.ptr, m->profile.digest))
		return trouble(m->cli, "the chain of the scenario", NULL, m->player.why, m->anvil,
			       "tests/nodes/install.sh installs anvil; --anvil names another");
	if (!write_config(m))
		return trouble(m->cli, "a temporary configuration", NULL, strerror(errno), "/tmp",
			       "look for a full disk");
	if (dr_config_load(&m->config, m->config_path, &error) != DR_OK)
		return trouble(m->cli, "the configuration made for this chain", NULL, error.text, NULL,
			       "report this");
	if (dr_config_init(&m->init, &m->config, DR_MODE_RECORD, &fail) != DR_OK)
		return trouble(m->cli, fail.what, NULL, NULL, NULL, "report this");
	m->init.clock = DR_CLOCK_CHAIN;
	m->file = fopen(m->out, "wb");
	if (m->file == NULL)
		return trouble(m->cli, "the recording can be made", NULL, strerror(errno), m->out,
			       "choose another file");
	int code = play(m);

	if (!dr_out_close(m->file)) {
		const int told = trouble(m->cli, "writing the recording", NULL, strerror(errno), m->out,
					 "look for a full disk");

		code = code == DR_EXIT_OK ? told : code;
	}
	if (code != DR_EXIT_OK)
		return code;
	char anchor[4096];
	char profile[2048];

	snprintf(anchor, sizeof(anchor), "%s.anchor.yaml", m->out);
	snprintf(profile, sizeof(profile), "../%s", m->profile_path);
	unlink(anchor);
	if (dr_anchor_write(&m->init, m->profile_path[0] == '/' ? m->profile_path : profile, anchor, &error) != DR_OK)
		return trouble(m->cli, "the recording's anchor file", NULL, error.text, anchor,
			       "look for a full disk");
	fprintf(m->cli->out.out, "%s: %llu blocks, %u steps\n", m->out, (unsigned long long)m->player.latest,
		m->scenario->steps_count);
	return DR_EXIT_OK;
}

/* What a replay said, in the words of a scenario. */
struct said {
	struct dr_session session;
	struct dr_buf changes, findings, answers, divergences, end;
	struct dr_fail fail;
};

static void line(struct said *s, struct dr_buf *to, const char *text)
{
	dr_buf_append(to, text, strlen(text) + 1, &s->fail);
}

static void hear(void *ctx, uint16_t type, struct dr_bytes payload)
{
	struct said *s = ctx;
	struct dr_entry entry;
	struct dr_change c;
	struct dr_audit_finding f;
	struct dr_answer a;
	struct dr_note note;
	char text[256];

	if (type == DR_MSG_CHANGE && dr_entry_get(&entry, payload, &s->fail) == DR_OK &&
	    dr_change_decode(&c, entry.leaf, &s->fail) == DR_OK) {
		const struct dr_action_def *def = dr_action_def((uint16_t)c.act.action);

		snprintf(text, sizeof(text), "%s %s%s%s", def != NULL ? def->name : "unknown",
			 dr_outcome_name(c.outcome), c.reason != DR_REASON_NONE ? " " : "",
			 c.reason != DR_REASON_NONE ? dr_reason_name(c.reason) : "");
		line(s, &s->changes, text);
	} else if (type == DR_MSG_FINDING && dr_audit_finding_get(&f, payload, &s->fail) == DR_OK) {
		line(s, &s->findings, dr_audit_finding_name(f.kind));
	} else if (type == DR_MSG_ANSWER && dr_answer_get(&a, payload, &s->fail) == DR_OK) {
		if (a.decision.verdict == DR_ALLOW)
			snprintf(text, sizeof(text), "%s allow generation %llu epoch %llu", a.name,
				 (unsigned long long)a.decision.generation, (unsigned long long)a.decision.epoch);
		else
			snprintf(text, sizeof(text), "%s deny %s", a.name, dr_deny_name(a.decision.deny));
		line(s, &s->answers, text);
	} else if (type == DR_MSG_JOURNAL && dr_entry_get(&entry, payload, &s->fail) == DR_OK &&
		   dr_note_decode(&note, entry.leaf, &s->fail) == DR_OK && note.kind == DR_NOTE_DIVERGENCE) {
		/* "diverges: suspended 77…: expected …": the kind is enough here, answers show which subject. */
		const size_t verb = strcspn(note.detail, ":"), space = note.detail[verb] != '\0' ? 2 : 0;
		const char *what = note.detail + verb + space;

		snprintf(text, sizeof(text), "%.*s %.*s", (int)verb, note.detail, (int)strcspn(what, " :"), what);
		line(s, &s->divergences, text);
	}
}

static void end_line(struct said *s, const char *what, bool counted, uint64_t number, const uint8_t hash[static 32])
{
	char text[128], hex[65], num[24] = "";

	dr_hex_put(hex, hash, 32);
	if (counted)
		snprintf(num, sizeof(num), " %llu", (unsigned long long)number);
	snprintf(text, sizeof(text), "%s%s 0x%s", what, num, hex);
	line(s, &s->end, text);
}

/* Where it ended. */
static void hear_end(struct said *s)
{
	const struct dr_status_report *r = &s->session.status;

	if (!s->session.has_status)
		return;
	end_line(s, "final block", true, r->final_number, r->final_hash);
	end_line(s, "ledger", true, r->ledger_size, r->ledger_root);
	end_line(s, "state", false, 0, r->state_digest);
	if (r->proof != DR_PROOF_CONSENSUS)
		return;
	end_line(s, "checkpoint slot", true, r->checkpoint_slot, r->checkpoint);
	end_line(s, "final slot", true, r->final_slot, r->final_root);
}

/* Two lists of lines: what the scenario says, and what was said. */
static bool agree(struct dr_cli *cli, const char *what, char **expected, uint32_t num, const struct dr_buf *got,
		  bool print)
{
	const char *at = (const char *)got->ptr, *end = at + got->len;
	uint32_t i = 0;

	if (print) {
		fprintf(cli->out.out, "%s:\n", what);
		for (const char *l = at; l < end; l += strlen(l) + 1)
			fprintf(cli->out.out, "  - %s\n", l);
		return true;
	}
	for (; at < end; at += strlen(at) + 1, i++) {
		if (i < num && strcmp(expected[i], at) == 0)
			continue;
		char where[64];

		snprintf(where, sizeof(where), "%s[%u]", what, i);
		trouble(cli, where, i < num ? expected[i] : "nothing more", at, NULL,
			"derot fixture lint --print shows what is said");
		return false;
	}
	if (i == num)
		return true;
	trouble(cli, what, expected[i], "nothing more", NULL, "derot fixture lint --print shows what is said");
	return false;
}

static int lint(struct dr_cli *cli, const char *scenario_path, const char *path, bool print)
{
	static struct said s;
	static struct dr_init init;
	static struct dr_ask asks[DR_ASKS_MAX];
	struct dr_yaml_error error = { "" };
	struct dr_scenario *scenario = NULL;
	struct dr_yaml *yaml = NULL;
	struct dr_buf form;
	char anchor[4096], requests[4096];
	size_t num_asks = 0;
	FILE *file = fopen(path, "rb");

	memset(&s, 0, sizeof(s));
	memset(&init, 0, sizeof(init));
	dr_buf_init(&form, DR_ANCHOR_FORM_MAX);
	dr_buf_init(&s.changes, (size_t)1 << 20);
	dr_buf_init(&s.findings, (size_t)1 << 16);
	dr_buf_init(&s.answers, (size_t)1 << 20);
	dr_buf_init(&s.divergences, (size_t)1 << 16);
	dr_buf_init(&s.end, (size_t)1 << 12);
	if (file == NULL)
		return trouble(cli, "the recording can be opened", NULL, strerror(errno), path, "check the path");
	snprintf(anchor, sizeof(anchor), "%s.anchor.yaml", path);
	if (dr_scenario_load(&scenario, &yaml, scenario_path, &error) != DR_OK)
		return trouble(cli, "the scenario", NULL, error.text, scenario_path, "mend it");
	if (dr_anchor_load(&init, &form, anchor, &error) != DR_OK)
		return trouble(cli, "the anchor", NULL, error.text, anchor, "make the fixture anew");
	if (scenario->requests != NULL &&
	    (dr_yaml_path(requests, sizeof(requests), yaml, "requests", scenario->requests, &error) != DR_OK ||
	     dr_asks_load(asks, &num_asks, requests, &error) != DR_OK))
		return trouble(cli, "the requests", NULL, error.text, scenario_path, "mend them");
	init.version = DR_PROTO_VERSION;
	init.mode = DR_MODE_REPLAY;
	init.quorum_n = 1;
	if (init.proof != DR_PROOF_CONSENSUS) { /* the anchor's word */
		init.proof = DR_PROOF_QUORUM;
		init.quorum_k = 1;
	}
	init.step_max = DR_FOLLOW_STEP_MAX;
	init.max_staleness_s = 172800;
	init.anchored = true;
	dr_session_init(&s.session, cli);
	s.session.quiet = true;
	bool good = dr_link_core(&s.session.core, -1, &s.fail) == DR_OK &&
		    dr_init_put(&s.session.core.out, DR_MSG_INIT, &init, &s.fail) == DR_OK;

	for (size_t i = 0; good && i < num_asks; i++)
		good = dr_ask_put(&s.session.core.out, DR_MSG_ASK, &asks[i], &s.fail) == DR_OK;
	struct dr_feed feed = { .file = file, .heard = hear, .ctx = &s };

	good = good && dr_session_feed(&s.session, &feed, &s.fail) && s.fail.err == DR_OK;
	fclose(file);
	hear_end(&s);
	const struct dr_status_report *r = &s.session.status;
	const bool whole = s.session.has_status && !r->torn && r->frames_refused == 0 && r->has_final &&
			   r->final_number >= r->target_number;

	s.session.has_status = false; /* not printed here */
	int code = dr_session_end(&s.session, DR_EXIT_OK);

	if (code == DR_EXIT_OK && (!good || !whole))
		code = trouble(
			cli,
			good ? "the recording is whole to what it calls final, and every frame of it proves something"
			     : s.fail.what,
			NULL, NULL, path, "make the fixture anew");
	if (code == DR_EXIT_OK &&
	    !(agree(cli, "expect", scenario->expect, scenario->expect_count, &s.changes, print) &&
	      agree(cli, "findings", scenario->findings, scenario->findings_count, &s.findings, print) &&
	      agree(cli, "answers", scenario->answers, scenario->answers_count, &s.answers, print) &&
	      agree(cli, "divergences", scenario->divergences, scenario->divergences_count, &s.divergences, print) &&
	      (!(print || scenario->end_count > 0) ||
	       agree(cli, "end", scenario->end, scenario->end_count, &s.end, print))))
		code = DR_EXIT_FINDINGS;
	if (code == DR_EXIT_OK && !print)
		fprintf(cli->out.out, "%s: as expected: %u changes, %u findings, %u answers\n", path,
			scenario->expect_count, scenario->findings_count, scenario->answers_count);
	dr_scenario_free(scenario, yaml);
	dr_buf_free(&form);
	dr_buf_free(&s.changes);
	dr_buf_free(&s.findings);
	dr_buf_free(&s.answers);
	dr_buf_free(&s.divergences);
	dr_buf_free(&s.end);
	return code;
}

int dr_cmd_fixture(struct dr_cli *cli, int argc, char **argv)
{
	static struct making m;
	bool print = false;
	const char *out = NULL, *profile = NULL, *contract = NULL, *anvil = NULL;
	const struct dr_opt opts[] = {
		{ "out", 'o', DR_OPT_VALUE, &out },         { "profile", 0, DR_OPT_VALUE, &profile },
		{ "contract", 0, DR_OPT_VALUE, &contract }, { "anvil", 0, DR_OPT_VALUE, &anvil },
		{ "print", 0, DR_OPT_FLAG, &print },
	};
	int code = dr_cli_options(cli, &argc, argv, opts, sizeof(opts) / sizeof(opts[0]));

	if (code != DR_EXIT_OK)
		return code;
	if (argc == 4 && strcmp(argv[1], "lint") == 0)
		return lint(cli, argv[2], argv[3], print);
	if (argc != 3 || strcmp(argv[1], "make") != 0 || out == NULL)
		return dr_cli_usage(cli, "make SCENARIO -o F, or lint SCENARIO F", argc > 1 ? argv[1] : NULL);
	memset(&m, 0, sizeof(m));
	m.cli = cli;
	m.scenario_path = argv[2];
	m.profile_path = profile != NULL ? profile : "governance/profiles/derot-v1.yaml";
	m.contract = contract != NULL ? contract : "governance/contracts/DeRoT.bin";
	m.anvil = anvil != NULL ? anvil : "tests/nodes/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
	m.out = out;
	code = make(&m);
	dr_player_stop(&m.player);
	if (m.config_path[0] != '\0')
		unlink(m.config_path);
	dr_config_free(&m.config);
	dr_scenario_free(m.scenario, m.yaml);
	dr_buf_free(&m.form);
	dr_buf_free(&m.creation);
	return code;
}
