/* SPDX-License-Identifier: MIT */
#include "role_cli.h"

#include <unistd.h>

enum taf_role taf_role_of_command(const char *program, char *const *words, size_t n)
{
	struct taf_start s = { .exe = program,
			       .argc = (int)n,
			       .argv = (const char *const *)words,
			       .env = (const char *const *)environ };

	return taf_role_guess(&s);
}
