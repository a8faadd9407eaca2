/* SPDX-License-Identifier: MIT */
/* test_ldcache.c -- the loader's cache, sound and damaged. */
#include "sketch.h"

static void cache_is_read(void **state)
{
	static const struct cache_entry e[] = {
		{ "liba.so", "/other/liba.so", 0x0003, 0 },
		{ "liba.so", "/tuned/liba.so", FLAGS, 1ull << 62 },
		{ "liba.so", "/lib/liba.so", FLAGS, 0 },
		{ "libb.so", "relative/libb.so", FLAGS, 0 },
		{ "liba.so", "/second/liba.so", FLAGS, 0 },
	};
	struct cache_file f;
	struct taf_ldcache c;

	(void)state;
	FRESH("x");
	for (int old = 0; old < 2; old++) {
		uint32_t at = 0;

		make_cache(&f, e, 5, old);
		assert_int_equal(open_cache(&f, &c), 0);
		assert_string_equal(taf_ldcache_find(&c, "liba.so", &at), "/lib/liba.so");
		assert_string_equal(taf_ldcache_find(&c, "liba.so", &at), "/second/liba.so");
		assert_null(taf_ldcache_find(&c, "liba.so", &at));
		at = 0;
		assert_null(taf_ldcache_find(&c, "libb.so", &at));
		taf_ldcache_close(&c);
	}
}

static void damaged_cache_gives_nothing(void **state)
{
	static const struct cache_entry e[] = { { "liba.so", "/lib/liba.so", FLAGS, 0 } };
	static const uint32_t wild[] = { 0x7fffffff, 0xffffffff, 73, 100000 };
	struct cache_file f;
	struct taf_ldcache c;
	uint32_t at;

	(void)state;
	FRESH("x");
	for (size_t i = 0; i < 4; i++) {
		make_cache(&f, e, 1, false);
		memcpy(f.bytes + 20, &wild[i], 4);
		assert_int_not_equal(open_cache(&f, &c), 0);
		at = 0;
		assert_null(taf_ldcache_find(&c, "liba.so", &at));
		make_cache(&f, e, 1, false);
		memcpy(f.bytes + 48 + 8, &wild[i], 4);
		assert_int_equal(open_cache(&f, &c), 0);
		at = 0;
		if (wild[i] != 73)
			assert_null(taf_ldcache_find(&c, "liba.so", &at));
		taf_ldcache_close(&c);
	}
	for (size_t n = 0; n < 100; n++) {
		make_cache(&f, e, 1, n & 1);
		f.used = n;
		at = 0;
		if (!open_cache(&f, &c))
			taf_ldcache_find(&c, "liba.so", &at);
		taf_ldcache_close(&c);
	}
	assert_int_not_equal(taf_ldcache_open(top, &c), 0);
	assert_int_not_equal(taf_ldcache_open(in_top("none"), &c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_is_read),
		cmocka_unit_test(damaged_cache_gives_nothing),
	};

	return cmocka_run_group_tests(tests, taf_sketch_begin, taf_sketch_end);
}
