/* SPDX-License-Identifier: Apache-2.0
 *
 * core_calls: what derot-core may ask of the kernel (kms-bridge/process/sandbox.h). No socket beyond those that it
 * was started with, no other program, no other process; files only beneath the data directory and beside the key
 * file.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_CALLS_H
#define DR_CORE_CALLS_H

#include "kms-bridge/process/sandbox.h"
#include "kms-bridge/proto.h"

extern const struct dr_sandbox dr_core_sandbox;

/* dr_core_confine: enters it, with the paths that init names. A data directory that is yet to be made is made here:
 * afterwards nothing can be made beside it. */
enum dr_err dr_core_confine(const struct dr_init *init, struct dr_fail *fail);

#endif
