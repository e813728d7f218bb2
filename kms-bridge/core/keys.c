/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/base/writer.h"
#include "chain/crypto/aead.h"
#include "chain/crypto/ed25519.h"
#include "chain/crypto/hkdf.h"
#include "chain/crypto/ristretto.h"
#include "chain/crypto/secret.h"
#include "chain/crypto/voprf.h"

#define SEAL_VERSION   1u
#define ASSOCIATED_LEN (13u + 8 + 32 + 20 + 1 + 32 + 8)
#define SECRET_LEN     64u /* prf scalar ‖ signing seed */

struct root {
	uint64_t generation;
	uint8_t prf[32], prf_pub[32];
	uint8_t sig[64], sig_pub[32]; /* sig: seed ‖ public half, as ed25519.h has it */
};

struct dr_keys {
	struct dr_keys_binding binding;
	uint8_t sealing[DR_AEAD_KEY_LEN];
	size_t num;
	struct root roots[DR_KEYS_ROOTS_MAX];
};

enum dr_err dr_keys_harden(struct dr_fail *fail)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return dr_fail_set(fail, DR_ERR_IO, "keys: core dumps could not be forbidden", (size_t)errno);
	return DR_OK;
}

static bool write_all(int fd, const uint8_t *ptr, size_t len)
{
	while (len > 0) {
		const ssize_t num = write(fd, ptr, len);

		if (num <= 0 && !(num < 0 && errno == EINTR))
			return false;
		if (num > 0) {
			ptr += num;
			len -= (size_t)num;
		}
	}
	return true;
}

enum dr_err dr_keys_file_make(const char *path, struct dr_fail *fail)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	uint8_t key[DR_AEAD_KEY_LEN];

	if (fd < 0)
		return dr_fail_set(fail, DR_ERR_IO,
				   errno == EEXIST ? "key file: something is already there"
						   : "key file: could not be made",
				   (size_t)errno);
	dr_secret_random(key, sizeof(key));
	const bool done = fchmod(fd, 0600) == 0 && write_all(fd, key, sizeof(key)) && fsync(fd) == 0;

	dr_secret_wipe(key, sizeof(key));
	if (close(fd) == 0 && done)
		return DR_OK;
	unlink(path);
	return dr_fail_set(fail, DR_ERR_IO, "key file: could not be written", (size_t)errno);
}

static enum dr_err read_key(uint8_t key[static DR_AEAD_KEY_LEN], const char *path, struct dr_fail *fail)
{
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t len = 0;

	if (fd < 0)
		return dr_fail_set(fail, DR_ERR_IO,
				   errno == ENOENT  ? "key file: there is none"
				   : errno == ELOOP ? "key file: a link is not followed"
						    : "key file: could not be opened",
				   (size_t)errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		dr_fail_set(fail, DR_ERR_IO, "key file: not a plain file", 0);
	else if (st.st_uid != geteuid())
		dr_fail_set(fail, DR_ERR_IO, "key file: belongs to another user", st.st_uid);
	else if ((st.st_mode & 077) != 0)
		dr_fail_set(fail, DR_ERR_IO, "key file: others than its owner have rights on it (expected mode 0600)",
			    st.st_mode & 07777);
	else if (st.st_size != DR_AEAD_KEY_LEN)
		dr_fail_set(fail, DR_ERR_IO, "key file: expected 32 bytes", (size_t)st.st_size);
	while (fail->err == DR_OK && len < DR_AEAD_KEY_LEN) {
		const ssize_t num = read(fd, key + len, DR_AEAD_KEY_LEN - len);

		if (num > 0)
			len += (size_t)num;
		else if (num == 0 || errno != EINTR)
			dr_fail_set(fail, DR_ERR_IO, "key file: could not be read", 0);
	}
	close(fd);
	return fail->err;
}

struct dr_keys *dr_keys_new(const char *key_file, const struct dr_keys_binding *binding, struct dr_fail *fail)
{
	struct dr_keys *k = dr_secret_alloc(sizeof(*k));
	struct dr_fail own = { 0 };

	if (k == NULL) {
		dr_fail_set(fail, DR_ERR_NOMEM, "keys: no locked memory", sizeof(*k));
		return NULL;
	}
	k->binding = *binding;
	if (read_key(k->sealing, key_file, &own) == DR_OK)
		return k;
	dr_fail_set(fail, own.err, own.what, own.at);
	dr_keys_free(k);
	return NULL;
}

void dr_keys_free(struct dr_keys *k)
{
	dr_secret_free(k);
}

static const struct root *held(const struct dr_keys *k, uint64_t generation)
{
	for (size_t i = 0; i < k->num; i++)
		if (k->roots[i].generation == generation)
			return &k->roots[i];
	return NULL;
}

bool dr_keys_held(const struct dr_keys *k, uint64_t generation)
{
	return held(k, generation) != NULL;
}

uint64_t dr_keys_newest(const struct dr_keys *k)
{
	uint64_t newest = 0;

	for (size_t i = 0; i < k->num; i++)
		if (k->roots[i].generation > newest)
			newest = k->roots[i].generation;
	return newest;
}

bool dr_keys_equal(const struct dr_keys *k, uint64_t generation, const uint8_t prf_pub[static 32],
		   const uint8_t sig_pub[static 32])
{
	const struct root *r = held(k, generation);

	return r != NULL && memcmp(r->prf_pub, prf_pub, 32) == 0 && memcmp(r->sig_pub, sig_pub, 32) == 0;
}

static void associated(uint8_t out[static ASSOCIATED_LEN], const struct dr_keys_binding *b, uint64_t generation)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, out, ASSOCIATED_LEN, &fail);
	dr_writer_copy(&w, "derot-seal-v1", 13);
	dr_writer_u64(&w, b->chain_id);
	dr_writer_copy(&w, b->genesis, 32);
	dr_writer_copy(&w, b->contract, 20);
	dr_writer_u8(&w, b->proof);
	dr_writer_copy(&w, b->profile, 32);
	dr_writer_u64(&w, generation);
	DR_ASSERT(fail.err == DR_OK && w.len == ASSOCIATED_LEN);
}

/* The next free place, or NULL with *fail. */
static struct root *place(struct dr_keys *k, uint64_t generation, struct dr_fail *fail)
{
	if (generation == 0 || k->num == DR_KEYS_ROOTS_MAX) {
		dr_fail_set(fail, DR_ERR_LIMIT, "keys: number of a generation (>= 1), or too many held", k->num);
		return NULL;
	}
	if (held(k, generation) != NULL) {
		dr_fail_set(fail, DR_ERR_PROOF, "keys: a root of this generation is already held", 0);
		return NULL;
	}
	return &k->roots[k->num];
}

enum dr_err dr_keys_make(struct dr_keys *k, uint64_t generation, uint8_t sealed[static DR_KEYS_SEALED_LEN],
			 struct dr_fail *fail)
{
	uint8_t secret[SECRET_LEN], seed[32], bytes[ASSOCIATED_LEN];
	struct root *r = place(k, generation, fail);

	memset(sealed, 0, DR_KEYS_SEALED_LEN);
	if (r == NULL)
		return fail->err;
	dr_secret_random(seed, sizeof(seed));
	const enum dr_err err = dr_voprf_derive(r->prf, r->prf_pub, seed, dr_bytes_of("derot-root-v1", 13), fail);

	if (err == DR_OK) {
		/* RFC 8032's secret is the seed; the scalar comes out of it. */
		dr_secret_random(seed, sizeof(seed));
		dr_ed25519_keypair(r->sig_pub, r->sig, seed);
		memcpy(secret, r->prf, 32);
		memcpy(secret + 32, seed, 32);
		associated(bytes, &k->binding, generation);
		sealed[0] = SEAL_VERSION;
		dr_secret_random(sealed + 1, DR_AEAD_NONCE_LEN);
		dr_aead_seal(sealed + 1 + DR_AEAD_NONCE_LEN, dr_bytes_of(secret, sizeof(secret)),
			     dr_bytes_of(bytes, sizeof(bytes)), sealed + 1, k->sealing);
		r->generation = generation;
		k->num++;
	}
	dr_secret_wipe(seed, sizeof(seed));
	dr_secret_wipe(secret, sizeof(secret));
	return err;
}

enum dr_err dr_keys_open(struct dr_keys *k, uint64_t generation, struct dr_bytes sealed, struct dr_fail *fail)
{
	uint8_t secret[SECRET_LEN], bytes[ASSOCIATED_LEN];
	struct dr_fail own = { 0 };
	struct root *r = place(k, generation, fail);

	if (r == NULL)
		return fail->err;
	if (sealed.len != DR_KEYS_SEALED_LEN)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "sealed root: expected 105 bytes", sealed.len);
	if (sealed.ptr[0] != SEAL_VERSION)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "sealed root: version", sealed.ptr[0]);
	associated(bytes, &k->binding, generation);
	const size_t at = 1 + DR_AEAD_NONCE_LEN;

	if (dr_aead_open(secret, dr_bytes_of(sealed.ptr + at, sealed.len - at), dr_bytes_of(bytes, sizeof(bytes)),
			 sealed.ptr + 1, k->sealing, &own) != DR_OK) {
		dr_fail_set(fail, own.err,
			    "sealed root: it does not open: another key file, or sealed for another chain, contract, "
			    "proof, profile or generation, or changed",
			    0);
	} else if (dr_voprf_public(r->prf_pub, secret, fail) == DR_OK) {
		memcpy(r->prf, secret, 32);
		dr_ed25519_keypair(r->sig_pub, r->sig, secret + 32);
		r->generation = generation;
		k->num++;
	}
	dr_secret_wipe(secret, sizeof(secret));
	return fail->err;
}

enum dr_err dr_keys_publication(const struct dr_keys *k, uint64_t generation, const uint8_t *prev_pub,
				uint8_t words[static 10][32], struct dr_fail *fail)
{
	const struct root *r = held(k, generation), *prev = held(k, generation - 1);
	uint8_t bytes[DR_ROOT_CONTEXT_LEN], sig[64];
	struct dr_root_claim claim = { .chain_id = k->binding.chain_id, .generation = generation };

	memset(words, 0, 10 * 32);
	DR_ASSERT(r != NULL);
	memcpy(claim.genesis, k->binding.genesis, 32);
	memcpy(claim.contract, k->binding.contract, 20);
	memcpy(claim.node, k->binding.node, 20);
	dr_root_scheme(claim.scheme);
	memcpy(claim.prf_pub, r->prf_pub, 32);
	memcpy(claim.sig_pub, r->sig_pub, 32);
	dr_root_context(bytes, &claim);
	const struct dr_bytes context = dr_bytes_of(bytes, sizeof(bytes));

	if (dr_voprf_possess_prove(words[2], words[3], r->prf, context, fail) != DR_OK) {
		memset(words, 0, 10 * 32);
		return fail->err;
	}
	memcpy(words[0], claim.scheme, 32);
	memcpy(words[1], claim.prf_pub, 32);
	memcpy(words[4], claim.sig_pub, 32);
	dr_ed25519_sign(sig, context, r->sig);
	memcpy(words[5], sig, 32);      /* R */
	memcpy(words[6], sig + 32, 32); /* S */
	memcpy(words[7], claim.quote, 32);
	if (prev_pub != NULL && prev != NULL && memcmp(prev->sig_pub, prev_pub, 32) == 0) {
		dr_ed25519_sign(sig, context, prev->sig);
		memcpy(words[8], sig, 32);
		memcpy(words[9], sig + 32, 32);
	}
	return DR_OK;
}

static void field(struct dr_writer *w, const void *ptr, size_t len)
{
	dr_writer_u16(w, (uint16_t)len);
	dr_writer_copy(w, ptr, len);
}

static void field_u64(struct dr_writer *w, uint64_t value)
{
	uint8_t be[8];

	dr_be64_put(be, value);
	field(w, be, sizeof(be));
}

enum dr_err dr_keys_derive(const struct dr_keys *k, uint8_t key[static DR_KEYS_LEN],
			   const struct dr_decision *decision, const struct dr_request *request, struct dr_fail *fail)
{
	const struct root *r = held(k, decision->generation);
	const char *purpose = dr_purpose_name((enum dr_purpose)request->purpose);
	uint8_t input[512], output[64], info[64];
	struct dr_fail own = { 0 };
	struct dr_writer w, i;

	DR_ASSERT(decision->verdict == DR_ALLOW);
	DR_ASSERT(request->purpose >= DR_PURPOSE_SEAL && request->purpose <= DR_PURPOSE_CONTRACT);
	memset(key, 0, DR_KEYS_LEN);
	if (r == NULL)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "keys: no root of this generation is held here", 0);
	dr_writer_init(&w, input, sizeof(input), &own);
	field(&w, "derot-kdf-v1", 12);
	field_u64(&w, k->binding.chain_id);
	field(&w, k->binding.genesis, 32);
	field(&w, k->binding.contract, 20);
	field_u64(&w, decision->generation);
	field(&w, decision->deployer, 20);
	field(&w, decision->app_hash, 32);
	field(&w, decision->nonce, 32);
	field(&w, purpose, strlen(purpose));
	field(&w, request->service, 32);
	field_u64(&w, decision->epoch);
	dr_writer_init(&i, info, sizeof(info), &own);
	dr_writer_copy(&i, "derot-key-v1", 12);
	dr_writer_copy(&i, purpose, strlen(purpose));
	DR_ASSERT(own.err == DR_OK);
	if (dr_voprf_evaluate(output, r->prf, dr_bytes_of(input, w.len), &own) != DR_OK ||
	    dr_hkdf_sha512(key, DR_KEYS_LEN, dr_bytes_of(output, sizeof(output)), dr_bytes_of(NULL, 0),
			   dr_bytes_of(info, i.len), &own) != DR_OK) {
		memset(key, 0, DR_KEYS_LEN);
		dr_fail_set(fail, own.err, own.what, own.at);
	}
	dr_secret_wipe(output, sizeof(output));
	return own.err;
}
