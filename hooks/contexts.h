/* SPDX-License-Identifier: MIT */
/* contexts.h -- engines whose work hangs on contexts: what is around a call of one.
 *
 * taf_context_enter claims the context, so that nobody synchronizes what another
 * thread computes on, and asks the rules; taf_context_leave counts what was done and
 * gives it back.  Both behind the narrow door.  So does a wait of the program's own: the
 * engine takes one thread at a time into a context.  The frees drain first, where the
 * policy says so, and forget the handle before theirs does: it may come back at once
 * as another. */
#ifndef TAF_CONTEXTS_H
#define TAF_CONTEXTS_H

#include "../shim/gate.h"

typedef void taf_handle_fn(void *handle);

/* False: a rule refuses it. */
bool taf_context_enter(struct taf_call *call, void *ctx, int32_t tokens);
/* rc: 0 where it was computed. */
void taf_context_leave(struct taf_call *call, int32_t rc);
/* The program waits for what was computed there. */
void taf_context_sync(struct taf_call *call, void *ctx, taf_handle_fn *theirs);
/* theirs may be NULL. */
void taf_context_free(struct taf_call *call, void *ctx, taf_handle_fn *theirs);
void taf_context_free_model(struct taf_call *call, void *model, taf_handle_fn *theirs);

#endif
