/* SPDX-License-Identifier: MIT */
/* test_grip.c -- a handle that a wait of ours uses is not destroyed meanwhile, and nobody
 * waits for a thread that is gone. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../shim/grip.h"
#include "../../shim/life.h"
#include "../../shim/table.h"

const struct taf_table *const taf_tables[] = { NULL };
const int taf_table_count = 0;

static struct taf_grip grip;
static _Atomic(int) has_taken, may_let, is_there, r;

static int setup(void **s)
{
	(void)s;
	grip.holder = 0;
	has_taken = may_let = is_there = r = 0;
	taf_rules.drain_deadline_ms = 60000;
	return 0;
}

static uint64_t in_a_minute(void)
{
	return taf_sys_mono_ns() + 60000000000u;
}

static void one_has_it(void **s)
{
	(void)s;
	assert_true(taf_grip_is_free(&grip));
	assert_true(taf_grip_take(&grip, 0));
	assert_int_equal(grip.holder, taf_tid());
	/* Its own it does not wait for: a handler may be within it. */
	assert_false(taf_grip_take(&grip, in_a_minute()));
	assert_false(taf_grip_is_free(&grip));
	taf_grip_let(&grip);
	assert_true(taf_grip_is_free(&grip));
}

static void *take(void *arg)
{
	(void)arg;
	r = taf_grip_take(&grip, in_a_minute());
	has_taken = 1;
	while (!may_let)
		usleep(100);
	is_there = 1; /* the handle is used to the end */
	taf_grip_let(&grip);
	return NULL;
}

static void *let_go(void *arg)
{
	(void)arg;
	usleep(20000); /* who destroys is mostly in its wait by then; right either way */
	may_let = 1;
	return NULL;
}

static void who_destroys_waits(void **s)
{
	pthread_t t, later;

	(void)s;
	assert_int_equal(pthread_create(&t, NULL, take, NULL), 0);
	while (!has_taken)
		usleep(100);
	assert_int_equal(r, 1);
	assert_false(taf_grip_take(&grip, 0)); /* late already */
	taf_grip_let(&grip); /* not its own: nothing is given back */
	assert_int_not_equal(grip.holder, 0);
	assert_int_equal(pthread_create(&later, NULL, let_go, NULL), 0);
	assert_true(taf_grip_is_free(&grip));
	assert_int_equal(is_there, 1);
	pthread_join(t, NULL);
	pthread_join(later, NULL);
}

static void who_comes_next_waits(void **s)
{
	pthread_t t;

	(void)s;
	assert_true(taf_grip_take(&grip, 0));
	assert_int_equal(pthread_create(&t, NULL, take, NULL), 0);
	usleep(20000);
	assert_int_equal(has_taken, 0);
	taf_grip_let(&grip);
	while (!has_taken)
		usleep(100);
	assert_int_equal(r, 1);
	may_let = 1;
	pthread_join(t, NULL);
	assert_int_equal(grip.holder, 0);
}

static void *take_and_go(void *arg)
{
	(void)arg;
	r = taf_grip_take(&grip, 0);
	return NULL;
}

/* A thread that was cancelled in theirs: whether it is waited for, or followed. */
static void the_dead_hold_nothing(void **s)
{
	pthread_t t;

	(void)s;
	for (int i = 0; i < 2; i++) {
		grip.holder = 0;
		assert_int_equal(pthread_create(&t, NULL, take_and_go, NULL), 0);
		pthread_join(t, NULL);
		assert_int_equal(r, 1);
		assert_int_not_equal(grip.holder, 0);
		assert_true(i ? taf_grip_is_free(&grip) : taf_grip_take(&grip, in_a_minute()));
	}
	assert_int_equal(grip.holder, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_has_it, setup),
		cmocka_unit_test_setup(who_destroys_waits, setup),
		cmocka_unit_test_setup(who_comes_next_waits, setup),
		cmocka_unit_test_setup(the_dead_hold_nothing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
