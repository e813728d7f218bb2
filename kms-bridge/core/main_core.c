/* SPDX-License-Identifier: Apache-2.0
 *
 * derot-core: verifier, logs and keys. No network, no arguments, no environment: everything it is to do comes
 * over fd 3 (kms-bridge/proto.h); what it knows of the chain comes over fd 4, and is proved or refused.
 */
#include <stdio.h>

#include "kms-bridge/core/core.h"

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "derot-core is started by derot and takes no arguments; see derot help\n");
		return 64;
	}
	return dr_core_main();
}
