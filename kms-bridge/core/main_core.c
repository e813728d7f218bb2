/* SPDX-License-Identifier: Apache-2.0
 *
 * derot-core: verifier, logs and keys. No network, no arguments, no environment: everything it is to do comes
 * over fd 3 (kms-bridge/proto.h); what it knows of the chain comes over fd 4, and is proved or refused.
 *
 * derot-core --calls: what it may ask of the kernel, and why.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "kms-bridge/core/core.h"
#include "kms-bridge/core/core_calls.h"

#define CONTROL 3

int main(int argc, char **argv)
{
	socklen_t type_len = sizeof(int);
	int type = 0;

	if (argc == 2 && strcmp(argv[1], "--calls") == 0)
		return dr_sandbox_print(&dr_core_sandbox, stdout) ? 0 : 1;
	if (argc > 1) {
		fprintf(stderr,
			"derot-core is started by derot and takes no arguments but --calls; see derot help\n");
		return 64;
	}
	/* Nobody would hear why it ends. */
	if (getsockopt(CONTROL, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0 || type != SOCK_STREAM) {
		fprintf(stderr,
			"derot-core: file descriptor 3 is not the channel to derot, which starts this program\n");
		return 1;
	}
	return dr_core_main(dr_core_confine);
}
