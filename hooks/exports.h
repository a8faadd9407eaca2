/* SPDX-License-Identifier: MIT */
/* exports.h -- the same rows as the list of names in the version script. */
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) name;
#define HOOKV(name, params, args, kind, bytes, doc) name;
#define OWN(ret, name, params, args, kind, refuse, doc) name;
#define OWNV(name, params, args, kind, doc) name;
#define OWNN(name, params, args, kind, doc) name;
#define NOTIFY(name, kind, doc) name;
#define EXPORT(name) name;
#include "gpu_rows.h"
#define CALL(ret, name, params, doc)
#define ALIAS(asked, since, name)
#define RUNTIME(NAME, name, sync_by, timed, text)
