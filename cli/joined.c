/* SPDX-License-Identifier: MIT */
#include "joined.h"

#include <stdlib.h>
#include <string.h>

char *taf_joined(char *const *words)
{
	size_t n = 1;
	char *all, *p;

	for (char *const *w = words; w && *w; w++)
		n += strlen(*w) + 1;
	all = p = calloc(n, 1);
	for (char *const *w = words; all && w && *w; w++) {
		if (w > words)
			*p++ = ' ';
		p = stpcpy(p, *w);
	}
	return all;
}
