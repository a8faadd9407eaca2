/* SPDX-License-Identifier: MIT */
/* test_leave_exec.c -- an exec may fail: then the process goes on, and what was done to leave it
 * counts for nothing. */
#include "leave_kit.h"

/* ---- One that leaves while another's exec fails ----------------------------------- */

static void drained(void)
{
	assert_int_equal(n_synced, 1);
	atomic_store(&taf_life.is_drained, 1);
}

static void drained_but_stays(void)
{
	atomic_store(&taf_life.is_drained, 1);
	at_wait(&taf_life.state, stay);
}

static void the_second_one_leaves_if_the_first_stays(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	at_wait(&taf_life.is_drained, stay);
	taf_leave("exit", 0, false);
	assert_null(awaited);
	assert_int_equal(taf_life.leaver, taf_tid());
	assert_int_equal(taf_life.is_drained, 1);
}

/* It is drained, and its exec fails: beside handlers of the exit all would compute again. */
static void an_exit_waits_for_what_becomes_of_an_exec(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	at_wait(&taf_life.is_drained, drained_but_stays);
	taf_leave("exit", 0, false);
	assert_null(awaited);
	assert_int_equal(taf_life.leaver, taf_tid());
	assert_int_equal(taf_life.is_drained, 1);
}

/* Nothing of the process runs behind it. */
static void the_last_way_does_not_wait_for_an_exec(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	atomic_store(&taf_life.is_drained, 1);
	at_wait(&taf_life.state, stay);
	taf_leave("_exit", 0, true);
	assert_non_null(awaited);
	assert_int_equal(taf_state_now(), TAF_GONE);
	assert_int_equal(taf_life.leaver, standing);
}

static void drained_and_stays_late(void)
{
	drained();
	at_clock = stay;
}

/* Between its last look at the state and the end of the log. */
static void the_last_way_drains_if_the_exec_fails_meanwhile(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	work_of(&mlx, taf_tid());
	at_wait(&taf_life.is_drained, drained_and_stays_late);
	taf_leave("_exit", 0, true);
	assert_null(at_clock);
	assert_int_equal(taf_state_now(), TAF_GONE);
	assert_int_equal(taf_life.leaver, taf_tid());
	assert_int_equal(n_synced, 2);
}

static void close_the_log(void)
{
	atomic_store(&taf_life.state, TAF_GONE);
}

/* And the other way round: the log is closed while this one writes down that its exec failed. */
static void who_stays_does_not_open_what_is_closed(void **state)
{
	(void)state;
	set_all(TAF_ACTIVE, 0);
	taf_leave_exec("execve", "/");
	at_crumb = close_the_log;
	taf_stay(-2);
	assert_null(at_crumb);
	assert_int_equal(taf_state_now(), TAF_GONE);
}

static void process_goes_on(void)
{
	atomic_store(&taf_park.closer, 0);
}

/* Its exec has failed, but another one ends the process by now. */
static void who_led_stands_once_the_log_is_closed(void **state)
{
	(void)state;
	taf_park.sees_end = true;
	set_all(TAF_GONE, (uint32_t)taf_tid());
	atomic_store(&taf_park.end_by_ns, taf_sys_mono_ns() + LONG_NS);
	atomic_store(&taf_park.closer, (uint32_t)standing);
	at_wait(&taf_park.closer, process_goes_on);
	taf_park_to_submit();
	assert_null(awaited);
	/* Who has closed it does not. */
	atomic_store(&taf_park.closer, (uint32_t)taf_tid());
	at_wait(&taf_park.closer, process_goes_on);
	taf_park_to_submit();
	assert_non_null(awaited);
	taf_park.sees_end = false;
}

/* Likewise who means to become another program: the log says that the process has ended. */
static void an_exec_waits_once_the_log_is_closed(void **state)
{
	(void)state;
	taf_park.sees_end = true;
	for (int i = 0; i < 2; i++) {
		set_all(TAF_GONE, (uint32_t)standing);
		atomic_store(&taf_park.end_by_ns, taf_sys_mono_ns() + LONG_NS);
		atomic_store(&taf_park.closer, i ? (uint32_t)taf_tid() : (uint32_t)standing);
		at_wait(&taf_park.closer, process_goes_on);
		taf_leave_exec("execve", "/");
		assert_int_equal(awaited != NULL, i); /* who has closed it does not */
	}
	taf_park.sees_end = false;
}

/* Who closes it takes that back, as an exec has failed just then, and wipes the time before
 * himself: whoever comes in between is not sent on to end the process. */
static void nobody_ends_the_process_while_that_is_taken_back(void **state)
{
	(void)state;
	set_all(TAF_LEAVING, (uint32_t)standing);
	atomic_store(&taf_life.is_drained, 1);
	atomic_store(&taf_park.end_by_ns, 0);
	atomic_store(&taf_park.closer, (uint32_t)standing);
	at_wait(&taf_park.closer, process_goes_on);
	taf_park_to_end();
	assert_null(awaited);
}

/* ---- What was drained for it ------------------------------------------------------ */

/* However early the next one leaves: the first may have done no more than to stay. */
static void what_was_drained_for_one_is_not_for_the_next(void **state)
{
	(void)state;
	theirs = work_of(&mlx, standing);
	atomic_store(&theirs->is_inside, true);
	for (int i = 0; i < 2; i++) {
		set_all(TAF_ACTIVE, 0);
		at_wait(&theirs->left_for, they_drain);
		taf_leave_exec("execve", "/");
		assert_null(awaited);
		assert_true(is_left(theirs));
	}
}

static void next_one_leaves(void)
{
	assert_int_equal(n_synced, 1);
	set_all(TAF_LEAVING, (uint32_t)standing);
}

/* Who drains for one whose exec fails in the midst of that has not drained for the next. */
static void a_drain_is_for_whom_it_was_begun(void **state)
{
	struct taf_work *mine = work_of(&mlx, taf_tid());

	(void)state;
	leaves((uint32_t)standing);
	mine->since_sync = 1;
	at_crumb = next_one_leaves;
	n_synced = 1;
	taf_owner_leave();
	assert_null(at_crumb);
	assert_int_equal(n_synced, 2);
	assert_true(taf_owner_is_due());
	taf_owner_leave();
	assert_false(taf_owner_is_due());
}

/* ---- One who stands, and does not see that another one leaves by now --------------- */

static void drained_again(void)
{
	assert_int_equal(n_synced, 2);
	atomic_store(&taf_life.is_drained, 1);
	at_wait(&taf_life.state, stay);
}

static void stay_and_leave(void)
{
	next_one_leaves();
	at_wait(&taf_life.is_drained, drained_again);
}

static void who_stands_drains_for_the_next(void **state)
{
	struct taf_work *mine;

	(void)state;
	leaves((uint32_t)standing);
	mine = work_of(&mlx, taf_tid());
	at_wait(&taf_life.is_drained, stay_and_leave);
	taf_park_to_submit();
	assert_null(awaited);
	assert_int_equal(n_synced, 2);
	assert_true(is_left(mine));
}

static void drained_for_exec(void)
{
	drained();
	at_wait(&taf_life.state, stay_and_leave);
}

/* Likewise where it stands to see what becomes of an exec. */
static void who_awaits_an_exec_drains_for_the_next(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	work_of(&mlx, taf_tid());
	at_wait(&taf_life.is_drained, drained_for_exec);
	taf_park_to_submit();
	assert_null(awaited);
	assert_int_equal(n_synced, 2);
}

static void end_free(void)
{
	atomic_store(&taf_still.holder, 0);
}

static void stay_and_free(void)
{
	stay();
	atomic_store(&taf_still.holder, (uint32_t)standing);
	at_wait(&taf_still.holder, end_free);
}

/* It was let in before, and by the time it goes on others stand for one who frees. */
static void who_stood_for_an_exec_stands_for_a_free(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	atomic_store(&taf_still.holder, (uint32_t)standing);
	at_wait(&taf_life.is_drained, stay_and_free);
	taf_still_enter(&taf_flights[0], false);
	assert_null(awaited);
	assert_int_equal(taf_still.holder, 0);
	assert_int_equal(taf_flights[0].inside, 1);
	taf_still_leave(&taf_flights[0], false);
}

/* It is counted, and others see it inside. */
static void a_copy_that_stood_for_an_exec_is_one(void **state)
{
	struct taf_call c = { .table = &runtime };

	(void)state;
	leaves((uint32_t)standing);
	at_wait(&taf_life.is_drained, stay);
	taf_copy_before(&c, taf_flight_key(TAF_API_CUDA, 7, 0));
	assert_null(awaited);
	assert_true(c.has_flight);
	taf_copy_after(&c, 0);
}

static void leave_late(void)
{
	clock_ns += LONG_NS;
	atomic_store(&taf_park.until_ns, clock_ns + LONG_NS);
	set_all(TAF_LEAVING, (uint32_t)standing);
	at_wait(&taf_life.is_drained, drained_but_stays);
}

/* The first one had little time left. */
static void who_stands_has_the_time_of_the_next(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	clock_ns = taf_sys_mono_ns();
	atomic_store(&taf_park.until_ns, clock_ns + 1);
	at_wait(&taf_life.is_drained, leave_late);
	taf_park_to_submit();
	assert_null(awaited);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_second_one_leaves_if_the_first_stays),
		TEST(an_exit_waits_for_what_becomes_of_an_exec),
		TEST(the_last_way_does_not_wait_for_an_exec),
		TEST(the_last_way_drains_if_the_exec_fails_meanwhile),
		TEST(who_stays_does_not_open_what_is_closed),
		TEST(who_led_stands_once_the_log_is_closed),
		TEST(an_exec_waits_once_the_log_is_closed),
		TEST(nobody_ends_the_process_while_that_is_taken_back),
		TEST(what_was_drained_for_one_is_not_for_the_next),
		TEST(a_drain_is_for_whom_it_was_begun),
		TEST(who_stands_drains_for_the_next),
		TEST(who_awaits_an_exec_drains_for_the_next),
		TEST(who_stood_for_an_exec_stands_for_a_free),
		TEST(a_copy_that_stood_for_an_exec_is_one),
		TEST(who_stands_has_the_time_of_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
