/* SPDX-License-Identifier: MIT */
/* test_sites_text.c -- what a process believes of TAFFRAIL_SITES. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../shim/sites_text.h"

/* Reads all of value. The sum of its numbers, or UINT64_MAX where it is not believed. */
static uint64_t read_all(const char *value, unsigned *rows, unsigned *sites)
{
	struct taf_sites_text t;
	struct taf_sites_row r;
	uint64_t site, sum = 0;

	*rows = *sites = 0;
	if (!taf_sites_begin(&t, value)) {
		assert_non_null(t.fault);
		return UINT64_MAX;
	}
	while (taf_sites_row(&t, &r)) {
		unsigned n = 0;

		(*rows)++;
		sum += r.address;
		for (; taf_sites_site(&r, &site); n++)
			sum += site;
		assert_int_equal(n, r.n_sites);
		*sites += n;
	}
	assert_int_equal(t.rows >= *rows, 1);
	return t.fault ? UINT64_MAX : sum;
}

static void good(void **state)
{
	static const char text[] = "1;00ff1a;llama_decode=1000:10,20,2f;llama_n_ctx=fff;x=1:5";
	struct taf_sites_text t;
	struct taf_sites_row r;
	unsigned rows, sites;

	(void)state;
	assert_true(taf_sites_begin(&t, text));
	assert_int_equal(t.n_id, 3);
	assert_true(t.id[0] == 0 && t.id[1] == 0xff && t.id[2] == 0x1a);
	assert_true(taf_sites_row(&t, &r));
	assert_true(r.n_name == 12 && !memcmp(r.name, "llama_decode", 12));
	assert_true(r.address == 0x1000 && r.n_sites == 3);
	assert_int_equal(read_all(text, &rows, &sites), 0x1000 + 0x5f + 0xfff + 1 + 5);
	assert_true(rows == 3 && sites == 4);
	assert_int_equal(read_all("1;ab", &rows, &sites), 0);
	assert_int_equal(read_all("1;ab;", &rows, &sites), 0);
}

static void bad(void **state)
{
	static const char *const texts[] = {
		"",
		"1",
		"2;ab",
		"1;",
		"1;;a=1",
		"1;xy;a=1",
		"1;abc;a=1",
		"1 ;ab;a=1",
		"1;ab;=1",
		"1;ab;a",
		"1;ab;a=",
		"1;ab;a=g",
		"1;ab;a=-1",
		"1;ab;a= 1",
		"1;ab;a=1:",
		"1;ab;a=1:,5",
		"1;ab;a=1:5,",
		"1;ab;a=1:5,x",
		"1;ab;a=1:5:6",
		/* 64 bits and no more; the ones after must be further on, and not overlap */
		"1;ab;a=1:10000000000000000",
		"1;ab;a=1:00000000000000001",
		"1;ab;a=1:8,8",
		"1;ab;a=1:8,7",
		"1;ab;a=1:8,a",
		"1;ab;a=1:fffffffffffffffe,1",
		"1;ab;a.b=1",
		"1;ab;a=1\n",
		"1;ab;a=1 ;b=2",
		"1;ab;a=1;;b=2",
		"1;ab;a=1:5;b",
		"1;AB;a=1",
		"1;ab;a=A",
	};
	unsigned rows, sites;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (read_all(texts[i], &rows, &sites) != UINT64_MAX)
			fail_msg("believed: %s", texts[i]);
	assert_int_equal(read_all("1;ab;a=1:fffffffffffffff0,ffffffffffffffff", &rows, &sites),
			 1 + 0xfffffffffffffff0u + 0xffffffffffffffffu);
}

/* So many rows without sites, or one row with so many. */
static uint64_t read_many(unsigned n, bool is_row)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	unsigned rows, sites;
	uint64_t sum;

	assert_non_null(f);
	fputs(is_row ? "1;ab" : "1;ab;a=1", f);
	for (unsigned i = 1; i <= n; i++)
		fprintf(f, is_row ? ";r%x=1" : i == 1 ? ":%x" : ",%x", i * 8);
	fclose(f);
	sum = read_all(text, &rows, &sites);
	free(text);
	return sum;
}

static void limits(void **state)
{
	unsigned rows, sites;
	char id[2 + 2 * (TAF_SITES_ID_MAX + 1) + 1] = "1;";

	(void)state;
	assert_true(read_many(TAF_SITES_MAX, false) != UINT64_MAX);
	assert_true(read_many(TAF_SITES_MAX + 1, false) == UINT64_MAX);
	assert_true(read_many(200000, false) == UINT64_MAX);
	assert_true(read_many(TAF_SITES_ROWS_MAX, true) != UINT64_MAX);
	assert_true(read_many(TAF_SITES_ROWS_MAX + 1, true) == UINT64_MAX);
	memset(id + 2, 'a', sizeof(id) - 3);
	assert_true(read_all(id, &rows, &sites) == UINT64_MAX);
	id[2 + 2 * TAF_SITES_ID_MAX] = '\0';
	assert_int_equal(read_all(id, &rows, &sites), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
