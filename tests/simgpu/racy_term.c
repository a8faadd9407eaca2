/* SPDX-License-Identifier: MIT */
/* racy_term.c -- generates until it is told to go, and knows nothing of signals. */
#include "racy.h"

int main(void)
{
	struct racy_model m;

	racy_load(&m);
	for (int i = 0;; i++) {
		racy_token(&m);
		if (i % 2)
			racy_must(cudaStreamSynchronize(m.stream));
		if (i == racy_tokens()) {
			puts("generating");
			fflush(stdout);
		}
	}
}
