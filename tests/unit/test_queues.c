/* SPDX-License-Identifier: MIT */
/* test_queues.c -- a drain and the program are never in one queue at once, and a queue that
 * goes waits for the drain that is in it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/life.h"
#include "../../shim/queues.h"

static struct taf_queues table;
static _Atomic(int) waits, is_inside, may_go, is_gone;

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < TAF_QUEUES; i++) {
		table.of[i].handle = 0;
		table.of[i].claim = 0;
		table.of[i].users = 0;
	}
	table.retired = 0;
	waits = is_inside = may_go = is_gone = 0;
	taf_rules_default(&taf_rules);
	taf_rules.drain_deadline_ms = 60000;
	return 0;
}

static struct taf_queue *make(uint64_t handle, uint64_t parent)
{
	struct taf_queue like = { .parent = parent };
	struct taf_queue *q = taf_queue_add(&table, handle, &like);

	assert_non_null(q);
	q->is_used = true;
	return q;
}

static int wait_for(struct taf_queue *q, uint64_t until)
{
	assert_true(until > 0);
	assert_int_equal(q->claim, taf_tid());
	waits++;
	return 0;
}

static void a_queue_is_known_until_it_is_dropped(void **state)
{
	struct taf_queue *q = make(11, 1);

	(void)state;
	assert_ptr_equal(taf_queue_of(&table, 11), q);
	assert_ptr_equal(make(11, 1), q);
	make(12, 2);
	taf_queue_drop_all(&table, 1);
	assert_null(taf_queue_of(&table, 11));
	assert_non_null(taf_queue_of(&table, 12));
	assert_null(taf_queue_of(&table, 0));
	assert_null(taf_queue_enter(&table, 11));
	taf_queue_leave(NULL);
}

static void a_full_table_says_so(void **state)
{
	struct taf_queue like = { .parent = 1 };

	(void)state;
	for (uint64_t i = 1; i <= TAF_QUEUES; i++)
		make(i, 1);
	assert_null(taf_queue_add(&table, TAF_QUEUES + 1, &like));
}

static void a_drain_looks_at_what_was_used(void **state)
{
	(void)state;
	make(11, 1);
	make(12, 1)->is_used = false;
	assert_int_equal(taf_queue_each(&table, wait_for), 0);
	assert_int_equal(waits, 1);
}

/* A handler that interrupted the runtime: whoever waits there waits for ever. */
static void a_thread_passes_over_what_it_is_in(void **state)
{
	struct taf_queue *q;

	(void)state;
	make(11, 1);
	make(12, 1);
	q = taf_queue_enter(&table, 11);
	assert_non_null(q);
	assert_null(taf_queue_enter(&table, 11));
	assert_int_equal(taf_queue_each(&table, wait_for), -ETIMEDOUT);
	assert_int_equal(waits, 1);
	taf_queue_leave(q);
	assert_int_equal(taf_queue_each(&table, wait_for), 0);
	assert_int_equal(waits, 3);
}

static void *stay_inside(void *unused)
{
	struct taf_queue *q = taf_queue_enter(&table, 11);

	(void)unused;
	is_inside = 1;
	while (!may_go)
		sched_yield();
	is_inside = 0;
	taf_queue_leave(q);
	return NULL;
}

static int wait_alone(struct taf_queue *q, uint64_t until)
{
	(void)q;
	(void)until;
	assert_false(is_inside);
	waits++;
	return 0;
}

static void *let_go(void *unused)
{
	(void)unused;
	may_go = 1;
	return NULL;
}

static void a_drain_waits_until_the_program_is_out(void **state)
{
	pthread_t inside, helper;

	(void)state;
	make(11, 1);
	assert_int_equal(pthread_create(&inside, NULL, stay_inside, NULL), 0);
	while (!is_inside)
		sched_yield();
	taf_rules.drain_deadline_ms = 0;
	assert_int_equal(taf_queue_each(&table, wait_alone), -ETIMEDOUT);
	assert_int_equal(waits, 0);
	taf_rules.drain_deadline_ms = 60000;
	assert_int_equal(pthread_create(&helper, NULL, let_go, NULL), 0);
	assert_int_equal(taf_queue_each(&table, wait_alone), 0);
	assert_int_equal(waits, 1);
	pthread_join(inside, NULL);
	pthread_join(helper, NULL);
}

static void *drop(void *q)
{
	taf_queue_drop(&table, q);
	is_gone = 1;
	return NULL;
}

static int wait_while_it_is_dropped(struct taf_queue *q, uint64_t until)
{
	static pthread_t dropper;

	(void)until;
	if (q->handle != 11)
		return 0;
	taf_rules.drain_deadline_ms = 0; /* that it takes longer than it may changes nothing */
	assert_int_equal(pthread_create(&dropper, NULL, drop, q), 0);
	pthread_detach(dropper);
	for (int i = 0; i < 1000; i++)
		sched_yield();
	assert_false(is_gone);
	waits++;
	return 0;
}

static void what_goes_waits_for_the_drain(void **state)
{
	(void)state;
	make(11, 1);
	assert_int_equal(taf_queue_each(&table, wait_while_it_is_dropped), 0);
	while (!is_gone)
		sched_yield();
	assert_int_equal(waits, 1);
	assert_null(taf_queue_of(&table, 11));
}

/* What the queue waits for may be what the program submits next. */
static int stay_while_the_program_enters(struct taf_queue *q, uint64_t until)
{
	pthread_t inside;

	(void)until;
	assert_true(taf_queue_stay(q));
	may_go = 1;
	assert_int_equal(pthread_create(&inside, NULL, stay_inside, NULL), 0);
	pthread_join(inside, NULL);
	taf_queue_go(q);
	waits++;
	return 0;
}

static void who_stays_holds_nobody_up(void **state)
{
	(void)state;
	make(11, 1);
	assert_int_equal(taf_queue_each(&table, stay_while_the_program_enters), 0);
	assert_int_equal(waits, 1);
}

static int stay_until_it_goes(struct taf_queue *q, uint64_t until)
{
	pthread_t dropper;

	(void)until;
	taf_rules.drain_deadline_ms = 0;
	assert_true(taf_queue_stay(q));
	assert_int_equal(pthread_create(&dropper, NULL, drop, q), 0);
	while (!q->is_going)
		sched_yield();
	assert_false(taf_queue_stay(q));
	assert_false(is_gone);
	taf_queue_go(q);
	pthread_join(dropper, NULL);
	assert_true(is_gone);
	return 0;
}

static void what_goes_waits_for_who_stays(void **state)
{
	(void)state;
	make(11, 1);
	assert_int_equal(taf_queue_each(&table, stay_until_it_goes), 0);
	assert_null(taf_queue_of(&table, 11));
}

static void *enter_and_end(void *unused)
{
	(void)unused;
	taf_tls.tid = 0;
	taf_queue_enter(&table, 11);
	return NULL;
}

static void a_thread_that_is_gone_holds_nothing(void **state)
{
	pthread_t t;

	(void)state;
	make(11, 1);
	assert_int_equal(pthread_create(&t, NULL, enter_and_end, NULL), 0);
	pthread_join(t, NULL);
	assert_int_equal(taf_queue_each(&table, wait_for), 0);
	assert_int_equal(waits, 1);
}

/* A drain that waited for the claim of a queue that is gone has it, and has not yet looked. */
static void an_entry_that_is_claimed_is_not_used_again(void **state)
{
	struct taf_queue *q = make(11, 1);
	pthread_t inside;
	uint32_t holder;

	(void)state;
	assert_int_equal(pthread_create(&inside, NULL, stay_inside, NULL), 0);
	while (!is_inside)
		sched_yield();
	holder = q->claim;
	q->handle = 0;
	assert_ptr_not_equal(make(12, 1), q);
	assert_int_equal(q->claim, holder);
	may_go = 1;
	pthread_join(inside, NULL);
	assert_ptr_equal(make(13, 1), q);
	assert_int_equal(q->claim, 0);
}

static void an_entry_that_a_thread_left_claimed_is_used_again(void **state)
{
	struct taf_queue *q = make(11, 1);
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, enter_and_end, NULL), 0);
	pthread_join(t, NULL);
	q->handle = 0;
	assert_ptr_equal(make(12, 1), q);
	assert_int_equal(q->claim, 0);
}

static void *swap_while_a_drain_waits(void *arg)
{
	struct taf_queue *q = taf_queue_enter(&table, 11);

	(void)arg;
	is_inside = 1;
	while (!q->waiters)
		sched_yield();
	q->is_used = false;
	q->handle = 12;
	taf_queue_leave(q);
	return NULL;
}

static void a_drain_looks_again_at_what_it_waited_for(void **state)
{
	pthread_t t;

	(void)state;
	make(11, 1);
	assert_int_equal(pthread_create(&t, NULL, swap_while_a_drain_waits, NULL), 0);
	while (!is_inside)
		sched_yield();
	assert_int_equal(taf_queue_each(&table, wait_for), 0);
	pthread_join(t, NULL);
	assert_int_equal(waits, 0);
	assert_int_equal(table.of[0].claim, 0);
}

static void all_of_a_device_are_entered(void **state)
{
	struct taf_queue *a = make(11, 1), *b = make(12, 1), *c = make(13, 2);

	(void)state;
	taf_queue_enter_all(&table, 1);
	assert_int_equal(a->claim, taf_tid());
	assert_int_equal(b->claim, taf_tid());
	assert_int_equal(c->claim, 0);
	taf_queue_leave_all(&table, 1);
	assert_int_equal(a->claim | b->claim, 0);
}

static void a_fork_child_has_none(void **state)
{
	pid_t child;
	int status;

	(void)state;
	make(11, 1);
	child = fork();
	if (!child) {
		taf_tls.tid = 0;
		_exit(taf_queue_each(&table, wait_for) || waits || taf_queue_of(&table, 11));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_non_null(taf_queue_of(&table, 11));
}

static void a_fork_child_has_no_marks(void **state)
{
	pid_t child;
	int status;

	(void)state;
	assert_false(taf_queue_has_retired(&table));
	taf_queue_retire(&table, make(11, 1), 77);
	assert_true(taf_queue_has_retired(&table));
	child = fork();
	if (!child) {
		taf_tls.tid = 0;
		_exit(taf_queue_has_retired(&table) || taf_queue_of(&table, 77));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(taf_queue_has_retired(&table));
	taf_queue_drop(&table, taf_queue_of(&table, 77));
	assert_false(taf_queue_has_retired(&table));
}

static void a_retired_queue_is_waited_for_by_its_mark(void **state)
{
	struct taf_queue *q = make(11, 1);

	(void)state;
	q->late = 5;
	taf_queue_retire(&table, q, 77);
	assert_null(taf_queue_of(&table, 11));
	assert_ptr_equal(taf_queue_of(&table, 77), q);
	assert_true(q->is_retired);
	assert_int_equal(q->late, 0);
	assert_int_equal(q->claim, 0);
	assert_false(taf_queue_stay(q));
	assert_int_equal(taf_queue_each(&table, wait_for), 0);
	assert_int_equal(waits, 1);
	taf_queue_drop(&table, q);
	assert_false(make(12, 1)->is_retired);
}

static void look_at(struct taf_queue *q)
{
	assert_int_equal(q->claim, taf_tid());
	waits++;
	taf_queue_drop(&table, q);
}

static void only_retired_queues_that_nobody_waits_for_are_looked_at(void **state)
{
	struct taf_queue *busy = make(13, 1);

	(void)state;
	make(12, 1);
	taf_queue_retire(&table, make(11, 1), 77);
	taf_queue_retire(&table, busy, 78);
	busy->claim = 1;
	taf_queue_each_retired(&table, look_at);
	assert_int_equal(waits, 1);
	assert_null(taf_queue_of(&table, 77));
	assert_ptr_equal(taf_queue_of(&table, 78), busy);
	assert_non_null(taf_queue_of(&table, 12));
	assert_int_equal(busy->claim, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_queue_is_known_until_it_is_dropped, setup),
		cmocka_unit_test_setup(a_full_table_says_so, setup),
		cmocka_unit_test_setup(a_drain_looks_at_what_was_used, setup),
		cmocka_unit_test_setup(a_thread_passes_over_what_it_is_in, setup),
		cmocka_unit_test_setup(a_drain_waits_until_the_program_is_out, setup),
		cmocka_unit_test_setup(what_goes_waits_for_the_drain, setup),
		cmocka_unit_test_setup(who_stays_holds_nobody_up, setup),
		cmocka_unit_test_setup(what_goes_waits_for_who_stays, setup),
		cmocka_unit_test_setup(a_retired_queue_is_waited_for_by_its_mark, setup),
		cmocka_unit_test_setup(only_retired_queues_that_nobody_waits_for_are_looked_at,
				       setup),
		cmocka_unit_test_setup(a_thread_that_is_gone_holds_nothing, setup),
		cmocka_unit_test_setup(an_entry_that_is_claimed_is_not_used_again, setup),
		cmocka_unit_test_setup(an_entry_that_a_thread_left_claimed_is_used_again, setup),
		cmocka_unit_test_setup(a_drain_looks_again_at_what_it_waited_for, setup),
		cmocka_unit_test_setup(all_of_a_device_are_entered, setup),
		cmocka_unit_test_setup(a_fork_child_has_none, setup),
		cmocka_unit_test_setup(a_fork_child_has_no_marks, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
