/* SPDX-License-Identifier: MIT */
/* test_leave.c -- who waits for whom when one thread leaves, drains or frees: nobody for one
 * that waits for him, and nobody for what will not come.  No deadline helps: all of them are
 * ten minutes long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "../../shim/act.h"
#include "../../shim/burst.h"
#include "../../shim/coarse.h"
#include "../../shim/exit.h"
#include "../../shim/life.h"
#include "../../shim/owner.h"

#define LONG_MS 600000u
#define LONG_NS (LONG_MS * 1000000ull)

static int n_synced, n_trimmed;
static uint32_t still_in_sync, still_in_trim;

static int synchronize(void *handle, const void *home)
{
	(void)home;
	assert_non_null(handle);
	n_synced++;
	still_in_sync = taf_still.holder;
	return 0;
}

static int trim(void *handle, const void *home)
{
	(void)handle;
	(void)home;
	n_trimmed++;
	still_in_trim = taf_still.holder;
	return 0;
}

static void tell(const void *home, struct taf_text *out)
{
	(void)home;
	(void)out;
}

static const struct taf_ops ops = { .sync = synchronize, .trim = trim };
static const struct taf_by_thread threads = { .tell = tell };
static const struct taf_row rows[] = { { .name = 0, .kind = TAF_SUBMIT } };
static const struct taf_table mlx = { .engine = TAF_ENGINE_MLX,
				      .rows = rows,
				      .n_rows = 1,
				      .names = "eval",
				      .ops = &ops,
				      .by_thread = &threads };
static const struct taf_table llama = {
	.engine = TAF_ENGINE_LLAMA, .rows = rows, .n_rows = 1, .names = "decode", .ops = &ops
};
static const struct taf_table runtime = {
	.engine = TAF_ENGINE_CUDART, .rows = rows, .n_rows = 1, .names = "launch", .ops = &ops
};
const struct taf_table *const taf_tables[] = { &mlx, &llama, &runtime };
const int taf_table_count = 3;

static void set_all(enum taf_state state, uint32_t leaver)
{
	atomic_store(&taf_life.is_drained, 0);
	atomic_store(&taf_life.leaver, leaver);
	atomic_store(&taf_life.state, state);
}

/* Another thread, which stands until it is sent away. */
static pthread_barrier_t gate;
static int32_t standing;
static pthread_t stander;

static void *stand(void *arg)
{
	(void)arg;
	standing = taf_sys_tid();
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	return NULL;
}

static void send_away(void)
{
	if (!standing)
		return;
	standing = 0;
	pthread_barrier_wait(&gate);
	pthread_join(stander, NULL);
}

/* What others do while this thread waits for word, once. */
static _Atomic(uint32_t) *awaited;
static void (*meanwhile)(void);
int __real_taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms);
int __wrap_taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms);
int __wrap_taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms)
{
	if (word != awaited)
		return __real_taf_sys_wait(word, seen, ms);
	awaited = NULL;
	meanwhile();
	return 0;
}

static void at_wait(_Atomic(uint32_t) *word, void (*what)(void))
{
	awaited = word;
	meanwhile = what;
}

static int setup(void **state)
{
	(void)state;
	taf_life.pid = getpid();
	taf_rules_default(&taf_rules);
	taf_rules.drain_deadline_ms = taf_rules.exit_deadline_ms = LONG_MS;
	taf_rules.drain_idle_ms = LONG_MS;
	taf_work_forget_all();
	taf_flight_forget();
	taf_still_forget();
	taf_burst_reset();
	taf_coarse_find();
	taf_exit_reset();
	taf_tls.has_parked = false;
	taf_tls.flight = NULL;
	n_synced = n_trimmed = 0;
	still_in_sync = still_in_trim = 0;
	pthread_barrier_init(&gate, NULL, 2);
	assert_int_equal(pthread_create(&stander, NULL, stand, NULL), 0);
	pthread_barrier_wait(&gate);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	send_away();
	awaited = NULL;
	set_all(TAF_COLD, 0);
	return 0;
}

static struct taf_work *work_of(const struct taf_table *table, int32_t tid)
{
	struct taf_maker by = { .table = table };
	union {
		uintptr_t n;
		void *p;
	} u = { .n = (uintptr_t)tid };

	return taf_work_add(&by, u.p, NULL);
}

/* ---- Several that leave ---------------------------------------------------------- */

/* The whole of what leaver does until its drain begins. */
static void leaves(uint32_t leaver)
{
	set_all(TAF_ACTIVE, 0);
	taf_leave_exec("execve", "/");
	taf_still_forget();
	set_all(TAF_LEAVING, leaver);
	n_synced = 0;
}

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
	leaves((uint32_t)standing);
	mine = work_of(&mlx, taf_tid());
	at_wait(&taf_life.is_drained, drained);
	taf_leave("exit", 0, false);
	assert_null(awaited);
	assert_int_equal(atomic_load(&mine->is_left), 1);
	assert_int_equal(atomic_load(&mine->claim), 0);
}

/* The first one has the state already, and not yet said who it is. */
static void the_second_one_waits_from_the_start(void **state)
{
	(void)state;
	leaves(0);
	work_of(&mlx, taf_tid());
	at_wait(&taf_life.is_drained, drained);
	taf_leave("exit", 0, false);
	assert_null(awaited);
}

static void drained_again(void)
{
	assert_int_equal(n_synced, 2);
	atomic_store(&taf_life.is_drained, 1);
}

static void stay(void)
{
	set_all(TAF_ACTIVE, 0);
}

/* The first one's exec has failed. */
static void the_second_one_leaves_if_the_first_stays(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	at_wait(&taf_life.is_drained, stay);
	taf_leave("exit", 0, false);
	assert_null(awaited);
	assert_int_equal(taf_life.leaver, taf_tid());
	assert_int_equal(taf_life.is_drained, 1);
}

/* What was drained before an exec that has failed is drained again at the end. */
static void who_stays_leaves_once_more(void **state)
{
	struct taf_work *w = work_of(&mlx, standing);

	(void)state;
	set_all(TAF_ACTIVE, 0);
	atomic_store(&w->is_left, 1);
	taf_leave_exec("execve", "/");
	assert_int_equal(taf_life.leaver, taf_tid());
	taf_stay(-2);
	assert_int_equal(taf_state_now(), TAF_ACTIVE);
	assert_int_equal(atomic_load(&w->is_left), 0);
}

static void stay_and_leave(void)
{
	assert_int_equal(n_synced, 1);
	taf_owner_stay();
	at_wait(&taf_life.is_drained, drained_again);
}

/* Before who stands has seen that the other one has stayed, that one leaves again. */
static void who_stands_drains_for_the_next(void **state)
{
	struct taf_work *mine;

	(void)state;
	leaves((uint32_t)standing);
	mine = work_of(&mlx, taf_tid());
	at_wait(&taf_life.is_drained, stay_and_leave);
	taf_exit_park();
	assert_int_equal(n_synced, 2);
	assert_int_equal(atomic_load(&mine->is_left), 1);
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
	at_wait(&w->is_left, send_away);
	assert_true(taf_owner_await(w, LONG_NS, -1));
	assert_null(awaited);
}

static struct taf_work *theirs;

static void take_back(void)
{
	taf_work_drop(theirs);
}

/* Likewise where another one has taken its entry back. */
static void an_entry_that_is_gone_is_not_waited_for(void **state)
{
	(void)state;
	theirs = computing();
	at_wait(&theirs->is_left, take_back);
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
	assert_int_equal(atomic_load(&mine->is_left), 0);
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

/* ---- Claims ---------------------------------------------------------------------- */

/* A context that is freed while it is waited for: its pointer is nobody's. */
static void what_is_freed_is_not_drained(void **state)
{
	(void)state;
	theirs = work_of(&llama, 1);
	theirs->since_sync = 1;
	atomic_store(&theirs->claim, (uint32_t)standing);
	at_wait(&theirs->claim, take_back);
	assert_int_equal(taf_act_drain_all(NULL, TAF_DRAIN_SYNC, -1), 0);
	assert_null(awaited);
	assert_int_equal(n_synced, 0);
	assert_int_equal(atomic_load(&theirs->claim), 0);
}

/* Who has the claim may stand still for this very thread. */
static void who_has_all_stand_still_waits_for_no_claim(void **state)
{
	struct taf_work *w = work_of(&llama, 1);

	(void)state;
	taf_flight_lane();
	taf_flight_lane();
	set_all(TAF_ACTIVE, 0);
	atomic_store(&w->claim, (uint32_t)standing);
	assert_true(taf_still_begin());
	assert_int_equal(taf_act_drain_all(NULL, TAF_DRAIN_SYNC, -1), 1);
	taf_still_end();
}

static void let_submit(void)
{
	assert_int_equal(taf_still.holder, 0);
	atomic_store(&theirs->claim, 0);
}

/* Who has the claim may be about to have all stand still himself: to trim, before a load. */
static void a_free_waits_for_a_claim_while_all_go_on(void **state)
{
	struct taf_call c = { .table = &runtime, .is_counted = true };

	(void)state;
	taf_flight_lane();
	taf_flight_submit(&taf_flights[0], taf_flight_key(TAF_API_CUDA, 7, 0), false);
	set_all(TAF_ACTIVE, 0);
	taf_burst_ready(&c);
	theirs = taf_burst_work(TAF_API_CUDA);
	atomic_store(&theirs->claim, (uint32_t)standing);
	at_wait(&theirs->claim, let_submit);
	taf_burst_unload(&c);
	assert_null(awaited);
	assert_int_equal(n_synced, 1);
	assert_int_equal(still_in_sync, taf_tid());
	assert_int_equal(taf_still.holder, taf_tid());
	assert_int_equal(atomic_load(&theirs->claim), 0);
	taf_burst_unloaded(&c);
	assert_int_equal(taf_still.holder, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_second_one_drains_its_own),
		TEST(the_second_one_waits_from_the_start),
		TEST(the_second_one_leaves_if_the_first_stays),
		TEST(who_stays_leaves_once_more),
		TEST(who_stands_drains_for_the_next),
		TEST(who_ends_is_not_waited_for),
		TEST(an_entry_that_is_gone_is_not_waited_for),
		TEST(only_who_leaves_waits),
		TEST(nothing_is_drained_within_a_load),
		TEST(nobody_stands_still_for_an_engines_synchronize),
		TEST(what_is_freed_is_not_drained),
		TEST(who_has_all_stand_still_waits_for_no_claim),
		TEST(a_free_waits_for_a_claim_while_all_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
