/* SPDX-License-Identifier: MIT */
/* test_share_damage.c -- a state that was damaged, cut, torn, or written by a newer
 * taffrail: what is whole counts, what is not is kept and told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "share_kit.h"

static void test_damaged_state(void **state)
{
	char text[4096], *hit;

	(void)state;
	mark("one", TAF_LOAD, TAF_SHARE_DURABLE);
	mark("two", TAF_LOAD, TAF_SHARE_DURABLE);
	read_file("state", text, sizeof(text));
	hit = strstr(text, "id=\"one\"");
	assert_non_null(hit);
	hit[4] = 'X';
	write_file("state", text);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 1);
	assert_non_null(taf_ledger_model_of(&seen, "two"));
	assert_string_equal(seen.lost, ""); /* a stamp, and nothing that a person said */
	hit = strcpy(text, trouble());
	assert_non_null(
		strstr(hit, "/state:3: 1 line is damaged and was skipped; the file is kept"));
	assert_int_equal(count_files("state.damaged-"), 1);
	/* Once: what is whole was written again. */
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 1);
	assert_string_equal(trouble(), "");
	assert_int_equal(count_files("state.damaged-"), 1);
}

static void test_cut_state(void **state)
{
	char text[4096], *last;

	(void)state;
	mark("one", TAF_LOAD, TAF_SHARE_DURABLE);
	mark("two", TAF_LOAD, TAF_SHARE_DURABLE);
	read_file("state", text, sizeof(text));
	last = strstr(text, "end lines");
	assert_non_null(last);
	*last = '\0';
	write_file("state", text);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 2);
	assert_non_null(strstr(trouble(), "damaged"));
	write_file("state", "");
	assert_int_equal(look_afresh(), 0);
	write_file("state", "what is this");
	assert_int_equal(look_afresh(), 0);
	assert_non_null(strstr(trouble(), "/state:1: "));
}

/* A hold that is lost is not as if there had been none. */
static void lose_hold(void)
{
	char text[4096], *hit;
	struct taf_ledger *l;
	int err;

	l = taf_share_enter(&err);
	l->hold.set = taf_moment_now();
	l->hold.for_ms = HOUR;
	assert_int_equal(taf_share_leave(TAF_SHARE_DURABLE), 0);
	read_file("state", text, sizeof(text));
	hit = strstr(text, "hold ");
	assert_non_null(hit);
	*hit = 'b';
	write_file("state", text);
}

static void test_lost_hold(void **state)
{
	struct taf_ledger *l;
	int err;

	(void)state;
	lose_hold();
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.hold.for_ms, 0);
	assert_non_null(strstr(seen.lost, "state.damaged-"));
	assert_non_null(strstr(trouble(), "a hold by hand may be lost"));
	/* It is remembered by all, told by one, until somebody ends it. */
	assert_int_equal(look_afresh(), 0);
	assert_non_null(strstr(seen.lost, "state.damaged-"));
	assert_string_equal(trouble(), "");
	l = taf_share_enter(&err);
	l->lost[0] = '\0';
	taf_share_leave(TAF_SHARE_DURABLE);
	look_afresh();
	assert_string_equal(seen.lost, "");
}

static void test_emptied_state(void **state)
{
	static const char *const rests[] = { "", "taffrail state 1\n", "\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(rests) / sizeof(*rests); i++) {
		mark("one", TAF_LOAD, TAF_SHARE_DURABLE);
		write_file("state", rests[i]);
		assert_int_equal(look_afresh(), 0);
		assert_non_null(strstr(seen.lost, "state.damaged-"));
		assert_non_null(strstr(trouble(), "a hold by hand may be lost"));
		unlink(path("state"));
		assert_int_equal(look_afresh(), 0);
		assert_string_equal(seen.lost, "");
	}
}

static void test_damaged_events(void **state)
{
	struct taf_ledger_event e = event("first");
	char text[8192], *hit;

	(void)state;
	note(&e);
	strcpy(e.class, "second");
	e.at.utc_ms += HOUR;
	note(&e);
	read_file("events", text, sizeof(text));
	hit = strstr(text, "first");
	*hit = 'F';
	write_file("events", text);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(seen.event[0].class, "second");
	assert_non_null(strstr(trouble(), "/events:2: 1 line is damaged"));
	assert_int_equal(count_files("events.damaged-"), 1);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(trouble(), "");
}

/* Its writer was killed: the event was never acknowledged. */
static void test_torn_event(void **state)
{
	struct taf_ledger_event e = event("first");
	FILE *f;

	(void)state;
	note(&e);
	f = fopen(path("events"), "a");
	fputs("panic at=2026-11-", f);
	fclose(f);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 1);
	e.at.utc_ms += HOUR;
	note(&e);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 2);
	assert_string_equal(trouble(), "");
}

static void test_newer_version(void **state)
{
	static const char newer[] = "taffrail state 2\nsomething else\n";
	char text[256];

	(void)state;
	write_file("state", newer);
	assert_int_equal(look_afresh(), -EPROTO);
	assert_int_equal(mark("m", TAF_LOAD, TAF_SHARE_DURABLE), -EPROTO);
	assert_int_equal(mark("m", TAF_INFER, TAF_SHARE_DURABLE), -EPROTO);
	read_file("state", text, sizeof(text));
	assert_string_equal(text, newer);
	assert_non_null(strstr(trouble(), "/state: it was written by a newer taffrail"));
	assert_int_equal(unlink(path("state")), 0);
	write_file("events", "taffrail events 2\n");
	assert_int_equal(look_afresh(), -EPROTO);
	assert_int_equal(mark("m", TAF_LOAD, TAF_SHARE_DURABLE), -EPROTO);
	assert_int_equal(access(path("state"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_damaged_state), CASE(test_cut_state),	     CASE(test_lost_hold),
		CASE(test_emptied_state), CASE(test_damaged_events), CASE(test_torn_event),
		CASE(test_newer_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
