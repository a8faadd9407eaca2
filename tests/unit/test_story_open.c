/* SPDX-License-Identifier: MIT */
/* test_story_open.c -- what of a session is open: waits, submissions, loads, an exec. */
#include "story_fixture.h"

static void a_wait_is_named(void **state)
{
	struct fx *f = *state;

	put_start(f);
	fx_put(f, "load", "begin", ",\"engine\":\"llama\",\"call\":\"load\",\"model\":\"tiny\"");
	fx_put(f, "hold", "begin",
	       ",\"rule\":\"cadence.same_model\",\"msg\":\"5.0s of 3m 00s, tiny, passes in 2m "
	       "55s\",\"have\":5000,\"need\":180000,\"unit\":\"ms\"");
	fx_save(f, crumbs);
	fx_wait(f, 7900);
	put_runner(f, -SIGTERM, "killed by SIGTERM");
	VERDICT("signal");
	SAYS("ended by SIGTERM while it waited because of cadence.same_model: "
	     "12.9s of 3m 00s, tiny; for 7.9s");
	/* Somebody else's generation is what it was in the middle of. */
	f->tid = GUEST + 1;
	put_infer(f);
	fx_save(f, crumbs);
	put_runner(f, -SIGTERM, "killed by SIGTERM");
	VERDICT("signal");
	assert_null(strstr(story.text, "waited"));
}

static void a_wait_that_goes_on_is_named(void **state)
{
	struct fx *f = *state;

	put_start(f);
	fx_put(f, "settle", "begin", ",\"rule\":\"cadence.families\",\"msg\":\"tiny\"");
	fx_save(f, crumbs);
	alive_pid = GUEST;
	VERDICT("running");
	SAYS("running, waiting because of cadence.families: tiny; for ");
}

static void an_idle_generation_has_ended(void **state)
{
	struct fx *f = *state;
	struct taf_lane *lane;
	uint64_t begin;

	begin = put_generation(f);
	fx_save(f, crumbs);
	lane = ring_begin(f);
	ring_submit(lane, begin);
	ring_save(f);
	fx_wait(f, 240);
	put_runner(f, -SIGKILL, "");
	VERDICT("killed");
	assert_int_equal(story.n_open, 1);
	fx_wait(f, 20);
	put_runner(f, -SIGKILL, "");
	VERDICT("killed");
	assert_int_equal(story.n_open, 0);
	assert_true(story.infer_end_inferred);
	SAYS("while idle, after 1 generation on tiny (the end of the last one is inferred)");
	/* Not while some thread is inside a call. */
	ring_inside(lane, TAF_SYNC, begin + 1000000);
	ring_save(f);
	VERDICT("killed");
	assert_int_equal(story.n_open, 2);
	/* A ring of another process with this name says nothing. */
	((struct taf_ring_head *)(void *)ring)->start++;
	ring_save(f);
	VERDICT("killed");
	assert_false(story.has_ring);
	assert_int_equal(story.n_open, 1);
}

/* How long idle is says the policy that the session had; a log of an older guard does not. */
static void a_policy_says_how_long_idle_is(void **state)
{
	struct fx *f = *state;
	struct taf_lane *lane;

	fx_put(f, "start", "mark", ",\"v\":1,\"seg\":0,\"idle_ms\":2000");
	put_load(f);
	put_infer(f);
	lane = ring_begin(f);
	ring_submit(lane, f->mono_ns);
	fx_save(f, crumbs);
	ring_save(f);
	fx_wait(f, 1900);
	put_runner(f, -SIGKILL, "");
	VERDICT("killed");
	assert_int_equal(story.n_open, 1);
	fx_wait(f, 110);
	put_runner(f, -SIGKILL, "");
	VERDICT("killed");
	assert_int_equal(story.n_open, 0);
}

static void the_oldest_submission_is_named(void **state)
{
	struct fx *f = *state;
	struct taf_lane *lane;
	uint64_t begin, of;

	begin = put_generation(f);
	lane = ring_begin(f);
	for (uint64_t i = 0; i < 8; i++)
		ring_submit(lane, begin + 1000000 * i);
	fx_wait(f, 10);
	of = fx_put(f, "drain", "begin",
		    ",\"engine\":\"llama\",\"msg\":\"submits 1..8 of this generation\"");
	fx_wait(f, 1);
	fx_put(f, "drain", "end", ",\"engine\":\"llama\",\"ms\":1.0,\"rc\":0,\"of\":%" PRIu64, of);
	for (uint64_t i = 20; i < 24; i++)
		ring_submit(lane, begin + 1000000 * i);
	fx_wait(f, 30);
	fx_put(f, "drain", "begin",
	       ",\"engine\":\"llama\",\"msg\":\"submits 9..12 of this generation\"");
	fx_save(f, crumbs);
	ring_save(f);
	fx_wait(f, 5000);
	put_runner(f, -SIGKILL, "");
	VERDICT("killed");
	assert_true(story.oldest.is_known);
	assert_int_equal(story.oldest.since_ns, begin + 20000000);
	assert_int_equal(story.oldest.behind, 3);
	assert_string_equal(story.oldest.label, "submits 9..12 of this generation");
	assert_int_equal(story.drains, 2);
	SAYS("the oldest submission not known to be done is");
	SAYS("submits 9..12 of this generation");
}

/* All that was handed over before has been waited for: the call at hand is the oldest. */
static void the_submission_at_hand_can_be_the_oldest(void **state)
{
	struct fx *f = *state;
	struct taf_slot_body sync = { .row = 4,
				      .engine = TAF_ENGINE_LLAMA,
				      .kind = TAF_SYNC | TAF_END << 6 };
	struct taf_lane *lane;
	uint64_t begin;

	begin = put_generation(f);
	lane = ring_begin(f);
	ring_submit(lane, begin);
	ring_submit(lane, begin + 1000000);
	sync.stamp = begin + 2000000;
	taf_ring_put(lane, &sync);
	ring_inside(lane, TAF_SUBMIT, begin + 3000000);
	ring_save(f);
	fx_save(f, crumbs);
	fx_wait(f, 503);
	put_runner(f, -SIGKILL, "");
	VERDICT("killed");
	assert_true(story.oldest.is_known);
	assert_true(story.oldest.is_inside);
	assert_int_equal(story.oldest.age_ms, 500);
	assert_string_equal(story.oldest.label, "submit 3 of this generation");
}

static void an_exec_makes_a_new_image(void **state)
{
	struct fx *f = *state;
	struct taf_trail *t;

	put_start(f);
	put_infer(f);
	fx_put(f, "exit", "begin", ",\"call\":\"execve\",\"rc\":0");
	fx_put(f, "exec", "mark", ",\"call\":\"execve\",\"msg\":\"/usr/bin/other\"");
	fx_save(f, crumbs);
	VERDICT("clean");
	SAYS("became another program");
	alive_pid = GUEST;
	VERDICT("running");
	SAYS("another program");
	/* The other program uses an engine as well: numbers begin again. */
	f->seq = 0;
	fx_wait(f, 10);
	put_start(f);
	put_load(f);
	fx_save(f, crumbs);
	alive_pid = 0;
	VERDICT("killed");
	t = load(GUEST);
	assert_int_equal(t->past[t->n_past - 1].image, 1);
	assert_true(t->past[1].mate == TAF_MATE_GONE);
	assert_int_equal(story.n_open, 0);
}

static void an_exec_that_failed_is_no_end(void **state)
{
	struct fx *f = *state;

	put_start(f);
	fx_put(f, "exit", "begin", ",\"call\":\"execvp\",\"rc\":0");
	fx_put(f, "exec", "mark", ",\"call\":\"execvp\",\"msg\":\"none\"");
	put_load(f);
	fx_save(f, crumbs);
	VERDICT("killed");
	assert_false(story.has_exit);
}

/* Died in the drain before its exit: the exit record alone is no clean end. */
static void a_drain_that_never_came_back(void **state)
{
	struct fx *f = *state;

	put_start(f);
	fx_put(f, "exit", "begin", ",\"call\":\"exit\",\"rc\":0");
	fx_put(f, "drain", "begin", ",\"engine\":\"llama\",\"model\":\"tiny\"");
	fx_save(f, crumbs);
	VERDICT("killed");
	SAYS("it was on its way out");
	strcpy(world.boot, FX_OTHER_BOOT);
	VERDICT("machine_down");
}

#define MLX_CALL "_ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE"

/* Our drain ends what the signal came into; what was idle by then is only closed late, and
 * where the last call had come back nobody knows whether there was more to come. */
static void a_generation_that_the_exit_closed(void **state)
{
	static const struct {
		int ms;
		const char *says;
	} cases[] = {
		{ 905, "ended by SIGTERM 899ms into a generation by llama_decode on tiny; it was "
		       "on its way out" },
		{ 890, "ended by SIGTERM 899ms into a generation by llama_decode on tiny, or 9ms "
		       "after it; it was on its way out" },
		{ 100, "ended by SIGTERM while idle" },
	};
	struct fx *f = *state;
	uint64_t of, exit;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		again(f);
		of = put_infer(f);
		fx_wait(f, 899);
		exit = fx_put(f, "exit", "begin", ",\"call\":\"SIGTERM\",\"rc\":-15");
		fx_put(f, "infer", "end",
		       ",\"engine\":\"llama\",\"ms\":%d.000,\"submits\":8,\"of\":%" PRIu64,
		       cases[i].ms, of);
		fx_put(f, "exit", "end", ",\"rc\":-15,\"of\":%" PRIu64, exit);
		fx_save(f, crumbs);
		VERDICT("signal");
		SAYS(cases[i].says);
		assert_int_equal(story.n_open, 0);
	}
}

/* A drain that waits for a thread of MLX gives up when that has done nothing for drain.idle_ms:
 * then its generation was over. One that goes on drains its own; one that waits for something else
 * drains there, and may have been about to go on. */
static void a_generation_whose_thread_stands_still(void **state)
{
	static const struct {
		int drain_ms, tid;
		const char *says, *more;
	} cases[] = {
		{ 250, GUEST,
		  "ended by SIGTERM 24ms after a generation by mlx::core::eval on "
		  "tiny; it was on its way out",
		  "" },
		{ 200, GUEST,
		  "119ms into a generation by mlx::core::eval on tiny, or 24ms after "
		  "it; it was on its way out",
		  "" },
		{ 250, GUEST + 1,
		  "119ms into a generation by mlx::core::eval on tiny; it was on "
		  "its way out",
		  "" },
		{ 20, GUEST + 1,
		  "119ms into a generation by mlx::core::eval on tiny, or 24ms after "
		  "it; it was on its way out",
		  ",\"at_rest\":true" },
	};
	struct fx *f = *state;
	uint64_t of, exit;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		again(f);
		f->tid = GUEST + 1;
		of = fx_put(f, "infer", "begin",
			    ",\"engine\":\"mlx\",\"call\":\"" MLX_CALL "\",\"model\":\"tiny\"");
		fx_wait(f, 119);
		f->tid = GUEST;
		exit = fx_put(f, "exit", "begin", ",\"call\":\"SIGTERM\",\"rc\":-15");
		fx_put(f, "infer", "end",
		       ",\"engine\":\"mlx\",\"ms\":95.000,\"submits\":8,\"of\":%" PRIu64, of);
		fx_wait(f, (uint64_t)cases[i].drain_ms);
		f->tid = cases[i].tid;
		fx_put(f, "drain", "mark",
		       ",\"engine\":\"mlx\",\"rc\":-110,\"rule\":\"drain.at_exit\"%s",
		       cases[i].more);
		f->tid = GUEST;
		fx_put(f, "exit", "end", ",\"rc\":-15,\"of\":%" PRIu64, exit);
		fx_save(f, crumbs);
		VERDICT("signal");
		SAYS(cases[i].says);
	}
}

/* The generation counts as open for a while after its last evaluation: it may be answered. */
static void a_generation_that_may_be_over(void **state)
{
	struct fx *f = *state;
	struct taf_lane *lane;

	for (int is_inside = 0; is_inside < 2; is_inside++) {
		again(f);
		fx_put(f, "infer", "begin", ",\"engine\":\"mlx\",\"call\":\"" MLX_CALL "\"");
		fx_save(f, crumbs);
		lane = ring_begin(f);
		ring_submit(lane, f->mono_ns + 100000000);
		if (is_inside)
			ring_inside(lane, TAF_SUBMIT, f->mono_ns + 150000000);
		ring_save(f);
		fx_wait(f, 166);
		put_runner(f, -SIGTERM, "killed by SIGTERM");
		VERDICT("signal");
		SAYS(is_inside ? "ended by SIGTERM 166ms into a generation by mlx::core::eval; "
			       : "ended by SIGTERM 166ms into a generation by mlx::core::eval, or "
				 "shortly after it; ");
		/* Of who is there it is as good as open. */
		alive_pid = GUEST;
		world.mono_ns = f->mono_ns;
		VERDICT("running");
		assert_null(strstr(story.text, "after it"));
		SAYS("; nothing is being loaded");
		alive_pid = 0;
	}
}

/* What llama.cpp was handed goes on when the call has come back, until something waits. */
static void a_decode_goes_on_behind_its_call(void **state)
{
	struct fx *f = *state;
	struct taf_lane *lane;
	struct taf_slot_body wait = { .row = 3,
				      .engine = TAF_ENGINE_LLAMA,
				      .kind = TAF_SYNC | TAF_END << 6 };

	for (int is_waited = 0; is_waited < 2; is_waited++) {
		again(f);
		put_infer(f);
		fx_save(f, crumbs);
		lane = ring_begin(f);
		ring_submit(lane, f->mono_ns + 100000000);
		wait.stamp = f->mono_ns + 120000000;
		if (is_waited)
			taf_ring_put(lane, &wait);
		ring_save(f);
		fx_wait(f, 166);
		put_runner(f, -SIGTERM, "killed by SIGTERM");
		VERDICT("signal");
		SAYS("166ms into a generation by llama_decode on tiny");
		assert_int_equal(strstr(story.text, ", or shortly after it") != NULL, is_waited);
	}
}

/* Without a ring it is the mark that tells, wherever it stands. */
static void the_mark_tells(void **state)
{
	struct fx *f = *state;

	for (int is_inside = 0; is_inside < 2; is_inside++) {
		again(f);
		strcpy(f->boot, FX_OTHER_BOOT);
		fx_put(f, "infer", "mark", ",\"engine\":\"llama\",\"inside\":%d", is_inside);
		put_infer(f);
		fx_save(f, crumbs);
		VERDICT("machine_down");
		SAYS(" into a generation by llama_decode on tiny");
		assert_int_equal(strstr(story.text, ", or after it") != NULL, !is_inside);
	}
}

#define MLX_LOAD \
	",\"engine\":\"mlx\",\"call\":\"_ZN3mlx4core16load_safetensorsEv\",\"model\":\"tiny\""

/* MLX reads headers first: until the weights are evaluated nothing can hang in the load. */
static void a_load_that_is_only_read(void **state)
{
	struct fx *f = *state;
	uint64_t of;

	put_start(f);
	of = fx_put(f, "load", "begin", MLX_LOAD ",\"bytes\":1048576");
	fx_wait(f, 500);
	fx_save(f, crumbs);
	VERDICT("killed");
	assert_int_equal(story.n_open, 0);
	SAYS("after loading tiny, before any generation");
	fx_put(f, "note", "mark", MLX_LOAD ",\"of\":%" PRIu64, of);
	fx_save(f, crumbs);
	VERDICT("killed");
	assert_int_equal(story.n_open, 1);
	SAYS("into loading tiny by mlx::core::load_safetensors");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wait_is_named),
		TEST(a_wait_that_goes_on_is_named),
		TEST(an_idle_generation_has_ended),
		TEST(a_policy_says_how_long_idle_is),
		TEST(the_oldest_submission_is_named),
		TEST(the_submission_at_hand_can_be_the_oldest),
		TEST(an_exec_makes_a_new_image),
		TEST(an_exec_that_failed_is_no_end),
		TEST(a_drain_that_never_came_back),
		TEST(a_generation_that_the_exit_closed),
		TEST(a_generation_whose_thread_stands_still),
		TEST(a_generation_that_may_be_over),
		TEST(a_decode_goes_on_behind_its_call),
		TEST(the_mark_tells),
		TEST(a_load_that_is_only_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
