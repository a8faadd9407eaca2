/* SPDX-License-Identifier: MIT */
/* test_ring.c -- the ring: its file, its lanes, and that no record is torn, mixed or lost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../policy/text.h"
#include "../../shim/crumb.h"
#include "../../policy/rules.h"
#include "../../shim/ring.h"

#define THREADS 40
#define RECORDS 3000

static char dir[] = "/tmp/taf-ring-XXXXXX";
static struct taf_session session;

static void open_ring(uint32_t bytes)
{
	taf_copy(session.ring_dir, dir, sizeof(session.ring_dir));
	taf_sys_boot_id(session.boot);
	taf_copy(session.run, "0123456789abcdef", sizeof(session.run));
	session.pid = taf_sys_pid();
	session.start = taf_sys_start_ticks(0);
	session.ring_bytes = bytes;
	assert_int_equal(taf_ring_open(&session), 0);
}

static struct taf_lane *lane_of(struct taf_ring_head *h, uint32_t i)
{
	return (struct taf_lane *)(void *)((char *)h + TAF_RING_PAGE + (size_t)i * h->lane_bytes);
}

/* A record whose every part follows from its number. */
static struct taf_slot_body body_of(uint64_t n)
{
	return (struct taf_slot_body){ n,	   n * 3 + 1,	      (uint16_t)(n * 7),
				       (uint8_t)n, (uint8_t)(n % 25), (int32_t)n };
}

/* Slots that claim to be whole, and whether they are what somebody wrote. */
static uint32_t count_whole(struct taf_lane *lane, uint32_t *bad)
{
	struct taf_slot *slot = (struct taf_slot *)(void *)(lane + 1);
	uint32_t whole = 0;

	for (uint32_t k = 0; k < lane->slots; k++) {
		struct taf_slot *s = &slot[k];
		struct taf_slot_body want = body_of(s->stamp);

		if (!s->seq || (s->seq - 1) % lane->slots != k ||
		    s->check != taf_slot_check(s, s->seq))
			continue;
		whole++;
		*bad += s->arg != want.arg || s->row != want.row || s->engine != want.engine ||
			s->kind != want.kind || s->rc != want.rc;
	}
	return whole;
}

static void test_head_and_file(void **state)
{
	struct taf_ring_head *h;
	struct stat st;

	(void)state;
	open_ring(0);
	h = taf_ring_head();
	assert_int_equal(taf_ring_open(&session), -EALREADY);
	assert_int_equal(stat(taf_ring_path(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 512 * 1024);
	assert_int_equal(h->magic, TAF_RING_MAGIC);
	assert_int_equal(h->bytes, st.st_size);
	assert_int_equal(h->lanes, TAF_LANES);
	assert_true((uint64_t)h->lanes * h->lane_bytes + TAF_RING_PAGE <= h->bytes);
	assert_int_equal(h->lane_bytes % 64, 0);
	assert_int_equal(h->pid, getpid());
	assert_string_equal(h->run, "0123456789abcdef");
	assert_string_equal(h->boot, session.boot);
	assert_true(h->mono0 && h->tsc0 && h->utc0_us);
	assert_int_equal(taf_ring_ready(), 0);
	assert_ptr_equal(taf_ring_take_lane(), lane_of(h, 0));
	assert_int_equal(taf_ring_ready(), 1);
	assert_int_equal(lane_of(h, 0)->open.what & TAF_NO_ROW, TAF_NO_ROW);
	assert_false(lane_of(h, 0)->is_shared);
	assert_int_equal(lane_of(h, TAF_LANES - 1)->open.what & TAF_NO_ROW, TAF_NO_ROW);
	assert_true(lane_of(h, TAF_LANES - 1)->is_shared);
	taf_ring_close(true);
	assert_null(taf_ring_head());
	assert_string_equal(taf_ring_path(), "");
	assert_null(taf_ring_take_lane());
}

static void test_leftover_of_an_exec_is_replaced(void **state)
{
	char path[TAF_PATH_MAX];

	(void)state;
	open_ring(0);
	taf_copy(path, taf_ring_path(), sizeof(path));
	taf_ring_head()->infers = 5;
	taf_ring_close(false);
	assert_int_equal(access(path, F_OK), 0);
	open_ring(0);
	assert_string_equal(taf_ring_path(), path);
	assert_int_equal(taf_ring_head()->infers, 0);
	taf_ring_close(true);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_counts_without_a_file(void **state)
{
	struct taf_slot_body b = body_of(1);
	struct rlimit limit = { 4096, RLIM_INFINITY }, old;

	(void)state;
	session.ring_dir[0] = '\0';
	assert_int_equal(taf_ring_open(&session), 0);
	assert_string_equal(taf_ring_path(), "");
	taf_ring_put(taf_ring_take_lane(), &b);
	assert_int_equal(taf_ring_take_lane()->next, 1);
	taf_ring_close(true);
	taf_copy(session.ring_dir, "/nowhere/at/all", sizeof(session.ring_dir));
	assert_int_equal(taf_ring_open(&session), 0);
	taf_ring_close(true);
	/* Making the file would be our death by SIGXFSZ. */
	getrlimit(RLIMIT_FSIZE, &old);
	limit.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	open_ring(0);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_string_equal(taf_ring_path(), "");
	assert_non_null(taf_ring_head());
	taf_ring_close(true);
}

static pthread_barrier_t gate;
static struct taf_lane *dealt[THREADS];

static void *write_records(void *arg)
{
	size_t me = (size_t)arg;
	struct taf_lane *lane = taf_ring_take_lane();

	dealt[me] = lane;
	pthread_barrier_wait(&gate);
	for (uint64_t n = 1; n <= RECORDS; n++) {
		struct taf_slot_body b = body_of(me * RECORDS + n);

		taf_ring_put(lane, &b);
	}
	if (taf_ring_take_lane() != lane)
		dealt[me] = NULL;
	pthread_barrier_wait(&gate);
	return NULL;
}

static void test_lanes_of_many_threads(void **state)
{
	pthread_t t[THREADS];
	struct taf_ring_head *h;
	uint32_t bad = 0, shared = 0;

	(void)state;
	open_ring(0);
	h = taf_ring_head();
	pthread_barrier_init(&gate, NULL, THREADS);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, write_records, (void *)i);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (size_t i = 0; i < THREADS; i++) {
		assert_non_null(dealt[i]);
		shared += dealt[i]->is_shared;
		for (size_t k = 0; k < i; k++)
			assert_true(dealt[i] != dealt[k] || dealt[i]->is_shared);
	}
	assert_int_equal(shared, THREADS - (TAF_LANES - 1));
	for (uint32_t i = 0; i < TAF_LANES; i++) {
		struct taf_lane *lane = lane_of(h, i);

		assert_int_equal(lane->next, (uint64_t)RECORDS * (lane->is_shared ? shared : 1));
		/* Only writers a whole lap apart can spoil a shared slot. */
		assert_true(count_whole(lane, &bad) >=
			    lane->slots - (lane->is_shared ? shared : 0));
	}
	assert_int_equal(bad, 0);
	/* Those threads are dead: their lanes go to the living. */
	h->submits_closed = h->allocs_closed = h->frees_closed = 0;
	for (uint32_t i = 0; i < TAF_LANES - 1; i++) {
		assert_true(lane_of(h, i)->tid != gettid());
		lane_of(h, i)->submits = 3;
		lane_of(h, i)->allocs = 2;
		lane_of(h, i)->frees = 1;
	}
	assert_false(taf_ring_take_lane()->is_shared);
	assert_int_equal(taf_ring_take_lane()->tid, gettid());
	/* Its counters go to the head once, its records stay readable. */
	assert_int_equal(h->submits_closed, 3);
	assert_int_equal(h->allocs_closed, 2);
	assert_int_equal(h->frees_closed, 1);
	assert_int_equal(taf_ring_take_lane()->submits, 0);
	assert_int_equal(taf_ring_take_lane()->next, RECORDS);
	taf_ring_close(true);
}

static void test_fork_child_leaves_the_parents_ring_alone(void **state)
{
	struct taf_lane *mine;
	int status;
	pid_t pid;

	(void)state;
	open_ring(0);
	mine = taf_ring_take_lane();
	pid = fork();
	if (!pid) {
		struct taf_slot_body b = body_of(1);

		taf_ring_abandon();
		/* A pointer that somebody kept must hurt nobody. */
		mine->slots = 4;
		taf_ring_put(mine, &b);
		mine->tid = 0;
		_exit(taf_ring_head() || taf_ring_take_lane() || taf_ring_path()[0]);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(mine->next, 0);
	assert_int_equal(mine->tid, gettid());
	assert_int_equal(access(taf_ring_path(), F_OK), 0);
	taf_ring_close(true);
}

static struct taf_lane *signal_lane;
static volatile uint64_t signal_count;

static void on_alarm(int signo)
{
	struct taf_slot_body b = body_of(1000000000 + signal_count++);

	(void)signo;
	taf_ring_put(signal_lane, &b);
}

static void test_signals_never_mix_records(void **state)
{
	struct itimerval often = { { 0, 50 }, { 0, 50 } }, off = { { 0, 0 }, { 0, 0 } };
	uint32_t bad = 0, whole = 0;

	(void)state;
	open_ring(0);
	signal_lane = taf_ring_take_lane();
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	for (uint64_t n = 1; signal_count < 2000; n++) {
		struct taf_slot_body b = body_of(n);

		taf_ring_put(signal_lane, &b);
		if (n % 100000 == 0)
			count_whole(signal_lane, &bad);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	whole = count_whole(signal_lane, &bad);
	assert_int_equal(bad, 0);
	/* One that was interrupted may be lost, and slow builds are interrupted often. */
	assert_true(whole >= signal_lane->slots / 2);
	taf_ring_close(true);
}

#define WRITERS 4

static _Atomic(uint64_t) *published; /* by each writer, in memory that outlives it */

static void *write_for_ever(void *arg)
{
	size_t me = (size_t)arg;
	struct taf_lane *lane = taf_ring_take_lane();

	for (uint64_t n = 1; n; n++) {
		struct taf_slot_body b = body_of(me << 40 | n);

		taf_ring_put(lane, &b);
		published[me * 8] = n;
	}
	return NULL;
}

static void write_until_killed(void)
{
	pthread_t t;

	session.pid = taf_sys_pid();
	session.start = taf_sys_start_ticks(0);
	if (taf_ring_open(&session))
		_exit(1);
	for (size_t i = 1; i < WRITERS; i++)
		pthread_create(&t, NULL, write_for_ever, (void *)i);
	write_for_ever(NULL);
}

/* Of each writer the newest whole record must be the one it had published, or the next. */
static void examine_corpse(const char *path)
{
	struct taf_ring_head *h;
	uint32_t bad = 0, whole = 0, full = 0;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	h = mmap(NULL, 512 * 1024, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	for (uint32_t i = 0; i < TAF_LANES; i++) {
		struct taf_lane *lane = lane_of(h, i);
		struct taf_slot *newest;
		uint64_t n = lane->next;

		if (!n)
			continue;
		newest = taf_lane_slot(lane, n);
		assert_int_equal(newest->check, taf_slot_check(newest, (uint32_t)n));
		assert_true(n == published[(newest->stamp >> 40) * 8] ||
			    n == published[(newest->stamp >> 40) * 8] + 1);
		full += n < lane->slots ? (uint32_t)n : lane->slots;
		whole += count_whole(lane, &bad);
	}
	assert_int_equal(bad, 0);
	assert_true(whole + WRITERS >= full);
	munmap(h, 512 * 1024);
}

static void test_sigkill_loses_nothing(void **state)
{
	const char *rounds = getenv("TAF_LONG");
	char path[TAF_PATH_MAX];

	(void)state;
	assert_null(taf_ring_head());
	published = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < (rounds && *rounds ? 500 : 50); i++) {
		pid_t pid = fork();

		if (!pid)
			write_until_killed();
		while (!published[0] && !waitpid(pid, NULL, WNOHANG))
			taf_sys_sleep_ms(1);
		assert_true(published[0] > 0);
		taf_sys_sleep_ms((uint32_t)(rand() % 5));
		kill(pid, SIGKILL);
		snprintf(path, sizeof(path), "%s/%s-%d-%llu.ring", dir, session.boot, pid,
			 (unsigned long long)taf_sys_start_ticks(pid));
		waitpid(pid, NULL, 0);
		examine_corpse(path);
		unlink(path);
		memset((void *)published, 0, 4096);
	}
	munmap((void *)published, 4096);
}

static void test_a_wait_says_why(void **state)
{
	struct taf_answer why = { .rule = TAF_RULE_cadence_same_model_ms,
				  .unit = TAF_UNIT_MS,
				  .have = 5000,
				  .need = 180000,
				  .pass_ms = 175000,
				  .about = "tiny" };
	struct taf_ring_head *h;
	uint64_t before = taf_sys_mono_ns();

	(void)state;
	open_ring(0);
	h = taf_ring_head();
	taf_ring_hold_begin(&why, before);
	assert_int_equal(h->held_since_ns, before);
	assert_true(h->held_pass_ns >= before + 175 * 1000000000ull);
	assert_string_equal(h->held_rule, "cadence.same_model");
	assert_string_equal(h->held_why, "tiny");
	/* What has passed and what is left are of one moment. */
	assert_int_equal(h->held_need_ms, 180000);
	assert_int_equal(h->held_pass_ns - (uint64_t)h->held_from_ns, 180 * 1000000000ull);
	/* Somebody used the model meanwhile. */
	why.have = 1000;
	why.pass_ms = 179000;
	taf_ring_hold_again(&why);
	assert_true(h->held_pass_ns >= before + 179 * 1000000000ull);
	assert_int_equal(h->held_pass_ns - (uint64_t)h->held_from_ns, 180 * 1000000000ull);
	assert_int_equal(h->held_since_ns, before);
	/* A time longer than the machine has been up. */
	why.need = why.have + 86400000ull * 29;
	why.have = 86400000ull * 29;
	taf_ring_hold_again(&why);
	assert_true(h->held_from_ns < (int64_t)before);
	/* No time: what was compared stays as it was. */
	why.unit = TAF_UNIT_BYTES;
	taf_ring_hold_again(&why);
	assert_int_equal(h->held_need_ms, 0);
	assert_non_null(strstr(h->held_why, "tiny"));
	why.unit = TAF_UNIT_MS;
	why.have = 5000;
	/* Nobody knows when: nothing is said of the wait before. */
	why.pass_ms = TAF_PASS_UNKNOWN;
	memset(why.about, 'x', sizeof(why.about) - 1);
	taf_ring_hold_begin(&why, taf_sys_mono_ns());
	assert_int_equal(h->held_pass_ns, 0);
	assert_true(strlen(h->held_why) < sizeof(h->held_why));
	taf_ring_hold_end();
	assert_true(h->held_since_ns != 0);
	taf_ring_hold_end();
	assert_int_equal(h->held_since_ns, 0);
	taf_ring_close(true);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head_and_file),
		cmocka_unit_test(test_leftover_of_an_exec_is_replaced),
		cmocka_unit_test(test_counts_without_a_file),
		cmocka_unit_test(test_lanes_of_many_threads),
		cmocka_unit_test(test_fork_child_leaves_the_parents_ring_alone),
		cmocka_unit_test(test_signals_never_mix_records),
		cmocka_unit_test(test_sigkill_loses_nothing),
		cmocka_unit_test(test_a_wait_says_why),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
