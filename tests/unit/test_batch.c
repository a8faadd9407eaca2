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

#define ROOM 6

/* What describes each array. */
static union {
	uintptr_t words[32];
	int32_t ints[64];
} descs[ROOM];
static uintptr_t array[2 * ROOM];
static struct taf_vector arrays;

static void describe_one(size_t i, int dims, const int32_t *shape, uintptr_t type)
{
	uintptr_t at = (uintptr_t)&descs[i], n = 1;

	memset(&descs[i], 0x5a, sizeof(descs[i]));
	for (int k = 0; k < dims; k++) {
		descs[i].ints[8 + k] = shape[k];
		n *= (uintptr_t)shape[k];
	}
	descs[i].words[1] = at + 32;
	descs[i].words[2] = at + 32 + 4 * (uintptr_t)dims;
	descs[i].words[3] = at + 72;
	descs[i].words[10] = at + 104;
	descs[i].words[12] = at + 184;
	descs[i].words[23] = n;
	descs[i].words[24] = type | 4ull << 32;
	array[2 * i] = at;
	arrays.begin = (char *)array;
	arrays.end = arrays.room = (char *)(array + 2 * (i + 1));
}

/* One array. */
static void describe(int dims, const int32_t *shape, uintptr_t type)
{
	describe_one(0, dims, shape, type);
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
	descs[0].words[1] = (uintptr_t)elsewhere;
	assert_int_equal(taf_batch_width(&arrays), 0);
	describe(1, (const int32_t[]){ 7 }, UINT32);
	descs[0].words[10] += 8;
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

static void drafts(void **state)
{
	(void)state;
	describe_one(0, 1, (const int32_t[]){ 4 }, UINT32);
	describe_one(1, 1, (const int32_t[]){ 3 }, UINT32);
	assert_int_equal(taf_batch_drafts(&arrays), 3);
	describe_one(1, 1, (const int32_t[]){ 2 }, UINT32);
	assert_int_equal(taf_batch_drafts(&arrays), 0);
	describe_one(1, 1, (const int32_t[]){ 3 }, FLOAT32);
	assert_int_equal(taf_batch_drafts(&arrays), 0);
	describe_one(0, 1, (const int32_t[]){ 1 }, UINT32);
	describe_one(1, 1, (const int32_t[]){ 259 }, FLOAT32);
	assert_int_equal(taf_batch_drafts(&arrays), 0);
	describe(1, (const int32_t[]){ 4 }, UINT32);
	assert_int_equal(taf_batch_drafts(&arrays), 0);
}

static void caches(void **state)
{
	(void)state;
	describe_one(0, 4, (const int32_t[]){ 3, 2, 256, 16 }, FLOAT32);
	describe_one(1, 4, (const int32_t[]){ 3, 2, 256, 8 }, FLOAT32);
	describe_one(2, 1, (const int32_t[]){ 9 }, UINT32);
	assert_int_equal(taf_batch_prompts(&arrays), 3);
	/* states of one size, without and with how much is skipped */
	describe_one(0, 3, (const int32_t[]){ 5, 3, 96 }, FLOAT32);
	describe_one(1, 4, (const int32_t[]){ 5, 4, 16, 16 }, FLOAT32);
	describe_one(2, 3, (const int32_t[]){ 5, 3, 96 }, FLOAT32);
	describe_one(3, 4, (const int32_t[]){ 5, 4, 16, 16 }, FLOAT32);
	assert_int_equal(taf_batch_prompts(&arrays), 5);
	describe_one(1, 1, (const int32_t[]){ 5 }, UINT32);
	describe_one(3, 1, (const int32_t[]){ 5 }, UINT32);
	assert_int_equal(taf_batch_prompts(&arrays), 5);
}

static void first_tokens(void **state)
{
	(void)state;
	describe_one(0, 1, (const int32_t[]){ 3 }, UINT32);
	describe_one(1, 4, (const int32_t[]){ 3, 2, 256, 16 }, FLOAT32);
	describe_one(2, 4, (const int32_t[]){ 3, 2, 256, 16 }, FLOAT32);
	assert_true(taf_batch_is_firsts(&arrays));
	describe_one(0, 1, (const int32_t[]){ 2 }, UINT32);
	assert_false(taf_batch_is_firsts(&arrays));
	/* the tokens at hand of two, and their probabilities */
	describe_one(1, 1, (const int32_t[]){ 259 }, FLOAT32);
	describe_one(2, 1, (const int32_t[]){ 259 }, FLOAT32);
	assert_false(taf_batch_is_firsts(&arrays));
}

static void no_caches(void **state)
{
	(void)state;
	/* the tokens at hand of three, and their probabilities */
	describe_one(0, 1, (const int32_t[]){ 3 }, UINT32);
	for (size_t i = 1; i < 4; i++)
		describe_one(i, 1, (const int32_t[]){ 259 }, FLOAT32);
	assert_int_equal(taf_batch_prompts(&arrays), 0);
	/* weights */
	describe_one(0, 3, (const int32_t[]){ 8, 64, 64 }, FLOAT32);
	describe_one(1, 3, (const int32_t[]){ 8, 64, 64 }, FLOAT32);
	describe_one(2, 1, (const int32_t[]){ 64 }, FLOAT32);
	describe_one(3, 3, (const int32_t[]){ 8, 64, 64 }, FLOAT32);
	assert_int_equal(taf_batch_prompts(&arrays), 0);
	/* a number without a shape */
	describe_one(2, 0, NULL, FLOAT32);
	assert_int_equal(taf_batch_prompts(&arrays), 0);
	array[2] = 0;
	assert_int_equal(taf_batch_prompts(&arrays), 0);
}

static void answers(void **state)
{
	(void)state;
	describe(0, NULL, FLOAT32);
	assert_true(taf_batch_is_answer(array));
	descs[0].words[25] = 0; /* it is there already: a constant, or asked for once more */
	assert_false(taf_batch_is_answer(array));
	describe(0, NULL, UINT32);
	assert_false(taf_batch_is_answer(array));
	describe(1, (const int32_t[]){ 1 }, FLOAT32);
	assert_false(taf_batch_is_answer(array));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),   cmocka_unit_test(tokens),
		cmocka_unit_test(no_tokens), cmocka_unit_test(another_layout),
		cmocka_unit_test(drafts),    cmocka_unit_test(caches),
		cmocka_unit_test(no_caches), cmocka_unit_test(first_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
