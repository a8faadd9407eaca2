/* SPDX-License-Identifier: MIT */
/* gpu_rows.h -- the verbs of GPU runtimes as plain HOOK rows, which is all that most
 * passes want to know of them. */
#undef TAKES
#undef GIVES
#undef GIVES_LATER
#undef GIVES_QUEUED
#undef SUBMITS
#undef COPIES
#undef WAITS
#define TAKES(ret, name, params, args, place, at, bytes, refuse, doc) \
	HOOK(ret, name, params, args, ALLOC, bytes, refuse, doc)
#define GIVES(ret, name, params, args, at, refuse, doc) \
	HOOK(ret, name, params, args, FREE, 0, refuse, doc)
#define GIVES_LATER(ret, name, params, args, at, refuse, doc) \
	HOOK(ret, name, params, args, FREE, 0, refuse, doc)
#define GIVES_QUEUED(ret, name, params, args, at, queue, refuse, doc) \
	HOOK(ret, name, params, args, FREE, 0, refuse, doc)
#define SUBMITS(ret, name, params, args, queue, refuse, doc) \
	HOOK(ret, name, params, args, SUBMIT, 0, refuse, doc)
#define COPIES(ret, name, params, args, queue, refuse, doc) \
	HOOK(ret, name, params, args, LOOKUP, 0, refuse, doc)
#define WAITS(ret, name, params, args, queue, refuse, doc) \
	HOOK(ret, name, params, args, SYNC, 0, refuse, doc)
