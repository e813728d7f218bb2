/* SPDX-License-Identifier: Apache-2.0
 *
 * inject PID CALL: makes a running process try a system call that it would never make by itself, as one would that
 * was taken over, and says what became of it: "killed SIGSYS", or "returned N". The process goes on where it was if
 * it lives. Exit code 77: this machine does not let us trace it, or its processor is one that this tool does not
 * know.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIP 77

/* Arguments that need memory of the process are addresses that no process has: what the kernel would say to them
 * (EFAULT) it does not come to say. */
static const struct {
	const char *name;
	long number;
	unsigned long args[4];
} calls[] = {
	{ "socket-inet", SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ "socket-raw", SYS_socket, { AF_INET, SOCK_RAW, 1 } },
	{ "socket-unix", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
	{ "socket-netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 } },
	{ "socketpair", SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0, 0 } },
	{ "socketpair-dgram", SYS_socketpair, { AF_UNIX, SOCK_DGRAM, 0, 0 } },
	{ "socket-netlink-audit", SYS_socket, { AF_NETLINK, SOCK_RAW, 9 } },
	{ "sendto-fastopen", SYS_sendto, { 3, 0, 0, MSG_FASTOPEN } },
	{ "sendmsg-fastopen", SYS_sendmsg, { 3, 0, MSG_FASTOPEN } },
	{ "setsockopt-filter", SYS_setsockopt, { 3, SOL_SOCKET, SO_ATTACH_FILTER, 0 } },
	{ "fcntl-owner", SYS_fcntl, { 3, F_SETOWN, 1 } },
	{ "fcntl-signal", SYS_fcntl, { 3, F_SETSIG, SIGKILL } },
	{ "connect", SYS_connect, { 0, 0, 16 } },
	{ "listen", SYS_listen, { 3, 1 } },
	{ "execve", SYS_execve, { 0, 0, 0 } },
	{ "fork", SYS_clone, { SIGCHLD, 0, 0, 0 } },
	{ "vfork", 58 /* of x86-64 */, { 0 } },
	{ "clone3", SYS_clone3, { 0, 0 } },
	{ "ptrace", SYS_ptrace, { PTRACE_TRACEME, 0, 0, 0 } },
	{ "process_vm_readv", SYS_process_vm_readv, { 1, 0, 0, 0 } },
	{ "kill", SYS_kill, { 1, 0 } },
	{ "mount", SYS_mount, { 0, 0, 0, 0 } },
	{ "bpf", SYS_bpf, { 0, 0, 0 } },
	{ "io_uring_setup", SYS_io_uring_setup, { 8, 0 } },
	{ "memfd_create", SYS_memfd_create, { 0, 0 } },
	{ "unshare", SYS_unshare, { CLONE_NEWUSER } },
	{ "setuid", SYS_setuid, { 0 } },
	{ "mmap-code", SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS } },
	{ "open-to-write", SYS_openat, { (unsigned long)AT_FDCWD, 0, O_WRONLY | O_CREAT, 0600 } },
	{ "open-to-read", SYS_openat, { (unsigned long)AT_FDCWD, 0, O_RDONLY, 0 } },
	{ "getpid", SYS_getpid, { 0 } },
};

#if defined(__x86_64__)
static int inject(pid_t pid, long number, const unsigned long args[static 4])
{
	struct user_regs_struct saved, regs;
	int status;

	if (ptrace(PTRACE_ATTACH, pid, 0, 0) != 0)
		return fprintf(stderr, "inject: not allowed to trace: %s\n", strerror(errno)), SKIP;
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_GETREGS, pid, 0, &saved) != 0)
		return fprintf(stderr, "inject: the process did not stop\n"), 1;
	/* It waits in the kernel: behind it lies the two-byte instruction that brought it there. */
	const long word = ptrace(PTRACE_PEEKTEXT, pid, saved.rip - 2, 0);

	if ((word & 0xffff) != 0x050f) {
		ptrace(PTRACE_DETACH, pid, 0, 0);
		return fprintf(stderr, "inject: the process is not in a system call\n"), 2;
	}
	regs = saved;
	regs.rip -= 2;
	regs.orig_rax = (unsigned long long)-1; /* what it waited in is not begun again behind our back */
	regs.rax = (unsigned long long)number;
	regs.rdi = args[0];
	regs.rsi = args[1];
	regs.rdx = args[2];
	regs.r10 = args[3];
	regs.r8 = (unsigned long long)-1;
	regs.r9 = 0;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) != 0 || ptrace(PTRACE_SINGLESTEP, pid, 0, 0) != 0 ||
	    waitpid(pid, &status, __WALL) != pid)
		return fprintf(stderr, "inject: %s\n", strerror(errno)), 1;
	if (WIFSIGNALED(status))
		return printf("killed SIG%s\n", sigabbrev_np(WTERMSIG(status))), 0;
	if (WIFEXITED(status))
		return printf("exited %d\n", WEXITSTATUS(status)), 0;
	ptrace(PTRACE_GETREGS, pid, 0, &regs);
	printf("returned %lld\n", (long long)regs.rax);
	ptrace(PTRACE_SETREGS, pid, 0, &saved);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return 0;
}
#else
static int inject(pid_t pid, long number, const unsigned long args[static 4])
{
	(void)pid;
	(void)number;
	(void)args;
	return fprintf(stderr, "inject: written for x86-64 only\n"), SKIP;
}
#endif

int main(int argc, char **argv)
{
	if (argc == 3)
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			if (strcmp(calls[i].name, argv[2]) == 0)
				return inject((pid_t)strtol(argv[1], NULL, 10), calls[i].number, calls[i].args);
	fprintf(stderr, "usage: inject PID CALL; calls:");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		fprintf(stderr, " %s", calls[i].name);
	fputc('\n', stderr);
	return 64;
}
