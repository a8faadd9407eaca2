/* SPDX-License-Identifier: MIT */
/* test_batch.c -- how many sequences a token is begun for, read from arrays as MLX has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../shim/batch.h"

#define UINT32 3
#define FLOAT32 11

/* What describes an array. */
static union {
	uintptr_t words[32];
	int32_t ints[64];
} desc;
static uintptr_t array[2];
static struct taf_vector arrays;

static void describe(int dims, const int32_t *shape, uintptr_t type)
{
	uintptr_t at = (uintptr_t)&desc, n = 1;

	memset(&desc, 0x5a, sizeof(desc));
	for (int i = 0; i < dims; i++) {
		desc.ints[8 + i] = shape[i];
		n *= (uintptr_t)shape[i];
	}
	desc.words[1] = at + 32;
	desc.words[2] = at + 32 + 4 * (uintptr_t)dims;
	desc.words[3] = at + 72;
	desc.words[10] = at + 104;
	desc.words[12] = at + 184;
	desc.words[23] = n;
	desc.words[24] = type | 4ull << 32;
	array[0] = at;
	arrays.begin = (char *)array;
	arrays.end = arrays.room = (char *)(array + 2);
}

static void tokens(void **state)
{
	(void)state;
	describe(1, (const int32_t[]){ 7 }, UINT32);
	assert_int_equal(taf_batch_width(&arrays), 7);
	describe(2, (const int32_t[]){ 3, 1 }, UINT32);
	assert_int_equal(taf_batch_width(&arrays), 3);
	describe(1, (const int32_t[]){ 1 }, UINT32);
	assert_int_equal(taf_batch_width(&arrays), 1);
}

static void no_tokens(void **state)
{
	(void)state;
	describe(1, (const int32_t[]){ 259 }, FLOAT32);
	assert_int_equal(taf_batch_width(&arrays), 0);
	describe(2, (const int32_t[]){ 1, 259 }, UINT32);
	assert_int_equal(taf_batch_width(&arrays), 0);
	describe(3, (const int32_t[]){ 3, 1, 1 }, UINT32);
	assert_int_equal(taf_batch_width(&arrays), 0);
	describe(0, NULL, UINT32);
	assert_int_equal(taf_batch_width(&arrays), 0);
	describe(1, (const int32_t[]){ 1 << 20 }, UINT32);
	assert_int_equal(taf_batch_width(&arrays), 0);
}

/* A vector of the standard library has its numbers elsewhere: mlx before 0.29. */
static void another_layout(void **state)
{
	static int32_t elsewhere[1] = { 7 };

	(void)state;
	describe(1, (const int32_t[]){ 7 }, UINT32);
	desc.words[1] = (uintptr_t)elsewhere;
	assert_int_equal(taf_batch_width(&arrays), 0);
	describe(1, (const int32_t[]){ 7 }, UINT32);
	desc.words[10] += 8;
	assert_int_equal(taf_batch_width(&arrays), 0);
	describe(1, (const int32_t[]){ 7 }, UINT32);
	array[0]++;
	assert_int_equal(taf_batch_width(&arrays), 0);
	array[0] = 0;
	assert_int_equal(taf_batch_width(&arrays), 0);
	arrays.end = arrays.begin;
	assert_int_equal(taf_batch_width(&arrays), 0);
	assert_int_equal(taf_batch_width(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens),
		cmocka_unit_test(no_tokens),
		cmocka_unit_test(another_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
