/* SPDX-License-Identifier: MIT */
/* cuda_linked.c -- a user of the runtime that is linked to it, as a library or as a part
 * of the program.  -DADDRESSES: by pointers that the loader fills in.  -DELEVEN: makes a
 * graph executable as 11 wants it.  -DDRIVER: of the driver instead. */
#include "cuda_work.h"

#ifdef DRIVER
int cuDevicePrimaryCtxRetain(void **ctx, int device);
int cuCtxSetCurrent(void *ctx);
int cuMemAlloc_v2(uint64_t *p, size_t size);
int cuMemFree_v2(uint64_t p);
int cuLaunchKernel(void *f, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
		   void *stream, void **params, void **extra);
int cuCtxSynchronize(void);

static int set_device(int device)
{
	void *ctx;

	return cuDevicePrimaryCtxRetain(&ctx, device) || cuCtxSetCurrent(ctx);
}

static int launch(void)
{
	void *none[1] = { NULL };

	return cuLaunchKernel(none, 1, 2, 3, 4, 5, 6, 7, NULL, none, NULL);
}

void cuda_run(void)
{
	cuda_work(&(struct cuda_api){ set_device, cuMemAlloc_v2, cuMemFree_v2, launch,
				      cuCtxSynchronize });
}
#else
int cudaSetDevice(int device);
int cudaMalloc(void **p, size_t size);
int cudaFree(void *p);
int cudaLaunchKernel(const void *f, struct cuda_dim grid, struct cuda_dim block, void **params,
		     size_t shared, void *stream);
int cudaDeviceSynchronize(void);

static int (*malloc_of)(void **p, size_t size) = cudaMalloc;
static int (*free_of)(void *p) = cudaFree;

static int take(uint64_t *p, size_t size)
{
	void *q = NULL;
	int r;

#ifdef ADDRESSES
	r = malloc_of(&q, size);
#else
	(void)malloc_of;
	r = cudaMalloc(&q, size);
#endif
	*p = (uintptr_t)q;
	return r;
}

static int give(uint64_t p)
{
	void *q = (void *)(uintptr_t)p;

#ifdef ADDRESSES
	return free_of(q);
#else
	(void)free_of;
	return cudaFree(q);
#endif
}

static int launch(void)
{
	struct cuda_dim grid = { 1, 2, 3 }, block = { 4, 5, 6 };
	void *none[1] = { NULL };

	return cudaLaunchKernel(none, grid, block, none, 7, NULL);
}

#ifdef ELEVEN
int cudaGraphInstantiate(void **exec, void *graph, void **node, char *text, size_t size);
int cudaGraphExecDestroy(void *exec);

static void instantiate(void)
{
	void *exec = NULL, *node = NULL;
	char text[16] = "";

	cuda_say("graph %d", cudaGraphInstantiate(&exec, text, &node, text, sizeof(text)));
	cuda_say(" %s %d\n", text, cudaGraphExecDestroy(exec));
}
#else
static void instantiate(void)
{
}
#endif

void cuda_run(void)
{
	instantiate();
	cuda_work(&(struct cuda_api){ cudaSetDevice, take, give, launch, cudaDeviceSynchronize });
}
#endif
