/* SPDX-License-Identifier: MIT */
#include "rounds.h"

void taf_rounds_start(struct taf_rounds *r)
{
	*r = (struct taf_rounds){ .prompts = 1, .may_begin = true };
}

static uint32_t less(uint32_t n, uint32_t by)
{
	return n > by ? n - by : 0;
}

/* Those that generated are done where they were answered behind their last round. */
static void leave(struct taf_rounds *r, bool is_answered, struct taf_rounds_change *what)
{
	if (!is_answered || r->is_behind || r->order == TAF_ORDER_APART)
		return;
	what->done = r->generating;
	r->generating = r->width = 0;
}

/* n sequences begin to generate: prompts that are known, or whose prompt had nothing to
 * evaluate. */
static void begin(struct taf_rounds *r, uint32_t n, struct taf_rounds_change *what)
{
	what->came += less(n, r->prompts);
	what->began += n;
	r->prompts = less(r->prompts, n);
	r->generating += n;
}

/* The A at hand was not a round of all that generate. */
static void take_back(struct taf_rounds *r)
{
	if (r->is_begun && !r->is_first)
		r->n--;
}

static bool set_other(struct taf_rounds *r)
{
	take_back(r);
	r->order = TAF_ORDER_OTHER;
	r->is_begun = r->is_first = false;
	return false;
}

/* A's of drafts look like those of another order, or two of them like a beginning and a round,
 * until they are checked. */
static bool set_drafts(struct taf_rounds *r, const struct taf_step *step,
		       struct taf_rounds_change *what)
{
	if (r->generating != 1)
		return set_other(r);
	what->proposed = r->others;
	take_back(r);
	r->order = TAF_ORDER_DRAFTS;
	r->is_begun = r->is_first = r->is_answered = false;
	r->width = what->width = r->answers = 1;
	taf_rounds_check(r, step);
	return true;
}

/* The A before was the beginning of sequences. */
static bool is_beginning(struct taf_rounds *r, enum taf_order order, struct taf_rounds_change *what)
{
	bool was_first = r->is_first;

	/* Ahead several may begin one behind the other, whose prompts have no piece. */
	if (!r->may_begin && !(r->is_sure && r->order == TAF_ORDER_AHEAD) &&
	    r->order != TAF_ORDER_APART)
		return set_other(r);
	r->order = (uint8_t)order;
	r->is_begun = r->is_first = r->has_prompt = r->may_begin = false;
	if (!was_first) { /* which was taken for one when it came */
		what->rounds = --r->n;
		what->is_beginning = true;
		r->others = less(r->others, 1);
		leave(r, r->was_answered, what);
		begin(r, r->begun, what);
	}
	r->is_behind = true;
	return !was_first;
}

/* It was a round.  Prompts that are left were evaluated behind the one before: else they are given
 * up, or wait for room, which is there as soon as somebody is done. */
static bool is_round(struct taf_rounds *r, struct taf_rounds_change *what)
{
	uint32_t n = r->begun;
	bool is_wide = n != r->width;

	what->rounds = r->n - 1;
	what->done = less(r->generating, n);
	if (n > r->generating)
		begin(r, n - r->generating, what);
	if (!r->has_prompt && !r->is_held && r->order != TAF_ORDER_APART) {
		what->gone = r->prompts;
		r->prompts = 0;
	}
	r->is_held = r->is_held && (r->is_behind || !what->done);
	r->generating = r->width = what->width = n;
	taf_rounds_made(r);
	return what->done || what->gone || what->began || is_wide;
}

/* What begins with a round was at work before: behind a pause, or what another thread has ended. */
static bool goes_on(struct taf_rounds *r, enum taf_order order, struct taf_rounds_change *what)
{
	r->order = (uint8_t)order;
	r->n++; /* taken for the beginning of all */
	r->width = what->width = r->begun;
	what->rounds = r->n;
	what->is_late = true;
	taf_rounds_made(r);
	return true;
}

/* Both A's of one token each were rounds: nobody begins twice. */
static bool is_second(const struct taf_rounds *r)
{
	return r->order == TAF_ORDER_ROUND && r->is_behind && !r->has_prompt && !r->is_sure &&
	       r->begun == r->generating;
}

/* Behind E, or W. */
static bool told(struct taf_rounds *r, const struct taf_step *step, struct taf_rounds_change *what)
{
	if (step->is_firsts)
		return r->order == TAF_ORDER_OPEN || r->order == TAF_ORDER_APART
			       ? is_beginning(r, TAF_ORDER_APART, what)
			       : set_other(r);
	if (r->order == TAF_ORDER_APART)
		return step->kind == TAF_STEP_EVAL && !step->prompts && is_round(r, what);
	if (step->kind == TAF_STEP_WAIT)
		return r->order == TAF_ORDER_AHEAD ? is_round(r, what) : set_other(r);
	/* Ahead that is the first token, of which W tells, but behind an answer. */
	if (r->order == TAF_ORDER_AHEAD && (step->n != 1 || !r->was_answered))
		return false;
	if (step->n == 1 && is_second(r))
		return goes_on(r, TAF_ORDER_APART, what);
	if (step->n == 1)
		return is_beginning(r, TAF_ORDER_ROUND, what);
	if (r->order == TAF_ORDER_ROUND && step->n == r->begun + 1)
		return is_round(r, what);
	if (r->order == TAF_ORDER_OPEN && r->is_first && !r->has_prompt && step->n == r->begun + 1)
		return goes_on(r, TAF_ORDER_ROUND, what);
	return set_other(r);
}

static bool take_async(struct taf_rounds *r, const struct taf_step *step,
		       struct taf_rounds_change *what)
{
	bool is_shown = false;

	/* By round it is a sequence by itself that comes behind the last answer, or unknown. */
	if (r->is_begun &&
	    ((r->order == TAF_ORDER_ROUND && !r->was_answered) || r->order == TAF_ORDER_APART))
		return set_other(r);
	if (r->is_begun)
		is_shown = is_beginning(r, TAF_ORDER_AHEAD, what);
	if (r->generating)
		r->others++;
	if (r->order == TAF_ORDER_OTHER)
		return false;
	r->is_known = r->is_known || step->n;
	r->is_first = !r->generating;
	taf_rounds_begin(r, step);
	if (!r->is_first) {
		r->n++;
		return is_shown;
	}
	what->rounds = r->n;
	begin(r, r->begun, what);
	return true;
}

/* n prompts are at hand; 0: unknown, and of whatever it is, somebody computes. */
static void note_prompts(struct taf_rounds *r, uint32_t n, struct taf_rounds_change *what)
{
	if (!n)
		n = r->generating || r->prompts ? r->prompts : 1;
	what->came += less(n, r->prompts);
	what->gone += less(r->prompts, n);
	r->prompts = n;
}

/* Behind an A it is the prompt of more than fitted into one batch (ahead). */
static bool take_prompts(struct taf_rounds *r, const struct taf_step *step,
			 struct taf_rounds_change *what)
{
	uint32_t n = step->prompts;

	if (r->is_begun)
		is_beginning(r, TAF_ORDER_AHEAD, what);
	if (r->order == TAF_ORDER_OTHER)
		return false;
	r->others = 0;
	what->rounds = r->n;
	leave(r, r->is_answered, what);
	if (what->done && !r->generating && !r->prompts) { /* what comes may have another order */
		r->order = TAF_ORDER_OPEN;
		r->is_sure = false;
	}
	/* Prompts alone may be for nothing else; and before a round nothing tells that what
	 * begins so is a batch. */
	if (r->order == TAF_ORDER_OPEN && n < r->prompts)
		n = r->prompts;
	if (r->order != TAF_ORDER_ROUND || !r->generating || r->is_sure)
		note_prompts(r, n, what);
	r->may_begin = r->may_begin || r->order == TAF_ORDER_AHEAD;
	r->is_held = r->is_behind;
	r->has_prompt = true;
	r->has_shape = r->has_shape || step->prompts;
	return what->done || what->came || what->gone || what->began;
}

#define MANY_TOKENS 8u /* more than a loop begins between two looks at its cache */

static bool take_other(struct taf_rounds *r, const struct taf_step *step,
		       struct taf_rounds_change *what)
{
	bool is_next = r->order == TAF_ORDER_DRAFTS || (r->is_answered && r->others >= MANY_TOKENS);

	r->others = 0;
	if (!is_next)
		return false;
	*what = (struct taf_rounds_change){
		.done = r->generating, .gone = r->prompts, .came = step->prompts, .rounds = r->n
	};
	*r = (struct taf_rounds){ .prompts = step->prompts,
				  .may_begin = true,
				  .has_prompt = true,
				  .has_shape = true,
				  .n = r->n };
	return true;
}

void taf_rounds_failed(struct taf_rounds *r)
{
	if (!r->is_begun)
		return;
	if (r->is_first)
		set_other(r);
	else
		r->n--;
	r->is_begun = false;
	r->is_answered = r->was_answered;
}

/* Behind A, and of the tokens at hand (E), a cache shows by the shape of its arrays alone. */
static bool is_prompt(const struct taf_rounds *r, const struct taf_step *step)
{
	if (step->kind == TAF_STEP_ASYNC)
		return step->prompts;
	if (step->kind != TAF_STEP_EVAL || step->n < TAF_STEP_MANY || step->is_firsts ||
	    r->order == TAF_ORDER_APART)
		return false;
	if (step->prompts)
		return !r->is_begun || r->order != TAF_ORDER_ROUND;
	if (r->is_begun || r->has_shape)
		return false;
	return r->order == TAF_ORDER_AHEAD ? step->n > r->generating + 1
					   : step->n != r->generating + 1;
}

static bool take(struct taf_rounds *r, const struct taf_step *step, struct taf_rounds_change *what)
{
	bool is_shown = false;

	if (step->drafts)
		return set_drafts(r, step, what);
	if (r->order >= TAF_ORDER_OTHER)
		return take_other(r, step, what);
	if (is_prompt(r, step))
		return take_prompts(r, step, what);
	if (step->kind == TAF_STEP_ASYNC)
		return take_async(r, step, what);
	if (r->is_begun)
		is_shown = told(r, step, what);
	if (step->kind == TAF_STEP_WAIT)
		r->is_answered = r->is_answered || step->is_answer || r->order == TAF_ORDER_AHEAD;
	else if (r->order == TAF_ORDER_AHEAD && step->n > 1 && step->n <= r->generating + 1)
		r->is_answered = false; /* they go on: their token is waited for first */
	return is_shown;
}

bool taf_rounds_take(struct taf_rounds *r, const struct taf_step *step,
		     struct taf_rounds_change *what)
{
	bool is_shown;

	*what = (struct taf_rounds_change){ .done = 0 };
	if (taf_rounds_is_usual(r, step)) {
		taf_rounds_go_on(r, step);
		return false;
	}
	is_shown = take(r, step, what);
	r->is_even = r->generating == r->width && !r->prompts;
	return is_shown;
}
