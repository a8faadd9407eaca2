/* SPDX-License-Identifier: MIT */
/* blas.c -- what libggml-cuda imports of cublas, as one kernel each: a simulation, the
 * result matrices stay as they are.  Handles keep their stream; launches go through
 * the runtime, so that they are captured and in flight like any other. */
#include <stdlib.h>

#include "runtime.h"

struct handle {
	void *stream;
};

int cudaLaunchKernel(const void *fn, struct sim_dim g, struct sim_dim b, void **args, size_t shared,
		     void *stream);

SIM_PUBLIC int cublasCreate_v2(struct handle **h)
{
	*h = calloc(1, sizeof(**h));
	return *h ? 0 : 3;
}

SIM_PUBLIC int cublasDestroy_v2(struct handle *h)
{
	free(h);
	return 0;
}

SIM_PUBLIC int cublasSetStream_v2(struct handle *h, void *stream)
{
	h->stream = stream;
	return 0;
}

SIM_PUBLIC int cublasSetWorkspace_v2(struct handle *h, void *p, size_t n)
{
	(void)h;
	(void)p;
	(void)n;
	return 0;
}

SIM_PUBLIC int cublasSetMathMode(struct handle *h, int mode)
{
	(void)h;
	(void)mode;
	return 0;
}

SIM_PUBLIC const char *cublasGetStatusString(int status)
{
	return status ? "the simulated cublas failed" : "CUBLAS_STATUS_SUCCESS";
}

/* 13: execution failed */
#define PRODUCT(name) \
	SIM_PUBLIC int name(struct handle *h); \
	int name(struct handle *h) \
	{ \
		struct sim_dim one = { 1, 1, 1 }; \
\
		return cudaLaunchKernel(blas_kernel, one, one, NULL, 0, h->stream) ? 13 : 0; \
	}
static const char blas_kernel[] = "a matrix product";
PRODUCT(cublasGemmEx)
PRODUCT(cublasGemmBatchedEx)
PRODUCT(cublasGemmStridedBatchedEx)
PRODUCT(cublasSgemm_v2)
PRODUCT(cublasSgemmBatched)
PRODUCT(cublasSgemmStridedBatched)
PRODUCT(cublasStrsmBatched)
