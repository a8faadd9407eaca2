/* SPDX-License-Identifier: MIT */
/* Queues of Level Zero: one that two threads see first at once is kept once; a fork child
 * has none of its parent's. */
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
	bool is_end = false;
	int n = 0;

	for (uint32_t i = 0; !is_end; i++) {
		struct taf_ze_queue *q = taf_ze_queue_hold(i, &is_end);

		if (!q)
			continue;
		n += atomic_load(&q->handle) == (uintptr_t)handle;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_fork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
