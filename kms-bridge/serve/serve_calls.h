/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_calls: what derot-serve may ask of the kernel (kms-bridge/process/sandbox.h): the socket that listens
 * already, those of its clients, and the channel to the core. No file, no connection of its own.
 *
 * Layer: kms-bridge/serve.
 */
#ifndef DR_SERVE_CALLS_H
#define DR_SERVE_CALLS_H

#include "kms-bridge/process/sandbox.h"

extern const struct dr_sandbox dr_serve_sandbox;

/* dr_serve_confine: enters it. The socket listens, and what libraries want of files was given to them, before. */
enum dr_err dr_serve_confine(struct dr_fail *fail);

#endif
