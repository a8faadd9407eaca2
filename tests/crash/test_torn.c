/* SPDX-License-Identifier: MIT */
/* test_torn.c -- 60 000 damaged copies of one segment: what is whole is read,
 * what is not is not.
 *
 * Each trial does one of what disks, kernels and people do to a file: cut it,
 * flip a bit, zero a sector, put random bytes or an older file's block over a
 * part of it, fill a part with newlines (a write that did not get there).  Then
 *
 *   every record whose bytes, its newline included, are as they were is found
 *   nothing is found that is not one of the records, byte for byte
 *   damage that touched a record's bytes is counted, unless it left none of them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../shim/crumb_read.h"
#include "../unit/crumb_fixture.h"

#define TRIALS 60000
#define RECORDS 60
#define SIZE 20480

static struct fx segment, older;
static size_t begins[RECORDS + 1];
static char damaged[SIZE];
static uint64_t seed = 88172645463325252ull;
static uint64_t n_touched, n_found;

static uint64_t pick(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static void write_segment(struct fx *f, unsigned seg)
{
	static const char filler[] = "the quick brown fox jumps over the lazy dog and is gone";

	fx_begin(f, 77, SIZE);
	f->seg = seg;
	for (int i = 0; i < RECORDS; i++) {
		if (f == &segment)
			begins[i] = f->used;
		fx_put(f, i % 3 ? "infer" : "load", i % 2 ? "begin" : "end",
		       ",\"call\":\"llama_decode\",\"model\":\"tiny "
		       "{\\\"t\\\":\\\"\",\"bytes\":%d,\"msg\":\"%.*s\"",
		       i, (int)pick(sizeof(filler)), filler);
	}
	if (f == &segment)
		begins[RECORDS] = f->used;
}

static int setup(void **state)
{
	(void)state;
	write_segment(&segment, 4);
	write_segment(&older, 3);
	return 0;
}

/* Damages the copy; returns how many bytes of it are left. */
static size_t damage(void)
{
	size_t at = pick(segment.used), n = 1 + pick(64);
	size_t sector = at & ~(size_t)511;

	switch (pick(7)) {
	case 0: return at;
	case 1: damaged[at] = (char)(damaged[at] ^ 1 << pick(8)); break;
	case 2: memset(damaged + sector, 0, 512); break;
	case 3:
		for (size_t i = at; i < at + 4096 && i < SIZE; i++)
			damaged[i] = (char)pick(256);
		break;
	case 4:
		for (size_t i = at; i < at + n && i < SIZE; i++)
			damaged[i] = (char)pick(256);
		break;
	case 5: memcpy(damaged + sector, older.text + sector, 512); break;
	default: memset(damaged + at, '\n', n < SIZE - at ? n : SIZE - at); break;
	}
	return SIZE;
}

static bool is_whole(int i, size_t left)
{
	size_t n = begins[i + 1] - begins[i];

	return begins[i + 1] <= left && !memcmp(damaged + begins[i], segment.text + begins[i], n);
}

/* Which record these bytes are, or -1. */
static int record_of(const struct taf_crumb_line *line)
{
	for (int i = 0; i < RECORDS; i++)
		if (line->n == begins[i + 1] - begins[i] - 1 &&
		    !memcmp(line->text, segment.text + begins[i], line->n))
			return i;
	return -1;
}

static void one_trial(void)
{
	struct taf_crumb_reader r;
	struct taf_crumb_line line;
	bool is_found[RECORDS] = { false };
	unsigned whole = 0, found = 0;
	size_t left;

	memcpy(damaged, segment.text, SIZE);
	left = damage();
	taf_crumb_read_init(&r, damaged, left, fx_seed(&segment));
	while (taf_crumb_read_next(&r, &line)) {
		int i = record_of(&line);

		if (i < 0)
			fail_msg("accepted what was never written: %.*s", (int)line.n, line.text);
		assert_false(is_found[i]);
		is_found[i] = true;
		found++;
	}
	for (int i = 0; i < RECORDS; i++) {
		if (!is_whole(i, left))
			continue;
		whole++;
		if (!is_found[i])
			fail_msg("record %d of %d is whole and was not found", i, RECORDS);
	}
	assert_int_equal(r.good, found);
	n_touched += RECORDS - whole;
	n_found += found;
}

static void no_damage_hides_a_whole_record(void **state)
{
	(void)state;
	for (int i = 0; i < TRIALS; i++)
		one_trial();
	print_message("%d trials: %llu records found, %llu damaged\n", TRIALS,
		      (unsigned long long)n_found, (unsigned long long)n_touched);
	/* The damage has to be real for the test to mean anything. */
	assert_true(n_touched > TRIALS / 2);
	assert_true(n_found > TRIALS * 10ull);
}

/* Damage in the middle of the text is never silent. */
static void damage_is_counted(void **state)
{
	struct taf_crumb_reader r;
	struct taf_crumb_line line;

	(void)state;
	for (size_t at = 0; at < begins[3]; at++) {
		memcpy(damaged, segment.text, SIZE);
		damaged[at] ^= 1;
		taf_crumb_read_init(&r, damaged, SIZE, fx_seed(&segment));
		while (taf_crumb_read_next(&r, &line))
			;
		assert_int_equal(r.bad, damaged[at] == '\n' ? 2 : 1);
		assert_in_range(r.good, RECORDS - 1, RECORDS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_damage_hides_a_whole_record),
		cmocka_unit_test(damage_is_counted),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
