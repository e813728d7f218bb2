/* SPDX-License-Identifier: Apache-2.0
 *
 * http: HTTP/1.1 over one listening socket (GNU libmicrohttpd), one thread, one loop with the channel to the core.
 * What may be asked is route.h's table; the core is asked while the connection waits, so that a slow answer holds up
 * nobody else.
 *
 * 1. Only GET and HEAD, without a body.
 * 2. Over TCP exactly one Host header, that names loopback: a web page of elsewhere does not get an answer by a name
 * of its own. No answer allows another origin to read it.
 * 3. A bounded number of connections, of bytes of each one's headers, of seconds that it may say nothing, of
 * questions to the core, of bytes of an answer.
 *
 * Layer: kms-bridge/serve.
 */
#ifndef DR_SERVE_HTTP_H
#define DR_SERVE_HTTP_H

#include <stdbool.h>

#include "chain/base/err.h"

#define DR_HTTP_CONNECTIONS_MAX 32u
#define DR_HTTP_HEADERS_MAX     ((size_t)16 << 10) /* request line, headers and MHD's own needs */
#define DR_HTTP_IDLE_S          10u
#define DR_HTTP_CORE_WAIT_MS    5000u /* then 503 */

/* dr_http_run: serves until the core closes the channel: DR_OK. Takes both descriptors. local: a unix socket, which
 * no web page reaches. ready, if not NULL, is called once, when everything is open and nothing was read yet. */
enum dr_err dr_http_run(int channel, int listener, bool local, enum dr_err (*ready)(struct dr_fail *fail),
			struct dr_fail *fail);

#endif
