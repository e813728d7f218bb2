/* SPDX-License-Identifier: Apache-2.0
 *
 * machine: what derot-core runs on: its system calls, in memory. The linker hands the calls of the product's objects
 * to the functions of machine.c and machine_calls.c (--wrap, in the Makefile), so that the product is as it is;
 * whoever calls from outside the core gets the real ones.
 *
 * The core runs on a stack of its own until poll() finds nothing to do, or it ends, or it dies at an operation of the
 * disk. Its memory is counted, and what a dead one held is freed: nothing of it is left but the disk.
 */
#ifndef DR_TESTS_SIMULATE_MACHINE_H
#define DR_TESTS_SIMULATE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain/base/arena.h"

#define MACHINE_CLIENTS 4u
#define MACHINE_SERVE   3u /* of the clients: the one that the core is started with */

/* A stream socket between the core and somebody. */
struct wire {
	bool used;             /* the core has it, or waits to be given it */
	bool hung_up;          /* the other side says no more */
	bool closed;           /* the core closed it */
	struct dr_buf in, out; /* to the core, from it */
	size_t in_at, out_at;  /* that were read */
	struct {
		size_t end;
		uint64_t ms;
	} said[8]; /* when the core said what: up to which byte of `out` */
	size_t num_said;
	size_t held; /* bytes at the end of `in` that have not arrived yet */
};

enum machine_state { MACHINE_OFF, MACHINE_IDLE, MACHINE_ENDED, MACHINE_DIED };

struct machine {
	enum machine_state state;
	int code;   /* ENDED: the exit code */
	bool power; /* DIED: with the power */
	unsigned starts;
	struct wire control, watch, clients[MACHINE_CLIENTS];
	int connecting; /* a client that waits to be accepted; -1: none */
	bool signal;    /* SIGTERM waits */
	/* Time: what it is, and what the clocks say of it. */
	uint64_t true_ms; /* since the machine was first switched on */
	uint64_t said_ms; /* when the core said what was heard last */
	uint64_t booted_ms;
	bool boot_frozen, timer_stopped;
	uint64_t boot_frozen_ms;
	int64_t wall_off_ms; /* of the wall clock against the truth */
	bool timer_set;
	uint64_t timer_ms, ticks;
	unsigned slow_s; /* how long a slow sync takes */
	size_t heap, heap_peak;
	uint64_t polls;
};
extern struct machine machine;

/* The truth's wall clock when the machine was first switched on. */
#define MACHINE_EPOCH_MS ((uint64_t)1000000 * 1000)
uint64_t machine_wall_ms(void); /* as the clock says it */
uint64_t machine_true_wall_ms(void);
uint64_t machine_boot_ms(void); /* as the clock says it */

/* machine_start: a core begins, on what is on the disk. machine_run: until it is idle, ended or dead. machine_kill:
 * it dies here. machine_reboot: boot-time begins anew. */
void machine_start(bool serve);
void machine_run(void);
void machine_kill(bool power);
void machine_reboot(void);
void machine_advance(uint64_t ms);

/* machine_core_entropy: what the core's random bytes are made of from here on. */
void machine_entropy(uint64_t seed);

/* sim_alloc: zeroed memory that is nobody's but the simulator's. */
void *sim_alloc(size_t len);
void sim_free(void *ptr);

/* For machine_calls.c. */
bool machine_leave(void); /* out of the core, for the time of a call; false: it was not in it */
void machine_enter(void);
void machine_wait(void); /* poll() has nothing */

#endif
