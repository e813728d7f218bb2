/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite's file system on the disk of disk.h: one process, so that locks are nothing, and the shared index of its log
 * of writes is memory that every process begins without.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "chain/base/arena.h"
#include "tests/simulate/disk.h"
#include "tests/simulate/sim.h"

#define SHM_PAGES 16

struct vfile {
	sqlite3_file base;
	int file;
	bool fresh, remove; /* its name is not durable yet; it goes when it is closed */
	char path[64];
	void *shm[SHM_PAGES];
};

static int of(int error, int code)
{
	return error == 0 ? SQLITE_OK : error == ENOSPC ? SQLITE_FULL : code;
}

static void shm_drop(struct vfile *f)
{
	for (size_t i = 0; i < SHM_PAGES; i++) {
		dr_heap_free(f->shm[i]);
		f->shm[i] = NULL;
	}
}

static int x_close(sqlite3_file *file)
{
	struct vfile *f = (struct vfile *)file;

	shm_drop(f);
	if (f->remove)
		disk_remove(f->path);
	return SQLITE_OK;
}

static int x_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
	struct vfile *f = (struct vfile *)file;
	size_t got;
	const int error = disk_read(f->file, to, (size_t)len, (size_t)at, &got);

	if (error != 0)
		return SQLITE_IOERR_READ;
	if (got == (size_t)len)
		return SQLITE_OK;
	memset((uint8_t *)to + got, 0, (size_t)len - got);
	return SQLITE_IOERR_SHORT_READ;
}

static int x_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
	return of(disk_write(((struct vfile *)file)->file, from, (size_t)len, (size_t)at), SQLITE_IOERR_WRITE);
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 len)
{
	return of(disk_truncate(((struct vfile *)file)->file, (size_t)len), SQLITE_IOERR_TRUNCATE);
}

static int x_sync(sqlite3_file *file, int flags)
{
	struct vfile *f = (struct vfile *)file;

	(void)flags;
	if (disk_sync(f->file) != 0)
		return SQLITE_IOERR_FSYNC;
	/* As on unix: the first sync of a log makes its name durable, and with it those beside it. */
	if (f->fresh && disk_sync_names() != 0)
		return SQLITE_IOERR_DIR_FSYNC;
	f->fresh = false;
	return SQLITE_OK;
}

static int x_file_size(sqlite3_file *file, sqlite3_int64 *len)
{
	*len = (sqlite3_int64)disk_len(((struct vfile *)file)->file);
	return SQLITE_OK;
}

static int x_lock(sqlite3_file *file, int level)
{
	(void)file;
	(void)level;
	return SQLITE_OK;
}

static int x_reserved(sqlite3_file *file, int *out)
{
	(void)file;
	*out = 0;
	return SQLITE_OK;
}

static int x_control(sqlite3_file *file, int op, void *arg)
{
	(void)file;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int x_sector(sqlite3_file *file)
{
	(void)file;
	return 4096;
}

static int x_device(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int x_shm_map(sqlite3_file *file, int page, int len, int extend, void volatile **out)
{
	struct vfile *f = (struct vfile *)file;

	*out = NULL;
	if (page >= SHM_PAGES)
		return SQLITE_FULL;
	if (f->shm[page] == NULL && extend)
		f->shm[page] = dr_heap_alloc((size_t)len);
	*out = f->shm[page];
	return SQLITE_OK;
}

static int x_shm_lock(sqlite3_file *file, int at, int num, int flags)
{
	(void)file;
	(void)at;
	(void)num;
	(void)flags;
	return SQLITE_OK;
}

static void x_shm_barrier(sqlite3_file *file)
{
	(void)file;
}

static int x_shm_unmap(sqlite3_file *file, int drop)
{
	if (drop)
		shm_drop((struct vfile *)file);
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = x_close,
	.xRead = x_read,
	.xWrite = x_write,
	.xTruncate = x_truncate,
	.xSync = x_sync,
	.xFileSize = x_file_size,
	.xLock = x_lock,
	.xUnlock = x_lock,
	.xCheckReservedLock = x_reserved,
	.xFileControl = x_control,
	.xSectorSize = x_sector,
	.xDeviceCharacteristics = x_device,
	.xShmMap = x_shm_map,
	.xShmLock = x_shm_lock,
	.xShmBarrier = x_shm_barrier,
	.xShmUnmap = x_shm_unmap,
};

static int x_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *file, int flags, int *out)
{
	struct vfile *f = (struct vfile *)file;

	(void)vfs;
	memset(f, 0, sizeof(*f));
	SIM_MUST("limit", path != NULL && strlen(path) < sizeof(f->path), "SQLite opens a temporary file");
	const bool there = disk_exists(path);

	if (disk_open(path, (flags & SQLITE_OPEN_CREATE) != 0, (flags & SQLITE_OPEN_EXCLUSIVE) != 0, &f->file) != 0)
		return SQLITE_CANTOPEN;
	strcpy(f->path, path);
	f->fresh = !there && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
	f->remove = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
	f->base.pMethods = &methods;
	if (out != NULL)
		*out = flags;
	return SQLITE_OK;
}

static int x_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	const int error = disk_remove(path);

	(void)vfs;
	if (error == ENOENT)
		return SQLITE_IOERR_DELETE_NOENT;
	if (error != 0)
		return SQLITE_IOERR_DELETE;
	return sync != 0 && disk_sync_names() != 0 ? SQLITE_IOERR_DIR_FSYNC : SQLITE_OK;
}

static int x_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	(void)vfs;
	(void)flags;
	*out = disk_exists(path);
	return SQLITE_OK;
}

static int x_path(sqlite3_vfs *vfs, const char *path, int len, char *out)
{
	(void)vfs;
	if (strlen(path) >= (size_t)len)
		return SQLITE_CANTOPEN;
	strcpy(out, path);
	return SQLITE_OK;
}

static int x_random(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs;
	for (int i = 0; i < len; i++)
		out[i] = (char)(i * 7 + 1);
	return len;
}

static int x_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static int x_time(sqlite3_vfs *vfs, double *days)
{
	(void)vfs;
	*days = 2461000.5;
	return SQLITE_OK;
}

static int x_error(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs;
	if (len > 0)
		out[0] = 0;
	return 0;
}

/* SQLite's own memory is the core's: counted, and gone when it dies. */
static void *m_alloc(int len)
{
	uint64_t *ptr = dr_heap_alloc(sizeof(*ptr) + (size_t)len);

	if (ptr == NULL)
		return NULL;
	*ptr = (uint64_t)len;
	return ptr + 1;
}

static void m_free(void *ptr)
{
	dr_heap_free(ptr != NULL ? (uint64_t *)ptr - 1 : NULL);
}

static int m_size(void *ptr)
{
	return ptr != NULL ? (int)((uint64_t *)ptr)[-1] : 0;
}

static void *m_grow(void *ptr, int len)
{
	uint64_t *grown =
		dr_heap_grow((uint64_t *)ptr - 1, sizeof(*grown) + (size_t)m_size(ptr), sizeof(*grown) + (size_t)len);

	if (grown == NULL)
		return NULL;
	*grown = (uint64_t)len;
	return grown + 1;
}

static int m_round(int len)
{
	return (len + 7) & ~7;
}

static int m_init(void *ctx)
{
	(void)ctx;
	return SQLITE_OK;
}

static void m_end(void *ctx)
{
	(void)ctx;
}

void vfs_register(void)
{
	static const sqlite3_mem_methods memory = { m_alloc, m_free, m_grow, m_size, m_round, m_init, m_end, NULL };
	static sqlite3_vfs vfs = {
		.iVersion = 1,
		.szOsFile = sizeof(struct vfile),
		.mxPathname = 64,
		.zName = "simulated",
		.xOpen = x_open,
		.xDelete = x_delete,
		.xAccess = x_access,
		.xFullPathname = x_path,
		.xRandomness = x_random,
		.xSleep = x_sleep,
		.xCurrentTime = x_time,
		.xGetLastError = x_error,
	};

	/* What the process before left behind is no more: nothing of it is freed here. */
	sqlite3_shutdown();
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	SIM_MUST("limit", sqlite3_initialize() == SQLITE_OK && sqlite3_vfs_register(&vfs, 1) == SQLITE_OK,
		 "SQLite does not begin");
	sqlite3_randomness(0, NULL);
}
