/* SPDX-License-Identifier: MIT */
/* test_still.c -- while one thread gives memory up no other one submits. */
#include "still_kit.h"

static void alone(void **s)
{
	(void)s;
	atomic_store(&taf_still.is_needed, 0);
	assert_true(taf_still_begin());
	assert_int_equal(taf_still.holder, taf_tid());
	taf_still_end();
	assert_int_equal(taf_still.is_needed, 0);
	/* Lanes that nobody used are nobody's. */
	taf_still_enter(&taf_flights[0], false);
	assert_int_equal(taf_flights[0].inside, 1);
	taf_still_leave(&taf_flights[0], false);
	assert_int_equal(taf_flights[0].inside, 0);
}

static void stands_until(bool is_shared)
{
	pthread_t t;

	assert_true(taf_still_begin());
	assert_int_equal(pthread_create(&t, NULL, submit, is_shared ? &t : NULL), 0);
	while (!taf_still.waiters) /* it says so only while it stands */
		assert_false(seen);
	is_over = 1;
	taf_still_end();
	pthread_join(t, NULL);
	assert_int_equal(seen, 2);
	assert_int_equal(taf_flights[1].inside, 0);
	assert_int_equal(taf_still.holder, 0);
}

static void submits_stand(void **s)
{
	(void)s;
	taf_flight_lane();
	stands_until(false);
}

static void shared_lanes_stand(void **s)
{
	(void)s;
	taf_flight_lane();
	stands_until(true);
}

/* Its first submit comes when the one that frees has found that it is alone. */
static void a_newcomer_stands(void **s)
{
	(void)s;
	stands_until(false);
}

/* Leaves as soon as somebody wants to begin. */
static void *be_inside(void *arg)
{
	(void)arg;
	taf_tls.flight = &taf_flights[1];
	taf_still_enter(taf_tls.flight, false);
	is_inside = 1;
	while (!taf_still.holder)
		;
	has_left = 1;
	taf_still_leave(taf_tls.flight, false);
	return NULL;
}

static void begins_when_all_are_out(void **s)
{
	pthread_t t;

	(void)s;
	taf_flight_lane();
	assert_int_equal(pthread_create(&t, NULL, be_inside, NULL), 0);
	while (!is_inside)
		;
	assert_true(taf_still_begin());
	assert_int_equal(has_left, 1);
	taf_still_end();
	pthread_join(t, NULL);
}

static void *end_inside(void *arg)
{
	static struct taf_lane lane;

	(void)arg;
	taf_tls.lane = &lane;
	taf_tls.flight = taf_flight_lane();
	taf_still_enter(taf_tls.flight, false);
	taf_tls.lane = NULL;
	return NULL;
}

/* Its number is given back a little after it was joined. */
static void the_dead_are_not_waited_for(void **s)
{
	pthread_t t;
	int looks = 0;

	(void)s;
	assert_int_equal(pthread_create(&t, NULL, end_inside, NULL), 0);
	pthread_join(t, NULL);
	assert_int_equal(taf_flights[TAF_FLIGHT_LANES - 1].inside, 1);
	while (taf_still_is_anybody() && ++looks < 60000)
		usleep(1000);
	assert_in_range(looks, 0, 59999);
	assert_true(taf_still_begin());
	taf_still_end();
}

static _Atomic(int) is_submitted, is_held, clashes;

static void *submit_often(void *arg)
{
	(void)arg;
	taf_tls.flight = &taf_flights[1];
	while (!is_over) {
		taf_still_enter(taf_tls.flight, false);
		atomic_store_explicit(&is_submitted, 1, memory_order_relaxed);
		if (atomic_load_explicit(&is_held, memory_order_relaxed))
			clashes++;
		atomic_store_explicit(&is_submitted, 0, memory_order_release);
		taf_still_leave(taf_tls.flight, false);
	}
	return NULL;
}

/* A thread that submits knows nothing yet of orders when the first one begins. */
static void the_first_time_is_like_any(void **s)
{
	pthread_t t;

	(void)s;
	taf_flight_lane();
	clashes = is_held = 0;
	assert_int_equal(pthread_create(&t, NULL, submit_often, NULL), 0);
	for (int i = 0; i < 500; i++) {
		atomic_store(&taf_still.is_needed, 0);
		assert_true(taf_still_begin());
		is_held = 1;
		clashes += is_submitted;
		is_held = 0;
		taf_still_end();
	}
	is_over = 1;
	pthread_join(t, NULL);
	assert_int_equal(clashes, 0);
}

static void *begin_and_go(void *arg)
{
	(void)arg;
	taf_tls.flight = &taf_flights[1];
	seen = taf_still_begin();
	return NULL;
}

static void nobody_waits_for_ever(void **s)
{
	pthread_t t;

	(void)s;
	taf_flight_lane();
	taf_rules.drain_deadline_ms = 20;
	assert_int_equal(pthread_create(&t, NULL, begin_and_go, NULL), 0);
	pthread_join(t, NULL);
	assert_int_equal(seen, 1);
	taf_still_enter(&taf_flights[0], false);
	assert_int_equal(taf_still.holder, 0);
	/* Now this one does not return. */
	assert_int_equal(pthread_create(&t, NULL, begin_and_go, NULL), 0);
	pthread_join(t, NULL);
	assert_int_equal(seen, 1);
	taf_still_leave(&taf_flights[0], false);
}

/* A driver whose queue is full lets a submit stand: the first free waits for it, and no
 * other one does, until it has come back. */
static void a_submit_that_stays_is_waited_for_once(void **s)
{
	(void)s;
	taf_flight_lane();
	taf_rules.drain_deadline_ms = 20;
	taf_tls.flight = NULL;
	taf_flight_submit(&taf_flights[0], 7, false);
	taf_still_enter(&taf_flights[0], false);
	assert_true(taf_still_begin());
	taf_still_end();
	taf_rules.drain_deadline_ms = UINT32_MAX;
	for (int i = 0; i < 3; i++) {
		assert_true(taf_still_begin());
		taf_still_end();
	}
	assert_true(taf_still_is_anybody());
	taf_still_leave(&taf_flights[0], false);
	assert_false(taf_still_is_anybody());
	/* The next one is another. */
	taf_rules.drain_deadline_ms = 20;
	taf_flight_submit(&taf_flights[0], 7, false);
	taf_still_enter(&taf_flights[0], false);
	assert_true(taf_still_begin());
	assert_true(taf_still_is_anybody());
	taf_still_end();
	taf_still_leave(&taf_flights[0], false);
}

/* A thread without a lane of its own waits for those that it shares one with. */
static void who_shares_a_lane_is_waited_for(void **s)
{
	struct taf_flight *shared;

	(void)s;
	taf_tls.flight = shared = taf_flight_lane();
	assert_int_equal(shared->tid, 0);
	assert_false(taf_still_is_anybody());
	taf_still_enter(shared, true); /* another thread's */
	assert_true(taf_still_is_anybody());
	taf_tls.is_submitting = true;
	assert_false(taf_still_is_anybody());
	taf_still_enter(shared, true);
	assert_true(taf_still_is_anybody());
	taf_tls.is_submitting = false;
	taf_still_leave(shared, true);
	taf_still_leave(shared, true);
	assert_false(taf_still_is_anybody());
}

static _Atomic(int) turns, may_end;

/* One thread after the other gives something up: whenever nobody does, the next begins. */
static void *begin_again(void *arg)
{
	(void)arg;
	while (!may_end) {
		uint32_t nobody = 0;

		turns += atomic_compare_exchange_strong(&taf_still.holder, &nobody, UINT32_MAX);
	}
	return NULL;
}

static void a_submit_waits_for_one_deadline(void **s)
{
	pthread_t t;

	(void)s;
	taf_flight_lane();
	taf_rules.drain_deadline_ms = 5;
	for (int i = 0; i < 50; i++) {
		turns = may_end = 0;
		atomic_store(&taf_still.holder, UINT32_MAX);
		assert_int_equal(pthread_create(&t, NULL, begin_again, NULL), 0);
		taf_still_enter(&taf_flights[0], false);
		taf_still_leave(&taf_flights[0], false);
		may_end = 1;
		pthread_join(t, NULL);
		assert_true(turns <= 1);
	}
}

static void ones_own_pass(void **s)
{
	(void)s;
	taf_flight_lane();
	assert_true(taf_still_begin());
	assert_false(taf_still_begin());
	taf_still_enter(&taf_flights[0], false);
	taf_still_leave(&taf_flights[0], false);
	taf_still_end();
}

static void captures_pass(void **s)
{
	(void)s;
	taf_flight_lane();
	taf_capture_opening();
	taf_capture_opened(7, true);
	assert_false(taf_still_begin());
	atomic_store(&taf_still.holder, 1);
	taf_still_enter(&taf_flights[0], false);
	taf_still_leave(&taf_flights[0], false);
	assert_int_equal(taf_still.holder, 1);
	taf_capture_closed(7);
}

/* Cancelled in its free. */
static void a_dead_one_gives_nothing_up(void **s)
{
	pthread_t t;

	(void)s;
	taf_flight_lane();
	taf_rules.drain_deadline_ms = 600000;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&t, NULL, begin_and_go, NULL), 0);
		pthread_join(t, NULL);
		assert_int_equal(seen, 1);
		if (i) {
			assert_true(taf_still_begin());
			taf_still_end();
		} else {
			taf_still_enter(&taf_flights[0], false);
			taf_still_leave(&taf_flights[0], false);
		}
		assert_int_equal(taf_still.holder, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(alone, setup),
		cmocka_unit_test_setup(submits_stand, setup),
		cmocka_unit_test_setup(shared_lanes_stand, setup),
		cmocka_unit_test_setup(a_newcomer_stands, setup),
		cmocka_unit_test_setup(begins_when_all_are_out, setup),
		cmocka_unit_test_setup(the_dead_are_not_waited_for, setup),
		cmocka_unit_test_setup(the_first_time_is_like_any, setup),
		cmocka_unit_test_setup(nobody_waits_for_ever, setup),
		cmocka_unit_test_setup(a_submit_that_stays_is_waited_for_once, setup),
		cmocka_unit_test_setup(who_shares_a_lane_is_waited_for, setup),
		cmocka_unit_test_setup(a_submit_waits_for_one_deadline, setup),
		cmocka_unit_test_setup(ones_own_pass, setup),
		cmocka_unit_test_setup(captures_pass, setup),
		cmocka_unit_test_setup(a_dead_one_gives_nothing_up, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
