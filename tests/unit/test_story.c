/* SPDX-License-Identifier: MIT */
/* test_story.c -- the story of a session: who did what last, how it ended. */
#include "story_fixture.h"

static void a_clean_run(void **state)
{
	struct fx *f = *state;

	put_start(f);
	put_load(f);
	put_infer_end(f, put_infer(f));
	put_infer_end(f, put_infer(f));
	put_exit(f, "exit", 0);
	fx_save(f, crumbs);
	VERDICT("clean");
	assert_int_equal(story.infers, 2);
	assert_int_equal(story.submits, 16);
	assert_int_equal(story.tokens, 40);
	assert_int_equal(story.loads, 1);
	assert_int_equal(story.n_open, 0);
	assert_string_equal(story.model, "tiny");
	assert_int_equal(story.engines, 1u << TAF_ENGINE_LLAMA);
	assert_string_equal(story.text, "ended with status 0 after 2 generations on tiny");
}

static void statuses(void **state)
{
	struct fx *f = *state;

	put_start(f);
	put_exit(f, "_exit", 3);
	fx_save(f, crumbs);
	VERDICT("nonzero");
	assert_int_equal(story.rc, 3);
	/* What a parent would see of exit(256 + 5). */
	again(f);
	put_exit(f, "exit", 261);
	fx_save(f, crumbs);
	VERDICT("nonzero");
	assert_int_equal(story.rc, 5);
	/* What run saw is surer. */
	put_runner(f, 7, "exited 7");
	VERDICT("nonzero");
	assert_int_equal(story.rc, 7);
	put_runner(f, -SIGSEGV, "killed by SIGSEGV");
	VERDICT("crash");
	put_runner(f, 0, "exited 0");
	VERDICT("clean");
}

static void signals(void **state)
{
	static const struct {
		int rc;
		const char *verdict, *words;
	} rows[] = {
		{ -SIGKILL, "killed", "killed " },
		{ -SIGTERM, "signal", "ended by SIGTERM " },
		{ -SIGHUP, "signal", "ended by SIGHUP " },
		{ -SIGINT, "signal", "SIGINT" },
		{ -SIGSEGV, "crash", "crashed by SIGSEGV " },
		{ -SIGABRT, "crash", "SIGABRT" },
		{ -SIGBUS, "crash", "SIGBUS" },
		{ -SIGILL, "crash", "SIGILL" },
		{ -SIGFPE, "crash", "SIGFPE" },
		{ -SIGTRAP, "crash", "SIGTRAP" },
		{ -99, "signal", "ended by a signal" },
	};
	struct fx *f = *state;

	put_start(f);
	put_load(f);
	fx_save(f, crumbs);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		put_runner(f, rows[i].rc, "");
		VERDICT(rows[i].verdict);
		SAYS(rows[i].words);
		SAYS("after loading tiny, before any generation");
	}
}

static void a_signal_that_we_drained_for(void **state)
{
	struct fx *f = *state;

	put_start(f);
	fx_put(f, "signal", "mark", ",\"call\":\"SIGTERM\",\"rc\":15,\"rule\":\"exit.signals\"");
	fx_save(f, crumbs);
	VERDICT("signal");
	assert_int_equal(story.signal, SIGTERM);
	again(f);
	fx_put(f, "signal", "mark", ",\"call\":\"SIGTERM\",\"rc\":15");
	put_exit(f, "SIGTERM", -15);
	fx_save(f, crumbs);
	VERDICT("signal");
	/* A program that answers for itself and leaves with 0 ended cleanly. */
	again(f);
	fx_put(f, "signal", "mark", ",\"call\":\"SIGTERM\",\"rc\":15");
	put_exit(f, "exit", 0);
	fx_save(f, crumbs);
	VERDICT("clean");
	again(f);
	fx_put(f, "signal", "mark", ",\"msg\":\"got SIGHUP\"");
	put_exit(f, "exit", 129);
	fx_save(f, crumbs);
	VERDICT("signal");
	assert_int_equal(story.signal, SIGHUP);
}

static void crashes(void **state)
{
	struct fx *f = *state;

	put_start(f);
	put_infer(f);
	fx_put(f, "error", "mark",
	       ",\"engine\":\"ggml\",\"call\":\"ggml_abort\",\"msg\":\"GGML_ASSERT(x) failed\"");
	fx_save(f, crumbs);
	VERDICT("crash");
	SAYS("GGML_ASSERT(x) failed");
	again(f);
	put_exit(f, "abort", 134);
	fx_save(f, crumbs);
	VERDICT("crash");
	assert_int_equal(story.signal, SIGABRT);
}

/* Whoever has models has not handed something over, but loaded none. */
static void idle_before_a_model(void **state)
{
	static const char *const engines[] = { "llama", "mlxc", "whisper", "sd", "ds4" };
	struct fx *f = *state;

	for (size_t i = 0; i < sizeof(engines) / sizeof(*engines); i++) {
		again(f);
		fx_put(f, "note", "mark", ",\"engine\":\"%s\",\"msg\":\"x\"", engines[i]);
		fx_save(f, crumbs);
		VERDICT("killed");
		SAYS("before any model was loaded");
	}
	again(f);
	fx_put(f, "note", "mark", ",\"engine\":\"cuda\",\"msg\":\"x\"");
	fx_save(f, crumbs);
	VERDICT("killed");
	SAYS("before anything was handed to the device");
}

/* The answer to a wrong request is nothing that a process dies of. */
static void a_remark_is_no_last_word(void **state)
{
	struct fx *f = *state;

	put_start(f);
	fx_put(f, "error", "mark", ",\"class\":\"exception\",\"msg\":\"shapes do not fit\"");
	fx_save(f, crumbs);
	VERDICT("killed");
	again(f);
	fx_put(f, "error", "mark", ",\"class\":\"out_of_memory\",\"msg\":\"no room\"");
	fx_put(f, "error", "mark", ",\"class\":\"bad_batch\",\"msg\":\"turned down\"");
	fx_save(f, crumbs);
	VERDICT("crash");
	SAYS("no room");
}

/* What to do is told for itself. */
static void the_error_is_no_advice(void **state)
{
	struct fx *f = *state;

	put_start(f);
	fx_put(f, "error", "mark",
	       ",\"class\":\"cmd_buffer_oom\",\"msg\":\"start the worker again: [METAL] failed\"");
	put_exit(f, "exit", 1);
	fx_save(f, crumbs);
	VERDICT("nonzero");
	SAYS("the last error was: [METAL] failed");
	assert_string_equal(story.advice, "start the worker again");
	again(f);
	fx_put(f, "error", "mark", ",\"class\":\"cmd_buffer_oom\",\"msg\":\"start the worker\"");
	put_exit(f, "exit", 1);
	fx_save(f, crumbs);
	VERDICT("nonzero");
	SAYS("the last error was: start the worker");
	assert_null(story.advice);
}

static void policy_had_the_last_word(void **state)
{
	struct fx *f = *state;

	put_start(f);
	fx_put(f, "refuse", "mark", ",\"rule\":\"memory.headroom\",\"msg\":\"too big\"");
	put_exit(f, "exit", 1);
	fx_save(f, crumbs);
	VERDICT("refused");
	SAYS("memory.headroom");
	again(f);
	fx_put(f, "hold", "mark", ",\"rule\":\"cooldown.on_hold\"");
	put_exit(f, "exit", 75);
	fx_save(f, crumbs);
	VERDICT("held");
	/* It went on after the refusal, so that was not why it ended. */
	again(f);
	fx_put(f, "refuse", "mark", ",\"rule\":\"memory.headroom\"");
	put_load(f);
	put_exit(f, "exit", 1);
	fx_save(f, crumbs);
	VERDICT("nonzero");
}

static void gone_without_a_word(void **state)
{
	struct fx *f = *state;

	put_start(f);
	put_load(f);
	put_infer(f);
	fx_save(f, crumbs);
	alive_pid = GUEST;
	VERDICT("running");
	SAYS("running, ");
	alive_pid = 0;
	VERDICT("killed");
	SAYS("killed at least ");
	strcpy(world.boot, FX_OTHER_BOOT);
	alive_pid = GUEST; /* another process of this boot */
	VERDICT("machine_down");
	SAYS("the machine went down");
	assert_int_equal(story.n_open, 1);
	assert_int_equal(story.open[0].kind, TAF_INFER);
}

static void what_cannot_be_known_is_unknown(void **state)
{
	struct fx *f = *state;
	struct taf_trail *t;

	fx_put(f, "start", "mark", ",\"pid_ns\":5,\"machine\":\"here\"");
	fx_save(f, crumbs);
	world.pid_ns = 6;
	alive_pid = GUEST;
	VERDICT("unknown");
	world.pid_ns = 5;
	VERDICT("running");
	strcpy(world.boot, FX_OTHER_BOOT);
	strcpy(world.machine, "there");
	VERDICT("unknown");
	f->seg = 0;
	memset(f->text, 'x', 1000);
	fx_save(f, crumbs);
	t = load(GUEST);
	assert_false(t->is_readable);
	VERDICT("unknown");
	SAYS("nothing readable");
	assert_int_equal(trails.list[0].bad, 1);
}

static void the_tale_of_a_kill(void **state)
{
	struct fx *f = *state;
	struct taf_lane *lane;
	uint64_t begin;

	put_start(f);
	put_load(f);
	put_infer_end(f, put_infer(f));
	put_infer(f);
	begin = f->mono_ns;
	fx_save(f, crumbs);
	lane = ring_begin(f);
	for (uint64_t i = 0; i < 22; i++)
		ring_submit(lane, begin + i * 50000000);
	ring_inside(lane, TAF_SUBMIT, begin + 1150000000);
	ring_save(f);
	fx_wait(f, 1200);
	put_runner(f, -SIGKILL, "killed by SIGKILL");
	VERDICT("killed");
	assert_true(story.has_ring);
	SAYS("killed 1.2s into a generation by llama_decode on tiny; 14 decodes handed over, none "
	     "of them waited for; nothing was being loaded");
	assert_int_equal(story.n_open, 2);
	assert_int_equal(story.open[0].kind, TAF_INFER);
	assert_int_equal(story.open[0].age_ms, 1200);
	assert_int_equal(story.open[1].kind, TAF_SUBMIT);
	assert_true(story.open[1].is_ring);
	assert_int_equal(story.open[1].age_ms, 50);
	assert_int_equal(story.n_last, 1);
	assert_true(story.last[0].is_inside);
	assert_int_equal(story.last[0].kind, TAF_SUBMIT);
	assert_int_equal(story.submits, 22);
	/* The first of the 22 that nothing waited for; none of them is the one before. */
	assert_true(story.oldest.is_known);
	assert_int_equal(story.oldest.age_ms, 1200);
	assert_int_equal(story.oldest.behind, 21);
}

static void a_second_look_says_the_same(void **state)
{
	struct fx *f = *state;
	struct taf_ring_head *h = (struct taf_ring_head *)(void *)ring;
	struct taf_lane *lane;
	uint64_t begin;

	begin = put_generation(f);
	fx_save(f, crumbs);
	/* Without a ring nobody knows whether it went on. */
	VERDICT("killed");
	SAYS("into a generation by llama_decode on tiny");
	SAYS("; or idle since: its ring, which would tell, is gone");
	lane = ring_begin(f);
	h->stamp_is_tsc = 1;
	h->tsc0 = 1000;
	h->mono0 = begin - FX_SEC / 2;
	h->mono1 = begin + 251 * 1000000ull;
	h->tsc1 = 1000 + (h->mono1 - h->mono0);
	ring_submit(lane, 1000 + FX_SEC / 2);
	ring_save(f);
	/* One tick is 1 ns; the second pair of clocks was read with a pause in between. */
	for (int skew = 0; skew < 2; skew++) {
		world.tsc = 1000 + (world.mono_ns - h->mono0) / 100 * (skew ? 95 : 100);
		VERDICT("killed");
		assert_int_equal(story.n_open, 0);
		SAYS("while idle, after 1 generation on tiny");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_clean_run),
		TEST(statuses),
		TEST(signals),
		TEST(a_signal_that_we_drained_for),
		TEST(crashes),
		TEST(idle_before_a_model),
		TEST(a_remark_is_no_last_word),
		TEST(the_error_is_no_advice),
		TEST(policy_had_the_last_word),
		TEST(gone_without_a_word),
		TEST(what_cannot_be_known_is_unknown),
		TEST(the_tale_of_a_kill),
		TEST(a_second_look_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
