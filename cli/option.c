/* SPDX-License-Identifier: MIT */
#include "option.h"

#include <string.h>

const char *taf_option_wrong(const char *word)
{
	return *word == '-' && word[1] ? "there is no option" : "unexpected word";
}

const char *taf_option(char **argv, int *i, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(argv[*i], name, n) != 0)
		return NULL;
	if (argv[*i][n] == '=')
		return argv[*i] + n + 1;
	if (argv[*i][n])
		return NULL;
	return argv[*i + 1] ? argv[++*i] : "";
}
