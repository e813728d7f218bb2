/* SPDX-License-Identifier: Apache-2.0
 *
 * arena: all heap memory of the project comes from here (and from libraries that insist).
 *
 *   dr_arena   one capped region per block, request or file: allocate, reset, free as a whole.
 *   dr_buf     a growable run of bytes with a cap.
 *   dr_heap_*  the single place where malloc and free are called.
 *
 * Layer: chain/base.
 */
#ifndef DR_BASE_ARENA_H
#define DR_BASE_ARENA_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* dr_heap_alloc: len zeroed bytes, or NULL. dr_heap_grow: as realloc, the new tail zeroed; on NULL the
 * old block is untouched. dr_heap_free: takes ptr, which may be NULL. */
void *dr_heap_alloc(size_t len);
void *dr_heap_grow(void *ptr, size_t len_old, size_t len_new);
void dr_heap_free(void *ptr);

struct dr_arena; /* opaque */

/* dr_arena_new: an arena that hands out at most cap bytes in total between resets; NULL if the system
 * has no memory. Memory is taken in chunks as needed; what it takes is bounded by cap, whatever was asked for before
 * the last reset: never much above twice as much. */
struct dr_arena *dr_arena_new(size_t cap);

/* dr_arena_alloc: len zeroed bytes, aligned for any type; NULL when the cap is reached. */
void *dr_arena_alloc(struct dr_arena *arena, size_t len);

/* dr_arena_reset: everything handed out is gone; the memory of what was no larger than a chunk is kept for reuse. */
void dr_arena_reset(struct dr_arena *arena);

/* dr_arena_free: takes arena, which may be NULL. */
void dr_arena_free(struct dr_arena *arena);

struct dr_buf {
	uint8_t *ptr;
	size_t len;
	size_t room; /* bytes allocated */
	size_t cap;  /* never grows beyond */
	bool secret; /* what leaves it, or was moved within it, is wiped: set it right after dr_buf_init */
};

/* dr_buf_init: empty; nothing is allocated until the first append. */
void dr_buf_init(struct dr_buf *buf, size_t cap);

/* dr_buf_append: copies len bytes to the end. DR_ERR_LIMIT beyond cap, DR_ERR_NOMEM; unchanged then. */
enum dr_err dr_buf_append(struct dr_buf *buf, const void *ptr, size_t len, struct dr_fail *fail);

/* dr_buf_reserve: makes room for len more bytes and returns where they go (the caller then adds to
 * buf->len what it wrote), or NULL with *fail set. */
uint8_t *dr_buf_reserve(struct dr_buf *buf, size_t len, struct dr_fail *fail);

/* dr_buf_drop: removes the first len bytes (len ≤ buf->len). */
void dr_buf_drop(struct dr_buf *buf, size_t len);

/* dr_buf_free: releases the memory; the buffer is empty and usable again. */
void dr_buf_free(struct dr_buf *buf);

static inline struct dr_bytes dr_buf_view(const struct dr_buf *buf)
{
	return dr_bytes_of(buf->ptr, buf->len);
}

#endif
