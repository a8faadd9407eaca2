/* SPDX-License-Identifier: MIT */
/* child.h -- runs a part of a test in a child that has to end with 0; 77 is what the
 * trap of a system call (trap.h) ends with where the kernel does not allow one. */
#ifndef TAF_TEST_CHILD_H
#define TAF_TEST_CHILD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a child that runs body ends, as waitpid says. */
static inline int child_status(void (*body)(void))
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		body();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static inline void must_be_well(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message(
			"SKIPPED: this kernel does not let a process trap its own system calls\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static inline void in_child(void (*body)(void))
{
	must_be_well(child_status(body));
}

#endif
