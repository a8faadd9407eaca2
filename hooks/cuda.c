/* SPDX-License-Identifier: MIT */
/* cuda.c -- CUDA's driver: look-ups, contexts, captures, events, and the allocations
 * whose size is known once they succeeded.
 *
 * cuGetProcAddress is asked first, with all of its arguments; what it gave is then
 * matched by address (shim/answer.h).  Result and status stay the driver's. */
#include "array.h"
#include "cuda_ctx.h"
#include "cuda_wait.h"
#include "handle_map.h"
#include "../shim/answer.h"

#define TAF_ROWS "cuda.def"
#define TAF_TABLE taf_table_cuda
#define TAF_ENGINE TAF_ENGINE_CUDA
#define TAF_OPS &cuda_ops
#include "cuda_rows.h"

static const struct taf_ops cuda_ops;
#include "expand.h"

/* handle: the table, which stands for all that the process submitted; else a stream. */
static int sync_cuda(void *handle, const void *home)
{
	return taf_cuda_sync(handle == (const void *)&TAF_TABLE, handle, home);
}

static int trim_cuda(void *handle, const void *home)
{
	(void)handle;
	return taf_cuda_trim(home);
}

static int memory_cuda(void *handle, const void *home, struct taf_memory *out)
{
	(void)handle;
	return taf_cuda_memory(home, out);
}

static int slack_cuda(void *handle, const void *home, uint64_t *bytes)
{
	(void)handle;
	return taf_cuda_slack(home, bytes);
}

static const struct taf_ops cuda_ops = { sync_cuda,  trim_cuda,	      memory_cuda,
					 slack_cuda, taf_cuda_device, taf_cuda_is_captured };

PASSES(cuGetProcAddress, (const char *symbol, void **out, int version, uint64_t flags),
       (symbol, out, version, flags), taf_child_check(), if (!r) taf_answer_given(TAF_SELF, out))
PASSES(cuGetProcAddress_v2,
       (const char *symbol, void **out, int version, uint64_t flags, void *found),
       (symbol, out, version, flags, found), taf_child_check(),
       if (!r) taf_answer_given(TAF_SELF, out))

#define MADE \
	if (!r && ctx) \
	taf_cuda_ctx_made(*ctx, TAF_CALLER)
PASSES(cuCtxCreate, (void **ctx, unsigned flags, int device), (ctx, flags, device), (void)0, MADE)
PASSES(cuCtxCreate_v2, (void **ctx, unsigned flags, int device), (ctx, flags, device), (void)0,
       MADE)
PASSES(cuCtxCreate_v3, (void **ctx, void *affinity, int n, unsigned flags, int device),
       (ctx, affinity, n, flags, device), (void)0, MADE)
PASSES(cuCtxCreate_v4, (void **ctx, void *params, unsigned flags, int device),
       (ctx, params, flags, device), (void)0, MADE)

#define CURRENT \
	if (!r) \
	taf_cuda_ctx_current(TAF_CALLER)
PASSES(cuCtxSetCurrent, (void *ctx), (ctx), (void)0, CURRENT)
PASSES(cuCtxPushCurrent, (void *ctx), (ctx), (void)0, CURRENT)
PASSES(cuCtxPushCurrent_v2, (void *ctx), (ctx), (void)0, CURRENT)
PASSES(cuCtxPopCurrent, (void **ctx), (ctx), (void)0, CURRENT)
PASSES(cuCtxPopCurrent_v2, (void **ctx), (ctx), (void)0, CURRENT)
PASSES(cuDevicePrimaryCtxRetain, (void **ctx, int device), (ctx, device), (void)0,
       if (!r) taf_cuda_primary_retained((uint32_t)device))

#define DESTROYS(name) \
	UNLOADS(name, (void *ctx), (ctx), taf_cuda_ctx_going(ctx, &of), \
		taf_cuda_ctx_gone(of, TAF_CALLER))
DESTROYS(cuCtxDestroy)
DESTROYS(cuCtxDestroy_v2)
DESTROYS(cuCtxDetach)

#define RESETS(name) \
	UNLOADS(name, (int device), (device), \
		(of = (uint32_t)device, taf_cuda_streams_going(NULL, of)), \
		taf_cuda_ctx_gone(of, TAF_CALLER))
RESETS(cuDevicePrimaryCtxReset)
RESETS(cuDevicePrimaryCtxReset_v2)

/* Only the last release destroys it: any other is no unload. */
#define RELEASES(name) \
	int taf_##name(int device) \
	{ \
		TAF_FIND(call, name, int); \
		bool is_free; \
		int r; \
		if (!taf_cuda_primary_is_last((uint32_t)device)) \
			return THROUGH(call, name)(device); \
		call.is_context = true; \
		taf_before(&call); \
		is_free = taf_cuda_streams_going(NULL, (uint32_t)device); \
		r = is_free ? THROUGH(call, name)(device) : 0; \
		if (is_free && !r) \
			taf_cuda_ctx_gone((uint32_t)device, TAF_CALLER); \
		taf_after(&call, r); \
		TAF_FAULT(call, r); \
		return r; \
	}
RELEASES(cuDevicePrimaryCtxRelease)
RELEASES(cuDevicePrimaryCtxRelease_v2)

TAKES_AS(cuMemAllocPitch,
	 (unsigned *p, unsigned *pitch, unsigned width, unsigned height, unsigned element),
	 (p, pitch, width, height, element), taf_cu_times(width, height), TAF_AT_DEVICE, TAF_DEVICE,
	 taf_cu_where(p), taf_cu_times(taf_cu_where(pitch), height))
TAKES_AS(cuMemAllocPitch_v2,
	 (uint64_t * p, size_t *pitch, size_t width, size_t height, unsigned element),
	 (p, pitch, width, height, element), taf_cu_times(width, height), TAF_AT_DEVICE, TAF_DEVICE,
	 TAF_WHERE(p), taf_cu_times(TAF_WHERE(pitch), height))

/* The id of a location is a device's number only where the location is a device. */
TAKES_AS(cuMemCreate,
	 (uint64_t * handle, size_t size, const struct taf_cu_prop *prop, uint64_t flags),
	 (handle, size, prop, flags), taf_cu_is_on_device(prop) ? size : 0,
	 taf_cu_is_on_device(prop) ? TAF_AT_DEVICE : TAF_AT_HOST,
	 taf_cu_is_on_device(prop) ? (uint32_t)prop->location_id : TAF_DEVICE, TAF_WHERE(handle),
	 size)

PASSES(cuMemMap, (uint64_t at, size_t size, size_t offset, uint64_t handle, uint64_t flags),
       (at, size, offset, handle, flags), (void)0,
       if (!r && taf_is_counting())
	       taf_map_made(&(struct taf_mapping){ TAF_API, at, size, handle }))
PASSES(cuMemUnmap, (uint64_t at, size_t size), (at, size), (void)0,
       if (!r && taf_is_counting()) taf_map_unmade(TAF_API, at, size))
PASSES(cuMemRetainAllocationHandle, (uint64_t * handle, void *at), (handle, at), (void)0,
       if (!r && taf_is_counting()) taf_map_retained(TAF_API, TAF_WHERE(handle), TAF_U64(at)))

static uint64_t array_bytes(uint64_t elements, unsigned format, unsigned channels)
{
	return taf_cu_times(elements, taf_array_channel(format) * channels);
}

/* The arguments are not read before their function found them good. */
#define FLAT(d) array_bytes(taf_cu_elements((d)->width, (d)->height, 0), (d)->format, (d)->channels)
#define DEEP(d) \
	array_bytes(taf_cu_elements((d)->width, (d)->height, (d)->depth), (d)->format, \
		    (d)->channels)
#define ARRAY(name, type, bytes) \
	TAKES_AS(name, (void **array, const struct type *desc), (array, desc), 0, TAF_AT_DEVICE, \
		 TAF_DEVICE, TAF_WHERE(array), desc ? bytes(desc) : 0)
ARRAY(cuArrayCreate, taf_cu_array_v1, FLAT)
ARRAY(cuArrayCreate_v2, taf_cu_array, FLAT)
ARRAY(cuArray3DCreate, taf_cu_array3d_v1, DEEP)
ARRAY(cuArray3DCreate_v2, taf_cu_array3d, DEEP)
TAKES_AS(cuMipmappedArrayCreate, (void **array, const struct taf_cu_array3d *desc, unsigned levels),
	 (array, desc, levels), 0, TAF_AT_DEVICE, TAF_DEVICE, TAF_WHERE(array),
	 desc ? taf_cu_levels(DEEP(desc), levels) : 0)

#define STREAM_MADE \
	if (!r && stream) \
	taf_cuda_stream_made(*stream, flags, TAF_CALLER)
PASSES(cuStreamCreate, (void **stream, unsigned flags), (stream, flags), (void)0, STREAM_MADE)
PASSES(cuStreamCreateWithPriority, (void **stream, unsigned flags, int priority),
       (stream, flags, priority), (void)0, STREAM_MADE)
DESTROYS_STREAM(cuStreamDestroy)
DESTROYS_STREAM(cuStreamDestroy_v2)

UNLOADS_CODE(cuModuleUnload, (void *module), (module))
UNLOADS_CODE(cuLibraryUnload, (void *library), (library))

#define CAPTURE(name, queue) CAPTURES(name, (void *stream, int mode), (stream, mode), queue(stream))
CAPTURE(cuStreamBeginCapture, taf_cu_queue)
CAPTURE(cuStreamBeginCapture_ptsz, taf_cu_queue_ptsz)
CAPTURE(cuStreamBeginCapture_v2, taf_cu_queue)
CAPTURE(cuStreamBeginCapture_v2_ptsz, taf_cu_queue_ptsz)
#define CAPTURE_TO_GRAPH(name, queue) \
	CAPTURES(name, \
		 (void *stream, void *graph, const void *deps, const void *data, size_t n, \
		  int mode), \
		 (stream, graph, deps, data, n, mode), queue(stream))
CAPTURE_TO_GRAPH(cuStreamBeginCaptureToGraph, taf_cu_queue)
CAPTURE_TO_GRAPH(cuStreamBeginCaptureToGraph_ptsz, taf_cu_queue_ptsz)
#define RECAPTURE(name, queue) \
	CAPTURES(name, (void *stream, int mode, void *graph, void *callback, void *data), \
		 (stream, mode, graph, callback, data), queue(stream))
RECAPTURE(cuStreamBeginRecaptureToGraph, taf_cu_queue)
RECAPTURE(cuStreamBeginRecaptureToGraph_ptsz, taf_cu_queue_ptsz)
#define CAPTURE_TO_CIG(name, queue) \
	CAPTURES(name, (void *stream, void *params), (stream, params), queue(stream))
CAPTURE_TO_CIG(cuStreamBeginCaptureToCig, taf_cu_queue)
CAPTURE_TO_CIG(cuStreamBeginCaptureToCig_ptsz, taf_cu_queue_ptsz)

#define END_CAPTURE(name, queue) \
	CAPTURED(name, (void *stream, void **graph), (stream, graph), queue(stream))
END_CAPTURE(cuStreamEndCapture, taf_cu_queue)
END_CAPTURE(cuStreamEndCapture_ptsz, taf_cu_queue_ptsz)
CAPTURED(cuStreamEndCaptureToCig, (void *stream), (stream), taf_cu_queue(stream))
CAPTURED(cuStreamEndCaptureToCig_ptsz, (void *stream), (stream), taf_cu_queue_ptsz(stream))

#define RECORD(name, queue) \
	RECORDS(name, (void *event, void *stream), (event, stream), queue(stream))
RECORD(cuEventRecord, taf_cu_queue)
RECORD(cuEventRecord_ptsz, taf_cu_queue_ptsz)
#define RECORD_WITH_FLAGS(name, queue) \
	RECORDS(name, (void *event, void *stream, unsigned flags), (event, stream, flags), \
		queue(stream))
RECORD_WITH_FLAGS(cuEventRecordWithFlags, taf_cu_queue)
RECORD_WITH_FLAGS(cuEventRecordWithFlags_ptsz, taf_cu_queue_ptsz)
WAITS_EVENT(cuEventSynchronize)
ASKS_EVENT(cuEventQuery)
FORGETS(cuEventDestroy)
FORGETS(cuEventDestroy_v2)
ASKS_QUEUE(cuStreamQuery, taf_cu_queue(stream))
ASKS_QUEUE(cuStreamQuery_ptsz, taf_cu_queue_ptsz(stream))

SHOWS(cuMemcpyDtoH, (void *to, unsigned from, unsigned size), (to, from, size), 0, true)
SHOWS(cuMemcpyDtoH_v2, (void *to, uint64_t from, size_t size), (to, from, size), 0, true)
SHOWS(cuMemcpyDtoH_v2_ptds, (void *to, uint64_t from, size_t size), (to, from, size), TAF_OWN_QUEUE,
      true)
