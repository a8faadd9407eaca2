/* SPDX-License-Identifier: MIT */
/* bench_door.c -- what a hooked call costs: an empty function of a fake runtime
 * called in a loop by this program started again, bare and under the shim, in turn.
 *
 *   narrow   ggml_backend_sched_graph_compute_async  (SUBMIT: counters, one ring slot)
 *   wide     ggml_backend_synchronize                (SYNC: facts, rules, one ring slot, no file)
 *   launch   hipGraphLaunch                          (the same as narrow, and what is in flight)
 *   armed    the same with drain.every_submits, whose window is never full
 *   memory   hipMalloc and hipFree                   (two narrow doors, the table of pieces)
 *   wait     hipStreamSynchronize                    (wide, and what it shows to be done)
 *   lookup   cuGetProcAddress_v2                     (its answer is matched by address)
 *   eval     mlx::core::eval                         (narrow, and the generation of its thread)
 *
 * Two threads: in two threads of a process, against two processes. */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PAIRS 31
#define CALLS 2000000

/* All of a fake: whatever is not asked for costs nothing. */
static struct {
	int (*submit)(void *, void *);
	void (*sync)(void *);
	int (*malloc)(void **, size_t);
	int (*free)(void *);
	int (*launch)(void *, void *);
	int (*wait)(void *);
	void (*eval)(void *);
	int (*ask)(const char *, void **, int, unsigned long long, int *);
} fake;

struct loop {
	const char *what;
	double ns;
};

static void narrow(void)
{
	fake.submit(NULL, NULL);
}

static void wide(void)
{
	fake.sync(NULL);
}

/* Of all launches and waits. */
static char stream;

static void launch(void)
{
	static char exec;

	fake.launch(&exec, &stream);
}

static void memory(void)
{
	void *p;

	fake.malloc(&p, 4096);
	fake.free(p);
}

static void wait_for(void)
{
	fake.wait(&stream);
}

static void lookup(void)
{
	void *p;
	int found;

	fake.ask("cuMemAlloc", &p, 12000, 0, &found);
}

static void eval(void)
{
	static void *no_arrays[3];

	fake.eval(no_arrays);
}

static const struct {
	const char *what;
	void (*call)(void);
} loops[] = {
	{ "narrow", narrow }, { "wide", wide },	    { "launch", launch }, { "armed", launch },
	{ "memory", memory }, { "wait", wait_for }, { "lookup", lookup }, { "eval", eval },
};

static void *run_loop(void *arg)
{
	struct loop *l = arg;
	void (*call)(void) = NULL;
	double begin;

	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++)
		if (!strcmp(loops[i].what, l->what))
			call = loops[i].call;
	begin = bench_now_ns();
	for (int i = 0; i < CALLS; i++)
		call();
	l->ns = (bench_now_ns() - begin) / CALLS;
	return NULL;
}

static void find(void *handle, const char *name, void *fn)
{
	void *p = dlsym(handle, name);

	memcpy(fn, &p, sizeof(p));
}

/* The child: prints ns a call, the slower thread's. */
static int child(const char *path, const char *what, int threads)
{
	void *h = dlopen(path, RTLD_NOW);
	struct loop l[2] = { { what, 0 }, { what, 0 } };
	pthread_t t[2];
	double worst = 0;

	if (!h)
		return 1;
	find(h, "ggml_backend_sched_graph_compute_async", &fake.submit);
	find(h, "ggml_backend_synchronize", &fake.sync);
	find(h, "hipMalloc", &fake.malloc);
	find(h, "hipFree", &fake.free);
	find(h, "hipGraphLaunch", &fake.launch);
	find(h, "hipStreamSynchronize", &fake.wait);
	find(h, "cuGetProcAddress_v2", &fake.ask);
	find(h, "_ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE", &fake.eval);
	if (!fake.submit || !fake.sync || !fake.malloc || !fake.free || !fake.launch ||
	    !fake.wait || !fake.ask || !fake.eval)
		return 1;
	launch(); /* becomes active */
	usleep(20000); /* and knows how fast its clock is */
	launch();
	wait_for(); /* nothing is in flight: a free does not drain */
	for (int i = 0; i < threads; i++)
		pthread_create(&t[i], NULL, run_loop, &l[i]);
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
static void sharing(const char *name, const char *self, const char *shim, const char *what)
{
	static double a[PAIRS], b[PAIRS];

	for (int i = 0; i < PAIRS; i++) {
		FILE *one = start(self, shim, what, "1"), *other = start(self, shim, what, "1");
		double x = answer(one), y = answer(other);

		a[i] = x > y ? x : y;
		b[i] = measure(self, shim, what, "2");
	}
	bench_pairs(name, a, b, PAIRS, "ns", 1);
}

int main(int argc, char **argv)
{
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
	char path[4096], shim[8192], armed[8400], state[] = "/tmp/taffrail-bench-XXXXXX";

	snprintf(path, sizeof(path), "%s/tests/libfake_empty.so", build);
	if (argc == 4)
		return child(path, argv[2], atoi(argv[3]));
	if (access(path, R_OK) || !mkdtemp(state)) {
		fprintf(stderr, "bench_door: %s is missing; run make tests first\n", path);
		return 1;
	}
	snprintf(shim, sizeof(shim), "TAFFRAIL_STATE=%s LD_PRELOAD=%s/libtaffrail.so", state,
		 build);
	snprintf(armed, sizeof(armed), "TAFFRAIL_SET=drain.every_submits=1000000 %s", shim);
	bench_head("A hooked call", "bare", "under the shim");
	pairs("narrow door", argv[0], shim, "narrow");
	pairs("wide door, no file", argv[0], shim, "wide");
	pairs("a launch: narrow door, in flight, burst", argv[0], shim, "launch");
	pairs("the same, drain.every_submits armed", argv[0], armed, "armed");
	pairs("an allocation and its free", argv[0], shim, "memory");
	pairs("a stream synchronize", argv[0], shim, "wait");
	pairs("cuGetProcAddress of a watched name", argv[0], shim, "lookup");
	bench_head("Two threads in the narrow door", "two processes", "two threads of one");
	sharing("narrow door", argv[0], shim, "narrow");
	sharing("a launch, one stream", argv[0], shim, "launch");
	snprintf(path, sizeof(path), "rm -rf %s", state);
	return system(path) ? 1 : 0;
}
