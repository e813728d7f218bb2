/* SPDX-License-Identifier: Apache-2.0
 *
 * derot-watch CONFIG: the untrusted side: asks the endpoints of derot.yaml what the core wants (file descriptor 3,
 * kms-bridge/proto.h), and hands over what they answer. Holds no keys. Ends when the core closes the channel.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "watcher/cli.h"
#include "watcher/config.h"
#include "watcher/planner.h"
#include "watcher/rpc.h"
#include "watcher/watch_calls.h"

#define CHANNEL  3
#define TICK_MS  100
#define READ_MAX 65536u

struct watch {
	struct dr_rpc *rpc;
	struct dr_plan *plan;
	struct dr_buf in;
	int tick_ms; /* how long to wait for news before the plan is looked at again */
};

static int failed(const char *what)
{
	fprintf(stderr, "derot-watch: %s\n", what);
	return DR_EXIT_ERROR;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool io_busy(void *ctx, uint16_t endpoint)
{
	return dr_rpc_busy(((struct watch *)ctx)->rpc, endpoint);
}

static enum dr_err io_post(void *ctx, uint16_t endpoint, struct dr_rpc_call *calls, size_t num, struct dr_fail *fail)
{
	return dr_rpc_post(((struct watch *)ctx)->rpc, endpoint, calls, num, NULL, fail);
}

/* For spreading retries only. */
static uint32_t io_random(void *ctx)
{
	uint32_t out = 0;

	(void)ctx;
	if (getrandom(&out, sizeof(out), GRND_NONBLOCK) != (ssize_t)sizeof(out))
		out = UINT32_MAX / 2;
	return out;
}

static enum dr_err messages(struct watch *w, struct dr_fail *fail)
{
	for (;;) {
		struct dr_bytes payload;
		uint16_t type;
		size_t used;

		if (dr_msg_get(&type, &payload, &used, dr_buf_view(&w->in), fail) != DR_OK || used == 0)
			return fail->err;
		if (dr_plan_message(w->plan, type, payload, now_ms(), fail) != DR_OK)
			return fail->err;
		dr_buf_drop(&w->in, used);
	}
}

/* False: the channel is closed. */
static bool receive(struct watch *w, struct dr_fail *fail)
{
	for (;;) {
		uint8_t *to = dr_buf_reserve(&w->in, READ_MAX, fail);
		const ssize_t got = to != NULL ? recv(CHANNEL, to, READ_MAX, MSG_DONTWAIT) : -1;

		if (to == NULL)
			return true;
		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		if (got == 0)
			return false;
		w->in.len += (size_t)got;
		if (messages(w, fail) != DR_OK)
			return true;
	}
}

static bool transmit(struct dr_buf *out)
{
	bool open = true;
	size_t done = 0;

	while (done < out->len && open) {
		const ssize_t put = send(CHANNEL, out->ptr + done, out->len - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (put >= 0)
			done += (size_t)put;
		else if (errno == EAGAIN)
			break;
		else
			open = errno == EINTR;
	}
	dr_buf_drop(out, done);
	return open;
}

static int serve(struct watch *w)
{
	struct dr_fail fail = { 0 };
	struct dr_buf *out = dr_plan_out(w->plan);
	char text[256];

	while (fail.err == DR_OK) {
		struct dr_rpc_exchange *x;
		short ready = 0;

		dr_plan_tick(w->plan, now_ms(), &fail);
		if (!transmit(out))
			return DR_EXIT_OK;
		dr_rpc_wait(w->rpc, CHANNEL, out->len > 0 ? POLLIN | POLLOUT : POLLIN, &ready, w->tick_ms);
		while (fail.err == DR_OK && (x = dr_rpc_done(w->rpc)) != NULL) {
			dr_plan_done(w->plan, x, now_ms(), &fail);
			dr_rpc_exchange_free(x);
		}
		if (fail.err == DR_OK && (ready & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive(w, &fail))
			return DR_EXIT_OK;
	}
	snprintf(text, sizeof(text), "%s: %s", dr_err_name(fail.err), fail.what);
	return failed(text);
}

int main(int argc, char **argv)
{
	static struct dr_config config;
	struct dr_yaml_error error = { 0 };
	const char *urls[DR_ENDPOINTS_MAX];
	struct watch w = { 0 };
	struct dr_fail fail = { 0 };
	int type, exit_code;
	socklen_t type_len = sizeof(type);

	if (argc == 2 && strcmp(argv[1], "--calls") == 0)
		return dr_sandbox_print(&dr_watch_sandbox, stdout) ? DR_EXIT_OK : DR_EXIT_ERROR;
	if (argc != 2) {
		fprintf(stderr,
			"usage: derot-watch CONFIG (started by derot, with its channel as file descriptor 3)\n"
			"       derot-watch --calls (what it may ask of the kernel, and why)\n");
		return DR_EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	if (getsockopt(CHANNEL, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0 || type != SOCK_STREAM)
		return failed("file descriptor 3 is not the channel to a core: derot starts this program");
	fcntl(CHANNEL, F_SETFD, FD_CLOEXEC);
	if (dr_config_load(&config, argv[1], &error) != DR_OK)
		return failed(error.text);
	for (uint16_t i = 0; i < config.num_endpoints; i++)
		urls[i] = config.endpoints[i].url;
	for (uint16_t i = 0; i < config.num_beacons; i++)
		urls[config.num_endpoints + i] = config.beacons[i].url;
	const struct dr_rpc_limits limits = {
		.timeout_ms = config.timeout_ms,
		.batch_requests = config.batch_requests,
		.batch_bytes = config.batch_bytes,
		.body_max = DR_RPC_BODY_MAX,
	};
	struct dr_plan_config plan = {
		.chain_id = config.chain_id,
		.quorum_k = config.quorum_k,
		.num_endpoints = config.num_endpoints,
		.num_beacons = config.num_beacons,
		.network = config.network,
		.poll_ms = config.poll_ms,
		.batch_requests = config.batch_requests,
		.final_tag = dr_tag_name(config.tag),
	};
	const struct dr_plan_io io = { .ctx = &w, .busy = io_busy, .post = io_post, .random = io_random };

	memcpy(plan.genesis, config.genesis, 32);
	w.tick_ms = config.poll_ms < TICK_MS ? (int)config.poll_ms : TICK_MS;
	dr_buf_init(&w.in, DR_MSG_LEN_MAX);
	w.rpc = dr_rpc_new(urls, (size_t)config.num_endpoints + config.num_beacons, config.num_beacons, &limits);
	w.plan = w.rpc != NULL ? dr_plan_new(&plan, &io) : NULL;
	if (w.plan == NULL)
		exit_code = failed("no memory");
	else
		exit_code = dr_watch_confine(&fail) == DR_OK ? serve(&w) : failed(fail.what);
	dr_plan_free(w.plan);
	dr_rpc_free(w.rpc);
	dr_buf_free(&w.in);
	dr_config_free(&config);
	return exit_code;
}
