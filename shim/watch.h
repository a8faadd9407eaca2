/* SPDX-License-Identifier: MIT */
/* watch.h -- watch.in_process: a thread in the guest that sees its own calls hang.
 *
 * For programs that nobody watches from outside.  It is started by the first
 * submit, and only when the policy asks for it: with it a process has one
 * thread more, and what does not like that (fork in Python, unshare) may say
 * so.  All signals but those of its own faults are blocked in it.  A load
 * before the first submit is not seen.
 *
 * It looks at the ring as `taffrail watch` does (stall.h), leaves a crumb for
 * each call that has stalled, and by watch.action a capture of the kernel's
 * view of the threads, SIGTERM to this process, and SIGKILL when watch.deadline has
 * passed.  While the process leaves it looks at nothing, and goes on where an exec
 * fails.  It synchronizes nothing: no engine so far may be drained by another
 * thread than the one that uses it.
 */
#ifndef TAF_WATCH_H
#define TAF_WATCH_H

/* In the first submit of a process. */
void taf_watch_arm(void);

#endif
