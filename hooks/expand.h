/* SPDX-License-Identifier: MIT */
/* expand.h -- expands TAF_ROWS (a .def file) into the code of TAF_TABLE.
 *
 * The including file defines TAF_ROWS, TAF_TABLE, TAF_ENGINE, TAF_OPS (or NULL)
 * and TAF_STATUS(r): 0 where their function succeeded; TAF_IS_OOM(r) where its
 * numbers say that memory was short; of a GPU runtime, what wrappers.h names;
 * TAF_LOADER, TAF_BY_THREAD and TAF_STORE where table.h says what that means. */
#include "rows.h"

extern const struct taf_table TAF_TABLE;

/* Pass 3: the entries in assembly. */
#undef NOTIFY
#define NOTIFY(name, kind, doc) \
	TAF_HIDDEN void taf_entry_##name(void); \
	TAF_ENTRY(name)
#include TAF_ROWS

/* Pass 4: the table that the shim sees, of four lists: the types of the names, the names,
 * the rows, and our functions. */
#include "none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef OWNN
#undef NOTIFY
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) \
	TAF_ROW(name, kind, WRAP, (taf_fn)taf_##name)
#define HOOKV(name, params, args, kind, bytes, doc) TAF_ROW(name, kind, WRAP, (taf_fn)taf_##name)
#define OWN(ret, name, params, args, kind, refuse, doc) TAF_ROW(name, kind, OWN, (taf_fn)taf_##name)
#define OWNV(name, params, args, kind, doc) TAF_ROW(name, kind, OWN, (taf_fn)taf_##name)
#define OWNN(name, params, args, kind, doc) TAF_ROW(name, kind, OWN, (taf_fn)taf_##name)
#define NOTIFY(name, kind, doc) TAF_ROW(name, kind, NOTIFY, taf_entry_##name)
#define CALL(ret, name, params, doc) TAF_ROW(name, LOOKUP, CALL, NULL)
#define TAF_ROW(name, kind, thunk, ours) char of_##name[sizeof(#name)];
static const struct names {
#include TAF_ROWS
#undef TAF_ROW
#define TAF_ROW(name, kind, thunk, ours) #name,
} names = {
#include TAF_ROWS
};
_Static_assert(sizeof(names) <= UINT16_MAX, "a row says in 16 bits where its name begins");
#undef TAF_ROW
#define TAF_ROW(name, kind, thunk, ours) \
	{ offsetof(struct names, of_##name), TAF_##kind, TAF_THUNK_##thunk },
static const struct taf_row rows[ROW_COUNT] = {
#include TAF_ROWS
};
#undef TAF_ROW
#define TAF_ROW(name, kind, thunk, ours) \
	case ROW_##name: return ours;
static taf_fn ours_of(int row)
{
	switch (row) {
#include TAF_ROWS
	default: return NULL;
	}
}
#undef TAF_ROW
static _Atomic(taf_fn) learned[ROW_COUNT];

#ifndef TAF_LOADER
#define TAF_LOADER NULL
#endif
#ifndef TAF_BY_THREAD
#define TAF_BY_THREAD NULL
#endif
#ifndef TAF_STORE
#define TAF_STORE NULL
#endif
const struct taf_table TAF_TABLE = {
	.engine = TAF_ENGINE,
	.rows = rows,
	.n_rows = ROW_COUNT,
	.names = (const char *)&names,
	.ours = ours_of,
	.learned = learned,
	.ops = TAF_OPS,
	.loader = TAF_LOADER,
	.by_thread = TAF_BY_THREAD,
	.store = TAF_STORE,
};

/* Pass 5: the generated wrappers. The kind is a constant, so the door is chosen
 * when this is compiled. */
#include "none.h"
#include "wrappers.h"
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
#define TAF_PUBLISHING /* some rows are published by another file */
#include TAF_ROWS
#undef TAF_PUBLISHING
#include "none.h"
