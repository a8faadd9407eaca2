/* SPDX-License-Identifier: MIT */
/* test_mark.c -- the mark that tells an idle server from one that was in the middle: what
 * stands in the file, and what of it is flushed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crumb_kit.h"
#include "trap.h"

#define SECOND_NS 1000000000ull

static _Atomic(uint32_t) inside;
static unsigned flushes;
static uint64_t later_ns; /* by how much the clock is ahead */

uint64_t __real_taf_sys_mono_ns(void);
uint64_t __wrap_taf_sys_mono_ns(void);

uint64_t __wrap_taf_sys_mono_ns(void)
{
	return __real_taf_sys_mono_ns() + later_ns;
}

static long count_flush(const unsigned long long *a)
{
	(void)a;
	flushes++;
	return 0;
}

static bool are_inside(void)
{
	return atomic_load(&inside) > 0;
}

/* Flushes that it took to say n. */
static unsigned show(uint32_t n, bool may_flush)
{
	unsigned before = flushes;

	inside = n;
	taf_crumb_show(are_inside, may_flush);
	return flushes - before;
}

/* What the last mark of segment number says; -1: there is none. How many there are in *n. */
static int says(unsigned number, unsigned *n)
{
	size_t size = 0;
	char *text = slurp(number, &size), *save = NULL, *line;
	int last = -1;

	*n = 0;
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		cJSON *o = cJSON_Parse(line);
		const cJSON *m = cJSON_GetObjectItem(o, "inside");

		MUST(o);
		if (m) {
			last = (int)cJSON_GetNumberValue(m);
			++*n;
		}
		cJSON_Delete(o);
	}
	free(text);
	return last;
}

static void open_trapped(void)
{
	MUST(!open_log(0));
	if (!trap_calls(SYS_fdatasync, count_flush))
		_exit(77);
}

static void write_in_place(void)
{
	struct tally t;
	unsigned n;

	open_trapped();
	/* Nothing has begun. */
	MUST(show(0, true) == 0 && says(0, &n) == -1);
	MUST(show(1, false) == 0 && says(0, &n) == 1);
	for (int i = 0; i < 1000; i++) {
		show(0, false);
		MUST(i || (says(0, &n) == 0 && examine_all(&t)));
		show(1, false);
	}
	/* A second one inside, then one less. */
	MUST(show(2, false) == 0 && show(1, false) == 0);
	MUST(says(0, &n) == 1 && n == 1);
	MUST(examine_all(&t) && t.lines == 2 && !t.holes);
	show(0, false);
	MUST(says(0, &n) == 0 && n == 1 && examine_all(&t));
	MUST(flushes == 0);
	taf_crumb_close();
}

static void test_in_place(void **state)
{
	(void)state;
	in_clean_child(write_in_place);
}

static void write_flushed(void)
{
	struct taf_rec load = { .kind = TAF_LOAD, .phase = TAF_BEGIN };
	struct taf_rec infer = { .kind = TAF_INFER, .phase = TAF_BEGIN };

	open_trapped();
	/* The begin of the generation takes it along. */
	MUST(show(1, false) == 0 && !taf_crumb_shows(true));
	taf_crumb(&infer);
	MUST(flushes == 1 && taf_crumb_shows(true));
	for (int i = 0; i < 100; i++)
		MUST(show(0, true) == 0 && show(1, true) == 0);
	/* Before the kernel would write what was said between two decodes. */
	later_ns = 11 * SECOND_NS;
	MUST(show(0, true) == 0 && show(1, true) == 1 && show(0, true) == 0);
	MUST(show(1, true) == 0);
	/* What else is flushed while none is inside carries that to the disk. */
	show(0, true);
	taf_crumb(&load);
	MUST(show(1, true) == 1 && show(0, true) == 0 && show(1, true) == 0);
	/* While one is inside it does not. */
	taf_crumb(&load);
	MUST(show(0, true) == 0 && show(1, true) == 0);
	taf_crumb_close();
}

static void test_flushed_when_it_has_to_be(void **state)
{
	(void)state;
	in_clean_child(write_flushed);
}

static void write_near_the_end(void)
{
	static char text[1000];
	struct taf_rec note = { .kind = TAF_NOTE, .msg = text, .keep = TAF_KEEP_LOG };
	unsigned n;

	memset(text, 'x', sizeof(text) - 1);
	open_trapped();
	show(1, false);
	show(0, false);
	/* 20 KiB on, a reader of the end would not see it. */
	for (int i = 0; i < 20; i++)
		taf_crumb(&note);
	MUST(show(1, false) == 0 && says(0, &n) == 1 && n == 2);
	show(0, false);
	MUST(says(0, &n) == 0 && n == 2);
	/* In the next segment it begins anew; what was said last counts. */
	show(1, false);
	for (int i = 0; i < 60; i++)
		taf_crumb(&note);
	MUST(says(0, &n) == 1);
	show(0, false);
	MUST(says(1, &n) == 0 && n == 1);
	taf_crumb_close();
}

static void test_near_the_end(void **state)
{
	(void)state;
	in_clean_child(write_near_the_end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_flushed_when_it_has_to_be),
		cmocka_unit_test(test_near_the_end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
