/* SPDX-License-Identifier: Apache-2.0
 *
 * drive: derot-core, the real program, fed with a recording as a watch would feed it, one frame after the other, and
 * asked for keys meanwhile; with a fault planned (shim.h), or killed at a message. Whatever became of it, a second
 * run takes up where the store says, and the whole is compared with what may be said of a node that nothing befell.
 */
#ifndef DR_TESTS_FAULTS_DRIVE_H
#define DR_TESTS_FAULTS_DRIVE_H

#include <stdbool.h>
#include <sys/types.h>

#include "kms-bridge/core/channel.h"
#include "tests/faults/shim.h"

#define DRIVE_FRAMES  2048u
#define DRIVE_ASKS    64u
#define DRIVE_ENTRIES 8192u
#define DRIVE_KEYS    128u

/* What is fed and asked. */
struct drive_script {
	struct dr_init init;
	struct dr_frame frames[DRIVE_FRAMES]; /* foreign ones; payloads live until the process ends */
	size_t num_frames;
	struct {
		size_t at; /* after this many frames */
		struct dr_request request;
	} asks[DRIVE_ASKS];
	size_t num_asks;
	bool root; /* ask for the root's public words after every frame */
};

struct drive_entry {
	bool there;
	uint8_t hash[32];
	uint8_t kind;         /* of a note */
	bool sealed;          /* LEASE: it says "sealed" */
	bool withheld;        /* RELEASE: it says that what was released did not leave */
	uint64_t request_idx; /* RELEASE: of which request; UINT64_MAX: its words were not understood */
};

struct drive_log {
	struct drive_entry entries[DRIVE_ENTRIES];
	uint64_t size;
	uint8_t root[32];
	uint64_t told; /* of a log that was read: what had been told of it before */
};

struct drive_key {
	size_t ask;
	uint64_t request_idx;
	uint8_t key[64];
};

/* What was seen from outside, over both runs. */
struct drive_seen {
	/* Entries the supervisor was told as they were made, and the logs as a client read them at the end. */
	struct drive_log told[2], logs[2];
	struct drive_key keys[DRIVE_KEYS];
	size_t num_keys;
	size_t num_denied;
	struct dr_root_public root;
	uint64_t final_number;
	char fatal[DR_TEXT_MAX]; /* the core's last words */
};

enum drive_end {
	DRIVE_STOPPED, /* everything was taken, and it stopped in good order */
	DRIVE_FATAL,   /* it said why it stops, exit code 1 */
	DRIVE_DEAD,    /* of what was planned: killed, or the shim's exit */
	DRIVE_BAD,     /* by anything else, or it hangs: never good */
};

struct drive_fault {
	struct fault_plan plan;
	size_t kill_at;            /* the message after which it is killed; 0: never */
	unsigned kill_us;          /* so long after it */
	bool lose_at_key;          /* the power goes (plan.way) as soon as a client has a key */
	uint64_t num[FAULT_CALLS]; /* out: calls made */
	size_t num_messages;       /* out: messages sent to it */
	bool done, lost;           /* out: as in struct fault_plan */
};

/* drive: one run of the program `core` (path) under fault (NULL: none, without the shim) in the script's data_dir.
 * The watch's answers continue where the store ends. *why says what was bad. */
enum drive_end drive(struct drive_seen *seen, const char *core, const char *shim, const struct drive_script *script,
		     struct drive_fault *fault, char why[static DR_TEXT_MAX]);

/* drive_holds: what must hold at the end of an undisturbed run, after whatever was before it: the ledger is `ledger`
 * entry for entry; every entry that was told, before or after, stands; every key that left has its request and its
 * release in the journal, and is the one that `keys` (by ask) has; false and why. keys NULL: no key may have left. */
bool drive_holds(const struct drive_seen *seen, const struct drive_log *ledger, const struct drive_key *keys,
		 size_t num_keys, char why[static DR_TEXT_MAX]);

#endif
