/* SPDX-License-Identifier: MIT */
/* test_capture.c -- how captures are counted: once, however many layers they went
 * through, and not beyond the end of their device; and that a capture and a synchronize
 * of ours exclude each other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../../shim/capture.h"
#include "../../shim/life.h"

static int setup(void **state)
{
	(void)state;
	taf_capture_forget();
	taf_rules_default(&taf_rules);
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

static _Atomic(int) is_waiting;

static void *open_capture(void *arg)
{
	(void)arg;
	atomic_store(&is_waiting, 1);
	taf_capture_opening();
	atomic_store(&is_waiting, 2);
	taf_capture_opened(0x77, true);
	return NULL;
}

static void no_drain_while_a_stream_is_captured(void **state)
{
	(void)state;
	taf_capture_opening();
	assert_false(taf_capture_shut(0)); /* not even while it opens */
	taf_capture_opened(0x10, true);
	assert_false(taf_capture_shut(1000)); /* one's own: at once */
	taf_capture_closed(0x99); /* of no stream that is captured */
	assert_int_equal(taf_captures_open(), 1);
	taf_capture_closed(0x10);
	assert_true(taf_capture_shut(0));
	taf_capture_free();
	taf_capture_opening();
	taf_capture_opened(0x10, false);
	assert_int_equal(taf_captures_open(), 0);
}

static void a_capture_waits_for_a_drain(void **state)
{
	pthread_t t;

	(void)state;
	assert_true(taf_capture_shut(0));
	assert_int_equal(pthread_create(&t, NULL, open_capture, NULL), 0);
	while (!atomic_load(&is_waiting))
		usleep(100);
	/* It may be in the wait or about to be: it has not passed in either case. */
	usleep(20000);
	assert_int_equal(atomic_load(&is_waiting), 1);
	assert_int_equal(taf_captures_open(), 0);
	taf_capture_free();
	pthread_join(t, NULL);
	assert_int_equal(taf_captures_open(), 1);
	assert_false(taf_capture_shut(1));
	taf_capture_closed(0x77);
	assert_true(taf_capture_shut(0));
	taf_capture_free();
}

static void more_captures_than_the_table_are_counted(void **state)
{
	(void)state;
	for (uint64_t s = 1; s <= 40; s++) {
		taf_capture_opening();
		taf_capture_opened(s, true);
	}
	for (uint64_t s = 40; s; s--) {
		assert_false(taf_capture_shut(0));
		taf_capture_closed(s);
	}
	assert_true(taf_capture_shut(0));
	taf_capture_free();
}

static _Atomic(int) is_over;

static void *drop_one(void *arg)
{
	while (!is_over)
		taf_captures_dropped(1);
	return arg;
}

/* While another device is reset, a place that was one of its captures' goes to another. */
static void another_devices_capture_stays(void **state)
{
	pthread_t t;
	int lost = 0;

	(void)state;
	is_over = 0;
	assert_int_equal(pthread_create(&t, NULL, drop_one, NULL), 0);
	for (int i = 0; i < 400000; i++) {
		taf_tls.device = 1;
		open_one(0x1000);
		taf_capture_closed(0x1000);
		taf_tls.device = 2;
		open_one(0x2000);
		/* Two for a moment: the reset has taken its own and not yet counted it. */
		lost += taf_captures_open() == 0;
		taf_capture_closed(0x2000);
	}
	is_over = 1;
	pthread_join(t, NULL);
	assert_int_equal(lost, 0);
	assert_int_equal(taf_captures_open(), 0);
}

/* An engine may capture what its synchronize still submits: that one is ours. */
static void what_a_drain_captures_is_its_own(void **state)
{
	(void)state;
	taf_rules.drain_deadline_ms = 600000;
	assert_true(taf_capture_shut(0));
	taf_tls.inside = 1;
	open_one(0x5000);
	taf_capture_closed(0x5000);
	taf_tls.inside = 0;
	taf_capture_free();
	assert_int_equal(taf_captures, 0);
}

static atomic_bool may_end;

static void *capture_on(void *arg)
{
	(void)arg;
	while (!may_end) {
		open_one(0x7000);
		taf_capture_closed(0x7000);
	}
	return NULL;
}

#define ROUNDS 1000000

/* It takes a place that was this thread's. */
static void what_another_thread_begins_is_not_ones_own(void **state)
{
	pthread_t t;
	int own = 0;

	(void)state;
	may_end = false;
	assert_int_equal(pthread_create(&t, NULL, capture_on, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		open_one(0x5000);
		taf_capture_closed(0x5000);
		own += taf_capture_is_own();
		own += taf_capture_is_own();
	}
	may_end = true;
	pthread_join(t, NULL);
	assert_int_equal(own, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(two_layers_are_one_capture, setup),
		cmocka_unit_test_setup(own_streams_are_several, setup),
		cmocka_unit_test_setup(a_reset_ends_what_was_captured_there, setup),
		cmocka_unit_test_setup(a_stream_that_goes_takes_no_other_with_it, setup),
		cmocka_unit_test_setup(a_stream_that_was_not_destroyed_is_still_captured, setup),
		cmocka_unit_test_setup(no_drain_while_a_stream_is_captured, setup),
		cmocka_unit_test_setup(a_capture_waits_for_a_drain, setup),
		cmocka_unit_test_setup(more_captures_than_the_table_are_counted, setup),
		cmocka_unit_test_setup(another_devices_capture_stays, setup),
		cmocka_unit_test_setup(what_a_drain_captures_is_its_own, setup),
		cmocka_unit_test_setup(what_another_thread_begins_is_not_ones_own, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
