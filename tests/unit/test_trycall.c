/* SPDX-License-Identifier: MIT */
/* test_trycall.c -- exceptions of a real C++ runtime that meet our frames.
 *
 * Nothing here is C++: libstdc++ is opened as an engine brings it along, and what
 * is thrown is made by its own functions. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../shim/elfmap.h"
#include "../../shim/entry.h"
#include "../../shim/trycall.h"

static void *(*allocate)(size_t);
static void (*throw)(void *, void *, void (*)(void *));
static unsigned (*uncaught)(void);
static void *int_type;

static void find(void *to, void *lib, const char *name)
{
	void *p = dlsym(lib, name);

	if (!p) {
		printf("libstdc++.so.6 has no %s\n", name);
		exit(1);
	}
	memcpy(to, &p, sizeof(p));
}

static bool has_runtime(void)
{
	void *lib = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return false;
	find(&allocate, lib, "__cxa_allocate_exception");
	find(&throw, lib, "__cxa_throw");
	find(&uncaught, lib, "_ZSt19uncaught_exceptionsv");
	find(&int_type, lib, "_ZTIi");
	return true;
}

static taf_fn fn_of(uint64_t (*fn)(uint64_t, uint64_t, uint64_t, uint64_t))
{
	return (taf_fn)fn;
}

static uint64_t sum(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return a + 10 * b + 100 * c + 1000 * d;
}

static uint64_t throws(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	(void)b;
	(void)c;
	(void)d;
	throw(allocate(a), int_type, NULL);
	return 1;
}

static void returns(void **state)
{
	struct taf_try t = { .fn = fn_of(sum), .arg = { 1, 2, 3, 4 } };

	(void)state;
	assert_true(taf_try_is_ready());
	assert_true(taf_try_call(&t));
	assert_int_equal(t.result, 4321);
	t.result = 0;
	taf_pass_call(&t);
	assert_int_equal(t.result, 4321);
}

/* Swallowed, and the runtime counts it as caught. */
static void swallows(void **state)
{
	struct taf_try t = { .fn = fn_of(throws), .arg = { 16 } };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_false(taf_try_call(&t));
	assert_non_null(t.thrown);
	assert_int_equal(uncaught(), 0);
	t.fn = fn_of(sum);
	assert_true(taf_try_call(&t));
	assert_null(t.thrown);
}

static int undone;

static void undo(struct taf_try *t)
{
	undone += *(int *)t->ctx;
}

static int amount = 7;

/* The program's own frames, with our two between. */
static uint64_t passes(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct taf_try t = {
		.fn = fn_of(throws), .arg = { a, b, c, d }, .undo = undo, .ctx = &amount
	};

	taf_pass_call(&t);
	fail_msg("what was thrown did not pass");
	return 0;
}

static void undoes_and_passes(void **state)
{
	struct taf_try t = { .fn = fn_of(passes), .arg = { 16 } };

	(void)state;
	undone = 0;
	assert_false(taf_try_call(&t));
	assert_int_equal(undone, 7);
	assert_int_equal(uncaught(), 0);
}

static uint64_t refuses(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	assert_true(taf_throw("refused by a rule"));
	return 0;
}

static void throws_itself(void **state)
{
	struct taf_try t = { .fn = fn_of(refuses) };

	(void)state;
	assert_false(taf_try_call(&t));
	assert_non_null(t.thrown);
	assert_int_equal(uncaught(), 0);
}

/* More than any processor has registers for; the last one throws. */
static uint64_t many(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
		     uint64_t g, uint64_t h, uint64_t i, uint64_t j)
{
	uint64_t sum = a;
	const uint64_t rest[] = { b, c, d, e, f, g, h, i };

	for (size_t n = 0; n < sizeof(rest) / sizeof(*rest); n++)
		sum = sum * 10 + rest[n];
	if (j)
		throw(allocate(4), int_type, NULL);
	return sum;
}

#define IN_REGISTERS (sizeof(((struct taf_regs *)NULL)->arg) / 8)

/* As an entry in assembly leaves them: 1 to 9, and then last. */
static struct taf_regs *regs_of(uint64_t last)
{
	struct taf_regs *r = calloc(1, sizeof(*r) + 16 * sizeof(*r->stack));

	assert_non_null(r);
	for (uint64_t n = 0; n < 10; n++) {
		uint64_t value = n < 9 ? n + 1 : last;

		if (n < IN_REGISTERS)
			r->arg[n] = value;
		else
			r->stack[n - IN_REGISTERS] = value;
	}
	return r;
}

static void hands_on_registers_and_stack(void **state)
{
	struct taf_try t = { .fn = (taf_fn)many };
	struct taf_regs *r = regs_of(0);

	(void)state;
	taf_pass_regs(&t, r);
	assert_int_equal(t.result, 123456789);
	free(r);
}

/* What is thrown behind it passes it, and ends in the call of ours around it. */
static uint64_t passes_regs(uint64_t inner, uint64_t regs, uint64_t c, uint64_t d)
{
	union {
		uint64_t n;
		void *p;
	} t = { .n = inner }, r = { .n = regs };

	(void)c;
	(void)d;
	taf_pass_regs(t.p, r.p);
	return 1;
}

static bool is_undone, is_seen;

static void note_undo(struct taf_try *t)
{
	is_undone = t->thrown != NULL;
}

static void note_seen(struct taf_try *t)
{
	is_seen = t->thrown != NULL && !is_undone;
}

static void lets_pass_what_it_sees(void **state)
{
	struct taf_try inner = { .fn = (taf_fn)many, .undo = note_undo, .seen = note_seen };
	struct taf_regs *r = regs_of(1);
	struct taf_try outer = { .fn = fn_of(passes_regs),
				 .arg = { (uint64_t)(uintptr_t)&inner, (uint64_t)(uintptr_t)r } };

	(void)state;
	is_undone = is_seen = false;
	assert_false(taf_try_call(&outer));
	assert_true(is_seen);
	assert_true(is_undone);
	assert_int_equal(uncaught(), 0);
	free(r);
}

static void needs_a_function(void **state)
{
	struct taf_try t = { .fn = NULL };

	(void)state;
	assert_false(taf_try_call(&t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(returns),
		cmocka_unit_test(swallows),
		cmocka_unit_test(undoes_and_passes),
		cmocka_unit_test(throws_itself),
		cmocka_unit_test(needs_a_function),
		cmocka_unit_test(hands_on_registers_and_stack),
		cmocka_unit_test(lets_pass_what_it_sees),
	};

	if (!has_runtime()) {
		printf("needs libstdc++.so.6\n");
		return 77;
	}
	taf_elf_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
