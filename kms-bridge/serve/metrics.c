/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "chain/base/version.h"
#include "kms-bridge/serve/answer.h"

static void head(struct dr_exchange *x, const char *name, const char *type, const char *help)
{
	dr_exchange_text(x, "# HELP derot_%s %s\n# TYPE derot_%s %s\n", name, help, name, type);
}

static void one(struct dr_exchange *x, const char *name, const char *type, uint64_t value, const char *help)
{
	head(x, name, type, help);
	dr_exchange_text(x, "derot_%s %" PRIu64 "\n", name, value);
}

/* A label's value: '\\', '"' and line ends are escaped; there are no line ends in texts of the protocol. */
static void label(char *out, size_t cap, const char *text)
{
	size_t len = 0;

	for (; *text != '\0' && len + 3 < cap; text++) {
		if (*text == '\\' || *text == '"')
			out[len++] = '\\';
		out[len++] = *text;
	}
	out[len] = '\0';
}

static const char *state_name(unsigned state)
{
	static const char *const names[DR_ENDPOINT_STATES] = { "unknown", "good", "lags", "aside", "wrong-chain" };

	return names[state < DR_ENDPOINT_STATES ? state : 0];
}

static void endpoints(struct dr_exchange *x, const struct dr_status_report *s)
{
	char name[140];

	head(x, "endpoint_state", "gauge", "1 for the state that each endpoint is in.");
	for (size_t i = 0; i < s->num_endpoints && i < DR_ENDPOINTS_MAX; i++) {
		label(name, sizeof(name), s->endpoints[i].name);
		dr_exchange_text(x, "derot_endpoint_state{endpoint=\"%s\",state=\"%s\"} 1\n", name,
				 state_name(s->endpoints[i].state));
	}
	head(x, "endpoint_lies_total", "counter", "Frames of each endpoint that were proven false.");
	for (size_t i = 0; i < s->num_endpoints && i < DR_ENDPOINTS_MAX; i++) {
		label(name, sizeof(name), s->endpoints[i].name);
		dr_exchange_text(x, "derot_endpoint_lies_total{endpoint=\"%s\"} %" PRIu32 "\n", name,
				 s->endpoints[i].lies);
	}
}

void dr_metrics(struct dr_exchange *x, const struct dr_status_report *s, uint64_t now_s)
{
	static const char *const holdings[] = { "none", "ours", "foreign" };

	x->done = true;
	x->status = DR_HTTP_OK;
	x->type = "text/plain; version=0.0.4; charset=utf-8";
	head(x, "build_info", "gauge", "1; the version is the label's.");
	dr_exchange_text(x, "derot_build_info{version=\"%s\"} 1\n", DR_VERSION);
	one(x, "sealed", "gauge", s->sealed, "1 while no key is released.");
	one(x, "halted", "gauge", s->halted, "1 after something contradicted a final block.");
	one(x, "lease_left_seconds", "gauge", s->lease_left_s, "Until keys are sealed if nothing newer is proven.");
	if (s->has_final) {
		one(x, "finalized_block_number", "gauge", s->final_number, "Newest block proven and final.");
		one(x, "finalized_timestamp_seconds", "gauge", s->final_time, "Its timestamp.");
	}
	if (s->head_number != 0) {
		one(x, "head_block_number", "gauge", s->head_number, "Newest block proven, final or not.");
		one(x, "head_timestamp_seconds", "gauge", s->head_time, "Its timestamp.");
		one(x, "head_lag_seconds", "gauge", now_s > s->head_time ? now_s - s->head_time : 0,
		    "Wall clock less that timestamp.");
	}
	one(x, "finalized_lag_blocks", "gauge",
	    s->target_number > s->final_number ? s->target_number - s->final_number : 0,
	    "Blocks that finality named and that are not proven yet.");
	if (s->beacon_ready) {
		one(x, "beacon_final_slot", "gauge", s->final_slot, "Slot of the newest final beacon block.");
		one(x, "beacon_head_slot", "gauge", s->head_slot, "Slot of the newest attested beacon block.");
		one(x, "beacon_period", "gauge", s->period, "Sync-committee period of the final block.");
		one(x, "beacon_participation", "gauge", s->participation, "Members that signed the newest finality.");
		one(x, "beacon_final_age_seconds", "gauge", s->beacon_age_s,
		    "Wall clock less the final slot's time.");
		one(x, "beacon_aged", "gauge", s->beacon_aged,
		    "1 while something older than permitted is relied on, by name.");
	}
	one(x, "generation", "gauge", s->generation, "Root generation in force; 0: none.");
	head(x, "holding", "gauge", "1 for what is held here of the root in force.");
	for (size_t i = 0; i < sizeof(holdings) / sizeof(holdings[0]); i++)
		dr_exchange_text(x, "derot_holding{root=\"%s\"} %d\n", holdings[i], s->holding == i);
	if (s->rotation_deadline != 0)
		one(x, "rotation_deadline_timestamp_seconds", "gauge", s->rotation_deadline,
		    "The root in force is exposed: it stops then.");
	if (s->heartbeat_age_s != UINT64_MAX)
		one(x, "heartbeat_age_seconds", "gauge", s->heartbeat_age_s,
		    "Since the newest nonce that was seen on chain was drawn.");
	one(x, "findings", "gauge", s->findings, "Findings of the audit.");
	one(x, "divergences", "gauge", s->divergences, "Contract slots that differ from what was folded.");
	one(x, "ledger_entries_total", "counter", s->ledger_size, "Entries of the ledger.");
	one(x, "journal_entries_total", "counter", s->journal_size, "Entries of the journal.");
	one(x, "frames_kept_total", "counter", s->frames_kept, "Frames of evidence accepted.");
	one(x, "frames_refused_total", "counter", s->frames_refused, "Frames refused.");
	endpoints(x, s);
}
