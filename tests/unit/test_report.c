/* SPDX-License-Identifier: MIT */
/* test_report.c -- the verbs report and log on written sessions: JSON that
 * parses, stable keys, questions, and no byte that steers a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "../../cli/verbs.h"
#include "../../shim/sys.h"
#include "verb_kit.h"

static void put_all(struct fx *f, const char *text)
{
	uint64_t of;

	fx_put(f, "start", "mark",
	       ",\"v\":1,\"seg\":0,\"exe\":\"/usr/bin/node\",\"argv\":[\"node\",\"a b\",\"%s\"],"
	       "\"cwd\":\"/"
	       "\",\"label\":\"%s\",\"routes\":[\"export\",\"dlsym\"],\"boundaries\":\"exact\"",
	       text, text);
	of = fx_put(f, "load", "begin",
		    ",\"engine\":\"llama\",\"call\":\"load\",\"model\":\"%s\",\"bytes\":5", text);
	fx_wait(f, 20);
	fx_put(f, "load", "end",
	       ",\"engine\":\"llama\",\"model\":\"%s\",\"ms\":20.5,\"rc\":0,\"of\":%" PRIu64, text,
	       of);
	fx_put(f, "error", "mark", ",\"engine\":\"ggml\",\"msg\":\"%s\",\"class\":\"%s\"", text,
	       text);
	fx_put(f, "hold", "mark", ",\"rule\":\"%s\"", text);
	fx_put(f, "infer", "begin", ",\"engine\":\"llama\",\"call\":\"%s\",\"model\":\"%s\"", text,
	       text);
}

static const cJSON *get(const cJSON *object, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!v)
		fail_msg("no key %s", key);
	return v;
}

static void json_has_the_keys(void **state)
{
	static const char *const keys[] = { "pid",     "boot",	 "run",	    "exe",
					    "argv",    "start",	 "end",	    "verdict",
					    "text",    "model",	 "engines", "infers",
					    "submits", "drains", "open",    "last" };
	struct fx *f = *state;
	const cJSON *s, *open_one, *last;
	cJSON *doc;

	strcpy(f->boot, FX_OTHER_BOOT);
	put_all(f, "tiny");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_report, "--json", NULL, NULL), 0);
	doc = cJSON_Parse(out);
	assert_non_null(doc);
	assert_int_equal(cJSON_GetArraySize(get(doc, "sessions")), 1);
	s = cJSON_GetArrayItem(get(doc, "sessions"), 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		get(s, keys[i]);
	assert_int_equal(get(s, "pid")->valueint, 77);
	assert_string_equal(get(s, "verdict")->valuestring, "machine_down");
	assert_string_equal(get(s, "model")->valuestring, "tiny");
	assert_string_equal(get(s, "start")->valuestring, "2026-11-21T10:00:10.000000Z");
	assert_true(cJSON_IsNull(get(s, "end")));
	assert_string_equal(cJSON_GetArrayItem(get(s, "argv"), 1)->valuestring, "a b");
	assert_int_equal(cJSON_GetArraySize(get(s, "engines")), 2);
	assert_int_equal(get(s, "infers")->valueint, 1);
	open_one = cJSON_GetArrayItem(get(s, "open"), 0);
	assert_string_equal(get(open_one, "ev")->valuestring, "infer");
	assert_string_equal(get(open_one, "call")->valuestring, "tiny");
	assert_string_equal(get(open_one, "model")->valuestring, "tiny");
	assert_true(cJSON_IsNumber(get(open_one, "age_ms")));
	last = cJSON_GetArrayItem(get(s, "last"), 0);
	assert_int_equal(get(last, "tid")->valueint, 77);
	assert_string_equal(get(last, "ph")->valuestring, "begin");
	cJSON_Delete(doc);
}

static void assert_harmless(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '\n')
			continue;
		assert_in_range(*p, 0x20, 0xff);
		assert_int_not_equal(*p, 0x7f);
		/* C1 as UTF-8 and as a bare byte, and the bidirectional marks U+202x. */
		assert_false(*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0);
		assert_false(*p >= 0x80 && *p < 0xa0 && p[-1] < 0x80);
		assert_false(*p == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae);
	}
}

static void nothing_steers_the_terminal(void **state)
{
	static const char *const texts[] = {
		"\\u001b[2J\\u0007", "\\u009b31m",   "\\u202eevil", "\\n{\\\"t\\\":1}\\r",
		"\xc2\x9b[31m",	     "\xe2\x80\xae", "\x9b",	    "\xff\xfe"
	};
	static const char *const ways[][2] = { { "--all", NULL }, { "--all", "--json" } };
	struct fx *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		put_all(f, texts[i]);
		fx_save(f, crumbs);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(call(taf_verb_report, ways[i][0], ways[i][1], NULL), 0);
		assert_true(strlen(out) > 100);
		assert_harmless(out);
	}
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	assert_harmless(out);
	assert_int_equal(call(taf_verb_log, "--json", NULL, NULL), 0);
	assert_harmless(out);
}

static void several_sessions_are_a_question(void **state)
{
	struct fx *f = *state;

	put_all(f, "tiny");
	fx_save(f, crumbs);
	f->seg = 0;
	f->start++;
	put_all(f, "other");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_report, "--session", "77", NULL), TAF_EXIT_USAGE);
	assert_non_null(strstr(err, FX_BOOT "-77-5077"));
	assert_non_null(strstr(err, FX_BOOT "-77-5078"));
	assert_string_equal(out, "");
	assert_int_equal(call(taf_verb_log, "--session", "77", NULL), TAF_EXIT_USAGE);
	assert_int_equal(call(taf_verb_report, "--session", FX_BOOT "-77-5078", NULL), 0);
	assert_non_null(strstr(out, "other"));
	assert_int_equal(call(taf_verb_report, "--session", "77-5077", NULL), 0);
	assert_null(strstr(out, "other"));
	assert_int_equal(call(taf_verb_report, "--session", "12345", NULL), TAF_EXIT_USAGE);
	assert_int_equal(call(taf_verb_report, "--run", "0011", NULL), 0);
	assert_int_equal(call(taf_verb_report, "--run", "ffff", NULL), TAF_EXIT_USAGE);
	assert_int_equal(call(taf_verb_report, "--nonsense", NULL, NULL), TAF_EXIT_USAGE);
	assert_int_equal(call(taf_verb_report, "--all", "--run", "0011"), TAF_EXIT_USAGE);
}

static void rules_are_counted(void **state)
{
	struct fx *f = *state;
	const cJSON *s, *would, *warned;
	cJSON *doc;

	fx_put(f, "start", "mark", ",\"v\":1,\"seg\":0,\"exe\":\"/usr/bin/node\"");
	for (int i = 0; i < 2; i++)
		fx_put(f, "would", "mark",
		       ",\"rule\":\"cadence.same_model\",\"msg\":\"would wait: 5.0s of 3m 00s\"");
	fx_put(f, "would", "mark", ",\"rule\":\"drain.at_exit\",\"msg\":\"would drain\"");
	fx_put(f, "note", "mark", ",\"rule\":\"cadence.same_model\",\"msg\":\"1.0s of 3m 00s\"");
	fx_put(f, "note", "mark", ",\"rule\":\"lock.on_conflict\",\"msg\":\"held by node\"");
	fx_put(f, "note", "mark", ",\"rule\":\"policy\",\"msg\":\"no setting of that name\"");
	fx_put(f, "note", "mark", ",\"msg\":\"a remark\"");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_report, NULL, NULL, NULL), 0);
	assert_non_null(strstr(
		out, "would      cadence.same_model 2, drain.at_exit 1; the last: would drain\n"));
	assert_non_null(strstr(out, "warned     2, the last: lock.on_conflict: held by node\n"));
	assert_int_equal(call(taf_verb_report, "--json", NULL, NULL), 0);
	doc = cJSON_Parse(out);
	s = cJSON_GetArrayItem(get(doc, "sessions"), 0);
	would = cJSON_GetArrayItem(get(s, "would"), 0);
	assert_string_equal(get(would, "rule")->valuestring, "cadence.same_model");
	assert_int_equal(get(would, "count")->valueint, 2);
	warned = cJSON_GetArrayItem(get(s, "warned"), 1);
	assert_string_equal(get(warned, "rule")->valuestring, "lock.on_conflict");
	assert_true(cJSON_IsNull(get(s, "run_end")));
	cJSON_Delete(doc);
}

/* What was passed on as it was asked for, and what is let go of at the exit, limits nothing. */
static void limits_and_pieces_are_counted(void **state)
{
	struct fx *f = *state;
	const cJSON *s;
	cJSON *doc;

	fx_put(f, "start", "mark", ",\"v\":1,\"seg\":0,\"exe\":\"/usr/bin/node\"");
	fx_put(f, "limit", "end", ",\"msg\":\"asked 2 B, granted 1 B: limits.cache\"");
	fx_put(f, "limit", "mark", ",\"rule\":\"limits.cache\",\"msg\":\"granted 1 B before\"");
	fx_put(f, "limit", "mark", ",\"rule\":\"drain.at_exit\",\"msg\":\"nothing stays\"");
	fx_put(f, "limit", "end", ",\"msg\":\"asked 2 B, granted 1 B: limits.nonsense\"");
	fx_put(f, "limit", "end", ",\"msg\":\": limits.cache\"");
	fx_put(f, "limit", "end", ",\"bytes\":2");
	fx_put(f, "limit", "end", ",\"msg\":\"asked 2 B, would be granted 1 B: limits.wired\"");
	fx_put(f, "note", "mark", ",\"rule\":\"eval.chunk\",\"msg\":\"9 arrays in 3 pieces\"");
	fx_put(f, "note", "mark", ",\"rule\":\"eval.chunk\",\"msg\":\"not split: odd arrays\"");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_report, NULL, NULL, NULL), 0);
	assert_non_null(
		strstr(out, "\n  limited    limits.cache 2; the last: granted 1 B before\n"));
	assert_non_null(
		strstr(out, "\n  split      1, by rule eval.chunk: 9 arrays in 3 pieces\n"));
	assert_non_null(strstr(out, "\n  warned     1, eval.chunk: not split: odd arrays\n"));
	assert_non_null(strstr(out, "\n  would      limits.wired 1; the last: asked 2 B"));
	assert_int_equal(call(taf_verb_report, "--json", NULL, NULL), 0);
	doc = cJSON_Parse(out);
	s = cJSON_GetArrayItem(get(doc, "sessions"), 0);
	assert_int_equal(cJSON_GetArraySize(get(s, "limited")), 1);
	assert_int_equal(get(get(s, "limited")->child, "count")->valueint, 2);
	assert_string_equal(get(get(s, "limited")->child, "msg")->valuestring,
			    "granted 1 B before");
	assert_string_equal(get(get(s, "split")->child, "rule")->valuestring, "eval.chunk");
	assert_string_equal(get(get(s, "would")->child, "rule")->valuestring, "limits.wired");
	cJSON_Delete(doc);
}

/* What ended, what was under way beside it, and what a reader needs for a rate. */
static void generations_are_counted(void **state)
{
	struct fx *f = *state;
	const cJSON *s;
	cJSON *doc;
	uint64_t of;

	strcpy(f->boot, FX_OTHER_BOOT);
	fx_put(f, "start", "mark", ",\"v\":1,\"seg\":0,\"exe\":\"/usr/bin/node\"");
	of = fx_put(f, "infer", "begin", ",\"engine\":\"mlx\"");
	fx_wait(f, 300);
	fx_put(f, "infer", "begin", ",\"engine\":\"mlx\"");
	fx_wait(f, 200);
	fx_put(f, "infer", "end", ",\"engine\":\"mlx\",\"ms\":500.0,\"tokens\":5,\"of\":%" PRIu64,
	       of);
	fx_wait(f, 100);
	fx_put(f, "note", "mark", ",\"msg\":\"a remark\"");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_report, "--json", NULL, NULL), 0);
	doc = cJSON_Parse(out);
	s = cJSON_GetArrayItem(get(doc, "sessions"), 0);
	assert_int_equal(get(s, "infers")->valueint, 2);
	assert_int_equal(get(s, "infers_ended")->valueint, 1);
	assert_int_equal(get(s, "at_once")->valueint, 2);
	assert_int_equal(get(s, "infer_ms")->valueint, 600);
	assert_int_equal(get(s, "ended_ms")->valueint, 500);
	assert_int_equal(get(s, "overlap_ms")->valueint, 200);
	assert_true(cJSON_IsFalse(get(s, "infer_end_inferred")));
	cJSON_Delete(doc);
}

static void a_drain_is_missed_for_a_reason(void **state)
{
	static const char *const msg[] = {
		"not drained: its thread is idle, and only that thread may synchronize what it "
		"submitted last",
		"not drained: the deadline passed",
	};
	struct fx *f = *state;

	for (int is_deadline = 0; is_deadline < 2; is_deadline++) {
		fx_begin(f, 4242 + is_deadline, FX_ROOM);
		fx_put(f, "start", "mark", ",\"v\":1,\"seg\":0,\"exe\":\"/usr/bin/node\"");
		fx_put(f, "drain", "mark",
		       ",\"engine\":\"mlx\",\"rc\":-110,\"rule\":\"drain.at_exit\",\"msg\":\"%s\"",
		       msg[is_deadline]);
		fx_put(f, "exit", "end", ",\"rc\":0");
		fx_save(f, crumbs);
		assert_int_equal(
			call(taf_verb_report, "--session", is_deadline ? "4243" : "4242", NULL), 0);
		assert_int_equal(!strstr(out, "no deadline helps"), is_deadline);
		assert_int_equal(!strstr(out, "raise it in the policy"), !is_deadline);
	}
}

/* A shell that died after its children: none of their sessions knows. */
static void the_end_of_the_run_is_told(void **state)
{
	struct fx *f = *state, r;
	const cJSON *end;
	cJSON *doc;

	fx_put(f, "start", "mark", ",\"v\":1,\"seg\":0,\"exe\":\"/usr/bin/node\"");
	fx_put(f, "exit", "end", ",\"rc\":0");
	fx_save(f, crumbs);
	fx_begin(&r, 70, SIZE);
	r.mono_ns = f->mono_ns;
	fx_put(&r, "start", "mark", ",\"v\":1,\"role\":\"run\",\"exe\":\"/bin/bash\"");
	fx_put(&r, "exit", "mark", ",\"call\":\"run\",\"rc\":0,\"pid_of_guest\":77");
	fx_save(&r, crumbs);
	assert_int_equal(call(taf_verb_report, NULL, NULL, NULL), 0);
	assert_null(strstr(out, "the run: "));
	for (int i = 71; i < 73; i++)
		fx_put(&r, "exit", "mark", ",\"call\":\"run\",\"rc\":-11,\"pid_of_guest\":%d", i);
	fx_save(&r, crumbs);
	assert_int_equal(call(taf_verb_report, NULL, NULL, NULL), 0);
	assert_non_null(strstr(out,
			       "the run: bash (pid 72), which used no engine itself, was killed "
			       "by SIGSEGV; it was the last of 2\n"));
	assert_int_equal(call(taf_verb_report, "--json", NULL, NULL), 0);
	doc = cJSON_Parse(out);
	end = get(cJSON_GetArrayItem(get(doc, "sessions"), 0), "run_end");
	assert_int_equal(get(end, "rc")->valueint, -11);
	assert_int_equal(get(end, "pid")->valueint, 72);
	assert_int_equal(get(end, "starts")->valueint, 2);
	assert_string_equal(get(end, "signal")->valuestring, "SIGSEGV");
	cJSON_Delete(doc);
}

static void nothing_there_is_said(void **state)
{
	(void)state;
	assert_int_equal(call(taf_verb_report, NULL, NULL, NULL), 0);
	assert_non_null(strstr(out, crumbs));
	assert_non_null(strstr(out, "No run is recorded in "));
	assert_int_equal(call(taf_verb_report, "--json", NULL, NULL), 0);
	assert_string_equal(out, "{\"sessions\":[],\"refused_start\":null,\"held_start\":null}\n");
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), TAF_EXIT_FAILED);
	assert_non_null(strstr(err, crumbs));
}

static void the_verdict_stands_once(void **state)
{
	struct fx *f = *state;
	char name[128];

	taf_sys_boot_id(f->boot);
	put_all(f, "tiny");
	fx_save(f, crumbs);
	snprintf(name, sizeof(name), "%s-77-5077", f->boot);
	assert_int_equal(call(taf_verb_report, "--session", name, NULL), 0);
	assert_non_null(strstr(out, "\n  killed at least "));
	assert_non_null(strstr(out, "\n  ring       gone or damaged: "));
	strcpy(f->boot, FX_OTHER_BOOT);
	f->seg = 0;
	put_all(f, "tiny");
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_report, "--session", FX_OTHER_BOOT "-77-5077", NULL), 0);
	assert_non_null(strstr(out, "\n  machine_down the machine went down "));
}

static void damage_is_counted(void **state)
{
	struct fx *f = *state;

	put_all(f, "tiny");
	f->text[f->used - 40] ^= 1;
	fx_save(f, crumbs);
	assert_int_equal(call(taf_verb_report, NULL, NULL, NULL), 0);
	assert_non_null(strstr(out, "1 line of " FX_BOOT "-77-5077-000.jsonl skipped"));
	assert_int_equal(call(taf_verb_log, NULL, NULL, NULL), 0);
	assert_non_null(strstr(err, "1 damaged line of " FX_BOOT "-77-5077-000.jsonl"));
}

static void several_processes_are_a_tree(void **state)
{
	struct fx *f = *state, child;

	fx_put(f, "start", "mark", ",\"argv\":[\"parent\"],\"ppid\":1");
	fx_put(f, "exit", "begin", ",\"call\":\"exit\",\"rc\":0");
	fx_save(f, crumbs);
	fx_begin(&child, 78, SIZE);
	fx_put(&child, "start", "mark", ",\"argv\":[\"child\"],\"ppid\":77");
	fx_save(&child, crumbs);
	/* Claims to be its own grandparent: shown once all the same. */
	child.pid = 79;
	child.seg = 0;
	fx_put(&child, "start", "mark", ",\"argv\":[\"loop\"],\"ppid\":80");
	fx_save(&child, crumbs);
	child.pid = 80;
	child.seg = 0;
	fx_put(&child, "start", "mark", ",\"argv\":[\"pool\"],\"ppid\":79");
	fx_save(&child, crumbs);
	assert_int_equal(call(taf_verb_report, NULL, NULL, NULL), 0);
	assert_non_null(strstr(out, "4 processes"));
	assert_true(place_of("77 ") < place_of("  78 "));
	place_of("loop");
	place_of("pool");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(json_has_the_keys),
		TEST(nothing_steers_the_terminal),
		TEST(several_sessions_are_a_question),
		TEST(rules_are_counted),
		TEST(limits_and_pieces_are_counted),
		TEST(generations_are_counted),
		TEST(a_drain_is_missed_for_a_reason),
		TEST(the_end_of_the_run_is_told),
		TEST(nothing_there_is_said),
		TEST(the_verdict_stands_once),
		TEST(damage_is_counted),
		TEST(several_processes_are_a_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
