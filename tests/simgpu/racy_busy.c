/* SPDX-License-Identifier: MIT */
/* racy_busy.c -- threads launch, copy, free and trim for ever while the program returns from main,
 * or calls _exit where RACY_RAW is set. */
#include <pthread.h>
#include <stdatomic.h>

#include "racy.h"

#define PIECE 4096

static _Atomic(int) ready;

static void *stream(void)
{
	void *s;

	racy_must(cudaStreamCreateWithFlags(&s, 1));
	return s;
}

static void *launch(void *arg)
{
	struct racy_model m;

	(void)arg;
	racy_load(&m);
	for (int i = 0;; i++) {
		racy_token(&m);
		racy_must(i % 2 ? cudaStreamSynchronize(m.stream) : 0);
		ready += i == 1;
	}
	return NULL;
}

static void *copy(void *arg)
{
	static char here[PIECE];
	void *s = stream(), *p;

	racy_must(cudaMalloc(&p, PIECE));
	for (int i = 0;; i++) {
		racy_must(cudaMemcpyAsync(here, p, PIECE, 2, s));
		racy_must(i % 3 ? 0 : cudaStreamSynchronize(s));
		ready += !i;
	}
	return arg;
}

static void *give(void *arg)
{
	void *s = stream(), *p;

	for (int i = 0;; i++) {
		racy_must(cudaMalloc(&p, PIECE));
		racy_must(cuda_launch(s));
		racy_must(cudaFree(p));
		ready += !i;
	}
	return arg;
}

static void *trim(void *arg)
{
	void *s = stream(), *pool;

	racy_must(cudaDeviceGetDefaultMemPool(&pool, 0));
	for (int i = 0;; i++) {
		racy_must(cuda_launch(s));
		racy_must(cudaMemPoolTrimTo(pool, 0));
		ready += !i;
	}
	return arg;
}

int main(void)
{
	static void *(*const all[])(void *) = { launch, copy, give, trim };
	int n = (int)(sizeof(all) / sizeof(*all));
	pthread_t t;

	for (int i = 0; i < n; i++)
		if (pthread_create(&t, NULL, all[i], NULL))
			return 1;
	return racy_end(&ready, n);
}
