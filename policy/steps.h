/* SPDX-License-Identifier: MIT */
/* steps.h -- what the order of evaluations tells of generations, where an engine has no name
 * for one (MLX).
 *
 * mlx_lm evaluates the prompt piece by piece, each time the arrays of the whole cache, two or
 * more a layer (M); begins the first token and the second (A), and is told when the first is
 * there (E); from then on it begins a token and waits for the one before (W):
 *
 *	M M A A E W A W A W A W		generate_step, mlx-lm 0.29 to 0.32
 *
 * Of what has begun so, M behind W is the prompt of the next generation.  Whatever else is
 * done in another order (batches A E W A E W, drafts A A A E W W, loops of one's own) is one
 * generation until it is idle: in a batch a prompt is evaluated between the tokens of others.
 */
#ifndef TAF_STEPS_H
#define TAF_STEPS_H

#include <stdbool.h>
#include <stdint.h>

/* One evaluation, by what is asked for. */
enum taf_step {
	TAF_STEP_FEW, /* arrays, and whatever was begun before: E */
	TAF_STEP_MANY, /* TAF_STEPS_MANY arrays or more: M */
	TAF_STEP_ASYNC, /* arrays begin to be computed: A */
	TAF_STEP_ONE /* one array is waited for: W */
};
#define TAF_STEPS_MANY 4u /* what a cache of two layers has */

/* How far a generation has come in that order. */
enum taf_steps {
	TAF_STEPS_PROMPT, /* nothing was begun yet */
	TAF_STEPS_FIRST, /* a token was */
	TAF_STEPS_SECOND, /* and one more behind it */
	TAF_STEPS_TOLD, /* the first is there */
	TAF_STEPS_WAITED, /* a token was waited for */
	TAF_STEPS_AHEAD, /* the next one was begun */
	TAF_STEPS_OTHER, /* another order */
	TAF_STEPS_COUNT
};

/* This evaluation is the first one of the next generation. */
static inline bool taf_steps_is_next(enum taf_steps now, enum taf_step step)
{
	return now == TAF_STEPS_WAITED && step == TAF_STEP_MANY;
}

/* Four bits for what follows each state. */
#define TAF_STEPS_ROW(prompt, first, second, told, waited, ahead) \
	((uint32_t)(TAF_STEPS_##prompt | TAF_STEPS_##first << 4 | TAF_STEPS_##second << 8 | \
		    TAF_STEPS_##told << 12 | TAF_STEPS_##waited << 16 | TAF_STEPS_##ahead << 20 | \
		    TAF_STEPS_OTHER << 24))

static inline enum taf_steps taf_steps_after(enum taf_steps now, enum taf_step step)
{
	uint32_t few = TAF_STEPS_ROW(PROMPT, OTHER, TOLD, OTHER, WAITED, OTHER),
		 async = TAF_STEPS_ROW(FIRST, SECOND, OTHER, OTHER, AHEAD, SECOND),
		 one = TAF_STEPS_ROW(PROMPT, OTHER, WAITED, WAITED, WAITED, WAITED),
		 row = step == TAF_STEP_ASYNC ? async
		       : step == TAF_STEP_ONE ? one
					      : few;

	return (enum taf_steps)(row >> 4 * now & 15);
}

#endif
