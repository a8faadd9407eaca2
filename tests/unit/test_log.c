/* SPDX-License-Identifier: MIT */
/* test_log.c -- the verb log on written sessions: order, times, and what its lines say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verb_kit.h"

static void the_log_is_merged(void **state)
{
	struct fx *f = *state, other;
	char line[4096], *end;

	fx_put(f, "note", "mark", ",\"msg\":\"first\"");
	fx_wait(f, 2000);
	fx_put(f, "note", "mark", ",\"msg\":\"third\"");
	fx_begin(&other, 90, SIZE);
	fx_wait(&other, 1000);
	fx_put(&other, "load", "mark", ",\"msg\":\"second\"");
	end = strchr(other.text, '\n');
	snprintf(line, sizeof(line), "%.*s\n", (int)(end - other.text), other.text);
	fx_save(&other, crumbs);
	fx_save(f, crumbs);
	/* Another boot, earlier by the time of day though later by its own clock. */
	fx_begin(&other, 91, SIZE);
	strcpy(other.boot, FX_OTHER_BOOT);
	other.hour = 9;
	other.mono_ns = 900 * FX_SEC;
	fx_put(&other, "note", "mark", ",\"msg\":\"zeroth\"");
	fx_save(&other, crumbs);
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	assert_true(place_of("zeroth") < place_of("first"));
	assert_true(place_of("first") < place_of("second"));
	assert_true(place_of("second") < place_of("third"));
	assert_non_null(strstr(out, "+2.000s"));
	assert_int_equal(call(taf_verb_log, "--json", "--ev", "load"), 0);
	assert_string_equal(out, line);
	assert_int_equal(call(taf_verb_log, "--since", "2026-11-21T10:00:11.5Z", NULL), 0);
	assert_null(strstr(out, "second"));
	place_of("third");
	assert_int_equal(call(taf_verb_log, "--session", "90", NULL), 0);
	assert_null(strstr(out, "first"));
	assert_int_equal(call(taf_verb_log, "--ev", "nothing", NULL), TAF_EXIT_USAGE);
	assert_int_equal(call(taf_verb_log, "--since", "soon", NULL), TAF_EXIT_USAGE);
	assert_int_equal(call(taf_verb_log, "--ev", "exit", NULL), TAF_EXIT_FAILED);
}

/* It is written over in place, until a new one is put where the log has come to. */
static void the_mark_says_what_it_means(void **state)
{
	struct fx *f = *state;

	fx_put(f, "infer", "mark", ",\"inside\":1");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	place_of("    latest  77      infer mark ");
	place_of("last known state: inside a computation (");
	fx_put(f, "infer", "mark", ",\"inside\":0");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	assert_true(place_of("says nothing any more") < place_of("    latest  "));
	place_of("last known state: between computations, or idle (");
	assert_null(strstr(out, "inside a computation"));
}

/* Requests of a server overlap: what an end ends is its begin's number alone. */
static void an_end_names_its_begin(void **state)
{
	struct fx *f = *state;

	fx_put(f, "infer", "begin", ",\"model\":\"tiny\"");
	fx_put(f, "infer", "begin", ",\"model\":\"tiny\"");
	fx_put(f, "infer", "end", ",\"model\":\"tiny\",\"tokens\":3,\"ms\":1.000,\"of\":1");
	fx_put(f, "infer", "end", ",\"tokens\":4,\"ms\":2.000,\"of\":2");
	fx_put(f, "drain", "begin", ",\"msg\":\"asked\"");
	fx_put(f, "drain", "end", ",\"ms\":5.000,\"of\":5");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, "--ev", "infer,drain", NULL), 0);
	assert_true(place_of("  #1, tiny\n") < place_of("  #2, tiny\n"));
	assert_true(place_of("  of #1, tiny, 3 tokens, 1") < place_of("  of #2, 4 tokens, 2"));
	place_of("  asked\n");
	assert_null(strstr(out, "#5"));
}

/* Of such the tokens of each are not exact, see taffrail-crumbs(5). */
static void a_batch_is_told(void **state)
{
	struct fx *f = *state;

	fx_put(f, "infer", "end", ",\"tokens\":7,\"requests\":1,\"sequences\":4,\"submits\":2");
	fx_put(f, "infer", "end", ",\"tokens\":8,\"requests\":3,\"sequences\":2");
	fx_put(f, "infer", "end", ",\"tokens\":9,\"requests\":1,\"sequences\":1");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	place_of("  7 tokens, of 4 at once, 2 submits\n");
	place_of("  8 tokens, of 3 requests, 2 at once\n");
	place_of("  9 tokens\n");
}

/* Whatever the segments hold and the filter shows. */
static void open_generations_are_counted(void **state)
{
	struct fx *f = *state;

	fx_put(f, "infer", "begin", ",\"model\":\"lost\"");
	fx_put(f, "start", "mark", "%s", "");
	f->seq = 0; /* another program in the same process: what it was inside is gone */
	fx_save(f, crumbs);
	fx_put(f, "start", "mark", "%s", "");
	fx_put(f, "infer", "begin", "%s", ""); /* 2 */
	fx_put(f, "infer", "begin", "%s", "");
	fx_put(f, "load", "begin", "%s", "");
	fx_put(f, "infer", "begin", "%s", ""); /* 5 */
	fx_save(f, crumbs);
	fx_put(f, "infer", "end", ",\"of\":3");
	fx_put(f, "infer", "mark", ",\"inside\":0");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	place_of(" between computations, or idle; 2 generations have no end (this line");
	fx_put(f, "infer", "end", ",\"of\":5");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, "--session", "77", NULL), 0);
	place_of(" between computations, or idle; 1 generation has no end (this line");
	fx_put(f, "infer", "end", ",\"of\":2");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	place_of(" between computations, or idle (this line");
}

/* Beyond a bound they are not counted, and no wrong number is told. */
static void too_many_open_are_not_counted(void **state)
{
	struct fx *f = *state;

	for (int i = 0; i < 400; i++) {
		fx_put(f, "infer", "begin", "%s", "");
		if (i == 199)
			fx_save(f, crumbs);
	}
	fx_put(f, "infer", "mark", ",\"inside\":0");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	place_of(" between computations, or idle (this line");
}

/* The size is in the words of a load already. */
static void nothing_is_told_twice(void **state)
{
	struct fx *f = *state;

	fx_put(f, "load", "begin", ",\"bytes\":1024,\"msg\":\"llama F32, 1.0 KiB in 2 files\"");
	fx_put(f, "unload", "begin", ",\"bytes\":1024,\"msg\":\"freed\"");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	place_of("  llama F32, 1.0 KiB in 2 files\n");
	place_of("  1.0 KiB, freed\n");
}

static void a_signal_is_named(void **state)
{
	struct fx *f = *state;

	fx_put(f, "signal", "mark", ",\"call\":\"SIGTERM\",\"rc\":15,\"msg\":\"sent\"");
	fx_put(f, "exit", "begin", ",\"call\":\"SIGTERM\",\"rc\":-15");
	fx_put(f, "exit", "end", ",\"rc\":-15");
	fx_put(f, "exit", "end", ",\"rc\":3");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	assert_null(strstr(out, "rc "));
	assert_true(place_of(" by SIGTERM\n") < place_of(" status 3\n"));
	assert_null(strstr(out + place_of(" by SIGTERM\n") + 2, "by SIGTERM"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_log_is_merged),
		TEST(the_mark_says_what_it_means),
		TEST(an_end_names_its_begin),
		TEST(a_batch_is_told),
		TEST(open_generations_are_counted),
		TEST(too_many_open_are_not_counted),
		TEST(nothing_is_told_twice),
		TEST(a_signal_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
