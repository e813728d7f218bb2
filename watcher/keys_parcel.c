/* SPDX-License-Identifier: Apache-2.0
 *
 * derot keys share, derot keys accept: a root generation from one node's core to another's, as a file, or over a unix
 * socket that exists for this one time. What goes over is encrypted to the node it is for (kms-bridge/core/parcel.h)
 * and is not looked at here.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "kms-bridge/tell/tell.h"
#include "watcher/keys.h"
#include "watcher/secret_file.h"

static enum dr_err address_of(struct sockaddr_un *addr, const char *path, struct dr_fail *fail)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(addr->sun_path))
		return dr_fail_set(fail, DR_ERR_LIMIT, "the path is too long for a unix socket", strlen(path));
	memcpy(addr->sun_path, path, strlen(path));
	return DR_OK;
}

static enum dr_err send_to(const char *path, struct dr_bytes bytes, struct dr_fail *fail)
{
	struct sockaddr_un addr;
	int fd = -1;

	if (address_of(&addr, path, fail) != DR_OK)
		return fail->err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
		dr_fail_set(fail, DR_ERR_IO, "nobody accepts a parcel at this socket", (size_t)errno);
	while (fail->err == DR_OK && bytes.len > 0) {
		const ssize_t put = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			dr_fail_set(fail, DR_ERR_IO, "the other side did not take the whole parcel", (size_t)errno);
			break;
		}
		bytes = dr_bytes_of(bytes.ptr + put, bytes.len - (size_t)put);
	}
	if (fd >= 0)
		close(fd);
	return fail->err;
}

int dr_cmd_keys_share(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	struct dr_parcel_query query = { .generation = o->wanted };
	struct dr_fail fail = { 0 }, text = { 0 };
	struct dr_bytes payload;
	struct dr_asking a;
	struct dr_run run;
	int code;

	if (o->to == NULL || dr_hex_fixed(query.node, 20, o->to, strlen(o->to), &text) != DR_OK)
		return dr_cli_usage(cli, "--to is the other node's address, 0x and 40 hexadecimal digits", o->to);
	if ((o->out == NULL) == (o->socket == NULL))
		return dr_cli_usage(cli, "where to: -o FILE, or --socket PATH", NULL);
	code = dr_ask_open(&a, cli, o->config);
	a.next =
		"derot audit log tells which shares (root.share) are final and in force; derot status, which root is "
		"held here";
	a.may_lack = true;
	if (code == DR_EXIT_OK && dr_parcel_query_put(&a.core.out, DR_MSG_PARCEL_GET, &query, &fail) != DR_OK)
		code = dr_ask_odd(&a, &fail);
	if (code == DR_EXIT_OK)
		code = dr_ask_answer(&a, DR_MSG_PARCEL, &payload);
	if (code == DR_EXIT_OK && dr_run_get(&run, payload, &fail) != DR_OK)
		code = dr_ask_odd(&a, &fail);
	if (code == DR_EXIT_OK && o->out != NULL && dr_new_file_write(o->out, run.bytes, &fail) != DR_OK)
		code = dr_ask_failed(cli, &fail, o->out, "name a new file");
	if (code == DR_EXIT_OK && o->socket != NULL && send_to(o->socket, run.bytes, &fail) != DR_OK)
		code = dr_ask_failed(cli, &fail, o->socket, "run derot keys accept --socket there first");
	if (code == DR_EXIT_OK) {
		json_t *obj = json_object();

		json_object_set_new(obj, "for", dr_tell_hex(query.node, 20));
		json_object_set_new(obj, "generation",
				    o->wanted != 0 ? json_integer((json_int_t)o->wanted) : json_string("newest"));
		json_object_set_new(obj, "bytes", json_integer((json_int_t)run.bytes.len));
		json_object_set_new(obj, o->out != NULL ? "file" : "socket",
				    dr_out_json_text(o->out != NULL ? o->out : o->socket));
		json_object_set_new(obj, "next",
				    json_string("derot keys accept at that node; nobody else can open it"));
		dr_out_object(&cli->out, obj);
		json_decref(obj);
	}
	dr_ask_close(&a);
	return code;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* Until there is something, or a signal: the timeout is only for one that came before poll did. */
static bool wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!interrupted && poll(&p, 1, 500) <= 0)
		;
	return !interrupted;
}

/* Everything up to the end, at most DR_RUN_MAX bytes. */
static enum dr_err read_all(struct dr_buf *out, int fd, struct dr_fail *fail)
{
	for (;;) {
		uint8_t *to = dr_buf_reserve(out, 4096, fail);

		if (to == NULL)
			return fail->err;
		if (!wait_readable(fd))
			return dr_fail_set(fail, DR_ERR_IO, "interrupted: no parcel came", EINTR);
		const ssize_t got = read(fd, to, 4096);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return dr_fail_set(fail, DR_ERR_IO, "reading a parcel", (size_t)errno);
		if (got == 0)
			return DR_OK;
		out->len += (size_t)got;
		if (out->len > DR_RUN_MAX)
			return dr_fail_set(fail, DR_ERR_LIMIT, "too long for a parcel", out->len);
	}
}

static enum dr_err read_file(struct dr_buf *out, const char *path, struct dr_fail *fail)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return dr_fail_set(fail, DR_ERR_IO, "the parcel's file does not open", (size_t)errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		dr_fail_set(fail, DR_ERR_IO, "the parcel's file is no plain file", 0);
	else
		read_all(out, fd, fail);
	close(fd);
	return fail->err;
}

/* Waits for the one that connects. */
static enum dr_err wait_for_one(struct dr_buf *out, int fd, struct dr_fail *fail)
{
	int client = -1;

	while (client < 0 && wait_readable(fd))
		client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		dr_fail_set(fail, DR_ERR_IO, "interrupted: no parcel came", EINTR);
	else
		read_all(out, client, fail);
	if (client >= 0)
		close(client);
	return fail->err;
}

static enum dr_err receive_at(struct dr_buf *out, const char *path, struct dr_fail *fail)
{
	const struct sigaction ours = { .sa_handler = on_signal };
	struct sigaction old[2];
	struct sockaddr_un addr;
	mode_t mask;
	int fd, bound;

	if (address_of(&addr, path, fail) != DR_OK)
		return fail->err;
	/* A signal ends the wait, so that the socket does not stay behind: from before it is there. */
	interrupted = 0;
	sigaction(SIGINT, &ours, &old[0]);
	sigaction(SIGTERM, &ours, &old[1]);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Of mode 0600 from its first moment. */
	mask = umask(0177);
	bound = fd >= 0 ? bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) : -1;
	if (bound != 0 || listen(fd, 1) != 0)
		dr_fail_set(fail, DR_ERR_IO, "a new socket cannot be made there", (size_t)errno);
	umask(mask);
	if (fail->err == DR_OK)
		wait_for_one(out, fd, fail);
	if (bound == 0)
		unlink(path);
	if (fd >= 0)
		close(fd);
	sigaction(SIGINT, &old[0], NULL);
	sigaction(SIGTERM, &old[1], NULL);
	return fail->err;
}

int dr_cmd_keys_accept(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	const char *source = o->file != NULL ? o->file : o->socket;
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_asking a;
	struct dr_done done;
	struct dr_buf parcel;
	int code;

	if ((o->file == NULL) == (o->socket == NULL))
		return dr_cli_usage(cli, "what: a parcel's FILE, or --socket PATH", NULL);
	/* Before somebody is made to wait for nothing. */
	code = dr_ask_config(&a, cli, o->config);
	dr_ask_close(&a);
	if (code != DR_EXIT_OK)
		return code;
	dr_buf_init(&parcel, DR_RUN_MAX + 8192);
	if ((o->file != NULL ? read_file(&parcel, o->file, &fail) : receive_at(&parcel, o->socket, &fail)) != DR_OK) {
		dr_buf_free(&parcel);
		return dr_ask_failed(cli, &fail, source, "ask the other node for derot keys share");
	}
	code = dr_ask_open(&a, cli, o->config);
	a.next = "ask a holder's operator for derot keys share --to this node, once its share (root.share in derot "
		 "audit log) is final and in force";
	if (code == DR_EXIT_OK &&
	    dr_run_put(&a.core.out, DR_MSG_PARCEL_PUT, &(struct dr_run){ dr_buf_view(&parcel) }, &fail) != DR_OK)
		code = dr_ask_odd(&a, &fail);
	if (code == DR_EXIT_OK)
		code = dr_ask_answer(&a, DR_MSG_DONE, &payload);
	if (code == DR_EXIT_OK && dr_done_get(&done, payload, &fail) != DR_OK)
		code = dr_ask_odd(&a, &fail);
	if (code == DR_EXIT_OK) {
		json_t *obj = json_object();

		json_object_set_new(obj, "done", dr_out_json_text(done.what));
		json_object_set_new(obj, "from", dr_out_json_text(source));
		dr_out_object(&cli->out, obj);
		json_decref(obj);
	}
	dr_ask_close(&a);
	dr_buf_free(&parcel);
	return code;
}
