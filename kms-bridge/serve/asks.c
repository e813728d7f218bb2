/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/serve/asks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "kms-bridge/serve/route.h"

#define READ_LEN ((size_t)32 << 10)
#define IN_CAP   ((size_t)256 << 10) /* more than the longest message that may come here */
#define OUT_CAP  ((size_t)64 << 10)  /* questions are short, and their number is limited */

void dr_asks_init(struct dr_asks *a, int fd)
{
	memset(a, 0, sizeof(*a));
	a->fd = fd;
	dr_buf_init(&a->in, IN_CAP);
	dr_buf_init(&a->out, OUT_CAP);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static struct dr_exchange *at(const struct dr_asks *a, size_t idx)
{
	return a->queue[(a->first + idx) % DR_SERVE_ASKS_MAX];
}

static struct dr_exchange *shift(struct dr_asks *a)
{
	struct dr_exchange *x = at(a, 0);

	a->first = (a->first + 1) % DR_SERVE_ASKS_MAX;
	a->num--;
	x->asked = false;
	return x;
}

void dr_asks_free(struct dr_asks *a)
{
	while (a->num > 0) {
		struct dr_exchange *x = shift(a);

		dr_exchange_free(x);
		dr_heap_free(x);
	}
	dr_buf_free(&a->in);
	dr_buf_free(&a->out);
}

bool dr_asks_add(struct dr_asks *a, struct dr_exchange *x, struct dr_fail *fail)
{
	if (a->num == DR_SERVE_ASKS_MAX || x->route->ask(x, &a->out, fail) != DR_OK)
		return false;
	a->queue[(a->first + a->num++) % DR_SERVE_ASKS_MAX] = x;
	x->asked = true;
	return true;
}

enum dr_err dr_asks_write(struct dr_asks *a, struct dr_fail *fail)
{
	while (a->out.len > 0) {
		const ssize_t num = send(a->fd, a->out.ptr, a->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (num > 0)
			dr_buf_drop(&a->out, (size_t)num);
		else if (errno == EAGAIN)
			return DR_OK;
		else if (errno == EPIPE || errno == ECONNRESET)
			return DR_OK; /* reading says the rest */
		else if (errno != EINTR)
			return dr_fail_set(fail, DR_ERR_IO, "the channel to the core could not be written",
					   (size_t)errno);
	}
	return DR_OK;
}

enum dr_err dr_asks_read(struct dr_asks *a, bool *eof, struct dr_fail *fail)
{
	uint8_t *to = dr_buf_reserve(&a->in, READ_LEN, fail);
	const ssize_t num = to != NULL ? recv(a->fd, to, READ_LEN, MSG_DONTWAIT) : 0;

	*eof = false;
	if (to == NULL)
		return fail->err;
	if (num > 0)
		a->in.len += (size_t)num;
	else if (num == 0 || errno == ECONNRESET)
		*eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		return dr_fail_set(fail, DR_ERR_IO, "the channel to the core could not be read", (size_t)errno);
	return DR_OK;
}

struct dr_exchange *dr_asks_next(struct dr_asks *a, struct dr_fail *fail)
{
	struct dr_exchange *left = NULL;
	size_t taken = 0;

	while (left == NULL && fail->err == DR_OK) {
		struct dr_bytes payload;
		uint16_t type;
		size_t used;
		bool last;

		if (dr_msg_get(&type, &payload, &used, dr_bytes_of(a->in.ptr + taken, a->in.len - taken), fail) !=
			    DR_OK ||
		    used == 0)
			break;
		taken += used;
		if (a->num == 0)
			dr_fail_set(fail, DR_ERR_UNKNOWN, "the core says something without being asked", type);
		else if (dr_answer_take(&last, at(a, 0), type, payload, fail) == DR_OK && last)
			left = shift(a);
	}
	if (taken > 0)
		dr_buf_drop(&a->in, taken);
	return left;
}

struct dr_exchange *dr_asks_overdue(struct dr_asks *a, uint64_t now_ms, int *wait_ms)
{
	*wait_ms = -1;
	/* All wait equally long: the first one that still waits is the first whose time is over. */
	for (size_t i = 0; i < a->num; i++) {
		struct dr_exchange *x = at(a, i);

		if (x->abandoned)
			continue;
		*wait_ms = x->until_ms > now_ms ? (int)(x->until_ms - now_ms) : 0;
		return *wait_ms == 0 ? x : NULL;
	}
	return NULL;
}
