/* SPDX-License-Identifier: MIT */
/* plan.h -- what a model takes at a context, and what would fit: for `explain`.
 *
 * Weights and cache are exact as far as the headers are.  Estimates, and called
 * so wherever they are shown: what the engine needs beside them, and the scores
 * of attention, which an engine with fused attention never makes as a whole:
 *
 *   heads x tokens in one step x tokens in the context x 2 bytes
 *
 * One step of a prefill sees the whole context, but not its square: engines
 * prefill in steps (llama.cpp 512 tokens, mlx-lm 2048).
 */
#ifndef TAF_PLAN_H
#define TAF_PLAN_H

#include "../policy/policy.h"
#include "../shim/model.h"

#define TAF_PLAN_STEP_MIN 32u
#define TAF_PLAN_STEP_USUAL 512u
#define TAF_PLAN_CONTEXT_MAX (1u << 30)

struct taf_plan {
	uint64_t context; /* tokens it is made for */
	uint64_t weights, beside; /* 0: unknown */
	uint64_t cache_f16, cache_q8, cache; /* cache: of the types that are configured */
	uint64_t scores; /* of one usual step; 0 unknown */
	uint64_t largest_tensor, largest_alloc; /* 0: unknown */
	/* The largest that fits, of each type; UINT64_MAX: nothing but the model limits it. */
	uint64_t fits_f16, fits_q8;
	uint64_t step; /* advised for a prefill; 0 unknown */
};

/* ask: the cache as it is configured, its context is the plan's. q: a LOAD of m, which
 * is asked again with other sizes. */
void taf_plan_make(const struct taf_model *m, const struct taf_cache_ask *ask,
		   const struct taf_question *q, struct taf_plan *p);
/* The largest step whose scores stay below most bytes. */
uint64_t taf_plan_step(uint64_t heads, uint64_t context, uint64_t most);

#endif
