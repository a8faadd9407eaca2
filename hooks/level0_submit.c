/* SPDX-License-Identifier: MIT */
/* level0_submit.c -- what hands work to a device of Level Zero: lists to a queue, and all
 * that is appended to an immediate list. */
#include "abi/level0.h"

#include "../shim/flight_point.h"
#include "hook.h"
#include "level0_queue.h"

#define TAF_ROWS "level0.def"
#define TAF_TABLE taf_table_level0
#include "rows.h"
extern const struct taf_table TAF_TABLE;

static int not_made(const struct taf_call *call)
{
	return call->real ? TAF_ZE_NOT_PERMITTED : TAF_ZE_UNINITIALIZED;
}

static int failed(const struct taf_call *call, int r)
{
	if (__builtin_expect(r != 0, 0))
		taf_fault_seen(call, r);
	return r;
}

static struct taf_ze_queue *list_of(const void *list)
{
	struct taf_ze_queue *q = taf_ze_queue_of(list);

	return q && q->is_list ? q : NULL;
}

#define SUBMIT_OF(call, name, queue_) \
	struct taf_call call; \
	taf_call_narrow(&(call), TAF_SELF, ROW_##name); \
	(call).caller = TAF_CALLER; \
	(call).kind = TAF_SUBMIT; \
	(call).bytes = 0; \
	(call).queue = TAF_U64(queue_)

static bool begin_submit(struct taf_call *call)
{
	return taf_submit_before(call, taf_flight_key(TAF_API_LEVEL0, call->queue, 0));
}

/* What was submitted to q before sign, a fence or an event, is done when that is. Where
 * commands may overtake each other it says nothing of those before. */
static void mark(const struct taf_call *call, const struct taf_ze_queue *q, const void *sign)
{
	if (q->is_in_order && sign)
		taf_event_record(TAF_API_LEVEL0, TAF_U64(sign),
				 taf_flight_key(TAF_API_LEVEL0, call->queue, 0));
}

/* All that q had is done. */
static __attribute__((noinline)) void is_done(struct taf_call *call)
{
	struct taf_flight_mark mark;

	call->begin_ns = 0; /* the narrow door reads no clock */
	taf_wait_before(call, &mark);
	taf_wait_after(call, &mark);
}

static int end_submit(struct taf_call *call, struct taf_ze_queue *q, const void *sign, int r)
{
	if (!r && q) {
		atomic_fetch_add(&q->submits, 1);
		mark(call, q, sign);
		if (q->is_synchronous)
			is_done(call);
	}
	taf_submit_after(call, r);
	return failed(call, r);
}

int taf_zeCommandQueueExecuteCommandLists(void *queue, uint32_t count, void **lists, void *fence)
{
	static const struct taf_ze_queue unseen = { .is_in_order = true };
	int r;

	SUBMIT_OF(call, zeCommandQueueExecuteCommandLists, queue);
	if (!begin_submit(&call))
		return not_made(&call);
	r = THROUGH(call, zeCommandQueueExecuteCommandLists)(queue, count, lists, fence);
	/* Its making may have passed us by. */
	return end_submit(&call, r ? NULL : taf_ze_queue_add(queue, &unseen), fence, r);
}

#define APPENDS(name, params, args) \
	int taf_##name params \
	{ \
		struct taf_ze_queue *q = list_of(list); \
		int r; \
\
		SUBMIT_OF(call, name, list); \
		if (!q) { \
			call.real = (taf_fn)REAL(name); \
			if (!call.real) \
				return TAF_ZE_UNINITIALIZED; \
			r = THROUGH(call, name) args; \
			return failed(&call, r); \
		} \
		if (!begin_submit(&call)) \
			return not_made(&call); \
		r = THROUGH(call, name) args; \
		return end_submit(&call, q, event, r); \
	}
APPENDS(zeCommandListImmediateAppendCommandListsExp,
	(void *list, uint32_t count, void **lists, void *event, uint32_t waits, void **events),
	(list, count, lists, event, waits, events))
APPENDS(zeCommandListImmediateAppendCommandListsWithParameters,
	(void *list, uint32_t count, void **lists, const void *next, void *event, uint32_t waits,
	 void **events),
	(list, count, lists, next, event, waits, events))
APPENDS(zeCommandListAppendLaunchKernel,
	(void *list, void *kernel, const struct taf_ze_count *groups, void *event, uint32_t waits,
	 void **events),
	(list, kernel, groups, event, waits, events))
APPENDS(zeCommandListAppendLaunchCooperativeKernel,
	(void *list, void *kernel, const struct taf_ze_count *groups, void *event, uint32_t waits,
	 void **events),
	(list, kernel, groups, event, waits, events))
APPENDS(zeCommandListAppendLaunchKernelIndirect,
	(void *list, void *kernel, const struct taf_ze_count *groups, void *event, uint32_t waits,
	 void **events),
	(list, kernel, groups, event, waits, events))
APPENDS(zeCommandListAppendLaunchMultipleKernelsIndirect,
	(void *list, uint32_t count, void **kernels, const uint32_t *used,
	 const struct taf_ze_count *groups, void *event, uint32_t waits, void **events),
	(list, count, kernels, used, groups, event, waits, events))
APPENDS(zeCommandListAppendLaunchKernelWithParameters,
	(void *list, void *kernel, const struct taf_ze_count *groups, const void *next, void *event,
	 uint32_t waits, void **events),
	(list, kernel, groups, next, event, waits, events))
APPENDS(zeCommandListAppendLaunchKernelWithArguments,
	(void *list, void *kernel, struct taf_ze_count grid, struct taf_ze_count sizes,
	 void **values, const void *next, void *event, uint32_t waits, void **events),
	(list, kernel, grid, sizes, values, next, event, waits, events))

/* No work of its own, but in flight. */
static void begin_copy(struct taf_call *call, const struct taf_ze_queue *q)
{
	call->has_flight = false;
	if (q)
		taf_copy_before(call, taf_flight_key(TAF_API_LEVEL0, call->queue, 0));
}

static int end_copy(struct taf_call *call, struct taf_ze_queue *q, const void *event, int r)
{
	bool is_counted = call->has_flight && !r;

	if (is_counted) {
		atomic_fetch_add(&q->submits, 1);
		mark(call, q, event);
	}
	taf_copy_after(call, r);
	if (is_counted && q->is_synchronous)
		is_done(call);
	return failed(call, r);
}

#define COPIES_TO(name, params, args, event) \
	int taf_##name params \
	{ \
		struct taf_ze_queue *q = list_of(list); \
		struct taf_call call = TAF_CALL(name); \
		int r; \
\
		call.real = (taf_fn)REAL(name); \
		if (!call.real) \
			return TAF_ZE_UNINITIALIZED; \
		call.queue = TAF_U64(list); \
		begin_copy(&call, q); \
		r = THROUGH(call, name) args; \
		return end_copy(&call, q, event, r); \
	}
COPIES_TO(zeCommandListAppendMemoryCopy,
	  (void *list, void *to, const void *from, size_t size, void *event, uint32_t waits,
	   void **events),
	  (list, to, from, size, event, waits, events), event)
COPIES_TO(zeCommandListAppendMemoryCopyWithParameters,
	  (void *list, void *to, const void *from, size_t size, const void *next, void *event,
	   uint32_t waits, void **events),
	  (list, to, from, size, next, event, waits, events), event)
COPIES_TO(zeCommandListAppendMemoryCopyFromContext,
	  (void *list, void *to, void *context, const void *from, size_t size, void *event,
	   uint32_t waits, void **events),
	  (list, to, context, from, size, event, waits, events), event)
COPIES_TO(zeCommandListAppendMemoryCopyRegion,
	  (void *list, void *to, const void *to_region, uint32_t to_pitch, uint32_t to_slice,
	   const void *from, const void *from_region, uint32_t from_pitch, uint32_t from_slice,
	   void *event, uint32_t waits, void **events),
	  (list, to, to_region, to_pitch, to_slice, from, from_region, from_pitch, from_slice,
	   event, waits, events),
	  event)
COPIES_TO(zeCommandListAppendMemoryFill,
	  (void *list, void *to, const void *pattern, size_t length, size_t size, void *event,
	   uint32_t waits, void **events),
	  (list, to, pattern, length, size, event, waits, events), event)
COPIES_TO(zeCommandListAppendMemoryFillWithParameters,
	  (void *list, void *to, const void *pattern, size_t length, size_t size, const void *next,
	   void *event, uint32_t waits, void **events),
	  (list, to, pattern, length, size, next, event, waits, events), event)
COPIES_TO(zeCommandListAppendMemoryPrefetch, (void *list, const void *from, size_t size),
	  (list, from, size), NULL)
COPIES_TO(zeCommandListAppendImageCopy,
	  (void *list, void *to, void *from, void *event, uint32_t waits, void **events),
	  (list, to, from, event, waits, events), event)
COPIES_TO(zeCommandListAppendImageCopyRegion,
	  (void *list, void *to, void *from, const void *to_region, const void *from_region,
	   void *event, uint32_t waits, void **events),
	  (list, to, from, to_region, from_region, event, waits, events), event)
COPIES_TO(zeCommandListAppendImageCopyToMemory,
	  (void *list, void *to, void *from, const void *from_region, void *event, uint32_t waits,
	   void **events),
	  (list, to, from, from_region, event, waits, events), event)
COPIES_TO(zeCommandListAppendImageCopyFromMemory,
	  (void *list, void *to, const void *from, const void *to_region, void *event,
	   uint32_t waits, void **events),
	  (list, to, from, to_region, event, waits, events), event)
COPIES_TO(zeCommandListAppendImageCopyToMemoryExt,
	  (void *list, void *to, void *from, const void *from_region, uint32_t to_pitch,
	   uint32_t to_slice, void *event, uint32_t waits, void **events),
	  (list, to, from, from_region, to_pitch, to_slice, event, waits, events), event)
COPIES_TO(zeCommandListAppendImageCopyFromMemoryExt,
	  (void *list, void *to, const void *from, const void *to_region, uint32_t from_pitch,
	   uint32_t from_slice, void *event, uint32_t waits, void **events),
	  (list, to, from, to_region, from_pitch, from_slice, event, waits, events), event)
COPIES_TO(zeCommandListAppendWriteGlobalTimestamp,
	  (void *list, uint64_t *to, void *event, uint32_t waits, void **events),
	  (list, to, event, waits, events), event)
COPIES_TO(zeCommandListAppendQueryKernelTimestamps,
	  (void *list, uint32_t count, void **kernels, void *to, const size_t *offsets, void *event,
	   uint32_t waits, void **events),
	  (list, count, kernels, to, offsets, event, waits, events), event)
COPIES_TO(zeCommandListAppendSignalExternalSemaphoreExt,
	  (void *list, uint32_t count, void **semaphores, void *how, void *event, uint32_t waits,
	   void **events),
	  (list, count, semaphores, how, event, waits, events), event)

#include "none.h"
#undef OWN
#define OWN(ret, name, params, args, kind, refuse, doc) \
	extern TAF_PUBLIC ret name params __attribute__((alias("taf_" #name)));
#include "level0_submit.def"
