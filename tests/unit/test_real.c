/* SPDX-License-Identifier: MIT */
/* test_real.c -- the cache of found functions: whatever threads write into one slot, nobody gets
 * the function of another row or of another call site. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <dlfcn.h>

#include "../../shim/elfmap.h"
#include "../../shim/real.h"

#define THREADS 4
#define TURNS 200000
#define NAME "llama_decode"
#define OTHER "llama_synchronize"

/* Two rows of one table, found in the fake engine. */
static const struct taf_row rows[] = {
	{ .name = 0, .kind = TAF_SUBMIT },
	{ .name = sizeof(NAME), .kind = TAF_SYNC },
};
static _Atomic(taf_fn) learned[2];
static const struct taf_table table = {
	.engine = TAF_ENGINE_LLAMA,
	.rows = rows,
	.n_rows = 2,
	.names = NAME "\0" OTHER,
	.learned = learned,
};
const struct taf_table *const taf_tables[] = { &table };
const int taf_table_count = 1;

static void *engine;
static taf_fn theirs[2];
static const void *sites[2]; /* one for each row, both with the same slot */
static _Atomic(long) n_wrong;

static taf_fn symbol(const char *name)
{
	union {
		void *p;
		taf_fn f;
	} u = { .p = dlsym(engine, name) };

	assert_non_null(u.p);
	return u.f;
}

static struct taf_real_slot *slot(void)
{
	return &taf_real_cache[taf_real_index(sites[0], &rows[0])];
}

static int open_engine(void **state)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);
	const char *base;

	(void)state;
	path[n > 0 ? n : 0] = '\0';
	strcpy(strrchr(path, '/') + 1, "libfake_llama.so");
	taf_elf_init();
	engine = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!engine)
		return -1;
	for (int i = 0; i < 2; i++)
		theirs[i] = symbol(taf_row_name(&table, i));
	/* Any address within the engine is a call site that finds the engine's own. */
	base = dlsym(engine, NAME);
	sites[0] = base;
	for (sites[1] = base + 4;
	     taf_real_index(sites[1], &rows[1]) != taf_real_index(sites[0], &rows[0]);)
		sites[1] = (const char *)sites[1] + 4;
	return 0;
}

static pthread_barrier_t start;

/* Each asks for both in turn, so that each call finds the other's answer and writes. */
static void *hammer(void *arg)
{
	pthread_barrier_wait(&start);
	for (int i = 0; i < TURNS && !n_wrong; i++)
		n_wrong += taf_real(&table, i & 1, sites[i & 1]) != theirs[i & 1];
	return arg;
}

static void colliding_writers(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(n_wrong, 0);
	for (int row = 0; row < 2; row++)
		assert_true(taf_real(&table, row, sites[row]) == theirs[row]);
}

/* What is kept is what was asked last, and it is taken from there. */
static void answers_are_kept(void **state)
{
	(void)state;
	for (int row = 0; row < 2; row++) {
		assert_true(taf_real(&table, row, sites[row]) == theirs[row]);
		assert_true(atomic_load(&slot()->fn) == theirs[row]);
		assert_true(atomic_load(&slot()->caller) == (uintptr_t)sites[row]);
		assert_int_equal(atomic_load(&slot()->seq) & 1, 0);
	}
	atomic_store(&slot()->fn, theirs[0]);
	assert_true(taf_real(&table, 1, sites[1]) == theirs[0]);
	taf_real_forget();
	assert_true(taf_real(&table, 1, sites[1]) == theirs[1]);
}

/* A slot whose writer is at work, or stopped for ever in the middle of it. */
static void half_written(void **state)
{
	(void)state;
	assert_true(taf_real(&table, 0, sites[0]) == theirs[0]);
	atomic_fetch_add(&slot()->seq, 1);
	atomic_store(&slot()->fn, theirs[1]);
	for (int i = 0; i < 3; i++) {
		assert_true(taf_real(&table, 0, sites[0]) == theirs[0]);
		assert_true(taf_real(&table, 1, sites[1]) == theirs[1]);
	}
	assert_true(atomic_load(&slot()->fn) == theirs[1]); /* its writer's alone */
	assert_true(atomic_load(&slot()->caller) == (uintptr_t)sites[0]);
	atomic_store(&slot()->fn, theirs[0]);
	atomic_fetch_add(&slot()->seq, 1);
	assert_true(taf_real(&table, 0, sites[0]) == theirs[0]);
}

/* What was looked up before an object left is not believed afterwards. */
static void old_answers(void **state)
{
	(void)state;
	assert_true(taf_real(&table, 0, sites[0]) == theirs[0]);
	atomic_store(&slot()->fn, theirs[1]);
	atomic_fetch_sub(&slot()->epoch, 1);
	assert_true(taf_real(&table, 0, sites[0]) == theirs[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colliding_writers),
		cmocka_unit_test(answers_are_kept),
		cmocka_unit_test(half_written),
		cmocka_unit_test(old_answers),
	};

	return cmocka_run_group_tests(tests, open_engine, NULL);
}
