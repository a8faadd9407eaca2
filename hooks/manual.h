/* SPDX-License-Identifier: MIT */
/* manual.h -- the pass that makes rows into lines of taffrail-hooks(7).
 *
 *   cc -E -P -include hooks/manual.h -x c hooks/llama.def
 *
 * prints a line a row, in the language of the page, which defines the macros
 * Hook, Calls, Runtime and Kind; kinds.def and runtimes.def pass the same way:
 *
 *   .Kind LOAD "load" SYNC "a model is brought in"
 *   .Runtime "llama" any no "llama.cpp: libllama and everything that wraps it"
 *   .Hook "llama_decode" SUBMIT wrapped "Computes a batch of tokens."
 */
#include "none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef OWNN
#undef NOTIFY
#undef CALL
#undef ALIAS
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) .Hook #name kind wrapped doc
#define HOOKV(name, params, args, kind, bytes, doc) .Hook #name kind wrapped doc
#define OWN(ret, name, params, args, kind, refuse, doc) .Hook #name kind wrapped doc
#define OWNV(name, params, args, kind, doc) .Hook #name kind wrapped doc
#define OWNN(name, params, args, kind, doc) .Hook #name kind wrapped doc
#define NOTIFY(name, kind, doc) .Hook #name kind noticed doc
#define CALL(ret, name, params, doc) .Calls #name doc
#define ALIAS(asked, since, name) .Alias #asked #name
#define RUNTIME(NAME, name, sync_by, timed, text) .Runtime #name sync_by timed text
#define KIND(NAME, name, durability, text) .Kind NAME #name durability text
