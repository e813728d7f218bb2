/* SPDX-License-Identifier: Apache-2.0
 *
 * watch_calls: what derot-watch may ask of the kernel (kms-bridge/process/sandbox.h): connections to endpoints and
 * name servers, and the files that say where those are and whose certificates count. It listens to nobody, writes no
 * file, starts no program.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_WATCH_CALLS_H
#define DR_WATCHER_WATCH_CALLS_H

#include "kms-bridge/process/sandbox.h"

extern const struct dr_sandbox dr_watch_sandbox;

/* dr_watch_confine: enters it. Libraries are loaded and the configuration is read before. */
enum dr_err dr_watch_confine(struct dr_fail *fail);

#endif
