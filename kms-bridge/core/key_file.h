/* SPDX-License-Identifier: Apache-2.0
 *
 * key_file: the file with the sealing key: the key itself, or the key wrapped under a passphrase.
 *
 *   raw     = key 32
 *   wrapped = "derotkey" · u8 version (1) · u32 memory, MiB · u32 passes · salt 16 · nonce 24 ·
 *             XChaCha20-Poly1305-IETF(key 32) · tag 16
 *             under Argon2id(passphrase, salt); everything before the nonce is associated data; big-endian
 *
 * The file and that of the passphrase (1 to 1024 bytes; one newline at the end does not count) must be plain files of
 * this user that nobody else may read: not a link, mode 0600 or less.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_KEY_FILE_H
#define DR_CORE_KEY_FILE_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/crypto/argon2.h"

#define DR_KEY_FILE_RAW_LEN     32u
#define DR_KEY_FILE_HEADER_LEN  (8u + 1 + 4 + 4 + DR_ARGON2_SALT_LEN)
#define DR_KEY_FILE_WRAPPED_LEN (DR_KEY_FILE_HEADER_LEN + 24 + 32 + 16)
#define DR_PASSPHRASE_MAX       1024u

struct dr_key_file {
	bool wrapped;
	/* The rest: of a wrapped one, else zero. */
	uint32_t memory_mib, passes;
	uint8_t salt[DR_ARGON2_SALT_LEN], nonce[24], sealed[32 + 16];
	uint8_t key[DR_KEY_FILE_RAW_LEN]; /* of a raw one: secret */
};

/* dr_key_file_decode: *out holds a secret if the file is raw: wipe it. DR_ERR_SYNTAX (neither 32 bytes nor a whole
 * wrapped key), DR_ERR_UNKNOWN (version), DR_ERR_LIMIT (memory, passes). */
enum dr_err dr_key_file_decode(struct dr_key_file *out, struct dr_bytes bytes, struct dr_fail *fail);

/* dr_key_file_make: a random key in a new file of mode 0600, wrapped if there is a passphrase file (NULL or "":
 * none); memory_mib 0 is DR_ARGON2_MIB_DEFAULT. DR_ERR_IO (also if something is there already), DR_ERR_LIMIT (memory,
 * or the passphrase's length), DR_ERR_NOMEM. Nothing is left behind on failure, and a
 * process that dies meanwhile leaves the whole file or none (and, of another name, path + ".part"). */
enum dr_err dr_key_file_make(const char *path, const char *passphrase_file, uint32_t memory_mib,
			     struct dr_fail *fail);

/* dr_key_file_sync: the names in the folder that path lies in are durable. False: errno says why. */
bool dr_key_file_sync(const char *path);

/* dr_key_file_read: the key; *memory_mib, which may be NULL, is what unwrapping it took, 0 if it is raw. DR_ERR_IO
 * (absent, a link, not ours, readable by others, not readable by us; raw where a passphrase file is given, wrapped
 * where none is), DR_ERR_PROOF (another passphrase, or changed), and as decode and make. Secret: key. */
enum dr_err dr_key_file_read(uint8_t key[static DR_KEY_FILE_RAW_LEN], uint32_t *memory_mib, const char *path,
			     const char *passphrase_file, struct dr_fail *fail);

#endif
