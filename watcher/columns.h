/* SPDX-License-Identifier: Apache-2.0
 *
 * columns: the columns in which tables of what kms-bridge/tell says are printed.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_COLUMNS_H
#define DR_WATCHER_COLUMNS_H

#include "watcher/out.h"

extern const struct dr_column dr_columns_change[];
extern const size_t dr_columns_change_num;
extern const struct dr_column dr_columns_note[];
extern const size_t dr_columns_note_num;

#endif
