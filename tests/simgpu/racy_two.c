/* SPDX-License-Identifier: MIT */
/* racy_two.c -- two processes on one device, each of which throws a cache away between
 * tokens without waiting for the one that may still use it. */
#include <sys/wait.h>
#include <unistd.h>

#include "racy.h"

static int serve(void)
{
	struct racy_model m;
	void *cache;

	racy_load(&m);
	for (int i = 0; i < racy_tokens(); i++) {
		racy_must(cudaMalloc(&cache, 1 << 16));
		racy_token(&m);
		racy_must(cudaFree(cache));
	}
	racy_must(cudaDeviceSynchronize());
	return 0;
}

int main(void)
{
	pid_t pid = fork();
	int status = 0, mine = 0;

	if (pid < 0)
		return 1;
	mine = serve();
	if (!pid)
		_exit(mine);
	waitpid(pid, &status, 0);
	puts("done");
	return mine || status;
}
