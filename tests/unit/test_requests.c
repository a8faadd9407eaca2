/* SPDX-License-Identifier: MIT */
/* test_requests.c -- requests as batches show them: one, several at once, one after another. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../policy/text.h"
#include "../../shim/requests.h"

static struct taf_requests r;

/* One batch whose tokens are of the sequences in text, a letter each. */
static void batch(const char *text)
{
	static int32_t numbers[256];
	const int32_t *ids[256];
	int32_t n = 0;

	for (; *text; text++, n++) {
		numbers[n] = *text - 'a';
		ids[n] = &numbers[n];
	}
	taf_requests_see(&r, n, ids);
}

static void expect(unsigned began, unsigned most)
{
	assert_int_equal(r.began, began);
	assert_int_equal(r.most, most);
	memset(&r, 0, sizeof(r));
}

static void test_requests(void **state)
{
	char prompt[200];

	(void)state;
	/* A prompt in two pieces and its tokens. */
	batch("aaaa");
	batch("aa");
	batch("a");
	batch("a");
	expect(1, 1);
	/* Another comes in, both go on, the first ends, a third takes its place. */
	batch("aaaa");
	batch("a");
	batch("abbbb");
	batch("ab");
	batch("b");
	batch("baaa");
	batch("ba");
	expect(3, 2);
	/* The next one on the same sequence, without a pause. */
	batch("aaa");
	batch("a");
	batch("aaa");
	batch("a");
	expect(2, 1);
	/* Several tokens a step, as with a draft: one request. */
	batch("aaaa");
	batch("aaa");
	batch("aaa");
	batch("aaa");
	expect(1, 1);
	/* A prompt longer than what is looked at, behind the token of another. */
	memset(prompt, 'b', sizeof(prompt));
	prompt[0] = 'a';
	prompt[150] = '\0';
	batch("aa");
	batch("a");
	batch(prompt);
	expect(2, 2);
	/* Nothing where no sequences are given, and of no tokens. */
	taf_requests_see(&r, 3, NULL);
	taf_requests_see(&r, 0, (const int32_t *const *)&state);
	taf_requests_see(&r, -1, (const int32_t *const *)&state);
	expect(0, 0);
}

static uint64_t now_ms, tokens;

/* As owner.h asks: each step takes 10 ms and gives a token for each. */
static uint32_t wide(uint32_t width)
{
	uint32_t came = 0;

	if (r.last != width || r.last_many) {
		came = taf_requests_changed(&r, width);
		taf_requests_note(&r, now_ms, tokens);
	}
	now_ms += 10;
	tokens += width;
	return came;
}

/* Batches that say only how many sequences they have; P is a prompt. */
static void widths(const char *digits)
{
	for (; *digits; digits++)
		if (*digits == 'P')
			taf_requests_prompt(&r);
		else
			wide((uint32_t)(*digits - '0'));
}

static void test_widths(void **state)
{
	(void)state;
	widths("1111");
	expect(1, 1);
	/* All at once, and they end one after the other. */
	widths("44433221");
	expect(4, 4);
	/* One comes in by itself and goes on with the others; so do three with one. */
	widths("331444");
	expect(4, 4);
	widths("113444");
	expect(4, 4);
	/* While it is begun one of the others ends. */
	widths("331333");
	expect(4, 3);
	/* Two of them end, and the next one that comes in finds one. */
	widths("33111122");
	expect(4, 3);
	/* A request that follows another one: a prompt, its first token, its second. */
	widths("1111P1111P111");
	expect(3, 1);
	/* One that comes in beside another one, and that in two pieces of its prompt. */
	widths("1111P1122");
	expect(2, 2);
	widths("111P1P1122");
	expect(2, 2);
	/* Two that come in beside one that has followed. */
	widths("111P111P1133");
	expect(4, 3);
	/* Behind several that end a prompt tells nothing. */
	widths("3331P1133");
	expect(5, 3);
	/* Of a request that follows the first token is begun twice as well. */
	widths("11P11");
	assert_int_equal(wide(1), 1);
	assert_int_equal(wide(1), 0);
	r = (struct taf_requests){ .began = 0 };
	/* Of what came in the first token is begun twice. */
	widths("33");
	assert_int_equal(wide(2), 0);
	assert_int_equal(wide(5), 2);
	assert_int_equal(wide(7), 2);
	expect(7, 7);
}

static void expect_steps(const char *digits, const char *text)
{
	char buf[512];
	struct taf_text t;

	memset(&r, 0, sizeof(r));
	now_ms = tokens = 0;
	widths(digits);
	taf_text_init(&t, buf, sizeof(buf));
	taf_requests_put_steps(&r, &t);
	assert_string_equal(buf, text);
}

static void test_steps(void **state)
{
	char buf[32];
	struct taf_text t;

	(void)state;
	expect_steps("", "");
	expect_steps("1111", "");
	expect_steps("3331333", ""); /* the one that came in is there for one that ended */
	expect_steps("11331444", ",\"batch\":[[0,1,0],[20,3,2],[50,4,9]]");
	expect_steps("3332221", ",\"batch\":[[0,3,0],[40,2,11]]"); /* seen with the next token */
	expect_steps("12121212121212121212", ",\"batch\":[[0,1,0],[10,2,1]]");
	expect_steps("123456789123456789123456789",
		     ",\"batch\":[[0,1,0],[10,2,1],[20,3,3],[30,4,6],[40,5,10],[50,6,15],"
		     "[60,7,21],[70,8,28],[80,9,36],[100,2,46],[110,3,48],[120,4,51]],"
		     "\"batch_more\":13");
	/* Where there is no room the rest of the record stays. */
	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, ",\"rate\":1.0");
	taf_requests_put_steps(&r, &t);
	assert_string_equal(buf, ",\"rate\":1.0");
	assert_false(t.is_cut);
}

static void test_text(void **state)
{
	char buf[64];
	struct taf_text t;

	(void)state;
	taf_text_init(&t, buf, sizeof(buf));
	taf_requests_put(&r, &t);
	assert_string_equal(buf, "");
	batch("aabb");
	taf_requests_put(&r, &t);
	assert_string_equal(buf, ",\"requests\":2,\"sequences\":2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
