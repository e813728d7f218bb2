/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/disk.h"

#include <errno.h>
#include <string.h>

#include "tests/simulate/machine.h"
#include "tests/simulate/sim.h"

#define FILES   64
#define NAMES   24
#define PENDING 64
#define PATH    64
#define SECTOR  512u

struct write {
	struct write *next;
	size_t at, len;
	bool cut; /* a truncation to `at` */
	uint8_t bytes[];
};

struct content {
	uint8_t *ptr;
	size_t len, room;
};

struct file {
	bool used;
	struct content now, kept;
	struct write *first, **last;
};

struct name {
	char path[PATH];
	int file; /* -1: none */
};

struct move { /* a name to be: `from` gone (if not empty), `to` there (if not empty) */
	char from[PATH], to[PATH];
	int file;
};

struct disk {
	struct file files[FILES];
	struct name now[NAMES], kept[NAMES];
	struct move moves[PENDING];
	size_t num_moves;
};

static struct disk disk, saved;
static enum disk_fault plan;
static unsigned plan_after, plan_times;

static void set_len(struct content *c, size_t len)
{
	if (len > c->room) {
		const size_t room = len * 2 < 4096 ? 4096 : len * 2;
		uint8_t *grown = sim_alloc(room);

		if (c->len > 0)
			memcpy(grown, c->ptr, c->len);
		sim_free(c->ptr);
		c->ptr = grown;
		c->room = room;
	}
	if (len > c->len)
		memset(c->ptr + c->len, 0, len - c->len);
	c->len = len;
}

static void put(struct content *c, const uint8_t *from, size_t len, size_t at)
{
	if (len == 0)
		return;
	if (at + len > c->len)
		set_len(c, at + len);
	memcpy(c->ptr + at, from, len);
}

static void copy(struct content *to, const struct content *from)
{
	set_len(to, 0);
	set_len(to, from->len);
	if (from->len > 0)
		memcpy(to->ptr, from->ptr, from->len);
}

static void forget(struct file *f)
{
	while (f->first != NULL) {
		struct write *w = f->first;

		f->first = w->next;
		sim_free(w);
	}
	f->last = &f->first;
}

static void remember(struct file *f, const void *bytes, size_t len, size_t at, bool cut)
{
	struct write *w = sim_alloc(sizeof(*w) + len);

	*w = (struct write){ .at = at, .len = len, .cut = cut };
	if (len > 0)
		memcpy(w->bytes, bytes, len);
	*f->last = w;
	f->last = &w->next;
}

static struct name *find(struct name *names, const char *path)
{
	for (size_t i = 0; i < NAMES; i++)
		if (names[i].file >= 0 && strcmp(names[i].path, path) == 0)
			return &names[i];
	return NULL;
}

static void name_put(struct name *names, const char *path, int file)
{
	struct name *n = find(names, path);

	for (size_t i = 0; i < NAMES && n == NULL; i++)
		if (names[i].file < 0)
			n = &names[i];
	SIM_MUST("limit", n != NULL && strlen(path) < PATH, "too many names on the disk");
	strcpy(n->path, path);
	n->file = file;
}

static void apply(struct name *names, const struct move *m)
{
	struct name *from = m->from[0] != 0 ? find(names, m->from) : NULL;

	if (from != NULL)
		from->file = -1;
	if (m->to[0] != 0)
		name_put(names, m->to, m->file);
}

static void move(const char *from, const char *to, int file)
{
	struct move m = { .file = file };

	strncpy(m.from, from, PATH - 1);
	strncpy(m.to, to, PATH - 1);
	apply(disk.now, &m);
	if (disk.num_moves == PENDING) {
		apply(disk.kept, &disk.moves[0]);
		memmove(disk.moves, disk.moves + 1, --disk.num_moves * sizeof(m));
	}
	disk.moves[disk.num_moves++] = m;
}

void disk_init(void)
{
	memset(&disk, 0, sizeof(disk));
	for (size_t i = 0; i < NAMES; i++)
		disk.now[i].file = disk.kept[i].file = -1;
	for (size_t i = 0; i < FILES; i++)
		disk.files[i].last = &disk.files[i].first;
	plan = DISK_WELL;
}

void disk_plan(enum disk_fault fault, unsigned after, unsigned times)
{
	plan = fault;
	plan_after = after;
	plan_times = times;
}

bool disk_is_well(void)
{
	return plan == DISK_WELL || plan == DISK_KILL || plan == DISK_POWER || plan == DISK_SLOW;
}

/* What becomes of this operation: 0 or an errno; or it is not survived. */
static int fault(bool is_write, bool is_sync)
{
	if (plan == DISK_WELL || (plan == DISK_ENOSPC && !is_write) ||
	    ((plan == DISK_FSYNC || plan == DISK_SLOW) && !is_sync))
		return 0;
	if (plan_after > 0) {
		plan_after--;
		return 0;
	}
	const enum disk_fault now = plan;

	if (--plan_times == 0)
		plan = DISK_WELL;
	switch (now) {
	case DISK_WELL: break;
	case DISK_KILL: disk_crash(false);
	case DISK_POWER: disk_crash(true);
	case DISK_EIO: sim_count(SIM_DISK_EIO); return EIO;
	case DISK_ENOSPC: sim_count(SIM_DISK_ENOSPC); return ENOSPC;
	case DISK_FSYNC: sim_count(SIM_DISK_FSYNC); return EIO;
	case DISK_SLOW:
		sim_count(SIM_DISK_SLOW);
		disk_slow();
		return 0;
	}
	return 0;
}

/* Some sectors of a write, or all, or none. */
static void survive(struct content *kept, const struct write *w, unsigned how)
{
	bool any = false, all = true;

	if (w->cut) {
		if (how == 0 || (how == 2 && draw(2) == 0)) {
			sim_count(SIM_LOST_WRITES);
			return;
		}
		set_len(kept, w->at);
		return;
	}
	const bool whole = how == 1 || (how == 2 && draw(2) == 1);

	for (size_t done = 0; done < w->len;) {
		const size_t left = w->len - done, step = SECTOR - (w->at + done) % SECTOR;
		const size_t len = left < step ? left : step;
		const bool there = whole || (how == 3 && draw(2) == 1);

		if (there)
			put(kept, w->bytes + done, len, w->at + done);
		any = any || there;
		all = all && there;
		done += len;
	}
	if (!all)
		sim_count(any ? SIM_TORN_WRITES : SIM_LOST_WRITES);
}

void disk_lose(void)
{
	/* None, all, whole writes by chance, sectors by chance; names: the first so many. */
	const unsigned how = draw(4);
	const size_t moves = disk.num_moves > 0 ? draw((uint32_t)disk.num_moves + 1) : 0;

	for (size_t i = 0; i < moves; i++)
		apply(disk.kept, &disk.moves[i]);
	if (moves < disk.num_moves)
		sim_count(SIM_LOST_NAMES);
	disk.num_moves = 0;
	memcpy(disk.now, disk.kept, sizeof(disk.now));
	for (size_t i = 0; i < FILES; i++) {
		struct file *f = &disk.files[i];

		for (const struct write *w = f->first; w != NULL; w = w->next)
			survive(&f->kept, w, how);
		forget(f);
		copy(&f->now, &f->kept);
	}
	sim_count(SIM_POWER_LOSSES);
}

static void dump(struct disk *to, const struct disk *from)
{
	for (size_t i = 0; i < FILES; i++) {
		forget(&to->files[i]);
		to->files[i].used = from->files[i].used;
		copy(&to->files[i].now, &from->files[i].now);
		copy(&to->files[i].kept, &from->files[i].now);
	}
	memcpy(to->now, from->now, sizeof(to->now));
	memcpy(to->kept, from->now, sizeof(to->kept));
	to->num_moves = 0;
}

void disk_save(void)
{
	for (size_t i = 0; i < FILES; i++)
		if (saved.files[i].last == NULL)
			saved.files[i].last = &saved.files[i].first;
	dump(&saved, &disk);
}

void disk_restore(void)
{
	dump(&disk, &saved);
}

bool disk_exists(const char *path)
{
	return find(disk.now, path) != NULL;
}

static bool is_named(int file)
{
	for (size_t i = 0; i < NAMES; i++)
		if (disk.now[i].file == file || disk.kept[i].file == file)
			return true;
	for (size_t i = 0; i < disk.num_moves; i++)
		if (disk.moves[i].file == file)
			return true;
	return false;
}

int disk_open(const char *path, bool create, bool exclusive, int *file)
{
	const struct name *n = find(disk.now, path);
	int error;

	if (n != NULL && exclusive)
		return EEXIST;
	if (n != NULL) {
		*file = n->file;
		return 0;
	}
	if (!create)
		return ENOENT;
	if ((error = fault(true, false)) != 0)
		return error;
	for (int i = 0; i < FILES; i++) {
		struct file *f = &disk.files[i];

		if (f->used && is_named(i))
			continue;
		forget(f);
		set_len(&f->now, 0);
		set_len(&f->kept, 0);
		f->used = true;
		move("", path, i);
		*file = i;
		return 0;
	}
	sim_fail("limit", "too many files on the disk");
}

int disk_read(int file, void *to, size_t len, size_t at, size_t *got)
{
	const struct content *c = &disk.files[file].now;
	const size_t there = at < c->len ? c->len - at : 0;
	/* A sick disk does not read well either. */
	const int error = plan == DISK_EIO ? fault(false, false) : 0;

	*got = 0;
	if (error != 0)
		return error;
	*got = len < there ? len : there;
	if (*got > 0)
		memcpy(to, c->ptr + at, *got);
	return 0;
}

int disk_write(int file, const void *from, size_t len, size_t at)
{
	struct file *f = &disk.files[file];
	int error;

	/* Whoever dies in it leaves it half done. */
	if ((plan == DISK_KILL || plan == DISK_POWER) && plan_after == 0 && len > 1) {
		const size_t half = draw((uint32_t)len);

		put(&f->now, from, half, at);
		remember(f, from, half, at, false);
	}
	if ((error = fault(true, false)) != 0)
		return error;
	put(&f->now, from, len, at);
	remember(f, from, len, at, false);
	return 0;
}

int disk_truncate(int file, size_t len)
{
	struct file *f = &disk.files[file];
	const int error = fault(true, false);

	if (error != 0)
		return error;
	set_len(&f->now, len);
	remember(f, NULL, 0, len, true);
	return 0;
}

int disk_sync(int file)
{
	struct file *f = &disk.files[file];
	const int error = fault(false, true);

	for (const struct write *w = f->first; w != NULL && error == 0; w = w->next) {
		if (w->cut)
			set_len(&f->kept, w->at);
		else
			put(&f->kept, w->bytes, w->len, w->at);
	}
	forget(f);
	return error;
}

int disk_sync_names(void)
{
	const int error = fault(false, true);

	if (error != 0)
		return error;
	for (size_t i = 0; i < disk.num_moves; i++)
		apply(disk.kept, &disk.moves[i]);
	disk.num_moves = 0;
	return 0;
}

int disk_remove(const char *path)
{
	const int error = disk_exists(path) ? fault(true, false) : ENOENT;

	if (error == 0)
		move(path, "", -1);
	return error;
}

int disk_rename(const char *from, const char *to, bool replace)
{
	const struct name *n = find(disk.now, from);
	const int error = n == NULL ? ENOENT : !replace && disk_exists(to) ? EEXIST : fault(true, false);

	if (error == 0)
		move(from, to, n->file);
	return error;
}

size_t disk_len(int file)
{
	return disk.files[file].now.len;
}
