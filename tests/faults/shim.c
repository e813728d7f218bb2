/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* libc's names, some without a prototype of their own */

/* libc's own, past our names. */
extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t num, size_t len);
extern void *__libc_realloc(void *ptr, size_t len);

static struct fault_plan *plan;

/* What was written and not synced yet, oldest first: first the old bytes (of those that were there), then the new. */
struct unsynced {
	dev_t dev;
	ino_t ino;
	int fd;
	off_t at;
	off_t size; /* of the file before */
	size_t len, old_len, bytes;
	bool truncated; /* a truncation: len bytes went, there are no new ones */
};
#define UNSYNCED 512
static struct unsynced unsynced[UNSYNCED];
static size_t num_unsynced;
static uint8_t bytes[16u << 20];
static size_t num_bytes;

struct created {
	char path[PATH_MAX];
	char dir[PATH_MAX];
	dev_t dev;
	ino_t ino; /* of the folder */
};
#define CREATED 16
static struct created created[CREATED];
static size_t num_created;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("DEROT_FAULT");
	const int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		syscall(SYS_close, fd);
	if (map != MAP_FAILED)
		plan = map;
}

static void write_at(int fd, const uint8_t *ptr, size_t len, off_t at)
{
	while (len > 0) {
		const ssize_t num = syscall(SYS_pwrite64, fd, ptr, len, at);

		if (num <= 0)
			return;
		ptr += num;
		len -= (size_t)num;
		at += num;
	}
}

static uint64_t next_random(void)
{
	plan->seed = plan->seed * 6364136223846793005u + 1442695040888963407u;
	return plan->seed >> 33;
}

/* The disk as it is after the power went. */
static void lose(bool some)
{
	for (size_t i = num_unsynced; i > 0; i--) {
		const struct unsynced *u = &unsynced[i - 1];

		write_at(u->fd, bytes + u->bytes, u->old_len, u->at);
		if (u->at + (off_t)u->len > u->size)
			syscall(SYS_ftruncate, u->fd, u->size);
	}
	for (size_t i = 0; some && i < num_unsynced; i++) {
		const struct unsynced *u = &unsynced[i];

		if (next_random() % 2 == 0)
			continue;
		if (u->truncated)
			syscall(SYS_ftruncate, u->fd, u->at);
		else
			write_at(u->fd, bytes + u->bytes + u->old_len, u->len, u->at);
	}
	for (size_t i = num_created; i > 0; i--)
		if (!some || next_random() % 2 == 0)
			syscall(SYS_unlink, created[i - 1].path);
}

static _Noreturn void die(uint32_t way)
{
	plan->done = 1;
	if (way == FAULT_LOSE || way == FAULT_SOME)
		lose(way == FAULT_SOME);
	for (;;)
		syscall(SYS_exit_group, FAULT_EXIT);
}

/* Counts the call. True: it fails, errno is set; or (HALF) it is to be half done. */
static bool faulty(enum fault_call call)
{
	if (plan == NULL)
		return false;
	const uint64_t num = __atomic_add_fetch(&plan->num[call], 1, __ATOMIC_RELAXED);
	const bool here = plan->way != FAULT_NONE && plan->call == call &&
			  (num == plan->nth || (plan->sticky != 0 && num > plan->nth && plan->nth != 0));

	if (!here && plan->now == 0)
		return false;
	if (plan->way == FAULT_HALF && (call == FAULT_WRITE || call == FAULT_PWRITE))
		return true;
	if (plan->way != FAULT_FAIL && plan->way != FAULT_STALL)
		die(plan->way);
	plan->done = 1;
	if (plan->way == FAULT_STALL)
		return false;
	errno = plan->error;
	return true;
}

static void forget(dev_t dev, ino_t ino)
{
	size_t kept = 0;

	for (size_t i = 0; i < num_unsynced; i++)
		if (unsynced[i].dev != dev || unsynced[i].ino != ino)
			unsynced[kept++] = unsynced[i];
	num_unsynced = kept;
	if (kept == 0)
		num_bytes = 0;
	kept = 0;
	for (size_t i = 0; i < num_created; i++)
		if (created[i].dev != dev || created[i].ino != ino)
			created[kept++] = created[i];
	num_created = kept;
}

/* Remembers what this write (ptr NULL: truncation to `at`) changes. */
static void remember(int fd, const uint8_t *ptr, size_t len, off_t at)
{
	const int before = errno;
	struct stat st;

	if (plan == NULL || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	const size_t there = st.st_size > at ? (size_t)(st.st_size - at) : 0;
	const size_t old_len = ptr == NULL || there < len ? there : len;

	if (num_unsynced == UNSYNCED || old_len + len > sizeof(bytes) - num_bytes) {
		plan->lost = 1;
		return;
	}
	struct unsynced *u = &unsynced[num_unsynced++];

	*u = (struct unsynced){ .dev = st.st_dev,
				.ino = st.st_ino,
				.fd = fd,
				.at = at,
				.size = st.st_size,
				.len = len,
				.old_len = old_len,
				.bytes = num_bytes,
				.truncated = ptr == NULL };
	if (old_len > 0 && syscall(SYS_pread64, fd, bytes + num_bytes, old_len, at) != (long)old_len)
		plan->lost = 1; /* the descriptor is for writing only, and the bytes were there before */
	if (len > 0 && ptr != NULL)
		memcpy(bytes + num_bytes + old_len, ptr, len);
	num_bytes += old_len + len;
	errno = before;
}

ssize_t read(int fd, void *to, size_t len)
{
	return faulty(FAULT_READ) ? -1 : syscall(SYS_read, fd, to, len);
}

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
	return faulty(FAULT_READ) ? -1 : syscall(SYS_pread64, fd, to, len, at);
}

ssize_t pread64(int fd, void *to, size_t len, off_t at)
{
	return pread(fd, to, len, at);
}

ssize_t write(int fd, const void *from, size_t len)
{
	const bool fault = faulty(FAULT_WRITE);

	if (fault && plan->way == FAULT_HALF) {
		syscall(SYS_write, fd, from, len / 2);
		die(FAULT_HALF);
	}
	if (fault)
		return -1;
	remember(fd, from, len, plan != NULL ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0);
	return syscall(SYS_write, fd, from, len);
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t at)
{
	const bool fault = faulty(FAULT_PWRITE);

	if (fault && plan->way == FAULT_HALF) {
		syscall(SYS_pwrite64, fd, from, len / 2, at);
		die(FAULT_HALF);
	}
	if (fault)
		return -1;
	remember(fd, from, len, at);
	return syscall(SYS_pwrite64, fd, from, len, at);
}

ssize_t pwrite64(int fd, const void *from, size_t len, off_t at)
{
	return pwrite(fd, from, len, at);
}

static int synced(int fd, long call)
{
	struct stat st;

	if (faulty(FAULT_SYNC))
		return -1;
	const int done = (int)syscall(call, fd);

	if (done == 0 && plan != NULL && fstat(fd, &st) == 0)
		forget(st.st_dev, st.st_ino);
	return done;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	const int done = (int)syscall(SYS_clock_gettime, id, now);

	if (done == 0 && plan != NULL && plan->way == FAULT_STALL && plan->done != 0)
		now->tv_sec += (time_t)FAULT_STALL_S;
	return done;
}

int fsync(int fd)
{
	return synced(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return synced(fd, SYS_fdatasync);
}

int ftruncate(int fd, off_t len)
{
	if (faulty(FAULT_TRUNCATE))
		return -1;
	remember(fd, NULL, 0, len);
	return (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate64(int fd, off_t len)
{
	return ftruncate(fd, len);
}

/* A file that is new: gone with the power unless its folder is synced later. */
static void remember_new(int dir, const char *path)
{
	struct created *c = &created[num_created];
	struct stat st;

	if (num_created == CREATED) {
		plan->lost = 1;
		return;
	}
	if (path[0] == '/' || dir == AT_FDCWD)
		snprintf(c->path, sizeof(c->path), "%s", path);
	else
		snprintf(c->path, sizeof(c->path), "%s/%s", plan->dir, path);
	memcpy(c->dir, c->path, sizeof(c->dir));
	char *slash = strrchr(c->dir, '/');

	if (slash == NULL || fstatat(AT_FDCWD, c->path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	*slash = '\0';
	if (fstatat(AT_FDCWD, c->dir, &st, 0) != 0)
		return;
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	num_created++;
}

static int opened(int dir, const char *path, int flags, mode_t mode)
{
	const size_t before = num_created;

	if (faulty(FAULT_OPEN))
		return -1;
	if (plan != NULL && (flags & O_CREAT) != 0)
		remember_new(dir, path);
	const int fd = (int)syscall(SYS_openat, dir, path, flags, mode);

	if (fd < 0)
		num_created = before;
	return fd;
}

#define OPEN_MODE(flags, last)                                                                                       \
	mode_t mode = 0;                                                                                             \
	if (((flags)&O_CREAT) != 0) {                                                                                \
		va_list args;                                                                                        \
		va_start(args, last);                                                                                \
		mode = va_arg(args, mode_t);                                                                         \
		va_end(args);                                                                                        \
	}

int open(const char *path, int flags, ...)
{
	OPEN_MODE(flags, flags)
	return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	OPEN_MODE(flags, flags)
	return opened(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags, flags)
	return opened(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags, flags)
	return opened(dir, path, flags, mode);
}

/* What was written through this descriptor may be needed once more: it stays open. */
int close(int fd)
{
	if (faulty(FAULT_CLOSE)) {
		const int error = errno;

		syscall(SYS_close, fd);
		errno = error;
		return -1;
	}
	for (size_t i = 0; i < num_unsynced; i++)
		if (unsynced[i].fd == fd)
			return 0;
	return (int)syscall(SYS_close, fd);
}

int unlink(const char *path)
{
	return faulty(FAULT_UNLINK) ? -1 : (int)syscall(SYS_unlink, path);
}

/* A new file keeps being one under its new name. What is replaced is gone at once: that the power brings it back is
 * not played here. */
static int renamed(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (faulty(FAULT_RENAME))
		return -1;
	const int done = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);

	for (size_t i = 0; done == 0 && i < num_created; i++)
		if (strcmp(created[i].path, from) == 0)
			snprintf(created[i].path, sizeof(created[i].path), "%s", to);
	return done;
}

int rename(const char *from, const char *to)
{
	return renamed(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return renamed(from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return renamed(from_dir, from, to_dir, to, flags);
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t from)
{
	return faulty(FAULT_MMAP) ? MAP_FAILED : (void *)syscall(SYS_mmap, at, len, prot, flags, fd, from);
}

void *mmap64(void *at, size_t len, int prot, int flags, int fd, off_t from)
{
	return mmap(at, len, prot, flags, fd, from);
}

void *malloc(size_t len)
{
	return faulty(FAULT_MALLOC) ? NULL : __libc_malloc(len);
}

void *calloc(size_t num, size_t len)
{
	return faulty(FAULT_MALLOC) ? NULL : __libc_calloc(num, len);
}

void *realloc(void *ptr, size_t len)
{
	return faulty(FAULT_MALLOC) ? NULL : __libc_realloc(ptr, len);
}
