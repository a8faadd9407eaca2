/* SPDX-License-Identifier: MIT */
/* check.h -- what `taffrail check` was asked, what it found, and its parts.
 *
 * check.c reads the arguments and decides the exit status; check_show.c
 * prints for people and programs; check_warn.c looks for settings that cannot
 * take effect; check_schema.c prints the JSON schema of a policy file.
 */
#ifndef TAF_CHECK_H
#define TAF_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "policy_find.h"
#include "target.h"

struct taf_lines {
	char **all;
	size_t n;
};

struct taf_check {
	const char *file, *state; /* NULL: not given */
	const char **sets;
	size_t n_sets;
	bool compiles, shows_effective, is_json, shows_schema;
	char **command; /* NULL: none */
	struct taf_target target; /* of command */
	int target_err;
	char *joined; /* the words of command */
	struct taf_start start; /* of command */
	struct taf_policy policy;
	struct taf_policy_found found;
	struct taf_lines mistakes, warnings;
};

/* Adds one line. */
void taf_lines_add(struct taf_lines *lines, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Where the value of a row comes from: "built-in", "policy.json:4", "--set"... */
void taf_check_origin(const struct taf_check *c, int rule, char *buf, size_t room);
/* Whether a person gives the row its value: not the default, nor a known program's profile. */
bool taf_check_is_given(const struct taf_check *c, int rule);

void taf_check_print(const struct taf_check *c);
void taf_check_print_json(const struct taf_check *c);
/* Fills c->warnings. */
void taf_check_warn(struct taf_check *c);
void taf_check_schema(void);

#endif
