/* SPDX-License-Identifier: MIT */
/* cuda_unload.c -- a context with memory and work in it is given up, by the driver's or the
 * runtime's function ROW: what is printed is the same with and without a guard.
 *
 *   once ROW      it is the last one of its device
 *   one-of ROW    there is another one of that device, or it is retained twice
 *   wrong ROW     theirs refuses: nothing is given up
 *   made ROW      ROW makes a context on device 2; it is used, and left
 *
 * Then one more generation shows what is held. */
#include "cuda_work.h"

/* All of these take what fits registers, and give a number. */
typedef int any_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static void *runtime, *driver;

static any_fn *function(const char *name)
{
	any_fn *f;

	CUDA_SET(f, dlsym(strncmp(name, "cuda", 4) ? driver : runtime, name));
	return f;
}

#define CALL(name, a, b, c, d, e) \
	function(name)((uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e))

static int starts(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

static int launch(const char *row)
{
	struct cuda_dim grid = { 1, 2, 3 }, block = { 4, 5, 6 };
	void *none[1] = { NULL };
	int (*of_driver)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
			 unsigned, void *, void **, void **);
	int (*of_runtime)(const void *, struct cuda_dim, struct cuda_dim, void **, size_t, void *);

	if (starts(row, "cuda")) {
		CUDA_SET(of_runtime, dlsym(runtime, "cudaLaunchKernel"));
		return of_runtime(none, grid, block, none, 7, NULL);
	}
	CUDA_SET(of_driver, dlsym(driver, "cuLaunchKernel"));
	return of_driver(none, 1, 2, 3, 4, 5, 6, 7, NULL, none, NULL);
}

/* A context on device 1 that ROW can give up, or one more hold of it. */
static int begin(const char *row, void **ctx)
{
	if (starts(row, "cuda"))
		return CALL("cudaSetDevice", 1, 0, 0, 0, 0);
	if (!starts(row, "cuDevicePrimary"))
		return CALL("cuCtxCreate_v2", ctx, 0, 1, 0, 0);
	return CALL("cuDevicePrimaryCtxRetain", ctx, 1, 0, 0, 0)
	|| CALL("cuCtxSetCurrent", *ctx, 0, 0, 0, 0);
}

static int take(const char *row, void **p)
{
	return CALL(starts(row, "cuda") ? "cudaMalloc" : "cuMemAlloc_v2", p, 4096, 0, 0, 0);
}

static void give_up(const char *how, const char *row, void *ctx)
{
	uint64_t what = starts(row, "cuda")		 ? 0
			: starts(row, "cuDevicePrimary") ? 1
							 : (uintptr_t)ctx;

	if (!strcmp(how, "wrong"))
		what = 77;
	cuda_say("%s %d\n", row, CALL(row, what, 0, 0, 0, 0));
}

static int make(const char *row, void **ctx)
{
	if (!strcmp(row, "cuCtxCreate_v3"))
		return CALL(row, ctx, 0, 0, 0, 2);
	return CALL(row, ctx, 0, strcmp(row, "cuCtxCreate_v4") ? 2 : 0, 2, 0);
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "", *row = argc > 2 ? argv[2] : "";
	void *ctx = NULL, *p = NULL;

	if (starts(row, "cuda"))
		runtime = dlopen("libcudart.so.13", RTLD_NOW);
	else
		driver = dlopen("libcuda.so.1", RTLD_NOW);
	if (!strcmp(how, "made")) {
		cuda_say("made %d\n", make(row, &ctx));
		cuda_say("take %d\n", take(row, &p));
		cuda_say("launch %d\n", launch(row));
		return 0;
	}
	cuda_say("begin %d\n", begin(row, &ctx));
	if (!strcmp(how, "one-of"))
		cuda_say("another %d\n", begin(row, &ctx));
	cuda_say("take %d\n", take(row, &p));
	cuda_say("launch %d\n", launch(row));
	give_up(how, row, ctx);
	begin(row, &ctx);
	cuda_say("launch %d\n", launch(row));
	cuda_say("wait %d\n",
		 CALL(starts(row, "cuda") ? "cudaDeviceSynchronize" : "cuCtxSynchronize", 0, 0, 0,
		      0, 0));
	return 0;
}
