/* SPDX-License-Identifier: MIT */
/* fake_cudart.c -- a CUDA runtime made of the rows of hooks/cudart.def (fake.h).
 *
 *   FAKE_DRIVER=1       goes to libcuda.so.1 as the real one does: one dlopen, one dlsym
 *                       of cuGetProcAddress_v2, all else by that; otherwise it has
 *                       memory of its own (fake_memory.h)
 *   last error          of the latest failure of a thread, until it is asked for
 *   captures            who synchronizes while one is open ends the process with 97
 *   FAKE_ALL_FAIL=N     every function fails with N
 *   FAKE_LAUNCH=N FAKE_BUSY=1   as in fake_cuda.c
 *   FAKE_POOLS=N        pools, without a driver, as in fake_hip.c
 *
 *   int fake_generation(void)   -DGENERATION=N: which of several this one is; 11 asks the
 *                       driver by the look-up with four arguments, and wants five to make
 *                       a graph executable, the last three a node, a text and its size */
#include <dlfcn.h>

#include "../../hooks/abi/cuda.h"

#define FAKE_ROWS "../../hooks/cudart.def"
#define FAKE_FAILS
#define HAND_cudaSetDevice FAKE_HAND
#define HAND_cudaGetDevice FAKE_HAND
#define HAND_cudaMalloc FAKE_HAND
#define HAND_cudaMallocPitch FAKE_HAND
#define HAND_cudaMalloc3D FAKE_HAND
#define HAND_cudaMallocManaged FAKE_HAND
#define HAND_cudaMallocAsync FAKE_HAND
#define HAND_cudaHostAlloc FAKE_HAND
#define HAND_cudaMallocHost FAKE_HAND
#define HAND_cudaFree FAKE_HAND
#define HAND_cudaFreeAsync FAKE_HAND
#define HAND_cudaFreeHost FAKE_HAND
#define HAND_cudaMemGetInfo FAKE_HAND
#define HAND_cudaDeviceGetDefaultMemPool FAKE_HAND
#define HAND_cudaDeviceGetMemPool FAKE_HAND
#define HAND_cudaLaunchKernel FAKE_HAND
#define HAND___cudaLaunchKernel FAKE_HAND
#define HAND_cudaDeviceSynchronize FAKE_HAND
#define HAND_cudaStreamSynchronize FAKE_HAND
#define HAND_cudaStreamQuery FAKE_HAND
#define HAND_cudaEventQuery FAKE_HAND
#define HAND_cudaStreamBeginCapture FAKE_HAND
#define HAND_cudaStreamEndCapture FAKE_HAND
#define HAND_cudaGraphInstantiate FAKE_HAND
#define HAND_cudaGetLastError FAKE_HAND
#define HAND_cudaPeekAtLastError FAKE_HAND
#include "fake.h"

#include "fake_memory.h"
#include "fake_streams.h"

#ifndef GENERATION
#define GENERATION 13
#endif

FAKE_PUBLIC int fake_generation(void);

static _Thread_local int last, device_now;

int fake_generation(void)
{
	return GENERATION;
}

static int over(int row, int r)
{
	r = fake_over(row, r);
	if (r && r != TAF_CU_NOT_READY)
		last = r;
	return r;
}

/* What it needs of the driver. */
typedef int ask_fn(const char *, void **, int, uint64_t, void *);

static struct {
	int (*retain)(void **, int);
	int (*current)(void *);
	int (*take)(uint64_t *, size_t);
	int (*give)(uint64_t);
	int (*launch)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
		      void *, void **, void **);
	int (*sync)(void);
	int (*begin)(void *, int);
	int (*end)(void *, void **);
} driver;
static ask_fn *ask;

static void find(void *slot, const char *name)
{
	void *p = NULL;
	int found = 0;

	if (ask(name, &p, GENERATION * 1000, 0, &found) || found || !p)
		fake_fail(94, "cudart", " cannot find a function of the driver");
	memcpy(slot, &p, sizeof(p));
}

static int has_driver(void)
{
	return ask != NULL;
}

/* While it is opened: from then on any thread, or handler, may use it. */
__attribute__((constructor)) static void find_driver(void)
{
	void *lib, *p;

	if (!getenv("FAKE_DRIVER"))
		return;
	lib = dlopen("libcuda.so.1", RTLD_NOW);
	p = lib ? dlsym(lib, GENERATION < 12 ? "cuGetProcAddress" : "cuGetProcAddress_v2") : NULL;
	if (!p)
		fake_fail(94, "cudart", " has no driver");
	memcpy(&ask, &p, sizeof(p));
	find(&driver.retain, "cuDevicePrimaryCtxRetain");
	find(&driver.current, "cuCtxSetCurrent");
	find(&driver.take, "cuMemAlloc");
	find(&driver.give, "cuMemFree");
	find(&driver.launch, "cuLaunchKernel");
	find(&driver.sync, "cuCtxSynchronize");
	find(&driver.begin, "cuStreamBeginCapture");
	find(&driver.end, "cuStreamEndCapture");
}

int cudaSetDevice(int device)
{
	int row = FAKE_cudaSetDevice;
	void *ctx;

	fake_called(row);
	if (device < 0 || device >= 4)
		return over(row, 101);
	if (fake_is_failing())
		return over(row, 100);
	device_now = device;
	if (has_driver())
		return over(row, driver.retain(&ctx, device) || driver.current(ctx));
	return over(row, 0);
}

int cudaGetDevice(int *device)
{
	fake_called(FAKE_cudaGetDevice);
	*device = device_now;
	return over(FAKE_cudaGetDevice, 0);
}

static int take(int row, void *out, size_t size)
{
	uint64_t at = 0;

	fake_called(row);
	if (!out)
		return over(row, 1);
	if (fake_is_failing())
		return over(row, 2);
	if (size && has_driver() && driver.take(&at, size))
		at = 0;
	else if (size && !ask)
		at = fake_take(size);
	if (size && !at)
		return over(row, 2);
	memcpy(out, &at, sizeof(at));
	return over(row, 0);
}

static int give(int row, const void *p)
{
	uint64_t at = (uint64_t)(uintptr_t)p;
	int is_given;

	fake_called(row);
	if (!at || fake_is_failing())
		return over(row, 0);
	is_given = has_driver() ? !driver.give(at) : fake_give(at);
	return over(row, is_given ? 0 : 1);
}

int cudaMalloc(void **p, size_t size)
{
	return take(FAKE_cudaMalloc, p, size);
}

int cudaMallocManaged(void **p, size_t size, unsigned flags)
{
	(void)flags;
	return take(FAKE_cudaMallocManaged, p, size);
}

int cudaMallocAsync(void **p, size_t size, void *stream)
{
	(void)stream;
	return take(FAKE_cudaMallocAsync, p, size);
}

int cudaHostAlloc(void **p, size_t size, unsigned flags)
{
	(void)flags;
	return take(FAKE_cudaHostAlloc, p, size);
}

int cudaMallocHost(void **p, size_t size)
{
	return take(FAKE_cudaMallocHost, p, size);
}

int cudaMallocPitch(void **p, size_t *pitch, size_t width, size_t height)
{
	if (pitch && width < 1u << 30)
		*pitch = (width + 511) & ~(size_t)511;
	return take(FAKE_cudaMallocPitch, pitch && width < 1u << 30 ? p : NULL,
		    pitch ? *pitch * height : 0);
}

int cudaMalloc3D(struct taf_cu_pitched *p, struct taf_cu_extent extent)
{
	int row = FAKE_cudaMalloc3D;

	if (!p || extent.width > 1u << 30) {
		fake_called(row);
		return over(row, p ? 2 : 1);
	}
	p->pitch = (extent.width + 511) & ~(size_t)511;
	p->xsize = extent.width;
	p->ysize = extent.height;
	return take(row, &p->ptr, p->pitch * extent.height * extent.depth);
}

int cudaFree(void *p)
{
	return give(FAKE_cudaFree, p);
}

int cudaFreeAsync(void *p, void *stream)
{
	(void)stream;
	return give(FAKE_cudaFreeAsync, p);
}

int cudaFreeHost(void *p)
{
	return give(FAKE_cudaFreeHost, p);
}

int cudaMemGetInfo(size_t *free, size_t *total)
{
	fake_called(FAKE_cudaMemGetInfo);
	*free = (size_t)fake_free_bytes();
	*total = (size_t)fake_capacity();
	return over(FAKE_cudaMemGetInfo, 0);
}

static int pool_of(int row, void **pool, int device, int which)
{
	fake_called(row);
	if (!fake_is_failing() && device >= 0 && device < 4 && fake_setting("FAKE_POOLS"))
		*pool = fake_cells[4 * which + device];
	return over(row, device >= 0 && device < 4 ? 0 : 101);
}

int cudaDeviceGetDefaultMemPool(void **pool, int device)
{
	return pool_of(FAKE_cudaDeviceGetDefaultMemPool, pool, device, 0);
}

int cudaDeviceGetMemPool(void **pool, int device)
{
	return pool_of(FAKE_cudaDeviceGetMemPool, pool, device, fake_setting("FAKE_POOLS") == 2);
}

static int launch(int row, const struct taf_cu_dim *grid, const struct taf_cu_dim *block,
		  void *stream)
{
	void *none[1] = { NULL };
	int r = (int)fake_setting("FAKE_LAUNCH");

	fake_called(row);
	fake_check(row, grid->x == 1 && grid->y == 2 && grid->z == 3 && block->x == 4 &&
				block->y == 5 && block->z == 6);
	fake_is_idle = 0;
	if (has_driver() && !r)
		r = driver.launch(none, 1, 2, 3, 4, 5, 6, 7, stream, none, NULL);
	return over(row, r);
}

int cudaLaunchKernel(const void *f, struct taf_cu_dim grid, struct taf_cu_dim block, void **params,
		     size_t shared, void *stream)
{
	(void)f, (void)params;
	fake_check(FAKE_cudaLaunchKernel, shared == 7);
	return launch(FAKE_cudaLaunchKernel, &grid, &block, stream);
}

int __cudaLaunchKernel(const void *f, struct taf_cu_dim grid, struct taf_cu_dim block,
		       void **params, size_t shared, void *stream)
{
	(void)f, (void)params;
	fake_check(FAKE___cudaLaunchKernel, shared == 7);
	return launch(FAKE___cudaLaunchKernel, &grid, &block, stream);
}

static int wait_at(int row)
{
	fake_waited(row);
	if (has_driver())
		return over(row, driver.sync());
	return over(row, (int)fake_setting("FAKE_SYNC"));
}

int cudaDeviceSynchronize(void)
{
	return wait_at(FAKE_cudaDeviceSynchronize);
}

int cudaStreamSynchronize(void *stream)
{
	(void)stream;
	return wait_at(FAKE_cudaStreamSynchronize);
}

static int query(int row)
{
	fake_called(row);
	return over(row, fake_setting("FAKE_BUSY") && !fake_is_idle ? TAF_CU_NOT_READY : 0);
}

int cudaStreamQuery(void *stream)
{
	(void)stream;
	return query(FAKE_cudaStreamQuery);
}

int cudaEventQuery(void *event)
{
	(void)event;
	return query(FAKE_cudaEventQuery);
}

int cudaStreamBeginCapture(void *stream, int mode)
{
	int row = FAKE_cudaStreamBeginCapture, r = 0;

	fake_called(row);
	if (stream && !fake_is_failing() && has_driver())
		r = driver.begin(stream, mode);
	return over(row, r ? r : fake_begin_capture(stream));
}

int cudaStreamEndCapture(void *stream, void **graph)
{
	int row = FAKE_cudaStreamEndCapture, r;
	void *theirs;

	fake_called(row);
	r = fake_end_capture(row, stream, graph);
	if (!r && !fake_is_failing() && has_driver())
		r = driver.end(stream, &theirs);
	return over(row, r);
}

int cudaGraphInstantiate(void **exec, void *graph, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	int row = FAKE_cudaGraphInstantiate;
	char *text = (char *)(uintptr_t)b;

	(void)graph, (void)d;
	fake_called(row);
	if (!exec)
		return over(row, 1);
	if (GENERATION < 12) {
		fake_check(row, a && text && c);
		memcpy(text, "eleven", c < 7 ? c : 7);
	}
	if (!fake_is_failing())
		*exec = fake_cells[row];
	return over(row, 0);
}

int cudaPeekAtLastError(void)
{
	fake_called(FAKE_cudaPeekAtLastError);
	fake_last[FAKE_cudaPeekAtLastError] = last;
	return last;
}

int cudaGetLastError(void)
{
	int r = last;

	fake_called(FAKE_cudaGetLastError);
	last = 0;
	fake_last[FAKE_cudaGetLastError] = r;
	return r;
}
