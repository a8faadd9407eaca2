/* SPDX-License-Identifier: MIT */
/* runtime_memory.c -- memory, copies and pools of the simulated runtime. */
#include <string.h>

#include "runtime.h"

#define AT(p) ((uint64_t)(uintptr_t)(p))

SIM_FORWARD(cudaMalloc, (void **p, size_t n), cuMemAlloc, ((uint64_t *)(void *)p, n))
SIM_FORWARD(cudaMallocPitch, (void **p, size_t *pitch, size_t width, size_t rows), cuMemAllocPitch,
	    ((uint64_t *)(void *)p, pitch, width, rows, 4))
SIM_FORWARD(cudaMallocManaged, (void **p, size_t n, unsigned flags), cuMemAllocManaged,
	    ((uint64_t *)(void *)p, n, flags))
SIM_FORWARD(cudaMallocHost, (void **p, size_t n), cuMemHostAlloc, (p, n, 0))
SIM_FORWARD(cudaHostAlloc, (void **p, size_t n, unsigned flags), cuMemHostAlloc, (p, n, flags))
SIM_FORWARD(cudaFree, (void *p), cuMemFree, (AT(p)))
SIM_FORWARD(cudaFreeHost, (void *p), cuMemFreeHost, (p))
SIM_FORWARD(cudaHostRegister, (void *p, size_t n, unsigned flags), cuMemHostRegister, (p, n, flags))
SIM_FORWARD(cudaHostUnregister, (void *p), cuMemHostUnregister, (p))
SIM_FORWARD(cudaMemGetInfo, (size_t * free_bytes, size_t *total), cuMemGetInfo, (free_bytes, total))

SIM_PUBLIC int cudaHostGetDevicePointer(void **p, void *host, unsigned flags)
{
	(void)flags;
	*p = host;
	return sim_done(sim_runtime_enter());
}

/* type: 0 unregistered, 1 host, 2 device, 3 managed; device; its addresses */
SIM_PUBLIC int cudaPointerGetAttributes(void *out, const void *p)
{
	struct {
		int type, device;
		void *on_device, *on_host;
	} *a = out;
	unsigned type = 0, is_managed = 0;
	int r = sim_runtime_enter();

	if (r)
		return sim_done(r);
	memset(a, 0, sizeof(*a));
	a->device = -1;
	if (sim_cu.cuPointerGetAttribute(&type, 2, AT(p)))
		return SIM_OK;
	sim_cu.cuPointerGetAttribute(&is_managed, 8, AT(p));
	sim_cu.cuPointerGetAttribute(&a->device, 9, AT(p));
	a->type = is_managed ? 3 : (int)type;
	a->on_device = (void *)(uintptr_t)p;
	a->on_host = type == 1 || is_managed ? (void *)(uintptr_t)p : NULL;
	return SIM_OK;
}

SIM_STREAMED(cudaMallocAsync, (void **p, size_t n, void *stream), cuMemAllocAsync,
	     ((uint64_t *)(void *)p, n, stream))
SIM_STREAMED(cudaMallocFromPoolAsync, (void **p, size_t n, void *pool, void *stream),
	     cuMemAllocFromPoolAsync, ((uint64_t *)(void *)p, n, pool, stream))
SIM_STREAMED(cudaFreeAsync, (void *p, void *stream), cuMemFreeAsync, (AT(p), stream))
SIM_STREAMED(cudaMemsetAsync, (void *to, int value, size_t n, void *stream), cuMemsetD8Async,
	     (AT(to), (unsigned char)value, n, stream))
SIM_FORWARD(cudaMemPoolCreate, (void **pool, const void *props), cuMemPoolCreate, (pool, props))
SIM_FORWARD(cudaMemPoolDestroy, (void *pool), cuMemPoolDestroy, (pool))
SIM_FORWARD(cudaMemPoolTrimTo, (void *pool, size_t keep), cuMemPoolTrimTo, (pool, keep))
SIM_FORWARD(cudaMemPoolGetAttribute, (void *pool, int which, void *value), cuMemPoolGetAttribute,
	    (pool, which, value))
SIM_FORWARD(cudaMemPoolSetAttribute, (void *pool, int which, void *value), cuMemPoolSetAttribute,
	    (pool, which, value))
SIM_FORWARD(cudaDeviceGetDefaultMemPool, (void **pool, int n), cuDeviceGetDefaultMemPool, (pool, n))
SIM_FORWARD(cudaDeviceGetMemPool, (void **pool, int n), cuDeviceGetMemPool, (pool, n))
SIM_FORWARD(cudaDeviceSetMemPool, (int n, void *pool), cuDeviceSetMemPool, (n, pool))

SIM_PUBLIC int cudaMemcpyAsync(void *to, const void *from, size_t n, int kind, void *stream)
{
	int r = sim_runtime_enter();

	(void)kind;
	return sim_done(r ? r : sim_cu.cuMemcpyAsync(AT(to), AT(from), n, stream));
}

SIM_PUBLIC int cudaMemcpyAsync_ptsz(void *to, const void *from, size_t n, int kind, void *stream)
{
	return cudaMemcpyAsync(to, from, n, kind, stream ? stream : (void *)2);
}

SIM_PUBLIC int cudaMemcpyPeerAsync(void *to, int to_device, const void *from, int from_device,
				   size_t n, void *stream)
{
	(void)to_device;
	(void)from_device;
	return cudaMemcpyAsync(to, from, n, 0, stream);
}

static int then_wait(int r, void *stream)
{
	return r ? r : sim_done(sim_cu.cuStreamSynchronize(stream));
}

SIM_PUBLIC int cudaMemcpy(void *to, const void *from, size_t n, int kind)
{
	return then_wait(cudaMemcpyAsync(to, from, n, kind, NULL), NULL);
}

SIM_PUBLIC int cudaMemcpy_ptds(void *to, const void *from, size_t n, int kind)
{
	return then_wait(cudaMemcpyAsync_ptsz(to, from, n, kind, NULL), (void *)2);
}

SIM_PUBLIC int cudaMemset(void *to, int value, size_t n)
{
	return then_wait(cudaMemsetAsync(to, value, n, NULL), NULL);
}

SIM_PUBLIC int cudaMemset_ptds(void *to, int value, size_t n)
{
	return then_wait(cudaMemsetAsync_ptsz(to, value, n, NULL), (void *)2);
}

/* What the driver's copy of a rectangle takes. */
struct copy_2d {
	size_t from_x, from_y, from_type;
	const void *from_host;
	uint64_t from_device;
	void *from_array;
	size_t from_pitch, to_x, to_y, to_type;
	void *to_host;
	uint64_t to_device;
	void *to_array;
	size_t to_pitch, width, height;
};

SIM_PUBLIC int cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch,
				 size_t width, size_t height, int kind, void *stream)
{
	struct copy_2d c = { .from_type = 4,
			     .from_device = AT(from),
			     .from_pitch = from_pitch,
			     .to_type = 4,
			     .to_device = AT(to),
			     .to_pitch = to_pitch,
			     .width = width,
			     .height = height };
	int r = sim_runtime_enter();

	(void)kind;
	return sim_done(r ? r : sim_cu.cuMemcpy2DAsync(&c, stream));
}
