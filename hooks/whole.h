/* SPDX-License-Identifier: MIT */
/* whole.h -- engines one call of which is a whole generation (whisper.cpp, stable-diffusion.cpp).
 *
 *   taf_whole_begin   before theirs; false: refused, or it is missing
 *   taf_whole_end     after it
 *
 * What such an engine loads computes itself: model and context are one handle.  There is
 * nothing to synchronize: when theirs returns the work is done.
 */
#ifndef TAF_WHOLE_H
#define TAF_WHOLE_H

#include "../shim/load.h"
#include "../shim/work.h"
#include "hook.h"

/* At the narrow door. ctx: what it computes on. */
bool taf_whole_begin(struct taf_call *c, const void *ctx);
/* rc: 0 where it succeeded. is_over: the generation ends with this call. */
void taf_whole_end(struct taf_call *c, int64_t rc, bool is_over);
/* A load came back with ctx, NULL: it failed. computes: without a state made for it. */
void *taf_whole_loaded(struct taf_load *l, struct taf_call *c, void *ctx, bool computes);
/* Another context of the model that is ctx. */
void taf_whole_made(const struct taf_call *c, void *state, const void *ctx);
/* Frees ctx, a model or a further context, by their function. */
void taf_whole_free(struct taf_call *c, void *ctx);

#endif
