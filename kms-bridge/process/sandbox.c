/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The one place that knows of builds with a sanitizer: see dr_sandbox_enter. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* Rights of the file system by ABI; those after the second are newer than Debian 12's headers. */
#define FS_ABI_1    ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define FS_REFER    (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL    (UINT64_C(1) << 15)
#define NET_BIND    (UINT64_C(1) << 0)
#define NET_CONNECT (UINT64_C(1) << 1)
#define SCOPE_UNIX  (UINT64_C(1) << 0)
#define SCOPE_KILL  (UINT64_C(1) << 1)

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                                                                     \
	(FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |    \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | FS_TRUNCATE)
/* Those that a rule about a file, and not a folder, may give. */
#define FS_OF_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

/* struct landlock_ruleset_attr as ABI 6 has it; older kernels are given its beginning. */
struct ruleset {
	uint64_t fs, net, scoped;
};

unsigned dr_sandbox_landlock(void)
{
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (unsigned)abi : 0;
}

const char *dr_sandbox_reach(void)
{
	const unsigned abi = dr_sandbox_landlock();

	if (SANITIZED)
		return "nothing: this build has a sanitizer and is not confined";
	if (abi == 0)
		return "system calls; this kernel has no Landlock, which would bound files";
	if (abi < 4)
		return "system calls, files (Landlock)";
	if (abi < 6)
		return "system calls, files and TCP (Landlock)";
	return "system calls, files, TCP, signals and abstract sockets (Landlock)";
}

static uint64_t fs_rights(unsigned abi)
{
	return FS_ABI_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL : 0);
}

static enum dr_err add_path(int rules, const struct dr_sandbox_path *path, uint64_t handled, struct dr_fail *fail)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = path->write ? FS_WRITE : FS_READ };
	struct stat st;

	rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
	/* What is not there, or out of reach, is so afterwards too. */
	if (rule.parent_fd < 0)
		return DR_OK;
	if (fstat(rule.parent_fd, &st) != 0 || !S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_FILE;
	rule.allowed_access &= handled;
	const long done = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0u);
	const int error = errno;

	close(rule.parent_fd);
	if (done == 0)
		return DR_OK;
	return dr_fail_set(fail, DR_ERR_IO, "sandbox: a path could not be added to the Landlock rules",
			   (size_t)error);
}

static enum dr_err enter_landlock(const struct dr_sandbox *policy, const struct dr_sandbox_path *paths, size_t num,
				  struct dr_fail *fail)
{
	const unsigned abi = dr_sandbox_landlock();
	const struct ruleset attr = { .fs = fs_rights(abi),
				      .net = NET_BIND | (policy->network ? 0 : NET_CONNECT),
				      .scoped = SCOPE_UNIX | SCOPE_KILL };

	if (abi == 0)
		return DR_OK;
	const int rules = (int)syscall(SYS_landlock_create_ruleset, &attr,
				       abi >= 6   ? sizeof(attr)
				       : abi >= 4 ? offsetof(struct ruleset, scoped)
						  : offsetof(struct ruleset, net),
				       0u);

	if (rules < 0)
		return dr_fail_set(fail, DR_ERR_IO, "sandbox: the kernel has Landlock and refuses its rules",
				   (size_t)errno);
	for (size_t i = 0; i < num && fail->err == DR_OK; i++)
		add_path(rules, &paths[i], attr.fs, fail);
	if (fail->err == DR_OK && syscall(SYS_landlock_restrict_self, rules, 0u) != 0)
		dr_fail_set(fail, DR_ERR_IO, "sandbox: Landlock could not be entered", (size_t)errno);
	close(rules);
	return fail->err;
}

static enum dr_err add_call(scmp_filter_ctx filter, const struct dr_call *call, struct dr_fail *fail)
{
	const int number = seccomp_syscall_resolve_name(call->name);
	const uint32_t action = call->error != 0 ? SCMP_ACT_ERRNO((uint32_t)call->error) : SCMP_ACT_ALLOW;
	struct scmp_arg_cmp args[3];
	unsigned num = 0;

	if (number == __NR_SCMP_ERROR)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "sandbox: a listed call has no name known to libseccomp", 0);
	/* A name of other processors. */
	if (number < 0)
		return DR_OK;
	/* The kernel takes 32 bits of these arguments, whatever is in the register's upper half. */
	for (size_t i = 0; i < 2; i++)
		if (call->when[i].mask != 0)
			args[num++] = (struct scmp_arg_cmp){ call->when[i].arg, SCMP_CMP_MASKED_EQ,
							     call->when[i].mask, call->when[i].value };
	if (call->self)
		args[num++] =
			(struct scmp_arg_cmp){ 0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)(uint32_t)getpid() };
	if (seccomp_rule_add_array(filter, action, number, num, args) == 0)
		return DR_OK;
	return dr_fail_set(fail, DR_ERR_IO, "sandbox: a rule could not be added to the filter", (size_t)number);
}

static enum dr_err enter_seccomp(const struct dr_sandbox *policy, struct dr_fail *fail)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (filter == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "sandbox: no memory for the filter", 0);
	/* The numbers of another processor's calls mean other calls: they end the process too. */
	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0 ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) != 0 ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0)
		dr_fail_set(fail, DR_ERR_IO, "sandbox: libseccomp or the kernel is too old for the filter", 0);
	for (size_t i = 0; i < policy->num_calls && fail->err == DR_OK; i++)
		add_call(filter, &policy->calls[i], fail);
	if (fail->err == DR_OK) {
		const int error = seccomp_load(filter);

		if (error != 0)
			dr_fail_set(fail, DR_ERR_IO, "sandbox: the kernel does not take the filter of system calls",
				    (size_t)-error);
	}
	seccomp_release(filter);
	return fail->err;
}

enum dr_err dr_sandbox_enter(const struct dr_sandbox *policy, const struct dr_sandbox_path *paths, size_t num_paths,
			     struct dr_fail *fail)
{
	if (SANITIZED)
		return DR_OK;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return dr_fail_set(fail, DR_ERR_IO, "sandbox: new privileges could not be given up", (size_t)errno);
	if (enter_landlock(policy, paths, num_paths, fail) != DR_OK)
		return fail->err;
	return enter_seccomp(policy, fail);
}

bool dr_sandbox_print(const struct dr_sandbox *policy, FILE *out)
{
	fprintf(out, "# %s: the system calls it may make once it reads foreign bytes; any other ends it (SIGSYS).\n",
		policy->program);
	fprintf(out, "# Confined here: %s.\n", dr_sandbox_reach());
	for (size_t i = 0; i < policy->num_calls; i++) {
		const struct dr_call *call = &policy->calls[i];

		fprintf(out, "%s\t%s%s%s\t%s\n", call->name, call->only != NULL ? call->only : "",
			call->only != NULL && call->error != 0 ? ": " : "", call->error != 0 ? "refused" : "",
			call->reason);
	}
	return fflush(out) == 0 && !ferror(out);
}
