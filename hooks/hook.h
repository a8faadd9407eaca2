/* SPDX-License-Identifier: MIT */
/* hook.h -- how a table of entry points becomes code.
 *
 * A runtime is NAME.def, one row for each entry point; NAME.c, which names the
 * table and includes expand.h, with the wrappers written by hand and the
 * runtime's sync and trim; a line in runtimes.def; and abi/NAME.h where it has
 * types of its own.  A symbol's name is written once, in its row:
 *
 *   HOOK (ret, name, params, args, kind, bytes, refuse, doc)   the wrapper is generated
 *   HOOKV(name, params, args, kind, bytes, doc)                the same, returns nothing
 *   OWN  (ret, name, params, args, kind, refuse, doc)          taf_name is written by hand
 *   OWNV (name, params, args, kind, doc)                       the same, returns nothing
 *   OWNN (name, params, args, kind, doc)                       the same, never returns
 *   NOTIFY(name, kind, doc)                                    calls taf_note_<name>, jumps on
 *   CALL (ret, name, params, doc)                              we call it, do not watch it
 *   ALIAS(asked, since, name)                                  its name, and since which version
 *
 * and of GPU runtimes, generated as well (wrappers.h):
 *
 *   TAKES  (ret, name, params, args, place, at, bytes, refuse, doc)   ALLOC; TAF_AT_place, address
 *   GIVES  (ret, name, params, args, at, refuse, doc)                 FREE of what lies at
 *   GIVES_LATER(the same)                                             once it is in use no more
 *   GIVES_QUEUED(ret, name, params, args, at, queue, refuse, doc)     in a queue: in flight there
 *   SUBMITS(ret, name, params, args, queue, refuse, doc)              SUBMIT to a queue
 *   COPIES (ret, name, params, args, queue, refuse, doc)              a copy to a queue: in flight
 *   WAITS  (ret, name, params, args, queue, refuse, doc)              SYNC, or TAF_EVERY_QUEUE
 *
 *   params  the parameter list in brackets, args the same names for the call
 *   kind    of policy/kinds.def; SUBMIT, ALLOC and FREE take the narrow door
 *   bytes   an expression over the parameters: what is taken or given
 *   refuse  what the program gets when a rule refuses or their function is missing
 *
 * From the rows come: function types and prototypes (rows.h), row numbers, the
 * table, wrappers and publication (expand.h), the version script (exports.h),
 * `taffrail hooks` and taffrail-hooks(7) (catalog.c, manual.h), the fake
 * runtimes and the every-row test (tests/fake/).
 */
#ifndef TAF_HOOK_H
#define TAF_HOOK_H

#include "../shim/burst.h"
#include "../shim/capture.h"
#include "../shim/entry.h"
#include "../shim/fault.h"
#include "../shim/gate.h"
#include "../shim/live.h"
#include "../shim/oom.h"

#define TAF_PUBLIC __attribute__((visibility("default")))
#define TAF_HIDDEN __attribute__((visibility("hidden")))
#define TAF_NORETURN __attribute__((noreturn))
#define TAF_CALLER __builtin_return_address(0)
#define TAF_SELF (&TAF_TABLE)

/* Their function, as seen by the program's call site. */
#define REAL(name) ((name##_fn *)taf_real(TAF_SELF, ROW_##name, TAF_CALLER))
/* Their function, as seen from home, for calls of our own. */
#define THEIRS(name, home) ((name##_fn *)taf_theirs(TAF_SELF, ROW_##name, home))
/* A call at the door, and their function once it has passed. */
#define TAF_CALL(name) taf_call_of(TAF_SELF, ROW_##name, TAF_CALLER)
#define THROUGH(call, name) ((name##_fn *)(call).real)

/* Structs that the program passes by value and whose size grows between versions.
 * On x86-64 they lie in the caller's argument area; a copy that is larger than the
 * newest known one goes on to their function, which finds its own part whole. The
 * room above is what may grow; more would read past the top of a small stack.
 * On aarch64 a struct over 16 bytes goes by reference, and the pointer is passed on.
 *
 *   TAF_PARAMS  llama_model_params (80 bytes in v0.5.0), llama_context_params (160)
 *   TAF_BATCH   llama_batch (56 bytes, unchanged for years)
 *   TAF_FULL    whisper_full_params (304 bytes in 1.8.5) */
#if defined(__x86_64__)
struct taf_params {
	uint64_t words[40];
};
struct taf_batch {
	uint64_t words[12];
};
struct taf_full {
	uint64_t words[64];
};
#define TAF_PARAMS struct taf_params
#define TAF_BATCH struct taf_batch
#define TAF_FULL struct taf_full
#define TAF_INT_PARAMS TAF_SIX(uint64_t a)
#define TAF_INT_ARGS TAF_SIX(a)
#define TAF_FIRST_INT(s) ((int32_t)(s).words[0])
#define TAF_WORD(s, i) ((s).words[i])
#else
#define TAF_PARAMS void *
#define TAF_BATCH void *
#define TAF_FULL void *
#define TAF_INT_PARAMS TAF_SIX(uint64_t a), uint64_t a6, uint64_t a7
#define TAF_INT_ARGS TAF_SIX(a), a6, a7
#define TAF_FIRST_INT(s) (*(const int32_t *)(s))
#define TAF_WORD(s, i) (((const uint64_t *)(s))[i])
#endif

/* Parameters of any number and kind, as registers and the top of the stack carry them: for
 * entry points whose lists differ between versions. Structs by value lie in there too. */
#define TAF_SIX(x) x##0, x##1, x##2, x##3, x##4, x##5
#define TAF_EIGHT(x) TAF_SIX(x), x##6, x##7
#define TAF_ANY_PARAMS \
	(TAF_INT_PARAMS, TAF_EIGHT(double f), TAF_EIGHT(uint64_t s), TAF_EIGHT(uint64_t t), \
	 TAF_EIGHT(uint64_t u), TAF_EIGHT(uint64_t v))
#define TAF_ANY_ARGS \
	(TAF_INT_ARGS, TAF_EIGHT(f), TAF_EIGHT(s), TAF_EIGHT(t), TAF_EIGHT(u), TAF_EIGHT(v))

/* What a function returns by value is written by its callee, whole: far more room
 * than any of these structs has. */
struct taf_result {
	uint64_t words[128];
};
#define TAF_RESULT struct taf_result

/* 0 where their function succeeded, for TAF_STATUS of rows that return either. */
static inline int64_t taf_status_pointer(const void *p)
{
	return p ? 0 : -1;
}

static inline int64_t taf_status_int(int64_t n)
{
	return n;
}

/* Whether their function gave nothing because there was no memory left: of a pointer,
 * NULL; what a number means only its runtime knows (TAF_IS_OOM). */
static inline bool taf_oom_pointer(const void *p)
{
	return !p;
}

static inline bool taf_oom_int(int64_t n)
{
	(void)n;
	return false;
}

/* A handle or an address as a number. */
#define TAF_U64(x) \
	_Generic((x), void *: taf_u64_pointer, const void *: taf_u64_pointer, \
		 default: taf_u64_int)(x)

static inline uint64_t taf_u64_pointer(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static inline uint64_t taf_u64_int(uint64_t n)
{
	return n;
}

/* And back. */
static inline void *taf_pointer_of(uint64_t n)
{
	union {
		uint64_t n;
		void *p;
	} u = { .n = n };

	return u.p;
}

/* What was written to where a pointer of theirs points. */
#define TAF_WHERE(p) taf_where(p)
static inline uint64_t taf_where(const void *p)
{
	uint64_t at = 0;

	if (p)
		__builtin_memcpy(&at, p, sizeof(at));
	return at;
}

static inline uint64_t taf_device_bytes(enum taf_place place, uint64_t bytes)
{
	return place == TAF_AT_DEVICE || place == TAF_AT_MANAGED ? bytes : 0;
}

/* Whether pieces are counted: not of a process that is not active, nor by our own calls. */
static inline bool taf_is_counting(void)
{
	return !taf_tls.inside && (taf_state_now() == TAF_ACTIVE || taf_state_now() == TAF_LEAVING);
}

#define TAF_OOM_OF(r) _Generic((r), void * : taf_oom_pointer, default : taf_oom_int)(r)

#define TAF_STATUS_OF(r) _Generic((r), void * : taf_status_pointer, default : taf_status_int)(r)

#endif
