/* SPDX-License-Identifier: MIT */
/* cuda_rows.h -- what the tables of CUDA's driver and runtime have in common: the
 * meaning of their numbers, and the wrappers of the same form in both.
 *
 * Included after TAF_ROWS and its kin are defined, before expand.h; the macros at the
 * end make wrappers of OWN rows, each with the row's name, parameters and arguments. */
#ifndef TAF_CUDA_ROWS_H
#define TAF_CUDA_ROWS_H

#include "../shim/flight_point.h"
#include "abi/cuda.h"
#include "cuda_wait.h"
#include "hook.h"

#define TAF_STATUS(r) TAF_STATUS_OF(r)
#define TAF_MISSING(type) ((type)TAF_CU_NOT_INITIALIZED)
#define TAF_IS_OOM(r) ((r) == TAF_CU_OUT_OF_MEMORY)

/* A product as far as it goes. */
static inline uint64_t taf_cu_times(uint64_t a, uint64_t b)
{
	uint64_t n;

	return __builtin_mul_overflow(a, b, &n) ? UINT64_MAX : n;
}

/* An extent of 0 is a dimension that the array does not have. */
static inline uint64_t taf_cu_elements(uint64_t width, uint64_t height, uint64_t depth)
{
	return taf_cu_times(taf_cu_times(width, height ? height : 1), depth ? depth : 1);
}

/* Each level has half the extent of the one before: a third more, for two dimensions. */
static inline uint64_t taf_cu_levels(uint64_t bytes, unsigned levels)
{
	return levels > 1 && bytes < UINT64_MAX / 2 ? bytes + bytes / 3 : bytes;
}

/* Whether a capture is over after the end of it gave r. It goes on where the end came
 * on the wrong thread or stream (cudaErrorStreamCaptureUnmatched, ...WrongThread), or
 * could not be asked for at all. */
static inline bool taf_cu_is_over(int r)
{
	return !r || (r >= 900 && r != 903 && r != 908);
}

/* An allocation of which more is known once it succeeded. asked: its bytes as far as
 * the arguments tell; piece: initializers of the piece's place, device, at and bytes. */
#define TAKES_AS(name, params, args, asked, ...) \
	int taf_##name params \
	{ \
		struct taf_call call; \
		int64_t kept; \
		int r; \
		TAF_INIT(name, ALLOC, call); \
		call.bytes = (asked); \
		if (!taf_before_narrow(&call, TAF_ALLOC)) { \
			if (call.real) \
				TAF_REFUSING(call); \
			return call.real ? TAF_CU_OUT_OF_MEMORY : TAF_CU_NOT_INITIALIZED; \
		} \
		kept = taf_rules.memory_oom_retries ? TAF_RETRY_BEGIN(call) : 0; \
		r = THROUGH(call, name) args; \
		if (__builtin_expect(TAF_IS_OOM(r), 0) && !kept) { \
			for (uint32_t n = 0; TAF_IS_OOM(r) && taf_oom_again(&call, n); n++) \
				r = THROUGH(call, name) args; \
			if (!r) \
				TAF_RETRY_GOOD(call); \
		} \
		if (!r && taf_is_counting()) { \
			struct taf_piece piece = { TAF_API, __VA_ARGS__ }; \
			taf_live_take(&piece); \
			call.bytes = taf_device_bytes(piece.place, piece.bytes); \
		} \
		taf_after_narrow(&call, TAF_ALLOC, r); \
		TAF_FAULT(call, r); \
		return r; \
	}

/* A call without a door of its own. */
#define PASSES(name, params, args, before, after) \
	int taf_##name params \
	{ \
		TAF_FIND(call, name, int); \
		int r; \
		before; \
		TAF_PASSING(r = THROUGH(call, name) args); \
		after; \
		TAF_FAULT(call, r); \
		return r; \
	}

#define CAPTURES(name, params, args, queue) \
	PASSES(name, params, args, taf_capture_opening(), taf_capture_opened(queue, !r))
#define CAPTURED(name, params, args, queue) \
	PASSES(name, params, args, (void)0, if (taf_cu_is_over(r)) taf_capture_closed(queue))

/* What another thread submits meanwhile may come behind the event. */
#define RECORDS(name, params, args, queue) \
	PASSES(name, params, args, struct taf_flight_point at; \
	       taf_flight_point(&at, taf_flight_key(TAF_API, queue, TAF_DEVICE)), \
	       if (!r && taf_is_counting()) taf_event_recorded(TAF_API, TAF_U64(event), &at))
#define FORGETS(name) \
	PASSES(name, (void *event), (event), taf_event_forget(TAF_API, TAF_U64(event)), (void)0)

/* After a query that says "done". */
#define ASKS_EVENT(name) \
	PASSES(name, (void *event), (event), \
	       uint32_t turn = taf_event_turn(TAF_API, TAF_U64(event)), \
	       if (!r && taf_event_passed(TAF_API, TAF_U64(event), turn)) taf_cu_waited(&call))
#define ASKS_QUEUE(name, queue) SHOWS(name, (void *stream), (stream), queue, true)
/* Where is_done, its success shows that the queue had run dry. */
#define SHOWS(name, params, args, queue, is_done) \
	int taf_##name params \
	{ \
		TAF_FIND(call, name, int); \
		struct taf_flight_point point; \
		int r; \
		taf_flight_point(&point, taf_flight_key(TAF_API, queue, TAF_DEVICE)); \
		TAF_PASSING(r = THROUGH(call, name) args); \
		if (!r && (is_done) && taf_flight_passed(&point)) \
			taf_cu_waited(&call); \
		TAF_FAULT(call, r); \
		return r; \
	}
#define WAITS_EVENT(name) \
	int taf_##name(void *event) \
	{ \
		struct taf_call call = TAF_CALL(name); \
		uint32_t turn; \
		int r; \
		if (!taf_before(&call)) \
			return TAF_CU_NOT_INITIALIZED; \
		turn = taf_event_turn(TAF_API, TAF_U64(event)); \
		r = THROUGH(call, name)(event); \
		if (!r && taf_event_passed(TAF_API, TAF_U64(event), turn)) \
			taf_cu_waited(&call); \
		taf_after(&call, r); \
		TAF_FAULT(call, r); \
		return r; \
	}

/* Code goes that may still run. */
#define UNLOADS_CODE(name, params, args) \
	PASSES(name, params, args, taf_burst_unload(&call), taf_burst_unloaded(&call))

#define DESTROYS_STREAM(name) \
	int taf_##name(void *stream) \
	{ \
		TAF_FIND(call, name, int); \
		struct taf_cuda_stream was; \
		struct taf_stream_going going; \
		bool is_free; \
		int r = 0; \
		call.queue = TAF_U64(stream); \
		taf_burst_unload_queue(&call); \
		is_free = taf_cuda_stream_going(stream, &was); \
		taf_stream_going(&call, was.is_behind, &going); \
		if (is_free) \
			TAF_PASSING(r = THROUGH(call, name)(stream)); \
		if (r) \
			taf_cuda_stream_stays(stream, &was); \
		taf_stream_gone(&call, &going, !r); \
		TAF_FAULT(call, r); \
		return r; \
	}

/* Not while calls of ours run, or one of theirs of which this is a part. */
static inline void taf_cu_waited(const struct taf_call *c)
{
	if (taf_state_now() == TAF_ACTIVE && !taf_tls.inside && !taf_tls.is_submitting)
		taf_burst_waited(c);
}

/* A context, or all that a device, of, has, is given up. Where is_free is false theirs is
 * not called, nor is after, which is made also where the call is not counted. */
#define UNLOADS(name, params, args, is_free, after) \
	int taf_##name params \
	{ \
		struct taf_call call = TAF_CALL(name); \
		uint32_t of = taf_tls.device; \
		bool has_gone = false; \
		int r = 0; \
		call.is_context = true; \
		if (!taf_before(&call)) \
			return TAF_CU_NOT_INITIALIZED; \
		if (is_free) { \
			r = THROUGH(call, name) args; \
			has_gone = !r; \
		} \
		if (has_gone) { \
			after; \
		} \
		taf_after(&call, r); \
		TAF_FAULT(call, r); \
		return r; \
	}

#endif
