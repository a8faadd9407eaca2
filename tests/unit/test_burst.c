/* SPDX-License-Identifier: MIT */
/* test_burst.c -- what stands for a GPU runtime: one work, whichever threads come first, and
 * when its generation is idle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "../../shim/burst.h"
#include "../../shim/life.h"
#include "../../shim/table.h"

#define THREADS 6
#define ROUNDS 20000

static const struct taf_ops ops;
static const struct taf_row rows[] = { { .name = 0 } };
static const struct taf_table runtime = {
	.engine = TAF_ENGINE_CUDART, .rows = rows, .n_rows = 1, .names = "launch", .ops = &ops
};
static const struct taf_table driver = {
	.engine = TAF_ENGINE_CUDA, .rows = rows, .n_rows = 1, .names = "launch", .ops = &ops
};
const struct taf_table *const taf_tables[] = { &driver, &runtime };
const int taf_table_count = 2;

static pthread_barrier_t begin, end;

static int setup(void **state)
{
	(void)state;
	taf_life.pid = getpid();
	taf_rules_default(&taf_rules);
	taf_work_forget_all();
	taf_flight_forget();
	taf_burst_reset();
	return 0;
}

static int works(void)
{
	struct taf_work *w;
	int n = 0;

	for (int i = 0; (w = taf_work_at(i)); i++)
		n += atomic_load(&w->handle) != NULL;
	return n;
}

/* Half of the threads use the driver, half the runtime: one device's all the same. */
static void *be_first(void *is_driver)
{
	struct taf_call c = { .table = is_driver ? &driver : &runtime };

	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&begin);
		taf_burst_ready(&c);
		pthread_barrier_wait(&end);
	}
	return NULL;
}

static void threads_that_begin_together_make_one(void **state)
{
	pthread_t t[THREADS];
	int more = 0;

	(void)state;
	pthread_barrier_init(&begin, NULL, THREADS + 1);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, be_first, i % 2 ? &t : NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		setup(NULL);
		pthread_barrier_wait(&begin);
		pthread_barrier_wait(&end);
		more += works() != 1 || !taf_burst_work(TAF_API_CUDA);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(more, 0);
}

static void apis_have_each_their_own(void **state)
{
	static const struct taf_table hip = { .engine = TAF_ENGINE_HIP, .rows = rows };
	struct taf_call c = { .table = &driver }, h = { .table = &hip };

	(void)state;
	assert_null(taf_burst_work(TAF_API_CUDA));
	taf_burst_ready(&c);
	assert_null(taf_burst_work(TAF_API_HIP));
	taf_burst_ready(&h);
	taf_burst_ready(&c);
	assert_int_equal(works(), 2);
	assert_ptr_not_equal(taf_burst_work(TAF_API_CUDA), taf_burst_work(TAF_API_HIP));
}

/* Another thread that looks before the first submit has come back finds it begun, not over,
 * however long ago anything was submitted before. */
static void what_has_just_begun_is_not_idle(void **state)
{
	struct taf_call c = { .table = &runtime, .is_counted = true };
	struct taf_work *w;
	uint64_t begin_ns;

	(void)state;
	taf_rules.drain_idle_ms = 60000;
	taf_burst_ready(&c);
	w = taf_burst_work(TAF_API_CUDA);
	assert_non_null(w);
	assert_true(taf_work_claim(w, 0));
	assert_true(taf_work_submit(w, &c));
	assert_true(w->is_inferring);
	begin_ns = w->begin_ns;
	assert_true(taf_work_submit(w, &c));
	assert_true(w->is_inferring);
	assert_int_equal(w->begin_ns, begin_ns);
	assert_true(w->last_ns >= begin_ns);
	taf_work_release(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(threads_that_begin_together_make_one, setup),
		cmocka_unit_test_setup(apis_have_each_their_own, setup),
		cmocka_unit_test_setup(what_has_just_begun_is_not_idle, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
