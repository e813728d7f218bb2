/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/base/err.h"

#include <stdio.h>
#include <stdlib.h>

enum dr_err dr_fail_set(struct dr_fail *fail, enum dr_err err, const char *what, size_t at)
{
	DR_ASSERT(err != DR_OK);
	if (fail->err == DR_OK) {
		fail->err = err;
		fail->what = what;
		fail->at = at;
	}
	return fail->err;
}

const char *dr_err_name(enum dr_err err)
{
	switch (err) {
	case DR_OK: return "ok";
	case DR_ERR_SHORT: return "short";
	case DR_ERR_SYNTAX: return "syntax";
	case DR_ERR_NONCANONICAL: return "noncanonical";
	case DR_ERR_LIMIT: return "limit";
	case DR_ERR_UNKNOWN: return "unknown";
	case DR_ERR_PROOF: return "proof";
	case DR_ERR_STALE: return "stale";
	case DR_ERR_IO: return "io";
	case DR_ERR_NOMEM: return "nomem";
	}
	return "bug";
}

_Noreturn void dr_bug(const char *claim, const char *file, int line)
{
	fprintf(stderr, "derot: bug: %s does not hold at %s:%d\n", claim, file, line);
	abort();
}
