/* SPDX-License-Identifier: MIT */
/* test_stall.c -- which calls have stalled, by a ring; and how short of memory a machine is. */
#include "story_fixture.h"

#include "../../cli/pressure.h"
#include "../../shim/stall.h"

static struct taf_rules rules;
static struct taf_ring_copy copy;
static struct taf_stall stalls[4];
static struct fx guest;
static struct taf_lane *lane;

static int begin(void **state)
{
	(void)state;
	taf_rules_default(&rules);
	fx_begin(&guest, GUEST, SIZE);
	lane = ring_begin(&guest);
	return 0;
}

/* How many there are so many seconds after the start. */
static size_t found(uint64_t s)
{
	assert_int_equal(taf_ring_copy_check(ring, sizeof(ring), &copy), 0);
	return taf_stall_find(&copy, &rules, s * FX_SEC, stalls, 4);
}

static void put(enum taf_kind kind, enum taf_phase phase, uint64_t at_s)
{
	struct taf_slot_body b = { .stamp = at_s * FX_SEC,
				   .row = TAF_NO_ROW,
				   .engine = TAF_ENGINE_LLAMA,
				   .kind = (uint8_t)((unsigned)kind | (unsigned)phase << 6) };

	taf_ring_put(lane, &b);
}

static void each_kind_has_its_limit(void **state)
{
	(void)state;
	assert_int_equal(found(1000), 0);
	ring_inside(lane, TAF_SUBMIT, 10 * FX_SEC);
	assert_int_equal(found(99), 0);
	assert_int_equal(found(100), 1);
	assert_int_equal(stalls[0].rule, TAF_RULE_watch_orphan_after_ms);
	assert_int_equal(stalls[0].still_ms, 90000);
	assert_int_equal(stalls[0].tid, GUEST);
	ring_inside(lane, TAF_LOAD, 10 * FX_SEC);
	assert_int_equal(found(129), 0);
	assert_int_equal(found(130), 1);
	assert_int_equal(stalls[0].rule, TAF_RULE_watch_load_after_ms);
	ring_inside(lane, TAF_INFER, 10 * FX_SEC);
	assert_int_equal(found(309), 0);
	assert_int_equal(found(310), 1);
	assert_int_equal(stalls[0].rule, TAF_RULE_watch_infer_after_ms);
	/* Stamps from the future are no reason. */
	assert_int_equal(found(5), 0);
}

/* A decode, an allocation inside a load: the load goes on. */
static void progress_begins_the_time_anew(void **state)
{
	(void)state;
	ring_inside(lane, TAF_LOAD, 10 * FX_SEC);
	put(TAF_ALLOC, TAF_END, 200);
	assert_int_equal(found(319), 0);
	assert_int_equal(found(320), 1);
	assert_int_equal(stalls[0].still_ms, 120000);
}

static void a_wait_of_ours_is_no_stall(void **state)
{
	(void)state;
	ring_inside(lane, TAF_LOAD, 10 * FX_SEC);
	put(TAF_HOLD, TAF_BEGIN, 11);
	assert_int_equal(found(100000), 0);
	put(TAF_HOLD, TAF_END, 1000);
	assert_int_equal(found(1119), 0);
	assert_int_equal(found(1120), 1);
}

static void a_lane_that_nobody_took_is_none(void **state)
{
	(void)state;
	ring_inside(lane, TAF_SUBMIT, 10 * FX_SEC);
	lane->tid = 0;
	assert_int_equal(found(1000), 0);
}

static void idle_is_outside_and_quiet(void **state)
{
	(void)state;
	ring_submit(lane, 10 * FX_SEC);
	assert_int_equal(found(0), 0);
	assert_false(taf_stall_is_idle(&copy, 10 * FX_SEC + 999 * FX_SEC / 1000, 1000));
	assert_true(taf_stall_is_idle(&copy, 11 * FX_SEC, 1000));
	ring_inside(lane, TAF_SUBMIT, 10 * FX_SEC);
	assert_int_equal(found(0), 0);
	assert_false(taf_stall_is_idle(&copy, 1000 * FX_SEC, 1000));
}

static struct taf_pressure read_pressure(const char *meminfo, const char *psi)
{
	FILE *a = fmemopen((void *)(uintptr_t)meminfo, strlen(meminfo), "r"),
	     *b = psi ? fmemopen((void *)(uintptr_t)psi, strlen(psi), "r") : NULL;
	struct taf_pressure p;

	taf_pressure_read(&p, a, b);
	fclose(a);
	if (b)
		fclose(b);
	return p;
}

static void pressure_by_the_kernel_s_files(void **state)
{
	struct taf_pressure p;

	(void)state;
	p = read_pressure("MemTotal:       1000000 kB\nMemFree: 5 kB\nMemAvailable:    330000 kB\n",
			  "some avg10=12.50 avg60=1.00 avg300=0.00 total=1\nfull avg10=9.00\n");
	assert_int_equal(p.used_pct, 66);
	assert_true(p.has_stall);
	assert_int_equal(p.stall_pct, 12);
	assert_int_equal(taf_pressure_level(&p, 67, 82), TAF_PRESSURE_NONE);
	assert_int_equal(taf_pressure_level(&p, 66, 82), TAF_PRESSURE_WARN);
	assert_int_equal(taf_pressure_level(&p, 50, 66), TAF_PRESSURE_CRITICAL);
	/* What cannot be read is no pressure. */
	p = read_pressure("MemTotal: 1000000 kB\n", NULL);
	assert_int_equal(taf_pressure_level(&p, 1, 2), TAF_PRESSURE_NONE);
	assert_false(p.has_stall);
	p = read_pressure("nonsense\n", "some avg10=-3\n");
	assert_int_equal(taf_pressure_level(&p, 1, 2), TAF_PRESSURE_NONE);
	assert_false(p.has_stall);
}

#define STALL_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STALL_TEST(each_kind_has_its_limit),	STALL_TEST(progress_begins_the_time_anew),
		STALL_TEST(a_wait_of_ours_is_no_stall), STALL_TEST(a_lane_that_nobody_took_is_none),
		STALL_TEST(idle_is_outside_and_quiet),	STALL_TEST(pressure_by_the_kernel_s_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
