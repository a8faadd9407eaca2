/* SPDX-License-Identifier: MIT */
/* test_sessions.c -- what belongs together: segments, sessions, runs, the record of `run`. */
#include "story_fixture.h"

static void segments_make_one_session(void **state)
{
	struct fx *f = *state;
	struct taf_trail *t;
	uint64_t of;

	put_start(f);
	put_load(f);
	of = put_infer(f);
	fx_save(f, crumbs);
	fx_put(f, "start", "mark", ",\"v\":1,\"seg\":1");
	put_infer_end(f, of);
	fx_save(f, crumbs);
	t = load(GUEST);
	assert_int_equal(trails.n, 1);
	assert_int_equal(t->n_files, 2);
	assert_int_equal(t->n_past, 6);
	assert_string_equal(t->run, FX_RUN);
	assert_int_equal(t->bad, 0);
	assert_int_equal(t->past[3].mate, 6);
	assert_int_equal(t->past[5].mate, 4);
	assert_int_equal(t->past[5].image, 0);
	assert_true(taf_trail_is_named(t, "77"));
	assert_true(taf_trail_is_named(t, FX_BOOT "-77-5077"));
	assert_true(taf_trail_is_named(t, "77-5077"));
	assert_true(taf_trail_is_named(t, "0123456789ab"));
	assert_false(taf_trail_is_named(t, "7"));
	assert_false(taf_trail_is_named(t, "x"));
}

static void names_are_read_strictly(void **state)
{
	static const char *const wrong[] = {
		"",
		"x",
		FX_BOOT,
		FX_BOOT "-1-2",
		FX_BOOT "-1-2-000.json",
		FX_BOOT "-1-2-.jsonl",
		FX_BOOT "-0-2-000.jsonl",
		FX_BOOT "-1-2-000.jsonl~",
		FX_BOOT "--1-2-000.jsonl",
		FX_BOOT "-99999999999-2-000.jsonl",
		FX_BOOT "-1-99999999999999999999999-000.jsonl",
		FX_BOOT "-1-2-99999999999.jsonl",
		"0123456789ABCDEF0123456789abcdef-1-2-000.jsonl",
	};
	struct taf_trail id;
	uint32_t seg;

	(void)state;
	memset(&id, 0, sizeof(id));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(taf_segment_name(wrong[i], &id, &seg));
	assert_true(taf_segment_name(FX_BOOT "-12-34-1005.jsonl", &id, &seg));
	assert_int_equal(id.pid, 12);
	assert_int_equal(id.start, 34);
	assert_int_equal(seg, 1005);
	assert_string_equal(id.id, FX_BOOT "-12-34");
}

static void runs_are_found(void **state)
{
	struct fx *f = *state, old;
	struct taf_trail *newest;

	fx_begin(&old, 60, SIZE);
	strcpy(old.boot, FX_OTHER_BOOT);
	strcpy(old.run, "aaaaaaaaaaaaaaaa");
	old.mono_ns = 9000 * FX_SEC; /* the clock ran ahead under the other boot */
	put_start(&old);
	fx_save(&old, crumbs);
	put_start(f);
	fx_save(f, crumbs);
	fx_wait(f, 1000);
	put_runner(f, 0, "");
	load(GUEST);
	assert_int_equal(trails.n, 3);
	newest = taf_trails_newest(&trails, false);
	assert_int_equal(newest->pid, GUEST);
	assert_true(taf_trail_is_guest(newest));
	newest = taf_trails_newest(&trails, true);
	assert_int_equal(newest->pid, RUNNER);
	assert_true(taf_trail_is_run(newest));
	assert_ptr_equal(taf_trails_runner(&trails, FX_RUN), newest);
	assert_null(taf_trails_runner(&trails, "aaaaaaaaaaaaaaaa"));
	assert_null(taf_trails_runner(&trails, ""));
}

static void only_the_named_guest_ended_so(void **state)
{
	struct fx *f = *state, child;
	struct taf_trail *t;
	struct taf_ending end;

	put_start(f);
	fx_save(f, crumbs);
	fx_begin(&child, 78, SIZE);
	fx_put(&child, "start", "mark", ",\"ppid\":%d", GUEST);
	fx_save(&child, crumbs);
	fx_wait(f, 100);
	put_runner(f, -9, "");
	t = load(78);
	taf_trail_load(taf_trails_runner(&trails, FX_RUN), crumbs);
	taf_ending_find(t, taf_trails_runner(&trails, FX_RUN), &end);
	assert_false(end.is_known);
	t = load(GUEST);
	taf_trail_load(taf_trails_runner(&trails, FX_RUN), crumbs);
	taf_ending_find(t, taf_trails_runner(&trails, FX_RUN), &end);
	assert_true(end.is_known);
	assert_int_equal(end.rc, -9);
	/* A process that began after that guest had ended only has its pid. */
	t->first_ns = end.mono_ns + 1;
	taf_ending_find(t, taf_trails_runner(&trails, FX_RUN), &end);
	assert_false(end.is_known);
}

static void links_and_strange_files_are_not_followed(void **state)
{
	struct fx *f = *state;
	char path[512], target[512];
	struct taf_trail *t;

	put_start(f);
	fx_save(f, state_dir);
	snprintf(target, sizeof(target), "%s/" FX_BOOT "-77-5077-000.jsonl", state_dir);
	snprintf(path, sizeof(path), "%s/" FX_BOOT "-77-5077-000.jsonl", crumbs);
	assert_int_equal(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/" FX_BOOT "-77-5077-001.jsonl", crumbs);
	assert_int_equal(mkfifo(path, 0600), 0);
	t = load(GUEST);
	assert_int_equal(t->n_past, 0);
	assert_int_equal(t->files[0].err, -ELOOP);
	assert_int_equal(t->files[1].err, -EINVAL);
	snprintf(path, sizeof(path), "%s/none", crumbs);
	taf_trails_free(&trails);
	assert_int_equal(taf_trails_scan(&trails, path, &world), 0);
	assert_int_equal(trails.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(segments_make_one_session),
		TEST(names_are_read_strictly),
		TEST(runs_are_found),
		TEST(only_the_named_guest_ended_so),
		TEST(links_and_strange_files_are_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
