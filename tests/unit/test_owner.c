/* SPDX-License-Identifier: MIT */
/* test_owner.c -- work that belongs to threads: what ended threads have left is taken back, and
 * never what a thread that lives has in its place by then. */
#include "leave_kit.h"

static void *tell_number(void *number)
{
	*(int32_t *)number = taf_sys_tid();
	return NULL;
}

/* The number of a thread that has ended. */
static int32_t ended_thread(void)
{
	pthread_t t;
	int32_t tid = 0;

	assert_int_equal(pthread_create(&t, NULL, tell_number, &tid), 0);
	pthread_join(t, NULL);
	return tid;
}

/* Another thread takes the entry back, and a third one has it and computes by the quick way. */
static void change_hands(void)
{
	taf_work_drop(theirs);
	assert_ptr_equal(work_of(&mlx, standing), theirs);
	theirs->is_inferring = true;
	atomic_store(&theirs->is_quick, true);
}

static void what_a_living_thread_has_stays_its_own(void **state)
{
	struct taf_call c = { .table = &mlx };
	struct taf_work *mine;

	(void)state;
	theirs = work_of(&mlx, ended_thread());
	at_look = change_hands;
	mine = taf_owner_work(&c);
	assert_null(at_look);
	assert_non_null(mine);
	assert_ptr_not_equal(mine, theirs);
	assert_int_equal((uintptr_t)atomic_load(&theirs->handle), standing);
	assert_true(atomic_load(&theirs->is_quick));
	assert_true(theirs->is_inferring);
	assert_int_equal(atomic_load(&theirs->claim), 0);
}

/* It ended within an evaluation, by either way. */
static void what_ended_threads_left_is_taken_back(void **state)
{
	struct taf_call c = { .table = &mlx };
	struct taf_work *quick = work_of(&mlx, ended_thread()), *mine;
	int32_t tid = ended_thread();
	struct taf_work *slow = work_of(&mlx, tid);

	(void)state;
	quick->is_inferring = slow->is_inferring = true;
	atomic_store(&quick->is_quick, true);
	atomic_store(&slow->claim, (uint32_t)tid);
	mine = taf_owner_work(&c);
	assert_ptr_equal(mine, quick);
	assert_false(atomic_load(&quick->is_quick));
	assert_false(quick->is_inferring || slow->is_inferring);
	assert_null(atomic_load(&slow->handle));
	assert_int_equal(atomic_load(&slow->claim), 0);
}

/* The kernel gives the number of such a thread to a new one. */
static void a_new_thread_of_that_number_computes(void **state)
{
	static const struct taf_step wait = { .kind = TAF_STEP_WAIT };
	struct taf_call c = { .table = &mlx, .is_counted = true };
	struct taf_work *mine = taf_owner_work(&c);

	(void)state;
	atomic_store(&mine->is_quick, true);
	assert_true(taf_owner_begin(&c, &wait));
	assert_false(atomic_load(&mine->is_quick));
	taf_owner_end(&c, &wait, 0);
	assert_true(taf_work_claim(mine, 0));
	taf_work_release(mine);
}

/* However long it takes: a synchronize, and the disk before it. */
static void who_leaves_waits_for_a_drain_under_way(void **state)
{
	(void)state;
	theirs = work_of(&mlx, standing);
	theirs->since_sync = 1;
	atomic_store(&theirs->claim, (uint32_t)standing);
	set_all(TAF_LEAVING, (uint32_t)taf_tid());
	at_wait(&theirs->left_for, they_drain);
	assert_true(taf_owner_await(theirs, LONG_NS, -1));
	assert_null(awaited);
}

static void give_back(void)
{
	atomic_store(&theirs->claim, 0);
}

/* Who leaves has it for as long as it takes to write down how its generation ended. */
static void a_thread_drains_though_its_work_is_looked_at(void **state)
{
	struct taf_call c = { .table = &mlx };

	(void)state;
	set_all(TAF_LEAVING, (uint32_t)standing);
	theirs = taf_owner_work(&c);
	atomic_store(&theirs->claim, (uint32_t)standing);
	at_wait(&theirs->claim, give_back);
	taf_owner_leave();
	assert_null(awaited);
	assert_true(is_left(theirs));
}

/* Who leaves has had all stand still, and gives that up no more. */
static void a_thread_drains_while_all_stand_still(void **state)
{
	struct taf_call c = { .table = &mlx };
	struct taf_work *mine = taf_owner_work(&c);

	(void)state;
	taf_tls.flight = &taf_flights[1];
	taf_flight_lane();
	mine->since_sync = 1;
	set_all(TAF_LEAVING, (uint32_t)standing);
	atomic_store(&taf_still.holder, (uint32_t)standing);
	at_wait(&taf_still.holder, stay);
	taf_owner_leave();
	assert_non_null(awaited);
	assert_int_equal(n_synced, 1);
	assert_int_equal(n_trimmed, 1);
	assert_true(is_left(mine));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_living_thread_has_stays_its_own),
		TEST(what_ended_threads_left_is_taken_back),
		TEST(a_new_thread_of_that_number_computes),
		TEST(who_leaves_waits_for_a_drain_under_way),
		TEST(a_thread_drains_though_its_work_is_looked_at),
		TEST(a_thread_drains_while_all_stand_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
