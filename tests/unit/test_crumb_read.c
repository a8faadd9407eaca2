/* SPDX-License-Identifier: MIT */
/* test_crumb_read.c -- the reader of segments: what it accepts, skips and finds again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../shim/crumb.h"
#include "../../shim/crumb_read.h"
#include "crumb_fixture.h"

#define SIZE 65536

static int setup(void **state)
{
	struct fx *f = malloc(sizeof(*f));

	fx_begin(f, 77, SIZE);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void start_reading(struct taf_crumb_reader *r, const struct fx *f)
{
	taf_crumb_read_init(r, f->text, f->size, fx_seed(f));
}

static uint64_t next_seq(struct taf_crumb_reader *r)
{
	struct taf_crumb_line line;
	uint64_t seq = 0;

	if (taf_crumb_read_next(r, &line))
		taf_crumb_u64(&line, TAF_KEY_SEQ, &seq);
	return seq;
}

static void checksum_is_crc32c(void **state)
{
	struct fx *f = *state;

	assert_int_equal(taf_crc32c(0, "123456789", 9), 0xe3069283u);
	assert_int_equal(fx_crc(0, "123456789", 9), 0xe3069283u);
	f->seg = 3;
	assert_int_equal(taf_crumb_seed(f->boot, f->start, 3), fx_seed(f));
}

static void reads_every_key(void **state)
{
	struct fx *f = *state;
	struct taf_crumb_reader r;
	struct taf_crumb_line line;
	char text[64];
	uint64_t u;
	int64_t i;

	fx_put(f, "infer", "end",
	       ",\"engine\":\"llama\",\"call\":\"llama_decode\",\"model\":\"tiny\",\"ms\":12.345,"
	       "\"rc\":-9,"
	       "\"tokens\":34,\"of\":7,\"argv\":[\"a\",\"b c\",\"\"],\"pid_of_guest\":[5,6],"
	       "\"policy\":{\"n\":[1,{}],\"path\":\"/x\"},\"strange\":null");
	start_reading(&r, f);
	assert_true(taf_crumb_read_next(&r, &line));
	assert_int_equal(taf_crumb_kind(&line), TAF_INFER);
	assert_int_equal(taf_crumb_phase(&line), TAF_END);
	assert_int_equal(taf_crumb_engine(&line), TAF_ENGINE_LLAMA);
	assert_true(taf_crumb_text(&line, TAF_KEY_MODEL, text, sizeof(text)));
	assert_string_equal(text, "tiny");
	assert_true(taf_crumb_us(&line, TAF_KEY_MS, &u));
	assert_int_equal(u, 12345);
	assert_true(taf_crumb_i64(&line, TAF_KEY_RC, &i));
	assert_int_equal(i, -9);
	assert_false(taf_crumb_u64(&line, TAF_KEY_RC, &u));
	assert_false(taf_crumb_has(&line, TAF_KEY_BYTES));
	assert_false(taf_crumb_u64(&line, TAF_KEY_BYTES, &u));
	assert_true(taf_crumb_item(&line, TAF_KEY_ARGV, 1, text, sizeof(text)));
	assert_string_equal(text, "b c");
	assert_true(taf_crumb_item(&line, TAF_KEY_ARGV, 2, text, sizeof(text)));
	assert_false(taf_crumb_item(&line, TAF_KEY_ARGV, 3, text, sizeof(text)));
	assert_true(taf_crumb_item_u64(&line, TAF_KEY_PID_OF_GUEST, 1, &u));
	assert_int_equal(u, 6);
	assert_true(taf_crumb_item_u64(&line, TAF_KEY_PID, 0, &u));
	assert_int_equal(u, 77);
	assert_true(taf_crumb_member(&line, TAF_KEY_POLICY, "path", text, sizeof(text)));
	assert_string_equal(text, "/x");
	assert_false(taf_crumb_member(&line, TAF_KEY_POLICY, "none", text, sizeof(text)));
	assert_true(taf_crumb_utc_us(&line, &u));
	assert_int_equal(u, 1795255210000000);
	assert_false(taf_crumb_read_next(&r, &line));
	assert_int_equal(r.good, 1);
	assert_int_equal(r.bad, 0);
}

static void another_segment_never_validates(void **state)
{
	struct fx *f = *state, other = *f;
	struct taf_crumb_reader r;

	fx_put(f, "note", "mark", ",\"msg\":\"here\"");
	other.seg = 1;
	taf_crumb_read_init(&r, f->text, f->size, fx_seed(&other));
	assert_int_equal(next_seq(&r), 0);
	assert_int_equal(r.bad, 1);
	other = *f;
	other.start++;
	taf_crumb_read_init(&r, f->text, f->size, fx_seed(&other));
	assert_int_equal(next_seq(&r), 0);
	other = *f;
	strcpy(other.boot, FX_OTHER_BOOT);
	taf_crumb_read_init(&r, f->text, f->size, fx_seed(&other));
	assert_int_equal(next_seq(&r), 0);
}

static void damage_costs_its_own_line_only(void **state)
{
	struct fx *f = *state;
	struct taf_crumb_reader r;
	size_t second, third;

	fx_put(f, "note", "mark", ",\"msg\":\"one\"");
	second = f->used;
	fx_put(f, "note", "mark", ",\"msg\":\"two\"");
	third = f->used;
	fx_put(f, "note", "mark", ",\"msg\":\"three\"");
	f->text[second + 40] ^= 1;
	start_reading(&r, f);
	assert_int_equal(next_seq(&r), 1);
	assert_int_equal(next_seq(&r), 3);
	assert_int_equal(next_seq(&r), 0);
	assert_int_equal(r.bad, 1);
	assert_int_equal(r.bad_at, second);
	assert_false(r.is_tail_bad);
	/* The newline between the second and the third is gone: they are one line. */
	f->text[third - 1] = 'x';
	start_reading(&r, f);
	assert_int_equal(next_seq(&r), 1);
	assert_int_equal(next_seq(&r), 3);
	assert_int_equal(r.bad, 1);
}

static void a_torn_tail_is_told_apart(void **state)
{
	struct fx *f = *state;
	struct taf_crumb_reader r;
	size_t second;

	fx_put(f, "note", "mark", ",\"msg\":\"one\"");
	second = f->used;
	fx_put(f, "note", "mark", ",\"msg\":\"two\"");
	memset(f->text + second + 30, '\n', f->used - second - 30);
	start_reading(&r, f);
	assert_int_equal(next_seq(&r), 1);
	assert_int_equal(next_seq(&r), 0);
	assert_true(r.is_tail_bad);
	assert_int_equal(r.bad, 1);
}

static void the_last_record_may_lack_its_newline(void **state)
{
	struct fx *f = *state;
	struct taf_crumb_reader r;

	fx_put(f, "note", "mark", ",\"msg\":\"one\"");
	taf_crumb_read_init(&r, f->text, f->used - 1, fx_seed(f));
	assert_int_equal(next_seq(&r), 1);
	taf_crumb_read_init(&r, f->text, f->used - 2, fx_seed(f));
	assert_int_equal(next_seq(&r), 0);
}

#define NINE(seq) \
	"{\"t\":\"2026-11-21T10:00:00.000001Z\",\"boot\":\"b\",\"run\":\"r\",\"pid\":1,\"start\":" \
	"2,\"tid\":3," \
	"\"seq\":" seq ",\"mono_ns\":5,\"ev\":\"note\""

/* Each is closed by a right checksum; the text alone decides. */
static void form_counts_as_much_as_the_checksum(void **state)
{
	static const char *const wrong[] = {
		"{\"boot\":\"b\",\"t\":\"x\",\"run\":\"r\",\"pid\":1,\"start\":2,\"tid\":3,\"seq\":"
		"4,\"mono_ns\":5,\"ev\":\"note\"",
		"{\"t\":\"x\",\"boot\":\"b\"",
		NINE("4") ",\"msg\":\"a\x1b[2Jb\"",
		NINE("4") ",\"msg\":\"a\tb\"",
		NINE("4") ",\"msg\":\"\x7f\"",
		NINE("4") ",\"msg\":\"\\x41\"",
		NINE("4") ",\"msg\":\"\\u12g4\"",
		NINE("4") ",\"argv\":[\"a\"",
		NINE("4") ",\"argv\":[\"a\"}]",
		NINE("4") ",\"argv\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]"
			  "]]]]]]]",
		NINE("4") ",\"rc\":",
		NINE("4") ",\"rc\":-",
		NINE("4") ",\"rc\":nul",
		NINE("4") ",\"rc\" :1",
		NINE("4") ", \"rc\":1",
		NINE("4") ",rc:1",
		NINE("4") "}{\"rc\":1",
		"[" NINE("4"),
	};
	struct fx *f = *state;
	struct taf_crumb_reader r;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		fx_seal(f, wrong[i]);
	fx_seal(f, NINE("9") ",\"rc\":1,\"rc\":2");
	start_reading(&r, f);
	assert_int_equal(next_seq(&r), 9);
	/* The glued object in the last but one is found to be no record of its own. */
	assert_int_equal(r.bad, sizeof(wrong) / sizeof(*wrong));
	assert_int_equal(next_seq(&r), 0);
}

static void a_record_has_a_longest_length(void **state)
{
	static char long_text[4096];
	struct fx *f = *state;
	struct taf_crumb_reader r;
	size_t before, n;

	memset(long_text, 'm', sizeof(long_text));
	before = f->used;
	fx_put(f, "note", "mark", ",\"msg\":\"\"");
	n = TAF_RECORD_MAX - (f->used - before) + 1;
	fx_put(f, "note", "mark", ",\"msg\":\"%.*s\"", (int)n, long_text);
	fx_put(f, "note", "mark", ",\"msg\":\"%.*s\"", (int)n + 1, long_text);
	start_reading(&r, f);
	assert_int_equal(next_seq(&r), 1);
	assert_int_equal(next_seq(&r), 2);
	assert_int_equal(next_seq(&r), 0);
	assert_int_equal(r.bad, 1);
}

static void escapes_are_undone(void **state)
{
	struct fx *f = *state;
	struct taf_crumb_reader r;
	struct taf_crumb_line line;
	char text[64], small[8];

	fx_put(f, "note", "mark",
	       ",\"msg\":\"a\\\"\\\\\\/\\n\\u001b\\u00e9\\u0000\\ud83d\\ude00\\ud800x\\ude00\","
	       "\"model\":\"abcdef\\u00e9\"");
	start_reading(&r, f);
	assert_true(taf_crumb_read_next(&r, &line));
	assert_true(taf_crumb_text(&line, TAF_KEY_MSG, text, sizeof(text)));
	assert_string_equal(
		text, "a\"\\/\n\x1b\xc3\xa9\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbdx\xef\xbf\xbd");
	/* A sequence that does not fit is left out whole. */
	assert_true(taf_crumb_text(&line, TAF_KEY_MODEL, small, sizeof(small)));
	assert_string_equal(small, "abcdef");
	assert_false(taf_crumb_text(&line, TAF_KEY_SEQ, text, sizeof(text)));
	assert_string_equal(text, "");
}

static void numbers_do_not_overflow(void **state)
{
	struct fx *f = *state;
	struct taf_crumb_reader r;
	struct taf_crumb_line line;
	uint64_t u;
	int64_t i;

	fx_put(f, "note", "mark",
	       ",\"bytes\":18446744073709551616,\"live\":18446744073709551615,\"rc\":-"
	       "9223372036854775808,"
	       "\"ctx\":9223372036854775808,\"tokens\":1.5,\"ms\":99999999999999999999,\"of\":"
	       "\"7\",\"peak\":1e3");
	start_reading(&r, f);
	assert_true(taf_crumb_read_next(&r, &line));
	assert_false(taf_crumb_u64(&line, TAF_KEY_BYTES, &u));
	assert_int_equal(u, 0);
	assert_true(taf_crumb_u64(&line, TAF_KEY_LIVE, &u));
	assert_true(u == UINT64_MAX);
	assert_true(taf_crumb_i64(&line, TAF_KEY_RC, &i));
	assert_true(i == INT64_MIN);
	assert_false(taf_crumb_i64(&line, TAF_KEY_CTX, &i));
	assert_false(taf_crumb_u64(&line, TAF_KEY_TOKENS, &u));
	assert_false(taf_crumb_us(&line, TAF_KEY_MS, &u));
	assert_false(taf_crumb_u64(&line, TAF_KEY_OF, &u));
	assert_false(taf_crumb_u64(&line, TAF_KEY_PEAK, &u));
}

static void times_are_read(void **state)
{
	static const char *const wrong[] = { "",
					     "2026-11-21",
					     "2026-11-21T10:00:00",
					     "2026-13-21T10:00:00Z",
					     "2026-11-00T10:00:00Z",
					     "2026-11-21T24:00:00Z",
					     "1969-12-31T23:59:59Z",
					     "2026-11-21T10:00:00+01:00",
					     "2026-11-21T10:00:00Zx" };
	uint64_t us;

	(void)state;
	assert_true(taf_rfc3339_us("1970-01-01T00:00:00Z", 20, &us));
	assert_int_equal(us, 0);
	assert_true(taf_rfc3339_us("2000-02-29T12:00:00.5Z", 22, &us));
	assert_int_equal(us, 951825600500000);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(taf_rfc3339_us(wrong[i], strlen(wrong[i]), &us));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(checksum_is_crc32c, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_every_key, setup, teardown),
		cmocka_unit_test_setup_teardown(another_segment_never_validates, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_costs_its_own_line_only, setup, teardown),
		cmocka_unit_test_setup_teardown(a_torn_tail_is_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_record_may_lack_its_newline, setup,
						teardown),
		cmocka_unit_test_setup_teardown(form_counts_as_much_as_the_checksum, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_record_has_a_longest_length, setup, teardown),
		cmocka_unit_test_setup_teardown(escapes_are_undone, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_do_not_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(times_are_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
