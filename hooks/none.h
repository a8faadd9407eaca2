/* SPDX-License-Identifier: MIT */
/* none.h -- forgets every row verb, so that the next pass defines only what it uses.
 *
 * The verbs of GPU runtimes are HOOK rows for every pass that does not say otherwise. */
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef OWNN
#undef NOTIFY
#undef CALL
#undef ALIAS
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc)
#define HOOKV(name, params, args, kind, bytes, doc)
#define OWN(ret, name, params, args, kind, refuse, doc)
#define OWNV(name, params, args, kind, doc)
#define OWNN(name, params, args, kind, doc)
#define NOTIFY(name, kind, doc)
#define CALL(ret, name, params, doc)
#define ALIAS(asked, since, name)
#include "gpu_rows.h"
