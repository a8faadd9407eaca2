/* SPDX-License-Identifier: MIT */
#include "role_cli.h"

#include <unistd.h>

struct taf_start taf_start_of_command(const char *program, char *const *words)
{
	struct taf_start s = { .exe = program,
			       .argv = (const char *const *)words,
			       .env = (const char *const *)environ };

	while (words && words[s.argc])
		s.argc++;
	return s;
}

enum taf_role taf_role_of_command(const char *program, char *const *words, size_t n)
{
	struct taf_start s = taf_start_of_command(program, words);

	s.argc = (int)n;
	return taf_role_guess(&s);
}

const char *taf_role_guess_text(enum taf_role role)
{
	const char *name = taf_role_guess_name(role);

	return name ? name : "no sign of one (embedded, if an engine runs in it)";
}

const char *taf_role_guess_name(enum taf_role role)
{
	return role == TAF_ROLE_NONE || role == TAF_ROLE_EMBEDDED ? NULL : taf_role_name(role);
}
