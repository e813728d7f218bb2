/* SPDX-License-Identifier: Apache-2.0
 *
 * notified PATH: a service manager as sd_notify(3) sees one: listens at this unix socket and prints what it is told,
 * a datagram a line, until it is killed.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char text[1024];
	ssize_t len;

	if (argc != 2 || strlen(argv[1]) >= sizeof(addr.sun_path))
		return 64;
	memcpy(addr.sun_path, argv[1], strlen(argv[1]));
	const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
		return perror(argv[1]), 1;
	printf("listening\n");
	fflush(stdout);
	while ((len = recv(fd, text, sizeof(text), 0)) >= 0) {
		printf("%.*s\n", (int)len, text);
		fflush(stdout);
	}
	return 1;
}
