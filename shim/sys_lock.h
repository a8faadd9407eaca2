/* SPDX-License-Identifier: MIT */
/* sys_lock.h -- what the GPU lock asks of the system besides sys.h and sys_file.h. */
#ifndef TAF_SYS_LOCK_H
#define TAF_SYS_LOCK_H

#include "sys.h"

int taf_sys_fchmod(int fd, uint32_t mode);
/* A descriptor that stands for that process and no later one of the same number. */
int taf_sys_pidfd(int32_t pid);
/* Sleeps until fd can be read, a signal came or ms passed: a pidfd can be read when
 * its process has ended. 1 it can, 0 not yet, or -errno. */
int taf_sys_await(int fd, uint32_t ms);
/* The letter of its state in /proc: 'Z' for a zombie; 0 when there is no such process. */
char taf_sys_proc_state(int32_t pid);
/* Where the stack of a thread of ours ends that sleeps in the kernel; 0: it runs, or
 * that cannot be seen. */
uintptr_t taf_sys_stack_of(int32_t tid);

#endif
