/* SPDX-License-Identifier: MIT */
/* vars.h -- the environment that the guest gets, made from ours without changing ours.
 *
 * Strings that are not touched are shared with environ, in their order.
 */
#ifndef TAF_VARS_H
#define TAF_VARS_H

#include <stdbool.h>
#include <stddef.h>

struct taf_var;

struct taf_vars {
	char **list; /* closed by NULL, as execve wants it */
	size_t n, room;
	struct taf_var *made; /* what taf_vars_set wrote */
};

/* Copies the list at from (environ). 0 or -ENOMEM, as all below. */
int taf_vars_init(struct taf_vars *v, char *const *from);
/* The list, and every value that was set. */
void taf_vars_free(struct taf_vars *v);
/* The value of name, or NULL. It stays until taf_vars_free, though another is set. */
const char *taf_vars_get(const struct taf_vars *v, const char *name);
int taf_vars_set(struct taf_vars *v, const char *name, const char *value);
/* Puts the variable in unless it is there. */
int taf_vars_default(struct taf_vars *v, const char *name, const char *value);
void taf_vars_drop(struct taf_vars *v, const char *name);

/* LD_PRELOAD: drops every libtaffrail.so and libtaffrail-alloc.so that is there
 * and puts first and second (each may be NULL) before the rest.  A sanitizer's
 * runtime, which refuses to be second, stays ahead of them. */
int taf_vars_preload(struct taf_vars *v, const char *first, const char *second);
/* Whether the loader can read path in LD_PRELOAD, where ' ' and ':' separate. */
bool taf_vars_can_preload(const char *path);

#endif
