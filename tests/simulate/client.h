/* SPDX-License-Identifier: Apache-2.0
 *
 * client: whoever asks the core for keys, and what must be true of the answers.
 */
#ifndef DR_TESTS_SIMULATE_CLIENT_H
#define DR_TESTS_SIMULATE_CLIENT_H

#include "tests/simulate/hear.h"

/* client_keys: num random requests at once. True: at least one was allowed. exact: what the model allows must be
 * allowed. */
bool client_keys(unsigned num, bool exact);
/* client_share: NODE2, or whoever, asks for a root. client_parcel: it is handed one that it must not take.
 * client_root: the newest root's publication is told. client_reseal, client_proof: as they say. client_logs: both
 * logs are read from where they were told to, and must go on from it. */
void client_share(void);
void client_parcel(void);
void client_root(void);
void client_reseal(void);
void client_proof(void);
void client_logs(void);
/* client_evidence: the recording, head first. False: there was no core to give it. */
bool client_evidence(struct dr_buf *out);
/* client_rude: what no client may say, or not this one; it is hung up on. */
void client_rude(void);

#endif
