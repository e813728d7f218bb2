/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/store_impl.h"

#include <string.h>

#include "chain/crypto/sha256.h"

enum dr_err dr_store_root_get(struct dr_store *s, uint64_t generation, uint8_t *buf, size_t cap, size_t *len,
			      struct dr_fail *fail)
{
	sqlite3_stmt *row = s->sql[DR_SQL_ROOT_GET];
	enum dr_err err = DR_OK;

	*len = 0;
	memset(buf, 0, cap);
	if (generation > INT64_MAX)
		return DR_OK;
	dr_store_bind_u64(s, DR_SQL_ROOT_GET, 1, generation);
	const int code = sqlite3_step(row);

	if (code == SQLITE_ROW) {
		const struct dr_bytes value = dr_store_column(row, 0);

		if (value.len == 0 || value.len > cap) {
			err = dr_fail_set(fail, DR_ERR_PROOF, "store: length of a sealed root", value.len);
		} else {
			memcpy(buf, value.ptr, value.len);
			*len = value.len;
		}
	} else if (code != SQLITE_DONE) {
		err = dr_store_failed(s, "store: a sealed root could not be read", fail);
	}
	sqlite3_reset(row);
	return err;
}

enum dr_err dr_store_root_put(struct dr_store *s, uint64_t generation, struct dr_bytes sealed, struct dr_fail *fail)
{
	uint8_t there[DR_STORE_SEALED_MAX];
	size_t len;

	DR_ASSERT(sealed.len > 0 && sealed.len <= DR_STORE_SEALED_MAX);
	if (generation > INT64_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "store: number of a root generation", 0);
	if (dr_store_root_get(s, generation, there, sizeof(there), &len, fail) != DR_OK)
		return fail->err;
	if (len != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "store: a root of this generation is already there", 0);
	if (dr_store_begin(s, fail) != DR_OK)
		return fail->err;
	dr_store_bind_u64(s, DR_SQL_ROOT_PUT, 1, generation);
	dr_store_bind(s, DR_SQL_ROOT_PUT, 2, sealed);
	return dr_store_run(s, DR_SQL_ROOT_PUT, "store: a sealed root could not be written", fail);
}

enum dr_err dr_store_root_replace(struct dr_store *s, uint64_t generation, struct dr_bytes sealed,
				  struct dr_fail *fail)
{
	DR_ASSERT(sealed.len > 0 && sealed.len <= DR_STORE_SEALED_MAX);
	if (generation > INT64_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "store: number of a root generation", 0);
	if (dr_store_begin(s, fail) != DR_OK)
		return fail->err;
	dr_store_bind_u64(s, DR_SQL_ROOT_REPLACE, 1, generation);
	dr_store_bind(s, DR_SQL_ROOT_REPLACE, 2, sealed);
	if (dr_store_run(s, DR_SQL_ROOT_REPLACE, "store: a sealed root could not be written", fail) != DR_OK)
		return fail->err;
	if (sqlite3_changes(s->db) != 1)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "store: there is no sealed root of this generation", 0);
	s->scrub = true;
	return DR_OK;
}

enum dr_err dr_store_root_del(struct dr_store *s, uint64_t generation, struct dr_fail *fail)
{
	if (generation > INT64_MAX)
		return DR_OK;
	if (dr_store_begin(s, fail) != DR_OK)
		return fail->err;
	dr_store_bind_u64(s, DR_SQL_ROOT_DEL, 1, generation);
	if (dr_store_run(s, DR_SQL_ROOT_DEL, "store: a sealed root could not be deleted", fail) != DR_OK)
		return fail->err;
	s->scrub = true;
	return DR_OK;
}

enum dr_err dr_store_root_next(struct dr_store *s, uint64_t after, uint64_t *generation, struct dr_fail *fail)
{
	sqlite3_stmt *row = s->sql[DR_SQL_ROOT_NEXT];
	enum dr_err err = DR_OK;

	*generation = 0;
	if (after > INT64_MAX)
		return DR_OK;
	dr_store_bind_u64(s, DR_SQL_ROOT_NEXT, 1, after);
	const int code = sqlite3_step(row);

	if (code == SQLITE_ROW)
		*generation = (uint64_t)sqlite3_column_int64(row, 0);
	else if (code != SQLITE_DONE)
		err = dr_store_failed(s, "store: the sealed roots could not be listed", fail);
	sqlite3_reset(row);
	return err;
}

enum dr_err dr_store_certificate_add(struct dr_store *s, uint64_t generation, const uint8_t app[static 32],
				     struct dr_bytes der, struct dr_fail *fail)
{
	uint8_t sum[32];

	DR_ASSERT(der.len > 0 && der.len <= DR_RUN_MAX);
	if (generation > INT64_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "store: number of a root generation", 0);
	if (dr_store_begin(s, fail) != DR_OK)
		return fail->err;
	dr_sha256(sum, &der, 1);
	dr_store_bind_u64(s, DR_SQL_CERTIFICATE_ADD, 1, generation);
	dr_store_bind(s, DR_SQL_CERTIFICATE_ADD, 2, dr_bytes_of(app, 32));
	dr_store_bind(s, DR_SQL_CERTIFICATE_ADD, 3, dr_bytes_of(sum, 32));
	dr_store_bind(s, DR_SQL_CERTIFICATE_ADD, 4, der);
	return dr_store_run(s, DR_SQL_CERTIFICATE_ADD, "store: a certificate could not be written", fail);
}

enum dr_err dr_store_certificates(struct dr_store *s, uint64_t generation, const uint8_t app[static 32],
				  enum dr_err (*each)(void *ctx, struct dr_bytes der), void *ctx,
				  struct dr_fail *fail)
{
	sqlite3_stmt *row = s->sql[DR_SQL_CERTIFICATES];
	enum dr_err err = DR_OK;
	int code = SQLITE_DONE;

	if (generation > INT64_MAX)
		return DR_OK;
	dr_store_bind_u64(s, DR_SQL_CERTIFICATES, 1, generation);
	dr_store_bind(s, DR_SQL_CERTIFICATES, 2, dr_bytes_of(app, 32));
	dr_store_bind_u64(s, DR_SQL_CERTIFICATES, 3, DR_STORE_CERTIFICATES_MAX);
	while (err == DR_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
		const struct dr_bytes der = dr_store_column(row, 1);
		uint8_t sum[32];

		dr_sha256(sum, &der, 1);
		if (!dr_bytes_eq(dr_store_column(row, 0), dr_bytes_of(sum, 32)) || der.len > DR_RUN_MAX) {
			err = dr_store_say(s, fail, DR_ERR_PROOF, "store: a certificate was changed",
					   "store: a certificate of generation %llu was changed",
					   (unsigned long long)generation);
			break;
		}
		err = each(ctx, der);
		if (err != DR_OK)
			dr_fail_set(fail, err, "store: a certificate was not taken", 0);
	}
	if (err == DR_OK && code != SQLITE_DONE)
		err = dr_store_failed(s, "store: the certificates could not be read", fail);
	sqlite3_reset(row);
	sqlite3_clear_bindings(row);
	return err;
}
