/* SPDX-License-Identifier: MIT */
/* test_owner.c -- work that belongs to threads: what ended threads have left is taken back, and
 * never what a thread that lives has in its place by then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "../../shim/coarse.h"
#include "../../shim/life.h"
#include "../../shim/owner.h"
#include "../../shim/still.h"

static void tell(const void *home, struct taf_text *out)
{
	(void)home;
	(void)out;
}

static int n_synced, n_trimmed;

static int synchronize(void *handle, const void *home)
{
	(void)handle;
	(void)home;
	n_synced++;
	return 0;
}

static int trim(void *handle, const void *home)
{
	(void)handle;
	(void)home;
	n_trimmed++;
	return 0;
}

static const struct taf_ops ops = { .sync = synchronize, .trim = trim };
static const struct taf_by_thread threads = { .tell = tell };
static const struct taf_row rows[] = { { .name = 0, .kind = TAF_SUBMIT } };
static const struct taf_table engine = { .engine = TAF_ENGINE_MLX,
					 .rows = rows,
					 .n_rows = 1,
					 .names = "eval",
					 .ops = &ops,
					 .by_thread = &threads };
const struct taf_table *const taf_tables[] = { &engine };
const int taf_table_count = 1;

static const struct taf_maker by = { .table = &engine };

static int setup(void **state)
{
	(void)state;
	taf_life.pid = getpid();
	taf_rules_default(&taf_rules);
	taf_work_forget_all();
	taf_flight_forget();
	taf_still_forget();
	taf_coarse_find();
	atomic_fetch_add(&taf_life.leavings, 1);
	n_synced = n_trimmed = 0;
	return 0;
}

static struct taf_work *work_of_thread(int32_t tid)
{
	union {
		uintptr_t n;
		void *p;
	} u = { .n = (uintptr_t)tid };

	return taf_work_add(&by, u.p, NULL);
}

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

static pthread_barrier_t gate;

static void *stand(void *number)
{
	tell_number(number);
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	return NULL;
}

static int32_t standing;

static pthread_t stand_by(void)
{
	pthread_t t;

	pthread_barrier_init(&gate, NULL, 2);
	assert_int_equal(pthread_create(&t, NULL, stand, &standing), 0);
	pthread_barrier_wait(&gate);
	return t;
}

static void stand_down(pthread_t t)
{
	pthread_barrier_wait(&gate);
	pthread_join(t, NULL);
}

/* Whether a thread lives is asked of the kernel; what happens right behind the first answer. */
static void (*meanwhile)(void);
int __real_taf_sys_tgkill(int32_t pid, int32_t tid, int signo);
int __wrap_taf_sys_tgkill(int32_t pid, int32_t tid, int signo);
int __wrap_taf_sys_tgkill(int32_t pid, int32_t tid, int signo)
{
	int r = __real_taf_sys_tgkill(pid, tid, signo);
	void (*f)(void) = meanwhile;

	meanwhile = NULL;
	if (f)
		f();
	return r;
}

/* What another thread does while this one waits for word. */
static _Atomic(uint32_t) *awaited;
static uint32_t becomes;
int __real_taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms);
int __wrap_taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms);
int __wrap_taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms)
{
	if (word != awaited)
		return __real_taf_sys_wait(word, seen, ms);
	awaited = NULL;
	atomic_store(word, becomes);
	return 0;
}

static struct taf_work *left;

/* Another thread takes the entry back, and a third one has it and computes by the quick way. */
static void change_hands(void)
{
	taf_work_drop(left);
	assert_ptr_equal(work_of_thread(standing), left);
	left->is_inferring = true;
	atomic_store(&left->is_quick, true);
}

static void what_a_living_thread_has_stays_its_own(void **state)
{
	struct taf_call c = { .table = &engine };
	struct taf_work *mine;
	pthread_t t = stand_by();

	(void)state;
	left = work_of_thread(ended_thread());
	meanwhile = change_hands;
	mine = taf_owner_work(&c);
	assert_null(meanwhile);
	assert_non_null(mine);
	assert_ptr_not_equal(mine, left);
	assert_int_equal((uintptr_t)atomic_load(&left->handle), standing);
	assert_true(atomic_load(&left->is_quick));
	assert_true(left->is_inferring);
	assert_int_equal(atomic_load(&left->claim), 0);
	stand_down(t);
}

/* It ended within an evaluation, by either way. */
static void what_ended_threads_left_is_taken_back(void **state)
{
	struct taf_call c = { .table = &engine };
	struct taf_work *quick = work_of_thread(ended_thread()), *mine;
	int32_t tid = ended_thread();
	struct taf_work *slow = work_of_thread(tid);

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
	struct taf_call c = { .table = &engine, .is_counted = true };
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
	pthread_t t = stand_by();
	struct taf_work *w = work_of_thread(standing);

	(void)state;
	w->since_sync = 1;
	atomic_store(&w->claim, (uint32_t)standing);
	atomic_store(&taf_life.state, TAF_LEAVING);
	atomic_store(&taf_life.leaver, (uint32_t)taf_tid());
	awaited = &w->left_for;
	becomes = atomic_load(&taf_life.leavings);
	assert_true(taf_owner_await(w, 60000000000u, -1));
	assert_null(awaited);
	atomic_store(&taf_life.state, TAF_COLD);
	atomic_store(&taf_life.leaver, 0);
	stand_down(t);
}

/* Who leaves has it for as long as it takes to write down how its generation ended. */
static void a_thread_drains_though_its_work_is_looked_at(void **state)
{
	struct taf_call c = { .table = &engine };
	pthread_t t = stand_by();
	struct taf_work *mine = taf_owner_work(&c);

	(void)state;
	atomic_store(&mine->claim, (uint32_t)standing);
	awaited = &mine->claim;
	becomes = 0;
	taf_owner_leave();
	assert_null(awaited);
	assert_int_equal(atomic_load(&mine->left_for), taf_life.leavings);
	stand_down(t);
}

/* Who leaves has had all stand still, and gives that up no more. */
static void a_thread_drains_while_all_stand_still(void **state)
{
	struct taf_call c = { .table = &engine };
	pthread_t t = stand_by();
	struct taf_work *mine = taf_owner_work(&c);

	(void)state;
	taf_tls.flight = &taf_flights[1];
	taf_flight_lane();
	mine->since_sync = 1;
	atomic_store(&taf_life.leaver, (uint32_t)standing);
	atomic_store(&taf_still.holder, (uint32_t)standing);
	awaited = &taf_still.holder;
	becomes = 0;
	taf_owner_leave();
	assert_ptr_equal(awaited, &taf_still.holder);
	assert_int_equal(n_synced, 1);
	assert_int_equal(n_trimmed, 1);
	assert_int_equal(atomic_load(&mine->left_for), taf_life.leavings);
	awaited = NULL;
	atomic_store(&taf_life.leaver, 0);
	stand_down(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_a_living_thread_has_stays_its_own, setup),
		cmocka_unit_test_setup(what_ended_threads_left_is_taken_back, setup),
		cmocka_unit_test_setup(a_new_thread_of_that_number_computes, setup),
		cmocka_unit_test_setup(who_leaves_waits_for_a_drain_under_way, setup),
		cmocka_unit_test_setup(a_thread_drains_though_its_work_is_looked_at, setup),
		cmocka_unit_test_setup(a_thread_drains_while_all_stand_still, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
