/* SPDX-License-Identifier: MIT */
/* test_scratch.c -- room that is not on the stack: who has it, and when it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "../../shim/scratch.h"

#define MANY 40
#define THREADS 4
#define TURNS 20000

static void each_is_somebodys(void **state)
{
	unsigned char *p[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		p[i] = taf_scratch_take(8000);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 64, 0);
		memset(p[i], i, 8000);
	}
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(p[i][0], i);
		assert_int_equal(p[i][7999], i);
		taf_scratch_give(p[i]);
	}
}

static void what_is_given_back_is_taken_again(void **state)
{
	void *first = taf_scratch_take(100), *second;

	(void)state;
	taf_scratch_give(first);
	second = taf_scratch_take(100);
	assert_ptr_equal(first, second);
	taf_scratch_give(second);
	taf_scratch_give(NULL);
}

static void more_than_a_desk_holds(void **state)
{
	size_t n = (size_t)3 << 20;
	unsigned char *p = taf_scratch_take(n);

	(void)state;
	assert_non_null(p);
	memset(p, 1, n);
	taf_scratch_give(p);
	assert_null(taf_scratch_take(SIZE_MAX / 2));
}

static void *take_turns(void *mark)
{
	uintptr_t wrong = 0;

	for (int i = 0; i < TURNS; i++) {
		volatile void **p = taf_scratch_take(64);

		p[0] = p[7] = mark;
		wrong += p[0] != mark || p[7] != mark;
		taf_scratch_give((void *)p);
	}
	return (void *)wrong;
}

static void threads_share_the_desks(void **state)
{
	pthread_t t[THREADS];
	char marks[THREADS];
	void *wrong;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, take_turns, &marks[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &wrong);
		assert_null(wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_somebodys),
		cmocka_unit_test(what_is_given_back_is_taken_again),
		cmocka_unit_test(more_than_a_desk_holds),
		cmocka_unit_test(threads_share_the_desks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
