/* SPDX-License-Identifier: MIT */
/* rounds.h -- which requests an engine computes for, as the order of its evaluations tells, where
 * it has no name for them (MLX).
 *
 * mlx_lm computes in rounds: in each it begins the next token of every sequence that generates
 * and waits for the one before.  A sequence that comes in has its prompt evaluated, begins its
 * first token apart from the others, and is of the rounds from the next one on:
 *
 *	M	a piece of the prompts: the arrays of the whole cache, two or more a layer
 *	A	tokens are begun (async_eval): whole numbers, one for each sequence
 *	E	arrays are evaluated; E1: one
 *	W	one array is waited for; a: it is a number with a fraction, the probability of a token,
 *		which a server asks for behind each of them
 *
 *	M M A A E1 W A W A W		one sequence: generate_step, mlx-lm 0.29 to 0.32
 *	M A A W a A W a E2 M A A W a a	batches of mlx-lm 0.28 to 0.31.1; the second prompt comes in
 *					beside the first sequence, of which E is the token at hand
 *	M A E1 W A E2 W a A E2 W M a	batches since 0.31.2: a prompt comes in,
 *	A E2 W A E1 W a A E3 W a a		and its first token behind that of the round
 *
 * An A is the beginning of sequences where A or M follows (ahead), or E1 (by round); it is a round
 * where W follows (ahead), or E of its sequences and one array more (by round).  In each round
 * all sequences that generate have a part, and it is made before any prompt: so where a prompt
 * or a beginning comes, and behind the last round was an answer (a; ahead: W, and no E) and no
 * beginning, whatever generated is done.  Without answers that shows with the next round.
 * Prompts that are under way go on in each round, but where the batch is full: then others were
 * begun just before, and they wait until somebody is done.
 *
 * What begins by an A and E of one array more, without a prompt, or by two A's with E1, was at work
 * before: those who compute did nothing for a while.
 *
 * Which of several sequences is done is nowhere told.
 *
 * mlx-vlm's batches begin a piece of the prompts as they begin tokens (P), and evaluate the first ones
 * together with their cache (F); in a round E is the tokens before, and now and then the whole cache (M)
 * is evaluated for no prompt:
 *
 *	P P A F A E1 A E1 M A E1 P A F A E1
 *
 * Drafts are of one sequence.  A small model proposes tokens, the large one checks them at once (D),
 * and gives one of its own behind those that it would have given as well: so from a check comes one
 * token at least, and how many more is told by the answers to them alone:
 *
 *	M M A A A D a A A A D a a a
 *
 * Another order (loops of one's own) is one request, until it is idle, or a prompt comes behind an
 * answer and many tokens.
 */
#ifndef TAF_ROUNDS_H
#define TAF_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

enum taf_step_kind { TAF_STEP_EVAL, TAF_STEP_ASYNC, TAF_STEP_WAIT };

/* One evaluation. */
struct taf_step {
	enum taf_step_kind kind;
	uint32_t n; /* EVAL: arrays; ASYNC: sequences that a token is begun for; 0: unknown */
	uint32_t prompts; /* EVAL, ASYNC: sequences whose cache it is of; 0: unknown, or none */
	uint16_t drafts; /* EVAL: tokens that were proposed and are checked */
	bool is_firsts; /* EVAL: of tokens and their cache */
	bool is_answer; /* WAIT: for a number with a fraction */
};
_Static_assert(sizeof(struct taf_step) <= 16, "an evaluation hands it on in registers");
#define TAF_STEP_MANY 4u /* arrays: what a cache of two layers has */

enum taf_order {
	TAF_ORDER_OPEN, /* not told yet */
	TAF_ORDER_AHEAD,
	TAF_ORDER_ROUND,
	TAF_ORDER_APART, /* first tokens, of mlx-vlm's batches */
	TAF_ORDER_OTHER,
	TAF_ORDER_DRAFTS
};

struct taf_rounds {
	uint8_t order; /* enum taf_order */
	bool is_begun; /* an A, of which it is not told yet whether it is a round */
	bool is_answered; /* since the latest A */
	bool was_answered; /* when that A came */
	bool has_prompt; /* since the latest round or beginning */
	bool may_begin; /* a round was since the latest beginning; ahead: or a prompt */
	bool is_behind; /* a beginning was since the latest round */
	bool is_held; /* prompts may wait for room */
	bool is_sure; /* a round was made in this order */
	bool is_first; /* before that A nothing generated */
	bool is_known; /* an A has told for how many sequences it is */
	bool has_shape; /* a prompt was a cache by the shape of its arrays: so are the others */
	bool is_even; /* the latest round was of all that generate, and there is no prompt */
	bool is_least; /* drafts: a check was not answered */
	uint32_t generating; /* sequences */
	uint32_t begun; /* by that A */
	uint32_t width; /* of the latest round; 0: none of those that generate had a part in it */
	uint32_t prompts; /* sequences */
	uint32_t others; /* A's since the latest prompt that were taken for tokens, of no order */
	uint32_t answers; /* drafts: to the latest check */
	uint64_t n; /* rounds; an A of which it is not told yet counts as one; drafts: tokens */
	uint64_t drafts; /* proposed */
};

/* What one evaluation shows, in this order. */
struct taf_rounds_change {
	uint32_t done; /* so many of those that generated, before this evaluation */
	uint32_t gone; /* so many prompts that went on no more */
	uint32_t came; /* so many requests, with their prompts */
	uint32_t began; /* so many, the oldest of the prompts, begin to generate */
	uint32_t width; /* sequences of the round that was made; 0: none was, or one as before */
	bool is_beginning; /* the latest A was one, and no round: nobody's next token */
	bool is_late; /* the first A was a round, and no beginning: their next token */
	uint32_t proposed; /* so many A's that were taken for tokens were none */
	uint64_t rounds; /* which those that are done had a part in, and those that begin not */
};

/* Of the first request of a generation. */
void taf_rounds_start(struct taf_rounds *r);
/* An evaluation comes; False: it shows nothing new. */
bool taf_rounds_take(struct taf_rounds *r, const struct taf_step *step,
		     struct taf_rounds_change *what);
/* An A that was taken has failed. */
void taf_rounds_failed(struct taf_rounds *r);

/* ---- The quick way: the evaluations of a token like the one before ---- */

/* taf_rounds_take would be false, and is taf_rounds_go_on. */
static inline bool taf_rounds_is_usual(const struct taf_rounds *r, const struct taf_step *step)
{
	bool is_as_before = r->is_even && r->begun == r->generating;

	if (r->order >= TAF_ORDER_OTHER)
		return !step->prompts && (!step->drafts || r->order == TAF_ORDER_DRAFTS);
	if (step->kind == TAF_STEP_ASYNC)
		return !r->is_begun && !step->prompts && (step->n ? step->n : 1) == r->generating;
	if (step->kind == TAF_STEP_EVAL && (step->drafts || step->is_firsts))
		return false;
	if (step->kind == TAF_STEP_EVAL && r->order == TAF_ORDER_APART)
		return !r->is_begun || (is_as_before && !step->prompts);
	if (step->kind == TAF_STEP_EVAL)
		return r->order == TAF_ORDER_ROUND && r->is_begun
			       ? step->n == r->begun + 1 && is_as_before
			       : !r->is_begun &&
					 step->n <
						 (r->order == TAF_ORDER_AHEAD ? 2 : TAF_STEP_MANY);
	return !r->is_begun || (r->order == TAF_ORDER_AHEAD && is_as_before);
}

/* Rounds that all had a part in: of an A for fewer or more it is not told yet what it was. */
static inline uint64_t taf_rounds_of_all(const struct taf_rounds *r)
{
	return r->n - (r->is_begun && !r->is_first && r->begun != r->generating);
}

static inline void taf_rounds_made(struct taf_rounds *r)
{
	r->is_begun = r->has_prompt = r->is_first = r->is_behind = false;
	r->may_begin = r->is_sure = true;
}

static inline void taf_rounds_begin(struct taf_rounds *r, const struct taf_step *step)
{
	r->begun = step->n ? step->n : 1;
	r->is_begun = true;
	r->was_answered = r->is_answered;
	r->is_answered = false;
}

/* Drafts: one token with the check, and one with each answer but the first. */
static inline void taf_rounds_check(struct taf_rounds *r, const struct taf_step *step)
{
	if (step->drafts) {
		r->is_least = r->is_least || !r->answers;
		r->answers = 0;
		r->drafts += step->drafts;
		r->n++;
	} else if (step->is_answer && r->answers++) {
		r->n++;
	}
}

static inline void taf_rounds_go_on(struct taf_rounds *r, const struct taf_step *step)
{
	if (r->order == TAF_ORDER_DRAFTS) {
		taf_rounds_check(r, step);
	} else if (r->order == TAF_ORDER_OTHER && step->kind == TAF_STEP_ASYNC) {
		r->others++;
		r->is_answered = false;
	} else if (step->kind == TAF_STEP_ASYNC) {
		r->n++;
		taf_rounds_begin(r, step);
	} else {
		if (r->is_begun)
			taf_rounds_made(r);
		if (step->kind == TAF_STEP_WAIT && (step->is_answer || r->order == TAF_ORDER_AHEAD))
			r->is_answered = true;
	}
}

/* How many tokens a step that was taken begins or, of drafts, shows; the first of what begins to
 * generate is nobody's next. */
static inline uint32_t taf_rounds_tokens(const struct taf_rounds *r, const struct taf_step *step)
{
	if (r->order == TAF_ORDER_DRAFTS)
		return step->drafts || (step->is_answer && r->answers > 1);
	if (step->kind != TAF_STEP_ASYNC || step->prompts || r->is_first)
		return 0;
	return step->n ? step->n : 1;
}

/* Tokens may have been more than that: of a batch that could not be read, or of checks that
 * nobody asked about. */
static inline bool taf_rounds_is_least(const struct taf_rounds *r)
{
	return !r->is_known || (r->order == TAF_ORDER_DRAFTS && (r->is_least || !r->answers));
}

#endif
