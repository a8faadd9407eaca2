/* SPDX-License-Identifier: MIT */
/* catalog_rows.h -- the pass that makes rows of TAF_ENGINE_NOW into catalog entries. */
#include "none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef OWNN
#undef NOTIFY
#undef CALL
#define TAF_ENTRY_OF(name, kind, thunk, doc) { #name, TAF_ENGINE_NOW, TAF_##kind, thunk, doc },
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) \
	TAF_ENTRY_OF(name, kind, "generated", doc)
#define HOOKV(name, params, args, kind, bytes, doc) TAF_ENTRY_OF(name, kind, "generated", doc)
#define OWN(ret, name, params, args, kind, refuse, doc) TAF_ENTRY_OF(name, kind, "own", doc)
#define OWNV(name, params, args, kind, doc) TAF_ENTRY_OF(name, kind, "own", doc)
#define OWNN(name, params, args, kind, doc) TAF_ENTRY_OF(name, kind, "own", doc)
#define NOTIFY(name, kind, doc) TAF_ENTRY_OF(name, kind, "notify", doc)
#define CALL(ret, name, params, doc) TAF_ENTRY_OF(name, LOOKUP, "call", doc)
