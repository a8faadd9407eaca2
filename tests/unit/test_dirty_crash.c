/* SPDX-License-Identifier: MIT */
/* test_dirty_crash.c -- what of a log is a crash: errors, signals, aborts, and whose model. */
#include "dirty_fixture.h"

/* The answer to a wrong request. */
static void test_what_is_no_crash(void **state)
{
	(void)state;
	begin(20, here);
	fx_put(&f, "error", "mark", ",\"class\":\"bad_batch\"");
	fx_put(&f, "error", "mark", ",\"class\":\"exception\"");
	save(TAF_HOUR_MS - 1000);
	begin(21, here);
	fx_put(&f, "error", "mark", ",\"class\":\"a_class_nobody_knows\"");
	save(TAF_HOUR_MS - 1000);
	begin(22, here);
	fx_put(&f, "error", "mark", ",\"class\":\"out_of_memory\"");
	save(TAF_HOUR_MS - 1000);
	check();
	assert_int_equal(seen.n_events, 2);
	assert_true(seen.event[0].pid != 20 && seen.event[1].pid != 20);
}

/* A session that failed more than once. */
static void fail_twice(int pid, uint64_t start)
{
	fx_begin(&f, pid, FX_ROOM);
	strcpy(f.boot, here);
	f.start = start;
	fx_put(&f, "start", "mark", GUEST, machine);
	fx_put(&f, "error", "mark", ",\"class\":\"compute_failed\"");
	fx_wait(&f, 60000);
	fx_put(&f, "error", "mark", ",\"class\":\"out_of_memory\"");
}

/* How many crashes one is, and which, is not a matter of who looked when. */
static void test_one_of_a_session(void **state)
{
	struct taf_dirty_ask live = { .rules = &rules, .crumbs = crumbs, .wants_live = true };
	int ignored;

	(void)state;
	fail_twice(getpid(), taf_sys_start_ticks(0));
	save(TAF_HOUR_MS - 1000);
	fail_twice(20, 5020);
	save(TAF_HOUR_MS - 1000);
	assert_int_equal(taf_dirty_check(&live), 0);
	seen = *taf_share_enter(&ignored);
	taf_share_leave(TAF_SHARE_SAME);
	assert_int_equal(seen.n_events, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_string_equal(seen.event[i].class, "compute_failed");
}

/* Its end is a crash of its own, however early it failed the first time. */
static void test_failed_and_died(void **state)
{
	(void)state;
	fail_twice(20, 5020);
	fx_wait(&f, 60000);
	fx_put(&f, "error", "mark", ",\"class\":\"ggml_abort\"");
	fx_put(&f, "error", "mark", ",\"class\":\"abort\"");
	save(TAF_HOUR_MS - 1000);
	check();
	assert_int_equal(seen.n_events, 2);
}

/* Of one that left well nothing counts but what the device did not live through. */
static void test_left_well(void **state)
{
	(void)state;
	fail_twice(20, 5020);
	fx_put(&f, "exit", "begin", ",\"rc\":0");
	fx_put(&f, "exit", "end", ",\"rc\":0");
	save(TAF_HOUR_MS - 1000);
	fail_twice(21, 5021);
	fx_wait(&f, 60000);
	fx_put(&f, "error", "mark", ",\"class\":\"device_lost\"");
	fx_put(&f, "exit", "begin", ",\"rc\":0");
	fx_put(&f, "exit", "end", ",\"rc\":0");
	save(TAF_HOUR_MS - 1000);
	check();
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(seen.event[0].class, "device_lost");
	assert_int_equal(seen.event[0].pid, 21);
}

/* It returned 0 from main, and a destructor failed. */
static void test_abort_behind_main(void **state)
{
	(void)state;
	begin(20, here);
	fx_put(&f, "exit", "begin", ",\"rc\":0");
	fx_put(&f, "error", "mark", ",\"class\":\"ggml_abort\"");
	save(TAF_HOUR_MS - 1000);
	check();
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(seen.event[0].class, "ggml_abort");
}

/* The record of a signal names no model; the log does. */
static void test_model_of_a_crash(void **state)
{
	(void)state;
	begin(20, here);
	fx_put(&f, "load", "mark", ",\"model\":\"m\"");
	fx_put(&f, "signal", "mark", ",\"call\":\"S\",\"rc\":%d", SIGSEGV);
	save(TAF_HOUR_MS - 1000);
	check();
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(seen.event[0].model, "m");
}

/* What `run` saw says no model: the session of its guest does, also one that is older than
 * the last look, and of its pid the latest. */
static void test_model_of_a_guest(void **state)
{
	(void)state;
	begin(10, here);
	fx_put(&f, "load", "begin", ",\"model\":\"earlier\"");
	save(0);
	assert_int_equal(check(), 0);
	fx_begin(&f, 10, FX_ROOM);
	strcpy(f.boot, here);
	f.start += 7;
	fx_put(&f, "start", "mark", GUEST, machine);
	fx_put(&f, "load", "begin", ",\"model\":\"tiny\"");
	save(TAF_HOUR_MS + 1000);
	utc_us += TAF_HOUR_MS * 1000;
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 0);
	utc_us += 60 * 1000000;
	fx_begin(&f, 11, FX_ROOM);
	strcpy(f.boot, here);
	fx_put(&f, "start", "mark", ",\"role\":\"run\"");
	fx_put(&f, "exit", "mark", ",\"rc\":-11,\"pid_of_guest\":10");
	save(2 * TAF_HOUR_MS - 1000);
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(seen.event[0].class, "SIGSEGV");
	assert_int_equal(seen.event[0].pid, 10);
	assert_string_equal(seen.event[0].model, "tiny");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_what_is_no_crash),  CASE(test_one_of_a_session),
		CASE(test_failed_and_died),   CASE(test_left_well),
		CASE(test_abort_behind_main), CASE(test_model_of_a_crash),
		CASE(test_model_of_a_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
