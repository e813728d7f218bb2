/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "chain/base/limits.h"

#define READ_LEN    ((size_t)256 * 1024)
#define COMPACT_LEN ((size_t)1 << 20)
#define BUF_CAP     (2 * (size_t)DR_MSG_LEN_MAX + READ_LEN)

void dr_channel_init(struct dr_channel *ch, int fd)
{
	memset(ch, 0, sizeof(*ch));
	ch->fd = fd;
	dr_buf_init(&ch->in, BUF_CAP);
	dr_buf_init(&ch->out, BUF_CAP);
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void dr_channel_close(struct dr_channel *ch)
{
	if (ch->fd >= 0)
		close(ch->fd);
	dr_buf_free(&ch->in);
	dr_buf_free(&ch->out);
	dr_channel_init(ch, -1);
}

enum dr_err dr_channel_read(struct dr_channel *ch, struct dr_fail *fail)
{
	if (ch->fd < 0 || ch->eof)
		return DR_OK;
	if (ch->in_at > 0) {
		dr_buf_drop(&ch->in, ch->in_at);
		ch->in_at = 0;
	}
	uint8_t *to = dr_buf_reserve(&ch->in, READ_LEN, fail);

	if (to == NULL)
		return fail->err;
	const ssize_t num = read(ch->fd, to, READ_LEN);

	if (num > 0)
		ch->in.len += (size_t)num;
	else if (num == 0 || errno == ECONNRESET)
		ch->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		return dr_fail_set(fail, DR_ERR_IO, "a channel could not be read", (size_t)errno);
	return DR_OK;
}

bool dr_channel_next(struct dr_channel *ch, uint16_t *type, struct dr_bytes *payload, struct dr_fail *fail)
{
	size_t used = 0;

	if (ch->in.len == ch->in_at ||
	    dr_msg_get(type, payload, &used, dr_bytes_of(ch->in.ptr + ch->in_at, ch->in.len - ch->in_at), fail) !=
		    DR_OK)
		return false;
	ch->in_at += used;
	return used > 0;
}

size_t dr_channel_pending(const struct dr_channel *ch)
{
	return ch->out.len - ch->out_at;
}

enum dr_err dr_channel_write(struct dr_channel *ch, struct dr_fail *fail)
{
	while (ch->fd >= 0 && !ch->gone && dr_channel_pending(ch) > 0) {
		const ssize_t num = write(ch->fd, ch->out.ptr + ch->out_at, dr_channel_pending(ch));

		if (num >= 0) {
			ch->out_at += (size_t)num;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN)
			break;
		if (errno != EPIPE && errno != ECONNRESET)
			return dr_fail_set(fail, DR_ERR_IO, "a channel could not be written", (size_t)errno);
		ch->gone = true; /* what it said before is still there: read tells when that ends */
	}
	if (ch->fd < 0 || ch->gone)
		ch->out_at = ch->out.len; /* nobody is there to read it */
	if (ch->out_at == ch->out.len || ch->out_at > COMPACT_LEN) {
		/* What was written may have held a key: it does not stay behind. */
		if (ch->out_at > 0)
			explicit_bzero(ch->out.ptr, ch->out_at);
		dr_buf_drop(&ch->out, ch->out_at);
		ch->out_at = 0;
	}
	return DR_OK;
}

void dr_channel_flush(struct dr_channel *ch, size_t left, int timeout_ms)
{
	struct dr_fail fail = { 0 };

	while (dr_channel_write(ch, &fail) == DR_OK && dr_channel_pending(ch) > left) {
		struct pollfd p = { .fd = ch->fd, .events = POLLOUT };
		const int num = poll(&p, 1, timeout_ms);

		if (num == 0 || (num < 0 && errno != EINTR))
			return;
	}
}
