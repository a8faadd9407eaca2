/* SPDX-License-Identifier: MIT */
/* rows.h -- the first two passes over TAF_ROWS: types and prototypes, row numbers. */

/* Pass 1: a function type and our function's prototype for each row. */
#include "none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef OWNN
#undef NOTIFY
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) \
	typedef ret name##_fn params; \
	TAF_HIDDEN ret taf_##name params;
#define HOOKV(name, params, args, kind, bytes, doc) \
	typedef void name##_fn params; \
	TAF_HIDDEN void taf_##name params;
#define OWN(ret, name, params, args, kind, refuse, doc) \
	typedef ret name##_fn params; \
	TAF_HIDDEN ret taf_##name params;
#define OWNV(name, params, args, kind, doc) \
	typedef void name##_fn params; \
	TAF_HIDDEN void taf_##name params;
#define OWNN(name, params, args, kind, doc) \
	typedef void name##_fn params; \
	TAF_HIDDEN TAF_NORETURN void taf_##name params;
#define NOTIFY(name, kind, doc) TAF_HIDDEN taf_fn taf_note_##name(struct taf_regs *regs);
#define CALL(ret, name, params, doc) typedef ret name##_fn params;
#include TAF_ROWS

/* Pass 2: row numbers. */
#include "none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef OWNN
#undef NOTIFY
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) ROW_##name,
#define HOOKV(name, params, args, kind, bytes, doc) ROW_##name,
#define OWN(ret, name, params, args, kind, refuse, doc) ROW_##name,
#define OWNV(name, params, args, kind, doc) ROW_##name,
#define OWNN(name, params, args, kind, doc) ROW_##name,
#define NOTIFY(name, kind, doc) ROW_##name,
#define CALL(ret, name, params, doc) ROW_##name,
enum {
#include TAF_ROWS
	ROW_COUNT
};
#include "none.h"
