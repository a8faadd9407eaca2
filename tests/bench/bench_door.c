/* SPDX-License-Identifier: MIT */
/* bench_door.c -- what a hooked call costs: an empty function of a fake runtime
 * called in a loop by this program started again, bare and under the shim, in turn.
 *
 *   narrow   ggml_backend_sched_graph_compute_async  (SUBMIT: counters, one ring slot)
 *   wide     ggml_backend_synchronize                (SYNC: facts, rules, one ring slot, no file)
 *   launch   hipGraphLaunch                          (the same as narrow, and what is in flight)
 *   both     cudaGraphLaunch, in which the runtime calls the driver's cuGraphLaunch
 *   cold     hipGraphLaunch, and before each call the caches are filled with other memory
 *   cold2    cudaGraphLaunch likewise
 *   armed    hipGraphLaunch with drain.every_submits, whose window is never full
 *   memory   hipMalloc and hipFree                   (two narrow doors, the table of pieces)
 *   wait     hipStreamSynchronize                    (wide, and what it shows to be done)
 *   lookup   cuGetProcAddress_v2                     (its answer is matched by address)
 *   eval     mlx::core::eval                         (narrow, and the generation of its thread)
 *   opencl   clEnqueueNDRangeKernel                  (narrow, by hand: a queue that is known)
 *   vulkan   vkQueueSubmit                           (likewise)
 *   churn    hipMalloc, hipGraphLaunch, hipStreamSynchronize, hipFree, each thread on a stream
 *            of its own
 *
 * Two threads: how much longer a call takes with one on each processor than with one
 * alone, bare and under the shim.  Churn: time of one round of all threads together. */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/ring.h"
#include "bench.h"

#define PAIRS 31
#define CALLS 2000000
#define ROUNDS 20000 /* of threads that free */
#define THREADS 8
#define COLD_CALLS 4000
#define COLD_BYTES (1u << 20)

/* All of a fake: whatever is not asked for costs nothing. */
static struct {
	int (*submit)(void *, void *);
	void (*sync)(void *);
	int (*malloc)(void **, size_t);
	int (*free)(void *);
	int (*launch)(void *, void *);
	int (*launch_both)(void *, void *);
	int (*wait)(void *);
	void (*eval)(void *);
	void *(*queue_of)(void *, void *, unsigned long long, int *);
	int (*enqueue)(void *, void *, unsigned, const size_t *, const size_t *, const size_t *,
		       unsigned, void *const *, void **);
	void (*device_queue)(void *, unsigned, unsigned, void **);
	int (*submit_vk)(void *, unsigned, const void *, unsigned long long);
	int (*ask)(const char *, void **, int, unsigned long long, int *);
} fake;

struct loop {
	const char *what;
	int cpu; /* -1: wherever this program is let */
	int calls;
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

static void launch_both(void)
{
	static char exec;

	fake.launch_both(&exec, &stream);
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

static void *cl_queue, *vk_queue;

static void enqueue(void)
{
	static const size_t one[1] = { 1 };
	static char kernel;

	fake.enqueue(cl_queue, &kernel, 1, NULL, one, NULL, 0, NULL, NULL);
}

static void submit_vk(void)
{
	fake.submit_vk(vk_queue, 0, NULL, 0);
}

static void churn(void)
{
	static _Thread_local char own;
	void *p;

	fake.malloc(&p, 4096);
	fake.launch(p, &own);
	fake.wait(&own);
	fake.free(p);
}

static const struct {
	const char *what;
	void (*call)(void);
} loops[] = {
	{ "narrow", narrow },	  { "wide", wide },	   { "launch", launch },
	{ "armed", launch },	  { "both", launch_both }, { "cold", launch },
	{ "cold2", launch_both }, { "memory", memory },	   { "wait", wait_for },
	{ "lookup", lookup },	  { "eval", eval },	   { "opencl", enqueue },
	{ "vulkan", submit_vk },  { "churn", churn },
};

/* Whatever `taskset` said of the whole. */
static void stay_on(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* What an engine does between two calls as far as caches can tell: all of another memory is
 * read.  The mean of the middle half of all, since some processors' counter goes on in steps of
 * 10 ns; the clock's own reading is part of it. */
static double cold(void (*call)(void))
{
	static volatile char other[COLD_BYTES];
	static double took[COLD_CALLS];
	double begin = bench_now_ns(), sum = 0;
	uint64_t first = taf_stamp_tsc(), last;

	for (int i = 0; i < COLD_CALLS; i++) {
		uint64_t from;

		for (size_t at = 0; at < sizeof(other); at += 64)
			other[at]++;
		from = taf_stamp_tsc();
		call();
		took[i] = (double)(taf_stamp_tsc() - from);
	}
	last = taf_stamp_tsc();
	bench_median(took, COLD_CALLS); /* sorts */
	for (int i = COLD_CALLS / 4; i < COLD_CALLS * 3 / 4; i++)
		sum += took[i];
	return sum / (COLD_CALLS / 2) * (bench_now_ns() - begin) / (double)(last - first);
}

static void *run_loop(void *arg)
{
	struct loop *l = arg;
	void (*call)(void) = NULL;
	double begin;

	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++)
		if (!strcmp(loops[i].what, l->what))
			call = loops[i].call;
	if (l->cpu >= 0)
		stay_on((unsigned)l->cpu);
	if (!strncmp(l->what, "cold", 4)) {
		l->ns = cold(call);
		return NULL;
	}
	begin = bench_now_ns();
	for (int i = 0; i < l->calls; i++)
		call();
	l->ns = (bench_now_ns() - begin) / l->calls;
	return NULL;
}

static void find(void *handle, const char *name, void *fn)
{
	void *p = dlsym(handle, name);

	memcpy(fn, &p, sizeof(p));
}

static void find_all(void *h)
{
	find(h, "ggml_backend_sched_graph_compute_async", &fake.submit);
	find(h, "ggml_backend_synchronize", &fake.sync);
	find(h, "hipMalloc", &fake.malloc);
	find(h, "hipFree", &fake.free);
	find(h, "hipGraphLaunch", &fake.launch);
	find(h, "cudaGraphLaunch", &fake.launch_both);
	find(h, "hipStreamSynchronize", &fake.wait);
	find(h, "cuGetProcAddress_v2", &fake.ask);
	find(h, "_ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE", &fake.eval);
	find(h, "clCreateCommandQueue", &fake.queue_of);
	find(h, "clEnqueueNDRangeKernel", &fake.enqueue);
	find(h, "vkGetDeviceQueue", &fake.device_queue);
	find(h, "vkQueueSubmit", &fake.submit_vk);
}

static void get_ready(void)
{
	static char context, device;
	int error;

	cl_queue = fake.queue_of(&context, &device, 0, &error);
	fake.device_queue(&device, 0, 0, &vk_queue);
	launch(); /* becomes active */
	usleep(20000); /* and knows how fast its clock is */
	launch();
	launch_both();
	wait_for(); /* nothing is in flight: a free does not drain */
}

/* The child: prints ns a call, the slowest thread's. */
static int child(const char *path, const char *what, int threads)
{
	void *h = dlopen(path, RTLD_NOW);
	struct loop l[THREADS];
	pthread_t t[THREADS];
	double worst = 0;

	if (!h || threads > THREADS)
		return 1;
	find_all(h);
	if (!fake.submit || !fake.sync || !fake.malloc || !fake.free || !fake.launch ||
	    !fake.launch_both || !fake.wait || !fake.ask || !fake.eval || !fake.queue_of ||
	    !fake.enqueue || !fake.device_queue || !fake.submit_vk)
		return 1;
	get_ready();
	for (int i = 0; i < threads; i++) {
		l[i] = (struct loop){ what, threads > 1 ? i % 2 : -1,
				      strcmp(what, "churn") ? CALLS : ROUNDS, 0 };
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

static double measure(const char *self, const char *setting, const char *what, int threads)
{
	char cmd[10240], line[64];
	double ns;
	FILE *p;

	snprintf(cmd, sizeof(cmd), "%s %s child %s %d", setting, self, what, threads);
	p = popen(cmd, "r");
	if (!p || !fgets(line, sizeof(line), p) || (ns = atof(line)) <= 0) {
		fprintf(stderr, "bench_door: no answer from a child\n");
		exit(1);
	}
	pclose(p);
	return ns;
}

/* One call, or one round of THREADS threads. */
static void pairs(const char *name, const char *self, const char *shim, const char *what)
{
	static double a[PAIRS], b[PAIRS];
	int threads = strcmp(what, "churn") ? 1 : THREADS;

	for (int i = 0; i < PAIRS; i++) {
		a[i] = measure(self, "", what, threads);
		b[i] = measure(self, shim, what, threads);
	}
	bench_pairs(name, a, b, PAIRS, "ns", 0);
}

/* What a call takes alone, as a part of what it takes beside another thread's. */
static double scaling(const char *self, const char *setting, const char *what)
{
	double one = measure(self, setting, what, 1);

	return one / measure(self, setting, what, 2);
}

static void sharing(const char *name, const char *self, const char *shim, const char *what)
{
	static double a[PAIRS], b[PAIRS];

	for (int i = 0; i < PAIRS; i++) {
		a[i] = scaling(self, "", what);
		b[i] = scaling(self, shim, what);
	}
	bench_pairs(name, a, b, PAIRS, "", 1);
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
	pairs("a launch by CUDA's runtime: it calls the driver", argv[0], shim, "both");
	pairs("a launch after 1 MiB of other memory", argv[0], shim, "cold");
	pairs("a launch by CUDA's runtime after 1 MiB", argv[0], shim, "cold2");
	pairs("an allocation and its free", argv[0], shim, "memory");
	pairs("a stream synchronize", argv[0], shim, "wait");
	pairs("cuGetProcAddress of a watched name", argv[0], shim, "lookup");
	pairs("an evaluation of MLX", argv[0], shim, "eval");
	pairs("an OpenCL kernel", argv[0], shim, "opencl");
	pairs("a Vulkan submit", argv[0], shim, "vulkan");
	pairs("8 threads, each: allocate, launch, wait, free", argv[0], shim, "churn");
	bench_head("Two threads: one alone against one of two", "bare", "under the shim");
	sharing("narrow door", argv[0], shim, "narrow");
	sharing("a launch, one stream", argv[0], shim, "launch");
	snprintf(path, sizeof(path), "rm -rf %s", state);
	return system(path) ? 1 : 0;
}
