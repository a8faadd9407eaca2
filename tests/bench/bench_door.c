/* SPDX-License-Identifier: MIT */
/* bench_door.c -- what a hooked call costs: an empty function of a fake ggml
 * called in a loop by this program started again, bare and under the shim, in turn.
 *
 *   narrow   ggml_backend_sched_graph_compute_async  (SUBMIT: counters, one ring slot)
 *   wide     ggml_backend_synchronize                (SYNC: facts, rules, one ring slot, no file)
 *
 * Two threads: the narrow door in two threads of a process, against two processes. */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PAIRS 31
#define CALLS 2000000

typedef int submit_fn(void *, void *);
typedef void sync_fn(void *);

struct loop {
	submit_fn *submit;
	sync_fn *sync;
	double ns;
};

static void *run_loop(void *arg)
{
	struct loop *l = arg;
	double begin = bench_now_ns();

	for (int i = 0; i < CALLS; i++) {
		if (l->submit)
			l->submit(NULL, NULL);
		else
			l->sync(NULL);
	}
	l->ns = (bench_now_ns() - begin) / CALLS;
	return NULL;
}

/* The child: prints ns a call, the slower thread's. */
static int child(const char *fake, const char *what, int threads)
{
	void *h = dlopen(fake, RTLD_NOW);
	union {
		void *p;
		submit_fn *submit;
		sync_fn *sync;
	} submit, sync;
	struct loop l[2] = { 0 };
	pthread_t t[2];
	double worst = 0;

	if (!h)
		return 1;
	submit.p = dlsym(h, "ggml_backend_sched_graph_compute_async");
	sync.p = dlsym(h, "ggml_backend_synchronize");
	if (!submit.p || !sync.p)
		return 1;
	submit.submit(NULL, NULL); /* becomes active */
	for (int i = 0; i < threads; i++) {
		if (!strcmp(what, "wide"))
			l[i].sync = sync.sync;
		else
			l[i].submit = submit.submit;
		pthread_create(&t[i], NULL, run_loop, &l[i]);
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(t[i], NULL);
		worst = l[i].ns > worst ? l[i].ns : worst;
	}
	printf("%.3f\n", worst);
	fflush(stdout);
	return 0;
}

static FILE *start(const char *self, const char *setting, const char *what, const char *threads)
{
	char cmd[10240];
	FILE *p;

	snprintf(cmd, sizeof(cmd), "%s %s child %s %s", setting, self, what, threads);
	p = popen(cmd, "r");
	if (!p)
		exit(1);
	return p;
}

static double answer(FILE *p)
{
	char line[64];
	double ns;

	if (!fgets(line, sizeof(line), p) || (ns = atof(line)) <= 0) {
		fprintf(stderr, "bench_door: no answer from a child\n");
		exit(1);
	}
	pclose(p);
	return ns;
}

static double measure(const char *self, const char *setting, const char *what, const char *threads)
{
	return answer(start(self, setting, what, threads));
}

static void pairs(const char *name, const char *self, const char *shim, const char *what)
{
	static double a[PAIRS], b[PAIRS];

	for (int i = 0; i < PAIRS; i++) {
		a[i] = measure(self, "", what, "1");
		b[i] = measure(self, shim, what, "1");
	}
	bench_pairs(name, a, b, PAIRS, "ns", 0);
}

/* Two processes at once, with one thread each, against one with two: the processor's
 * own limits are in both, and what the threads share is left. */
static void sharing(const char *self, const char *shim)
{
	static double a[PAIRS], b[PAIRS];

	for (int i = 0; i < PAIRS; i++) {
		FILE *one = start(self, shim, "narrow", "1"),
		     *other = start(self, shim, "narrow", "1");
		double x = answer(one), y = answer(other);

		a[i] = x > y ? x : y;
		b[i] = measure(self, shim, "narrow", "2");
	}
	bench_head("Two threads in the narrow door", "two processes", "two threads of one");
	bench_pairs("narrow door", a, b, PAIRS, "ns", 1);
}

int main(int argc, char **argv)
{
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
	char fake[4096], shim[8192], state[] = "/tmp/taffrail-bench-XXXXXX";

	snprintf(fake, sizeof(fake), "%s/tests/libfake_empty.so", build);
	if (argc == 4)
		return child(fake, argv[2], atoi(argv[3]));
	if (access(fake, R_OK) || !mkdtemp(state)) {
		fprintf(stderr, "bench_door: %s is missing; run make tests first\n", fake);
		return 1;
	}
	snprintf(shim, sizeof(shim), "TAFFRAIL_STATE=%s LD_PRELOAD=%s/libtaffrail.so", state,
		 build);
	bench_head("A hooked call", "bare", "under the shim");
	pairs("narrow door", argv[0], shim, "narrow");
	pairs("wide door, no file", argv[0], shim, "wide");
	sharing(argv[0], shim);
	snprintf(fake, sizeof(fake), "rm -rf %s", state);
	return system(fake) ? 1 : 0;
}
