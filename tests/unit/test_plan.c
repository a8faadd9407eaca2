/* SPDX-License-Identifier: MIT */
/* test_plan.c -- the largest context and the step of a prefill that memory allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../cli/plan.h"

#define GIB (1ull << 30)

static void steps(void **state)
{
	static const struct {
		uint64_t heads, context, most, step;
	} table[] = {
		/* The whole context where it is small enough. */
		{ 32, 2048, 4000000000, 2048 },
		{ 32, 7905, 4000000000, 7905 },
		/* 4 GB: a step for 131,072 tokens is not their square. */
		{ 32, 131072, 4000000000, 256 },
		{ 8, 131072, 4000000000, 1536 },
		{ 32, 32768, 4000000000, 1536 },
		/* Little memory: down to 32 tokens, never none. */
		{ 32, 131072, 1000000000, 64 },
		{ 32, 131072, 0, 32 },
		{ 32, 16, 0, 16 },
		/* Unknown. */
		{ 0, 4096, 4000000000, 0 },
		{ 32, 0, 4000000000, 0 },
		/* Nonsense does not wrap. */
		{ UINT64_MAX, UINT64_MAX, 4000000000, 32 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		uint64_t step = taf_plan_step(table[i].heads, table[i].context, table[i].most);

		if (step != table[i].step)
			fail_msg("line %zu: %llu", i, (unsigned long long)step);
	}
}

static struct taf_rules rules;
static struct taf_facts facts;
static struct taf_event load;

static struct taf_plan plan(const struct taf_model *m, uint64_t context)
{
	struct taf_question q = { &rules, &load, &facts };
	struct taf_plan p;

	load = (struct taf_event){ .kind = TAF_LOAD, .phase = TAF_BEGIN, .bytes = m->bytes };
	taf_plan_make(m, &(struct taf_cache_ask){ .context = context }, &q, &p);
	return p;
}

static void contexts(void **state)
{
	/* 1 KiB a token, f16. */
	struct taf_model m = { .bytes = GIB,
			       .heads = 8,
			       .largest = 1000,
			       .cache = { .full_k = 256, .full_v = 256, .layers = 2 } };
	struct taf_plan p;

	(void)state;
	taf_rules_default(&rules);
	facts = (struct taf_facts){ .memory = { .total = 8 * GIB, .free = 2 * GIB } };
	p = plan(&m, 4096);
	assert_int_equal(p.cache, 4096 * 1024);
	assert_int_equal(p.cache_q8, 4096 * 544);
	assert_int_equal(p.fits_f16, GIB / 1024);
	assert_int_equal(p.fits_q8, GIB / 544);
	/* What is needed beside takes part of the room. */
	facts.memory.overhead = GIB / 4;
	p = plan(&m, 4096);
	assert_int_equal(p.fits_f16, (GIB - GIB / 4) / 1024);
	/* So does what must stay free, and a limit. */
	facts.memory.overhead = 0;
	taf_rules_set_many(&rules, "memory.headroom=512MiB", NULL, NULL);
	assert_int_equal(plan(&m, 4096).fits_f16, GIB / 2 / 1024);
	taf_rules_set_many(&rules, "memory.limit=1280MiB", NULL, NULL);
	assert_int_equal(plan(&m, 4096).fits_f16, GIB / 4 / 1024);
	/* Not even the weights. */
	taf_rules_set_many(&rules, "memory.limit=512MiB", NULL, NULL);
	assert_int_equal(plan(&m, 4096).fits_f16, 0);
	/* Nobody knows how much there is. */
	taf_rules_default(&rules);
	facts.memory.total = 0;
	assert_true(plan(&m, 4096).fits_f16 == UINT64_MAX);
}

static void the_largest_allocation(void **state)
{
	struct taf_model m = { .bytes = GIB, .heads = 8, .largest = 64 };
	struct taf_plan p;

	(void)state;
	taf_rules_default(&rules);
	facts = (struct taf_facts){ .memory = { .total = 8 * GIB, .free = 8 * GIB } };
	p = plan(&m, 1024);
	assert_int_equal(p.scores, 8 * 512 * 1024 * 2);
	assert_int_equal(p.largest_alloc, p.scores);
	m.largest = GIB;
	assert_int_equal(plan(&m, 1024).largest_alloc, GIB);
	m.cache = (struct taf_cache){ .full_k = 1u << 20, .full_v = 1u << 20, .layers = 1 };
	assert_int_equal(plan(&m, 1024).largest_alloc, 4 * GIB);
	assert_int_equal(plan(&m, 1024).largest_tensor, GIB);
	/* A short context has no step of 512 tokens. */
	m = (struct taf_model){ .heads = 2 };
	assert_int_equal(plan(&m, 8).scores, 2 * 8 * 8 * 2);
	assert_int_equal(plan(&m, 8).fits_f16, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps),
		cmocka_unit_test(contexts),
		cmocka_unit_test(the_largest_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
