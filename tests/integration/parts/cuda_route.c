/* SPDX-License-Identifier: MIT */
/* cuda_route.c -- reaches CUDA by the route that argv[1] names.
 *
 *   own             cuda_run is a part of this program
 *   local deep deep_lazy space FILE   of a library that is opened so
 *   handle version  the runtime's functions by dlsym, dlvsym; of FILE, or of 13
 *   driver          the driver's by dlsym
 *   two A B         two libraries, each with a runtime of its own
 *   weak            whether there is a driver, and what its functions say without one
 *   reopen FILE     three times opened, used and closed */
#include "cuda_work.h"

static struct {
	int (*set_device)(int);
	int (*take)(void **, size_t);
	int (*give)(void *);
	int (*launch)(const void *, struct cuda_dim, struct cuda_dim, void **, size_t, void *);
	int (*sync)(void);
} rt;

static int take(uint64_t *p, size_t size)
{
	void *q = NULL;
	int r = rt.take(&q, size);

	*p = (uintptr_t)q;
	return r;
}

static int give(uint64_t p)
{
	return rt.give((void *)(uintptr_t)p);
}

static int launch(void)
{
	struct cuda_dim grid = { 1, 2, 3 }, block = { 4, 5, 6 };
	void *none[1] = { NULL };

	return rt.launch(none, grid, block, none, 7, NULL);
}

static void *opened(const char *file, int flags)
{
	void *lib = dlopen(file, flags);

	if (!lib) {
		printf("%s\n", dlerror());
		exit(91);
	}
	return lib;
}

/* A version has the name of the file. */
static void of_runtime(const char *file, int has_version)
{
	void *lib;

	file = *file ? file : "libcudart.so.13";
	lib = opened(file, RTLD_NOW | RTLD_LOCAL);
#define FIND(name) (has_version ? dlvsym(lib, name, file) : dlsym(lib, name))
	CUDA_SET(rt.set_device, FIND("cudaSetDevice"));
	CUDA_SET(rt.take, FIND("cudaMalloc"));
	CUDA_SET(rt.give, FIND("cudaFree"));
	CUDA_SET(rt.launch, FIND(strstr(file, "13") ? "__cudaLaunchKernel" : "cudaLaunchKernel"));
	CUDA_SET(rt.sync, FIND("cudaDeviceSynchronize"));
	cuda_work(&(struct cuda_api){ rt.set_device, take, give, launch, rt.sync });
}

static struct {
	int (*retain)(void **, int);
	int (*current)(void *);
	int (*take)(uint64_t *, size_t);
	int (*give)(uint64_t);
	int (*launch)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
		      void *, void **, void **);
	int (*sync)(void);
} cu;

static int cu_device(int device)
{
	void *ctx;

	return cu.retain(&ctx, device) || cu.current(ctx);
}

static int cu_launch(void)
{
	void *none[1] = { NULL };

	return cu.launch(none, 1, 2, 3, 4, 5, 6, 7, NULL, none, NULL);
}

static void of_driver(void)
{
	void *lib = opened("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);

	CUDA_SET(cu.retain, dlsym(lib, "cuDevicePrimaryCtxRetain"));
	CUDA_SET(cu.current, dlsym(lib, "cuCtxSetCurrent"));
	CUDA_SET(cu.take, dlsym(lib, "cuMemAlloc_v2"));
	CUDA_SET(cu.give, dlsym(lib, "cuMemFree_v2"));
	CUDA_SET(cu.launch, dlsym(lib, "cuLaunchKernel"));
	CUDA_SET(cu.sync, dlsym(lib, "cuCtxSynchronize"));
	cuda_work(&(struct cuda_api){ cu_device, cu.take, cu.give, cu_launch, cu.sync });
}

static void of_library(void *lib)
{
	void (*run)(void);
	int (*generation)(void);
	void *p = dlsym(lib, "fake_generation");

	CUDA_SET(run, dlsym(lib, "cuda_run"));
	run();
	memcpy(&generation, &p, sizeof(p));
	if (p)
		printf("runtime %d\n", generation());
}

extern int cuMemAlloc_v2(uint64_t *p, size_t size) __attribute__((weak));
extern int cudaFree(void *p) __attribute__((weak));
extern int cuGetProcAddress_v2(const char *, void **, int, uint64_t, int *) __attribute__((weak));

/* Where a guard is bound in their place they say "not initialised". */
static void of_weak(void)
{
	uint64_t p;
	void *q;
	int found;
	int bad = (cuMemAlloc_v2 && cuMemAlloc_v2(&p, 16) != 3) ||
		  (cudaFree && cudaFree(NULL) != 3) ||
		  (cuGetProcAddress_v2 && cuGetProcAddress_v2("cuInit", &q, 12000, 0, &found) != 3);

	printf("%s\n", bad ? "an answer without a driver" : "no driver");
}

#ifdef OWN
static void of_own(void)
{
	cuda_run();
}
#else
static void of_own(void)
{
	exit(93);
}
#endif

int main(int argc, char **argv)
{
	const char *route = argc > 1 ? argv[1] : "", *file = argc > 2 ? argv[2] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(route, "own"))
		of_own();
	else if (!strcmp(route, "local"))
		of_library(opened(file, RTLD_LAZY | RTLD_LOCAL));
	else if (!strcmp(route, "deep"))
		of_library(opened(file, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND));
	else if (!strcmp(route, "deep_lazy"))
		of_library(opened(file, RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND));
	else if (!strcmp(route, "space"))
		of_library(dlmopen(LM_ID_NEWLM, file, RTLD_NOW | RTLD_LOCAL));
	else if (!strcmp(route, "handle"))
		of_runtime(file, 0);
	else if (!strcmp(route, "version"))
		of_runtime(file, 1);
	else if (!strcmp(route, "driver"))
		of_driver();
	else if (!strcmp(route, "weak"))
		of_weak();
	else if (!strcmp(route, "two") && argc > 3) {
		of_library(opened(file, RTLD_NOW | RTLD_LOCAL));
		of_library(opened(argv[3], RTLD_NOW | RTLD_LOCAL));
	} else if (!strcmp(route, "reopen"))
		for (int i = 0; i < 3; i++) {
			void *lib = opened(file, RTLD_NOW | RTLD_LOCAL);

			of_library(lib);
			dlclose(lib);
		}
	else
		return 93;
	return 0;
}
