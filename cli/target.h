/* SPDX-License-Identifier: MIT */
/* target.h -- can the dynamic loader put a library in front of this program?
 *
 * A quick look at a file's first bytes, without libelf and without running
 * anything: a script leads to its interpreter (as deep as the kernel follows),
 * an ELF file to its loader.  `taffrail doctor` looks much closer.
 */
#ifndef TAF_TARGET_H
#define TAF_TARGET_H

#include <limits.h>
#include <stdbool.h>

enum taf_reach {
	TAF_REACH_FULL, /* a preload works, as far as one can see */
	TAF_REACH_CHILDREN, /* not here, but the environment reaches its children */
	TAF_REACH_NONE, /* not here, and a preload would do harm or be dropped */
};

struct taf_target {
	char path[PATH_MAX]; /* what is executed */
	char program[PATH_MAX]; /* what /proc/PID/exe will say: path or interpreter, no links */
	char missing[PATH_MAX]; /* the interpreter or loader that is not there, else "" */
	bool is_script; /* program is the interpreter of path */
	enum taf_reach reach;
	const char *why; /* of a reach below full: "it is statically linked" */
};

/* 0; -ENOENT when target->missing tells what is missing; -ELOOP, -EACCES as execve. */
int taf_target_look(const char *path, struct taf_target *target);

#endif
