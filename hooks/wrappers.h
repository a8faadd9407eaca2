/* SPDX-License-Identifier: MIT */
/* wrappers.h -- the verbs of rows that have a generated wrapper, as wrappers.
 *
 * The table of a GPU runtime may define, before it includes expand.h:
 *
 *   TAF_MISSING(type)     what the program gets when theirs cannot be found
 *   TAF_IS_OOM(r)         the number that means: no memory left
 *   TAF_DEVICE            the current device's number; taf_tls.device, which the
 *                         wrappers of its set-device functions keep
 *   TAF_REFUSING(call)    before a refused allocation returns: sets their last error
 *   TAF_FAULT(call, rc)   after theirs gave rc, other than by what faults.def says
 *   TAF_RETRY_BEGIN(call) with memory.oom_retries, before theirs: a number that is kept;
 *                         other than 0, it is not tried again
 *   TAF_RETRY_GOOD(call)  a later try has succeeded: takes the first one's error back
 */
#undef HOOK
#undef HOOKV
#undef TAKES
#undef GIVES
#undef GIVES_LATER
#undef GIVES_QUEUED
#undef SUBMITS
#undef COPIES
#undef WAITS
#define TAF_IS_NARROW(kind) \
	(TAF_##kind == TAF_SUBMIT || TAF_##kind == TAF_ALLOC || TAF_##kind == TAF_FREE)
/* A whole struct is not cleared on the narrow way: that alone would cost more than the door. */
#define TAF_INIT(name, kind_, call) \
	do { \
		if (TAF_IS_NARROW(kind_)) \
			taf_call_narrow(&(call), TAF_SELF, ROW_##name); \
		else \
			(call) = taf_call_of(TAF_SELF, ROW_##name, NULL); \
		(call).caller = TAF_CALLER; \
		(call).kind = TAF_##kind_; \
	} while (0)
#define TAF_DOOR(name, kind) ((struct taf_door){ TAF_SELF, ROW_##name, TAF_##kind })
#define TAF_ENTER(name, kind, call) \
	(TAF_IS_NARROW(kind) ? taf_door_in(call, TAF_DOOR(name, kind)) : taf_before(call))
#define TAF_LEAVE(name, kind, call, rc) \
	(TAF_IS_NARROW(kind) ? taf_door_out(call, TAF_DOOR(name, kind), rc) : taf_after(call, rc))
#ifndef TAF_IS_OOM
#define TAF_IS_OOM(r) TAF_OOM_OF(r)
#endif
#ifndef TAF_MISSING
#define TAF_NOT_MADE(call, ret, refuse) (refuse)
#ifndef TAF_FAULT
#define TAF_FAULT(call, rc) (void)0
#endif
#define TAF_BEFORE_TRIM(call) (void)0
#define TAF_AFTER_TRIM(call) (void)0
#else
#define TAF_NOT_MADE(call, ret, refuse) ((call).real ? (refuse) : TAF_MISSING(ret))
#define TAF_BEFORE_TRIM(call) taf_burst_unload(&(call))
#define TAF_AFTER_TRIM(call) taf_burst_unloaded(&(call))
#define TAF_FAULT(call, rc) \
	do { \
		if (__builtin_expect((rc) != 0, 0)) \
			taf_fault_seen(&(call), rc); \
	} while (0)
#endif
#ifndef TAF_DEVICE
#define TAF_DEVICE taf_tls.device
#endif
#ifndef TAF_REFUSING
#define TAF_REFUSING(call) (void)(call)
#endif
#ifndef TAF_RETRY_BEGIN
#define TAF_RETRY_BEGIN(call) 0
#define TAF_RETRY_GOOD(call) (void)(call)
#endif
#define TAF_API taf_api_of(TAF_ENGINE)
/* A call of theirs without a door, in which the thread may have a lock of the runtime (sig.c). */
#define TAF_PASSING(...) \
	do { \
		bool was_passing = taf_tls.is_passing; \
		taf_tls.is_passing = true; \
		__VA_ARGS__; \
		taf_tls.is_passing = was_passing; \
	} while (0)
/* Where a wrapper of a GPU runtime without a door begins: theirs in call, or none. */
#define TAF_FIND(call, name, ret) \
	struct taf_call call = TAF_CALL(name); \
	(call).real = (taf_fn)REAL(name); \
	if (!(call).real) { \
		return TAF_MISSING(ret); \
	}

#define HOOK(ret, name, params, args, kind_, n_bytes, refuse, doc) \
	ret taf_##name params \
	{ \
		struct taf_call call; \
		TAF_INIT(name, kind_, call); \
		call.bytes = (uint64_t)(n_bytes); \
		if (TAF_##kind_ == TAF_TRIM) \
			TAF_BEFORE_TRIM(call); \
		if (!TAF_ENTER(name, kind_, &call)) { \
			if (TAF_##kind_ == TAF_TRIM) \
				TAF_AFTER_TRIM(call); \
			return TAF_NOT_MADE(call, ret, refuse); \
		} \
		ret r = THROUGH(call, name) args; \
		if (TAF_##kind_ == TAF_TRIM) \
			TAF_AFTER_TRIM(call); \
		if (TAF_##kind_ == TAF_ALLOC && __builtin_expect(TAF_IS_OOM(r), 0)) \
			for (uint32_t n = 0; TAF_IS_OOM(r) && taf_oom_again(&call, n); n++) \
				r = THROUGH(call, name) args; \
		TAF_LEAVE(name, kind_, &call, TAF_STATUS(r)); \
		TAF_FAULT(call, TAF_STATUS(r)); \
		return r; \
	}
#define HOOKV(name, params, args, kind_, n_bytes, doc) \
	void taf_##name params \
	{ \
		struct taf_call call; \
		TAF_INIT(name, kind_, call); \
		call.bytes = (uint64_t)(n_bytes); \
		if (!TAF_ENTER(name, kind_, &call)) \
			return; \
		THROUGH(call, name) args; \
		TAF_LEAVE(name, kind_, &call, 0); \
	}
/* Memory of the device is what the rules judge; what lies on the host is counted apart. */
#define TAKES(ret, name, params, args, place_, at_, n_bytes, refuse, doc) \
	ret taf_##name params \
	{ \
		struct taf_call call; \
		int64_t kept; \
		ret r; \
		TAF_INIT(name, ALLOC, call); \
		call.bytes = taf_device_bytes(TAF_AT_##place_, (uint64_t)(n_bytes)); \
		if (!taf_door_in(&call, TAF_DOOR(name, ALLOC))) { \
			if (call.real) \
				TAF_REFUSING(call); \
			return TAF_NOT_MADE(call, ret, refuse); \
		} \
		kept = taf_rules.memory_oom_retries ? TAF_RETRY_BEGIN(call) : 0; \
		r = THROUGH(call, name) args; \
		if (__builtin_expect(TAF_IS_OOM(r), 0) && !kept) { \
			for (uint32_t n = 0; TAF_IS_OOM(r) && taf_oom_again(&call, n); n++) \
				r = THROUGH(call, name) args; \
			if (!TAF_STATUS(r)) \
				TAF_RETRY_GOOD(call); \
		} \
		if (!TAF_STATUS(r) && taf_is_counting()) \
			taf_live_take(&(struct taf_piece){ TAF_API, TAF_AT_##place_, TAF_DEVICE, \
							   at_, (uint64_t)(n_bytes) }); \
		taf_door_out(&call, TAF_DOOR(name, ALLOC), TAF_STATUS(r)); \
		TAF_FAULT(call, TAF_STATUS(r)); \
		return r; \
	}
/* What is not known was never counted as taken: it passes unseen. */
#define GIVES(ret, name, params, args, at, refuse, doc) \
	TAF_GIVE(ret, name, params, args, at, refuse, taf_burst_unload(&call), \
		 taf_burst_unloaded(&call), TAF_THEIRS)
#define GIVES_LATER(ret, name, params, args, at, refuse, doc) \
	TAF_GIVE(ret, name, params, args, at, refuse, (void)0, (void)0, TAF_THEIRS)
#define GIVES_QUEUED(ret, name, params, args, at, queue_, refuse, doc) \
	TAF_GIVE(ret, name, params, args, at, refuse, call.queue = (queue_), (void)0, \
		 TAF_THEIRS_COPY)
#define TAF_THEIRS(name, args) r = THROUGH(call, name) args
/* In flight, and no work of its own. */
#define TAF_THEIRS_COPY(name, args) \
	taf_copy_before(&call, taf_flight_key(TAF_API, call.queue, TAF_DEVICE)); \
	r = THROUGH(call, name) args; \
	taf_copy_after(&call, TAF_STATUS(r))
#define TAF_GIVE(ret, name, params, args, at_, refuse, before, after, theirs) \
	ret taf_##name params \
	{ \
		struct taf_call call; \
		struct taf_piece had = { .at = 0 }; \
		ret r; \
		TAF_INIT(name, FREE, call); \
		if (!taf_is_counting() || !taf_live_give(TAF_API, at_, &had)) { \
			call.real = (taf_fn)REAL(name); \
			if (!call.real) \
				return TAF_NOT_MADE(call, ret, refuse); \
			r = THROUGH(call, name) args; \
			TAF_FAULT(call, TAF_STATUS(r)); \
			return r; \
		} \
		before; \
		call.bytes = taf_device_bytes(had.place, had.bytes); \
		if (!taf_door_in(&call, TAF_DOOR(name, FREE))) { \
			after; \
			return TAF_NOT_MADE(call, ret, refuse); \
		} \
		theirs(name, args); \
		after; \
		if (__builtin_expect(TAF_STATUS(r) != 0, 0)) \
			taf_live_back(&had); \
		taf_door_out(&call, TAF_DOOR(name, FREE), TAF_STATUS(r)); \
		TAF_FAULT(call, TAF_STATUS(r)); \
		return r; \
	}
#define SUBMITS(ret, name, params, args, queue_, refuse, doc) \
	ret taf_##name params \
	{ \
		struct taf_call call; \
		ret r; \
		TAF_INIT(name, SUBMIT, call); \
		call.bytes = 0; \
		call.queue = (queue_); \
		if (!taf_submit_in(&call, TAF_DOOR(name, SUBMIT), \
				   taf_flight_key(TAF_API, call.queue, TAF_DEVICE))) \
			return TAF_NOT_MADE(call, ret, refuse); \
		r = THROUGH(call, name) args; \
		taf_submit_out(&call, TAF_DOOR(name, SUBMIT), TAF_STATUS(r)); \
		TAF_FAULT(call, TAF_STATUS(r)); \
		return r; \
	}
#define WAITS(ret, name, params, args, queue_, refuse, doc) \
	ret taf_##name params \
	{ \
		struct taf_call call = TAF_CALL(name); \
		struct taf_flight_mark mark; \
		ret r; \
		call.queue = (queue_); \
		if (!taf_before(&call)) \
			return TAF_NOT_MADE(call, ret, refuse); \
		taf_wait_before(&call, &mark); \
		r = THROUGH(call, name) args; \
		if (!TAF_STATUS(r)) \
			taf_wait_after(&call, &mark); \
		taf_after(&call, TAF_STATUS(r)); \
		TAF_FAULT(call, TAF_STATUS(r)); \
		return r; \
	}
/* Begins no generation. */
#define COPIES(ret, name, params, args, queue_, refuse, doc) \
	ret taf_##name params \
	{ \
		TAF_FIND(call, name, ret); \
		ret r; \
		call.queue = (queue_); \
		TAF_THEIRS_COPY(name, args); \
		TAF_FAULT(call, TAF_STATUS(r)); \
		return r; \
	}
