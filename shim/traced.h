/* SPDX-License-Identifier: MIT */
/* traced.h -- `trace`: measures where the time of a generation goes (policy/trace.h).
 *
 *   taf_traced_arrive    a call that may begin a generation comes in
 *   taf_traced_begin     it begins one unless one is open, before anything makes it wait
 *   taf_traced_submit    it was let in: the engine computes now
 *   taf_traced_step      the engine came back
 *   taf_traced_synced    a synchronize of the program came back
 *   taf_traced_close     a wait of ours is over: a drain, or one that a rule asked for
 *   taf_traced_end       the generation is over: its figures for the end record
 *
 * All but taf_traced_synced under the claim of the work, and only while the setting is
 * on: without it no clock is read and nothing is stored.  GPUs compute beside the
 * program; so that their time is seen where it arises, the context is synchronized
 * after each computation of a traced generation, which is what tracing costs.  Not in
 * observe mode, and not for MLX, which tells whoever waits first what failed, nor for what is
 * seen at a GPU runtime alone: there the program's own waits are counted, and nothing is
 * added.
 *
 * What a load took belongs to the first generation on its model; what a rule made a
 * load or a start wait for, to the first generation after it on any.
 */
#ifndef TAF_TRACED_H
#define TAF_TRACED_H

#include "../policy/trace.h"
#include "work.h"

static inline bool taf_traced_is_on(void)
{
	return __builtin_expect(taf_rules.trace, 0);
}

/* Of a context that was just made. */
static inline void taf_traced_new(struct taf_work *w)
{
	w->trace = (struct taf_trace){ .arrived_ns = 0 };
	w->infers = 0;
	w->tid = 0;
}

static inline void taf_traced_arrive(struct taf_work *w)
{
	if (!taf_traced_is_on())
		return;
	w->arrived_ns = taf_sys_mono_ns();
	if (!w->is_inferring)
		w->trace = (struct taf_trace){ .arrived_ns = w->arrived_ns };
}

void taf_traced_begin(struct taf_work *w);
void taf_traced_submit(struct taf_work *w);
/* rc: what their function returned. */
void taf_traced_step(struct taf_work *w, struct taf_trace_step step, int64_t rc);
void taf_traced_synced(const struct taf_call *c);
/* w NULL: of a load, or of the start of a process. */
struct taf_trace_span taf_traced_open(const struct taf_work *w);
void taf_traced_close(struct taf_work *w, enum taf_part part, const struct taf_trace_span *s);
/* A model was loaded. m NULL: it comes with another. */
void taf_traced_loaded(struct taf_live_model *m, const struct taf_call *c);
/* Appends ,"trace":{...} where this generation was traced, and forgets it. */
void taf_traced_end(struct taf_work *w, struct taf_text *out);
void taf_traced_forget(void); /* a fork child owes nothing */

#endif
