/* SPDX-License-Identifier: Apache-2.0
 *
 * channel: one stream of messages (proto.h), never blocking except in dr_channel_flush.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_CHANNEL_H
#define DR_CORE_CHANNEL_H

#include "kms-bridge/proto.h"

struct dr_channel {
	int fd;    /* -1: none */
	bool eof;  /* the other side says no more; it may still listen */
	bool gone; /* and it does not listen either: what is still to be written is forgotten */
	struct dr_buf in, out;
	size_t in_at, out_at; /* bytes of in that were handed out, of out that were written */
};

/* dr_channel_init: takes fd (-1: a channel that is not there; reads and writes do nothing). */
void dr_channel_init(struct dr_channel *ch, int fd);
void dr_channel_close(struct dr_channel *ch);

/* dr_channel_read: what is there now, up to 256 KiB. DR_ERR_IO, DR_ERR_NOMEM. */
enum dr_err dr_channel_read(struct dr_channel *ch, struct dr_fail *fail);

/* dr_channel_next: true and the next message; its payload is valid until the next read. False: none yet, or
 * (*fail is set) what came is no message. */
bool dr_channel_next(struct dr_channel *ch, uint16_t *type, struct dr_bytes *payload, struct dr_fail *fail);

/* dr_channel_pending: bytes that wait to be written. dr_channel_write: writes what is taken now. */
size_t dr_channel_pending(const struct dr_channel *ch);
enum dr_err dr_channel_write(struct dr_channel *ch, struct dr_fail *fail);

/* dr_channel_flush: writes until at most `left` bytes wait, or the other side is gone, or takes nothing for
 * timeout_ms (-1: no limit). */
void dr_channel_flush(struct dr_channel *ch, size_t left, int timeout_ms);

#endif
