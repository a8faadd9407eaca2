/* SPDX-License-Identifier: MIT */
/* hip.c -- AMD's HIP runtime: devices, rows of memory, captures, events.
 *
 * The last error.  Up to ROCm 6 it is the result of the thread's latest call whatever
 * that was, from 7 on the latest failure.  Our own calls come before one of the program's, whose
 * result replaces theirs; one of ours that fails is taken back where there was no error
 * before. */
#include "abi/hip.h"

#include "../shim/answer.h"
#include "../shim/flight_point.h"
#include "handle_map.h"
#include "hip_array.h"
#include "hip_kept.h"
#include "hip_ops.h"
#include "hook.h"

#define TAF_ROWS "hip.def"
#define TAF_TABLE taf_table_hip
#define TAF_ENGINE TAF_ENGINE_HIP
#define TAF_OPS &taf_hip_ops
#define TAF_STATUS(r) ((int64_t)(r))
#define TAF_IS_OOM(r) ((r) == TAF_HIP_OUT_OF_MEMORY)
#define TAF_MISSING(type) ((type)TAF_HIP_NOT_INITIALIZED)
#define TAF_REFUSING(call) fail_as_theirs(&(call))
#define TAF_RETRY_BEGIN(call) taf_hip_last_error((call).caller)
#define TAF_RETRY_GOOD(call) taf_hip_forget_error((call).caller)
/* 0 is the thread's own stream there, whose handle is 2. */
#define TAF_HIP_SPT(stream) (TAF_U64(stream) ? TAF_U64(stream) : 2)
#define TAF_HIP_FIRST(list, count) ((list) && (count) > 0 ? TAF_U64((list)->stream) : 0)
#define TAF_HIP_OF(config) ((config) ? TAF_U64((config)->stream) : 0)

static void fail_as_theirs(const struct taf_call *call);

/* The stream that hipConfigureCall named last in this thread, for hipLaunchByPtr. */
static _Thread_local uint64_t taf_hip_configured __attribute__((tls_model("initial-exec")));
#include "expand.h"

#define TOO_MUCH (SIZE_MAX / 2) /* no device has it, and none tries to find it */

/* A rule refused the call: their last error is what it had been if they had. Not while
 * something is captured, which an allocation may break. */
static void fail_as_theirs(const struct taf_call *call)
{
	hipMalloc_fn *take = THEIRS(hipMalloc, call->caller);
	hipFree_fn *give = THEIRS(hipFree, call->caller);
	void *p = NULL;

	if (!take || !give || taf_captures_open())
		return;
	taf_tls.inside++;
	if (!take(&p, TOO_MUCH))
		give(p);
	taf_tls.inside--;
}

/* What an OWN wrapper gives when the door did not let it through. */
static int not_made(const struct taf_call *call, int refuse)
{
	return call->real ? refuse : TAF_HIP_NOT_INITIALIZED;
}

#define LOOKS_UP(name, params, args) \
	int taf_##name params \
	{ \
		TAF_FIND(call, name, int); \
		int r; \
		taf_child_check(); \
		r = THROUGH(call, name) args; \
		if (!r) \
			taf_answer_given(TAF_SELF, pfn); \
		TAF_FAULT(call, r); \
		return r; \
	}
LOOKS_UP(hipGetProcAddress,
	 (const char *symbol, void **pfn, int version, uint64_t flags, void *status),
	 (symbol, pfn, version, flags, status))
LOOKS_UP(hipGetProcAddress_spt,
	 (const char *symbol, void **pfn, int version, uint64_t flags, void *status),
	 (symbol, pfn, version, flags, status))
LOOKS_UP(hipGetDriverEntryPoint,
	 (const char *symbol, void **pfn, unsigned long long flags, void *status),
	 (symbol, pfn, flags, status))
LOOKS_UP(hipGetDriverEntryPoint_spt,
	 (const char *symbol, void **pfn, unsigned long long flags, void *status),
	 (symbol, pfn, flags, status))

/* The current device changed, by a function that does not say to which. */
static int moved(struct taf_call *call, int r)
{
	hipGetDevice_fn *get = THEIRS(hipGetDevice, call->caller);
	int device = 0;

	if (!r && get && !get(&device) && device >= 0)
		taf_tls.device = (uint32_t)device;
	TAF_FAULT(*call, r);
	return r;
}

int taf_hipSetDevice(int device)
{
	TAF_FIND(call, hipSetDevice, int);
	int r = THROUGH(call, hipSetDevice)(device);

	if (!r && device >= 0)
		taf_tls.device = (uint32_t)device;
	TAF_FAULT(call, r);
	return r;
}

#define MOVES(name, params, args) \
	int taf_##name params \
	{ \
		TAF_FIND(call, name, int); \
		return moved(&call, THROUGH(call, name) args); \
	}
MOVES(hipCtxSetCurrent, (void *ctx), (ctx))
MOVES(hipCtxPushCurrent, (void *ctx), (ctx))
MOVES(hipCtxPopCurrent, (void **ctx), (ctx))
MOVES(hipCtxCreate, (void **ctx, unsigned flags, int device), (ctx, flags, device))
MOVES(hipCtxDestroy, (void *ctx), (ctx))

/* Where theirs was made and has succeeded, nothing that was taken or submitted on a device
 * is there any more. */
static int reset_done(struct taf_call *call, uint32_t device, bool is_made, int r)
{
	if (is_made && !r) {
		taf_live_drop(TAF_API_HIP, device);
		taf_map_forget_gone(TAF_API_HIP);
		taf_flight_drop(TAF_FLIGHT_DEVICE(TAF_API_HIP, device));
		taf_captures_dropped(device);
	}
	taf_after(call, r);
	TAF_FAULT(*call, r);
	return r;
}

#define RESETS(name, params, args, of_) \
	int taf_##name params \
	{ \
		struct taf_call call = TAF_CALL(name); \
		uint32_t of = (of_); \
		bool is_free; \
		call.is_context = true; \
		if (!taf_before(&call)) \
			return not_made(&call, TAF_HIP_NOT_INITIALIZED); \
		is_free = taf_hip_reset(of); \
		return reset_done(&call, of, is_free, is_free ? THROUGH(call, name) args : 0); \
	}
RESETS(hipDeviceReset, (void), (), taf_tls.device)
RESETS(hipDevicePrimaryCtxReset, (int device), (device), (uint32_t)device)

/* Allocations whose size shows only afterwards: TAKES by hand. */
struct take {
	struct taf_call call;
	struct taf_piece piece;
	uint32_t tries;
	int kept;
};

static bool begin_take(struct take *t, uint64_t bytes)
{
	t->call.bytes = taf_device_bytes(t->piece.place, bytes);
	t->tries = 0;
	if (!taf_before_narrow(&t->call, TAF_ALLOC)) {
		if (t->call.real)
			fail_as_theirs(&t->call);
		return false;
	}
	t->kept = taf_rules.memory_oom_retries ? taf_hip_last_error(t->call.caller) : 0;
	return true;
}

static bool is_again(struct take *t, int r)
{
	if (r == TAF_HIP_OUT_OF_MEMORY && !t->kept)
		return taf_oom_again(&t->call, t->tries++);
	if (!r && t->tries)
		taf_hip_forget_error(t->call.caller);
	return false;
}

static int end_take(struct take *t, uint64_t at, uint64_t bytes, int r)
{
	t->piece.at = at;
	t->piece.bytes = bytes;
	if (!r && taf_is_counting())
		taf_live_take(&t->piece);
	taf_after_narrow(&t->call, TAF_ALLOC, r);
	TAF_FAULT(t->call, r);
	return r;
}

#define TAKE(t, name, place_) \
	struct take t; \
	taf_call_narrow(&(t).call, TAF_SELF, ROW_##name); \
	(t).call.caller = TAF_CALLER; \
	(t).call.kind = TAF_ALLOC; \
	(t).piece = (struct taf_piece) \
	{ \
		TAF_API_HIP, place_, taf_tls.device, 0, 0 \
	}

int taf_hipMallocPitch(void **ptr, size_t *pitch, size_t width, size_t height)
{
	int r;

	TAKE(t, hipMallocPitch, TAF_AT_DEVICE);
	if (!begin_take(&t, taf_hip_area(width, height)))
		return not_made(&t.call, TAF_HIP_OUT_OF_MEMORY);
	do
		r = THROUGH(t.call, hipMallocPitch)(ptr, pitch, width, height);
	while (is_again(&t, r));
	return end_take(&t, TAF_WHERE(ptr), r || !pitch ? 0 : taf_hip_area(*pitch, height), r);
}

int taf_hipMemAllocPitch(void **ptr, size_t *pitch, size_t width, size_t height, unsigned element)
{
	int r;

	TAKE(t, hipMemAllocPitch, TAF_AT_DEVICE);
	if (!begin_take(&t, taf_hip_area(width, height)))
		return not_made(&t.call, TAF_HIP_OUT_OF_MEMORY);
	do
		r = THROUGH(t.call, hipMemAllocPitch)(ptr, pitch, width, height, element);
	while (is_again(&t, r));
	return end_take(&t, TAF_WHERE(ptr), r || !pitch ? 0 : taf_hip_area(*pitch, height), r);
}

int taf_hipMalloc3D(struct taf_hip_pitched *pitched, struct taf_hip_extent extent)
{
	uint64_t lines = taf_hip_area(extent.height, extent.depth);
	int r;

	TAKE(t, hipMalloc3D, TAF_AT_DEVICE);
	if (!begin_take(&t, taf_hip_area(extent.width, lines)))
		return not_made(&t.call, TAF_HIP_OUT_OF_MEMORY);
	do
		r = THROUGH(t.call, hipMalloc3D)(pitched, extent);
	while (is_again(&t, r));
	return end_take(&t, r || !pitched ? 0 : TAF_U64(pitched->ptr),
			r || !pitched ? 0 : taf_hip_area(pitched->pitch, lines), r);
}

int taf_hipMemCreate(void **handle, size_t size, const struct taf_hip_prop *prop,
		     unsigned long long flags)
{
	struct taf_hip_location where = { TAF_HIP_ON_DEVICE, 0 };
	int r;

	TAKE(t, hipMemCreate, TAF_AT_DEVICE);
	if (prop)
		where = prop->type & 0xff ? prop->now : prop->old;
	/* Of the host, its id is that of a node. */
	if (where.type == TAF_HIP_ON_DEVICE)
		t.piece.device = (uint32_t)where.id;
	else
		t.piece.place = TAF_AT_HOST;
	if (!begin_take(&t, size))
		return not_made(&t.call, TAF_HIP_OUT_OF_MEMORY);
	do
		r = THROUGH(t.call, hipMemCreate)(handle, size, prop, flags);
	while (is_again(&t, r));
	return end_take(&t, TAF_WHERE(handle), size, r);
}

int taf_hipConfigureCall(struct taf_hip_dim3 grid, struct taf_hip_dim3 block, size_t shared,
			 void *stream)
{
	TAF_FIND(call, hipConfigureCall, int);
	int r = THROUGH(call, hipConfigureCall)(grid, block, shared, stream);

	if (!r)
		taf_hip_configured = TAF_U64(stream);
	TAF_FAULT(call, r);
	return r;
}

int taf_hipMemPoolCreate(void **pool, const void *props)
{
	TAF_FIND(call, hipMemPoolCreate, int);
	int r = THROUGH(call, hipMemPoolCreate)(pool, props);

	if (!r && pool && *pool)
		taf_hip_made(TAF_HIP_POOL, *pool, taf_tls.device, TAF_CALLER);
	TAF_FAULT(call, r);
	return r;
}

int taf_hipMemPoolDestroy(void *pool)
{
	TAF_FIND(call, hipMemPoolDestroy, int);
	uint32_t was;
	int r = 0;

	if (taf_hip_going(TAF_HIP_POOL, pool, &was))
		r = THROUGH(call, hipMemPoolDestroy)(pool);
	if (r)
		taf_hip_stays(pool, was);
	TAF_FAULT(call, r);
	return r;
}

#define BEGINS(name, params, args, stream) \
	int taf_##name params \
	{ \
		TAF_FIND(call, name, int); \
		int r; \
		taf_capture_opening(); \
		TAF_PASSING(r = THROUGH(call, name) args); \
		taf_capture_opened(stream, !r); \
		TAF_FAULT(call, r); \
		return r; \
	}
BEGINS(hipStreamBeginCapture, (void *stream, int mode), (stream, mode), TAF_U64(stream))
BEGINS(hipStreamBeginCapture_spt, (void *stream, int mode), (stream, mode), TAF_HIP_SPT(stream))
BEGINS(hipStreamBeginCaptureToGraph,
       (void *stream, void *graph, const void *needs, const void *edges, size_t count, int mode),
       (stream, graph, needs, edges, count, mode), TAF_U64(stream))

#define ENDS(name, stream_) \
	int taf_##name(void *stream, void **graph) \
	{ \
		TAF_FIND(call, name, int); \
		int r; \
		TAF_PASSING(r = THROUGH(call, name)(stream, graph)); \
		if (r != TAF_HIP_UNMATCHED && r != TAF_HIP_WRONG_THREAD) \
			taf_capture_closed(stream_); \
		TAF_FAULT(call, r); \
		return r; \
	}
ENDS(hipStreamEndCapture, TAF_U64(stream))
ENDS(hipStreamEndCapture_spt, TAF_HIP_SPT(stream))

/* What shows that the device has come so far, without a wait of the whole stream. */
static void waited(struct taf_call *call)
{
	if (taf_is_counting())
		taf_burst_waited(call);
}

#define RECORDS(name, params, args, queue) \
	int taf_##name params \
	{ \
		TAF_FIND(call, name, int); \
		struct taf_flight_point at; \
		int r; \
		taf_flight_point(&at, taf_flight_key(TAF_API_HIP, queue, taf_tls.device)); \
		TAF_PASSING(r = THROUGH(call, name) args); \
		if (!r && taf_is_counting()) \
			taf_event_recorded(TAF_API_HIP, TAF_U64(event), &at); \
		TAF_FAULT(call, r); \
		return r; \
	}
RECORDS(hipEventRecord, (void *event, void *stream), (event, stream), TAF_U64(stream))
RECORDS(hipEventRecord_spt, (void *event, void *stream), (event, stream), TAF_HIP_SPT(stream))
RECORDS(hipEventRecordWithFlags, (void *event, void *stream, unsigned flags),
	(event, stream, flags), TAF_U64(stream))

int taf_hipEventSynchronize(void *event)
{
	struct taf_call call = TAF_CALL(hipEventSynchronize);
	uint32_t turn;
	int r;

	if (!taf_before(&call))
		return TAF_HIP_NOT_INITIALIZED;
	turn = taf_event_turn(TAF_API_HIP, TAF_U64(event));
	r = THROUGH(call, hipEventSynchronize)(event);
	if (!r && taf_event_passed(TAF_API_HIP, TAF_U64(event), turn))
		waited(&call);
	taf_after(&call, r);
	TAF_FAULT(call, r);
	return r;
}

int taf_hipEventQuery(void *event)
{
	TAF_FIND(call, hipEventQuery, int);
	uint32_t turn = taf_event_turn(TAF_API_HIP, TAF_U64(event));
	int r;

	TAF_PASSING(r = THROUGH(call, hipEventQuery)(event));
	if (!r && taf_event_passed(TAF_API_HIP, TAF_U64(event), turn))
		waited(&call);
	TAF_FAULT(call, r);
	return r;
}

int taf_hipEventDestroy(void *event)
{
	TAF_FIND(call, hipEventDestroy, int);
	int r;

	taf_event_forget(TAF_API_HIP, TAF_U64(event));
	TAF_PASSING(r = THROUGH(call, hipEventDestroy)(event));
	TAF_FAULT(call, r);
	return r;
}

#define ASKS(name, queue) \
	int taf_##name(void *stream) \
	{ \
		TAF_FIND(call, name, int); \
		struct taf_flight_point point; \
		int r; \
		taf_flight_point(&point, taf_flight_key(TAF_API_HIP, queue, taf_tls.device)); \
		TAF_PASSING(r = THROUGH(call, name)(stream)); \
		if (!r && taf_flight_passed(&point)) \
			waited(&call); \
		TAF_FAULT(call, r); \
		return r; \
	}
ASKS(hipStreamQuery, TAF_U64(stream))
ASKS(hipStreamQuery_spt, TAF_HIP_SPT(stream))

#define MAKES_STREAM(name, params, args, flags_) \
	int taf_##name params \
	{ \
		TAF_FIND(call, name, int); \
		int r; \
		TAF_PASSING(r = THROUGH(call, name) args); \
		if (!r && made) \
			taf_hip_made((flags_)&TAF_HIP_NON_BLOCKING ? TAF_HIP_ASIDE \
								   : TAF_HIP_STREAM, \
				     *made, taf_tls.device, call.caller); \
		TAF_FAULT(call, r); \
		return r; \
	}
MAKES_STREAM(hipStreamCreate, (void **made), (made), 0u)
MAKES_STREAM(hipStreamCreateWithFlags, (void **made, unsigned flags), (made, flags), flags)
MAKES_STREAM(hipStreamCreateWithPriority, (void **made, unsigned flags, int priority),
	     (made, flags, priority), flags)
MAKES_STREAM(hipExtStreamCreateWithCUMask, (void **made, uint32_t words, const uint32_t *mask),
	     (made, words, mask), 0u)

/* Its kernels may still run. */
int taf_hipModuleUnload(void *module)
{
	TAF_FIND(call, hipModuleUnload, int);
	int r;

	taf_burst_unload(&call);
	r = THROUGH(call, hipModuleUnload)(module);
	taf_burst_unloaded(&call);
	TAF_FAULT(call, r);
	return r;
}

/* What is still in flight there goes on when its stream is gone. */
int taf_hipStreamDestroy(void *stream)
{
	TAF_FIND(call, hipStreamDestroy, int);
	struct taf_stream_going going;
	uint32_t was;
	bool is_free;
	int r = 0;

	call.queue = TAF_U64(stream);
	taf_burst_unload_queue(&call);
	is_free = taf_hip_going(TAF_HIP_STREAM, stream, &was);
	taf_stream_going(&call, taf_hip_is_behind(was), &going);
	if (is_free)
		TAF_PASSING(r = THROUGH(call, hipStreamDestroy)(stream));
	if (r)
		taf_hip_stays(stream, was);
	taf_stream_gone(&call, &going, !r);
	TAF_FAULT(call, r);
	return r;
}

/* To the host it returns when the copy is there, and with it all that was before it in
 * the default stream. Any other may return sooner. */
#define COPIES_NOW(name, params, args, is_waited, queue_) \
	int taf_##name params \
	{ \
		TAF_FIND(call, name, int); \
		struct taf_flight_mark mark; \
		int r; \
		call.queue = (queue_); \
		mark.lanes = 0; \
		if (is_waited) \
			taf_wait_before(&call, &mark); \
		TAF_PASSING(r = THROUGH(call, name) args); \
		if (!r && mark.lanes) { \
			taf_flight_done(&mark); \
			waited(&call); \
		} \
		TAF_FAULT(call, r); \
		return r; \
	}
COPIES_NOW(hipMemcpy, (void *to, const void *from, size_t size, int kind), (to, from, size, kind),
	   kind == TAF_HIP_TO_HOST, 0)
COPIES_NOW(hipMemcpy_spt, (void *to, const void *from, size_t size, int kind),
	   (to, from, size, kind), kind == TAF_HIP_TO_HOST, TAF_OWN_QUEUE)
COPIES_NOW(hipMemcpyDtoH, (void *to, void *from, size_t size), (to, from, size), true, 0)
COPIES_NOW(hipMemcpyAtoH, (void *to, void *array, size_t offset, size_t size),
	   (to, array, offset, size), true, 0)
COPIES_NOW(hipMemcpyWithStream, (void *to, const void *from, size_t size, int kind, void *stream),
	   (to, from, size, kind, stream), kind == TAF_HIP_TO_HOST, TAF_U64(stream))
