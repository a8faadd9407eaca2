/* SPDX-License-Identifier: MIT */
/* test_rounds.c -- the order of evaluations: which requests it tells of, when each comes, begins to
 * generate and is done, with how many tokens; and which orders tell nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rounds_kit.h"

#define ROOM 64

/* What is open, the oldest first, as shim/served.c keeps it. */
static struct {
	struct taf_rounds r;
	uint64_t from[ROOM]; /* rounds that it has no part in; UINT64_MAX: in its prompt */
	uint32_t n, requests, next;
	char told[256]; /* tokens of each that is done, or "-" */
} s;

static void tell(uint64_t from, uint64_t rounds)
{
	size_t at = strlen(s.told);

	if (from == UINT64_MAX)
		snprintf(s.told + at, sizeof(s.told) - at, "- ");
	else
		snprintf(s.told + at, sizeof(s.told) - at, "%u ", (unsigned)(rounds - from));
}

static void drop(uint32_t at, uint64_t rounds)
{
	assert_true(at < s.n);
	tell(s.from[at], rounds);
	memmove(s.from + at, s.from + at + 1, (s.n - at - 1) * sizeof(s.from[0]));
	s.n--;
}

static uint32_t generating(void)
{
	uint32_t n = 0;

	while (n < s.n && s.from[n] != UINT64_MAX)
		n++;
	return n;
}

static void apply(const struct taf_rounds_change *what)
{
	for (uint32_t i = 0; i < what->done; i++)
		drop(0, what->rounds);
	for (uint32_t i = 0; i < what->gone; i++)
		drop(generating(), what->rounds);
	s.next += !s.n && what->came;
	for (uint32_t i = 0; i < what->came; i++, s.n++, s.requests++)
		s.from[s.n] = UINT64_MAX;
	for (uint32_t i = 0, at = generating(); i < what->began; i++)
		s.from[at + i] = what->rounds;
}

static void run(const char *text)
{
	struct taf_rounds_change what;

	memset(&s, 0, sizeof(s));
	taf_rounds_start(&s.r);
	s.n = s.requests = s.next = 1;
	s.from[0] = UINT64_MAX;
	while (*text) {
		struct taf_step step;

		if (*text == ' ') {
			text++;
			continue;
		}
		step = step_of(&text);
		if (taf_rounds_take(&s.r, &step, &what))
			apply(&what);
		assert_int_equal(generating(), s.r.generating);
		assert_int_equal(s.n - generating(), s.r.prompts);
	}
	while (s.n)
		drop(0, s.r.n);
}

struct order {
	const char *text;
	unsigned requests, next; /* and so many with nobody beside them as they came */
	const char *told;
};

static void expect(const struct order *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		run(o[i].text);
		if (s.requests != o[i].requests || s.next != o[i].next || strcmp(s.told, o[i].told))
			fail_msg("%s: %u requests, %u of them apart, \"%s\"; not %u, %u, \"%s\"",
				 o[i].text, s.requests, s.next, s.told, o[i].requests, o[i].next,
				 o[i].told);
	}
}

static void test_single(void **state)
{
	static const struct order orders[] = {
		{ "", 1, 1, "- " },
		{ "MxMxMxMx", 1, 1, "- " }, /* arrays of another program */
		{ "M1 M1 A1 A1 E1W A1W A1W A1W", 1, 1, "4 " },
		{ "M1 A1A1E1W A1W A1W A1W M1 A1A1E1W A1W M1M1M1 A1A1E1W A1W", 3, 3, "4 2 2 " },
		{ "M1 A1A1E1W M1 A1A1E1W", 2, 2, "1 1 " }, /* a token each */
		{ "M1 A1A1E1W A1WW M1 A1A1E1W A1W", 2, 2, "2 2 " }, /* one more is read */
		{ "M1 A1A1W A1W M1 A1A1W A1W", 2, 2, "2 2 " }, /* the first not apart */
		{ "A1A1E1W A1W M1 A1A1E1W A1W", 2, 2, "2 2 " }, /* a prompt of one token */
		{ "M1 A1A1E1W A1W A1A1E1W A1W", 2, 2, "2 2 " }, /* ... behind another */
		{ "M A A E1W A W A W M A A E1W A W", 2, 2, "3 2 " }, /* nothing can be read */
		{ "M1 A1A1E1W E1A1W E1A1W E1A1W", 1, 1, "4 " }, /* whoever changes logits */
		{ "M1 A1A1E1W A1W Mx W Mx W Mx W", 1, 1, "2 " }, /* something else behind it */
		/* ... behind each token: its prompt was a cache to be seen, and this is none */
		{ "M1 A1A1E1W MxA1W MxA1W MxA1W", 1, 1, "4 " },
		{ "M1 A1A1E1W MxA1W MxA1W Mx M1 A1A1E1W A1W", 2, 2, "3 2 " },
		{ "M A A E1W MA W MA W MA W", 2, 2, "1 0 " }, /* that is told once, else */
	};

	(void)state;
	expect(orders, sizeof(orders) / sizeof(orders[0]));
}

/* As mlx_lm.server 0.32 was seen to do (31.2 as well), E and the sizes of caches left out. */
static void test_by_round(void **state)
{
	static const struct order orders[] = {
		{ "M1 A1E1W A1E2Wa A1E2Wa A1E2Wa", 1, 1, "3 " },
		/* one behind the other, the third one with all of its prompt in the cache */
		{ "M1 A1E1W A1E2Wa A1E2Wa M1M1 A1E1W A1E2Wa A1E1W A1E2Wa A1E2Wa", 3, 3, "2 1 2 " },
		/* another comes in, and is done first, or later; who is, nobody knows */
		{ "M1 A1E1W A1E2W M1 a A1E2W A1E1W a A2E3W aa A1E2W a A1E2W a", 2, 1, "3 3 " },
		/* two as one is done; and three at once, of different lengths */
		{ "M1 A1E1W A1E2W M2 a A1E2W A2E1W a A2E3W aa A2E3W aa", 3, 1, "2 2 2 " },
		{ "M3M3 A1E1W M2 A1E2W A2E1W a A3E4W aaa", 3, 1, "2 1 1 " },
		/* without a prompt to evaluate, beside one, and as that one is done */
		{ "M1 A1E1W A1E2W A1E1W a A2E3W aa", 2, 1, "2 1 " },
		{ "M1 A1E1W A1E2W A1E1W a A1E2W a", 2, 1, "1 1 " },
		/* a client goes while its prompt is evaluated */
		{ "M1 A1E1W A1E2W M2 a A1E2W M1 a A1E2W a A1E2W a", 3, 1, "- - 4 " },
		/* without answers (batch_generate): seen with the next round */
		{ "M2 A2E1W A2E3W A2E3W A1E2W M1 A1E2W A1E1W A2E3W", 3, 1, "2 5 1 " },
		{ "M1 A1E1W A1E2W A1E2W M1 A1E1W A1E2W A1E2W", 2, 1, "2 2 " },
		/* full: the prompts in hand wait until somebody is done */
		{ "M4M4 A2E1W M2 A2E3Waa A2E3Waa A1E2W M2 a A1E2W A1E1W M1 a A2E3Waa A2E3W "
		  "A1E1W aa A3E4Waaa",
		  4, 1, "2 7 3 1 " },
		/* a pause in the midst: they begin anew, and so does who comes in beside them */
		{ "A2E3W A2E3W M1 aa A2E3W A1E1W aa A3E4Waaa", 3, 1, "4 4 1 " },
		{ "A1E2W M1 a A1E2W A1E1W a A2E3W aa", 2, 1, "3 1 " },
		/* four and more sequences: their probabilities are many arrays */
		{ "M4 A4E1W A4E5W aaaa A4E5W aaaa M4 A4E1W A4E5W aaaa", 8, 2, "2 2 2 2 1 1 1 1 " },
	};

	(void)state;
	expect(orders, sizeof(orders) / sizeof(orders[0]));
}

/* mlx_lm.server 0.28 to 0.31.1. */
static void test_ahead(void **state)
{
	static const struct order orders[] = {
		{ "M1 A1A1Wa A1Wa A1Wa", 1, 1, "3 " },
		{ "M1 A1A1Wa A1Wa M1M1 A1A1Wa", 2, 2, "2 1 " },
		{ "M1 A1A1Wa A1Wa E2 M1 A1A2Waa A1Wa", 2, 1, "3 2 " },
		{ "M4 A4A4Waaaa A4Waaaa E5 M1 A1 A5W aaaaa", 5, 1, "3 3 3 3 1 " },
		/* more than one batch of prompts, and the first without a piece */
		{ "M1 A1A1Wa A1Wa A1M1M1 A1A2Waa A1Wa", 3, 2, "2 1 2 " },
		{ "M1 A1A1Wa A1Wa E2 A1 A1 A3Waaa A2Waa", 3, 1, "3 2 2 " },
		{ "M2 A2 M1 A1 A3Waaa A3Waaa", 3, 1, "2 2 2 " },
		/* one of four is done as another comes in: E is of three */
		{ "M4 A4A4Waaaa A4Waaaa E4 M1 A1 A4W aaaa A4Waaaa", 5, 1, "2 4 4 4 2 " },
		/* as it is done another comes in */
		{ "M1 A1A1Wa E2 M1 A1 A1Wa A1Wa", 2, 1, "1 2 " },
	};

	(void)state;
	expect(orders, sizeof(orders) / sizeof(orders[0]));
}

/* A server changes from batches to sequences by themselves and back, with and without a prompt. */
static void test_mixed(void **state)
{
	static const struct order orders[] = {
		{ "M1 A1E1W A1E2Wa A1E2Wa M1 A1A1E1Wa A1Wa A1Wa M1 A1E1W A1E2Wa", 3, 3, "2 3 1 " },
		{ "M1 A1E1W A1E2Wa A1A1E1Wa A1Wa A1E1W A1E2Wa A1E2Wa", 3, 3, "1 2 2 " },
		/* drafts behind a batch, and a batch behind drafts */
		{ "M1 A1E1W A1E2Wa M1M1 A1A1A1D3WWaa A1A1A1D3WWaaaa M1 A1E1W A1E2Wa", 3, 3,
		  "1 6 1 " },
		/* another order behind a batch, which is no rounds, and a batch behind that */
		{ "M1 A1E1W A1E2Wa M1 A1A1A1E2WWaa A1A1A1E2WWaa A1A1A1E2WWaa A1A1A1E2WWaa M1 A1E1W "
		  "A1E2Wa",
		  3, 3, "1 0 1 " },
	};

	(void)state;
	expect(orders, sizeof(orders) / sizeof(orders[0]));
}

/* mlx-vlm's batches. */
static void test_apart(void **state)
{
	static const struct order orders[] = {
		{ "W P1P1 A1F1 A1E1W A1E1W M1 A1E1W", 1, 1, "3 " },
		{ "P1 A1F1 A1E2 A1E4 A1E4", 1, 1, "3 " }, /* probabilities as well */
		/* one behind the other, also without a piece: seen with the next round */
		{ "P1 A1F1 A1E1 A1E1 M1 P1 A1F1 A1E1 A1E1 A1E1 A1F1 A1E1", 3, 1, "2 3 1 " },
		/* beside each other */
		{ "P1 A1F1 A1E1 P1 A1F1 A2E1 A2E1 A1E1", 2, 1, "3 3 " },
		{ "P1 A1F1 P1 A1F1 A2E1 A2E1", 2, 1, "2 2 " },
		/* behind a pause */
		{ "A3E1 A3E1 A2E1 P1 A1F1 A3E1", 4, 1, "2 4 4 1 " },
		{ "P2 A2F2 A2E1 P1 A2E1 A2E1 P1 A1F1 A3E1 M3 A1E1", 3, 1, "4 4 2 " },
	};

	(void)state;
	expect(orders, sizeof(orders) / sizeof(orders[0]));
}

/* mlx_lm with a draft model. */
static void test_drafts(void **state)
{
	static const struct order orders[] = {
		{ "M1M1 A1A1A1D3WWa A1A1A1D3WWaaa A1A1D2WWaa", 1, 1, "6 " },
		{ "M1M1 A1D1a A1D1aa", 1, 1, "3 " },
		{ "M1M1 A1A1D2a A1A1D2aaa", 1, 1, "4 " },
		{ "A1A1A1A1A1D5aaaaaa A1D1a", 1, 1, "7 " }, /* no piece of a prompt */
		/* nobody asks: one each */
		{ "M1M1 A1A1A1D3WW A1A1A1D3WW M1M1 A1A1A1D3WW", 2, 2, "2 1 " },
		/* each is short */
		{ "M1M1 A1A1A1D3a M1M1 A1A1A1D3aa M1M1M1 A1A1D2a A1D1a", 3, 3, "1 2 2 " },
		/* what cannot be read is another order */
		{ "M AAAE2WW AAAE2WW", 1, 1, "0 " },
		/* beside others it is nobody's */
		{ "M2 A2E1W A2E3W D3", 1 + 1, 1, "1 1 " },
	};

	(void)state;
	expect(orders, sizeof(orders) / sizeof(orders[0]));
	run("M1M1 A1A1A1D3WWa A1A1D2WWaa");
	assert_int_equal(s.r.drafts, 5);
	assert_false(taf_rounds_is_least(&s.r));
	run("M1M1 A1A1A1D3WWa A1A1D2WW");
	assert_true(taf_rounds_is_least(&s.r));
	run("M1M1 A1A1A1D3WW A1A1D2WWa");
	assert_true(taf_rounds_is_least(&s.r));
}

/* A step that failed was none. */
static void test_failed(void **state)
{
	struct taf_rounds_change what;
	static const struct taf_step a = { .kind = TAF_STEP_ASYNC, .n = 1 };

	(void)state;
	run("M1 A1E1W A1E2Wa");
	assert_false(taf_rounds_take(&s.r, &a, &what));
	taf_rounds_failed(&s.r);
	assert_int_equal(s.r.n, 1);
	assert_int_equal(s.r.order, TAF_ORDER_ROUND);
	assert_false(s.r.is_begun);
	taf_rounds_failed(&s.r); /* of one that is known it says nothing */
	assert_int_equal(s.r.n, 1);
	run("M1");
	assert_true(taf_rounds_take(&s.r, &a, &what));
	taf_rounds_failed(&s.r);
	assert_int_equal(s.r.order, TAF_ORDER_OTHER);
}

/* One request, whatever it is: no record for each token. */
static void test_other(void **state)
{
	static const char *const orders[] = {
		"M1 A1A1A1E2WW A1A1A1E2WW M1 A1A1A1E2WW", /* drafts, and no answers */
		"M1 A1E1 A1E1 A1E1 A1E1 M1 A1E1",
		"M1 A1E1 M1 A1E1 M1 A1E1 M1 A1E1", /* its own cache behind each token */
		"M1 A1E1a M1 A1E1a M1 A1E1a M1 A1E1a",
		"M1 A1E2Wa M1 A1E2Wa M1 A1E2Wa M1 A1E2Wa",
		"A1W A1W A1W M1 A1W A1W",
		"A1E3 A1E3 M2 A1E3",
		"A1E1 A1E2 A1 A1 M1",
		"A1E1 A1E2 A1W M1",
		"MxE2MxE2a MxE2a MxE2a",
		"WWWWMxWaMxWaMxMx",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		run(orders[i]);
		if (s.requests != 1)
			fail_msg("%s: %u", orders[i], s.requests);
	}
	/* Prompts alone: as many as were at once. */
	run("M8 M3 M8 M3 M8 M3");
	assert_int_equal(s.requests, 8);
}

/* Whatever comes: what is counted is what is open. Steps by a generator of numbers. */
static void test_any(void **state)
{
	static const char *const words[] = { "M1", "M2", "Mx", "A1", "A2", "A3", "E1", "E2", "E3",
					     "E4", "W",	 "a",  "M5", "D2", "P1", "F1", "F2" };
	char text[400];
	uint64_t x = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		text[0] = '\0';
		for (int k = 0; k < 60 && strlen(text) < sizeof(text) - 4; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			strcat(text, words[x % (sizeof(words) / sizeof(words[0]))]);
		}
		run(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single), cmocka_unit_test(test_by_round),
		cmocka_unit_test(test_ahead),  cmocka_unit_test(test_other),
		cmocka_unit_test(test_any),    cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_failed), cmocka_unit_test(test_drafts),
		cmocka_unit_test(test_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
