/* SPDX-License-Identifier: MIT */
/* test_steps.c -- the order of evaluations: which generations are told apart by it, and which
 * are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../policy/steps.h"

static enum taf_step step_of(char c)
{
	return c == 'M'	  ? TAF_STEP_MANY
	       : c == 'A' ? TAF_STEP_ASYNC
	       : c == 'W' ? TAF_STEP_ONE
			  : TAF_STEP_FEW;
}

/* How many generations text is: a letter each evaluation. */
static int generations(const char *text)
{
	enum taf_steps now = TAF_STEPS_PROMPT;
	int n = *text != 0;

	for (; *text; text++) {
		enum taf_step step = step_of(*text);

		if (taf_steps_is_next(now, step)) {
			now = TAF_STEPS_PROMPT;
			n++;
		}
		now = taf_steps_after(now, step);
		assert_in_range(now, TAF_STEPS_PROMPT, TAF_STEPS_COUNT - 1);
	}
	return n;
}

static void test_generations(void **state)
{
	static const struct {
		const char *text;
		int n;
	} cases[] = {
		{ "", 0 },
		{ "MMMMMM", 1 }, /* a prompt in pieces, or arrays of another program */
		{ "MAAEWAWAWAW", 1 },
		{ "MAAEWAWAWAWMAAEWAWMMMAAEWAW", 3 },
		{ "MAAEWMAAEW", 2 }, /* a token each */
		{ "MAAEWAWWMAAEWAW", 2 }, /* the program reads one more array */
		{ "MAAWAWMAAWAW", 2 }, /* the first one is not evaluated apart */
		{ "AAEWAWMAAEWAW", 2 }, /* a prompt of one token has no piece of its own */
		{ "MAAEWAWAAEWAWMAAEW", 2 }, /* ... and cannot be seen behind another generation */
		{ "MAAEWEAWEAWEAW", 1 }, /* a few arrays for each token: whoever changes logits */
		{ "MAEWAEWAEWMAEWAEW", 1 }, /* a batch, into which another prompt comes */
		{ "MAWAWMAWAW", 1 }, /* the same of mlx-lm 0.29 */
		{ "MAAAEWWAAAEWWMAAAEWW", 1 }, /* drafts */
		{ "MEMEMEM", 1 }, /* what trains */
		{ "WWWWMWWM", 1 },
		{ "MAAEWAWMWMWMW", 2 }, /* arrays after a text: one more, whatever follows */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (generations(cases[i].text) != cases[i].n)
			fail_msg("%s: %d, not %d", cases[i].text, generations(cases[i].text),
				 cases[i].n);
}

/* Once it is another order it stays so. */
static void test_other(void **state)
{
	(void)state;
	for (int step = TAF_STEP_FEW; step <= TAF_STEP_ONE; step++) {
		assert_int_equal(taf_steps_after(TAF_STEPS_OTHER, (enum taf_step)step),
				 TAF_STEPS_OTHER);
		assert_false(taf_steps_is_next(TAF_STEPS_OTHER, (enum taf_step)step));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
