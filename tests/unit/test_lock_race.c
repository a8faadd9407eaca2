/* SPDX-License-Identifier: MIT */
/* test_lock_race.c -- many processes for one GPU lock: who starts together, who
 * waits, who dies, who takes turns. TAF_LONG=1 plays ten times as many rounds. */
#include "lock_kit.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "../../shim/lock_queue.h"

#define RUNS 8
#define TURN_WORKERS 3
#define TURNS 12
#define SEQUENCE 4096

static int rounds(int n)
{
	return getenv("TAF_LONG") && *getenv("TAF_LONG") ? n * 10 : n;
}

static const char *run_of(int i)
{
	static char run[RUNS][17];

	snprintf(run[i], sizeof(run[i]), "%016x", 0x100u + (unsigned)i);
	return run[i];
}

/* All are told, then all are heard: they meet in the kernel. */
static int how_many_hold(struct actor *a, int n, int *one)
{
	int held = 0;

	for (int i = 0; i < n; i++)
		tell_actor(&a[i], 't');
	for (int i = 0; i < n; i++) {
		char answer = hear(&a[i]);

		assert_true(answer == 'O' || answer == 'B');
		held += answer == 'O';
		*one = answer == 'O' ? i : *one;
	}
	return held;
}

static void exactly_as_many_as_slots(void **state)
{
	(void)state;
	for (int round = 0; round < rounds(20); round++) {
		struct actor a[RUNS];
		char set[32];
		int slots = 1 + round % 3, one = -1;

		snprintf(set, sizeof(set), "lock.slots=%d", slots);
		for (int i = 0; i < RUNS; i++)
			a[i] = actor_of(run_of(i), set);
		assert_int_equal(how_many_hold(a, RUNS, &one), slots);
		/* They keep it, and the others do not get it by asking again. */
		assert_int_equal(how_many_hold(a, RUNS, &one), slots);
		dismiss(&a[one]);
		a[one] = actor_of("9999999999999999", set);
		assert_int_equal(how_many_hold(a, RUNS, &one), slots);
		for (int i = 0; i < RUNS; i++)
			dismiss(&a[i]);
	}
}

static void workers_of_one_run_never_wait(void **state)
{
	(void)state;
	for (int round = 0; round < rounds(20); round++) {
		struct actor a[RUNS];
		int one = -1, held;

		for (int i = 0; i < RUNS; i++)
			a[i] = actor_of(run_of(i % 2), "");
		held = how_many_hold(a, RUNS, &one);
		assert_int_equal(held, RUNS / 2);
		for (int i = 0; i < RUNS; i++)
			assert_int_equal(ask(&a[i], 't'), i % 2 == one % 2 ? 'O' : 'B');
		for (int i = 0; i < RUNS; i++)
			dismiss(&a[i]);
	}
}

/* Each of the waiting runs gets it, one after the other, when the last one was killed. */
static void killed_holders_are_followed(void **state)
{
	struct actor a[RUNS];
	bool is_done[RUNS] = { false };
	int holder = 0;

	(void)state;
	for (int i = 0; i < RUNS; i++)
		a[i] = actor_of(run_of(i), "");
	assert_int_equal(ask(&a[0], 't'), 'O');
	for (int i = 1; i < RUNS; i++)
		tell_actor(&a[i], 'w');
	for (int left = RUNS - 1; left; left--) {
		fd_set set;
		int most = 0;

		dismiss(&a[holder]);
		is_done[holder] = true;
		FD_ZERO(&set);
		for (int i = 1; i < RUNS; i++)
			if (!is_done[i]) {
				FD_SET(a[i].from, &set);
				most = a[i].from > most ? a[i].from : most;
			}
		assert_true(select(most + 1, &set, NULL, NULL, NULL) == 1);
		holder = 0;
		for (int i = 1; i < RUNS; i++)
			holder = !is_done[i] && FD_ISSET(a[i].from, &set) ? i : holder;
		assert_int_equal(hear(&a[holder]), 'O');
	}
	dismiss(&a[holder]);
}

/* ---- hold = inference ---- */

struct ground {
	_Atomic(int) inside; /* processes that compute */
	_Atomic(int) overlaps, n, done, ready;
	_Atomic(int) waits, most; /* times that one was in the queue; turns that it let pass */
	_Atomic(int) owner[SEQUENCE]; /* whose computation it was, in order */
};

static void compute(struct ground *g, int me)
{
	struct timespec t = { 0, 300000 };
	int at;

	if (atomic_fetch_add(&g->inside, 1))
		atomic_fetch_add(&g->overlaps, 1);
	at = atomic_fetch_add(&g->n, 1);
	if (at < SEQUENCE)
		g->owner[at] = me + 1;
	nanosleep(&t, NULL);
	atomic_fetch_sub(&g->inside, 1);
}

/* Turns of others that began since the computation from. */
static int turns_since(const struct ground *g, int from)
{
	int turns = 0;

	for (int i = from; i < g->n && i < SEQUENCE; i++)
		turns += !i || g->owner[i] != g->owner[i - 1];
	return turns;
}

static bool is_queued(const char *run)
{
	int fd = open(kit_path("queue"), O_RDONLY | O_CLOEXEC);
	struct taf_lock_queue q;
	ssize_t n = read(fd, &q, sizeof(q));
	bool is_there = false;

	close(fd);
	for (int i = 0; n == (ssize_t)sizeof(q) && i < TAF_LOCK_WAITERS; i++)
		is_there = is_there || !strcmp(q.at[i].run, run);
	return is_there;
}

static void get_lock(struct ground *g, const struct taf_rules *rules, int me)
{
	int from = -1, passed, most = g->most;

	while (taf_lock_try(rules, NULL) != TAF_LOCK_OURS) {
		taf_lock_wait(from < 0 ? 1 : 100);
		if (from < 0 && is_queued(run_of(me)))
			from = g->n;
	}
	if (from < 0)
		return;
	passed = turns_since(g, from);
	atomic_fetch_add(&g->waits, 1);
	while (most < passed && !atomic_compare_exchange_weak(&g->most, &most, passed))
		;
}

/* Computes until it had TURNS turns, or is the last that computes: nobody else would take
 * a turn then. */
static void take_turns(struct ground *g, int me)
{
	static struct taf_rules rules;
	int turns = 0, mine = -1;

	taf_rules_default(&rules);
	taf_rules_set_many(&rules, "lock.hold=inference;drain.idle_ms=10ms", NULL, NULL);
	kit_name(run_of(me), "");
	atomic_fetch_add(&g->ready, 1);
	while (g->ready < TURN_WORKERS)
		sched_yield();
	while (turns < TURNS && g->done < TURN_WORKERS - 1) {
		get_lock(g, &rules, me);
		if (mine != g->n)
			turns++; /* somebody else computed since */
		compute(g, me);
		mine = g->n;
		taf_lock_release();
	}
	atomic_fetch_add(&g->done, 1);
	_exit(0);
}

/* Whoever takes the lock while one is in the queue was there before it, or had it already. */
static void turns_go_by_the_queue(void **state)
{
	struct ground *g =
		mmap(NULL, sizeof(*g), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[TURN_WORKERS];

	(void)state;
	assert_true(g != MAP_FAILED);
	for (int i = 0; i < TURN_WORKERS; i++) {
		pid[i] = fork();
		if (!pid[i])
			take_turns(g, i);
	}
	for (int i = 0; i < TURN_WORKERS; i++) {
		int status = -1;

		waitpid(pid[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(g->overlaps, 0);
	assert_int_equal(g->done, TURN_WORKERS);
	assert_true(g->waits > 0);
	assert_true(g->most < TURN_WORKERS);
	munmap(g, sizeof(*g));
}

static void a_pause_is_no_end(void **state)
{
	static const char set[] = "lock.hold=inference;drain.idle_ms=10s";
	struct actor a = actor_of(RUN_A, set), b = actor_of(RUN_B, set), a2 = actor_of(RUN_A, set);

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&b, 't'), 'B');
	assert_int_equal(ask(&a, 'r'), 'k');
	/* The kernel has it free, but the turn is a's; any member may go on with it. */
	assert_int_equal(ask(&b, 't'), 'B');
	assert_int_equal(ask(&b, 'h'), 'k');
	assert_non_null(strstr(b.says, "actor (pid "));
	assert_int_equal(ask(&a2, 't'), 'O');
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&a, 'r'), 'k');
	assert_int_equal(ask(&b, 't'), 'B');
	assert_int_equal(ask(&a2, 'r'), 'k');
	/* A turn of a process that has ended is over. */
	dismiss(&a);
	dismiss(&a2);
	assert_int_equal(ask(&b, 't'), 'O');
	dismiss(&b);
}

static void an_idle_server_keeps_nobody(void **state)
{
	static const char set[] = "lock.hold=inference;drain.idle_ms=1ms";
	struct actor a = actor_of(RUN_A, set), b = actor_of(RUN_B, set);

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	tell_actor(&b, 'w');
	assert_int_equal(ask(&a, 'r'), 'k');
	/* a does nothing more, and lives. */
	assert_int_equal(hear(&b), 'O');
	assert_int_equal(ask(&a, 't'), 'B');
	assert_int_equal(ask(&b, 'r'), 'k');
	assert_int_equal(ask(&a, 'w'), 'O');
	dismiss(&a);
	dismiss(&b);
}

static void a_run_and_a_turn_exclude_each_other(void **state)
{
	struct actor a = actor_of(RUN_A, ""), b = actor_of(RUN_B, "lock.hold=inference");

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&b, 't'), 'B');
	dismiss(&a);
	assert_int_equal(ask(&b, 't'), 'O');
	a = actor_of(RUN_A, "");
	assert_int_equal(ask(&a, 't'), 'B');
	assert_int_equal(ask(&b, 'r'), 'k');
	assert_int_equal(ask(&a, 'w'), 'O');
	assert_int_equal(ask(&b, 't'), 'B');
	dismiss(&a);
	dismiss(&b);
}

/* Killed while it computes: the turn and the slot go with it. */
static void a_killed_turn_is_over(void **state)
{
	static const char set[] = "lock.hold=inference;drain.idle_ms=1h";
	struct actor a = actor_of(RUN_A, set), b = actor_of(RUN_B, set);

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	tell_actor(&b, 'w');
	dismiss(&a);
	assert_int_equal(hear(&b), 'O');
	dismiss(&b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, kit_fresh)
	const struct CMUnitTest tests[] = {
		TEST(exactly_as_many_as_slots),
		TEST(workers_of_one_run_never_wait),
		TEST(killed_holders_are_followed),
		TEST(turns_go_by_the_queue),
		TEST(a_pause_is_no_end),
		TEST(an_idle_server_keeps_nobody),
		TEST(a_run_and_a_turn_exclude_each_other),
		TEST(a_killed_turn_is_over),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
