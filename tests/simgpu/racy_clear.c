/* SPDX-License-Identifier: MIT */
/* racy_clear.c -- one thread generates while another one clears caches by the clock. */
#include <pthread.h>
#include <unistd.h>

#include "racy.h"

static _Atomic(int) is_over;

static void *clear(void *pool)
{
	while (!is_over) {
		usleep(3000);
		racy_must(cudaMemPoolTrimTo(pool, 0));
	}
	return NULL;
}

int main(void)
{
	struct racy_model m;
	pthread_t t;
	void *pool;

	racy_load(&m);
	racy_must(cudaDeviceGetDefaultMemPool(&pool, 0));
	if (pthread_create(&t, NULL, clear, pool))
		return 1;
	for (int i = 0; i < racy_tokens(); i++) {
		racy_token(&m);
		racy_must(cudaStreamSynchronize(m.stream));
	}
	is_over = 1;
	pthread_join(t, NULL);
	racy_must(cudaDeviceSynchronize());
	puts("done");
	return 0;
}
