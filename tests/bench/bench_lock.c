/* SPDX-License-Identifier: MIT */
/* bench_lock.c -- what the GPU lock costs: asking for what is ours, a computation
 * with lock.hold = inference, joining a run, and how soon the next run has it when
 * a holder was killed. In a folder of its own, with nobody else in it but where it
 * says so. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/lockfile.h"
#include "bench.h"

#define PAIRS 31
#define CALLS 20000
#define KILLS 101
#define RUN_A "aaaaaaaaaaaaaaaa"
#define RUN_B "bbbbbbbbbbbbbbbb"

static char dir[] = "/tmp/taf-bench-lock-XXXXXX";
static char runtime[64];
static char *env[] = { runtime, NULL };
static struct taf_rules rules;

static void name(const char *run, const char *set)
{
	struct taf_lock_who who = { .run = run, .command = "bench", .env = env, .theirs = env };

	taf_rules_default(&rules);
	taf_rules_set_many(&rules, set, NULL, NULL);
	taf_lock_name(&who);
}

static double ns_of(void (*call)(void), int calls)
{
	double begin = bench_now_ns();

	for (int i = 0; i < calls; i++)
		call();
	return (bench_now_ns() - begin) / calls;
}

static void nothing(void)
{
	__asm__ volatile("" ::: "memory");
}

static void ask(void)
{
	if (taf_lock_try(&rules, NULL) != TAF_LOCK_OURS)
		abort();
}

static void compute(void)
{
	ask();
	taf_lock_release();
}

static void compare(const char *what, void (*call)(void), int calls)
{
	double a[PAIRS], b[PAIRS];

	for (int i = 0; i < PAIRS; i++) {
		a[i] = ns_of(nothing, calls);
		b[i] = ns_of(call, calls);
	}
	bench_pairs(what, a, b, PAIRS, "ns", 0);
}

/* A process of that run that takes the lock and keeps it. */
static pid_t holder(const char *run)
{
	int ends[2];
	pid_t pid;
	char c;

	if (pipe(ends))
		abort();
	pid = fork();
	if (!pid) {
		name(run, "");
		ask();
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(ends[0], &c, 1) != 1)
		abort();
	close(ends[0]);
	close(ends[1]);
	return pid;
}

/* When the next run had it, in ms since the kill; and when the holder was seen to end. */
static void hand_over(void)
{
	double a[KILLS], b[KILLS], begin;
	_Atomic(double) *had =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (had == MAP_FAILED)
		abort();
	for (int i = 0; i < KILLS; i++) {
		pid_t first = holder(RUN_A), next = fork();

		if (!next) {
			name(RUN_B, "");
			while (taf_lock_try(&rules, NULL) != TAF_LOCK_OURS)
				taf_lock_wait(10000);
			*had = bench_now_ns();
			_exit(0);
		}
		usleep(20000); /* it waits by now; a later start would only look better */
		begin = bench_now_ns();
		kill(first, SIGKILL);
		waitpid(first, NULL, 0);
		a[i] = (bench_now_ns() - begin) / 1e6;
		waitpid(next, NULL, 0);
		b[i] = (*had - begin) / 1e6;
	}
	bench_pairs("killed: seen to end, next run has it", a, b, KILLS, "ms", 0);
}

/* In a process of its own, which takes what it holds with it. */
static void alone(void (*measure)(void))
{
	pid_t pid = fork();

	if (!pid) {
		measure();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void measure_ours(void)
{
	name(RUN_A, "");
	compare("ask for what is ours", ask, CALLS);
}

static void measure_turns(void)
{
	name(RUN_A, "lock.hold=inference");
	compare("one computation, hold = inference: take, give back", compute, CALLS / 10);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	snprintf(runtime, sizeof(runtime), "XDG_RUNTIME_DIR=%s", dir);
	bench_head("The GPU lock", "nothing", "with the lock");
	alone(measure_ours);
	alone(measure_turns);
	hand_over();
	if (execlp("rm", "rm", "-rf", dir, (char *)NULL))
		return 1;
	return 0;
}
