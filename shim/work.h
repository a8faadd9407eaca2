/* SPDX-License-Identifier: MIT */
/* work.h -- the models and contexts that are alive, and the generations on them.
 *
 * A model is what an engine's load gave; a context is what can hold work of it
 * (llama_context).  Pointers are reused by their allocators, so an entry dies
 * with its free.  Tables are fixed; what does not fit is not tracked and says
 * so in a crumb.
 *
 * A generation (INFER) belongs to a context:
 *
 *    idle --- taf_work_submit (first decode) ---> inferring --- each decode ---> inferring
 *      ^                                              |
 *      +--- taf_work_settle: no decode for drain.idle_ms, the context is freed, the process leaves
 *
 * No thread waits for its end: whoever looks next writes it, stamped with the
 * last decode's end.
 *
 * claim: 0, or the tid of the thread that is in the engine with this context
 * or drains it.  A thread that may not enter waits; nobody synchronizes a
 * context that another thread decodes on.
 *
 * work.c has the tables, the claims and the mark in the log, work_infer.c the generations.
 */
#ifndef TAF_WORK_H
#define TAF_WORK_H

#include <stddef.h>

#include "../policy/rounds.h"
#include "../policy/trace.h"
#include "crumb.h"
#include "gate.h"
#include "requests.h"
#include "rope.h"
#include "shape.h"

#define TAF_MODELS_MAX 64
#define TAF_WORKS_MAX 128
#define TAF_MODEL_NAME 128

struct taf_fault;

struct taf_live_model {
	_Atomic(void *) handle; /* theirs; NULL: free entry */
	const struct taf_table *table;
	const void *home; /* an address inside the engine that made it */
	uint64_t bytes;
	uint64_t fingerprint; /* of its files (model_id.h); 0 unknown */
	struct taf_cache cache; /* what a context of it takes; zero when unknown */
	uint32_t trained; /* context that it was trained with; 0 unknown */
	uint32_t rope_turn; /* load.h */
	bool is_dry; /* made without a file: for estimates, never inferred on */
	_Atomic(bool) is_going; /* perhaps given up: nothing counts it (swap.h) */
	bool is_estimate; /* its file was read for its size only, as far as one can tell */
	uint64_t infers; /* generations on it */
	uint64_t load_ns; /* traced, and not yet part of a generation */
	char name[TAF_MODEL_NAME];
};

/* Drains that a program asks for again and again, of one generation. */
struct taf_repeats {
	uint64_t of; /* that generation */
	uint64_t told_ns;
	uint32_t told, untold; /* in the log, and since then */
};

/* What each evaluation and each decode reads and writes comes first, on two cache lines. */
struct taf_work {
	_Alignas(64) _Atomic(void *) handle;
	_Atomic(uint32_t) claim;
	_Atomic(uint32_t) waiters; /* for the claim */
	/* the rest under the claim */
	bool is_inferring;
	bool is_burst; /* stands for a GPU runtime: its submits are counted by flight.h */
	bool has_queue; /* the drain at hand is for this queue alone */
	bool owes_sync; /* post_sync of the last generation is still to be done */
	_Atomic(bool) is_inside; /* not under it: a decode has begun and not returned */
	_Atomic(bool) is_quick; /* not under it: its own thread computes without it (owner.h) */
	bool has_failed; /* a graph inside its submit did */
	uint32_t since_sync; /* submits that may still be in flight */
	uint64_t submits, tokens, peak;
	uint64_t stamp; /* of the latest submit, where a thread has a work of its own */
	struct taf_coarse at; /* when its latest submit ended */
	uint64_t look; /* how many submits make the clock be read within one tick of it */
	uint64_t first_unsynced; /* the oldest submit of this generation not known complete */
	const struct taf_fault *fault; /* a GPU runtime's, inside its submit; NULL: none is open */
	struct taf_rounds rounds; /* where the order of evaluations tells of requests */
	struct taf_live_model *model; /* NULL: unknown */
	uint64_t prefill; /* submits before the first token, where the engine tells them apart */
	uint64_t last_ns;
	const struct taf_table *table;
	const void *home;
	uint64_t ctx_tokens; /* configured context */
	uint64_t kv_bytes; /* its key and value cache by the model's header; 0 unknown */
	uint64_t queue;
	uint32_t window; /* how many submits may go out before the next synchronize; 0: as set */
	uint64_t would; /* generation of which a repeated drain was told, and not made, once */
	/* Of a burst: submits of the runtime before it began; launches in it, and in all before. */
	uint64_t base, launches, told;
	_Atomic(uint32_t) left_for; /* futex, not under it: the leaving that it was drained for */
	_Atomic(uint64_t) looks_ns; /* not under it: when its thread looks again (rest.h); or 0 */
	bool is_at_rest; /* its thread is in the midst of a wait of another kind */
	uint64_t rested; /* the latest generation behind which it was looked at */
	uint64_t of, begin_ns;
	uint64_t drained_ns; /* or made */
	_Atomic(uint64_t) turn_ns; /* not under it: when it asked for its turn (serial.h) */
	struct taf_repeats repeats;
	uint64_t waited_ns; /* end of the last wait for a burst, its own or ours; or 0 */
	uint64_t waited_for; /* how many of its submits that wait was for */
	struct taf_requests requests; /* where batches tell of sequences */
	/* Of `trace` alone (traced.h): */
	struct taf_trace trace;
	struct taf_trace_span span; /* of the computation that is under way */
	uint64_t arrived_ns; /* the call at hand, before anything was done for it */
	uint64_t infers; /* generations */
	int32_t tid; /* who computed on it last */
	/* Not under it: what a failed computation left (error.h). */
	_Atomic(uint32_t) after; /* enum taf_after */
	_Atomic(uint32_t) said; /* which uses were refused with a crumb already */
	_Atomic(void *) store; /* by which the program asks what it holds */
	_Atomic(uint64_t) adapters; /* which are set, as one number; 0: none */
	struct taf_rope_used turn; /* how positions are turned in it; written while it is made */
};

_Static_assert(offsetof(struct taf_work, rounds) + offsetof(struct taf_rounds, width) <= 128,
	       "what an evaluation reads lies on two cache lines");

/* A burst lasts until the last wait for it was over, where there was one. */
static inline uint64_t taf_work_end_ns(const struct taf_work *w)
{
	return w->waited_ns > w->last_ns ? w->waited_ns : w->last_ns;
}

/* Later than that it is idle, and its generation over. */
static inline uint64_t taf_work_idle_ns(const struct taf_work *w)
{
	return taf_work_end_ns(w) + (uint64_t)taf_rules.drain_idle_ms * 1000000;
}

/* Whatever was submitted before is done. */
static inline void taf_work_done(struct taf_work *w)
{
	w->since_sync = 0;
	w->first_unsynced = w->submits + 1;
}

/* What an engine tells when it makes one. */
struct taf_maker {
	const struct taf_table *table;
	const void *home;
	bool is_burst; /* it is no engine's: it stands for a GPU runtime (burst.h) */
};

struct taf_live_model *taf_work_add_model(const struct taf_maker *by, void *handle,
					  const char *name);
struct taf_live_model *taf_work_model(const void *handle);
void taf_work_drop_model(struct taf_live_model *m);
struct taf_work *taf_work_add(const struct taf_maker *by, void *handle,
			      struct taf_live_model *model);
extern struct taf_work taf_works[TAF_WORKS_MAX];
static inline struct taf_work *taf_work_of(const void *handle)
{
	for (int i = 0; handle && i < TAF_WORKS_MAX; i++)
		if (atomic_load_explicit(&taf_works[i].handle, memory_order_acquire) == handle)
			return &taf_works[i];
	return NULL;
}
void taf_work_drop(struct taf_work *w); /* gives the claim back as well */
/* False: it was so before. */
bool taf_work_set_going(struct taf_live_model *m, bool is_going);
static inline bool taf_work_is_going(const struct taf_live_model *m)
{
	return atomic_load(&m->is_going);
}
uint32_t taf_work_models(void);
/* The i-th entry, alive or not; NULL past the end. */
const struct taf_live_model *taf_work_model_at(int i);
/* Bytes of the biggest model alive. */
uint64_t taf_work_biggest_model(void);
/* Whether a model of that name is alive. */
bool taf_work_has_model(const char *name);
uint32_t taf_work_contexts(void);
uint64_t taf_work_bytes(void); /* of the models alive */
uint64_t taf_work_kv_bytes(void); /* of the contexts alive */
const char *taf_work_model_name(const struct taf_work *w); /* or NULL */
/* The i-th entry, alive or not; NULL past the end. */
struct taf_work *taf_work_at(int i);
/* Those alive in the order in which all are drained, from *at = 0 on; NULL: no more. What
 * stands for a runtime comes last: an engine may submit to it until it is synchronized. */
struct taf_work *taf_work_next(int *at);

/* Only one's own: it may have been seized meanwhile. */
static inline void taf_work_release(struct taf_work *w)
{
	uint32_t me = (uint32_t)taf_tid();

	atomic_compare_exchange_strong(&w->claim, &me, 0);
	if (__builtin_expect(atomic_load(&w->waiters) != 0, 0))
		taf_sys_wake_all(&w->claim);
}

/* The claim was taken. False: not to be kept, its own thread computes without one. */
static inline bool taf_work_keep(struct taf_work *w)
{
	if (__builtin_expect(!atomic_load(&w->is_quick), 1))
		return true;
	taf_work_release(w);
	return false;
}

/* Takes the context for this thread, waiting at most ms. False: another has it. */
bool taf_work_claim_slow(struct taf_work *w, uint32_t ms);
static inline bool taf_work_claim(struct taf_work *w, uint32_t ms)
{
	uint32_t nobody = 0;

	/* As a rule nobody has it: then no clock is read. */
	if (__builtin_expect(
		    atomic_compare_exchange_strong(&w->claim, &nobody, (uint32_t)taf_tid()), 1))
		return taf_work_keep(w);
	return taf_work_claim_slow(w, ms);
}
/* Whether the thread that computed on it has ended, perhaps in the midst of that. */
bool taf_work_is_left_behind(const struct taf_work *w);
/* Whether this thread has any, or computes without. */
bool taf_work_is_any_mine(void);
/* Takes it from whoever has it. */
void taf_work_seize(struct taf_work *w);
/* Till then a decode of an open generation is not shown. */
extern _Atomic(uint64_t) taf_work_show_ns;
void taf_work_show(bool is_first);

/* is_first: the begin of the generation follows, and its flush. While a decode is not shown
 * what the mark in the log says does not matter; else either this thread sees that somebody
 * has shown his, or he who comes out sees this one. */
static inline void taf_work_go_in(struct taf_work *w, bool is_first)
{
	/* Often the thread went in at the door in the tick in which it came out last. */
	uint64_t now = w->at.tick == taf_tls.tick ? w->at.ns : taf_coarse_now().ns;

	atomic_store_explicit(&w->is_inside, true, memory_order_release);
	if (is_first || now >= atomic_load(&taf_work_show_ns))
		taf_work_show(is_first);
}

/* A decode of tokens begins: ends a generation that went idle, begins a new one
 * if none is open. False: a rule refuses the new one. Under the claim. */
bool taf_work_submit(struct taf_work *w, struct taf_call *c);
/* Begins a generation unless one is open; shows that its work is inside. False: a rule
 * refuses it. Under the claim. */
bool taf_work_begin_slow(struct taf_work *w, struct taf_call *c);
static inline bool taf_work_begin(struct taf_work *w, struct taf_call *c)
{
	bool is_plain = w->is_inferring && !taf_rules.trace &&
			taf_rules.lock_hold != TAF_LOCK_HOLD_INFERENCE;

	if (!is_plain)
		return taf_work_begin_slow(w, c);
	taf_work_go_in(w, false);
	return true;
}
/* Nothing of it is computed at this moment. Always shown, it may have been the last one for
 * hours; a mark that others make meanwhile is theirs to take back, and by the time it is
 * written this store is seen by all. Under the claim. */
void taf_work_unshow(void);
static inline void taf_work_pause(struct taf_work *w)
{
	if (!atomic_load_explicit(&w->is_inside, memory_order_relaxed))
		return;
	atomic_store_explicit(&w->is_inside, false, memory_order_release);
	if (__builtin_expect(taf_crumb_is_marked(), 0))
		taf_work_unshow();
}

/* Of computations far shorter than a tick the clock tells of some: all of the first 16, and
 * then one of as many as make a sixteenth of all. */
void taf_work_note_time(struct taf_work *w, struct taf_coarse now);
/* A decode ended with rc. */
static inline void taf_work_submitted(struct taf_work *w, const struct taf_call *c, int64_t rc)
{
	struct taf_coarse now;

	w->submits++;
	w->since_sync++;
	if (!rc)
		w->tokens += c->tokens;
	if (c->tokens > w->peak)
		w->peak = c->tokens;
	taf_work_pause(w);
	now = taf_coarse_now();
	if (__builtin_expect(now.tick != w->at.tick || w->submits >= w->look, 0))
		taf_work_note_time(w, now);
}
struct taf_served;
/* What is told of a request at its end. */
struct taf_ending {
	const struct taf_served *of; /* served.h; of any but MLX `of` and begin_ns alone */
	uint64_t tokens, submits;
	bool is_last; /* of the generation */
};
/* The records of a request: its begin, by c, whose number it returns, and its end. */
uint64_t taf_work_tell_begin(struct taf_work *w, const struct taf_call *c);
void taf_work_tell_end(struct taf_work *w, const struct taf_ending *e);
/* Ends the open generation if it is idle, or in any case when must is set. Under the claim. */
void taf_work_settle(struct taf_work *w, bool must);
/* The first half of that: what is to be drained after it is left to the next taf_work_settle. */
void taf_work_end_idle(struct taf_work *w);
void taf_work_forget_all(void); /* a fork child has none */

#endif
