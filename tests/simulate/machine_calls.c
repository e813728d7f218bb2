/* SPDX-License-Identifier: Apache-2.0
 *
 * The system calls of the core (see machine.h). Descriptors: 3 control, 4 watch, 5 serve, and from FIRST on what it
 * opens.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/simulate/disk.h"
#include "tests/simulate/machine.h"
#include "tests/simulate/sim.h"

#define FIRST     10
#define FDS       64
#define POLLS_MAX 20000u

enum kind { NONE, FILE_, FOLDER, WIRE, TIMER, SIGNALS, LISTENER };

struct descriptor {
	enum kind kind;
	int file;
	size_t at;
	struct wire *wire;
	char path[64];
};
static struct descriptor fds[FDS];
static unsigned fds_of; /* the start whose descriptors these are */

#define CALL(type, name, ...)                                                                                        \
	type __real_##name(__VA_ARGS__);                                                                             \
	type __wrap_##name(__VA_ARGS__);                                                                             \
	type __wrap_##name(__VA_ARGS__)

static struct descriptor *get(int fd)
{
	static struct descriptor none;

	if (fds_of != machine.starts) {
		memset(fds, 0, sizeof(fds));
		fds[3] = (struct descriptor){ .kind = WIRE, .wire = &machine.control };
		fds[4] = (struct descriptor){ .kind = WIRE, .wire = &machine.watch };
		if (machine.clients[MACHINE_SERVE].used)
			fds[5] = (struct descriptor){ .kind = WIRE, .wire = &machine.clients[MACHINE_SERVE] };
		fds_of = machine.starts;
	}
	none.kind = NONE;
	return fd >= 0 && fd < FDS ? &fds[fd] : &none;
}

static int fd_new(enum kind kind)
{
	for (int fd = FIRST; fd < FDS; fd++) {
		if (get(fd)->kind != NONE)
			continue;
		*get(fd) = (struct descriptor){ .kind = kind };
		return fd;
	}
	sim_fail("limit", "the core has too many descriptors");
}

/* -1 with errno, or 0. */
static int result(int error)
{
	errno = error;
	return error == 0 ? 0 : -1;
}

static int open_path(const char *path, int flags)
{
	int file = -1, fd, error;

	if ((flags & O_DIRECTORY) != 0) {
		fd = fd_new(FOLDER);
		snprintf(get(fd)->path, sizeof(get(fd)->path), "%s", path);
		return fd;
	}
	error = disk_open(path, (flags & O_CREAT) != 0, (flags & O_EXCL) != 0, &file);
	if (error != 0)
		return result(error);
	fd = fd_new(FILE_);
	get(fd)->file = file;
	return fd;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	unsigned mode;
	int fd;

	if (!machine_leave()) {
		va_start(args, flags);
		mode = va_arg(args, unsigned);
		va_end(args);
		return __real_open(path, flags, mode);
	}
	fd = open_path(path, flags);
	machine_enter();
	return fd;
}

int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
	char whole[160];
	int fd;

	machine_leave();
	snprintf(whole, sizeof(whole), "%s/%s", get(dir)->path, path);
	fd = open_path(whole, flags);
	machine_enter();
	return fd;
}

CALL(int, close, int fd)
{
	if (!machine_leave())
		return __real_close(fd);
	struct descriptor *d = get(fd);

	if (d->kind == WIRE)
		d->wire->closed = true;
	d->kind = NONE;
	machine_enter();
	return 0;
}

static ssize_t wire_read(struct wire *w, void *to, size_t len)
{
	const size_t there = w->in.len - w->in_at - w->held;

	if (there == 0 && w->hung_up && w->held == 0)
		return 0;
	if (there == 0)
		return result(EAGAIN);
	len = there < len ? there : len;
	memcpy(to, w->in.ptr + w->in_at, len);
	w->in_at += len;
	if (w->in_at == w->in.len) {
		w->in.len = 0;
		w->in_at = 0;
	}
	return (ssize_t)len;
}

static ssize_t read_fd(struct descriptor *d, void *to, size_t len)
{
	struct signalfd_siginfo info = { .ssi_signo = 15 };
	size_t got = 0;
	int error;

	switch (d->kind) {
	case WIRE: return wire_read(d->wire, to, len);
	case FILE_:
		error = disk_read(d->file, to, len, d->at, &got);
		d->at += got;
		return error == 0 ? (ssize_t)got : result(error);
	case TIMER:
		if (machine.ticks == 0 || len < sizeof(machine.ticks))
			return result(EAGAIN);
		memcpy(to, &machine.ticks, sizeof(machine.ticks));
		machine.ticks = 0;
		return sizeof(machine.ticks);
	case SIGNALS:
		if (!machine.signal || len < sizeof(info))
			return result(EAGAIN);
		machine.signal = false;
		memcpy(to, &info, sizeof(info));
		return sizeof(info);
	case NONE:
	case FOLDER:
	case LISTENER: break;
	}
	return result(EBADF);
}

CALL(ssize_t, read, int fd, void *to, size_t len)
{
	if (!machine_leave())
		return __real_read(fd, to, len);
	const ssize_t got = read_fd(get(fd), to, len);
	const int error = errno;

	machine_enter();
	errno = error;
	return got;
}

/* Beyond what is remembered, what is said counts as said with the last that is. */
static void said_now(struct wire *wire)
{
	const size_t num = wire->num_said, max = sizeof(wire->said) / sizeof(wire->said[0]);

	if (num < max && (num == 0 || wire->said[num - 1].ms != machine.true_ms))
		wire->said[wire->num_said++].ms = machine.true_ms;
	wire->said[wire->num_said - 1].end = wire->out.len;
}

CALL(ssize_t, write, int fd, const void *from, size_t len)
{
	struct dr_fail fail = { 0 };

	if (!machine_leave())
		return __real_write(fd, from, len);
	struct descriptor *d = get(fd);
	ssize_t done = (ssize_t)len;

	if (d->kind == WIRE && !d->wire->hung_up) {
		SIM_MUST("I6", dr_buf_append(&d->wire->out, from, len, &fail) == DR_OK, "the core says too much");
		said_now(d->wire);
	} else if (d->kind == FILE_) {
		const int error = disk_write(d->file, from, len, d->at);

		done = error == 0 ? done : result(error);
		d->at += error == 0 ? len : 0;
	} else {
		done = result(d->kind == WIRE ? EPIPE : EBADF);
	}
	const int error = errno;

	machine_enter();
	errno = error;
	return done;
}

static short ready(const struct pollfd *p)
{
	const struct descriptor *d = get(p->fd);
	bool in = false;

	switch (d->kind) {
	case NONE:
	case FILE_:
	case FOLDER: return 0;
	case WIRE:
		in = d->wire->in.len - d->wire->in_at > d->wire->held || (d->wire->hung_up && d->wire->held == 0);
		return (short)(((p->events & POLLIN) != 0 && in ? POLLIN : 0) | (p->events & POLLOUT));
	case TIMER: in = machine.ticks > 0; break;
	case SIGNALS: in = machine.signal; break;
	case LISTENER: in = machine.connecting >= 0; break;
	}
	return in ? POLLIN : 0;
}

CALL(int, poll, struct pollfd *p, nfds_t num, int timeout_ms)
{
	int found;

	if (!machine_leave())
		return __real_poll(p, num, timeout_ms);
	for (;;) {
		SIM_MUST("spin", ++machine.polls < POLLS_MAX, "the core turns and turns, and does nothing");
		found = 0;
		for (nfds_t i = 0; i < num; i++) {
			p[i].revents = p[i].fd >= 0 ? ready(&p[i]) : 0;
			found += p[i].revents != 0;
		}
		if (found > 0 || timeout_ms >= 0)
			break;
		machine_wait();
	}
	machine_enter();
	return found;
}

CALL(int, clock_gettime, clockid_t id, struct timespec *out)
{
	if (!machine_leave())
		return __real_clock_gettime(id, out);
	const uint64_t ms = id == CLOCK_REALTIME ? machine_wall_ms() : machine_boot_ms();

	*out = (struct timespec){ (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
	machine_enter();
	return 0;
}

CALL(int, fstat, int fd, struct stat *out)
{
	if (!machine_leave())
		return __real_fstat(fd, out);
	const struct descriptor *d = get(fd);

	memset(out, 0, sizeof(*out));
	out->st_uid = geteuid();
	out->st_mode = d->kind == FOLDER ? S_IFDIR | 0700 : S_IFREG | 0600;
	out->st_size = d->kind == FILE_ ? (off_t)disk_len(d->file) : 0;
	machine_enter();
	return 0;
}

CALL(int, fsync, int fd)
{
	if (!machine_leave())
		return __real_fsync(fd);
	const struct descriptor *d = get(fd);
	const int error = d->kind == FILE_ ? disk_sync(d->file) : disk_sync_names();

	machine_enter();
	return result(error);
}

CALL(int, unlink, const char *path)
{
	if (!machine_leave())
		return __real_unlink(path);
	/* The client socket's name is no file here. */
	const size_t len = strlen(path);
	const int error = len > 5 && strcmp(path + len - 5, ".sock") == 0 ? 0 : disk_remove(path);

	machine_enter();
	return result(error);
}

CALL(int, rename, const char *from, const char *to)
{
	if (!machine_leave())
		return __real_rename(from, to);
	const int error = disk_rename(from, to, true);

	machine_enter();
	return result(error);
}

int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int __wrap_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	(void)from_dir;
	(void)to_dir;
	machine_leave();
	const int error = disk_rename(from, to, (flags & RENAME_NOREPLACE) == 0);

	machine_enter();
	return result(error);
}

CALL(int, access, const char *path, int mode)
{
	if (!machine_leave())
		return __real_access(path, mode);
	const int error = disk_exists(path) ? 0 : ENOENT;

	machine_enter();
	return result(error);
}

int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return result(EEXIST);
}

/* What a process does to itself, and locks: nothing here. */
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode)
{
	(void)fd;
	(void)mode;
	return 0;
}

int __wrap_flock(int fd, int op);
int __wrap_flock(int fd, int op)
{
	(void)fd;
	(void)op;
	return 0;
}

int __real_fcntl(int fd, int op, ...);
int __wrap_fcntl(int fd, int op, ...);
int __wrap_fcntl(int fd, int op, ...)
{
	(void)fd;
	(void)op;
	return 0;
}

int __wrap_prctl(int op, ...);
int __wrap_prctl(int op, ...)
{
	(void)op;
	return 0;
}

int __wrap_setrlimit(int what, const struct rlimit *limit);
int __wrap_setrlimit(int what, const struct rlimit *limit)
{
	(void)what;
	(void)limit;
	return 0;
}

int __wrap_sigprocmask(int how, const void *set, void *old);
int __wrap_sigprocmask(int how, const void *set, void *old)
{
	(void)how;
	(void)set;
	(void)old;
	return 0;
}

/* Sockets and timers */

int __wrap_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	return fd_new(LISTENER);
}

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	(void)addr;
	(void)len;
	return 0;
}

int __wrap_listen(int fd, int num);
int __wrap_listen(int fd, int num)
{
	(void)fd;
	(void)num;
	return 0;
}

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	(void)fd;
	(void)addr;
	(void)len;
	(void)flags;
	if (machine.connecting < 0)
		return result(EAGAIN);
	const int client = fd_new(WIRE);

	get(client)->wire = &machine.clients[machine.connecting];
	machine.connecting = -1;
	return client;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct ucred *cred = value;

	(void)fd;
	(void)level;
	(void)name;
	(void)len;
	cred->uid = geteuid();
	return 0;
}

int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags)
{
	(void)clock;
	(void)flags;
	return fd_new(TIMER);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	(void)fd;
	(void)flags;
	(void)value;
	(void)old;
	machine.timer_set = true;
	return 0;
}

int __wrap_signalfd(int fd, const void *set, int flags);
int __wrap_signalfd(int fd, const void *set, int flags)
{
	(void)fd;
	(void)set;
	(void)flags;
	return fd_new(SIGNALS);
}

/* The one file that is written through stdio: a conflict's evidence. */
static ssize_t cookie_write(void *cookie, const char *from, size_t len)
{
	const ssize_t done = __wrap_write((int)(intptr_t)cookie, from, len);

	return done < 0 ? 0 : done;
}

static int cookie_close(void *cookie)
{
	return __wrap_close((int)(intptr_t)cookie);
}

FILE *__real_fdopen(int fd, const char *mode);
FILE *__wrap_fdopen(int fd, const char *mode);
FILE *__wrap_fdopen(int fd, const char *mode)
{
	static const cookie_io_functions_t functions = { .write = cookie_write, .close = cookie_close };

	if (!machine_leave())
		return __real_fdopen(fd, mode);
	machine_enter();
	return fopencookie((void *)(intptr_t)fd, mode, functions);
}

/* Chance: the core's is no choice of the tape's, or a run would be another when the core draws once more. */
static uint64_t entropy;

static void random_bytes(void *const to, const size_t len)
{
	for (size_t i = 0; i < len; i++) {
		entropy = entropy * 6364136223846793005u + 1442695040888963407u;
		((uint8_t *)to)[i] = (uint8_t)(entropy >> 56);
	}
}

static const char *random_name(void)
{
	return "simulated";
}

static uint32_t random_word(void)
{
	uint32_t word;

	random_bytes(&word, sizeof(word));
	return word;
}

void machine_entropy(uint64_t seed)
{
	static randombytes_implementation implementation = { .implementation_name = random_name,
							     .random = random_word,
							     .buf = random_bytes };

	entropy = seed;
	SIM_MUST("limit", randombytes_set_implementation(&implementation) == 0 && sodium_init() >= 0,
		 "no randomness");
}
