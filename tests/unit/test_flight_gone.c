/* SPDX-License-Identifier: MIT */
/* test_flight_gone.c -- what was in flight in a queue that is destroyed, or was to be. */
#include "flight.h"

static void a_destroyed_queue_is_done_with_its_device(void **state)
{
	(void)state;
	submit(0x1000, 5);
	taf_flight_drop(key(0x1000));
	wait_for(key(0x1000)); /* another queue with the same handle */
	assert_int_equal(in_flight(), 5);
	wait_for(TAF_FLIGHT_DEVICE(TAF_API_CUDA, 0));
	assert_int_equal(in_flight(), 0);
}

/* Theirs refused: waits for it show again what they showed before. */
static void a_queue_that_stays_is_what_it_was(void **state)
{
	struct taf_flight_going going;

	(void)state;
	submit(0x2000, 1);
	taf_flight_drop(key(0x2000)); /* what is left of another one stays apart */
	submit(0x1000, 5);
	for (int is_behind = 0; is_behind < 2; is_behind++) {
		taf_flight_going(key(0x1000), is_behind, &going);
		wait_for(key(0x1000));
		assert_int_equal(in_flight(), 6);
		taf_flight_stays(&going);
	}
	submit(0x1000, 2);
	wait_for(key(0x1000));
	assert_int_equal(in_flight(), 1);
}

static struct taf_call destroy_of(uint64_t queue)
{
	static const struct taf_table of = { .engine = TAF_ENGINE_CUDA };

	return (struct taf_call){ .table = &of, .queue = queue };
}

/* Their own numbers are no handles: all that destroying one gives is an error. */
static void default_streams_are_never_destroyed(void **state)
{
	struct taf_stream_going going;

	(void)state;
	for (uint64_t queue = 0; queue <= TAF_OWN_QUEUE; queue++) {
		struct taf_call c = destroy_of(queue);

		submit(queue, 3);
		taf_stream_going(&c, false, &going);
		taf_stream_gone(&c, &going, false);
		wait_for(key(queue));
		assert_int_equal(in_flight(), 0);
	}
}

static void a_captured_stream_that_stays(void **state)
{
	struct taf_call c = destroy_of(0x1000);
	struct taf_stream_going going;

	(void)state;
	taf_capture_opening();
	taf_capture_opened(0x1000, true);
	submit(0x1000, 1);
	taf_stream_going(&c, true, &going);
	taf_stream_gone(&c, &going, false);
	assert_false(taf_capture_shut(0));
	wait_for(key(0x1000));
	assert_int_equal(in_flight(), 0);
	taf_stream_going(&c, true, &going);
	taf_stream_gone(&c, &going, true);
	assert_true(taf_capture_shut(0));
	taf_capture_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_destroyed_queue_is_done_with_its_device, setup),
		cmocka_unit_test_setup(a_queue_that_stays_is_what_it_was, setup),
		cmocka_unit_test_setup(default_streams_are_never_destroyed, setup),
		cmocka_unit_test_setup(a_captured_stream_that_stays, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
