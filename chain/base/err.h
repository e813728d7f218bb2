/* SPDX-License-Identifier: Apache-2.0
 *
 * err: the three kinds of "no" that this project tells apart.
 *
 *   a bug        DR_ASSERT: stops the process, on in release. Foreign bytes never reach one.
 *   an error     enum dr_err: an operation that could not be carried out. The first failure of a
 *                chain of calls is kept in a struct dr_fail.
 *   a refusal    enum dr_verdict: an answer to "may I?". DENY is zero: zeroed memory denies.
 *
 * Conventions for every public function of the project, said once:
 *   - A function that can fail returns enum dr_err and takes a `struct dr_fail *fail` last. `fail` is
 *     never NULL; it is written only on failure, and only if it does not already hold one.
 *   - Outputs are filled on success and zeroed on failure.
 *   - Pointers are never NULL unless the header says so.
 *
 * Layer: chain/base. Includes nothing of the project.
 */
#ifndef DR_BASE_ERR_H
#define DR_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

enum dr_err {
	DR_OK = 0,
	DR_ERR_SHORT,        /* input ends before the thing it announces */
	DR_ERR_SYNTAX,       /* not of this form at all */
	DR_ERR_NONCANONICAL, /* of this form, but not in its one permitted encoding */
	DR_ERR_LIMIT,        /* larger, deeper or more than limits.h permits */
	DR_ERR_UNKNOWN,      /* a fork, type, version or code that this build does not know */
	DR_ERR_PROOF,        /* well formed, and false */
	DR_ERR_STALE,        /* true once, too old to rely on */
	DR_ERR_IO,           /* the operating system said no */
	DR_ERR_NOMEM,        /* memory or a capped arena is exhausted */
};

enum dr_verdict {
	DR_DENY = 0,
	DR_ALLOW = 1,
};

struct dr_fail {
	enum dr_err err;
	const char *what; /* static text: what was checked and what was expected */
	size_t at;        /* where: a byte offset or an index, as `what` says; 0 if neither applies */
};

/* dr_fail_set: records (err, what, at) in *fail unless *fail already holds a failure. `what` must live
 * for ever (a literal). Returns the error that *fail now holds, so that `return dr_fail_set(…)` reads
 * well. err must not be DR_OK. */
enum dr_err dr_fail_set(struct dr_fail *fail, enum dr_err err, const char *what, size_t at);

/* dr_err_name: the stable lower-case code of err ("short", "proof", …), for messages and JSON. */
const char *dr_err_name(enum dr_err err);

/* dr_bug: prints what was asserted and where to standard error, and aborts. */
_Noreturn void dr_bug(const char *claim, const char *file, int line);

#define DR_ASSERT(claim) ((claim) ? (void)0 : dr_bug(#claim, __FILE__, __LINE__))

#endif
