/* SPDX-License-Identifier: MIT */
/* fake_cuda.c -- a CUDA driver made of the rows of hooks/cuda.def (fake.h), on memory of
 * fake_memory.h: four devices, contexts, look-ups by version and flags.
 *
 *   captures            who synchronizes while one is open ends the process with 97
 *   FAKE_ALL_FAIL=N     every function fails with N
 *   FAKE_LAUNCH=N       launches fail with N
 *   FAKE_DROP=N         no stream is destroyed, with N
 *   FAKE_BUSY=1         queries say "not ready" until something was synchronized; 2: always
 *   FAKE_GIVEN_UP=1     while memory is taken, who retains a primary context is left alone
 *                       with it: the others release theirs at that moment
 *   FAKE_FROM=V         entry points that came after version V are not known by name
 *   -DFAKE_WHO          FAKE_LOG also gets the object that asks for each entry point */
#include "../../hooks/abi/cuda.h"

#define FAKE_ROWS "../../hooks/cuda.def"
#define FAKE_FAILS
#define HAND_cuGetProcAddress FAKE_HAND
#define HAND_cuGetProcAddress_v2 FAKE_HAND
#define HAND_cuCtxCreate FAKE_HAND
#define HAND_cuCtxCreate_v2 FAKE_HAND
#define HAND_cuCtxCreate_v3 FAKE_HAND
#define HAND_cuCtxCreate_v4 FAKE_HAND
#define HAND_cuCtxDestroy FAKE_HAND
#define HAND_cuCtxDestroy_v2 FAKE_HAND
#define HAND_cuCtxDetach FAKE_HAND
#define HAND_cuCtxSetCurrent FAKE_HAND
#define HAND_cuCtxPushCurrent_v2 FAKE_HAND
#define HAND_cuCtxPopCurrent_v2 FAKE_HAND
#define HAND_cuCtxGetCurrent FAKE_HAND
#define HAND_cuCtxGetDevice FAKE_HAND
#define HAND_cuDevicePrimaryCtxRetain FAKE_HAND
#define HAND_cuDevicePrimaryCtxRelease FAKE_HAND
#define HAND_cuDevicePrimaryCtxRelease_v2 FAKE_HAND
#define HAND_cuDevicePrimaryCtxReset FAKE_HAND
#define HAND_cuDevicePrimaryCtxReset_v2 FAKE_HAND
#define HAND_cuDevicePrimaryCtxGetState FAKE_HAND
#define HAND_cuMemAlloc_v2 FAKE_HAND
#define HAND_cuMemAllocPitch_v2 FAKE_HAND
#define HAND_cuMemAllocManaged FAKE_HAND
#define HAND_cuMemAllocAsync FAKE_HAND
#define HAND_cuMemAllocAsync_ptsz FAKE_HAND
#define HAND_cuMemHostAlloc FAKE_HAND
#define HAND_cuMemHostRegister_v2 FAKE_HAND
#define HAND_cuMemHostUnregister FAKE_HAND
#define HAND_cuMemFree_v2 FAKE_HAND
#define HAND_cuMemFreeAsync FAKE_HAND
#define HAND_cuMemFreeAsync_ptsz FAKE_HAND
#define HAND_cuMemFreeHost FAKE_HAND
#define HAND_cuMemCreate FAKE_HAND
#define HAND_cuMemRelease FAKE_HAND
#define HAND_cuMemMap FAKE_HAND
#define HAND_cuMemRetainAllocationHandle FAKE_HAND
#define HAND_cuMemGetInfo_v2 FAKE_HAND
#define HAND_cuLaunchKernel FAKE_HAND
#define HAND_cuLaunchKernel_ptsz FAKE_HAND
#define HAND_cuCtxSynchronize FAKE_HAND
#define HAND_cuCtxRecordEvent FAKE_HAND
#define HAND_cuStreamCreate FAKE_HAND
#define HAND_cuStreamDestroy_v2 FAKE_HAND
#define HAND_cuStreamSynchronize FAKE_HAND
#define HAND_cuStreamQuery FAKE_HAND
#define HAND_cuEventQuery FAKE_HAND
#define HAND_cuDeviceGetDefaultMemPool FAKE_HAND
#define HAND_cuDeviceGetMemPool FAKE_HAND
#define HAND_cuMemPoolGetAttribute FAKE_HAND
#define HAND_cuStreamBeginCapture_v2 FAKE_HAND
#define HAND_cuStreamEndCapture FAKE_HAND
#include "fake.h"

#include "fake_memory.h"
#include "fake_streams.h"

#define DEVICES 4
#define NO_CONTEXT 201

static _Atomic(int) primary[DEVICES]; /* references */
#define MADE 8
static char made[DEVICES][MADE]; /* a context's handle is its address here */
static _Atomic(unsigned) next_made[DEVICES];
static _Thread_local void *stack[8];
static _Thread_local int depth;

#include "fake_cuda_names.h"

#include "fake_cuda_contexts.h"

static int take(int row, void *out, size_t size)
{
	uint64_t at;

	fake_called(row);
	if (!out || !size)
		return fake_over(row, 1);
	at = fake_is_failing() ? 0 : fake_take(size);
	if (!at)
		return fake_over(row, 2);
	memcpy(out, &at, sizeof(at));
	return fake_over(row, 0);
}

static int give(int row, uint64_t at)
{
	fake_called(row);
	return fake_over(row, !at || fake_is_failing() || fake_give(at) ? 0 : 1);
}

int cuMemAlloc_v2(uint64_t *p, size_t size)
{
	return take(FAKE_cuMemAlloc_v2, p, size);
}

int cuMemAllocManaged(uint64_t *p, size_t size, unsigned flags)
{
	(void)flags;
	return take(FAKE_cuMemAllocManaged, p, size);
}

int cuMemAllocAsync(uint64_t *p, size_t size, void *stream)
{
	(void)stream;
	return take(FAKE_cuMemAllocAsync, p, size);
}

int cuMemAllocAsync_ptsz(uint64_t *p, size_t size, void *stream)
{
	(void)stream;
	return take(FAKE_cuMemAllocAsync_ptsz, p, size);
}

int cuMemHostAlloc(void **p, size_t size, unsigned flags)
{
	(void)flags;
	return take(FAKE_cuMemHostAlloc, p, size);
}

int cuMemHostRegister_v2(void *p, size_t size, unsigned flags)
{
	int row = FAKE_cuMemHostRegister_v2;

	(void)flags;
	fake_called(row);
	return fake_over(row, p && size ? 0 : 1);
}

int cuMemHostUnregister(void *p)
{
	fake_called(FAKE_cuMemHostUnregister);
	return fake_over(FAKE_cuMemHostUnregister, p ? 0 : 1);
}

int cuMemAllocPitch_v2(uint64_t *p, size_t *pitch, size_t width, size_t height, unsigned element)
{
	(void)element;
	if (pitch && width < SIZE_MAX - 512)
		*pitch = (width + 511) & ~(size_t)511;
	return take(FAKE_cuMemAllocPitch_v2, p, pitch && width < 1u << 30 ? *pitch * height : 0);
}

int cuMemCreate(uint64_t *handle, size_t size, const struct taf_cu_prop *prop, uint64_t flags)
{
	(void)flags;
	return take(FAKE_cuMemCreate, prop ? handle : NULL, size);
}

int cuMemFree_v2(uint64_t p)
{
	return give(FAKE_cuMemFree_v2, p);
}

int cuMemFreeAsync(uint64_t p, void *stream)
{
	(void)stream;
	return give(FAKE_cuMemFreeAsync, p);
}

int cuMemFreeAsync_ptsz(uint64_t p, void *stream)
{
	(void)stream;
	return give(FAKE_cuMemFreeAsync_ptsz, p);
}

int cuMemFreeHost(void *p)
{
	return give(FAKE_cuMemFreeHost, (uint64_t)(uintptr_t)p);
}

/* It knows the latest mapping alone, and how often that was retained. */
static _Atomic(uint64_t) mapped;
static _Atomic(int) retained;

int cuMemMap(uint64_t at, size_t size, size_t offset, uint64_t handle, uint64_t flags)
{
	(void)at, (void)size, (void)offset, (void)flags;
	fake_called(FAKE_cuMemMap);
	mapped = handle;
	return fake_over(FAKE_cuMemMap, 0);
}

int cuMemRetainAllocationHandle(uint64_t *handle, void *at)
{
	int row = FAKE_cuMemRetainAllocationHandle;

	fake_called(row);
	if (!handle || !at)
		return fake_over(row, 1);
	if (fake_is_failing())
		return fake_over(row, 0);
	*handle = mapped;
	retained++;
	return fake_over(row, 0);
}

int cuMemRelease(uint64_t handle)
{
	if (!retained || handle != mapped)
		return give(FAKE_cuMemRelease, handle);
	fake_called(FAKE_cuMemRelease);
	retained--;
	return fake_over(FAKE_cuMemRelease, 0);
}

int cuMemGetInfo_v2(size_t *free, size_t *total)
{
	fake_called(FAKE_cuMemGetInfo_v2);
	if (!current())
		return fake_over(FAKE_cuMemGetInfo_v2, NO_CONTEXT);
	*free = (size_t)fake_free_bytes();
	*total = (size_t)fake_capacity();
	return fake_over(FAKE_cuMemGetInfo_v2, 0);
}

/* Each device has one pool, which keeps half of what it took. */
static int pool_of(int row, void **pool, int device)
{
	fake_called(row);
	if (device < 0 || device >= DEVICES)
		return fake_over(row, 101);
	*pool = fake_cells[device];
	return fake_over(row, 0);
}

int cuDeviceGetDefaultMemPool(void **pool, int device)
{
	return pool_of(FAKE_cuDeviceGetDefaultMemPool, pool, device);
}

int cuDeviceGetMemPool(void **pool, int device)
{
	return pool_of(FAKE_cuDeviceGetMemPool, pool, device);
}

int cuMemPoolGetAttribute(void *pool, int attribute, void *value)
{
	uint64_t n = attribute == 5 ? 8192 : attribute == 7 ? 4096 : 1;

	fake_called(FAKE_cuMemPoolGetAttribute);
	memcpy(value, &n, sizeof(n));
	return fake_over(FAKE_cuMemPoolGetAttribute, pool ? 0 : 1);
}

static int launch(int row)
{
	fake_called(row);
	fake_is_idle = 0;
	return fake_over(row, (int)fake_setting("FAKE_LAUNCH"));
}

int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
		   unsigned bz, unsigned shared, void *stream, void **params, void **extra)
{
	(void)stream;
	(void)extra;
	if (f && params)
		fake_check(FAKE_cuLaunchKernel, gx + 10 * gy + 100 * gz + 1000 * bx + 10000 * by +
								100000 * bz + 1000000 * shared ==
							7654321);
	return launch(FAKE_cuLaunchKernel);
}

int cuLaunchKernel_ptsz(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
			unsigned bz, unsigned shared, void *stream, void **params, void **extra)
{
	(void)f, (void)gx, (void)gy, (void)gz, (void)bx, (void)by, (void)bz, (void)shared;
	(void)stream, (void)params, (void)extra;
	return launch(FAKE_cuLaunchKernel_ptsz);
}

static int wait_at(int row)
{
	fake_waited(row);
	return fake_over(row, (int)fake_setting("FAKE_SYNC"));
}

int cuCtxSynchronize(void)
{
	return wait_at(FAKE_cuCtxSynchronize);
}

int cuCtxRecordEvent(void *ctx, void *event)
{
	(void)ctx, (void)event;
	return wait_at(FAKE_cuCtxRecordEvent);
}

int cuStreamSynchronize(void *stream)
{
	(void)stream;
	return wait_at(FAKE_cuStreamSynchronize);
}

static int query(int row)
{
	if (row == FAKE_cuStreamQuery)
		fake_uncaptured(row);
	else
		fake_called(row);
	return fake_over(row, fake_setting("FAKE_BUSY") > fake_is_idle ? TAF_CU_NOT_READY : 0);
}

int cuStreamQuery(void *stream)
{
	(void)stream;
	return query(FAKE_cuStreamQuery);
}

int cuEventQuery(void *event)
{
	(void)event;
	return query(FAKE_cuEventQuery);
}

int cuStreamCreate(void **stream, unsigned flags)
{
	(void)flags;
	fake_called(FAKE_cuStreamCreate);
	if (stream && !fake_is_failing())
		*stream = fake_cells[FAKE_cuStreamCreate];
	return fake_over(FAKE_cuStreamCreate, 0);
}

int cuStreamDestroy_v2(void *stream)
{
	fake_called(FAKE_cuStreamDestroy_v2);
	return fake_over(FAKE_cuStreamDestroy_v2, stream ? (int)fake_setting("FAKE_DROP") : 400);
}

int cuStreamBeginCapture_v2(void *stream, int mode)
{
	(void)mode;
	fake_called(FAKE_cuStreamBeginCapture_v2);
	return fake_over(FAKE_cuStreamBeginCapture_v2, fake_begin_capture(stream));
}

int cuStreamEndCapture(void *stream, void **graph)
{
	int row = FAKE_cuStreamEndCapture;

	fake_called(row);
	return fake_over(row, fake_end_capture(row, stream, graph));
}
