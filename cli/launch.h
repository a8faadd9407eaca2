/* SPDX-License-Identifier: MIT */
/* launch.h -- finds the program that the user named, and becomes it.
 *
 * The search is that of execvp: a name with a '/' is a path; else each folder
 * of PATH is tried, an empty one is the working folder, without PATH it is
 * /bin:/usr/bin.  A file that may not be executed does not end the search, but
 * its error is what remains when nothing else is found.
 *
 * What is found is looked at only to say what a preload can do there
 * (target.c).  Whether it really runs is the kernel's decision, in
 * taf_launch_exec: a text file without "#!" goes to /bin/sh as with execvp.
 */
#ifndef TAF_LAUNCH_H
#define TAF_LAUNCH_H

#include "target.h"

struct taf_launch {
	const struct taf_target *target;
	char **argv;
	char **env; /* with the guard */
	char **env_plain; /* as it came, for when the other is too big; NULL: none */
};

/* 0, or the -errno that execvp would give, target->missing set when the file
 * is there but its interpreter or loader is not. */
int taf_launch_find(const char *name, struct taf_target *target);
/* Says why name was not found and returns the exit status: 126 or 127. */
int taf_launch_failed(const char *name, const struct taf_target *target, int err);
/* Returns only on failure: -errno. */
int taf_launch_exec(const struct taf_launch *launch);

#endif
