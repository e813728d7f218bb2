/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_proto: the first byte picks a payload type (or a note), the rest is the payload. What decodes must
 * encode to the same bytes. 0xff: the input is a stream of messages.
 */
#include "kms-bridge/proto.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/kms-bridge/payloads.h"

#define WRAP(name)                                                                                                   \
	static void try_##name(struct dr_bytes in)                                                                   \
	{                                                                                                            \
		static struct dr_##name m;                                                                           \
		struct dr_fail fail = { 0 };                                                                         \
		struct dr_buf buf;                                                                                   \
                                                                                                                     \
		if (dr_##name##_get(&m, in, &fail) != DR_OK) {                                                       \
			DR_ASSERT(fail.err != DR_OK && fuzz_zero(&m, sizeof(m)));                                    \
			return;                                                                                      \
		}                                                                                                    \
		dr_buf_init(&buf, 1u << 20);                                                                         \
		DR_ASSERT(dr_##name##_put(&buf, 1, &m, &fail) == DR_OK);                                             \
		DR_ASSERT(buf.len == in.len + 6 && memcmp(buf.ptr + 6, in.ptr, in.len) == 0);                        \
		dr_buf_free(&buf);                                                                                   \
	}
PAYLOADS(WRAP)

static void try_note(struct dr_bytes in)
{
	static struct dr_note n;
	struct dr_fail fail = { 0 };
	uint8_t leaf[DR_NOTE_LEN_MAX];
	size_t len;

	if (dr_note_decode(&n, in, &fail) != DR_OK) {
		DR_ASSERT(fuzz_zero(&n, sizeof(n)));
		return;
	}
	DR_ASSERT(dr_note_encode(leaf, sizeof(leaf), &len, &n, &fail) == DR_OK);
	DR_ASSERT(len == in.len && memcmp(leaf, in.ptr, len) == 0);
}

/* A claim of before consensus is shorter than what is written now. */
static void try_init_any(struct dr_bytes in)
{
	static const uint8_t before[4] = { 0, 0, 0, 1 };
	static struct dr_init m;
	struct dr_fail fail = { 0 };

	if (in.len < 4 || memcmp(in.ptr, before, 4) != 0)
		try_init(in);
	else if (dr_init_get(&m, in, &fail) != DR_OK)
		DR_ASSERT(fuzz_zero(&m, sizeof(m)));
	else
		DR_ASSERT(m.version == DR_PROTO_VERSION && m.network.len == 0);
}

static void (*const tries[])(struct dr_bytes in) = {
	try_init_any,   try_ask,         try_entry,        try_audit_finding,     try_answer,
	try_want,       try_refusal,     try_unavailable,  try_endpoint_news,     try_log_query,
	try_key_answer, try_root_public, try_error,        try_status_report,     try_note,
	try_run,        try_node_public, try_parcel_query, try_certificate_query, try_proof_query,
	try_log_proof,  try_done,
};
#define NUM_TRIES (sizeof(tries) / sizeof(tries[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct dr_bytes rest = dr_bytes_of(data + 1, size - 1);

	if (data[0] < NUM_TRIES)
		tries[data[0]](rest);
	for (size_t used = 1; data[0] == 0xff && used > 0;) {
		struct dr_fail fail = { 0 };
		struct dr_bytes payload;
		uint16_t type;

		if (dr_msg_get(&type, &payload, &used, rest, &fail) != DR_OK)
			break;
		DR_ASSERT(used <= rest.len && payload.len <= used);
		tries[type % NUM_TRIES](payload);
		rest = dr_bytes_of(rest.ptr + used, rest.len - used);
	}
	return 0;
}
