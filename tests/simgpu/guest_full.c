/* SPDX-License-Identifier: MIT */
/* guest_full.c -- takes N pieces of 64 MiB and launches nothing, as a program that only
 * loads.  Says how many it got. */
#include "racy.h"

int main(int argc, char **argv)
{
	int most = argc > 1 ? atoi(argv[1]) : 0, n = 0;
	void *p;

	while (n < most && !cudaMalloc(&p, 64u << 20))
		n++;
	printf("%d of %d\n", n, most);
	return 0;
}
