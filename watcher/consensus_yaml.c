/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/consensus_yaml.h"

#include <stdio.h>
#include <string.h>

#include "chain/base/hex.h"
#include "watcher/json_network.h"

const cyaml_schema_field_t dr_yaml_checkpoint_fields[] = {
	DR_YAML_TEXT("root", struct dr_yaml_checkpoint, root),
	DR_YAML_TEXT_OR_NOT("from", struct dr_yaml_checkpoint, from),
	DR_YAML_TEXT_OR_NOT("max_age", struct dr_yaml_checkpoint, max_age),
	DR_YAML_TEXT_OR_NOT("accept_aged", struct dr_yaml_checkpoint, accept_aged),
	CYAML_FIELD_END,
};

static enum dr_err by_name(struct dr_network *out, const struct dr_yaml *y, const char *name,
			   struct dr_yaml_error *error)
{
	const struct dr_network *net = dr_network_named(name);
	char what[256] = "must be ";

	for (size_t i = 0; net == NULL && dr_network_known(i) != NULL; i++) {
		const size_t len = strlen(what);

		snprintf(what + len, sizeof(what) - len, "%s, ", dr_network_known(i)->name);
	}
	if (net == NULL) {
		const size_t len = strlen(what);

		snprintf(what + len, sizeof(what) - len, "or left out: any other is said by spec and genesis");
		return dr_yaml_fail(y, DR_ERR_UNKNOWN, "consensus.network", what, error);
	}
	*out = *net;
	return DR_OK;
}

static enum dr_err by_files(struct dr_network *out, const struct dr_yaml *y, const struct dr_yaml_consensus *text,
			    struct dr_yaml_error *error)
{
	struct dr_network_notes notes;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	char spec[2048], genesis[2048], what[512];
	enum dr_err err;

	if ((err = dr_yaml_path(spec, sizeof(spec), y, "consensus.spec", text->spec, error)) != DR_OK ||
	    (err = dr_yaml_path(genesis, sizeof(genesis), y, "consensus.genesis", text->genesis, error)) != DR_OK ||
	    dr_json_network_load(out, spec, genesis, true, &notes, &fail) == DR_OK)
		return err;
	snprintf(what, sizeof(what), "%s%s%s", notes.at, notes.at[0] != '\0' ? ": " : "", fail.what);
	return dr_yaml_fail(y, fail.err, notes.file == DR_NETWORK_SPEC ? "consensus.spec" : "consensus.genesis", what,
			    error);
}

static enum dr_err by_form(struct dr_network *out, const struct dr_yaml *y, const char *text,
			   struct dr_yaml_error *error)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint8_t form[DR_NETWORK_LEN_MAX];
	size_t len;

	if (dr_hex_data(form, sizeof(form), &len, text, strlen(text), &fail) == DR_OK &&
	    dr_network_decode(out, dr_bytes_of(form, len), &fail) == DR_OK)
		return DR_OK;
	return dr_yaml_fail(y, fail.err, "consensus.form", fail.what, error);
}

static enum dr_err network_of(struct dr_network *out, const struct dr_yaml *y, const struct dr_yaml_consensus *text,
			      struct dr_yaml_error *error)
{
	const bool files = text->spec != NULL || text->genesis != NULL;

	if ((text->network != NULL) + files + (text->form != NULL) != 1)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "consensus",
				    "say which network: either network, or spec and genesis", error);
	if (text->network != NULL)
		return by_name(out, y, text->network, error);
	if (text->form != NULL)
		return by_form(out, y, text->form, error);
	if (text->spec == NULL || text->genesis == NULL)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, text->spec != NULL ? "consensus.genesis" : "consensus.spec",
				    "is missing: spec and genesis go together", error);
	return by_files(out, y, text, error);
}

enum dr_err dr_consensus_read(struct dr_consensus *out, const struct dr_yaml *y, const struct dr_yaml_consensus *text,
			      struct dr_yaml_error *error)
{
	static const char at_root[] = "consensus.checkpoint.root";
	const struct dr_yaml_checkpoint *checkpoint = text->checkpoint;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	enum dr_err err;

	memset(out, 0, sizeof(*out));
	out->max_age_s = DR_BEACON_AGE_DEFAULT_S;
	if ((err = network_of(&out->network, y, text, error)) != DR_OK ||
	    (err = dr_yaml_hex(out->root, 32, y, at_root, checkpoint->root, error)) != DR_OK ||
	    (err = dr_yaml_text(out->from, sizeof(out->from), y, "consensus.checkpoint.from", checkpoint->from,
				error)) != DR_OK ||
	    /* A longer one would be an old checkpoint accepted without anybody's name. */
	    (err = dr_yaml_u64(&out->max_age_s, y, "consensus.checkpoint.max_age", checkpoint->max_age, 1,
			       DR_BEACON_AGE_DEFAULT_S, error)) != DR_OK ||
	    (err = dr_yaml_text(out->aged, sizeof(out->aged), y, "consensus.checkpoint.accept_aged",
				checkpoint->accept_aged, error)) != DR_OK)
		return err;
	if (dr_bytes_zero(out->root, 32))
		return dr_yaml_fail(y, DR_ERR_SYNTAX, at_root,
				    "must be the root of a finalized beacon block, from somebody you trust", error);
	if (dr_network_encode(out->form, sizeof(out->form), &out->form_len, &out->network, &fail) != DR_OK)
		return dr_yaml_fail(y, fail.err, "consensus", fail.what, error);
	return DR_OK;
}
