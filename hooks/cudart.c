/* SPDX-License-Identifier: MIT */
/* cudart.c -- CUDA's runtime: which device is current, captures, events, and the
 * allocations whose size is known once they succeeded.
 *
 * The runtime keeps the last error of each thread for the program.  So what we do of
 * our own goes through the driver wherever there is one; where there is none (a
 * runtime made for tests) an error that our call left is taken back, unless one of
 * the program's own was still unread. */
#include <errno.h>

#include "cuda_ctx.h"

#define TAF_ROWS "cudart.def"
#define TAF_TABLE taf_table_cudart
#define TAF_ENGINE TAF_ENGINE_CUDART
#define TAF_OPS &cudart_ops
#define TAF_RETRY_BEGIN(call) last_error((call).caller)
#define TAF_RETRY_GOOD(call) take_back((call).caller)
#define TAF_REFUSING(call) leave_oom((call).caller)
#include "cuda_rows.h"

static const struct taf_ops cudart_ops;
static int last_error(const void *home);
static void take_back(const void *home);
static void leave_oom(const void *home);
#include "expand.h"

#define TOO_MUCH ((size_t)1 << 62) /* no device has it */

static int last_error(const void *home)
{
	cudaPeekAtLastError_fn *peek = THEIRS(cudaPeekAtLastError, home);

	return peek ? peek() : 0;
}

static void take_back(const void *home)
{
	cudaGetLastError_fn *get = THEIRS(cudaGetLastError, home);

	if (get)
		get();
}

/* A rule refuses an allocation: the last error becomes what a failed one leaves. Not
 * while something is captured, which an allocation may break. */
static void leave_oom(const void *home)
{
	cudaMalloc_fn *take = THEIRS(cudaMalloc, home);
	cudaFree_fn *give = THEIRS(cudaFree, home);
	void *p = NULL;

	if (!take || !give || taf_captures_open())
		return;
	taf_tls.inside++;
	if (!take(&p, TOO_MUCH))
		give(p);
	taf_tls.inside--;
}

static int sync_runtime(bool all, void *stream, const void *home)
{
	cudaDeviceSynchronize_fn *device = THEIRS(cudaDeviceSynchronize, home);
	cudaStreamSynchronize_fn *one = THEIRS(cudaStreamSynchronize, home);
	int before = last_error(home), r;

	if (all ? !device : !one)
		return -ENOSYS;
	r = all ? device() : one(stream);
	if (r && !before)
		take_back(home);
	return r ? -EIO : 0;
}

static int sync_cudart(void *handle, const void *home)
{
	bool all = handle == (const void *)&TAF_TABLE;

	return taf_cuda_is_there(home) ? taf_cuda_sync(all, handle, home)
				       : sync_runtime(all, handle, home);
}

static void trim_pools(int device, const void *home)
{
	cudaDeviceGetDefaultMemPool_fn *first = THEIRS(cudaDeviceGetDefaultMemPool, home);
	cudaDeviceGetMemPool_fn *current = THEIRS(cudaDeviceGetMemPool, home);
	cudaMemPoolTrimTo_fn *trim = THEIRS(cudaMemPoolTrimTo, home);
	void *pool = NULL, *other = NULL;

	if (trim && first && !first(&pool, device) && pool)
		trim(pool, 0);
	if (trim && current && !current(&other, device) && other && other != pool)
		trim(other, 0);
}

static int trim_cudart(void *handle, const void *home)
{
	cudaDeviceGraphMemTrim_fn *graphs = THEIRS(cudaDeviceGraphMemTrim, home);
	int before;

	(void)handle;
	if (taf_cuda_is_there(home))
		return taf_cuda_trim(home);
	before = last_error(home);
	trim_pools((int)taf_tls.device, home);
	if (graphs)
		graphs((int)taf_tls.device);
	if (!before)
		take_back(home);
	return 0;
}

/* Without a driver nobody can tell whether the program uses the device already. */
static int memory_cudart(void *handle, const void *home, struct taf_memory *out)
{
	(void)handle;
	return taf_cuda_memory(home, out);
}

static int slack_cudart(void *handle, const void *home, uint64_t *bytes)
{
	(void)handle;
	return taf_cuda_slack(home, bytes);
}

static const struct taf_ops cudart_ops = { sync_cudart,	 trim_cudart,	  memory_cudart,
					   slack_cudart, taf_cuda_device, taf_cuda_is_captured };

PASSES(cudaSetDevice, (int device), (device), (void)0, if (!r) taf_tls.device = (uint32_t)device)
UNLOADS(cudaDeviceReset, (void), (), true, taf_cuda_ctx_gone(of, TAF_CALLER))
UNLOADS(cudaThreadExit, (void), (), true, taf_cuda_ctx_gone(of, TAF_CALLER))

TAKES_AS(cudaMallocPitch, (void **p, size_t *pitch, size_t width, size_t height),
	 (p, pitch, width, height), taf_cu_times(width, height), TAF_AT_DEVICE, TAF_DEVICE,
	 TAF_WHERE(p), taf_cu_times(TAF_WHERE(pitch), height))
TAKES_AS(cudaMalloc3D, (struct taf_cu_pitched * p, struct taf_cu_extent extent), (p, extent),
	 taf_cu_times(taf_cu_times(extent.width, extent.height), extent.depth), TAF_AT_DEVICE,
	 TAF_DEVICE, p ? TAF_U64(p->ptr) : 0,
	 p ? taf_cu_times(taf_cu_times(p->pitch, extent.height), extent.depth) : 0)

static uint64_t element_bytes(const struct taf_cu_channels *d)
{
	return d ? ((uint64_t)(unsigned)d->x + (unsigned)d->y + (unsigned)d->z + (unsigned)d->w) / 8
		 : 0;
}

#define ELEMENTS(e) taf_cu_elements((e).width, (e).height, (e).depth)
TAKES_AS(cudaMallocArray,
	 (void **array, const struct taf_cu_channels *desc, size_t width, size_t height,
	  unsigned flags),
	 (array, desc, width, height, flags), 0, TAF_AT_DEVICE, TAF_DEVICE, TAF_WHERE(array),
	 taf_cu_times(taf_cu_elements(width, height, 0), element_bytes(desc)))
TAKES_AS(cudaMalloc3DArray,
	 (void **array, const struct taf_cu_channels *desc, struct taf_cu_extent extent,
	  unsigned flags),
	 (array, desc, extent, flags), 0, TAF_AT_DEVICE, TAF_DEVICE, TAF_WHERE(array),
	 taf_cu_times(ELEMENTS(extent), element_bytes(desc)))
TAKES_AS(cudaMallocMipmappedArray,
	 (void **array, const struct taf_cu_channels *desc, struct taf_cu_extent extent,
	  unsigned levels, unsigned flags),
	 (array, desc, extent, levels, flags), 0, TAF_AT_DEVICE, TAF_DEVICE, TAF_WHERE(array),
	 taf_cu_levels(taf_cu_times(ELEMENTS(extent), element_bytes(desc)), levels))

#define CAPTURE(name, queue) CAPTURES(name, (void *stream, int mode), (stream, mode), queue(stream))
CAPTURE(cudaStreamBeginCapture, taf_cu_queue)
CAPTURE(cudaStreamBeginCapture_ptsz, taf_cu_queue_ptsz)
#define CAPTURE_TO_GRAPH(name, queue) \
	CAPTURES(name, \
		 (void *stream, void *graph, const void *deps, const void *data, size_t n, \
		  int mode), \
		 (stream, graph, deps, data, n, mode), queue(stream))
CAPTURE_TO_GRAPH(cudaStreamBeginCaptureToGraph, taf_cu_queue)
CAPTURE_TO_GRAPH(cudaStreamBeginCaptureToGraph_ptsz, taf_cu_queue_ptsz)
#define RECAPTURE(name, queue) \
	CAPTURES(name, (void *stream, int mode, void *graph, void *callback), \
		 (stream, mode, graph, callback), queue(stream))
RECAPTURE(cudaStreamBeginRecaptureToGraph, taf_cu_queue)
RECAPTURE(cudaStreamBeginRecaptureToGraph_ptsz, taf_cu_queue_ptsz)
#define END_CAPTURE(name, queue) \
	CAPTURED(name, (void *stream, void **graph), (stream, graph), queue(stream))
END_CAPTURE(cudaStreamEndCapture, taf_cu_queue)
END_CAPTURE(cudaStreamEndCapture_ptsz, taf_cu_queue_ptsz)

#define RECORD(name, queue) \
	RECORDS(name, (void *event, void *stream), (event, stream), queue(stream))
RECORD(cudaEventRecord, taf_cu_queue)
RECORD(cudaEventRecord_ptsz, taf_cu_queue_ptsz)
#define RECORD_WITH_FLAGS(name, queue) \
	RECORDS(name, (void *event, void *stream, unsigned flags), (event, stream, flags), \
		queue(stream))
RECORD_WITH_FLAGS(cudaEventRecordWithFlags, taf_cu_queue)
RECORD_WITH_FLAGS(cudaEventRecordWithFlags_ptsz, taf_cu_queue_ptsz)
WAITS_EVENT(cudaEventSynchronize)
ASKS_EVENT(cudaEventQuery)
FORGETS(cudaEventDestroy)
DESTROYS_STREAM(cudaStreamDestroy)
ASKS_QUEUE(cudaStreamQuery, taf_cu_queue(stream))
ASKS_QUEUE(cudaStreamQuery_ptsz, taf_cu_queue_ptsz(stream))

#define TO_HOST 2 /* cudaMemcpyDeviceToHost: the only way that waits whatever memory it is */
SHOWS(cudaMemcpy, (void *to, const void *from, size_t size, int way), (to, from, size, way), 0,
      way == TO_HOST)
SHOWS(cudaMemcpy_ptds, (void *to, const void *from, size_t size, int way), (to, from, size, way),
      TAF_OWN_QUEUE, way == TO_HOST)
