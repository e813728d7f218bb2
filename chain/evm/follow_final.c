/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "chain/evm/follow_impl.h"

bool dr_follow_cursor(const struct dr_follow *f, uint64_t *number, uint8_t hash[static 32])
{
	*number = f->has_cursor ? f->base_number : 0;
	memset(hash, 0, 32);
	if (f->has_cursor)
		memcpy(hash, f->base_hash, 32);
	return f->has_cursor;
}

bool dr_follow_target(const struct dr_follow *f, uint64_t *number, uint8_t hash[static 32])
{
	*number = f->target.number;
	memcpy(hash, f->target.hash, 32);
	return f->target.set;
}

bool dr_follow_final(const struct dr_follow *f, uint64_t number, uint8_t hash[static 32], enum dr_proof *proof)
{
	const struct past *p = f->halted || f->unconfirmed ? NULL : past_at(f, number);

	memset(hash, 0, 32);
	*proof = p != NULL ? f->config.finality.proof : DR_PROOF_NONE;
	if (p != NULL)
		memcpy(hash, p->hash, 32);
	return p != NULL;
}
