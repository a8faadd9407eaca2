/* SPDX-License-Identifier: MIT */
/* racy.h -- a small inference program, as the badly written ones of these tests have it.
 *
 * A model is some buffers, a token a few launches.  How much work: RACY_TOKENS (8); and how
 * long it pauses after each token: RACY_PAUSE_MS (0). */
#ifndef SIM_RACY_H
#define SIM_RACY_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cuda.h"

#define RACY_BUFFERS 4
#define RACY_LAUNCHES 4 /* a token */

struct racy_model {
	void *buffers[RACY_BUFFERS];
	void *stream;
};

static inline void racy_must(int status)
{
	if (!status)
		return;
	fprintf(stderr, "racy: CUDA error %d\n", status);
	exit(1);
}

static inline void racy_load(struct racy_model *m)
{
	racy_must(cudaStreamCreateWithFlags(&m->stream, 1));
	for (int i = 0; i < RACY_BUFFERS; i++)
		racy_must(cudaMalloc(&m->buffers[i], 1 << 20));
}

/* One token; the caller may forget to wait for it. */
static inline void racy_token(const struct racy_model *m)
{
	for (int i = 0; i < RACY_LAUNCHES; i++)
		racy_must(cuda_launch(m->stream));
}

static inline int racy_number(const char *name, int otherwise)
{
	const char *s = getenv(name);

	return s ? atoi(s) : otherwise;
}

static inline int racy_tokens(void)
{
	return racy_number("RACY_TOKENS", 8);
}

/* A generation in which each token is waited for but the last one. */
static inline void racy_generate(const struct racy_model *m)
{
	int n = racy_tokens(), pause_ms = racy_number("RACY_PAUSE_MS", 0);

	for (int i = 0; i < n; i++) {
		racy_token(m);
		if (i + 1 == n)
			break;
		racy_must(cudaStreamSynchronize(m->stream));
		if (pause_ms)
			usleep((unsigned)pause_ms * 1000);
	}
}

/* Returns from main, or does not, as soon as n threads are at work. */
static inline int racy_end(const _Atomic(int) *ready, int n)
{
	while (*ready < n)
		usleep(500);
	puts("done");
	fflush(stdout);
	if (getenv("RACY_RAW"))
		_exit(3);
	return 3;
}

static inline void racy_unload(struct racy_model *m)
{
	for (int i = 0; i < RACY_BUFFERS; i++)
		racy_must(cudaFree(m->buffers[i]));
	racy_must(cudaStreamDestroy(m->stream));
}

#endif
