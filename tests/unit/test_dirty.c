/* SPDX-License-Identifier: MIT */
/* test_dirty.c -- what the log says of a boot that ended inside a call, and of crashes. */
#include "dirty_fixture.h"

#define MLX_LOAD ",\"engine\":\"mlx\",\"call\":\"load_safetensors\",\"model\":\"tiny\""

/* A load of MLX counts from where its weights are evaluated. */
static void test_load_that_is_only_read(void **state)
{
	(void)state;
	begin(77, FX_OTHER_BOOT);
	fx_put(&f, "load", "begin", MLX_LOAD);
	save(0);
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 0);
}

static void test_load_that_is_evaluated(void **state)
{
	uint64_t of;

	(void)state;
	begin(78, FX_OTHER_BOOT);
	of = fx_put(&f, "load", "begin", MLX_LOAD);
	fx_put(&f, "note", "mark", MLX_LOAD ",\"of\":%" PRIu64, of);
	save(0);
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(seen.event[0].model, "tiny");
}

static void test_open_generation(void **state)
{
	(void)state;
	begin(77, FX_OTHER_BOOT);
	infer();
	save(0);
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 1);
	assert_true(seen.event[0].is_suspected);
	assert_int_equal(seen.event[0].severity, TAF_SEVERITY_PANIC);
	assert_string_equal(seen.event[0].class, "dirty_boot");
	assert_string_equal(seen.event[0].model, "tiny");
	assert_int_equal(seen.event[0].pid, 77);
	assert_true(seen.event[0].at.boot == taf_boot_key(FX_OTHER_BOOT));
	assert_true(seen.event[0].at.utc_ms == FX_UTC_MS);
	/* Once a boot: a second look finds nothing to do, and a second event is none. */
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 1);
}

static void test_two_sessions_one_boot(void **state)
{
	(void)state;
	begin(77, FX_OTHER_BOOT);
	infer();
	save(0);
	begin(78, FX_OTHER_BOOT);
	fx_put(&f, "load", "begin", ",\"model\":\"other\"");
	save(1000);
	check();
	assert_int_equal(seen.n_events, 1);
}

static void test_what_is_none(void **state)
{
	(void)state;
	begin(1, FX_OTHER_BOOT); /* idle */
	fx_put(&f, "infer", "end", ",\"of\":%" PRIu64,
	       fx_put(&f, "infer", "begin", ",\"model\":\"tiny\""));
	save(0);
	begin(2, FX_OTHER_BOOT); /* left in the middle, on purpose */
	infer();
	fx_put(&f, "exit", "mark", ",\"rc\":0");
	save(0);
	strcpy(machine, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
	begin(3, FX_OTHER_BOOT); /* another machine */
	infer();
	save(0);
	strcpy(machine, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	begin(4, here); /* this boot */
	infer();
	save(0);
	begin(5, FX_OTHER_BOOT); /* long ago */
	infer();
	save(0);
	utc_us += 5ull * TAF_DAY_MS * 1000;
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 0);
}

static void mark(int is_inside)
{
	fx_put(&f, "infer", "mark", ",\"inside\":%d", is_inside);
}

/* A server that sat idle when the machine was started again. */
static void test_idle(void **state)
{
	(void)state;
	begin(1, FX_OTHER_BOOT);
	mark(0);
	infer();
	infer();
	save(0);
	/* The last mark counts, whatever it stands before, in whatever segment. */
	begin(2, FX_OTHER_BOOT);
	mark(1);
	infer();
	save(0);
	fx_put(&f, "start", "mark", GUEST, machine);
	mark(0);
	save(0);
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 0);
}

static void test_in_the_middle(void **state)
{
	(void)state;
	begin(1, FX_OTHER_BOOT);
	mark(0);
	mark(1);
	infer();
	save(0);
	check();
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(seen.event[0].model, "tiny");
}

/* A load is not looked at by it. */
static void test_idle_but_loading(void **state)
{
	(void)state;
	begin(1, FX_OTHER_BOOT);
	fx_put(&f, "load", "begin", ",\"model\":\"big\"");
	mark(0);
	infer();
	save(0);
	check();
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(seen.event[0].model, "big");
}

static void test_killed_while_the_machine_went_on(void **state)
{
	(void)state;
	begin(10, FX_OTHER_BOOT);
	infer();
	save(0);
	/* `run` saw its end. */
	fx_begin(&f, 9, FX_ROOM);
	strcpy(f.boot, FX_OTHER_BOOT);
	fx_put(&f, "start", "mark", ",\"role\":\"run\"");
	fx_wait(&f, 1000);
	fx_put(&f, "exit", "mark", ",\"rc\":-9,\"pid_of_guest\":10");
	save(1000);
	check();
	assert_int_equal(seen.n_events, 0);
}

static void test_machine_lived_on(void **state)
{
	(void)state;
	begin(10, FX_OTHER_BOOT);
	infer();
	save(0);
	fx_begin(&f, 11, FX_ROOM);
	strcpy(f.boot, FX_OTHER_BOOT);
	fx_wait(&f, 11 * 60000);
	fx_put(&f, "start", "mark", GUEST, machine);
	save(11 * 60000);
	check();
	assert_int_equal(seen.n_events, 0);
}

static void test_begun_in_an_earlier_segment(void **state)
{
	(void)state;
	begin(10, FX_OTHER_BOOT);
	infer();
	save(0);
	save(0); /* the next one was made, and never written to */
	check();
	assert_int_equal(seen.n_events, 1);
}

static void test_settings(void **state)
{
	(void)state;
	begin(77, FX_OTHER_BOOT);
	infer();
	save(0);
	rules.cooldown_dirty_boot = TAF_DIRTY_OFF;
	check();
	assert_int_equal(seen.n_events, 0);
	/* Switched on later, it is found. */
	rules.cooldown_dirty_boot = TAF_DIRTY_WARN;
	check();
	assert_int_equal(seen.n_events, 1);
}

static void test_crashes(void **state)
{
	(void)state;
	/* Its own ERROR crumb, and what `run` saw of the same process. */
	begin(20, here);
	fx_put(&f, "error", "mark", ",\"call\":\"abort\",\"model\":\"m\",\"class\":\"abort\"");
	save(TAF_HOUR_MS - 1000);
	fx_begin(&f, 19, FX_ROOM);
	strcpy(f.boot, here);
	fx_put(&f, "start", "mark", ",\"role\":\"run\"");
	fx_put(&f, "exit", "mark", ",\"rc\":-6,\"pid_of_guest\":20");
	save(TAF_HOUR_MS - 1000);
	/* A signal that means a crash, and two that do not. */
	for (int i = 0; i < 3; i++) {
		begin(30 + i, here);
		fx_put(&f, "signal", "mark", ",\"call\":\"S\",\"rc\":%d",
		       i == 0	? SIGSEGV
		       : i == 1 ? SIGTERM
				: SIGINT);
		save(TAF_HOUR_MS - 1000);
	}
	fx_begin(&f, 40, FX_ROOM);
	strcpy(f.boot, here);
	fx_put(&f, "start", "mark", ",\"role\":\"run\"");
	fx_put(&f, "exit", "mark", ",\"rc\":-9,\"pid_of_guest\":41");
	save(TAF_HOUR_MS - 1000);
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_true(seen.event[i].is_abort);
		assert_int_equal(seen.event[i].severity, TAF_SEVERITY_PROCESS);
		assert_true(seen.event[i].pid == 20 || seen.event[i].pid == 30);
		assert_true(seen.event[i].at.boot == taf_boot_key(here));
	}
	/* Told once; what comes later is found by the next look. */
	check();
	assert_int_equal(seen.n_events, 2);
	utc_us += 60 * 1000000;
	begin(50, here);
	fx_put(&f, "error", "mark", ",\"class\":\"compute_failed\"");
	save(TAF_HOUR_MS + 30000);
	check();
	assert_int_equal(seen.n_events, 3);
}

static void test_breaker_opens(void **state)
{
	int err;
	struct taf_ledger *l = taf_share_enter(&err);
	struct taf_ledger_event e = { .severity = TAF_SEVERITY_PANIC };

	(void)state;
	strcpy(e.class, "iogpu_panic");
	for (uint64_t i = 1; i < 3; i++) {
		e.at = (struct taf_moment){ .boot = i, .utc_ms = utc_us / 1000 };
		e.seen = taf_moment_now();
		taf_ledger_note(l, &e);
	}
	taf_share_leave(TAF_SHARE_DURABLE);
	check();
	/* The panics are older than this boot is long. */
	assert_int_equal(seen.breaker.count, taf_moment_now().boot_ms < TAF_HOUR_MS ? 2 : 0);
}

static void test_hostile_folder(void **state)
{
	static char junk[FX_ROOM];
	char path[512];

	(void)state;
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (char)(i * 31 + i / 7);
	snprintf(path, sizeof(path), "%s/%s-5-6-000.jsonl", crumbs, FX_OTHER_BOOT);
	fx_write(path, junk, sizeof(junk));
	snprintf(path, sizeof(path), "%s/%s-5-7-000.jsonl", crumbs, FX_OTHER_BOOT);
	fx_write(path, "", 0);
	snprintf(path, sizeof(path), "%s/%s-5-8-000.jsonl", crumbs, FX_OTHER_BOOT);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s-5-9-000.jsonl", crumbs, FX_OTHER_BOOT);
	assert_int_equal(mkfifo(path, 0600), 0);
	begin(77, FX_OTHER_BOOT);
	infer();
	save(0);
	assert_int_equal(check(), 0);
	assert_int_equal(seen.n_events, 1);
	taf_share_open("/nowhere");
	strcpy(crumbs, "/nowhere/crumbs");
	check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_open_generation),
		CASE(test_load_that_is_only_read),
		CASE(test_load_that_is_evaluated),
		CASE(test_two_sessions_one_boot),
		CASE(test_what_is_none),
		CASE(test_killed_while_the_machine_went_on),
		CASE(test_machine_lived_on),
		CASE(test_begun_in_an_earlier_segment),
		CASE(test_settings),
		CASE(test_crashes),
		CASE(test_breaker_opens),
		CASE(test_hostile_folder),
		CASE(test_idle),
		CASE(test_in_the_middle),
		CASE(test_idle_but_loading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
