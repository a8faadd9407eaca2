/* SPDX-License-Identifier: MIT */
/* racy_exit.c -- returns from main while its last token is being computed. */
#include "racy.h"

int main(void)
{
	struct racy_model m;

	racy_load(&m);
	racy_generate(&m);
	puts("done");
	return 0;
}
