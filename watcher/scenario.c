/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/scenario.h"

#define TEXTS_MAX 512u

static const cyaml_schema_value_t text_schema = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 256) };

#define TEXTS(key, type, member, flags)                                                                              \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | (flags), type, member, &text_schema, 0, TEXTS_MAX)

static const cyaml_schema_field_t step_fields[] = {
	DR_YAML_TEXT_OR_NOT("by", struct dr_scenario_step, by),
	DR_YAML_TEXT("call", struct dr_scenario_step, call),
	TEXTS("args", struct dr_scenario_step, args, CYAML_FLAG_OPTIONAL),
	DR_YAML_TEXT_OR_NOT("value", struct dr_scenario_step, value),
	DR_YAML_TEXT_OR_NOT("more", struct dr_scenario_step, more),
	DR_YAML_TEXT_OR_NOT("refused", struct dr_scenario_step, refused),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t step_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct dr_scenario_step, step_fields),
};
static const cyaml_schema_field_t council_fields[] = {
	TEXTS("members", struct dr_scenario_council, members, CYAML_FLAG_DEFAULT),
	TEXTS("guardians", struct dr_scenario_council, guardians, CYAML_FLAG_DEFAULT),
	DR_YAML_TEXT("quorum", struct dr_scenario_council, quorum),
	DR_YAML_TEXT("voting_period", struct dr_scenario_council, voting_period),
	TEXTS("notices", struct dr_scenario_council, notices, CYAML_FLAG_DEFAULT),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t scenario_fields[] = {
	DR_YAML_TEXT("about", struct dr_scenario, about),
	DR_YAML_TEXT_OR_NOT("played_by", struct dr_scenario, played_by),
	TEXTS("accounts", struct dr_scenario, accounts, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_MAPPING("council", CYAML_FLAG_OPTIONAL, struct dr_scenario, council, council_fields),
	DR_YAML_TEXT_OR_NOT("node", struct dr_scenario, node),
	DR_YAML_TEXT_OR_NOT("start_time", struct dr_scenario, start_time),
	DR_YAML_TEXT_OR_NOT("requests", struct dr_scenario, requests),
	CYAML_FIELD_SEQUENCE("steps", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct dr_scenario, steps,
			     &step_schema, 1, TEXTS_MAX),
	TEXTS("expect", struct dr_scenario, expect, CYAML_FLAG_OPTIONAL),
	TEXTS("findings", struct dr_scenario, findings, CYAML_FLAG_OPTIONAL),
	TEXTS("answers", struct dr_scenario, answers, CYAML_FLAG_OPTIONAL),
	TEXTS("divergences", struct dr_scenario, divergences, CYAML_FLAG_OPTIONAL),
	TEXTS("end", struct dr_scenario, end, CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t scenario_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct dr_scenario, scenario_fields),
};

/* What playing needs is there, all of it or nothing. */
static enum dr_err whole(const struct dr_scenario *s, const struct dr_yaml *y, struct dr_yaml_error *error)
{
	const struct {
		const char *key;
		bool given;
	} needed[] = {
		{ "accounts", s->accounts != NULL }, { "council", s->council.quorum != NULL },
		{ "node", s->node != NULL },         { "start_time", s->start_time != NULL },
		{ "steps", s->steps != NULL },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (needed[i].given == (s->played_by != NULL))
			return dr_yaml_fail(y, DR_ERR_SYNTAX, needed[i].key,
					    s->played_by == NULL ? "is missing" : "does not go with played_by",
					    error);
	return DR_OK;
}

enum dr_err dr_scenario_load(struct dr_scenario **out, struct dr_yaml **yaml, const char *path,
			     struct dr_yaml_error *error)
{
	void *loaded = NULL;
	enum dr_err err = dr_yaml_open(yaml, path, error);

	if (err == DR_OK)
		err = dr_yaml_load(&loaded, *yaml, &scenario_schema, error);
	if (err == DR_OK && (err = whole(loaded, *yaml, error)) != DR_OK) {
		dr_yaml_unload(&scenario_schema, loaded);
		loaded = NULL;
	}
	*out = loaded;
	return err;
}

void dr_scenario_free(struct dr_scenario *s, struct dr_yaml *yaml)
{
	dr_yaml_unload(&scenario_schema, s);
	dr_yaml_free(yaml);
}
