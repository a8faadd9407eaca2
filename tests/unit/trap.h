/* SPDX-License-Identifier: MIT */
/* trap.h -- lets a test answer a system call of this process itself.
 *
 * trap_calls(nr, answer) makes the kernel send SIGSYS in the place of every
 * later call of that number; answer(args) says what it returns, and may make
 * the call by another number.  There is no way back, so tests do it in a child.
 * Header of static functions, for one test program each.
 */
#ifndef TAF_TEST_TRAP_H
#define TAF_TEST_TRAP_H

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

typedef long (*trap_answer)(const unsigned long long *args);

static trap_answer trap_answers[512];

static void on_trap(int signo, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	unsigned long long a[6];
	int saved = errno;
	long r;

	(void)signo;
#if defined(__x86_64__)
	static const int regs[6] = { REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9 };

	for (int i = 0; i < 6; i++)
		a[i] = (unsigned long long)u->uc_mcontext.gregs[regs[i]];
	r = trap_answers[info->si_syscall](a);
	u->uc_mcontext.gregs[REG_RAX] = r;
#else
	for (int i = 0; i < 6; i++)
		a[i] = u->uc_mcontext.regs[i];
	r = trap_answers[info->si_syscall](a);
	u->uc_mcontext.regs[0] = (unsigned long long)r;
#endif
	errno = saved;
}

/* False where the kernel or a sandbox does not let us. */
static bool trap_calls(unsigned nr, trap_answer answer)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER };

	trap_answers[nr] = answer;
	return !sigaction(SIGSYS, &sa, NULL) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

#endif
