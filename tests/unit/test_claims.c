/* SPDX-License-Identifier: MIT */
/* test_claims.c -- claims, turns and frees: what one thread has of them, and another one waits for
 * while the first waits for that one, or is no more. */
#include "leave_kit.h"

/* ---- Turns (drain.serialize) ---- */

/* It was cancelled in the midst of its generation. */
static void who_has_ended_keeps_no_turn(void **state)
{
	struct taf_work *ended = work_of(&mlx, standing), *mine = work_of(&mlx, taf_tid());

	(void)state;
	taf_rules.drain_serialize = true;
	set_all(TAF_ACTIVE, 0);
	taf_serial_enter(ended);
	atomic_store(&ended->is_inside, true);
	send_away();
	taf_serial_enter(mine);
	taf_serial_leave(mine);
}

/* Who parks while all stand still for its free is past it. */
static void nobody_stands_for_who_stands(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	atomic_store(&taf_still.holder, (uint32_t)taf_tid());
	at_wait(&taf_life.is_drained, stay);
	taf_park_to_submit();
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

/* A launch of the runtime is in flight. */
static void launch(struct taf_call *c)
{
	taf_flight_lane();
	taf_flight_submit(&taf_flights[0], taf_flight_key(TAF_API_CUDA, 7, 0), false);
	set_all(TAF_ACTIVE, 0);
	taf_burst_ready(c);
}

/* Who has the claim may be about to have all stand still himself: to trim, before a load. */
static void a_free_waits_for_a_claim_while_all_go_on(void **state)
{
	struct taf_call c = { .table = &runtime, .is_counted = true };

	(void)state;
	launch(&c);
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

/* Until all is drained its launch may be in flight; then nothing is touched any more. */
static void a_free_beside_the_drain_at_the_exit_is_drained(void **state)
{
	struct taf_call c = { .table = &runtime, .is_counted = true };

	(void)state;
	launch(&c);
	set_all(TAF_LEAVING, (uint32_t)taf_tid());
	taf_burst_unload(&c);
	assert_int_equal(n_synced, 0);
	set_all(TAF_LEAVING, (uint32_t)standing);
	atomic_store(&taf_life.is_drained, 1);
	taf_burst_unload(&c);
	assert_int_equal(n_synced, 0);
	atomic_store(&taf_life.is_drained, 0);
	atomic_store(&taf_still.holder, (uint32_t)standing);
	taf_burst_unload(&c);
	assert_int_equal(n_synced, 1);
	assert_false(c.is_still);
}

/* Its exec may fail, and then others submit beside what is freed. */
static void a_free_waits_for_what_becomes_of_an_exec(void **state)
{
	struct taf_call c = { .table = &runtime, .is_counted = true };

	(void)state;
	leaves((uint32_t)standing);
	atomic_store(&taf_life.is_drained, 1);
	at_wait(&taf_life.state, stay);
	taf_burst_unload(&c);
	assert_null(awaited);
	assert_true(c.is_still);
	taf_burst_unloaded(&c);
}

static void end(void)
{
	set_all(TAF_GONE, (uint32_t)standing);
}

static void a_copy_stands_while_the_process_ends(void **state)
{
	struct taf_call c = { .table = &runtime };

	(void)state;
	leaves((uint32_t)standing);
	taf_tls.open = 1u << TAF_FREE;
	taf_copy_before(&c, 0);
	taf_tls.open = 0;
	at_wait(&taf_life.is_drained, end);
	taf_copy_before(&c, 0);
	assert_null(awaited);
	assert_true(taf_tls.has_parked);
	assert_false(c.has_flight);
	taf_tls.has_parked = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_ended_keeps_no_turn),
		TEST(nobody_stands_for_who_stands),
		TEST(what_is_freed_is_not_drained),
		TEST(who_has_all_stand_still_waits_for_no_claim),
		TEST(a_free_waits_for_a_claim_while_all_go_on),
		TEST(a_free_beside_the_drain_at_the_exit_is_drained),
		TEST(a_free_waits_for_what_becomes_of_an_exec),
		TEST(a_copy_stands_while_the_process_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
