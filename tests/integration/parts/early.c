/* SPDX-License-Identifier: MIT */
/* early.c -- a library that takes memory before anything else of the program
 * runs, and gives it back at the very end. */
#include <stdlib.h>
#include <string.h>

static char *large, *small;

__attribute__((constructor)) static void begin(void)
{
	large = calloc(3, 1 << 20);
	small = strdup("small");
	large = realloc(large, 5 << 20);
	if (large)
		memset(large, 1, 5 << 20);
}

__attribute__((destructor)) static void end(void)
{
	free(large);
	free(small);
}
