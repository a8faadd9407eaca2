/* SPDX-License-Identifier: MIT */
/* test_flight.c -- what is in flight, by queue, thread and wait. */
#include "flight.h"

#include <signal.h>
#include <sys/mman.h>

static void a_wait_shows_its_own_queue_to_be_done(void **state)
{
	struct taf_flight_sum s;

	(void)state;
	submit(0x1000, 3);
	submit(0x2000, 2);
	wait_for(key(0x1000));
	assert_int_equal(in_flight(), 2);
	taf_flight_sum(TAF_API_NONE, &s);
	assert_int_equal(s.submits, 5);
	assert_int_equal(s.oldest, 1);
	assert_int_equal(s.queue, 0x2000);
	wait_for(TAF_FLIGHT_EVERY(TAF_API_CUDA));
	assert_int_equal(in_flight(), 0);
}

static void what_comes_during_a_wait_is_still_in_flight(void **state)
{
	struct taf_flight_mark m;

	(void)state;
	submit(0x1000, 3);
	taf_flight_seen(&m, key(0x1000));
	submit(0x1000, 4);
	taf_flight_done(&m);
	assert_int_equal(in_flight(), 4);
}

/* Another thread has counted its launch, and not made it yet. */
static void what_is_about_to_be_submitted_is_in_flight(void **state)
{
	struct taf_flight *own = taf_tls.flight;

	(void)state;
	submit(0x1000, 1); /* its own lane is the last: all are looked at */
	taf_tls.flight = &taf_flights[1];
	submit(0x1000, 3);
	taf_flights[1].inside = 1;
	taf_tls.flight = own;
	wait_for(TAF_FLIGHT_EVERY(TAF_API_CUDA));
	assert_int_equal(in_flight(), 1);
	taf_flights[1].inside = 0;
	wait_for(key(0x1000));
	assert_int_equal(in_flight(), 0);
	/* One's own is not about to be: who waits within it has made it. */
	submit(0x1000, 1);
	own->inside = 1;
	taf_tls.is_submitting = true;
	wait_for(key(0x1000));
	assert_int_equal(in_flight(), 0);
	taf_tls.is_submitting = false;
	/* Nor is more about to be than was counted. */
	taf_flights[2].inside = 1;
	wait_for(TAF_FLIGHT_EVERY(TAF_API_CUDA));
	assert_int_equal(in_flight(), 0);
}

static void two_waits_that_overlap_never_go_back(void **state)
{
	struct taf_flight_mark early, late;

	(void)state;
	submit(0x1000, 1);
	taf_flight_seen(&early, key(0x1000));
	submit(0x1000, 1);
	taf_flight_seen(&late, key(0x1000));
	taf_flight_done(&late);
	taf_flight_done(&early);
	assert_int_equal(in_flight(), 0);
}

static void default_streams_belong_to_their_device(void **state)
{
	(void)state;
	submit(0, 1);
	taf_tls.device = 1;
	submit(0, 1);
	wait_for(key(0));
	assert_int_equal(in_flight(), 1);
	taf_tls.device = 0;
	wait_for(key(0));
	assert_int_equal(in_flight(), 0);
}

static void a_stream_is_the_same_on_any_device(void **state)
{
	(void)state;
	submit(0x5000, 1);
	taf_tls.device = 3;
	wait_for(key(0x5000));
	taf_tls.device = 0;
	assert_int_equal(in_flight(), 0);
}

static void queues_beyond_the_table_wait_for_the_device(void **state)
{
	(void)state;
	for (uint64_t q = 1; q <= 20; q++)
		submit(q << 12, 1);
	assert_int_equal(in_flight(), 20);
	for (uint64_t q = 1; q <= 20; q++)
		wait_for(key(q << 12));
	assert_int_equal(in_flight(), 20 - TAF_FLIGHT_QUEUES);
	wait_for(TAF_FLIGHT_EVERY(TAF_API_CUDA));
	assert_int_equal(in_flight(), 0);
}

static void a_queue_is_idle_when_all_in_it_is_known_to_be_done(void **state)
{
	(void)state;
	assert_true(taf_flight_is_idle(key(0x7000)));
	submit(0x7000, 2);
	assert_false(taf_flight_is_idle(key(0x7000)));
	assert_true(taf_flight_is_idle(key(0x8000)));
	wait_for(key(0x7000));
	assert_true(taf_flight_is_idle(key(0x7000)));
	/* One of those that are counted together may be any. */
	for (uint64_t q = 0; q <= TAF_FLIGHT_QUEUES; q++)
		submit(0x9000 + q, 1);
	assert_false(taf_flight_is_idle(key(0x8000)));
	wait_for(TAF_FLIGHT_EVERY(TAF_API_CUDA));
	assert_true(taf_flight_is_idle(key(0x8000)));
}

static void copy(uint64_t queue, int n)
{
	while (n--)
		taf_flight_copied(taf_flight_submit(taf_tls.flight, key(queue), false));
}

static bool is_working(void)
{
	struct taf_flight_sum s;

	taf_flight_sum(TAF_API_CUDA, &s);
	return s.is_working;
}

/* An event was put between the two. */
static void what_comes_behind_the_last_launch_is_in_flight_and_no_work(void **state)
{
	struct taf_flight_mark event;

	(void)state;
	copy(0x2000, 3); /* a queue that nobody waits for */
	assert_false(is_working());
	submit(0x1000, 2);
	copy(0x1000, 1);
	submit(0x1000, 1);
	copy(0x1000, 1);
	assert_true(is_working());
	taf_flight_seen(&event, key(0x1000));
	copy(0x1000, 2);
	taf_flight_undo(taf_flight_submit(taf_tls.flight, key(0x1000), false));
	assert_true(is_working());
	taf_flight_done(&event);
	assert_false(is_working());
	assert_int_equal(in_flight(), 5);
	assert_int_equal(taf_flight_in(key(0x1000)), 2);
	/* One launch more, and it is work until that is done. */
	submit(0x1000, 1);
	assert_true(is_working());
	taf_flight_seen(&event, key(0x1000));
	copy(0x1000, 1);
	assert_true(is_working());
	taf_flight_done(&event);
	assert_false(is_working());
	assert_int_equal(taf_flight_in(key(0x1000)), 1);
}

/* Its number is the next launch's. */
static void a_copy_that_failed_hides_no_launch(void **state)
{
	struct taf_call bad = { .has_flight = true };

	(void)state;
	copy(0x1000, 1);
	bad.at = taf_flight_submit(taf_tls.flight, key(0x1000), false);
	atomic_fetch_add(&bad.at->copies, 1);
	taf_copy_after(&bad, 1);
	assert_false(is_working());
	submit(0x1000, 1);
	assert_true(is_working());
}

static void another_api_is_not_meant(void **state)
{
	(void)state;
	submit(0x1000, 1);
	wait_for(TAF_FLIGHT_EVERY(TAF_API_HIP));
	wait_for(taf_flight_key(TAF_API_HIP, 0x1000, 0));
	assert_int_equal(in_flight(), 1);
}

/* Generations are told apart by these counts. */
static void what_was_counted_stays_with_its_api(void **state)
{
	struct taf_flight_sum cuda, hip;

	(void)state;
	submit(0x1000, 3);
	wait_for(TAF_FLIGHT_EVERY(TAF_API_CUDA));
	taf_flight_submit(taf_tls.flight, taf_flight_key(TAF_API_HIP, 0x1000, 0), false);
	taf_flight_sum(TAF_API_CUDA, &cuda);
	taf_flight_sum(TAF_API_HIP, &hip);
	assert_int_equal(cuda.submits, 3);
	assert_int_equal(hip.submits, 1);
}

static bool is_first(uint64_t low)
{
	return low == 0x1000;
}

static void *submit_own(void *arg)
{
	(void)arg;
	taf_tls.flight = &taf_flights[1];
	submit(TAF_OWN_QUEUE, 1);
	return NULL;
}

/* What the default stream waits for, and what nobody asks. */
static void the_rest_is_told_apart(void **state)
{
	struct taf_flight_going going;
	struct taf_flight_rest rest;
	pthread_t t;

	(void)state;
	submit(0, 1);
	submit(1, 1); /* the same, by another name */
	submit(0x1000, 1);
	taf_flight_rest(TAF_API_CUDA, is_first, &rest);
	assert_false(rest.is_own || rest.is_behind || rest.is_unseen);
	submit(TAF_OWN_QUEUE, 1);
	taf_flight_rest(TAF_API_CUDA, is_first, &rest);
	assert_true(rest.is_own && !rest.is_behind && !rest.is_unseen);
	submit(0x2000, 1);
	taf_flight_drop(key(0x2000));
	taf_flight_rest(TAF_API_CUDA, is_first, &rest);
	assert_true(rest.is_behind && !rest.is_unseen);
	submit(0x3000, 1);
	taf_flight_going(key(0x3000), false, &going);
	taf_flight_rest(TAF_API_CUDA, is_first, &rest);
	assert_true(rest.is_unseen);
	wait_for(TAF_FLIGHT_EVERY(TAF_API_CUDA));
	taf_flight_rest(TAF_API_CUDA, is_first, &rest);
	assert_false(rest.is_own || rest.is_behind || rest.is_unseen);
	taf_tls.lane = NULL;
	taf_flight_lane(); /* the second lane counts as used */
	assert_int_equal(pthread_create(&t, NULL, submit_own, NULL), 0);
	pthread_join(t, NULL);
	taf_flight_rest(TAF_API_CUDA, is_first, &rest);
	assert_true(!rest.is_own && rest.is_behind && !rest.is_unseen);
}

static void a_wait_for_a_device_is_for_that_one(void **state)
{
	(void)state;
	submit(0x1000, 2);
	taf_tls.device = 1;
	submit(0x2000, 3);
	submit(0, 1);
	wait_for(TAF_FLIGHT_DEVICE(TAF_API_CUDA, 0));
	assert_int_equal(in_flight(), 4);
	wait_for(TAF_FLIGHT_DEVICE(TAF_API_CUDA, 1));
	assert_int_equal(in_flight(), 0);
	taf_tls.device = 0;
}

static void places_of_queues_that_are_done_are_used_again(void **state)
{
	(void)state;
	for (uint64_t q = 1; q <= 100; q++) {
		submit(q << 12, 2);
		wait_for(key(q << 12));
		assert_int_equal(in_flight(), 0);
	}
	for (uint64_t q = 1; q <= 40; q++) {
		submit(q << 12, 1);
		taf_flight_drop(key(q << 12));
	}
	assert_int_equal(in_flight(), 40);
	taf_flight_drop(TAF_FLIGHT_EVERY(TAF_API_CUDA)); /* a reset */
	assert_int_equal(in_flight(), 0);
}

static void a_submit_that_failed_is_not_in_flight(void **state)
{
	(void)state;
	submit(0x1000, 1);
	taf_flight_undo(taf_flight_submit(taf_tls.flight, key(0x1000), false));
	assert_int_equal(in_flight(), 1);
	wait_for(key(0x1000));
	assert_int_equal(in_flight(), 0);
}

/* Whoever looked before saw one more than there is. */
static void no_mark_is_ahead_of_its_queue(void **state)
{
	struct taf_flight_mark m;

	(void)state;
	submit(0x1000, 5);
	taf_flight_seen(&m, key(0x1000));
	taf_flight_undo(&taf_tls.flight->of[0]);
	taf_flight_done(&m);
	submit(0x1000, 50);
	assert_int_equal(in_flight(), 54);
}

static _Atomic(int) is_watched, looks;

static void *watch(void *arg)
{
	(void)arg;
	while (atomic_load(&is_watched)) {
		wait_for(TAF_FLIGHT_EVERY(TAF_API_CUDA));
		atomic_fetch_add(&looks, 1);
	}
	return NULL;
}

static void fail_often(void)
{
	struct taf_call bad = { .real = NULL };

	for (int i = 0; i < 20; i++) {
		taf_flight_begin(&bad, key(0x1000), false);
		taf_flight_end(&bad, 1, false);
	}
}

/* The number of a submit that failed is the next one's, which is in its function until
 * all that was seen before has been told. */
static void what_failed_was_seen_by_nobody(void **state)
{
	struct taf_call good = { .real = NULL };
	int early = 0;
	pthread_t t;

	(void)state;
	atomic_store(&is_watched, 1);
	assert_int_equal(pthread_create(&t, NULL, watch, NULL), 0);
	for (int i = 0; i < 2000; i++) {
		int seen;

		fail_often();
		taf_flight_begin(&good, key(0x1000), false);
		seen = atomic_load(&looks);
		while (atomic_load(&looks) - seen < 2)
			sched_yield();
		early += taf_flight_is_idle(key(0x1000));
		taf_flight_end(&good, 0, false);
	}
	atomic_store(&is_watched, 0);
	pthread_join(t, NULL);
	assert_int_equal(early, 0);
}

static struct taf_flight *apart; /* a lane in a page of its own */
static struct taf_flight_queue failing;

/* Reading who is inside comes here first: meanwhile the submit fails and leaves. */
static void fail_now(int sig)
{
	(void)sig;
	mprotect(apart, sizeof(*apart), PROT_READ | PROT_WRITE);
	taf_flight_undo(&failing);
	taf_still_leave(apart, false);
}

static void what_fails_during_a_look_is_not_shown(void **state)
{
	struct sigaction fails = { .sa_handler = fail_now }, was;

	(void)state;
	apart = mmap(NULL, sizeof(*apart), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(apart, MAP_FAILED);
	apart->inside = 1;
	failing.submits = 4;
	assert_int_equal(sigaction(SIGSEGV, &fails, &was), 0);
	assert_int_equal(mprotect(apart, sizeof(*apart), PROT_NONE), 0);
	assert_int_equal(taf_flight_shown(apart, &failing), 3);
	assert_int_equal(sigaction(SIGSEGV, &was, NULL), 0);
	assert_int_equal(failing.submits, 3);
	assert_int_equal(taf_flight_shown(apart, &failing), 3);
	munmap(apart, sizeof(*apart));
}

static void *share(void *arg)
{
	for (int n = 0; n < 100000; n++)
		taf_flight_submit(arg, taf_flight_key(TAF_API_CUDA, 0x9000, 0), true);
	return NULL;
}

static void a_lane_that_threads_share_loses_nothing(void **state)
{
	pthread_t t[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, share, taf_tls.flight), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(in_flight(), 400000);
}

/* Queues beyond the places are counted together: of several devices, on each of them. */
static void the_rest_is_on_each_device(void **state)
{
	(void)state;
	taf_tls.device = 0;
	for (uint64_t i = 0; i < TAF_FLIGHT_QUEUES; i++)
		taf_flight_submit(taf_tls.flight, key(0x1000 + i), false);
	for (taf_tls.device = 1; taf_tls.device < 3; taf_tls.device++)
		taf_flight_submit(taf_tls.flight, key(0x9000), false);
	assert_true(taf_flight_is_on(TAF_API_CUDA, 0));
	assert_true(taf_flight_is_on(TAF_API_CUDA, 1));
	assert_true(taf_flight_is_on(TAF_API_CUDA, 2));
	assert_false(taf_flight_is_on(TAF_API_HIP, 1));
	taf_tls.device = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_wait_shows_its_own_queue_to_be_done, setup),
		cmocka_unit_test_setup(what_comes_during_a_wait_is_still_in_flight, setup),
		cmocka_unit_test_setup(what_is_about_to_be_submitted_is_in_flight, setup),
		cmocka_unit_test_setup(two_waits_that_overlap_never_go_back, setup),
		cmocka_unit_test_setup(default_streams_belong_to_their_device, setup),
		cmocka_unit_test_setup(a_stream_is_the_same_on_any_device, setup),
		cmocka_unit_test_setup(queues_beyond_the_table_wait_for_the_device, setup),
		cmocka_unit_test_setup(a_queue_is_idle_when_all_in_it_is_known_to_be_done, setup),
		cmocka_unit_test_setup(what_comes_behind_the_last_launch_is_in_flight_and_no_work,
				       setup),
		cmocka_unit_test_setup(a_copy_that_failed_hides_no_launch, setup),
		cmocka_unit_test_setup(another_api_is_not_meant, setup),
		cmocka_unit_test_setup(a_wait_for_a_device_is_for_that_one, setup),
		cmocka_unit_test_setup(places_of_queues_that_are_done_are_used_again, setup),
		cmocka_unit_test_setup(a_submit_that_failed_is_not_in_flight, setup),
		cmocka_unit_test_setup(no_mark_is_ahead_of_its_queue, setup),
		cmocka_unit_test_setup(what_failed_was_seen_by_nobody, setup),
		cmocka_unit_test_setup(what_fails_during_a_look_is_not_shown, setup),
		cmocka_unit_test_setup(a_lane_that_threads_share_loses_nothing, setup),
		cmocka_unit_test_setup(what_was_counted_stays_with_its_api, setup),
		cmocka_unit_test_setup(the_rest_is_told_apart, setup),
		cmocka_unit_test_setup(the_rest_is_on_each_device, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
