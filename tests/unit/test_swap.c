/* SPDX-License-Identifier: MIT */
/* test_swap.c -- models that a load replaces, by what the engine holds at each moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "../../shim/life.h"
#include "../../shim/load.h"
#include "../../shim/owner.h"
#include "../../shim/swap.h"

#define MIB (1024 * 1024)
#define MODEL (100ull * MIB)

static uint64_t now_held;

static void tell(const void *home, struct taf_text *out)
{
	(void)home;
	(void)out;
}

static uint64_t held(const void *home)
{
	(void)home;
	return now_held;
}

static const struct taf_by_thread threads = { .tell = tell, .held = held };
static const struct taf_row rows[] = { { .name = 0, .kind = TAF_LOAD } };
static _Atomic(taf_fn) learned[1];
static const struct taf_table engine = { .engine = TAF_ENGINE_MLX,
					 .rows = rows,
					 .n_rows = 1,
					 .names = "read",
					 .learned = learned,
					 .by_thread = &threads };
const struct taf_table *const taf_tables[] = { &engine };
const int taf_table_count = 1;

static const struct taf_maker by = { .table = &engine };
static struct taf_call call = { .table = &engine, .kind = TAF_LOAD };
static const struct taf_work work = { .table = &engine };

static int setup(void **state)
{
	(void)state;
	taf_life.pid = getpid();
	taf_rules_default(&taf_rules);
	taf_work_forget_all();
	taf_swap_forget();
	now_held = 0;
	return 0;
}

static void held_is(uint64_t mib)
{
	now_held = mib * MIB;
}

static void load_begins(void)
{
	taf_swap_settle(&call);
	taf_swap_begin(&call);
}

static struct taf_live_model *load_ends(const char *name, bool is_evaluated)
{
	void *handle = taf_swap_handle();
	struct taf_live_model *m = taf_work_add_model(&by, handle, name);

	assert_non_null(m);
	m->bytes = MODEL;
	taf_swap_loaded(handle, is_evaluated);
	taf_swap_over();
	return m;
}

/* In memory when it is over: mib. */
static struct taf_live_model *load(const char *name, uint64_t mib)
{
	load_begins();
	held_is(mib);
	return load_ends(name, true);
}

static void generate(uint64_t before_mib, uint64_t after_mib)
{
	held_is(before_mib);
	taf_swap_look(&work);
	held_is(after_mib);
	taf_swap_note(&work);
}

static void replaced(void **state)
{
	(void)state;
	load("a", 100);
	generate(100, 110);
	load_begins();
	assert_int_equal(taf_work_models(), 0);
	assert_int_equal(taf_work_bytes(), 0);
	held_is(205);
	load_ends("b", true);
	generate(105, 115);
	assert_int_equal(taf_work_models(), 1);
	assert_true(taf_work_has_model("b"));
	load("a", 110);
	assert_int_equal(taf_work_models(), 1);
}

/* What a server keeps of caches may be more than its models take, and is in both figures. */
static void replaced_beside_caches(void **state)
{
	(void)state;
	load("a", 100);
	generate(100, 900);
	load("b", 1000);
	generate(900, 1900);
	generate(1900, 1900);
	assert_int_equal(taf_work_models(), 1);
	/* Given up before the next load began, and caches of more than two models stayed. */
	held_is(1800);
	load("c", 1900);
	generate(1900, 1950);
	generate(1950, 1990);
	assert_int_equal(taf_work_models(), 1);
	assert_true(taf_work_has_model("c"));
}

static void kept(void **state)
{
	(void)state;
	load("a", 100);
	generate(100, 110);
	load("b", 200);
	generate(200, 210);
	assert_int_equal(taf_work_models(), 1); /* the first look may be too early */
	generate(200, 210);
	assert_int_equal(taf_work_models(), 2);
	/* Now it is known: the next load finds the old one counted, and may replace the other. */
	load_begins();
	assert_int_equal(taf_work_models(), 1);
	assert_true(taf_work_has_model("a"));
}

/* One generation, and the next load asks. */
static void kept_by_the_next_load(void **state)
{
	(void)state;
	load("a", 100);
	load("b", 200);
	held_is(200);
	load_begins();
	assert_int_equal(taf_work_models(), 1);
	assert_true(taf_work_has_model("a"));
}

/* Cycles of Python's are collected late. */
static void kept_and_then_gone(void **state)
{
	(void)state;
	load("a", 100);
	generate(100, 110);
	load("b", 200);
	generate(200, 210);
	generate(200, 210);
	assert_int_equal(taf_work_models(), 2);
	generate(100, 110);
	load_begins();
	assert_int_equal(taf_work_models(), 0);
}

static void load_fails(void **state)
{
	(void)state;
	load("a", 100);
	generate(100, 110);
	load_begins();
	taf_swap_over();
	assert_int_equal(taf_work_models(), 0);
	/* The next one is tried, and the program held the old one all the while. */
	held_is(100);
	load("b", 200);
	generate(100, 110);
	generate(100, 110);
	assert_int_equal(taf_work_models(), 1);
	assert_true(taf_work_has_model("b"));
	/* It computes with what it had. */
	load_begins();
	taf_swap_over();
	generate(100, 110);
	assert_int_equal(taf_work_models(), 1);
	assert_true(taf_work_has_model("b"));
}

/* Another thread computes while weights are evaluated: that tells nothing of the load. */
static void while_it_loads(void **state)
{
	(void)state;
	load("a", 100);
	generate(100, 110);
	load_begins();
	generate(150, 160);
	generate(160, 170);
	assert_int_equal(taf_work_models(), 0);
	held_is(205);
	load_ends("b", true);
	generate(105, 115);
	assert_int_equal(taf_work_models(), 1);
	assert_true(taf_work_has_model("b"));
}

/* Neither is over with the other one, and what a rule refuses is over at once. */
static void while_two_load(void **state)
{
	(void)state;
	load("a", 100);
	load_begins();
	load_begins();
	taf_swap_over();
	generate(100, 110);
	assert_int_equal(taf_work_models(), 0);
	taf_swap_over();
	generate(100, 110);
	assert_int_equal(taf_work_models(), 1);
	assert_true(taf_work_has_model("a"));
}

/* A fork child begins anew, also where it comes back out of a load of its parent. */
static void over_in_a_fork_child(void **state)
{
	(void)state;
	load_begins();
	taf_swap_forget();
	taf_swap_over();
	load("a", 100);
	load_begins();
	generate(100, 110);
	assert_int_equal(taf_work_models(), 0);
	taf_swap_over();
	generate(100, 110);
	assert_int_equal(taf_work_models(), 1);
}

/* The load came back, its model was thrown away, and a variable holds the old one still. */
static void new_one_is_thrown_away(void **state)
{
	(void)state;
	load("a", 100);
	generate(100, 110);
	load("b", 200);
	held_is(100);
	load_begins();
	assert_int_equal(taf_work_models(), 0);
}

/* Its tensors were only read: they take nothing until they are evaluated. */
static void never_evaluated(void **state)
{
	(void)state;
	load_begins();
	load_ends("a", false);
	assert_int_equal(taf_work_models(), 1);
	load("b", 100);
	generate(100, 110);
	generate(100, 110);
	assert_int_equal(taf_work_models(), 1);
	assert_true(taf_work_has_model("b"));
}

static void evaluated_with_the_next(void **state)
{
	(void)state;
	load_begins();
	load_ends("a", false);
	load("b", 200);
	generate(200, 210);
	generate(200, 210);
	assert_int_equal(taf_work_models(), 2);
}

static void nobody_can_tell(void **state)
{
	(void)state;
	now_held = UINT64_MAX;
	load_begins();
	load_ends("a", true);
	load_begins();
	assert_int_equal(taf_work_models(), 0);
	load_ends("b", true);
	taf_swap_look(&work);
	taf_swap_look(&work);
	assert_int_equal(taf_work_models(), 1);
}

static union {
	uintptr_t n;
	void *p;
} other;

static void used_by_another_thread(void **state)
{
	struct taf_live_model *a;
	struct taf_work *w;

	(void)state;
	a = load("a", 100);
	other.n = (uintptr_t)getppid();
	w = taf_work_add(&by, other.p, a);
	w->is_inferring = true;
	atomic_store(&w->is_inside, true);
	load_begins();
	assert_int_equal(taf_work_models(), 1);
	atomic_store(&w->is_inside, false);
	w->is_inferring = false;
	load_begins();
	assert_int_equal(taf_work_models(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(replaced, setup),
		cmocka_unit_test_setup(replaced_beside_caches, setup),
		cmocka_unit_test_setup(kept, setup),
		cmocka_unit_test_setup(kept_by_the_next_load, setup),
		cmocka_unit_test_setup(kept_and_then_gone, setup),
		cmocka_unit_test_setup(load_fails, setup),
		cmocka_unit_test_setup(while_it_loads, setup),
		cmocka_unit_test_setup(while_two_load, setup),
		cmocka_unit_test_setup(over_in_a_fork_child, setup),
		cmocka_unit_test_setup(new_one_is_thrown_away, setup),
		cmocka_unit_test_setup(never_evaluated, setup),
		cmocka_unit_test_setup(evaluated_with_the_next, setup),
		cmocka_unit_test_setup(nobody_can_tell, setup),
		cmocka_unit_test_setup(used_by_another_thread, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
