/* SPDX-License-Identifier: MIT */
/* test_report_infer.c -- the rows of generations and drains: time, rate, how many at once, also of
 * what had not ended. */
#include "story_fixture.h"

#include "../../cli/report.h"

static char page_text[8192];

/* The rows of the session, told anew. */
static void rows(void)
{
	struct taf_page page = { .story = &story, .trails = &trails, .world = &world };
	FILE *out = fmemopen(page_text, sizeof(page_text), "w");

	assert_non_null(out);
	tell();
	page.trail = load(GUEST);
	taf_report_phases(out, &page);
	fclose(out);
}

#define ROW(row) \
	do { \
		rows(); \
		if (!strstr(page_text, row "\n")) \
			fail_msg("\"%s\" lacks \"%s\"", page_text, row); \
	} while (0)

static void put_three(struct fx *f)
{
	put_start(f);
	for (int i = 0; i < 3; i++)
		put_infer(f);
	fx_wait(f, 1081);
	fx_save(f, crumbs);
}

static void three_that_were_killed(void **state)
{
	struct fx *f = *state;

	put_three(f);
	put_runner(f, -SIGKILL, "killed by SIGKILL");
	ROW("inference  3 generations, 1.3s in all, at most 3 at once, more than one for 1.2s, "
	    "3 did not end");
	assert_int_equal(story.infer_time.us, 1281000);
	assert_int_equal(story.infers_ended, 0);
	assert_int_equal(story.infers_at_once, 3);
}

/* Nobody saw the end: it is the last record, with which the third began. */
static void three_that_vanished(void **state)
{
	struct fx *f = *state;

	put_three(f);
	ROW("inference  3 generations, 200ms in all, at most 3 at once, more than one for 100ms, "
	    "3 did not end");
}

static void three_under_way(void **state)
{
	struct fx *f = *state;

	put_three(f);
	alive_pid = GUEST;
	world.mono_ns = f->mono_ns + 1000000000;
	ROW("inference  3 generations, 2.3s in all, at most 3 at once, more than one for 2.2s, "
	    "3 are under way");
}

/* What is open has no tokens yet. */
static void the_rate_is_of_those_that_ended(void **state)
{
	struct fx *f = *state;

	put_start(f);
	put_infer_end(f, put_infer(f));
	put_infer(f);
	fx_wait(f, 4000);
	fx_save(f, crumbs);
	put_runner(f, -SIGKILL, "killed by SIGKILL");
	ROW("inference  2 generations, 5.0s in all, 20 tokens in 1 that ended (20.0/s), 8 submits, "
	    "at most 13 tokens in one, one did not end");
}

/* The time in a record goes back to before its begin was written. */
static void one_behind_the_other(void **state)
{
	struct fx *f = *state;
	uint64_t of;

	put_start(f);
	for (int i = 0; i < 3; i++) {
		of = fx_put(f, "infer", "begin", ",\"engine\":\"mlx\",\"model\":\"tiny\"");
		fx_wait(f, 100);
		fx_put(f, "infer", "end",
		       ",\"engine\":\"mlx\",\"ms\":100.700,\"tokens\":4,\"of\":%" PRIu64, of);
	}
	fx_save(f, crumbs);
	ROW("inference  3 generations, 300ms in all, 12 tokens (40.0/s)");
	assert_int_equal(story.infers_at_once, 1);
}

/* Records that overlap, and one for several sequences. */
static void several_at_once(void **state)
{
	static const struct {
		int sequences;
		const char *most;
	} cases[] = { { 1, ", at most 2 at once, " }, { 5, ", at most 5 at once, " } };
	struct fx *f = *state;
	uint64_t of[4];

	for (size_t i = 0; i < 2; i++) {
		again(f);
		for (int k = 0; k < 4; k++) {
			of[k] = put_infer(f);
			if (k)
				fx_put(f, "infer", "end",
				       ",\"engine\":\"mlx\",\"ms\":100.000,\"sequences\":%d,"
				       "\"of\":%" PRIu64,
				       cases[i].sequences, of[k - 1]);
		}
		fx_wait(f, 100);
		fx_put(f, "infer", "end", ",\"engine\":\"mlx\",\"ms\":100.000,\"of\":%" PRIu64,
		       of[3]);
		fx_put(f, "infer", "begin", ",\"engine\":\"mlx\"");
		fx_wait(f, 50);
		fx_put(f, "infer", "begin", ",\"engine\":\"mlx\"");
		fx_wait(f, 7);
		fx_save(f, crumbs);
		put_runner(f, -SIGKILL, "");
		rows();
		if (!strstr(page_text, cases[i].most))
			fail_msg("\"%s\" lacks \"%s\"", page_text, cases[i].most);
		assert_int_equal(story.infer_time.us, 457000);
		assert_int_equal(story.infer_time.shared_us, 7000);
		assert_int_equal(story.ended_time.us, 400000);
	}
}

/* More than are listed: all of them count, and what else is open is listed before them. */
static void more_than_are_listed(void **state)
{
	struct fx *f = *state;

	put_start(f);
	for (int i = 0; i < TAF_OPEN_MAX + 9; i++)
		fx_put(f, "infer", "begin", ",\"engine\":\"mlx\"");
	fx_put(f, "drain", "begin", ",\"engine\":\"mlx\",\"msg\":\"submits 1..2\"");
	fx_wait(f, 1000);
	fx_save(f, crumbs);
	put_runner(f, -SIGKILL, "killed by SIGKILL");
	rows();
	if (!strstr(page_text, ", 137 did not end"))
		fail_msg("\"%s\"", page_text);
	assert_int_equal(story.infers_at_once, 137);
	assert_non_null(taf_story_open(&story, TAF_DRAIN));
	ring_submit(ring_begin(f), f->mono_ns);
	ring_save(f);
	fx_wait(f, 60000);
	put_runner(f, -SIGKILL, "killed by SIGKILL");
	rows();
	assert_non_null(strstr(page_text, ", the ends of the last 137 are inferred\n"));
	assert_int_equal(taf_story_count_open(&story, TAF_INFER), 0);
}

/* Idle for long: the ring has its last submit. */
static void an_end_that_is_inferred(void **state)
{
	struct fx *f = *state;
	struct taf_lane *lane;

	put_start(f);
	put_infer_end(f, put_infer(f));
	put_infer(f);
	fx_save(f, crumbs);
	lane = ring_begin(f);
	ring_submit(lane, f->mono_ns + 1081700000);
	ring_save(f);
	fx_wait(f, 60000);
	put_runner(f, -SIGKILL, "");
	ROW("inference  2 generations, 2.1s in all, 20 tokens in 1 whose end is written down "
	    "(20.0/s), 8 submits, at most 13 tokens in one, the end of the last one is inferred");
	assert_int_equal(story.infer_time.us, 2081700);
	put_infer(f);
	f->mono_ns -= 60000 * 1000000ull;
	fx_save(f, crumbs);
	fx_wait(f, 60000);
	put_runner(f, -SIGKILL, "");
	rows();
	assert_non_null(strstr(page_text, ", the ends of the last 2 are inferred\n"));
	SAYS("(the ends of the last 2 are inferred)");
}

static void put_drain(struct fx *f, int rc)
{
	uint64_t of = fx_put(f, "drain", "begin", ",\"engine\":\"llama\"");

	fx_wait(f, 2);
	fx_put(f, "drain", "end", ",\"engine\":\"llama\",\"ms\":2.000,\"rc\":%d,\"of\":%" PRIu64,
	       rc, of);
}

static void drains_that_were_missed(void **state)
{
	struct fx *f = *state;

	put_start(f);
	for (int i = 0; i < 3; i++)
		put_drain(f, 0);
	fx_save(f, crumbs);
	ROW("drains     3, 6.0ms in all, at most 2.0ms");
	put_drain(f, -ETIMEDOUT);
	fx_put(f, "drain", "mark", ",\"engine\":\"llama\",\"rc\":-110");
	fx_put(f, "drain", "mark", ",\"engine\":\"llama\",\"rc\":0");
	fx_save(f, crumbs);
	ROW("drains     4 done, 8.0ms in all, at most 2.0ms, 2 missed");
	assert_int_equal(story.drains, 5);
	fx_put(f, "drain", "begin", ",\"engine\":\"llama\"");
	fx_save(f, crumbs);
	ROW("drains     4 done, 8.0ms in all, one did not come back, at most 2.0ms, 2 missed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(three_that_were_killed),
		TEST(three_that_vanished),
		TEST(three_under_way),
		TEST(more_than_are_listed),
		TEST(the_rate_is_of_those_that_ended),
		TEST(one_behind_the_other),
		TEST(several_at_once),
		TEST(an_end_that_is_inferred),
		TEST(drains_that_were_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
