/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon/lc.h"

#include <string.h>

#include "chain/base/reader.h"
const struct dr_ssz_type *dr_lc_type(enum dr_lc_kind kind)
{
	switch (kind) {
	case DR_LC_UPDATE: return &dr_lc_update_type;
	case DR_LC_FINALITY_UPDATE: return &dr_lc_finality_update_type;
	case DR_LC_OPTIMISTIC_UPDATE: return &dr_lc_optimistic_update_type;
	}
	return &dr_lc_update_type;
}

static enum dr_err has_light_client(enum dr_beacon_fork fork, struct dr_fail *fail)
{
	if (fork < DR_BEACON_ALTAIR || fork > DR_BEACON_FULU)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "a fork whose light client is not known", 0);
	return DR_OK;
}

enum dr_err dr_lc_bootstrap_decode(struct dr_lc_bootstrap *out, const struct dr_network *net,
				   enum dr_beacon_fork fork, struct dr_bytes bytes, struct dr_fail *fail)
{
	enum dr_err err = has_light_client(fork, fail);

	memset(out, 0, sizeof(*out));
	if (err == DR_OK)
		err = dr_ssz_decode(out, &dr_lc_bootstrap_type, dr_lc_shape(net, fork), bytes, fail);
	if (err == DR_OK)
		out->fork = fork;
	return err;
}

enum dr_err dr_lc_update_decode(struct dr_lc_update *out, const struct dr_network *net, enum dr_lc_kind kind,
				enum dr_beacon_fork fork, struct dr_bytes bytes, struct dr_fail *fail)
{
	enum dr_err err = has_light_client(fork, fail);

	memset(out, 0, sizeof(*out));
	if (err == DR_OK)
		err = dr_ssz_decode(out, dr_lc_type(kind), dr_lc_shape(net, fork), bytes, fail);
	if (err == DR_OK) {
		out->kind = kind;
		out->fork = fork;
	}
	return err;
}

static enum dr_err encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_ssz_type *type,
			  struct dr_ssz_shape shape, const void *obj, struct dr_fail *fail)
{
	struct dr_writer w;

	*len = 0;
	dr_writer_init(&w, buf, cap, fail);
	if (has_light_client(shape.fork, fail) == DR_OK)
		dr_ssz_encode(&w, type, shape, obj);
	if (fail->err != DR_OK) {
		memset(buf, 0, cap);
		return fail->err;
	}
	*len = w.len;
	return DR_OK;
}

enum dr_err dr_lc_bootstrap_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_network *net,
				   const struct dr_lc_bootstrap *obj, struct dr_fail *fail)
{
	return encode(buf, cap, len, &dr_lc_bootstrap_type, dr_lc_shape(net, obj->fork), obj, fail);
}

enum dr_err dr_lc_update_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_network *net,
				const struct dr_lc_update *obj, struct dr_fail *fail)
{
	return encode(buf, cap, len, dr_lc_type(obj->kind), dr_lc_shape(net, obj->fork), obj, fail);
}

size_t dr_lc_len_max(const struct dr_network *net)
{
	const struct dr_ssz_shape shape = dr_lc_shape(net, DR_BEACON_FULU); /* no form is longer than the newest */
	const size_t bootstrap = dr_ssz_len_max(&dr_lc_bootstrap_type, shape);
	const size_t update = dr_ssz_len_max(&dr_lc_update_type, shape);

	return bootstrap > update ? bootstrap : update;
}

/* The attested header comes first in every container, and the slot first in it. Below Capella a header is of fixed
 * size and stands in place; an input of that one length has the slot at 0. Later forms, all longer, begin with the
 * header's offset. */
enum dr_err dr_lc_peek(enum dr_beacon_fork *fork, const struct dr_network *net, const struct dr_ssz_type *type,
		       struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_reader r;

	*fork = DR_BEACON_PHASE0;
	dr_reader_init(&r, bytes, fail);
	if (bytes.len != dr_ssz_fixed_len(type, dr_lc_shape(net, DR_BEACON_ALTAIR))) {
		const uint64_t offset = dr_ssz_read(&r, 4);

		if (dr_reader_ok(&r) && offset < 4)
			dr_reader_fail(&r, DR_ERR_SYNTAX, "the first offset does not follow the fixed part");
		else if (dr_reader_ok(&r))
			dr_reader_view(&r, (size_t)offset - 4);
	}
	const uint64_t slot = dr_ssz_read(&r, 8);

	if (!dr_reader_ok(&r))
		return fail->err;
	return dr_network_fork_at(fork, net, slot, fail);
}

enum dr_err dr_lc_frame(struct dr_bytes *ssz, enum dr_beacon_fork *fork, struct dr_bytes *bytes,
			const struct dr_network *net, struct dr_fail *fail)
{
	struct dr_reader r;
	uint8_t digest[4], own[4];

	*ssz = dr_bytes_of(NULL, 0);
	*fork = DR_BEACON_PHASE0;
	dr_reader_init(&r, *bytes, fail);
	const uint64_t len = dr_ssz_read(&r, 8);

	if (dr_reader_ok(&r) && len < sizeof(digest))
		dr_reader_fail(&r, DR_ERR_SYNTAX, "a framed update has no room for its digest");
	if (dr_reader_ok(&r) && len - sizeof(digest) > dr_lc_len_max(net))
		dr_reader_fail(&r, DR_ERR_LIMIT, "a framed update is longer than any of this network");
	dr_reader_copy(&r, digest, sizeof(digest));
	const struct dr_bytes view = dr_reader_view(&r, dr_reader_ok(&r) ? (size_t)len - sizeof(digest) : 0);

	if (!dr_reader_ok(&r))
		return fail->err;
	const enum dr_err err = dr_lc_peek(fork, net, &dr_lc_update_type, view, fail);

	if (err != DR_OK)
		return err;
	if (dr_network_digest(own, net, *fork) && memcmp(own, digest, sizeof(digest)) != 0) {
		*fork = DR_BEACON_PHASE0;
		return dr_fail_set(fail, DR_ERR_PROOF, "the digest is not that of the attested header's fork", 0);
	}
	*ssz = view;
	*bytes = dr_bytes_of(r.cur, r.left);
	return DR_OK;
}

enum dr_err dr_lc_check_fork(const struct dr_network *net, enum dr_beacon_fork claimed, uint64_t slot,
			     struct dr_fail *fail)
{
	enum dr_beacon_fork fork;
	enum dr_err err = dr_network_fork_at(&fork, net, slot, fail);

	if (err == DR_OK)
		err = has_light_client(fork, fail);
	if (err == DR_OK && fork != claimed)
		err = dr_fail_set(fail, DR_ERR_PROOF, "the version is not that of the attested header's slot", 0);
	return err;
}

void dr_lc_header_root(uint8_t root[static 32], const struct dr_lc_header *header)
{
	dr_ssz_root(root, &dr_lc_beacon_type, (struct dr_ssz_shape){ DR_BEACON_PHASE0, 0 }, &header->beacon);
}

static void execution_root(uint8_t root[static 32], enum dr_beacon_fork fork, const struct dr_lc_header *header)
{
	memset(root, 0, 32);
	if (fork >= DR_BEACON_CAPELLA)
		dr_ssz_root(root, &dr_lc_execution_type, (struct dr_ssz_shape){ fork, 0 }, &header->execution);
}

enum dr_err dr_lc_execution_root(uint8_t root[static 32], const struct dr_network *net,
				 const struct dr_lc_header *header, struct dr_fail *fail)
{
	enum dr_beacon_fork fork;
	const enum dr_err err = dr_network_fork_at(&fork, net, header->beacon.slot, fail);

	memset(root, 0, 32);
	if (err == DR_OK)
		execution_root(root, fork, header);
	return err;
}

enum dr_err dr_lc_header_check(const struct dr_network *net, const struct dr_lc_header *header, enum dr_lc_role role,
			       struct dr_fail *fail)
{
	static const struct {
		const char *early, *blobs, *branch;
	} words[] = {
		[DR_LC_CHECKPOINT] = { "the checkpoint's header has an execution payload before Capella",
				       "the checkpoint's header has blob fields before Deneb",
				       "the checkpoint's execution payload is not in its body" },
		[DR_LC_ATTESTED] = { "the attested header has an execution payload before Capella",
				     "the attested header has blob fields before Deneb",
				     "the attested header's execution payload is not in its body" },
		[DR_LC_FINALIZED] = { "the finalized header has an execution payload before Capella",
				      "the finalized header has blob fields before Deneb",
				      "the finalized header's execution payload is not in its body" },
	};
	const struct dr_ssz_branch *branch = &header->execution_branch;
	const struct dr_ssz_shape all = { DR_BEACON_FULU, 0 };
	enum dr_beacon_fork fork;
	uint8_t root[32];
	const enum dr_err err = dr_network_fork_at(&fork, net, header->beacon.slot, fail);

	if (err != DR_OK)
		return err;
	if (fork < DR_BEACON_CAPELLA) {
		if (!dr_ssz_is_default(&dr_lc_execution_type, all, &header->execution) ||
		    !dr_bytes_zero(branch->nodes, sizeof(branch->nodes)))
			return dr_fail_set(fail, DR_ERR_PROOF, words[role].early, 0);
		return DR_OK;
	}
	if (fork < DR_BEACON_DENEB &&
	    (header->execution.blob_gas_used != 0 || header->execution.excess_blob_gas != 0))
		return dr_fail_set(fail, DR_ERR_PROOF, words[role].blobs, 0);
	execution_root(root, fork, header);
	if (!dr_ssz_branch_proves(root, branch, DR_LC_EXECUTION_GINDEX, header->beacon.body_root))
		return dr_fail_set(fail, DR_ERR_PROOF, words[role].branch, 0);
	return DR_OK;
}

uint64_t dr_lc_finalized_gindex(enum dr_beacon_fork fork)
{
	return fork < DR_BEACON_ELECTRA ? 105 : 169;
}

uint64_t dr_lc_current_committee_gindex(enum dr_beacon_fork fork)
{
	return fork < DR_BEACON_ELECTRA ? 54 : 86;
}

uint64_t dr_lc_next_committee_gindex(enum dr_beacon_fork fork)
{
	return fork < DR_BEACON_ELECTRA ? 55 : 87;
}

bool dr_lc_is_final(const struct dr_lc_update *update)
{
	return !dr_bytes_zero(update->finality_branch.nodes, sizeof(update->finality_branch.nodes));
}

bool dr_lc_is_committee(const struct dr_lc_update *update)
{
	return !dr_bytes_zero(update->next_committee_branch.nodes, sizeof(update->next_committee_branch.nodes));
}

uint32_t dr_lc_participation(const struct dr_lc_aggregate *aggregate)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(aggregate->bits); i++)
		for (unsigned bit = 0; bit < 8; bit++)
			sum += aggregate->bits[i] >> bit & 1;
	return sum;
}
