/* SPDX-License-Identifier: MIT */
/* test_capture.c -- how captures are counted: once, however many layers they went
 * through, and not beyond the end of their device. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "../../shim/capture.h"
#include "../../shim/life.h"

static int setup(void **state)
{
	(void)state;
	taf_capture_forget();
	taf_tls.device = 0;
	return 0;
}

static void open_one(uint64_t stream)
{
	taf_capture_opening();
	taf_capture_opened(stream, true);
}

/* The runtime's begin has the driver's inside it, and so has its end. */
static void two_layers_are_one_capture(void **state)
{
	(void)state;
	taf_capture_opening();
	open_one(0x5000);
	assert_int_equal(taf_captures_open(), 2); /* one open, one opening */
	taf_capture_opened(0x5000, true);
	assert_int_equal(taf_captures_open(), 1);
	taf_capture_closed(0x5000);
	assert_int_equal(taf_captures_open(), 0);
	taf_capture_closed(0x5000);
	assert_int_equal(taf_captures_open(), 0);
}

static void *open_own(void *arg)
{
	(void)arg;
	open_one(2);
	return NULL;
}

/* Stream 2 is another one in each thread. */
static void own_streams_are_several(void **state)
{
	pthread_t t;

	(void)state;
	open_one(2);
	assert_int_equal(pthread_create(&t, NULL, open_own, NULL), 0);
	pthread_join(t, NULL);
	assert_int_equal(taf_captures_open(), 2);
	taf_capture_closed(2);
	assert_int_equal(taf_captures_open(), 1);
	taf_capture_closed(2);
	assert_int_equal(taf_captures_open(), 0);
}

/* Its end is never called: a drain may be made all the same. */
static void a_reset_ends_what_was_captured_there(void **state)
{
	(void)state;
	open_one(0x5000);
	taf_tls.device = 1;
	open_one(0x6000);
	assert_false(taf_capture_shut(0));
	taf_captures_dropped(0);
	assert_int_equal(taf_captures_open(), 1);
	taf_captures_dropped(1);
	assert_true(taf_capture_shut(0));
	taf_capture_free();
	taf_capture_closed(0x6000);
	assert_int_equal(taf_captures_open(), 0);
}

/* While theirs destroys it, another thread may get its handle and capture there. */
static void a_stream_that_goes_takes_no_other_with_it(void **state)
{
	bool had;

	(void)state;
	open_one(0x7000);
	had = taf_capture_going(0x7000);
	assert_true(had);
	assert_int_equal(taf_captures_open(), 1);
	open_one(0x7000);
	taf_capture_gone(0x7000, true);
	assert_int_equal(taf_captures_open(), 1);
	taf_capture_closed(0x7000);
	assert_int_equal(taf_captures_open(), 0);
	assert_false(taf_capture_going(0x7000));
}

static void a_stream_that_was_not_destroyed_is_still_captured(void **state)
{
	(void)state;
	open_one(0x8000);
	assert_true(taf_capture_going(0x8000));
	taf_capture_gone(0x8000, false);
	assert_int_equal(taf_captures_open(), 1);
	taf_capture_closed(0x8000);
	assert_int_equal(taf_captures_open(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(two_layers_are_one_capture, setup),
		cmocka_unit_test_setup(own_streams_are_several, setup),
		cmocka_unit_test_setup(a_reset_ends_what_was_captured_there, setup),
		cmocka_unit_test_setup(a_stream_that_goes_takes_no_other_with_it, setup),
		cmocka_unit_test_setup(a_stream_that_was_not_destroyed_is_still_captured, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
