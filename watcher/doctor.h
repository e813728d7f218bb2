/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor: what the files of `derot doctor` share: cmd_doctor.c (this machine, the files, the RPC endpoints) and
 * doctor_beacon.c (the checkpoint and the beacon nodes). Private to them.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_DOCTOR_H
#define DR_WATCHER_DOCTOR_H

#include "watcher/cli.h"
#include "watcher/config.h"
#include "watcher/rpc.h"

enum grade {
	GOOD,
	WARN,
	BAD,
};

struct doctor {
	struct dr_cli *cli;
	struct dr_rows rows;
	unsigned num_bad, num_warn;
};

/* dr_doctor_tell: one line: what was checked, what was found (form, …), what to do (not looked at where GOOD). */
__attribute__((format(printf, 5, 6))) void dr_doctor_tell(struct doctor *d, const char *check, enum grade grade,
							  const char *next, const char *form, ...);

/* dr_doctor_call: one call of an exchange; false: no memory. */
bool dr_doctor_call(struct dr_rpc_call *call, const char *method, const char *params);

/* Of one beacon node: false if it could not be asked. */
bool dr_doctor_beacon_ask(struct dr_rpc *rpc, uint16_t endpoint, const struct dr_config *c, struct dr_fail *fail);
void dr_doctor_beacon_judge(struct doctor *d, const struct dr_rpc_exchange *x, const struct dr_config *c);

#endif
