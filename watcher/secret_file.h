/* SPDX-License-Identifier: Apache-2.0
 *
 * secret_file: keys of 32 bytes in files that the command line is pointed at (an account's, a recipient's), and new
 * files that nobody else may read.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_SECRET_FILE_H
#define DR_WATCHER_SECRET_FILE_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* dr_secret_file_read: the key in a file: 32 bytes, or 64 hexadecimal digits with or without 0x before and one
 * newline behind them. It must be a plain file of this user that nobody else may read (DR_ERR_IO, and errno as `at`);
 * anything else in it is DR_ERR_SYNTAX. Secret: secret. */
enum dr_err dr_secret_file_read(uint8_t secret[static 32], const char *path, struct dr_fail *fail);

/* dr_new_file_write: a file of mode 0600 with these bytes, where nothing was before. DR_ERR_IO, and nothing is left.
 */
enum dr_err dr_new_file_write(const char *path, struct dr_bytes bytes, struct dr_fail *fail);

#endif
