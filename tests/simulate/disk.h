/* SPDX-License-Identifier: Apache-2.0
 *
 * disk: files in memory that know what of them a loss of power would leave. What was written is seen by every reader
 * at once, as the system's cache shows it; it is kept once a sync has returned. At a loss of power each write since
 * then is there, or not, or in some of its sectors, as the tape says; of the names made, removed and moved since
 * their folder was synced the first so many happened. A sync that failed has dropped what it should have kept: it
 * stays in the cache and no later sync keeps it (as Linux does).
 */
#ifndef DR_TESTS_SIMULATE_DISK_H
#define DR_TESTS_SIMULATE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Faults that are planned: after `after` more operations, for `times` of them. */
enum disk_fault { DISK_WELL, DISK_KILL, DISK_POWER, DISK_EIO, DISK_ENOSPC, DISK_FSYNC, DISK_SLOW };

void disk_init(void);
void disk_plan(enum disk_fault fault, unsigned after, unsigned times);
bool disk_is_well(void); /* no operation will fail; whether it is survived is another matter */
/* disk_lose: the power goes. disk_save, disk_restore: a copy of everything, which is put back. */
void disk_lose(void);
void disk_save(void);
void disk_restore(void);

/* Operations: 0 or a number of errno. A file is an index ≥ 0. Paths are whole. */
int disk_open(const char *path, bool create, bool exclusive, int *file);
bool disk_exists(const char *path);
int disk_read(int file, void *to, size_t len, size_t at, size_t *got);
int disk_write(int file, const void *from, size_t len, size_t at);
int disk_truncate(int file, size_t len);
int disk_sync(int file);
int disk_sync_names(void);
int disk_remove(const char *path);
int disk_rename(const char *from, const char *to, bool replace);
size_t disk_len(int file);

/* disk_crash: told by the machine: the process ends here (DISK_KILL, DISK_POWER). It does not return. */
__attribute__((noreturn)) void disk_crash(bool power);
/* disk_slow: a sync that takes long. */
void disk_slow(void);

/* vfs_register: SQLite's files are these. */
void vfs_register(void);

#endif
