/* SPDX-License-Identifier: MIT */
/* racy_swap.c -- one model makes room for the next while its last token is being computed. */
#include "racy.h"

int main(void)
{
	struct racy_model m;

	for (int i = 0; i < 2; i++) {
		racy_load(&m);
		racy_generate(&m);
		racy_unload(&m);
	}
	racy_must(cudaDeviceSynchronize());
	puts("done");
	return 0;
}
