/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/session.h"

#include <errno.h>
#include <string.h>

#include "kms-bridge/tell/tell.h"
#include "watcher/columns.h"

#define CHUNK ((size_t)256 * 1024)

void dr_session_init(struct dr_session *s, struct dr_cli *cli)
{
	memset(s, 0, sizeof(*s));
	s->cli = cli;
	s->core.fd = -1;
	s->findings = json_array();
	if (dr_out_format_rows(&cli->out) == DR_FORMAT_JSON)
		s->all = json_pack("{s:[], s:[], s:[], s:[]}", "changes", "answers", "findings", "journal");
}

/* Takes obj. */
static void say(struct dr_session *s, const char *type, const char *array, json_t *obj)
{
	struct dr_out *out = &s->cli->out;

	if (s->all != NULL && !s->quiet) {
		json_array_append_new(json_object_get(s->all, array), obj);
		return;
	}
	if (!s->quiet && dr_out_format_rows(out) == DR_FORMAT_NDJSON) {
		json_object_set_new(obj, "type", json_string(type));
		json_dumpf(obj, out->out, JSON_COMPACT | JSON_ENSURE_ASCII);
		fputc('\n', out->out);
		fflush(out->out);
	}
	json_decref(obj);
}

static bool is_table(const struct dr_session *s)
{
	return s->all == NULL && !s->quiet && dr_out_format_rows(&s->cli->out) == DR_FORMAT_TABLE;
}

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text != NULL ? text : "";
}

static bool take_change(struct dr_session *s, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_entry entry;

	if (dr_entry_get(&entry, payload, fail) != DR_OK)
		return false;
	json_t *obj = dr_tell_change(&entry);

	if (obj == NULL) {
		dr_fail_set(fail, DR_ERR_SYNTAX, "a ledger leaf from the core", (size_t)entry.idx);
		return false;
	}
	s->num_changes++;
	if (is_table(s)) {
		if (!s->rows_open)
			dr_rows_begin(&s->rows, &s->cli->out, dr_columns_change, dr_columns_change_num);
		s->rows_open = true;
		dr_rows_add(&s->rows, obj);
	}
	say(s, "change", "changes", obj);
	return true;
}

static bool take_finding(struct dr_session *s, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_audit_finding finding;

	if (dr_audit_finding_get(&finding, payload, fail) != DR_OK)
		return false;
	json_t *obj = dr_tell_finding(&finding);

	s->num_findings++;
	json_array_append(s->findings, obj);
	if (is_table(s))
		fprintf(s->cli->out.out, "     ! FINDING  %s\n", dr_audit_finding_name(finding.kind));
	say(s, "finding", "findings", obj);
	return true;
}

static bool take_answer(struct dr_session *s, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_answer answer;

	if (dr_answer_get(&answer, payload, fail) != DR_OK)
		return false;
	json_t *obj = dr_tell_answer(&answer);

	s->num_answers++;
	if (is_table(s)) {
		FILE *out = s->cli->out.out;

		fprintf(out, "     » key request ");
		dr_out_text(out, answer.name[0] != '\0' ? answer.name : "(recorded)");
		if (answer.decision.verdict == DR_ALLOW)
			fprintf(out, ": ALLOW, generation %llu, epoch %llu\n",
				(unsigned long long)answer.decision.generation,
				(unsigned long long)answer.decision.epoch);
		else
			fprintf(out, ": deny, %s: %s\n", dr_deny_name(answer.decision.deny),
				dr_deny_text(answer.decision.deny));
		fflush(out);
	}
	say(s, "answer", "answers", obj);
	return true;
}

static bool take_note(struct dr_session *s, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_entry entry;

	if (dr_entry_get(&entry, payload, fail) != DR_OK)
		return false;
	json_t *obj = dr_tell_note(&entry);

	if (obj == NULL) {
		dr_fail_set(fail, DR_ERR_SYNTAX, "a journal leaf from the core", (size_t)entry.idx);
		return false;
	}
	if (!s->journal) {
		json_decref(obj);
		return true;
	}
	if (is_table(s)) {
		const json_t *source = json_object_get(obj, "source");

		fprintf(s->cli->out.out, "     · %-11s ", text_of(obj, "kind"));
		if (json_is_integer(source))
			fprintf(s->cli->out.out, "endpoint %lld: ", (long long)json_integer_value(source));
		dr_out_text(s->cli->out.out, text_of(obj, "detail"));
		fputc('\n', s->cli->out.out);
		fflush(s->cli->out.out);
	}
	say(s, "journal", "journal", obj);
	return true;
}

bool dr_session_take(struct dr_session *s, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	switch (type) {
	case DR_MSG_CHANGE: return take_change(s, payload, fail);
	case DR_MSG_FINDING: return take_finding(s, payload, fail);
	case DR_MSG_ANSWER: return take_answer(s, payload, fail);
	case DR_MSG_JOURNAL: return take_note(s, payload, fail);
	case DR_MSG_READY: s->ready = true; return true;
	case DR_MSG_STATUS: s->has_status = true; return dr_status_report_get(&s->status, payload, fail) == DR_OK;
	case DR_MSG_FATAL: s->has_fatal = true; return dr_error_get(&s->fatal, payload, fail) == DR_OK;
	default: dr_fail_set(fail, DR_ERR_SYNTAX, "a message that the core may not send here", type); return false;
	}
}

void dr_session_status(struct dr_session *s)
{
	json_t *obj = dr_tell_status(&s->status);

	if (s->all != NULL)
		json_object_set(s->all, "status", obj);
	else if (dr_out_format_rows(&s->cli->out) == DR_FORMAT_TABLE)
		dr_out_object(&s->cli->out, obj);
	else
		say(s, "status", "status", json_incref(obj));
	json_decref(obj);
}

static void print_findings(struct dr_session *s)
{
	FILE *out = s->cli->out.out;
	size_t i;
	json_t *f;

	fprintf(out, "\nFindings: %zu\n", json_array_size(s->findings));
	json_array_foreach(s->findings, i, f)
	{
		fprintf(out, "  ! %s in block %lld (%s): %s", text_of(f, "finding"),
			(long long)json_integer_value(json_object_get(f, "block")), text_of(f, "time"),
			text_of(f, "action"));
		fputc(' ', out);
		dr_out_text(out, text_of(f, "what"));
		if (text_of(f, "said")[0] != '\0')
			fprintf(out, "\n      %s", text_of(f, "said"));
		fputc('\n', out);
	}
	fputc('\n', out);
}

/* The next piece of what the core is fed, or END. Where reading fails there is no end: what was not read is unknown.
 */
static bool feed_more(struct dr_session *s, struct dr_feed *feed, bool *ended, struct dr_fail *fail)
{
	static uint8_t chunk[CHUNK];
	struct dr_bytes run = feed->begin;

	if (run.len == 0) {
		run = dr_bytes_of(chunk, fread(chunk, 1, CHUNK, feed->file));
		if (ferror(feed->file))
			return dr_fail_set(fail, DR_ERR_IO, "the recording could not be read to its end",
					   (size_t)errno) == DR_OK;
	}
	feed->begin.len = 0;
	feed->sent += run.len;
	*ended = run.len == 0;
	if (feed->progress != NULL)
		dr_progress_set(feed->progress, feed->sent);
	return dr_link_send(&s->core, *ended ? DR_MSG_END : DR_MSG_EVIDENCE, run, fail) == DR_OK;
}

bool dr_session_feed(struct dr_session *s, struct dr_feed *feed, struct dr_fail *fail)
{
	struct dr_link *core = &s->core;
	bool ended = false;

	for (;;) {
		uint16_t type;
		struct dr_bytes payload;

		while (dr_link_next(core, &type, &payload, fail)) {
			if (feed->heard != NULL)
				feed->heard(feed->ctx, type, payload);
			if (!dr_session_take(s, type, payload, fail))
				return false;
		}
		if (fail->err != DR_OK)
			return false;
		if (core->eof)
			return true;
		if (!ended && core->out.len < CHUNK && !feed_more(s, feed, &ended, fail))
			return false;
		if (dr_link_pump(core, -1, -1, fail) != DR_OK)
			return false;
	}
}

int dr_session_end(struct dr_session *s, int good)
{
	int code = dr_link_end(&s->core);

	if (s->rows_open)
		dr_rows_end(&s->rows);
	if (is_table(s) && s->has_status)
		print_findings(s);
	if (s->has_status)
		dr_session_status(s);
	if (s->all != NULL && !s->quiet)
		dr_out_object(&s->cli->out, s->all);
	json_decref(s->all);
	json_decref(s->findings);
	if (s->has_fatal) {
		/* What is wrong with this machine is not the recording's fault. */
		const bool own = s->fatal.err == DR_ERR_NOMEM || s->fatal.err == DR_ERR_IO;
		const bool replay = s->recording != NULL && !own;
		struct dr_trouble t = { .code = dr_err_name((enum dr_err)s->fatal.err),
					.what = s->fatal.what,
					.source = replay ? s->recording : "derot-core",
					.state = replay ? "what comes before it was replayed, and nothing after it"
							: "sealed: no key is answered",
					.next = replay ? "get it anew from who made it; rely on nothing of this one"
						       : "mend what it names; derot doctor -c FILE checks the rest" };

		if (s->fatal.exit == DR_EXIT_CONFLICT)
			t.next = "keep the evidence file; compare the chain with others";
		dr_out_trouble(&s->cli->out, &t);
		return s->fatal.exit != 0 ? s->fatal.exit : DR_EXIT_ERROR;
	}
	if (code != 0)
		return code;
	return good;
}
