/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_core: what answers at data_dir/core.sock in tests of the command line: a child process with one root of known
 * secrets, true in everything but what `lie` says. Included by one test each.
 */
#ifndef DR_TESTS_FAKE_CORE_H
#define DR_TESTS_FAKE_CORE_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain/crypto/box.h"
#include "chain/crypto/voprf.h"
#include "kms-bridge/derivation.h"
#include "kms-bridge/proto.h"

enum fake_lie {
	FAKE_TRUE,
	FAKE_DENY,
	FAKE_NO_ROOT,       /* holds none */
	FAKE_PUBLISHED,     /* the root's keys are on chain */
	FAKE_NO_NONCE,      /* none drawn */
	FAKE_NO_NODE,       /* no keys of its own */
	FAKE_NO_PROOF,      /* a key without one */
	FAKE_OTHER_KEY,     /* not the proof's */
	FAKE_BAD_PROOF,     /* one bit of it */
	FAKE_OTHER_APP,     /* another version's key, proven */
	FAKE_NOT_PUBLISHED, /* of a root that is on no chain */
	FAKE_IN_THE_CLEAR,  /* in spite of a recipient */
	FAKE_OTHER_BOX,     /* sealed for another request */
	FAKE_SHORT_BOX,     /* true, and with something else in it */
	FAKE_HANGS_UP,
	FAKE_OTHER_ANSWER, /* READY, whatever was asked */
	FAKE_ERROR,        /* an error of its own, with a control character tried on us */
	FAKE_LATER,        /* an error: no such thing is there */
	FAKE_NOT_ISSUED,   /* no certificate of an application, the root's only */
	FAKE_TRAILING,     /* a byte too many */
};

#define FAKE_CHAIN_ID 31337
static const uint8_t fake_genesis[32] = { 1, 2, 3 }, fake_contract[20] = { 0x5f, 4 };
/* A scalar that is as good as any. */
static const uint8_t fake_prf[32] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 };

struct fake {
	pid_t pid;
	volatile int *lie; /* shared with the child */
};

static void fake_root(struct dr_root_public *root, enum fake_lie lie, uint64_t generation)
{
	struct dr_fail fail = { 0 };

	*root = (struct dr_root_public){ .generation = generation != 0 ? generation : 3 };
	for (size_t i = 0; i < 10; i++)
		memset(root->words[i], (int)i + 1, 32);
	dr_voprf_public(root->words[1], fake_prf, &fail);
	root->published_equal = lie == FAKE_PUBLISHED;
	if (lie == FAKE_NO_ROOT)
		*root = (struct dr_root_public){ 0 };
}

static void fake_key(struct dr_buf *out, enum fake_lie lie, struct dr_bytes encoded, struct dr_fail *fail)
{
	uint8_t input[DR_DERIVATION_INPUT_MAX], point[1][32], element[1][32], cs[64],
		encoded_proof[DR_DERIVATION_PROOF_LEN];
	uint8_t plain[DR_DERIVATION_KEY_LEN + DR_DERIVATION_PROOF_LEN], box[sizeof(plain) + DR_BOX_OVERHEAD];
	static const uint8_t one[32] = { 1 }, nonce[32] = { 77 };
	struct dr_derivation_proof proof = { .version = 1, .scheme = 1, .t = 1, .n = 1, .num = 1 };
	struct dr_key_answer answer = { .request_idx = 41, .development = true };
	struct dr_request r;
	size_t len;

	if (dr_request_decode(&r, encoded, fail) != DR_OK)
		return;
	if (lie == FAKE_DENY) {
		answer.decision.deny = DR_DENY_APP_NOTICE;
		snprintf(answer.reason, sizeof(answer.reason), "not yet");
		dr_key_answer_put(out, DR_MSG_KEY, &answer, fail);
		return;
	}
	answer.decision = (struct dr_decision){ .verdict = DR_ALLOW, .generation = 3, .epoch = 2 };
	memcpy(answer.decision.app_hash, r.has_from ? r.from : r.measurement, 32);
	answer.decision.app_hash[31] ^= lie == FAKE_OTHER_APP;
	dr_derivation_input(input, sizeof(input), &len, FAKE_CHAIN_ID, fake_genesis, fake_contract, &answer.decision,
			    &r, fail);
	dr_voprf_blind(point[0], dr_bytes_of(input, len), one, fail);
	dr_voprf_blind_evaluate(element[0], fake_prf, point[0], fail);
	dr_voprf_prove(cs, fake_prf, (const uint8_t(*)[32])point, (const uint8_t(*)[32])element, 1, nonce, fail);
	dr_derivation_key(answer.key, element[0], dr_bytes_of(input, len), (enum dr_purpose)r.purpose, r.contract,
			  fail);
	memcpy(proof.element, element[0], 32);
	proof.partials[0].idx = 1;
	memcpy(proof.partials[0].element, element[0], 32);
	memcpy(proof.partials[0].c, cs, 32);
	memcpy(proof.partials[0].s, cs + 32, 32);
	dr_derivation_proof_encode(encoded_proof, &proof);
	answer.key_len = DR_DERIVATION_KEY_LEN;
	answer.proof = dr_bytes_of(encoded_proof, lie == FAKE_NO_PROOF ? 0 : sizeof(encoded_proof));
	answer.key[0] ^= lie == FAKE_OTHER_KEY;
	encoded_proof[80] ^= lie == FAKE_BAD_PROOF;
	if (r.purpose == DR_PURPOSE_SIGN)
		answer.certificate = dr_bytes_of("not a certificate", 17);
	if (!dr_bytes_zero(r.recipient, 32) && lie != FAKE_IN_THE_CLEAR) {
		memcpy(plain, answer.key, DR_DERIVATION_KEY_LEN);
		memcpy(plain + DR_DERIVATION_KEY_LEN, encoded_proof, sizeof(encoded_proof));
		dr_box_seal(box, sizeof(box), &len, r.recipient, DR_BOX_ANSWER,
			    dr_bytes_of(encoded.ptr, encoded.len - (lie == FAKE_OTHER_BOX)),
			    dr_bytes_of(plain, sizeof(plain) - (lie == FAKE_SHORT_BOX)), fail);
		memset(answer.key, 0, sizeof(answer.key));
		answer.key_len = 0;
		answer.proof = (struct dr_bytes){ NULL, 0 };
		answer.box = dr_bytes_of(box, len);
	}
	dr_key_answer_put(out, DR_MSG_KEY, &answer, fail);
}

static void fake_node(struct dr_buf *out, enum fake_lie lie, struct dr_fail *fail)
{
	struct dr_node_public node = { .heartbeat = true, .nonce_ms = 99 };

	memset(node.enc_key, lie == FAKE_NO_NODE ? 0 : 0x11, 32);
	memset(node.sign_key, lie == FAKE_NO_NODE ? 0 : 0x22, 32);
	memset(node.nonce, lie == FAKE_NO_NONCE ? 0 : 0x33, 32);
	snprintf(node.name, sizeof(node.name), "derot/31337/0x5f/0xf3");
	dr_node_public_put(out, DR_MSG_NODE, &node, fail);
}

static void fake_done(struct dr_buf *out, const char *what, struct dr_fail *fail)
{
	struct dr_done done = { "" };

	snprintf(done.what, sizeof(done.what), "%s", what);
	dr_done_put(out, DR_MSG_DONE, &done, fail);
}

static void fake_error(struct dr_buf *out, enum dr_err err, const char *what, struct dr_fail *fail)
{
	struct dr_error error = { .err = (uint8_t)err };

	snprintf(error.what, sizeof(error.what), "%s", what);
	dr_error_put(out, DR_MSG_ERROR, &error, fail);
}

/* A parcel is, here, the query that it answers, many times over. */
static void fake_parcel(struct dr_buf *out, struct dr_bytes query, struct dr_fail *fail)
{
	static uint8_t bytes[28 * 1000];

	for (size_t i = 0; i < 1000; i++)
		memcpy(bytes + 28 * i, query.ptr, query.len);
	dr_run_put(out, DR_MSG_PARCEL, &(struct dr_run){ dr_bytes_of(bytes, sizeof(bytes)) }, fail);
}

static void fake_certificates(struct dr_buf *out, enum fake_lie lie, struct dr_bytes payload, struct dr_fail *fail)
{
	static const uint8_t end[40] = { 0 };
	struct dr_certificate_query q;

	if (dr_certificate_query_get(&q, payload, fail) != DR_OK)
		return;
	if (q.generation < 9)
		dr_run_put(out, DR_MSG_CERTIFICATE, &(struct dr_run){ dr_bytes_of("root", 4) }, fail);
	if (q.generation < 9 && q.has_app && lie != FAKE_NOT_ISSUED)
		dr_run_put(out, DR_MSG_CERTIFICATE, &(struct dr_run){ dr_bytes_of(q.app, 32) }, fail);
	dr_msg_put(out, DR_MSG_LOG_END, dr_bytes_of(end, sizeof(end)), fail);
}

/* One message's answer; false ends the connection. */
static bool fake_answer(struct dr_buf *out, enum fake_lie lie, uint16_t type, struct dr_bytes payload)
{
	static const uint8_t much[8] = { 0 };
	struct dr_fail fail = { 0 };
	struct dr_root_public root;
	struct dr_run run;

	if (lie == FAKE_HANGS_UP)
		return false;
	if (lie == FAKE_OTHER_ANSWER)
		return dr_msg_put(out, DR_MSG_READY, (struct dr_bytes){ NULL, 0 }, &fail) == DR_OK;
	if (lie == FAKE_ERROR) {
		fake_error(out, DR_ERR_PROOF, "the fake core will not", &fail);
		return true;
	}
	if (lie == FAKE_LATER) {
		fake_error(out, DR_ERR_UNKNOWN, "the fake core has none yet", &fail);
		return true;
	}
	if (lie == FAKE_TRAILING) {
		static const uint16_t answers[][2] = {
			{ DR_MSG_NODE_GET, DR_MSG_NODE },   { DR_MSG_ROOT_GET, DR_MSG_ROOT },
			{ DR_MSG_KEY_GET, DR_MSG_KEY },     { DR_MSG_PARCEL_GET, DR_MSG_PARCEL },
			{ DR_MSG_PARCEL_PUT, DR_MSG_DONE }, { DR_MSG_CERTIFICATE_GET, DR_MSG_CERTIFICATE },
			{ DR_MSG_RESEAL, DR_MSG_DONE },
		};

		for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
			if (answers[i][0] == type)
				dr_msg_put(out, answers[i][1], dr_bytes_of(much, sizeof(much)), &fail);
		return true;
	}
	switch (type) {
	case DR_MSG_NODE_GET: fake_node(out, lie, &fail); break;
	case DR_MSG_ROOT_GET:
		/* What keys are derived of is published, unless that is the lie. */
		fake_root(&root, lie, dr_be64_get(payload.ptr));
		if (lie != FAKE_NO_ROOT && lie != FAKE_NOT_PUBLISHED && dr_be64_get(payload.ptr) == 3)
			root.published_equal = true;
		dr_root_public_put(out, DR_MSG_ROOT, &root, &fail);
		break;
	case DR_MSG_KEY_GET: fake_key(out, lie, payload, &fail); break;
	case DR_MSG_PARCEL_GET: fake_parcel(out, payload, &fail); break;
	case DR_MSG_PARCEL_PUT:
		if (dr_run_get(&run, payload, &fail) != DR_OK || run.bytes.len != 28 * 1000)
			fake_error(out, DR_ERR_PROOF, "that is no parcel", &fail);
		else
			fake_done(out, "generation 3 is held here", &fail);
		break;
	case DR_MSG_CERTIFICATE_GET: fake_certificates(out, lie, payload, &fail); break;
	case DR_MSG_RESEAL: fake_done(out, "4 roots sealed anew", &fail); break;
	default: return false; /* any number may come */
	}
	return fail.err == DR_OK;
}

static void fake_serve(int fd, const volatile int *lie)
{
	struct dr_buf in, out;
	bool more = true;

	dr_buf_init(&in, DR_MSG_LEN_MAX * (size_t)2);
	dr_buf_init(&out, DR_MSG_LEN_MAX * (size_t)2);
	while (more) {
		struct dr_fail fail = { 0 };
		struct dr_bytes payload;
		uint16_t type;
		size_t used = 0;

		if (dr_msg_get(&type, &payload, &used, dr_buf_view(&in), &fail) != DR_OK)
			break;
		if (used > 0) {
			more = fake_answer(&out, (enum fake_lie) * lie, type, payload);
			for (size_t done = 0; done < out.len;) {
				const ssize_t put = send(fd, out.ptr + done, out.len - done, MSG_NOSIGNAL);

				if (put <= 0)
					break;
				done += (size_t)put;
			}
			out.len = 0;
			dr_buf_drop(&in, used);
			continue;
		}
		uint8_t *to = dr_buf_reserve(&in, 65536, &fail);
		const ssize_t got = to != NULL ? read(fd, to, 65536) : -1;

		if (got <= 0)
			break;
		in.len += (size_t)got;
	}
	dr_buf_free(&in);
	dr_buf_free(&out);
}

static struct fake fake_start(const char *data_dir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct fake f = { 0 };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/core.sock", data_dir);
	f.lie = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f.lie == MAP_FAILED || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 8) != 0)
		abort();
	f.pid = fork();
	if (f.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			const int client = accept(fd, NULL, NULL);

			if (client < 0)
				_exit(0);
			fake_serve(client, f.lie);
			close(client);
		}
	}
	close(fd);
	return f;
}

static void fake_stop(struct fake *f)
{
	kill(f->pid, SIGKILL);
	waitpid(f->pid, NULL, 0);
	munmap((void *)(uintptr_t)f->lie, sizeof(int));
}

#endif
