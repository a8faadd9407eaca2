/* SPDX-License-Identifier: MIT */
/* stacks.h -- where the threads of a process are, as its kernel shows it.
 *
 * One text file a capture, DIR/<name>-<UTC>.txt, mode 0600:
 *
 *   taffrail stacks of pid 4711
 *   == thread 4711 node
 *   wchan: futex_wait_queue
 *   syscall: 202 0x7f... ...          number, arguments, stack and instruction pointer
 *   kernel stack:                     as root; else why it cannot be read
 *   == maps                           so that the pointers can be told apart later
 *
 * What a thread does in user space is one address, the instruction pointer at
 * the end of its syscall line; nothing is unwound here.  No libc, no
 * allocation: works from outside and on a thread of the process itself.
 */
#ifndef TAF_STACKS_H
#define TAF_STACKS_H

#include "crumb.h"

#define TAF_STACKS_MAX 64 /* files in DIR; further captures are refused */

/* Makes DIR where it is missing. path gets the file's. 0 or -errno: -EDQUOT when
 * there are TAF_STACKS_MAX already. */
int taf_stacks_write(const char *dir, const char *name, int32_t pid, char path[TAF_PATH_MAX]);

#endif
