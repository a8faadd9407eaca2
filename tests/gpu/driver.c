/* SPDX-License-Identifier: MIT */
/* driver.c -- a program on CUDA's driver, for `make check-gpu`: no SDK is needed to build it.
 *
 *   driver ROUTE CASE
 *
 *   ROUTE  dlsym     each function by its name
 *          getproc   by cuGetProcAddress, as the runtime does it
 *          ptsz      the same, with the thread's own stream for 0
 *          link      linked to libcuda.so.1 (built with -DLINK)
 *   CASE   see the table in main; what each prints is the same at every run, except for
 *          rate, which prints launches a second
 *
 * With SIMGPU_DIR set the GPU is the simulation of tests/simgpu, where no kernel runs
 * and no number is looked at.
 */
#include "driver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N 1024u
#define MIB (1ull << 20)

static struct gpu_driver gpu;
static void *context, *kernel;

/* Every answer that is not 0 ends the program, so that both runs end alike. */
static void must(int r, const char *what)
{
	if (!r)
		return;
	printf("%s: error %d\n", what, r);
	fflush(stdout);
	exit(1);
}
#define MUST(name, ...) must(gpu.name(__VA_ARGS__), #name)

#ifdef LINK
#define USE(symbol, asked, params) int symbol params;
GPU_USES
#undef USE

static void find_all(const char *route)
{
	if (strcmp(route, "link"))
		exit(64);
#define USE(symbol, asked, params) gpu.symbol = symbol;
	GPU_USES
#undef USE
}
#else
static void *library;

typedef int ask_fn(const char *name, void **fn, int version, uint64_t flags, int *status);

static void *ask(ask_fn *get, const char *name, uint64_t flags)
{
	void *fn = NULL;
	int status = 0;

	must(get(name, &fn, 12000, flags, &status), name);
	return fn;
}

static void set(void *to, void *fn, const char *name)
{
	if (!fn) {
		printf("no %s\n", name);
		exit(1);
	}
	memcpy(to, &fn, sizeof(fn));
}

static void find_all(const char *route)
{
	ask_fn *get = NULL;
	uint64_t flags = strcmp(route, "ptsz") ? 0 : 2;

	library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		printf("%s\n", dlerror());
		exit(1);
	}
	set(&get, dlsym(library, "cuGetProcAddress_v2"), "cuGetProcAddress_v2");
#define USE(symbol, asked, params) \
	set(&gpu.symbol, \
	    strcmp(route, "dlsym") ? ask(get, #asked, flags) : dlsym(library, #symbol), #symbol);
	GPU_USES
#undef USE
}
#endif

static int is_simulated(void)
{
	return getenv("SIMGPU_DIR") != NULL;
}

static void begin(void)
{
	void *module;

	MUST(cuInit, 0);
	MUST(cuDevicePrimaryCtxRetain, &context, 0);
	MUST(cuCtxSetCurrent, context);
	MUST(cuModuleLoadData, &module, GPU_PTX);
	MUST(cuModuleGetFunction, &kernel, module, "add_one");
}

static int launch_on(uint64_t p, void *stream)
{
	unsigned n = N;
	void *params[] = { &p, &n };

	return gpu.cuLaunchKernel(kernel, N / 128, 1, 1, 128, 1, 1, 0, stream, params, NULL);
}

/* p holds N times start; after so many launches each is that much more. */
static void look(const char *what, uint64_t p, unsigned start, unsigned launches)
{
	static _Thread_local unsigned host[N];
	unsigned bad = 0;

	MUST(cuMemcpyDtoH_v2, host, p, sizeof(host));
	for (unsigned i = 0; i < N; i++)
		bad += host[i] != start + launches;
	printf("%s: %s\n", what, is_simulated() ? "simulated" : bad ? "WRONG numbers" : "right");
}

static void basic(void)
{
	uint64_t p;

	MUST(cuMemAlloc_v2, &p, N * 4);
	MUST(cuMemsetD32_v2, p, 7, N);
	for (int i = 0; i < 100; i++)
		must(launch_on(p, NULL), "launch");
	MUST(cuCtxSynchronize, );
	look("100 launches", p, 7, 100);
	MUST(cuMemFree_v2, p);
}

static void async(void)
{
	void *stream, *pool;
	uint64_t p;

	MUST(cuStreamCreate, &stream, 1);
	for (int i = 0; i < 50; i++) {
		MUST(cuMemAllocAsync, &p, N * 4, stream);
		must(launch_on(p, stream), "launch");
		MUST(cuMemFreeAsync, p, stream);
	}
	MUST(cuStreamSynchronize, stream);
	MUST(cuDeviceGetDefaultMemPool, &pool, 0);
	MUST(cuMemPoolTrimTo, pool, 0);
	MUST(cuStreamDestroy_v2, stream);
	printf("pools: 50 pieces\n");
}

static void graph(void)
{
	void *stream, *captured, *exec;
	uint64_t p;

	MUST(cuStreamCreate, &stream, 1);
	MUST(cuMemAlloc_v2, &p, N * 4);
	MUST(cuMemsetD32_v2, p, 0, N);
	MUST(cuCtxSynchronize, );
	MUST(cuStreamBeginCapture_v2, stream, 0);
	for (int i = 0; i < 10; i++)
		must(launch_on(p, stream), "captured launch");
	MUST(cuStreamEndCapture, stream, &captured);
	MUST(cuGraphInstantiateWithFlags, &exec, captured, 0);
	for (int i = 0; i < 20; i++)
		MUST(cuGraphLaunch, exec, stream);
	MUST(cuStreamSynchronize, stream);
	look("20 graphs of 10 launches", p, 0, 200);
	MUST(cuGraphExecDestroy, exec);
	MUST(cuGraphDestroy, captured);
	MUST(cuMemFree_v2, p);
	MUST(cuStreamDestroy_v2, stream);
}

static void kinds(void)
{
	uint64_t managed;
	void *host;

	MUST(cuMemAllocManaged, &managed, N * 4, 1);
	MUST(cuMemsetD32_v2, managed, 1, N);
	must(launch_on(managed, NULL), "launch");
	MUST(cuCtxSynchronize, );
	look("managed", managed, 1, 1);
	MUST(cuMemFree_v2, managed);
	MUST(cuMemHostAlloc, &host, N * 4, 0);
	memset(host, 0, N * 4);
	MUST(cuMemFreeHost, host);
	printf("pinned: taken and given\n");
}

static void mapped(void)
{
	struct gpu_prop prop = { .type = 1, .location = { 1, 0 } };
	struct gpu_access access = { { 1, 0 }, 3 };
	size_t step = 0, n;
	uint64_t p, handle;

	MUST(cuMemGetAllocationGranularity, &step, &prop, 0);
	n = step;
	MUST(cuMemAddressReserve, &p, n, 0, 0, 0);
	MUST(cuMemCreate, &handle, n, &prop, 0);
	MUST(cuMemMap, p, n, 0, handle, 0);
	MUST(cuMemSetAccess, p, n, &access, 1);
	MUST(cuMemsetD32_v2, p, 3, N);
	must(launch_on(p, NULL), "launch");
	MUST(cuCtxSynchronize, );
	look("mapped", p, 3, 1);
	MUST(cuMemUnmap, p, n);
	MUST(cuMemRelease, handle);
	MUST(cuMemAddressFree, p, n);
}

static void *one_thread(void *arg)
{
	void *stream;
	uint64_t p;

	(void)arg;
	MUST(cuCtxSetCurrent, context);
	MUST(cuStreamCreate, &stream, 1);
	for (int i = 0; i < 20; i++) {
		MUST(cuMemAlloc_v2, &p, N * 4);
		for (int k = 0; k < 20; k++)
			must(launch_on(p, stream), "launch");
		MUST(cuStreamSynchronize, stream);
		MUST(cuMemFree_v2, p);
	}
	MUST(cuStreamDestroy_v2, stream);
	return NULL;
}

static void threads(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		if (pthread_create(&t[i], NULL, one_thread, NULL))
			exit(96);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	printf("8 threads of 400 launches\n");
}

/* A child has no GPU until it execs: whatever the driver answers there, we do not add to it. */
static void child(void)
{
	int status = 0;
	uint64_t p;
	pid_t pid;

	basic();
	fflush(stdout);
	pid = fork();
	if (!pid) {
		printf("child: memory %d\n", gpu.cuMemAlloc_v2(&p, N * 4));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("the child ended with %d\n", status);
	basic();
}

/* How much of the device is taken, as the driver says, in MiB that grow with ours. */
static void account(void)
{
	size_t before, after, total;
	uint64_t p[8];

	MUST(cuMemGetInfo_v2, &before, &total);
	for (int i = 0; i < 8; i++)
		MUST(cuMemAlloc_v2, &p[i], 64 * MIB);
	MUST(cuMemGetInfo_v2, &after, &total);
	printf("512 MiB taken, the driver says %lld MiB\n", (long long)((before - after) / MIB));
	for (int i = 0; i < 4; i++)
		MUST(cuMemFree_v2, p[i]);
	fflush(stdout);
	_exit(0); /* 256 MiB are still there: the notes must say so */
}

/* Pieces of 64 MiB until one is refused, at most 16. */
static void limit(void)
{
	uint64_t p[16];
	int n = 0, r = 0;

	while (n < 16 && !(r = gpu.cuMemAlloc_v2(&p[n], 64 * MIB)))
		n++;
	printf("%d pieces of 64 MiB, then %d\n", n, r);
	for (int i = 0; i < n; i++)
		MUST(cuMemFree_v2, p[i]);
}

/* All memory goes to the pool, is given back there, and is wanted again outside of it:
 * only a trim makes room. */
static void retry(void)
{
	size_t free, total;
	uint64_t p, q;
	int r;

	MUST(cuMemGetInfo_v2, &free, &total);
	MUST(cuMemAllocAsync, &p, free / 10 * 9, NULL);
	r = gpu.cuMemAlloc_v2(&q, free / 2);
	printf("while it is taken: %d\n", r);
	MUST(cuMemFreeAsync, p, NULL);
	r = gpu.cuMemAlloc_v2(&q, free / 2);
	printf("after it was given back: %d\n", r);
}

/* main returns while work is in flight. */
static void leave(void)
{
	void *stream;
	uint64_t p;

	MUST(cuStreamCreate, &stream, 1);
	MUST(cuMemAlloc_v2, &p, N * 4);
	for (int i = 0; i < 200; i++)
		must(launch_on(p, stream), "launch");
	printf("leaving\n");
}

static void rate(void)
{
	struct timespec a, b;
	const int n = is_simulated() ? 2000 : 150000;
	uint64_t p;
	double s;

	MUST(cuMemAlloc_v2, &p, N * 4);
	for (int i = 0; i < n / 10; i++)
		must(launch_on(p, NULL), "launch");
	MUST(cuCtxSynchronize, );
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < n; i++)
		must(launch_on(p, NULL), "launch");
	MUST(cuCtxSynchronize, );
	clock_gettime(CLOCK_MONOTONIC, &b);
	s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	printf("%.0f\n", n / s);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*go)(void);
	} cases[] = {
		{ "basic", basic }, { "async", async },	    { "graph", graph },
		{ "kinds", kinds }, { "mapped", mapped },   { "threads", threads },
		{ "child", child }, { "account", account }, { "limit", limit },
		{ "retry", retry }, { "leave", leave },	    { "rate", rate },
	};

	if (argc < 3)
		return 64;
	find_all(argv[1]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!strcmp(argv[2], cases[i].name)) {
			begin();
			cases[i].go();
			return 0;
		}
	return 64;
}
