/* SPDX-License-Identifier: MIT */
/* test_chunk.c -- vectors of arrays as both C++ libraries lay them out, in pieces. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../shim/chunk.h"
#include "../../shim/elfmap.h"

#define N 9

/* Counts of a shared_ptr: of libstdc++ two ints, of libc++ two longs, less one each. */
struct counts {
	void *vtable;
	union {
		int32_t ints[2];
		int64_t longs[2];
	} n;
};

static struct counts counts[N];
static struct {
	void *object;
	struct counts *counts;
} arrays[N];
static uint64_t objects[N];
static struct taf_vector all;

static void fill(enum taf_stdlib lib)
{
	for (int i = 0; i < N; i++) {
		counts[i].vtable = &counts;
		if (lib == TAF_LIBSTDCXX) {
			counts[i].n.ints[0] = i + 1;
			counts[i].n.ints[1] = 1;
		} else {
			counts[i].n.longs[0] = i;
			counts[i].n.longs[1] = 0;
		}
		arrays[i].object = &objects[i];
		arrays[i].counts = &counts[i];
	}
	all = (struct taf_vector){ (char *)arrays, (char *)(arrays + N), (char *)(arrays + N) };
}

static int64_t uses(int i, enum taf_stdlib lib)
{
	return lib == TAF_LIBSTDCXX ? counts[i].n.ints[0] : counts[i].n.longs[0] + 1;
}

static void cuts(void **state)
{
	static const struct {
		size_t n, by, last, pieces;
	} cases[] = {
		{ 14, 4, 2, 4 }, { 13, 4, 5, 3 }, { 12, 4, 4, 3 }, { 4, 4, 4, 1 }, { 5, 4, 5, 1 },
		{ 6, 4, 2, 2 },	 { 3, 4, 3, 1 },  { 3, 1, 1, 3 },  { 7, 3, 4, 2 }, { 8, 3, 2, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t left = cases[i].n, last = 0, pieces = 0;

		for (; left; left -= last, pieces++)
			last = taf_chunk_next(left, cases[i].by);
		assert_int_equal(last, cases[i].last);
		assert_int_equal(pieces, cases[i].pieces);
	}
}

static void counts_both(void **state)
{
	(void)state;
	for (int lib = TAF_LIBSTDCXX; lib <= TAF_LIBCXX; lib++) {
		fill((enum taf_stdlib)lib);
		assert_int_equal(taf_chunk_count(&all, (enum taf_stdlib)lib), N);
		/* Each is refused by the rules of the other. */
		assert_int_equal(taf_chunk_count(&all, (enum taf_stdlib) !lib), 0);
	}
}

static void refuses(void **state)
{
	struct taf_vector v;

	(void)state;
	fill(TAF_LIBSTDCXX);
	v = (struct taf_vector){ NULL, NULL, NULL };
	assert_int_equal(taf_chunk_count(&v, TAF_LIBSTDCXX), 0);
	v = all;
	v.end -= 8;
	assert_int_equal(taf_chunk_count(&v, TAF_LIBSTDCXX), 0);
	v = all;
	v.room = v.end - 16;
	assert_int_equal(taf_chunk_count(&v, TAF_LIBSTDCXX), 0);
	arrays[3].counts = NULL;
	assert_int_equal(taf_chunk_count(&all, TAF_LIBSTDCXX), 0);
	fill(TAF_LIBSTDCXX);
	counts[8].n.ints[0] = 0;
	assert_int_equal(taf_chunk_count(&all, TAF_LIBSTDCXX), 0);
}

/* While a piece lives its arrays are counted once more; what the engine took is its own. */
static void makes_and_drops(void **state)
{
	(void)state;
	for (int lib = TAF_LIBSTDCXX; lib <= TAF_LIBCXX; lib++) {
		enum taf_stdlib l = (enum taf_stdlib)lib;
		struct taf_vector piece;
		int64_t before;

		fill(l);
		before = uses(4, l);
		assert_true(taf_chunk_make(&piece, &all, (const size_t[2]){ 4, 3 }, l));
		assert_int_equal(piece.end - piece.begin, 48);
		assert_memory_equal(piece.begin, &arrays[4], 48);
		assert_ptr_equal(piece.room, piece.end);
		assert_int_equal(uses(4, l), before + 1);
		assert_int_equal(uses(3, l) + 1, before);
		taf_chunk_drop(&piece, l);
		assert_int_equal(uses(4, l), before);
		assert_null(piece.begin);
		taf_chunk_drop(&piece, l);
		assert_int_equal(uses(4, l), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts),
		cmocka_unit_test(counts_both),
		cmocka_unit_test(refuses),
		cmocka_unit_test(makes_and_drops),
	};

	if (!dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL)) {
		printf("needs libstdc++.so.6\n");
		return 77;
	}
	taf_elf_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
