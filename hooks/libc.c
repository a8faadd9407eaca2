/* SPDX-License-Identifier: MIT */
/* libc.c -- the ways out of a process: main's return, exit and its kin, fork. */
#include <signal.h>
#include <sys/syscall.h>

#include "../shim/crumb.h"
#include "../shim/exit.h"
#include "libc.h"

#define TAF_ROWS "libc.def"
#define TAF_TABLE taf_table_libc
#include "expand.h"

static int (*their_main)(int, char **, char **);

static int taf_main(int argc, char **argv, char **envp)
{
	int status = their_main(argc, argv, envp);

	taf_leave("main", status, false);
	return status;
}

int taf___libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
			  int (*init)(int, char **, char **), void (*fini)(void),
			  void (*rtld_fini)(void), void *stack_end)
{
	their_main = main;
	taf_exit_see_end();
	return REAL(__libc_start_main)(taf_main, argc, argv, init, fini, rtld_fini, stack_end);
}

void taf_exit(int status)
{
	taf_leave("exit", status, false);
	if (REAL(exit))
		REAL(exit)(status);
	taf_sys_exit_group(status);
}

void taf__exit(int status)
{
	taf_leave("_exit", status, true);
	taf_sys_exit_group(status);
}

void taf__Exit(int status)
{
	taf_leave("_Exit", status, true);
	taf_sys_exit_group(status);
}

void taf_quick_exit(int status)
{
	taf_leave("quick_exit", status, true); /* no destructor will run */
	if (REAL(quick_exit))
		REAL(quick_exit)(status);
	taf_sys_exit_group(status);
}

void taf_abort(void)
{
	struct taf_rec r = { .kind = TAF_ERROR,
			     .phase = TAF_MARK,
			     .engine = TAF_ENGINE_LIBC,
			     .call = "abort",
			     .class = "abort",
			     .msg = "the program called abort()" };

	taf_leave_to_signal();
	if (!taf_is_other_process() &&
	    (taf_state_now() == TAF_ACTIVE || taf_state_now() == TAF_LEAVING))
		taf_crumb(&r);
	if (REAL(abort))
		REAL(abort)();
	taf_sys_die_of(SIGABRT);
	taf_sys_exit_group(127);
}

taf_fn taf_note_syscall(struct taf_regs *regs)
{
	if (regs->arg[0] == SYS_exit_group)
		taf_leave("exit_group", (int)regs->arg[1], true);
	return taf_regs_onward(regs, NEXT(syscall), UINT64_MAX);
}

int taf_fork(void)
{
	int pid = REAL(fork) ? REAL(fork)() : -1;
	struct taf_rec r = { .kind = TAF_FORK,
			     .phase = TAF_MARK,
			     .engine = TAF_ENGINE_LIBC,
			     .call = "fork",
			     .has = TAF_HAS_RC,
			     .rc = pid };

	if (pid > 0 && taf_state_now() == TAF_ACTIVE)
		taf_crumb(&r);
	if (!pid && taf_is_inherited && taf_is_other_process())
		atomic_store(&taf_life.state, TAF_COLD);
	return pid;
}
