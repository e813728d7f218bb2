/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DR_TESTS_SIMULATE_REPLAY_H
#define DR_TESTS_SIMULATE_REPLAY_H

/* replay: the core's recording says again what the core said. */
void replay(void);

#endif
