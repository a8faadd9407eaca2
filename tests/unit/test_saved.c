/* SPDX-License-Identifier: MIT */
/* test_saved.c -- entries of saved states as text, and what differs between two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../shim/saved.h"
#include "../../shim/share_line.h"

static const struct taf_saved whole = {
	.path = 0x123456789abcdef0,
	.dev = 1,
	.ino = 2,
	.size = UINT64_MAX,
	.mtime_ns = 3,
	.hash = 4,
	.print = 5,
	.adapters = 6,
	.is_sequence = 1,
	.vocab = 7,
	.ctx = 8,
	.k_unit = 9,
	.v_unit = 10,
	.rope = TAF_ROPE_LONG,
	.turn = { 1, { 0x461c4000, 0x3f800000, 0, 0x3f800000, 0, 0, UINT32_MAX } },
	.name = "a \"b\"\n.bin",
	.model = "org/name@12345678",
	.engine = "v0.5.0"
};

static size_t text_of(const struct taf_saved *s, char buf[1024])
{
	struct taf_text t;

	taf_text_init(&t, buf, 1024);
	taf_saved_put(&t, s);
	assert_false(t.is_cut);
	assert_int_equal(buf[t.used - 1], '\n');
	return t.used - 1;
}

static void what_is_put_is_taken(void **state)
{
	struct taf_saved back;
	char buf[1024];
	size_t n = text_of(&whole, buf);

	(void)state;
	memset(&back, 0xff, sizeof(back));
	assert_true(taf_saved_take(buf, n, &back));
	assert_string_equal(back.name, whole.name);
	assert_string_equal(back.model, whole.model);
	assert_string_equal(back.engine, whole.engine);
	assert_memory_equal(&back, &whole, offsetof(struct taf_saved, is_link));
	assert_false(back.is_link);
}

/* The entry as it would be without what stands from one key to another. */
static size_t without(const char *from, const char *to, char buf[1024])
{
	struct taf_text t;
	size_t n = text_of(&whole, buf);
	char *first, *next;

	buf[n] = '\0';
	first = strstr(buf, from);
	next = strstr(buf, to);
	assert_non_null(first);
	*strstr(buf, " crc=") = '\0';
	memmove(first, next, strlen(next) + 1);
	n = strlen(buf);
	taf_text_init(&t, buf, 1024); /* which clears its first byte */
	buf[0] = 's';
	t.used = n;
	taf_line_end(&t, 0, TAF_SHARE_SAVED);
	return t.used - 1;
}

/* As they were before there was turn=, and rope=. */
static void an_older_entry_is_taken(void **state)
{
	struct taf_saved back;
	char buf[1024];

	(void)state;
	assert_true(taf_saved_take(buf, without(" turn=", " name=", buf), &back));
	assert_int_equal(back.rope, TAF_ROPE_LONG);
	assert_false(back.turn.is_known);
	assert_string_equal(back.name, whole.name);
	assert_true(taf_saved_take(buf, without(" rope=", " name=", buf), &back));
	assert_int_equal(back.rope, TAF_ROPE_ALIKE);
	assert_false(back.turn.is_known);
	assert_string_equal(back.name, whole.name);
}

/* The line in memory of exactly its size, so that reading past it is seen. */
static void no_damage_is_taken(void **state)
{
	struct taf_saved back;
	char buf[1024];
	size_t n = text_of(&whole, buf);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char *copy = malloc(n);

		assert_non_null(copy);
		memcpy(copy, buf, n);
		copy[i] ^= 1;
		assert_false(taf_saved_take(copy, n, &back));
		free(copy);
		copy = malloc(i + 1);
		assert_non_null(copy);
		memcpy(copy, buf, i);
		assert_false(taf_saved_take(copy, i, &back));
		free(copy);
	}
}

static const char *differs(const struct taf_saved *now)
{
	static char buf[512];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_saved_compare(&whole, now, &t);
	return buf;
}

static void each_difference_is_named(void **state)
{
	struct taf_saved now = whole;

	(void)state;
	assert_string_equal(differs(&now), "");
	now.size = 10;
	assert_string_equal(differs(&now), "bytes 10, was 18446744073709551615");
	now = whole;
	now.mtime_ns = 77;
	assert_string_equal(differs(&now), "it was written to since");
	now.ino = 77; /* a copy: its time says nothing */
	assert_string_equal(differs(&now), "");
	now.is_link = true;
	assert_string_equal(differs(&now), "the link leads to another file");
	now = whole;
	now.print = 77;
	assert_string_equal(differs(&now), "the files of the model have changed");
	strcpy(now.model, "other");
	assert_string_equal(differs(&now), "model other, was org/name@12345678");
	now.print = whole.print; /* renamed */
	assert_string_equal(differs(&now), "");
	now = whole;
	now.vocab = 1;
	now.k_unit = 2;
	strcpy(now.engine, "v0.6.0");
	now.adapters = 0;
	now.is_sequence = 0;
	now.rope = TAF_ROPE_SHORT;
	now.turn.bits[TAF_ROPE_SCALE] = 0x3f000000;
	assert_string_equal(
		differs(&now),
		"it is one sequence alone; other adapters are set; vocabulary 1, was 7; "
		"bytes of 32 keys 2, was 9; the RoPE factors of a short context, was long; "
		"rope_freq_scale 0.5, was 1; engine v0.6.0, was v0.5.0");
}

static void what_does_not_fit_is_named(void **state)
{
	struct taf_saved now = whole; /* made where there was room for 8 */

	(void)state;
	now.tokens = 5;
	now.ctx = 5;
	assert_string_equal(differs(&now), "");
	now.ctx = 4000000000u;
	assert_string_equal(differs(&now), "");
	now.ctx = 4;
	assert_string_equal(differs(&now), "room for tokens 4, was 8, and it holds 5");
	now.tokens = 9; /* more than there was room for */
	assert_string_equal(differs(&now), "");
	now.tokens = 8;
	now.ctx = 0;
	assert_string_equal(differs(&now), "");
}

static void what_is_unknown_is_not_compared(void **state)
{
	struct taf_saved now = whole;

	(void)state;
	now.vocab = now.k_unit = now.v_unit = now.print = now.ctx = now.rope = 0;
	now.model[0] = now.engine[0] = '\0';
	now.turn = (struct taf_rope_used){ 0 };
	assert_string_equal(differs(&now), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_taken),
		cmocka_unit_test(an_older_entry_is_taken),
		cmocka_unit_test(no_damage_is_taken),
		cmocka_unit_test(each_difference_is_named),
		cmocka_unit_test(what_does_not_fit_is_named),
		cmocka_unit_test(what_is_unknown_is_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
