/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/columns.h"

const struct dr_column dr_columns_change[] = {
	{ "index", "#", 4 },         { "block", "block", 7 },    { "time", "time", 20 },
	{ "outcome", "outcome", 8 }, { "action", "action", 22 }, { "what", "what", 0 },
};
const size_t dr_columns_change_num = sizeof(dr_columns_change) / sizeof(dr_columns_change[0]);

const struct dr_column dr_columns_note[] = {
	{ "index", "#", 4 },     { "time", "time", 20 },    { "kind", "kind", 11 },
	{ "block", "block", 7 }, { "source", "source", 6 }, { "detail", "detail", 0 },
};
const size_t dr_columns_note_num = sizeof(dr_columns_note) / sizeof(dr_columns_note[0]);
