/* SPDX-License-Identifier: MIT */
/* test_crumb_write.c -- records as they stand in the file: form, escapes,
 * checksums, cuts, and how durable each is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../shim/rec.h"
#include "crumb_kit.h"
#include "trap.h"

/* Line number of the first segment, as JSON. */
static cJSON *line_of(unsigned number)
{
	size_t n = 0;
	char *text = slurp(0, &n), *save = NULL, *line = strtok_r(text, "\n", &save);
	cJSON *o;

	while (number-- && line)
		line = strtok_r(NULL, "\n", &save);
	o = line ? cJSON_Parse(line) : NULL;
	free(text);
	return o;
}

static const char *text_of(const cJSON *o, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(o, key));

	return s ? s : "";
}

static double number_of(const cJSON *o, const char *key)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(o, key));
}

static void write_everything(void)
{
	static const char *const order[] = { "engine",	"call", "model",    "bytes", "ms",
					     "rc",	"rule", "class",    "ctx",   "tokens",
					     "submits", "peak", "kv_bytes", "live",  "handles",
					     "msg",	"of",	"rate",	    "crc" };
	struct taf_rec r = { .kind = TAF_INFER,
			     .phase = TAF_END,
			     .engine = TAF_ENGINE_LLAMA,
			     .has = 0x7ff,
			     .call = "llama_decode",
			     .model = "tiny",
			     .rule = "drain.post_sync",
			     .class = "oom",
			     .msg = "done",
			     .extra = ",\"rate\":1.5",
			     .bytes = UINT64_MAX,
			     .ctx = 1,
			     .tokens = 2,
			     .submits = 3,
			     .peak = 4,
			     .kv_bytes = 5,
			     .live = 6,
			     .handles = 7,
			     .of = 1,
			     .us = 1234005,
			     .rc = -7 };
	struct tally t;
	const cJSON *m;
	cJSON *o;

	MUST(!open_log(0));
	MUST(taf_crumb(&r) == 2);
	o = line_of(1);
	m = cJSON_GetObjectItem(o, "ph");
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		m = m->next;
		MUST(m && !strcmp(m->string, order[i]));
	}
	MUST(!m->next);
	MUST(!strcmp(text_of(o, "ev"), "infer") && !strcmp(text_of(o, "ph"), "end"));
	MUST(!strcmp(text_of(o, "engine"), "llama") &&
	     !strcmp(text_of(o, "run"), "0123456789abcdef"));
	MUST(number_of(o, "rc") == -7 && number_of(o, "kv_bytes") == 5 && number_of(o, "of") == 1);
	MUST(number_of(o, "pid") == getpid() && number_of(o, "tid") == gettid());
	cJSON_Delete(o);
	o = line_of(0);
	MUST(!strcmp(text_of(o, "ev"), "start") && number_of(o, "v") == 1 &&
	     number_of(o, "pid_ns") == 7);
	MUST(!access(text_of(o, "ring"), F_OK));
	cJSON_Delete(o);
	MUST(examine_all(&t) && t.lines == 2 && !t.holes);
	taf_crumb_close();
	MUST(examine_all(&t) && t.lines == 2);
}

static void test_keys_and_their_order(void **state)
{
	(void)state;
	in_clean_child(write_everything);
}

static void test_form_of_numbers_and_time(void **state)
{
	static const struct {
		uint64_t us;
		const char *t;
	} times[] = { { 0, "1970-01-01T00:00:00.000000Z" },
		      { 951782399999999, "2000-02-28T23:59:59.999999Z" },
		      { 951868799000001, "2000-02-29T23:59:59.000001Z" },
		      { 1795255200123456, "2026-11-21T10:00:00.123456Z" },
		      { 4107542400000000, "2100-03-01T00:00:00.000000Z" } };
	struct taf_rec r = { .kind = TAF_LOAD,
			     .phase = TAF_END,
			     .has = TAF_HAS_MS | TAF_HAS_BYTES,
			     .us = 1234005,
			     .bytes = UINT64_MAX };
	struct taf_rec_who who = {
		.boot = "b", .run = "r", .pid = 1, .tid = 3, .start = 2, .seq = 4, .mono_ns = 5
	};
	char buf[TAF_RECORD_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		who.utc_us = times[i].us;
		buf[taf_rec_format(buf, &who, &r)] = '\0';
		assert_memory_equal(buf + 6, times[i].t, 27);
	}
	assert_non_null(strstr(buf, "\",\"boot\":\"b\",\"run\":\"r\",\"pid\":1,\"start\":2,\"tid\":"
				    "3,\"seq\":4,\"mono_ns\":5,"
				    "\"ev\":\"load\",\"ph\":\"end\",\"bytes\":18446744073709551615,"
				    "\"ms\":1234.005,\"crc\":\""));
	assert_int_equal(buf[strlen(buf) - 1], '\n');
}

static void test_checksum(void **state)
{
	char text[300], seed[] = "0123456789abcdef0123456789abcdef-77-003";

	(void)state;
	assert_int_equal(taf_crc32c(0, "123456789", 9), 0xe3069283);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 37);
	for (size_t from = 0; from < 9; from++)
		for (size_t n = 0; from + n < sizeof(text); n += 7) {
			assert_int_equal(taf_crc32c(0, text + from, n),
					 slow_crc(0, text + from, n));
			assert_int_equal(taf_crc32c(taf_crc32c(0, text, from), text + from, n),
					 slow_crc(0, text, from + n));
		}
	assert_int_equal(taf_crumb_seed("0123456789abcdef0123456789abcdef", 77, 3),
			 slow_crc(0, seed, sizeof(seed) - 1));
}

static void write_hostile_text(void)
{
	static const char *const evil[] = {
		"a\nb\",\"ev\":\"exit\"}\n{\"t\":\"",
		"\x1b[2J\x07\r\t\x7f",
		"\\\\\"",
		"\xff\xfe\x80",
		"\xc2\x9b"
		"31m",
		"gr\xc3\xbc\xc3\x9f \xe2\x82\xac",
		"\xe2\x80\xae"
		"txt.exe",
		"\xed\xa0\x80",
	};
	struct tally t;

	MUST(!open_log(0));
	for (size_t i = 0; i < sizeof(evil) / sizeof(*evil); i++) {
		struct taf_rec r = { .kind = TAF_NOTE,
				     .call = evil[i],
				     .model = evil[i],
				     .rule = evil[i],
				     .class = evil[i],
				     .msg = evil[i] };
		cJSON *o;

		MUST(taf_crumb(&r) == i + 2);
		o = line_of((unsigned)i + 1);
		MUST(o && !strcmp(text_of(o, "ev"), "note"));
		if (i == 0 || i == 2 || i == 5)
			MUST(!strcmp(text_of(o, "msg"), evil[i]) &&
			     !strcmp(text_of(o, "model"), evil[i]));
		cJSON_Delete(o);
	}
	MUST(examine_all(&t) && t.lines == 1 + sizeof(evil) / sizeof(*evil));
	taf_crumb_close();
}

static void test_hostile_text(void **state)
{
	(void)state;
	in_clean_child(write_hostile_text);
}

static void write_too_much(void)
{
	static char big[20000], wide[20001], members[5000];
	struct taf_rec r = {
		.kind = TAF_NOTE, .call = "f", .msg = big, .has = TAF_HAS_OF, .of = 9
	};
	struct tally t;
	cJSON *o;

	memset(big, 'm', sizeof(big) - 1);
	for (size_t i = 0; i + 1 < sizeof(wide); i++)
		wide[i] = i % 2 ? (char)0xbc : (char)0xc3; /* one letter of two bytes */
	snprintf(members, sizeof(members), ",\"x\":\"%.*s\"", 4000, big);
	MUST(!open_log(0));
	MUST(taf_crumb(&r) == 2);
	o = line_of(1);
	MUST(strlen(text_of(o, "msg")) > 3000 && number_of(o, "of") == 9);
	/* Escapes six times as long, then letters of two bytes: none cut in half. */
	memset(big, 1, sizeof(big) - 1);
	MUST(taf_crumb(&r) == 3);
	o = line_of(2);
	MUST(strlen(text_of(o, "msg")) > 350);
	r.msg = wide;
	MUST(taf_crumb(&r) == 4);
	o = line_of(3);
	MUST(strlen(text_of(o, "msg")) > 2000 && !strstr(text_of(o, "msg"), "\xef\xbf\xbd"));
	/* Members do not fit: all of them go, the rest stays. */
	r.extra = members;
	r.msg = "short";
	MUST(taf_crumb(&r) == 5);
	o = line_of(4);
	MUST(!cJSON_GetObjectItem(o, "x") && !strcmp(text_of(o, "msg"), "short"));
	/* Every text too long. */
	memset(big, '"', sizeof(big) - 1);
	r.call = r.model = r.rule = r.class = r.msg = big;
	r.has = 0x7ff;
	MUST(taf_crumb(&r) == 6);
	o = line_of(5);
	MUST(strlen(text_of(o, "model")) == 64 && number_of(o, "of") == 9);
	MUST(examine_all(&t) && t.lines == 6);
	taf_crumb_close();
}

static void test_too_long_is_cut(void **state)
{
	(void)state;
	in_clean_child(write_too_much);
}

static unsigned flushes;

static long count_flush(const unsigned long long *a)
{
	(void)a;
	flushes++;
	return 0;
}

static unsigned flushes_of(enum taf_kind kind, enum taf_phase phase, enum taf_durability keep)
{
	struct taf_rec r = { .kind = kind, .phase = phase, .keep = keep };
	unsigned before = flushes;

	taf_crumb(&r);
	return flushes - before;
}

static void write_by_worth(void)
{
	struct taf_lane *lane;
	uint64_t records, seq;
	unsigned synced = 0;
	struct tally t;

	MUST(!open_log(0));
	if (!trap_calls(SYS_fdatasync, count_flush))
		_exit(77);
	lane = taf_ring_take_lane();
	MUST(lane->next == 1);
	MUST(flushes_of(TAF_LOAD, TAF_BEGIN, TAF_KEEP_NONE) == 1);
	MUST(flushes_of(TAF_LOAD, TAF_END, TAF_KEEP_LOG) == 0);
	MUST(flushes_of(TAF_NOTE, TAF_MARK, TAF_KEEP_NONE) == 0);
	MUST(flushes_of(TAF_NOTE, TAF_MARK, TAF_KEEP_SYNC) == 1);
	MUST(lane->next == 5);
	/* In the ring only; nowhere. */
	seq = taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE });
	MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_SUBMIT }) == 0);
	MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_LOAD, .keep = TAF_KEEP_RING }) == 0);
	MUST(lane->next == 8);
	MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_LOOKUP }) == 0);
	MUST(lane->next == 8);
	MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE }) == seq + 1);
	/* A flood of generations: at most ten flushes in each second that passes. */
	records = taf_sys_mono_ns() / 1000000000;
	for (int i = 0; i < 200; i++)
		synced += flushes_of(TAF_INFER, TAF_BEGIN, TAF_KEEP_NONE);
	records = taf_sys_mono_ns() / 1000000000 - records + 1;
	MUST(synced >= 10 && synced <= 10 * records);
	MUST(examine_all(&t) && t.lines == 1 + 4 + 2 + 200 && !t.holes);
	taf_crumb_close();
}

static void test_each_as_durable_as_its_kind(void **state)
{
	(void)state;
	in_clean_child(write_by_worth);
}

static void write_with_a_huge_head(void)
{
	static char big[TAF_RECORD_MAX];
	cJSON *o;

	snprintf(big, sizeof(big), ",\"v\":1,\"exe\":\"%3400d\"", 1);
	taf_copy(session.dir, dir, sizeof(session.dir));
	taf_copy(session.ring_dir, dir, sizeof(session.ring_dir));
	taf_sys_boot_id(session.boot);
	session.pid = getpid();
	session.start = taf_sys_start_ticks(0);
	session.head = big;
	MUST(!taf_crumb_open(&session));
	o = line_of(0);
	MUST(o && number_of(o, "v") == 1 && number_of(o, "seg") == 0 &&
	     !cJSON_GetObjectItem(o, "exe"));
	taf_crumb_close();
}

static void test_head_that_does_not_fit(void **state)
{
	(void)state;
	in_clean_child(write_with_a_huge_head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_and_their_order),
		cmocka_unit_test(test_form_of_numbers_and_time),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_too_long_is_cut),
		cmocka_unit_test(test_each_as_durable_as_its_kind),
		cmocka_unit_test(test_head_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
