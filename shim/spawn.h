/* SPDX-License-Identifier: MIT */
/* spawn.h -- what a new program inherits from us.
 *
 * propagate inherit (default): the program's environment goes on as it is; only
 * TAFFRAIL_RUN is added where our object goes along and the run has no name yet.
 * propagate force: where the program cleared or replaced the environment, our
 * LD_PRELOAD entry and the TAFFRAIL_* variables are put back, unless the new
 * environment says TAFFRAIL=off.
 *
 * The new array lives on the caller's stack: a vfork child may not allocate.
 */
#ifndef TAF_SPAWN_H
#define TAF_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#define TAF_SPAWN_EXTRA 13 /* entries that we may add or replace */
/* A larger environment goes on as it is: the array lies on the caller's stack, which
 * in a vfork child may be a thread's of 16 KiB. */
#define TAF_SPAWN_MAX 512

struct taf_spawn {
	char *const *envp; /* theirs */
	size_t n; /* its entries */
	size_t room; /* pointers that taf_spawn_env needs; 0: pass envp as it is */
	char preload[2048]; /* "LD_PRELOAD=..." */
	char run[40]; /* "TAFFRAIL_RUN=..." */
};

/* Decides what envp lacks. */
void taf_spawn_plan(struct taf_spawn *s, char *const *envp);
/* Fills room pointers and returns them; envp itself when room is 0. */
char *const *taf_spawn_env(const struct taf_spawn *s, char **room);
/* A crumb: this process started path. */
void taf_spawn_started(const char *call, const char *path, int rc);

#endif
