/* SPDX-License-Identifier: Apache-2.0
 *
 * shim: faults for derot-core, by LD_PRELOAD: the nth call of a kind fails, or the process dies there as by kill -9,
 * or as by a loss of power: what was written and not synced is gone, and so are files whose folder was not synced.
 *
 * Whoever starts the core says what is to happen in a mapped file that DEROT_FAULT names, and reads there how often
 * each call was made. It is mapped before main(): a core that confines itself later needs no call for it that it
 * would not make anyway.
 */
#ifndef DR_TESTS_FAULTS_SHIM_H
#define DR_TESTS_FAULTS_SHIM_H

#include <stdint.h>

enum fault_call {
	FAULT_READ = 0, /* read, pread */
	FAULT_WRITE,    /* write: channels, and files that are written once */
	FAULT_PWRITE,   /* the database and its log */
	FAULT_SYNC,     /* fsync, fdatasync */
	FAULT_TRUNCATE,
	FAULT_OPEN,
	FAULT_CLOSE,
	FAULT_UNLINK,
	FAULT_RENAME,
	FAULT_MMAP,
	FAULT_MALLOC, /* malloc, calloc, realloc */
	FAULT_CALLS
};

enum fault_way {
	FAULT_NONE = 0,
	FAULT_FAIL,  /* fails with `error`; memory: NULL */
	FAULT_HALF,  /* writes: half of it is written, then the process dies */
	FAULT_DIE,   /* the process dies before the call */
	FAULT_LOSE,  /* and the power goes: nothing that was not synced is there afterwards */
	FAULT_SOME,  /* or some of it is, chosen by `seed`, in no order */
	FAULT_STALL, /* it takes FAULT_STALL_S, by every clock, and then it is done */
};

#define FAULT_STALL_S (UINT64_C(1) << 41) /* more than any lease */

#define FAULT_EXIT 99 /* exit code of a process that died here */

struct fault_plan {
	uint32_t call, way; /* enum fault_call, enum fault_way */
	uint64_t nth;       /* the first is 1 */
	uint32_t sticky;    /* FAIL: and every later one */
	int32_t error;
	uint64_t seed;
	volatile uint32_t
		now; /* set while the process runs: the next call of any kind is the one, `way` is not FAIL */
	volatile uint32_t lost; /* out: more was unsynced than the shim can remember: the run tells nothing */
	volatile uint32_t done; /* out: it happened */
	volatile uint64_t num[FAULT_CALLS]; /* out */
	char dir[512];                      /* of the data: where names relative to a folder lie */
};

#endif
