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
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
