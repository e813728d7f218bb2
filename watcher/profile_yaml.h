/* SPDX-License-Identifier: Apache-2.0
 *
 * profile_yaml: the profile that people edit (governance/profiles/derot-v1.yaml) → struct dr_profile.
 *
 *   name: derot-v1
 *   code_hash: 0x…            keccak256 of the runtime code
 *   count_slot: 0             both or neither: where the contract keeps its event count and rolling hash
 *   acc_slot: 1
 *   state_every: 8            state is proven at multiples of this block number
 *   stealth_window: 86400     seconds
 *   exposure_grace: 604800    seconds
 *   events:                   declaration with argument names → action (governance/action.h)
 *     - event: MeasurementAllowed(uint64 proposal, uint64 due, bytes32 measurement)
 *       action: measurement.allow
 *   slots:                    kind of mapping → its slot number
 *     - kind: measurement     measurement, app.measurement, hardware, root, suspended
 *       slot: 2
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_PROFILE_YAML_H
#define DR_WATCHER_PROFILE_YAML_H

#include "chain/base/arena.h"
#include "governance/profile.h"
#include "watcher/yaml.h"

/* dr_profile_load: fills *out (digest included) and appends its canonical form to *form (cap at least
 * DR_PROFILE_LEN_MAX). */
enum dr_err dr_profile_load(struct dr_profile *out, struct dr_buf *form, const char *path,
			    struct dr_yaml_error *error);

#endif
