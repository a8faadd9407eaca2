/* SPDX-License-Identifier: MIT */
/* test_ledger.c -- which events are one, which stamps stay, and what goes when it is full. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../policy/ledger.h"

#define T0 2000000000000ull /* UTC of what happens here */

static struct taf_ledger l;

static int setup(void **state)
{
	(void)state;
	memset(&l, 0, sizeof(l));
	return 0;
}

static struct taf_moment at(uint64_t boot, uint64_t boot_ms, uint64_t utc_ms)
{
	return (struct taf_moment){ .boot = boot, .boot_ms = boot_ms, .utc_ms = utc_ms };
}

static struct taf_ledger_event event(enum taf_severity severity, uint64_t boot, uint64_t utc_ms)
{
	struct taf_ledger_event e = { .severity = (uint8_t)severity, .pid = 7 };

	e.at = at(boot, 0, utc_ms);
	e.seen = at(9, 1000, T0 + TAF_DAY_MS);
	strcpy(e.class, "some_class");
	strcpy(e.source, "panic_file");
	return e;
}

static void mark(const char *id, enum taf_kind kind, uint64_t ms, uint64_t keep_ms)
{
	struct taf_ledger_stamp s = {
		.id = id, .kind = kind, .now = at(1, ms, T0 + ms), .bytes = 5, .keep_ms = keep_ms
	};

	taf_ledger_mark(&l, &s);
}

static void test_names_without_revision(void **state)
{
	(void)state;
	assert_true(taf_ledger_same("org/name@aaaa", "org/name@bbbb"));
	assert_true(taf_ledger_same("org/name", "org/name@bbbb"));
	assert_false(taf_ledger_same("org/name:q4", "org/name"));
	assert_false(taf_ledger_same("org/nam", "org/name"));
	assert_true(taf_ledger_same("", ""));
}

static void test_one_entry_a_model(void **state)
{
	const struct taf_ledger_model *m;

	(void)state;
	mark("a@1", TAF_LOAD, 1000, 0);
	mark("a@2", TAF_INFER, 2000, 0);
	mark("a", TAF_UNLOAD, 3000, 0);
	assert_int_equal(l.n_models, 1);
	m = taf_ledger_model_of(&l, "a@3");
	assert_non_null(m);
	assert_int_equal(m->load.boot_ms, 1000);
	assert_int_equal(m->infer.boot_ms, 2000);
	assert_int_equal(m->unload.boot_ms, 3000);
	assert_int_equal(m->bytes, 5);
	assert_null(taf_ledger_model_of(&l, "b"));
	assert_null(taf_ledger_model_of(&l, NULL));
	mark(NULL, TAF_LOAD, 1, 0);
	mark("", TAF_LOAD, 1, 0);
	assert_int_equal(l.n_models, 1);
}

/* A load that was none: the time before it counts again, unless another came since. */
static void test_a_load_that_was_none(void **state)
{
	struct taf_moment first = at(1, 100, T0 + 100), second = at(1, 200, T0 + 200);
	const struct taf_moment none = { 0 };

	(void)state;
	mark("a", TAF_LOAD, 100, 0);
	mark("a", TAF_LOAD, 200, 0);
	taf_ledger_unmark(&l, "a", &second, &first);
	assert_int_equal(taf_ledger_model_of(&l, "a")->load.boot_ms, 100);
	mark("a", TAF_LOAD, 300, 0);
	taf_ledger_unmark(&l, "a", &second, &first);
	assert_int_equal(taf_ledger_model_of(&l, "a")->load.boot_ms, 300);
	mark("b", TAF_LOAD, 100, 0);
	taf_ledger_unmark(&l, "b", &first, &none);
	assert_false(taf_moment_is_set(&taf_ledger_model_of(&l, "b")->load));
	taf_ledger_unmark(&l, "c", &first, &none);
	taf_ledger_unmark(&l, NULL, &first, &none);
	assert_null(taf_ledger_model_of(&l, "c"));
}

static void test_old_stamps_go(void **state)
{
	(void)state;
	mark("old", TAF_LOAD, 0, 0);
	mark("used", TAF_LOAD, 0, 0);
	mark("used", TAF_INFER, 1, 0);
	mark("new", TAF_LOAD, TAF_LEDGER_KEEP_MS, 0);
	assert_null(taf_ledger_model_of(&l, "old"));
	assert_non_null(taf_ledger_model_of(&l, "used"));
	/* A longer interval in the policy keeps them longer. */
	mark("newer", TAF_LOAD, 2 * TAF_LEDGER_KEEP_MS, 3 * TAF_LEDGER_KEEP_MS);
	assert_int_equal(l.n_models, 3);
	/* What is marked now is no rubbish, however old it was. */
	mark("used", TAF_UNLOAD, 9 * TAF_LEDGER_KEEP_MS, 0);
	assert_int_equal(taf_ledger_model_of(&l, "used")->infer.boot_ms, 1);
}

static void test_full_of_models(void **state)
{
	char id[32];

	(void)state;
	for (int i = 0; i < TAF_LEDGER_MODELS; i++) {
		snprintf(id, sizeof(id), "model-%d", i);
		mark(id, TAF_LOAD, 1000 + (uint64_t)i, 0);
	}
	mark("model-0", TAF_INFER, 5000, 0);
	mark("one-more", TAF_LOAD, 6000, 0);
	assert_int_equal(l.n_models, TAF_LEDGER_MODELS);
	assert_non_null(taf_ledger_model_of(&l, "model-0"));
	assert_null(taf_ledger_model_of(&l, "model-1"));
	assert_non_null(taf_ledger_model_of(&l, "one-more"));
}

static void test_one_panic_a_boot(void **state)
{
	struct taf_ledger_event dirty = event(TAF_SEVERITY_PANIC, 1, T0),
				file = event(TAF_SEVERITY_PANIC, 1, T0 + 90000),
				other = event(TAF_SEVERITY_PANIC, 2, T0);

	(void)state;
	dirty.is_suspected = true;
	strcpy(dirty.class, "dirty_boot");
	strcpy(dirty.model, "m");
	file.pid = 0;
	assert_int_equal(taf_ledger_note(&l, &dirty), TAF_NOTED_NEW);
	l.event[0].is_unsaved = false;
	l.event[0].is_stored = true;
	assert_int_equal(taf_ledger_note(&l, &dirty), TAF_NOTED_KNOWN);
	assert_false(l.event[0].is_unsaved);
	assert_int_equal(taf_ledger_note(&l, &file), TAF_NOTED_MERGED);
	assert_int_equal(l.n_events, 1);
	assert_false(l.event[0].is_suspected);
	assert_string_equal(l.event[0].class, "some_class");
	assert_string_equal(l.event[0].model, "m");
	assert_int_equal(l.event[0].pid, 7);
	assert_true(l.event[0].is_unsaved);
	assert_true(l.event[0].is_stored);
	/* A surmise never unmakes what is known. */
	dirty.pid = 8;
	assert_int_equal(taf_ledger_note(&l, &dirty), TAF_NOTED_KNOWN);
	assert_int_equal(taf_ledger_note(&l, &other), TAF_NOTED_NEW);
}

static void test_panics_without_a_boot(void **state)
{
	struct taf_ledger_event a = event(TAF_SEVERITY_PANIC, 0, T0), b = a, c = a, d = a;

	(void)state;
	strcpy(b.class, "told_otherwise"); /* the copy in Retired/ */
	c.pid = 8; /* another pid, but one class within seconds */
	c.at.utc_ms += 4000;
	d.at.utc_ms += 60000;
	assert_int_equal(taf_ledger_note(&l, &a), TAF_NOTED_NEW);
	assert_int_equal(taf_ledger_note(&l, &b), TAF_NOTED_KNOWN);
	assert_int_equal(taf_ledger_note(&l, &c), TAF_NOTED_KNOWN);
	assert_int_equal(taf_ledger_note(&l, &d), TAF_NOTED_NEW);
	assert_int_equal(l.n_events, 2);
}

static void test_report_without_a_boot_confirms(void **state)
{
	struct taf_ledger_event dirty = event(TAF_SEVERITY_PANIC, 1, T0),
				file = event(TAF_SEVERITY_PANIC, 0, T0 + 60000),
				late = event(TAF_SEVERITY_PANIC, 0, T0 + TAF_HOUR_MS);

	(void)state;
	dirty.is_suspected = true;
	dirty.pid = file.pid = late.pid = 0;
	strcpy(dirty.class, "dirty_boot");
	taf_ledger_note(&l, &dirty);
	assert_int_equal(taf_ledger_note(&l, &late), TAF_NOTED_NEW);
	assert_int_equal(taf_ledger_note(&l, &file), TAF_NOTED_MERGED);
	assert_int_equal(l.event[0].at.boot, 1);
	assert_int_equal(l.n_events, 2);
}

static void test_errors_a_second(void **state)
{
	struct taf_ledger_event a = event(TAF_SEVERITY_DEVICE, 1, T0), b = a, c = a, d = a, e = a;

	(void)state;
	strcpy(a.device, "0000:01:00.0");
	b = a;
	b.at.utc_ms += 1000;
	c = a;
	c.at.utc_ms += 2500;
	strcpy(d.device, "0000:02:00.0");
	e = a;
	e.at.boot = 2;
	assert_int_equal(taf_ledger_note(&l, &a), TAF_NOTED_NEW);
	assert_int_equal(taf_ledger_note(&l, &b), TAF_NOTED_KNOWN);
	assert_int_equal(taf_ledger_note(&l, &c), TAF_NOTED_NEW);
	assert_int_equal(taf_ledger_note(&l, &d), TAF_NOTED_NEW);
	assert_int_equal(taf_ledger_note(&l, &e), TAF_NOTED_NEW);
}

static void test_aborts_are_no_panics(void **state)
{
	struct taf_ledger_event a = event(TAF_SEVERITY_PROCESS, 1, T0), b, c, panic;

	(void)state;
	a.is_abort = true;
	b = a;
	strcpy(b.class, "SIGSEGV"); /* its ERROR crumb, then its end */
	b.at.utc_ms += 3000;
	c = a;
	c.pid = 8;
	panic = event(TAF_SEVERITY_PANIC, 1, T0);
	assert_int_equal(taf_ledger_note(&l, &a), TAF_NOTED_NEW);
	assert_int_equal(taf_ledger_note(&l, &b), TAF_NOTED_KNOWN);
	assert_int_equal(taf_ledger_note(&l, &c), TAF_NOTED_NEW);
	assert_int_equal(taf_ledger_note(&l, &panic), TAF_NOTED_NEW);
	a.severity = TAF_SEVERITY_NONE;
	a.pid = 9;
	assert_int_equal(taf_ledger_note(&l, &a), TAF_NOTED_KNOWN);
	assert_int_equal(l.n_events, 3);
}

static void test_storms_leave_panics(void **state)
{
	struct taf_ledger_event panic = event(TAF_SEVERITY_PANIC, 1, T0), e;
	uint32_t n[TAF_LEDGER_GROUPS] = { 0 };

	(void)state;
	taf_ledger_note(&l, &panic);
	for (uint32_t i = 0; i < 1000; i++) {
		e = event(TAF_SEVERITY_PROCESS, 1, T0 + i * 10000);
		e.is_abort = i % 2;
		e.pid = (int32_t)i + 10;
		taf_ledger_note(&l, &e);
	}
	for (uint32_t i = 0; i < l.n_events; i++)
		n[taf_ledger_group_of(&l.event[i])]++;
	assert_int_equal(n[TAF_LEDGER_PANIC], 1);
	assert_int_equal(n[TAF_LEDGER_ABORT], 104);
	assert_int_equal(n[TAF_LEDGER_ERROR], 48);
	/* The oldest went, and going back is no news. */
	e = event(TAF_SEVERITY_PROCESS, 1, T0 + 10000);
	e.is_abort = true;
	e.pid = 11;
	assert_int_equal(taf_ledger_note(&l, &e), TAF_NOTED_KNOWN);
}

static void test_age(void **state)
{
	struct taf_ledger_event e = event(TAF_SEVERITY_PANIC, 0, T0 + 2 * TAF_DAY_MS);
	struct taf_moment now = at(9, 61000, T0 + TAF_DAY_MS);

	(void)state;
	/* From the future: as old as the note of it. */
	assert_int_equal(taf_ledger_age_ms(&e, &now), 60000);
	e.at.utc_ms = T0;
	assert_int_equal(taf_ledger_age_ms(&e, &now), TAF_DAY_MS);
	memset(&e.seen, 0, sizeof(e.seen));
	assert_int_equal(taf_ledger_age_ms(&e, &now), TAF_DAY_MS);
	memset(&e.at, 0, sizeof(e.at));
	assert_true(taf_ledger_age_ms(&e, &now) == UINT64_MAX);
}

/* The short cut and the age itself never differ, whatever is known of the event. */
static void test_is_older(void **state)
{
	const struct taf_moment now = at(1, 600000, T0), moments[] = {
		{ 0 },
		at(1, 500000, T0 - 100000),
		at(1, 700000, T0 + 9000),
		at(2, 5, T0 - 900000),
		at(0, 0, T0 - 50000),
		at(2, 5, T0 + 60000),
		at(1, 599000, T0 - 900),
	};
	const uint64_t limits[] = { 0, 999, 1000, 50000, 100000, 600000, 900000, UINT64_MAX };
	const size_t n = sizeof(moments) / sizeof(*moments);
	struct taf_ledger_event e = { .pid = 7 };

	(void)state;
	for (size_t i = 0; i < n * n; i++) {
		e.at = moments[i / n];
		e.seen = moments[i % n];
		for (size_t k = 0; k < sizeof(limits) / sizeof(*limits); k++)
			assert_int_equal(taf_ledger_is_older(&e, &now, limits[k]),
					 taf_ledger_age_ms(&e, &now) > limits[k]);
	}
}

static void test_cursors(void **state)
{
	char name[24];

	(void)state;
	assert_null(taf_ledger_cursor_of(&l, "pstore"));
	for (int i = 0; i < TAF_LEDGER_CURSORS; i++) {
		snprintf(name, sizeof(name), "source-%d", i);
		assert_true(taf_ledger_cursor_set(&l, name, (uint64_t)i, 1));
	}
	assert_false(taf_ledger_cursor_set(&l, "one-more", 1, 1));
	assert_true(taf_ledger_cursor_set(&l, "source-3", 33, 2));
	assert_int_equal(taf_ledger_cursor_of(&l, "source-3")->a, 33);
	assert_int_equal(taf_ledger_cursor_of(&l, "source-15")->a, 15);
	assert_false(taf_ledger_cursor_set(&l, "a name that is longer than that", 1, 1));
}

#define CASE(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_names_without_revision),
		CASE(test_one_entry_a_model),
		CASE(test_a_load_that_was_none),
		CASE(test_old_stamps_go),
		CASE(test_full_of_models),
		CASE(test_one_panic_a_boot),
		CASE(test_panics_without_a_boot),
		CASE(test_report_without_a_boot_confirms),
		CASE(test_errors_a_second),
		CASE(test_aborts_are_no_panics),
		CASE(test_storms_leave_panics),
		CASE(test_age),
		CASE(test_is_older),
		CASE(test_cursors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
