/* SPDX-License-Identifier: MIT */
/* test_still_leave.c -- who stands for whom where one thread leaves, or an engine clears. */
#include "still_kit.h"

/* Let in before the process began to end: the wait is that of the door. */
static void the_leaving_park(void **s)
{
	(void)s;
	taf_flight_lane();
	taf_tls.flight = NULL;
	atomic_store(&taf_life.state, TAF_LEAVING);
	atomic_store(&taf_life.is_drained, 1);
	taf_still_for_good();
	assert_int_equal(taf_still.holder, taf_tid());
	atomic_store(&taf_still.holder, 1);
	taf_still_enter(&taf_flights[0], false);
	assert_true(taf_tls.has_parked);
	assert_int_equal(taf_still.holder, 1);
	assert_int_equal(taf_flights[0].inside, 1);
	atomic_store(&taf_life.state, TAF_COLD);
	atomic_store(&taf_life.is_drained, 0);
}

/* A thread that drains itself because another one leaves, on its way to make all stand still. */
static void *drain_to_leave(void *arg)
{
	(void)arg;
	taf_tls.flight = &taf_flights[1];
	seen = 1 + taf_still_begin();
	return NULL;
}

/* This thread has all stand still, and another one waits to do so. */
static pthread_t hold_before_another(void)
{
	pthread_t t;

	taf_rules.drain_deadline_ms = 600000;
	taf_flight_lane();
	taf_flight_lane();
	assert_true(taf_still_begin());
	assert_int_equal(pthread_create(&t, NULL, drain_to_leave, NULL), 0);
	while (!taf_still.waiters)
		assert_false(seen);
	return t;
}

/* The holder may become the one who leaves, for good, while another one waits for it: and
 * what that one drains is what the leaver waits for. */
static void nobody_waits_for_the_leaver(void **s)
{
	pthread_t t = hold_before_another();

	(void)s;
	atomic_store(&taf_life.leaver, (uint32_t)taf_tid());
	pthread_join(t, NULL);
	assert_int_equal(seen, 1);
	assert_int_equal(taf_still.holder, taf_tid());
	taf_still_end();
	atomic_store(&taf_life.leaver, 0);
}

/* Who leaves waits for what an engine computes, and for what it synchronizes: a launch inside
 * of that goes on. */
static void the_leaving_do_not_stop_an_engine(void **s)
{
	(void)s;
	taf_flight_lane();
	taf_rules.drain_deadline_ms = taf_rules.exit_deadline_ms = 600000;
	taf_tls.has_parked = false;
	atomic_store(&taf_life.state, TAF_LEAVING);
	atomic_store(&taf_still.holder, 1);
	atomic_store(&taf_life.leaver, 1);
	taf_tls.held = taf_work_at(0);
	taf_still_enter(&taf_flights[0], false);
	assert_false(taf_tls.has_parked);
	assert_int_equal(taf_flights[0].inside, 1);
	taf_still_leave(&taf_flights[0], false);
	taf_tls.held = NULL;
	taf_tls.open = 1u << TAF_SYNC;
	taf_still_enter(&taf_flights[0], false);
	assert_false(taf_tls.has_parked);
	taf_still_leave(&taf_flights[0], false);
	taf_tls.open = 0;
	atomic_store(&taf_life.leaver, 0);
	atomic_store(&taf_life.state, TAF_COLD);
}

static void *submit_within(void *arg)
{
	taf_tls.held = taf_work_at(0);
	submit(arg);
	return NULL;
}

/* A third thread leaves: a submit within an engine stands for one that frees all the same. */
static void a_free_stops_an_engine(void **s)
{
	pthread_t t;

	(void)s;
	taf_flight_lane();
	assert_true(taf_still_begin());
	atomic_store(&taf_life.leaver, 1);
	atomic_store(&taf_life.state, TAF_LEAVING);
	assert_int_equal(pthread_create(&t, NULL, submit_within, NULL), 0);
	while (!taf_still.waiters)
		assert_false(seen);
	is_over = 1;
	taf_still_end();
	pthread_join(t, NULL);
	assert_int_equal(seen, 2);
	atomic_store(&taf_life.leaver, 0);
	atomic_store(&taf_life.state, TAF_COLD);
}

/* An engine that clears may want the lock under which another thread frees. */
static void nobody_waits_for_a_clear(void **s)
{
	pthread_t t = hold_before_another();

	(void)s;
	taf_still_clears(true);
	pthread_join(t, NULL);
	assert_int_equal(seen, 1);
	assert_int_equal(taf_still.holder, taf_tid());
	taf_still_clears(false);
	taf_still_end();
}

/* A handler that has interrupted a submit ends the process: its thread does not come back. */
static void who_leaves_within_a_submit_is_not_waited_for(void **s)
{
	(void)s;
	taf_flight_lane();
	taf_tls.flight = NULL;
	atomic_store(&taf_flights[0].tid, (uint32_t)taf_tid());
	taf_still_enter(&taf_flights[0], false);
	assert_true(taf_still_is_anybody());
	atomic_store(&taf_life.leaver, (uint32_t)taf_tid());
	assert_false(taf_still_is_anybody());
	atomic_store(&taf_life.leaver, 0);
}

/* The first submit of another thread may be at the door already. */
static void who_leaves_alone_is_the_holder(void **s)
{
	(void)s;
	atomic_store(&taf_still.is_needed, 0);
	taf_still_for_good();
	assert_int_equal(taf_still.holder, taf_tid());
	assert_true(taf_still_is_mine());
	assert_int_equal(taf_still.is_needed, 0);
	taf_still_end();
	assert_false(taf_still_is_mine());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_leaving_park, setup),
		cmocka_unit_test_setup(nobody_waits_for_the_leaver, setup),
		cmocka_unit_test_setup(the_leaving_do_not_stop_an_engine, setup),
		cmocka_unit_test_setup(a_free_stops_an_engine, setup),
		cmocka_unit_test_setup(nobody_waits_for_a_clear, setup),
		cmocka_unit_test_setup(who_leaves_within_a_submit_is_not_waited_for, setup),
		cmocka_unit_test_setup(who_leaves_alone_is_the_holder, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
