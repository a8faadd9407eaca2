/* SPDX-License-Identifier: MIT */
/* role_cli.h -- a command that does not run yet: how it would be started, its role. */
#ifndef TAF_ROLE_CLI_H
#define TAF_ROLE_CLI_H

#include <stddef.h>

#include "../policy/role.h"

/* The command as it would be started, in our environment. words is closed by NULL. */
struct taf_start taf_start_of_command(const char *program, char *const *words);
/* By its words, program being the file that would run (NULL: unknown), in our environment. */
enum taf_role taf_role_of_command(const char *program, char *const *words, size_t n);
/* That guess for people. Embedded is what remains where nothing tells: no sign of a role. */
const char *taf_role_guess_text(enum taf_role role);
/* For programs: NULL where there is no sign of one. */
const char *taf_role_guess_name(enum taf_role role);

#endif
