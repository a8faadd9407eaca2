/* SPDX-License-Identifier: MIT */
/* fake_hip.c -- a HIP runtime made of the rows of hooks/hip.def (fake.h), on memory of
 * fake_memory.h.
 *
 *   hipMallocPitch      calls hipMalloc by its name, as the real one calls itself
 *   captures            who synchronizes, or calls hipMalloc, while one is open ends the
 *                       process with 97
 *   last error          of the latest call, as up to ROCm 6; with FAKE_STICKY=1 of the
 *                       latest failure, as from ROCm 7 on
 *   hipStreamQuery      of a stream that is destroyed ends the process with 96; with
 *                       FAKE_BUSY=1 no stream is ever done
 *                       FAKE_RESET=1 the first query resets the device, by its name
 *   FAKE_ALL_FAIL=N     every function fails with N
 *   FAKE_LAUNCH=N       launches fail with N
 *   FAKE_MEET=N         the N-th launch ends when another one has begun
 *   FAKE_DROP=N         no stream is destroyed, with N
 *   hipGetProcAddress   opens the runtime and asks the loader for the name, as the real one
 *                       does; hipGetDriverEntryPoint too, and both as _spt
 *   FAKE_POOLS=1        each device has a pool, which keeps 8192 bytes and uses 4096 of them;
 *                       2: another one, as large, is the one in use by now; else none has any
 */
#include <dlfcn.h>
#include <sched.h>

#include "../../hooks/abi/hip.h"

#define FAKE_ROWS "../../hooks/hip.def"
#define FAKE_FAILS
#define HAND_hipGetProcAddress FAKE_HAND
#define HAND_hipGetProcAddress_spt FAKE_HAND
#define HAND_hipGetDriverEntryPoint FAKE_HAND
#define HAND_hipGetDriverEntryPoint_spt FAKE_HAND
#define HAND_hipSetDevice FAKE_HAND
#define HAND_hipGetDevice FAKE_HAND
#define HAND_hipMalloc FAKE_HAND
#define HAND_hipMallocManaged FAKE_HAND
#define HAND_hipHostMalloc FAKE_HAND
#define HAND_hipMallocAsync FAKE_HAND
#define HAND_hipMallocPitch FAKE_HAND
#define HAND_hipMalloc3D FAKE_HAND
#define HAND_hipMemCreate FAKE_HAND
#define HAND_hipMemRelease FAKE_HAND
#define HAND_hipFree FAKE_HAND
#define HAND_hipFreeAsync FAKE_HAND
#define HAND_hipHostFree FAKE_HAND
#define HAND_hipMemGetInfo FAKE_HAND
#define HAND_hipDeviceGetName FAKE_HAND
#define HAND_hipDeviceTotalMem FAKE_HAND
#define HAND_hipLaunchKernel FAKE_HAND
#define HAND_hipModuleLaunchKernel FAKE_HAND
#define HAND_hipDeviceSynchronize FAKE_HAND
#define HAND_hipStreamSynchronize FAKE_HAND
#define HAND_hipStreamQuery FAKE_HAND
#define HAND_hipStreamCreate FAKE_HAND
#define HAND_hipStreamCreateWithFlags FAKE_HAND
#define HAND_hipStreamDestroy FAKE_HAND
#define HAND_hipMemPoolCreate FAKE_HAND
#define HAND_hipDeviceGetDefaultMemPool FAKE_HAND
#define HAND_hipDeviceGetMemPool FAKE_HAND
#define HAND_hipMemPoolGetAttribute FAKE_HAND
#define HAND_hipDeviceReset FAKE_HAND
#define HAND_hipStreamBeginCapture FAKE_HAND
#define HAND_hipStreamEndCapture FAKE_HAND
#define HAND_hipGetLastError FAKE_HAND
#define HAND_hipPeekAtLastError FAKE_HAND
#include "fake.h"

#include "fake_memory.h"
#include "fake_streams.h"

static void *destroyed = fake_cells; /* or no stream at all */
static _Thread_local int last, device_now;

/* Each function ends here: what it gives, and what the thread's last error is then. */
static int over(int row, int r)
{
	r = fake_over(row, r);
	if (r || !getenv("FAKE_STICKY"))
		last = r;
	return r;
}

static int look_up(int row, const char *symbol, void **pfn, bool is_spt)
{
	static void *self;
	char name[96];
	Dl_info i;

	fake_called(row);
	if (!symbol || !pfn || fake_is_failing())
		return over(row, symbol && pfn ? 0 : 1);
	if (!self && dladdr(fake_cells, &i))
		self = dlopen(i.dli_fname, RTLD_NOW);
	snprintf(name, sizeof(name), "%s_spt", symbol);
	*pfn = self && is_spt ? dlsym(self, name) : NULL;
	if (self && !*pfn)
		*pfn = dlsym(self, symbol);
	return over(row, *pfn ? 0 : 1);
}

int hipGetProcAddress(const char *symbol, void **pfn, int version, uint64_t flags, void *status)
{
	(void)version, (void)status;
	return look_up(FAKE_hipGetProcAddress, symbol, pfn, flags == 2);
}

int hipGetProcAddress_spt(const char *symbol, void **pfn, int version, uint64_t flags, void *status)
{
	(void)version, (void)status;
	return look_up(FAKE_hipGetProcAddress_spt, symbol, pfn, flags != 1);
}

int hipGetDriverEntryPoint(const char *symbol, void **pfn, unsigned long long flags, void *status)
{
	(void)status;
	return look_up(FAKE_hipGetDriverEntryPoint, symbol, pfn, flags == 2);
}

int hipGetDriverEntryPoint_spt(const char *symbol, void **pfn, unsigned long long flags,
			       void *status)
{
	(void)status;
	return look_up(FAKE_hipGetDriverEntryPoint_spt, symbol, pfn, flags != 1);
}

int hipSetDevice(int device)
{
	fake_called(FAKE_hipSetDevice);
	if (!fake_is_failing() && device >= 0 && device < 4)
		device_now = device;
	return over(FAKE_hipSetDevice, device >= 0 && device < 4 ? 0 : 101);
}

int hipGetDevice(int *device)
{
	fake_called(FAKE_hipGetDevice);
	if (device)
		*device = device_now;
	return over(FAKE_hipGetDevice, device ? 0 : 1);
}

static int take(int row, void **ptr, size_t size)
{
	uint64_t at;

	if (!ptr)
		return over(row, 1);
	if (fake_is_failing())
		return over(row, 2);
	at = size ? fake_take(size) : 0;
	if (size && !at)
		return over(row, 2);
	*ptr = (void *)(uintptr_t)at;
	return over(row, 0);
}

static int give(int row, const void *ptr)
{
	int is_known = !ptr || fake_is_failing() || fake_give((uint64_t)(uintptr_t)ptr);

	return over(row, is_known ? 0 : 1);
}

int hipMalloc(void **ptr, size_t size)
{
	fake_uncaptured(FAKE_hipMalloc);
	return take(FAKE_hipMalloc, ptr, size);
}

int hipMallocManaged(void **ptr, size_t size, unsigned flags)
{
	(void)flags;
	fake_called(FAKE_hipMallocManaged);
	return take(FAKE_hipMallocManaged, ptr, size);
}

int hipHostMalloc(void **ptr, size_t size, unsigned flags)
{
	(void)flags;
	fake_called(FAKE_hipHostMalloc);
	return take(FAKE_hipHostMalloc, ptr, size);
}

int hipMallocAsync(void **ptr, size_t size, void *stream)
{
	(void)stream;
	fake_called(FAKE_hipMallocAsync);
	return take(FAKE_hipMallocAsync, ptr, size);
}

int hipMallocPitch(void **ptr, size_t *pitch, size_t width, size_t height)
{
	fake_called(FAKE_hipMallocPitch);
	if (!pitch)
		return over(FAKE_hipMallocPitch, 1);
	*pitch = (width + 255) & ~(size_t)255;
	return over(FAKE_hipMallocPitch, hipMalloc(ptr, *pitch * height));
}

int hipMalloc3D(struct taf_hip_pitched *pitched, struct taf_hip_extent extent)
{
	int r;

	fake_called(FAKE_hipMalloc3D);
	if (!pitched)
		return over(FAKE_hipMalloc3D, 1);
	pitched->pitch = (extent.width + 255) & ~(size_t)255;
	pitched->xsize = extent.width;
	pitched->ysize = extent.height;
	r = hipMalloc(&pitched->ptr, pitched->pitch * extent.height * extent.depth);
	return over(FAKE_hipMalloc3D, r);
}

int hipMemCreate(void **handle, size_t size, const struct taf_hip_prop *prop,
		 unsigned long long flags)
{
	(void)prop;
	(void)flags;
	fake_called(FAKE_hipMemCreate);
	return take(FAKE_hipMemCreate, handle, size);
}

int hipMemRelease(void *handle)
{
	fake_called(FAKE_hipMemRelease);
	return give(FAKE_hipMemRelease, handle);
}

int hipFree(void *ptr)
{
	fake_called(FAKE_hipFree);
	return give(FAKE_hipFree, ptr);
}

int hipFreeAsync(void *ptr, void *stream)
{
	(void)stream;
	fake_called(FAKE_hipFreeAsync);
	return give(FAKE_hipFreeAsync, ptr);
}

int hipHostFree(void *ptr)
{
	fake_called(FAKE_hipHostFree);
	return give(FAKE_hipHostFree, ptr);
}

int hipMemGetInfo(size_t *free, size_t *total)
{
	fake_called(FAKE_hipMemGetInfo);
	if (free && total) {
		*free = (size_t)fake_free_bytes();
		*total = (size_t)fake_capacity();
	}
	return over(FAKE_hipMemGetInfo, free && total ? 0 : 1);
}

int hipDeviceGetName(char *name, int room, int device)
{
	fake_called(FAKE_hipDeviceGetName);
	snprintf(name, (size_t)room, "fake hip %d", device);
	return over(FAKE_hipDeviceGetName, 0);
}

int hipDeviceTotalMem(size_t *bytes, int device)
{
	(void)device;
	fake_called(FAKE_hipDeviceTotalMem);
	*bytes = (size_t)fake_capacity();
	return over(FAKE_hipDeviceTotalMem, 0);
}

int hipLaunchKernel(const void *func, struct taf_hip_dim3 grid, struct taf_hip_dim3 block,
		    void **values, size_t shared, void *stream)
{
	int is_whole = grid.x == 1 && grid.y == 2 && grid.z == 3 && block.x == 4 && block.y == 5 &&
		       block.z == 6 && shared == 7;

	(void)values;
	(void)stream;
	fake_called(FAKE_hipLaunchKernel);
	fake_check(FAKE_hipLaunchKernel, is_whole || !func);
	return over(FAKE_hipLaunchKernel, (int)fake_setting("FAKE_LAUNCH"));
}

static void meet(void)
{
	static _Atomic(long) launches;
	long n = ++launches;

	while (n == fake_setting("FAKE_MEET") && launches == n)
		sched_yield();
}

int hipModuleLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
			  unsigned by, unsigned bz, unsigned shared, void *stream, void **values,
			  void **extra)
{
	(void)function;
	(void)shared;
	(void)stream;
	(void)values;
	(void)extra;
	fake_called(FAKE_hipModuleLaunchKernel);
	meet();
	return over(FAKE_hipModuleLaunchKernel,
		    gx && gy && gz && bx && by && bz ? (int)fake_setting("FAKE_LAUNCH") : 9);
}

static int wait_at(int row)
{
	fake_waited(row);
	fake_sleep(fake_setting("FAKE_SYNC_MS"));
	return over(row, (int)fake_setting("FAKE_SYNC"));
}

int hipDeviceSynchronize(void)
{
	return wait_at(FAKE_hipDeviceSynchronize);
}

int hipStreamSynchronize(void *stream)
{
	(void)stream;
	return wait_at(FAKE_hipStreamSynchronize);
}

int hipStreamQuery(void *stream)
{
	static _Atomic(int) has_reset;

	fake_uncaptured(FAKE_hipStreamQuery);
	if (fake_setting("FAKE_RESET") && !has_reset++)
		hipDeviceReset();
	if (stream == destroyed)
		fake_fail(96, "hipStreamQuery", " got a stream that is destroyed");
	return over(FAKE_hipStreamQuery,
		    fake_setting("FAKE_BUSY") ? TAF_HIP_NOT_READY : (int)fake_setting("FAKE_SYNC"));
}

int hipStreamCreate(void **stream)
{
	fake_called(FAKE_hipStreamCreate);
	if (stream && !fake_is_failing())
		*stream = fake_cells[FAKE_hipStreamCreate];
	return over(FAKE_hipStreamCreate, 0);
}

int hipStreamCreateWithFlags(void **stream, unsigned flags)
{
	(void)flags;
	fake_called(FAKE_hipStreamCreateWithFlags);
	if (stream && !fake_is_failing())
		*stream = fake_cells[FAKE_hipStreamCreateWithFlags];
	return over(FAKE_hipStreamCreateWithFlags, 0);
}

int hipStreamDestroy(void *stream)
{
	int r = stream ? (int)fake_setting("FAKE_DROP") : 400;

	fake_called(FAKE_hipStreamDestroy);
	if (!r && stream == fake_cells[FAKE_hipStreamCreate])
		destroyed = stream;
	return over(FAKE_hipStreamDestroy, r);
}

int hipMemPoolCreate(void **pool, const void *props)
{
	(void)props;
	fake_called(FAKE_hipMemPoolCreate);
	if (pool && !fake_is_failing())
		*pool = fake_cells[FAKE_hipMemPoolCreate];
	return over(FAKE_hipMemPoolCreate, 0);
}

static int pool_of(int row, void **pool, int device, int which)
{
	fake_called(row);
	if (!fake_is_failing() && device >= 0 && device < 4 && fake_setting("FAKE_POOLS"))
		*pool = fake_cells[4 * which + device];
	return over(row, device >= 0 && device < 4 ? 0 : 101);
}

int hipDeviceGetDefaultMemPool(void **pool, int device)
{
	return pool_of(FAKE_hipDeviceGetDefaultMemPool, pool, device, 0);
}

int hipDeviceGetMemPool(void **pool, int device)
{
	return pool_of(FAKE_hipDeviceGetMemPool, pool, device, fake_setting("FAKE_POOLS") == 2);
}

int hipMemPoolGetAttribute(void *pool, int which, void *value)
{
	uint64_t n = which == 5 ? 8192 : which == 7 ? 4096 : 1;

	fake_called(FAKE_hipMemPoolGetAttribute);
	memcpy(value, &n, sizeof(n));
	return over(FAKE_hipMemPoolGetAttribute, pool ? 0 : 1);
}

int hipDeviceReset(void)
{
	fake_called(FAKE_hipDeviceReset);
	if (!fake_is_failing())
		fake_captures = 0;
	return over(FAKE_hipDeviceReset, 0);
}

int hipStreamBeginCapture(void *stream, int mode)
{
	(void)mode;
	fake_called(FAKE_hipStreamBeginCapture);
	return over(FAKE_hipStreamBeginCapture, fake_begin_capture(stream));
}

int hipStreamEndCapture(void *stream, void **graph)
{
	int row = FAKE_hipStreamEndCapture;

	fake_called(row);
	return over(row, fake_end_capture(row, stream, graph));
}

int hipPeekAtLastError(void)
{
	fake_called(FAKE_hipPeekAtLastError);
	fake_last[FAKE_hipPeekAtLastError] = last;
	return last;
}

int hipGetLastError(void)
{
	int r = last;

	fake_called(FAKE_hipGetLastError);
	last = 0;
	fake_last[FAKE_hipGetLastError] = r;
	return r;
}
