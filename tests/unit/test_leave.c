/* SPDX-License-Identifier: MIT */
/* test_leave.c -- who waits for whom when one thread leaves: nobody for one that waits for him,
 * and nobody for what will not come. */
#include "leave_kit.h"

/* ---- Several that leave ---------------------------------------------------------- */

static void drained(void)
{
	assert_int_equal(n_synced, 1);
	atomic_store(&taf_life.is_drained, 1);
}

/* Who comes second drains its own, since the first one waits for that. */
static void the_second_one_drains_its_own(void **state)
{
	struct taf_work *mine;

	(void)state;
	exits((uint32_t)standing);
	mine = work_of(&mlx, taf_tid());
	at_wait(&taf_life.is_drained, drained);
	taf_leave("exit", 0, false);
	assert_null(awaited);
	assert_true(is_left(mine));
	assert_int_equal(atomic_load(&mine->claim), 0);
}

/* The first one has the state already, and not yet said who it is. */
static void the_second_one_waits_from_the_start(void **state)
{
	(void)state;
	exits(0);
	work_of(&mlx, taf_tid());
	at_wait(&taf_life.is_drained, drained);
	taf_leave("exit", 0, false);
	assert_null(awaited);
}

/* In a free, in which the engine may have its locks, none is called; nor does one stand there
 * for whom the other one waits. */
static void a_free_drains_nothing(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	at_wait(&taf_life.state, stay);
	taf_park_to_free();
	assert_null(awaited);
	leaves((uint32_t)standing);
	work_of(&mlx, taf_tid());
	at_wait(&taf_life.state, stay);
	taf_park_to_free();
	assert_non_null(awaited);
	assert_int_equal(n_synced, 0);
	awaited = NULL;
}

/* Nor where the program waits for a context, in which an engine frees: the other one wants that. */
static void a_free_within_a_context_does_not_stand(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	taf_tls.held = work_of(&llama, 1);
	at_wait(&taf_life.state, stay);
	taf_park_to_free();
	taf_tls.held = NULL;
	assert_non_null(awaited);
}

/* Behind the drain the engine is being taken down: who leaves then drains nothing any more. */
static void who_comes_late_drains_nothing(void **state)
{
	(void)state;
	exits((uint32_t)standing);
	work_of(&mlx, taf_tid());
	atomic_store(&taf_life.is_drained, 1);
	taf_leave("exit", 0, false);
	assert_int_equal(n_synced, 0);
}

/* ---- A signal that was taken ------------------------------------------------------- */

/* In place of its death: from here on it is awaited no more. */
static void dies(void)
{
	atomic_store(&taf_park.signo, 0);
}

static void drained_for_the_signal(void)
{
	atomic_store(&taf_life.is_drained, 1);
	at_wait(&taf_park.closer, dies);
}

static void led_by_the_signal(void)
{
	set_all(TAF_LEAVING, (uint32_t)standing);
	at_wait(&taf_life.is_drained, drained_for_the_signal);
}

static void led_and_drained_by_the_signal(void)
{
	set_all(TAF_LEAVING, (uint32_t)standing);
	drained_for_the_signal();
}

/* Without us the program would be dead: whoever comes to an end of it in the meantime does not
 * end it otherwise. */
static void an_exit_waits_for_the_signal(void **state)
{
	struct taf_work *mine;

	(void)state;
	exits(0);
	set_all(TAF_ACTIVE, 0);
	atomic_store(&taf_park.until_ns, taf_park_deadline_ns());
	mine = work_of(&mlx, taf_tid());
	atomic_store(&taf_park.signo, 15);
	at_wait(&taf_life.state, led_by_the_signal);
	taf_leave("exit", 0, false);
	assert_null(awaited);
	assert_int_equal(atomic_load(&taf_park.signo), 0);
	assert_int_equal(atomic_load(&taf_life.leaver), standing);
	assert_int_equal(n_synced, 1); /* what is its own, as beside any other that leaves */
	assert_true(is_left(mine));
}

static void what_closes_the_log_at_once_waits_as_well(void **state)
{
	(void)state;
	exits(0);
	set_all(TAF_ACTIVE, 0);
	atomic_store(&taf_park.signo, 15);
	at_wait(&taf_life.state, led_and_drained_by_the_signal);
	taf_leave("_exit", 0, true);
	assert_null(awaited);
	assert_int_equal(atomic_load(&taf_park.signo), 0);
}

/* The signal's drain may wait for what this thread is in; nobody comes; no signal was taken. */
static void not_where_that_would_be_in_vain(void **state)
{
	static const struct {
		int signo;
		bool is_inside;
		uint32_t ms;
	} t[] = { { 15, true, LONG_MS }, { 15, false, 1 }, { 0, false, LONG_MS } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		set_all(TAF_ACTIVE, 0);
		taf_exit_reset();
		atomic_store(&taf_park.signo, t[i].signo);
		taf_rules.exit_deadline_ms = t[i].ms;
		taf_tls.open = t[i].is_inside ? 1u << TAF_LOAD : 0;
		taf_leave("exit", 0, false);
		taf_tls.open = 0;
		assert_int_equal(atomic_load(&taf_life.leaver), taf_tid());
		assert_int_equal(taf_life.is_drained, 1);
	}
}

/* What its parent was to die of is none of a fork child's. */
static void a_fork_child_does_not_wait_for_the_signal(void **state)
{
	(void)state;
	set_all(TAF_COLD, 0);
	taf_life.pid = 0; /* as the kernel leaves it there */
	atomic_store(&taf_park.signo, 15);
	at_wait(&taf_park.closer, dies);
	taf_leave("_exit", 0, true);
	assert_non_null(awaited);
}

static void signal_arrives(void)
{
	atomic_store(&taf_park.signo, 15);
}

/* A handler has interrupted what leads, and has come back. */
static void who_leads_waits_for_a_signal_that_came_meanwhile(void **state)
{
	(void)state;
	set_all(TAF_ACTIVE, 0);
	at_crumb = signal_arrives;
	at_wait(&taf_park.closer, dies);
	taf_leave_exec("execve", "/");
	assert_null(at_crumb);
	assert_null(awaited);
}

static void an_exec_waits_for_the_signal(void **state)
{
	(void)state;
	exits(0);
	set_all(TAF_ACTIVE, 0);
	atomic_store(&taf_park.signo, 15);
	at_wait(&taf_life.state, led_and_drained_by_the_signal);
	taf_leave_exec("execve", "/");
	assert_null(awaited);
	assert_int_equal(atomic_load(&taf_park.signo), 0);
}

/* ---- The threads of an engine ---------------------------------------------------- */

static struct taf_work *computing(void)
{
	struct taf_work *w = work_of(&mlx, standing);

	atomic_store(&w->is_inside, true);
	set_all(TAF_LEAVING, (uint32_t)taf_tid());
	return w;
}

/* A thread that ends meanwhile drains nothing any more. */
static void who_ends_is_not_waited_for(void **state)
{
	struct taf_work *w = computing();

	(void)state;
	at_wait(&w->left_for, send_away);
	assert_true(taf_owner_await(w, LONG_NS, -1));
	assert_null(awaited);
}

/* Likewise where another one has taken its entry back. */
static void an_entry_that_is_gone_is_not_waited_for(void **state)
{
	(void)state;
	theirs = computing();
	at_wait(&theirs->left_for, take_back);
	assert_true(taf_owner_await(theirs, LONG_NS, -1));
	assert_null(awaited);
}

/* A third one, which loads while another leaves, may be waited for as well. */
static void only_who_leaves_waits(void **state)
{
	struct taf_work *w = computing();

	(void)state;
	set_all(TAF_LEAVING, (uint32_t)standing);
	assert_false(taf_owner_await(w, LONG_NS, -1));
	atomic_store(&w->is_inside, false);
	w->last_ns = 1;
	taf_rules.drain_idle_ms = 1;
	w->is_inferring = true;
	taf_owner_await(w, LONG_NS, -1);
	assert_true(w->is_inferring);
}

/* A submit that an engine makes of itself, as it loads: it is not entered once more. */
static void nothing_is_drained_within_a_load(void **state)
{
	struct taf_work *mine = work_of(&mlx, taf_tid());

	(void)state;
	taf_tls.open = 1u << TAF_LOAD;
	taf_tls.is_submitting = true;
	taf_owner_leave();
	taf_tls.open = 0;
	taf_tls.is_submitting = false;
	assert_int_equal(n_synced, 0);
	assert_false(is_left(mine));
}

/* Its own threads may have to submit, or to free, before a synchronize of it comes back. */
static void nobody_stands_still_for_an_engines_synchronize(void **state)
{
	struct taf_work *w = work_of(&llama, 1);

	(void)state;
	taf_flight_lane();
	taf_flight_lane();
	assert_true(taf_work_claim(w, 0));
	w->since_sync = 1;
	taf_act_drain(w, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM, -1);
	taf_work_release(w);
	assert_int_equal(n_synced, 1);
	assert_int_equal(still_in_sync, 0);
	assert_int_equal(n_trimmed, 1);
	assert_int_equal(still_in_trim, taf_tid());
	assert_int_equal(taf_still.holder, 0);
}

static void *submit_for_it(void *arg)
{
	(void)arg;
	taf_park_to_submit();
	return NULL;
}

static int wait_for_a_worker(void *handle, const void *home)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, submit_for_it, NULL), 0);
	pthread_join(t, NULL);
	return synchronize(handle, home);
}

/* A thread of the engine's own, without which its synchronize does not come back. */
static void who_works_for_a_drain_does_not_stand(void **state)
{
	static const struct taf_ops with_workers = { .sync = wait_for_a_worker };
	static const struct taf_table table = { .engine = TAF_ENGINE_MLX,
						.rows = rows,
						.n_rows = 1,
						.names = "eval",
						.ops = &with_workers,
						.by_thread = &threads };

	(void)state;
	work_of(&table, taf_tid());
	set_all(TAF_ACTIVE, 0);
	taf_leave("exit", 0, false);
	assert_int_equal(n_synced, 1);
	assert_int_equal(taf_life.is_drained, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_second_one_drains_its_own),
		TEST(the_second_one_waits_from_the_start),
		TEST(a_free_drains_nothing),
		TEST(a_free_within_a_context_does_not_stand),
		TEST(who_comes_late_drains_nothing),
		TEST(an_exit_waits_for_the_signal),
		TEST(what_closes_the_log_at_once_waits_as_well),
		TEST(not_where_that_would_be_in_vain),
		TEST(a_fork_child_does_not_wait_for_the_signal),
		TEST(who_leads_waits_for_a_signal_that_came_meanwhile),
		TEST(an_exec_waits_for_the_signal),
		TEST(who_ends_is_not_waited_for),
		TEST(an_entry_that_is_gone_is_not_waited_for),
		TEST(only_who_leaves_waits),
		TEST(nothing_is_drained_within_a_load),
		TEST(nobody_stands_still_for_an_engines_synchronize),
		TEST(who_works_for_a_drain_does_not_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
