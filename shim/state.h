/* SPDX-License-Identifier: MIT */
/* state.h -- where our files live, and whether that place is ours.
 *
 *   $TAFFRAIL_STATE (absolute), else /var/lib/taffrail for uid 0 or where
 *   $STATE_DIRECTORY is set, else $XDG_STATE_HOME/taffrail, else
 *   ~/.local/state/taffrail; in it crumbs/ and policy/
 *
 *   rings: $XDG_RUNTIME_DIR/taffrail where that variable names a directory of
 *   ours, else /dev/shm/taffrail-<uid>
 *
 * A directory is used only if it is one (no link at the end), belongs to our
 * effective user and can be written by nobody else.  What is missing is made
 * with mode 0700.  The environment comes in as an array: while the loader
 * runs our constructor, libc has none yet.
 */
#ifndef TAF_STATE_H
#define TAF_STATE_H

#include "../policy/text.h"
#include "crumb.h"

/* The value of name in env; NULL when it is not there. env may be NULL. */
const char *taf_env(char *const *env, const char *name);

/* Whether name is set in env to anything but nothing and 0. */
bool taf_env_is_on(char *const *env, const char *name);

/* Whether env switches us off: TAFFRAIL is off, no, false or 0, in any case. */
bool taf_env_is_off(char *const *env);

/* The state directory by the order above; touches nothing. 0, or -errno and
 * one line in why (a text of the caller's, may be NULL). */
int taf_dir_find(char *const *env, char out[TAF_PATH_MAX], struct taf_text *why);
/* The same, made where it is missing, with crumbs/ and policy/, and checked. */
int taf_dir_state(char *const *env, char out[TAF_PATH_MAX], struct taf_text *why);
/* The directory for rings, made and checked; out is "" on failure. */
int taf_dir_ring(char *const *env, char out[TAF_PATH_MAX], struct taf_text *why);

/* Whether path is a directory that is safe to write into. */
int taf_dir_check(const char *path, struct taf_text *why);
/* Makes path and what is missing above it, then checks it. */
int taf_dir_make(const char *path, struct taf_text *why);
/* dir/leaf */
int taf_dir_join(char out[TAF_PATH_MAX], const char *dir, const char *leaf);

#endif
