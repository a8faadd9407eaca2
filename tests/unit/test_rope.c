/* SPDX-License-Identifier: MIT */
/* test_rope.c -- RoPE's settings: where they lie, what they amount to, what differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../shim/rope.h"

#define WORDS 32

#define ROPE_SETTING(id, name, key, value)
#define ROPE_LAYOUT(scaling, base, first) { first, scaling, base },
static const struct layout {
	uint32_t first;
	int scaling, base;
} layouts[] = {
#include "../../shim/rope.def"
};
#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

/* Defaults of a program whose settings lie so; is_newer: of 2026. */
static void lay_out(uint32_t w[WORDS], struct layout l, bool is_newer)
{
	const float older[] = { 0, 0, -1, 1, 32, 1 }, newer[] = { 0, 0, -1, -1, -1, -1 };

	for (int i = 0; i < WORDS; i++)
		w[i] = (uint32_t)i + 100;
	w[0] = l.first;
	for (int i = l.scaling; i < l.base; i++)
		w[i] = UINT32_MAX;
	memcpy(w + l.base, is_newer ? newer : older, sizeof(older));
	w[l.base + TAF_ROPE_ORIG] = 0;
}

static void each_layout_is_found(void **state)
{
	const float asked[] = { 1, 2, 3, 4, 5, 6 };
	uint32_t w[WORDS], p[WORDS];

	(void)state;
	for (size_t i = 0; i < 2 * LAYOUTS; i++) {
		int scaling = layouts[i / 2].scaling, base = layouts[i / 2].base;
		struct taf_rope_ask ask;

		lay_out(w, layouts[i / 2], i % 2);
		memset(p, 0x55, sizeof(p));
		p[scaling] = TAF_SCALING_YARN;
		memcpy(p + base, asked, sizeof(asked));
		p[base + TAF_ROPE_ORIG] = 7;
		assert_true(taf_rope_read(w, p, &ask));
		assert_int_equal(ask.scaling, TAF_SCALING_YARN);
		assert_memory_equal(ask.v, asked, sizeof(asked));
		assert_int_equal(ask.orig, 7);
	}
}

/* Of the oldest the type is a byte, and what lies behind it has no value. */
static void a_type_of_one_byte_is_read(void **state)
{
	struct taf_rope_ask ask;
	uint32_t w[WORDS];

	(void)state;
	lay_out(w, layouts[0], false);
	w[layouts[0].scaling] = 0x123456ff;
	assert_true(taf_rope_read(w, w, &ask));
	assert_int_equal(ask.scaling, TAF_SCALING_UNTOLD);
}

static bool is_listed(struct layout l)
{
	for (size_t i = 0; i < LAYOUTS; i++)
		if (layouts[i].scaling == l.scaling && layouts[i].base == l.base &&
		    layouts[i].first == l.first)
			return true;
	return false;
}

static void no_other_layout_is_taken_for_one(void **state)
{
	struct taf_rope_ask ask;
	uint32_t w[WORDS], was;

	(void)state;
	for (int i = 0; i < 3 * 20 * 20; i++) {
		struct layout l = { (uint32_t[]){ 0, 512, UINT32_MAX }[i % 3], i / 3 / 20 + 1, 0 };

		l.base = l.scaling + 1 + i / 3 % 20 % (23 - l.scaling);
		lay_out(w, l, true);
		assert_int_equal(taf_rope_read(w, w, &ask), is_listed(l));
	}
	/* Nor defaults of which one is another. */
	for (size_t i = 0; i < LAYOUTS; i++) {
		lay_out(w, layouts[i], false);
		for (int k = layouts[i].scaling; k < layouts[i].base + TAF_ROPE_SETTINGS; k++) {
			was = w[k];
			w[k] = 12345;
			assert_false(taf_rope_read(w, w, &ask));
			w[k] = was;
		}
		w[0] = 4096;
		assert_false(taf_rope_read(w, w, &ask));
	}
}

static void numbers_are_read(void **state)
{
	static const struct {
		const char *text;
		float v;
	} good[] = { { "10000.000000", 10000 }, { "0.100000", 0.1f }, { "-1.000000", -1 },
		     { "4096", 4096 },		{ "1.300000", 1.3f }, { "0.000000", 0 } };
	static const char *const bad[] = { "",	   "-",	  "nan",
					   "inf",  "1e9", "1.",
					   "1.5x", ".5",  "99999999999999999999" };
	float v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(taf_rope_number(good[i].text, &v));
		assert_memory_equal(&v, &good[i].v, sizeof(v));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(taf_rope_number(bad[i], &v));
}

static void types_are_read(void **state)
{
	int32_t scaling = 9;

	(void)state;
	assert_true(taf_rope_scaling_of("yarn", &scaling));
	assert_int_equal(scaling, TAF_SCALING_YARN);
	assert_true(taf_rope_scaling_of("none", &scaling));
	assert_int_equal(scaling, TAF_SCALING_NONE);
	assert_false(taf_rope_scaling_of("yarn2", &scaling));
	assert_int_equal(scaling, TAF_SCALING_NONE);
}

/* Nothing asked for, of a model without a word. */
static struct taf_rope_ask nothing(void)
{
	return (struct taf_rope_ask){ TAF_SCALING_UNTOLD, 0, { 0, 0, -1, -1, -1, -1 } };
}

static float setting(const struct taf_rope_used *u, enum taf_rope_setting s)
{
	float v;

	memcpy(&v, &u->bits[s], sizeof(v));
	return v;
}

static bool is_used(const struct taf_rope_ask *ask, const struct taf_rope_ask *own,
		    const float wanted[TAF_ROPE_ORIG], uint32_t orig)
{
	struct taf_rope_used u = { 0 };
	bool is_same = true;

	taf_rope_resolve(ask, own, &u);
	for (int i = 0; i < TAF_ROPE_ORIG; i++)
		is_same &= setting(&u, (enum taf_rope_setting)i) == wanted[i];
	return is_same && u.is_known && u.bits[TAF_ROPE_ORIG] == orig;
}

static void what_is_asked_for_is_resolved(void **state)
{
	struct taf_rope_ask ask = nothing(), own;

	(void)state;
	taf_rope_own(&own);
	assert_true(is_used(&ask, &own, (float[]){ 10000, 1, 0, 1, 0, 0 }, 0));
	ask.scaling = TAF_SCALING_YARN;
	assert_true(is_used(&ask, &own, (float[]){ 10000, 1, 1, 1, 32, 1 }, 0));
	ask.v[TAF_ROPE_EXT] = 0; /* asked for: no mix */
	assert_true(is_used(&ask, &own, (float[]){ 10000, 1, 0, 1, 0, 0 }, 0));
	own.scaling = TAF_SCALING_YARN;
	own.orig = 4096;
	own.v[TAF_ROPE_SCALE] = 8;
	own.v[TAF_ROPE_BASE] = 5e5f;
	own.v[TAF_ROPE_FAST] = 16;
	ask = nothing();
	assert_true(is_used(&ask, &own, (float[]){ 5e5f, 0.125f, 1, 1, 16, 1 }, 4096));
	ask = (struct taf_rope_ask){ TAF_SCALING_LINEAR, 99, { 1e6f, 0.5f, 2, 3, 4, 5 } };
	assert_true(is_used(&ask, &own, (float[]){ 1e6f, 0.5f, 2, 3, 4, 5 }, 99));
	ask.scaling = TAF_SCALING_NONE;
	assert_true(is_used(&ask, &own, (float[]){ 1e6f, 1, 2, 3, 4, 5 }, 99));
}

static const char *differs(const struct taf_rope_ask *then, const struct taf_rope_ask *now)
{
	static char buf[512];
	struct taf_rope_used a, b;
	struct taf_rope_ask own;
	struct taf_text t;

	taf_rope_own(&own);
	taf_rope_resolve(then, &own, &a);
	taf_rope_resolve(now, &own, &b);
	taf_text_init(&t, buf, sizeof(buf));
	taf_rope_compare(&a, &b, &t);
	return buf;
}

static void each_difference_is_named(void **state)
{
	struct taf_rope_ask then = nothing(), now = nothing();

	(void)state;
	assert_string_equal(differs(&then, &now), "");
	then.v[TAF_ROPE_SCALE] = 1.0f / 3;
	now.v[TAF_ROPE_SCALE] = 0.25f;
	now.v[TAF_ROPE_BASE] = 1e6f;
	assert_string_equal(differs(&then, &now), "rope_freq_base 1000000, was 10000; "
						  "rope_freq_scale 0.25, was 0.33333334");
	/* Neighbours are told apart, and what is no figure for people is shown as it is. */
	then = now = nothing();
	then.v[TAF_ROPE_SCALE] = 0.5f;
	now.v[TAF_ROPE_SCALE] = 0.50000006f;
	assert_string_equal(differs(&then, &now), "rope_freq_scale 0.50000006, was 0.5");
	now.v[TAF_ROPE_SCALE] = -0.5f;
	assert_string_equal(differs(&then, &now), "rope_freq_scale -0.5, was 0.5");
	now.v[TAF_ROPE_SCALE] = 1e10f;
	then.v[TAF_ROPE_SCALE] = __builtin_nanf("");
	assert_string_equal(differs(&then, &now), "rope_freq_scale 0x501502f9, was 0x7fc00000");
	then = now = nothing();
	then.v[TAF_ROPE_EXT] = now.v[TAF_ROPE_EXT] = 1;
	then.orig = 4096;
	now.orig = UINT32_MAX;
	assert_string_equal(differs(&then, &now), "yarn_orig_ctx 4294967295, was 4096");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_layout_is_found),
		cmocka_unit_test(a_type_of_one_byte_is_read),
		cmocka_unit_test(no_other_layout_is_taken_for_one),
		cmocka_unit_test(numbers_are_read),
		cmocka_unit_test(types_are_read),
		cmocka_unit_test(what_is_asked_for_is_resolved),
		cmocka_unit_test(each_difference_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
