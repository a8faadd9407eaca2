/* SPDX-License-Identifier: MIT */
/* state_cli.h -- where the state directory is, and what is wrong with it.
 *
 * What the user asked for (--state, else TAFFRAIL_STATE, made absolute), else
 * the default of world.c.  Looking creates nothing: a guest that never becomes
 * active leaves no trace.
 */
#ifndef TAF_STATE_CLI_H
#define TAF_STATE_CLI_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct taf_state_dir {
	char path[PATH_MAX]; /* absolute, without '/' at its end */
	bool is_asked; /* the user named it */
};

/* 0, or -errno when there is no place for it (no HOME, name too long). */
int taf_state_find(const char *asked, struct taf_state_dir *dir);
/* For a verb that only looks: asked is --state, NULL when it was not given. 0, or an exit
 * status after a line: the directory that was named is not there. */
int taf_state_is_named(const char *verb, const char *asked);
/* False: it is another user's, or cannot be reached. One that is not there can still be ours. */
bool taf_state_is_own(const struct taf_state_dir *dir);
/* The sentence about that: whose it is, and what to do. */
void taf_state_foreign(const struct taf_state_dir *dir, char *why, size_t room);
/* The line about its crumbs, which could not be read: err is -errno. */
void taf_state_tell_unread(const char *verb, const char *crumbs, int err);
/* Whether dir is there. */
bool taf_state_is_there(const struct taf_state_dir *dir);
/* Whether crumbs can be kept there; if not, why holds a whole sentence that names the directory. */
bool taf_state_check(const struct taf_state_dir *dir, char *why, size_t room);
/* Creates dir and its crumbs folder, mode 0700. 0 or -errno. */
int taf_state_make(const struct taf_state_dir *dir);
/* dir's folder of that name. */
void taf_state_sub(const struct taf_state_dir *dir, const char *name, char *path, size_t room);

#endif
