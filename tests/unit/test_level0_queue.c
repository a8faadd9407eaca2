/* SPDX-License-Identifier: MIT */
/* test_level0_queue.c -- queues of Level Zero: one that two threads see first at once is kept
 * once; a fork child has none of its parent's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../hooks/level0_queue.c"

const struct taf_table *const taf_tables[] = { NULL };
const int taf_table_count = 0;

#define ROUNDS 2000

static pthread_barrier_t barrier;
static char handles[ROUNDS];

static int places_of(const void *handle)
{
	struct taf_ze_queue *q;
	int n = 0, err = 0;

	for (uint32_t i = 0; (q = taf_ze_queue_at(i)); i++) {
		uintptr_t held = taf_ze_queue_hold(q, 0, &err);

		if (!held)
			continue;
		n += held == (uintptr_t)handle;
		taf_ze_queue_let(q);
	}
	return n;
}

static void *adds(void *arg)
{
	static const struct taf_ze_queue like = { .is_in_order = true };

	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&barrier);
		taf_ze_queue_add(&handles[i], &like);
		pthread_barrier_wait(&barrier);
		if (!arg)
			continue;
		*(int *)arg += places_of(&handles[i]) != 1;
		taf_ze_queue_drop(&handles[i]);
	}
	return NULL;
}

static void test_once(void **state)
{
	pthread_t other;
	int wrong = 0;

	(void)state;
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&other, NULL, adds, NULL), 0);
	adds(&wrong);
	pthread_join(other, NULL);
	assert_int_equal(wrong, 0);
}

/* The lock was held when the process forked. */
static void test_fork(void **state)
{
	static const struct taf_ze_queue like = { .is_in_order = true };
	int status = -1;
	pid_t pid;

	(void)state;
	assert_non_null(taf_ze_queue_add(&handles[0], &like));
	atomic_store(&lock, 1);
	pid = fork();
	if (!pid) {
		bool is_kept = taf_ze_queue_add(&handles[1], &like) && !taf_ze_queues_missed();

		_exit(is_kept && !taf_ze_queue_of(&handles[0]) && places_of(&handles[1]) == 1 ? 0
											      : 1);
	}
	atomic_store(&lock, 0);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(places_of(&handles[0]), 1);
}

static _Atomic(bool) is_let, was_let;

static void *drops(void *arg)
{
	taf_ze_queue_drop(arg);
	was_let = is_let;
	return NULL;
}

/* The thread that waits for a queue does not get on for longer than any slice lasts. */
static void test_held(void **state)
{
	static const struct taf_ze_queue like = { .is_in_order = true };
	struct taf_ze_queue *q = taf_ze_queue_add(&handles[7], &like);
	pthread_t other;
	int err = 0;

	(void)state;
	assert_int_equal(taf_ze_queue_hold(q, 0, &err), (uintptr_t)&handles[7]);
	assert_int_equal(pthread_create(&other, NULL, drops, &handles[7]), 0);
	usleep(1500000);
	is_let = true;
	taf_ze_queue_let(q);
	pthread_join(other, NULL);
	assert_true(was_let);
	assert_int_equal(taf_ze_queue_hold(q, 0, &err), 0);
	assert_int_equal(err, 0);
}

/* In a handler that interrupts such a wait it is not destroyed at all. */
static void test_held_by_itself(void **state)
{
	static const struct taf_ze_queue like = { .is_in_order = true };
	struct taf_ze_queue *q = taf_ze_queue_add(&handles[8], &like);
	int err = 0;

	(void)state;
	assert_int_equal(taf_ze_queue_hold(q, 0, &err), (uintptr_t)&handles[8]);
	assert_false(taf_ze_queue_drop(&handles[8]));
	taf_ze_queue_let(q);
}

static void *holds_and_ends(void *arg)
{
	int err = 0;

	return (void *)taf_ze_queue_hold(arg, 0, &err);
}

/* What a thread held that is no more is free. */
static void test_held_by_the_dead(void **state)
{
	static const struct taf_ze_queue like = { .is_in_order = true };
	struct taf_ze_queue *q = taf_ze_queue_add(&handles[9], &like);
	pthread_t other;
	void *held;

	(void)state;
	assert_int_equal(pthread_create(&other, NULL, holds_and_ends, q), 0);
	pthread_join(other, &held);
	assert_ptr_equal(held, &handles[9]);
	assert_true(taf_ze_queue_drop(&handles[9]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_held_by_itself),
		cmocka_unit_test(test_held_by_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
