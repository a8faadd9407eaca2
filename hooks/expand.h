/* SPDX-License-Identifier: MIT */
/* expand.h -- expands TAF_ROWS (a .def file) into the code of TAF_TABLE.
 *
 * The including file defines TAF_ROWS, TAF_TABLE, TAF_ENGINE, TAF_OPS (or NULL)
 * and TAF_STATUS(r): 0 where their function succeeded; TAF_IS_OOM(r) where its
 * numbers say that memory was short. */
#include "rows.h"

extern const struct taf_table TAF_TABLE;

/* Pass 3: the entries in assembly. */
#undef NOTIFY
#define NOTIFY(name, kind, doc) TAF_ENTRY(name)
#include TAF_ROWS

/* Pass 4: the rows as data, and the table that the shim sees. */
#include "none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef OWNN
#undef NOTIFY
#undef CALL
#define TAF_ROW(name, kind, thunk, ours) \
	[ROW_##name] = { #name, TAF_##kind, TAF_THUNK_##thunk, ours },
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) \
	TAF_ROW(name, kind, WRAP, (taf_fn)taf_##name)
#define HOOKV(name, params, args, kind, bytes, doc) TAF_ROW(name, kind, WRAP, (taf_fn)taf_##name)
#define OWN(ret, name, params, args, kind, refuse, doc) TAF_ROW(name, kind, OWN, (taf_fn)taf_##name)
#define OWNV(name, params, args, kind, doc) TAF_ROW(name, kind, OWN, (taf_fn)taf_##name)
#define OWNN(name, params, args, kind, doc) TAF_ROW(name, kind, OWN, (taf_fn)taf_##name)
#define NOTIFY(name, kind, doc) TAF_ROW(name, kind, NOTIFY, NULL)
#define CALL(ret, name, params, doc) TAF_ROW(name, LOOKUP, CALL, NULL)
static const struct taf_row rows[ROW_COUNT] = {
#include TAF_ROWS
};
#undef TAF_ROW
static _Atomic(taf_fn) learned[ROW_COUNT];

const struct taf_table TAF_TABLE = { TAF_ENGINE, rows, ROW_COUNT, learned, TAF_OPS };

/* Pass 5: the generated wrappers. The kind is a constant, so the door is chosen
 * when this is compiled. */
#include "none.h"
#undef HOOK
#undef HOOKV
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
#define TAF_ENTER(kind, call) \
	(TAF_IS_NARROW(kind) ? taf_before_narrow(call, TAF_##kind) : taf_before(call))
#ifndef TAF_IS_OOM
#define TAF_IS_OOM(r) TAF_OOM_OF(r)
#endif
#define TAF_LEAVE(kind, call, rc) \
	(TAF_IS_NARROW(kind) ? taf_after_narrow(call, TAF_##kind, rc) : taf_after(call, rc))
#define HOOK(ret, name, params, args, kind_, n_bytes, refuse, doc) \
	ret taf_##name params \
	{ \
		struct taf_call call; \
		TAF_INIT(name, kind_, call); \
		call.bytes = (uint64_t)(n_bytes); \
		if (!TAF_ENTER(kind_, &call)) \
			return refuse; \
		ret r = THROUGH(call, name) args; \
		if (TAF_##kind_ == TAF_ALLOC && __builtin_expect(TAF_IS_OOM(r), 0)) \
			for (uint32_t n = 0; TAF_IS_OOM(r) && taf_oom_again(&call, n); n++) \
				r = THROUGH(call, name) args; \
		TAF_LEAVE(kind_, &call, TAF_STATUS(r)); \
		return r; \
	}
#define HOOKV(name, params, args, kind_, n_bytes, doc) \
	void taf_##name params \
	{ \
		struct taf_call call; \
		TAF_INIT(name, kind_, call); \
		call.bytes = (uint64_t)(n_bytes); \
		if (!TAF_ENTER(kind_, &call)) \
			return; \
		THROUGH(call, name) args; \
		TAF_LEAVE(kind_, &call, 0); \
	}
#include TAF_ROWS

/* Pass 6: publish ours under their names. */
#include "none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef OWNN
#define TAF_PUBLISH(ret, name, params) \
	extern TAF_PUBLIC ret name params __attribute__((alias("taf_" #name)));
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) TAF_PUBLISH(ret, name, params)
#define HOOKV(name, params, args, kind, bytes, doc) TAF_PUBLISH(void, name, params)
#define OWN(ret, name, params, args, kind, refuse, doc) TAF_PUBLISH(ret, name, params)
#define OWNV(name, params, args, kind, doc) TAF_PUBLISH(void, name, params)
#define OWNN(name, params, args, kind, doc) TAF_PUBLISH(TAF_NORETURN void, name, params)
#include TAF_ROWS
#include "none.h"
