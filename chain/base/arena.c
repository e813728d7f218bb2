/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "chain/base/limits.h"

void *dr_heap_alloc(size_t len)
{
	return calloc(1, len == 0 ? 1 : len);
}

void *dr_heap_grow(void *ptr, size_t len_old, size_t len_new)
{
	uint8_t *grown = realloc(ptr, len_new == 0 ? 1 : len_new);

	if (grown != NULL && len_new > len_old)
		memset(grown + len_old, 0, len_new - len_old);
	return grown;
}

void dr_heap_free(void *ptr)
{
	free(ptr);
}

struct chunk {
	struct chunk *next;
	size_t size;
	size_t used;
	alignas(max_align_t) uint8_t mem[];
};

struct dr_arena {
	struct chunk *first; /* of DR_ARENA_CHUNK each: these stay */
	struct chunk *cur;
	struct chunk *large; /* one for each block that is larger: these go at the next reset */
	size_t cap;
	size_t used;
};

struct dr_arena *dr_arena_new(size_t cap)
{
	struct dr_arena *arena = dr_heap_alloc(sizeof(*arena));

	if (arena != NULL)
		arena->cap = cap;
	return arena;
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *c = dr_heap_alloc(sizeof(*c) + size);

	if (c != NULL)
		c->size = size;
	return c;
}

static void chunks_free(struct chunk *first)
{
	for (struct chunk *c = first, *next; c != NULL; c = next) {
		next = c->next;
		dr_heap_free(c);
	}
}

/* A chunk that stays has room for any block but the large ones, so those behind the current one are used again before
 * another is taken. A chunk of its own that stayed would fit only blocks as large: who asks for larger ones each time
 * would have ever more of them kept. */
static struct chunk *chunk_for(struct dr_arena *arena, size_t len)
{
	struct chunk *c = arena->cur, *fresh;

	if (len > DR_ARENA_CHUNK) {
		fresh = chunk_new(len);
		if (fresh == NULL)
			return NULL;
		fresh->next = arena->large;
		return arena->large = fresh;
	}
	if (c != NULL && len <= c->size - c->used)
		return c;
	if (c != NULL && c->next != NULL) {
		c->next->used = 0;
		return arena->cur = c->next;
	}
	fresh = chunk_new(DR_ARENA_CHUNK);
	if (fresh == NULL)
		return NULL;
	if (c == NULL)
		arena->first = fresh;
	else
		c->next = fresh;
	return arena->cur = fresh;
}

void *dr_arena_alloc(struct dr_arena *arena, size_t len)
{
	const size_t align = alignof(max_align_t);

	if (len > SIZE_MAX - align)
		return NULL;
	const size_t need = (len + align - 1) / align * align;

	if (need > arena->cap - arena->used)
		return NULL;
	struct chunk *c = chunk_for(arena, need);

	if (c == NULL)
		return NULL;
	void *ptr = c->mem + c->used;

	c->used += need;
	arena->used += need;
	memset(ptr, 0, need);
	return ptr;
}

void dr_arena_reset(struct dr_arena *arena)
{
	chunks_free(arena->large);
	arena->large = NULL;
	arena->cur = arena->first;
	if (arena->cur != NULL)
		arena->cur->used = 0;
	arena->used = 0;
}

void dr_arena_free(struct dr_arena *arena)
{
	if (arena == NULL)
		return;
	chunks_free(arena->first);
	chunks_free(arena->large);
	dr_heap_free(arena);
}

void dr_buf_init(struct dr_buf *buf, size_t cap)
{
	*buf = (struct dr_buf){ .cap = cap };
}

/* dr_heap_grow may leave the old bytes where they were. */
static uint8_t *move(struct dr_buf *buf, size_t room)
{
	uint8_t *grown = dr_heap_alloc(room);

	if (grown == NULL)
		return NULL;
	if (buf->len > 0)
		memcpy(grown, buf->ptr, buf->len);
	if (buf->ptr != NULL)
		explicit_bzero(buf->ptr, buf->room);
	dr_heap_free(buf->ptr);
	return grown;
}

uint8_t *dr_buf_reserve(struct dr_buf *buf, size_t len, struct dr_fail *fail)
{
	if (len > buf->cap - buf->len) {
		dr_fail_set(fail, DR_ERR_LIMIT, "buffer would grow beyond its cap", buf->len);
		return NULL;
	}
	if (buf->ptr == NULL || len > buf->room - buf->len) {
		size_t room = buf->room < 256 ? 256 : buf->room;

		while (room - buf->len < len)
			room = room > buf->cap / 2 ? buf->cap : room * 2;
		uint8_t *grown = buf->secret ? move(buf, room) : dr_heap_grow(buf->ptr, buf->room, room);

		if (grown == NULL) {
			dr_fail_set(fail, DR_ERR_NOMEM, "no memory for a buffer", room);
			return NULL;
		}
		buf->ptr = grown;
		buf->room = room;
	}
	return buf->ptr + buf->len;
}

enum dr_err dr_buf_append(struct dr_buf *buf, const void *ptr, size_t len, struct dr_fail *fail)
{
	uint8_t *to = dr_buf_reserve(buf, len, fail);

	if (to == NULL)
		return fail->err;
	if (len > 0)
		memcpy(to, ptr, len);
	buf->len += len;
	return DR_OK;
}

void dr_buf_drop(struct dr_buf *buf, size_t len)
{
	DR_ASSERT(len <= buf->len);
	if (len > 0 && len < buf->len)
		memmove(buf->ptr, buf->ptr + len, buf->len - len);
	buf->len -= len;
	if (buf->secret && len > 0)
		explicit_bzero(buf->ptr + buf->len, len);
}

void dr_buf_free(struct dr_buf *buf)
{
	const bool secret = buf->secret;

	if (secret && buf->ptr != NULL)
		explicit_bzero(buf->ptr, buf->room);
	dr_heap_free(buf->ptr);
	dr_buf_init(buf, buf->cap);
	buf->secret = secret;
}
