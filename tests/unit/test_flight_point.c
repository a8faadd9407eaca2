/* SPDX-License-Identifier: MIT */
/* test_flight_point.c -- events and queries: what was submitted before a place in a queue counts
 * as done once it was passed; what came after, or went elsewhere, does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* For the places of events, one of which another thread is in. */
#include "../../shim/flight_point.c"

#define STREAM 0x1000
#define OTHER 0x2000
#define EVENT_A 0x77

const struct taf_table *const taf_tables[] = { NULL };
const int taf_table_count = 0;

static uint64_t key(uint64_t queue)
{
	return taf_flight_key(TAF_API_CUDA, queue, 0);
}

static void submit(uint64_t queue, int n)
{
	while (n--)
		taf_flight_submit(taf_tls.flight, key(queue), false);
}

static uint64_t in_flight(void)
{
	struct taf_flight_sum sum;

	taf_flight_sum(TAF_API_CUDA, &sum);
	return sum.in_flight;
}

static int begin(void **state)
{
	(void)state;
	taf_flight_forget();
	taf_events_forget();
	taf_tls.flight = taf_flight_lane();
	return 0;
}

static void a_query_of_a_queue(void **state)
{
	struct taf_flight_point p;

	(void)state;
	submit(STREAM, 3);
	submit(OTHER, 2);
	taf_flight_point(&p, key(STREAM));
	submit(STREAM, 4);
	assert_true(taf_flight_passed(&p));
	assert_int_equal(in_flight(), 6);
	assert_false(taf_flight_passed(&p));
}

static void a_queue_that_nobody_used(void **state)
{
	struct taf_flight_point p;

	(void)state;
	submit(STREAM, 3);
	taf_flight_point(&p, key(OTHER));
	assert_false(taf_flight_passed(&p));
	assert_int_equal(in_flight(), 3);
}

static void an_event_is_reached(void **state)
{
	(void)state;
	submit(STREAM, 5);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	submit(STREAM, 1);
	assert_true(taf_event_reached(TAF_API_CUDA, EVENT_A));
	assert_int_equal(in_flight(), 1);
	/* It was: another query shows nothing new. */
	assert_false(taf_event_reached(TAF_API_CUDA, EVENT_A));
}

static void the_latest_record_counts(void **state)
{
	(void)state;
	submit(STREAM, 1);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	submit(STREAM, 1);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	assert_true(taf_event_reached(TAF_API_CUDA, EVENT_A));
	assert_int_equal(in_flight(), 0);
}

/* A thread has looked; before it says so another one has recorded the event anew. */
static void a_record_during_a_wait_is_not_shown(void **state)
{
	uint32_t turn;

	(void)state;
	submit(STREAM, 2);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	turn = taf_event_turn(TAF_API_CUDA, EVENT_A);
	submit(STREAM, 3);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	assert_false(taf_event_passed(TAF_API_CUDA, EVENT_A, turn));
	assert_int_equal(in_flight(), 5);
	assert_true(taf_event_reached(TAF_API_CUDA, EVENT_A));
	assert_int_equal(in_flight(), 0);
}

/* What is submitted while theirs records may lie behind the event. */
static void a_submit_during_a_record_is_not_shown(void **state)
{
	struct taf_flight_point at;

	(void)state;
	submit(STREAM, 2);
	taf_flight_point(&at, key(STREAM));
	submit(STREAM, 3);
	taf_event_recorded(TAF_API_CUDA, EVENT_A, &at);
	assert_true(taf_event_reached(TAF_API_CUDA, EVENT_A));
	assert_int_equal(in_flight(), 3);
}

static void what_was_destroyed_is_unknown(void **state)
{
	(void)state;
	submit(STREAM, 2);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	taf_event_forget(TAF_API_CUDA, EVENT_A);
	assert_false(taf_event_reached(TAF_API_CUDA, EVENT_A));
	assert_int_equal(in_flight(), 2);
}

/* A stream with the same handle is another one. */
static void a_stream_destroyed_before_its_event(void **state)
{
	(void)state;
	submit(STREAM, 100);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	taf_flight_drop(key(STREAM));
	submit(STREAM, 5);
	assert_false(taf_event_reached(TAF_API_CUDA, EVENT_A));
	assert_int_equal(in_flight(), 105);
	submit(STREAM, 50);
	assert_int_equal(in_flight(), 155);
}

/* Nor does it pass what went to a place with a higher count. */
static void a_stream_that_comes_back_elsewhere(void **state)
{
	struct taf_flight_point p;

	(void)state;
	submit(STREAM, 150);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	submit(OTHER, 100);
	taf_flight_point(&p, key(OTHER));
	assert_true(taf_flight_passed(&p));
	taf_flight_drop(key(STREAM));
	submit(STREAM, 100); /* where the other one was */
	assert_false(taf_event_reached(TAF_API_CUDA, EVENT_A));
	assert_int_equal(in_flight(), 250);
}

/* Nothing was destroyed: more streams than places, in turn. */
static void a_stream_that_lost_its_place(void **state)
{
	struct taf_flight_mark m;

	(void)state;
	submit(1 << 12, 1000);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(1 << 12));
	for (uint64_t s = 1; s <= TAF_FLIGHT_QUEUES + 1; s++) {
		submit(s << 12, 3);
		if (s > 2)
			continue;
		taf_flight_seen(&m, key(s << 12));
		taf_flight_done(&m);
	}
	submit(1 << 12, 4);
	assert_false(taf_event_reached(TAF_API_CUDA, EVENT_A));
	submit(1 << 12, 500);
	assert_int_equal(in_flight(), 3 * (TAF_FLIGHT_QUEUES - 1) + 504);
}

/* A handler of ours looked within a submit that failed then. */
static void no_point_is_ahead_of_its_queue(void **state)
{
	struct taf_flight_point p;

	(void)state;
	submit(STREAM, 5);
	taf_flight_point(&p, key(STREAM));
	taf_flight_undo(&taf_tls.flight->of[0]);
	assert_false(taf_flight_passed(&p));
	submit(STREAM, 50);
	assert_int_equal(in_flight(), 54);
}

/* Runtimes may use one number for different events. */
static void of_another_runtime(void **state)
{
	(void)state;
	submit(STREAM, 2);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	assert_false(taf_event_reached(TAF_API_HIP, EVENT_A));
	assert_int_equal(in_flight(), 2);
}

/* More events than there are places: each one that is known is right. */
static void very_many(void **state)
{
	int reached = 0;

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++) {
		submit(STREAM, 1);
		taf_event_record(TAF_API_CUDA, i * 64, key(STREAM));
	}
	for (uint64_t i = 1; i <= 1000; i++)
		if (taf_event_reached(TAF_API_CUDA, i * 64)) {
			reached++;
			assert_int_equal(in_flight(), 1000 - i);
		}
	assert_in_range(reached, 1, 256);
}

/* A handler that interrupted the record itself goes on without it. */
static void nobody_waits(void **state)
{
	(void)state;
	taf_event_record(TAF_API_CUDA, 0, key(STREAM));
	assert_false(taf_event_reached(TAF_API_CUDA, 0));
	taf_tls.flight = NULL;
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	assert_false(taf_event_reached(TAF_API_CUDA, EVENT_A));
}

/* One that is destroyed is forgotten, though another thread is at its place: its handle comes
 * back, and of an event that was never recorded every query says that it is done. */
static void an_event_is_forgotten_at_once(void **state)
{
	struct event *e = place_of(name_of(TAF_API_CUDA, EVENT_A));

	(void)state;
	submit(STREAM, 3);
	taf_event_record(TAF_API_CUDA, EVENT_A, key(STREAM));
	atomic_store(&e->is_busy, 1);
	taf_event_forget(TAF_API_CUDA, EVENT_A);
	atomic_store(&e->is_busy, 0);
	assert_int_equal(taf_event_turn(TAF_API_CUDA, EVENT_A), 0);
	assert_false(taf_event_reached(TAF_API_CUDA, EVENT_A));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_record_during_a_wait_is_not_shown, begin),
		cmocka_unit_test_setup(a_submit_during_a_record_is_not_shown, begin),
		cmocka_unit_test_setup(a_query_of_a_queue, begin),
		cmocka_unit_test_setup(a_queue_that_nobody_used, begin),
		cmocka_unit_test_setup(an_event_is_reached, begin),
		cmocka_unit_test_setup(the_latest_record_counts, begin),
		cmocka_unit_test_setup(what_was_destroyed_is_unknown, begin),
		cmocka_unit_test_setup(a_stream_destroyed_before_its_event, begin),
		cmocka_unit_test_setup(a_stream_that_comes_back_elsewhere, begin),
		cmocka_unit_test_setup(a_stream_that_lost_its_place, begin),
		cmocka_unit_test_setup(no_point_is_ahead_of_its_queue, begin),
		cmocka_unit_test_setup(of_another_runtime, begin),
		cmocka_unit_test_setup(very_many, begin),
		cmocka_unit_test_setup(nobody_waits, begin),
		cmocka_unit_test_setup(an_event_is_forgotten_at_once, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
