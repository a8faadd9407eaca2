/* SPDX-License-Identifier: MIT */
/* cuda_input.c -- hands CUDA what it was not made for, and prints what comes back: the
 * same with and without a guard.  argv[1] names the case. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cuda_work.h"

#define GARBAGE 0xdead00001000ull
#define THREADS 64
#define TURNS 300

static void *runtime, *driver;

/* Of the runtime, or of the driver: names say which. 9999: there is no such function. */
static void *named(const char *name)
{
	return dlsym(strncmp(name, "cuda", 4) ? driver : runtime, name);
}

/* All of these take what fits registers, and give a number. */
typedef int any_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static any_fn *function(const char *name)
{
	void *p = named(name);
	any_fn *f;

	memcpy(&f, &p, sizeof(f));
	return f;
}

#define CALL(name, a, b, c, d) \
	call(name, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d))
static int call(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	any_fn *f = function(name);

	return f ? f(a, b, c, d, 0, 0) : 9999;
}

static void tell(const char *name, int r)
{
	cuda_say("%s %d, last error %d\n", name, r, CALL("cudaPeekAtLastError", 0, 0, 0, 0));
}

#define TELL(name, a, b, c, d) tell(name, CALL(name, a, b, c, d))

static int launch(void)
{
	int (*f)(const void *, struct cuda_dim, struct cuda_dim, void **, size_t, void *);
	static void *_Atomic kept; /* a handler may not look for it */
	void *p = kept ? kept : named("cudaLaunchKernel"), *none[1] = { NULL };

	if (!p)
		return 9999;
	kept = p;
	memcpy(&f, &p, sizeof(f));
	return f(none, (struct cuda_dim){ 1, 2, 3 }, (struct cuda_dim){ 4, 5, 6 }, none, 7, NULL);
}

static void frees(void)
{
	void *p = NULL;

	TELL("cudaFree", 0, 0, 0, 0);
	TELL("cudaFree", GARBAGE, 0, 0, 0);
	TELL("cudaFreeHost", GARBAGE, 0, 0, 0);
	TELL("cudaFreeAsync", GARBAGE, 0, 0, 0);
	TELL("cudaFreeArray", GARBAGE, 0, 0, 0);
	TELL("cuMemFree_v2", GARBAGE, 0, 0, 0);
	TELL("cuMemRelease", UINT64_MAX, 0, 0, 0);
	TELL("cuMemHostUnregister", GARBAGE, 0, 0, 0);
	TELL("cuMemHostUnregister", 0, 0, 0, 0);
	TELL("cudaMalloc", &p, 4096, 0, 0);
	TELL("cudaFree", (uintptr_t)p + 16, 0, 0, 0);
	TELL("cudaFree", p, 0, 0, 0);
	TELL("cudaFree", p, 0, 0, 0);
	TELL("cudaGetLastError", 0, 0, 0, 0);
	TELL("cudaGraphExecDestroy", GARBAGE, 0, 0, 0);
	TELL("cudaStreamDestroy", GARBAGE, 0, 0, 0);
	TELL("cudaEventDestroy", GARBAGE, 0, 0, 0);
}

static void sizes(void)
{
	static const uint64_t list[] = { 0, 1, 1ull << 62, UINT64_MAX - 1, UINT64_MAX };
	static const char *const simple[] = { "cudaMalloc", "cudaMallocHost", "cuMemAlloc_v2",
					      "cuMemAllocHost_v2" };
	uint64_t p = 0, pitch = 0;

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		for (size_t k = 0; k < sizeof(simple) / sizeof(*simple); k++)
			TELL(simple[k], &p, list[i], 0, 0);
		TELL("cudaMallocAsync", &p, list[i], 0, 0);
		TELL("cudaMallocManaged", &p, list[i], 1, 0);
		TELL("cudaMallocPitch", &p, &pitch, list[i], 3);
		TELL("cudaMallocPitch", &p, &pitch, 3, list[i]);
		TELL("cuMemAllocPitch_v2", &p, &pitch, list[i], 0);
		TELL("cuMemHostRegister_v2", &p, list[i], 0, 0);
	}
	TELL("cudaMalloc", 0, 4096, 0, 0);
	TELL("cudaMallocPitch", &p, 0, 4, 4);
	TELL("cuMemAlloc_v2", 0, 4096, 0, 0);
	TELL("cuMemCreate", 0, 4096, 0, 0);
	TELL("cuMemCreate", &p, 4096, 0, 0);
	TELL("cuLaunchKernelEx", 0, 0, 0, 0);
	TELL("cudaLaunchKernelExC", 0, 0, 0, 0);
}

static void order(void)
{
	uint64_t p = 0;
	int device = 0;

	TELL("cuCtxSynchronize", 0, 0, 0, 0);
	TELL("cudaStreamSynchronize", 0, 0, 0, 0);
	TELL("cuMemFree_v2", 0, 0, 0, 0);
	TELL("cuCtxPopCurrent_v2", 0, 0, 0, 0);
	TELL("cuCtxDestroy_v2", GARBAGE, 0, 0, 0);
	TELL("cuCtxSetCurrent", GARBAGE, 0, 0, 0);
	TELL("cudaSetDevice", -1, 0, 0, 0);
	TELL("cudaSetDevice", 99, 0, 0, 0);
	TELL("cudaGetDevice", &device, 0, 0, 0);
	cuda_say("launch %d\n", launch());
	TELL("cudaStreamBeginCapture", 0, 2, 0, 0);
	TELL("cudaStreamEndCapture", 64, &p, 0, 0);
	TELL("cudaEventQuery", GARBAGE, 0, 0, 0);
	TELL("cudaEventSynchronize", GARBAGE, 0, 0, 0);
	TELL("cuDevicePrimaryCtxRelease_v2", 3, 0, 0, 0);
	TELL("cuDevicePrimaryCtxRelease_v2", 77, 0, 0, 0);
	TELL("cudaDeviceReset", 0, 0, 0, 0);
	TELL("cudaDeviceReset", 0, 0, 0, 0);
	TELL("cudaMalloc", &p, 4096, 0, 0);
	TELL("cudaNotThere", 0, 0, 0, 0);
	TELL("cudaOfTomorrow", 5, 0, 0, 0);
	TELL("cudaMallocFromPoolAsync", &p, 16, 0, 0);
}

static void captures(void)
{
	uint64_t graph = 0;

	for (int i = 0; i < 3; i++) {
		TELL("cudaStreamBeginCapture", 64, 2, 0, 0);
		cuda_say("launch %d\n", launch());
		TELL("cudaStreamEndCapture", 64, &graph, 0, 0);
		TELL("cudaStreamEndCapture", 64, &graph, 0, 0);
		TELL("cudaGraphLaunch", graph, 64, 0, 0);
		TELL("cudaStreamSynchronize", 64, 0, 0, 0);
	}
}

static void child(void)
{
	void *p = NULL;
	int status = 0;

	TELL("cudaMalloc", &p, 4096, 0, 0);
	cuda_say("launch %d\n", launch());
	if (!fork()) {
		TELL("cudaFree", p, 0, 0, 0);
		TELL("cudaMalloc", &p, 8192, 0, 0);
		cuda_say("launch %d\n", launch());
		TELL("cudaDeviceSynchronize", 0, 0, 0, 0);
		_exit(7);
	}
	wait(&status);
	cuda_say("child %d\n", WEXITSTATUS(status));
	TELL("cudaFree", p, 0, 0, 0);
}

static volatile long in_handler;
static any_fn *instantiate, *destroy, *record, *query, *synchronize;

static void handle(int signo)
{
	void *exec = (void *)(uintptr_t)(0x5000 + 16 * in_handler);

	(void)signo;
	in_handler++;
	if (instantiate((uintptr_t)&exec, 0x10, 0, 0, 0, 0) || launch() ||
	    record(0x99, 0, 0, 0, 0, 0) || query(0, 0, 0, 0, 0, 0))
		_exit(71);
}

/* A handler that interrupts a thread anywhere in these calls makes them too. */
static void handlers(void)
{
	struct sigaction sa = { .sa_handler = handle, .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { { 0, 0 }, { 0, 0 } };
	int bad = launch();

	instantiate = function("cudaGraphInstantiate");
	destroy = function("cudaGraphExecDestroy");
	record = function("cudaEventRecord");
	query = function("cudaStreamQuery");
	synchronize = function("cudaStreamSynchronize");
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (long i = 0; i < 300 || in_handler < 20; i++) {
		void *exec = (void *)(uintptr_t)(0x900000 + 16 * i);

		bad += instantiate((uintptr_t)&exec, 0x10, 0, 0, 0, 0) != 0 || launch() != 0;
		bad += destroy((uintptr_t)exec, 0, 0, 0, 0, 0) != 0;
		bad += synchronize(0, 0, 0, 0, 0, 0) != 0;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	cuda_say("%d calls failed\n", bad);
}

static _Atomic(int) failures;

static void *turn(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		void *p = NULL;
		uint64_t q = 0;
		int bad = CALL("cudaMalloc", &p, 4096 + i, 0, 0)
		!= 0;

		bad += CALL("cuMemAlloc_v2", &q, 512, 0, 0)
		!= 0;
		bad += launch() != 0;
		bad += CALL("cudaEventRecord", arg, 0, 0, 0)
		!= 0;
		bad += CALL("cudaEventQuery", arg, 0, 0, 0)
		!= 0;
		bad += CALL("cudaFree", p, 0, 0, 0)
		!= 0;
		bad += CALL("cuMemFree_v2", q, 0, 0, 0)
		!= 0;
		failures += bad;
	}
	failures += CALL("cudaDeviceSynchronize", 0, 0, 0, 0)
	!= 0;
	return NULL;
}

static void threads(void)
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, turn, (void *)(0x7000 + 64 * i)))
			exit(94);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	cuda_say("%d calls failed\n", failures);
}

static void last_words(void)
{
	cuda_say("free after the end %d\n", CALL("cudaFree", 0, 0, 0, 0));
}

/* Registered before the runtime's own handler, so it runs after that. */
static void teardown(void)
{
	uint64_t p;

	atexit(last_words);
	TELL("cudaMalloc", &p, 4096, 0, 0);
	cuda_say("launch %d\n", launch());
}

/* Three allocations, with what the last error is after each and after an error of the
 * program's own that it has not asked for. */
static void memory(void)
{
	void *p[3] = { NULL };

	TELL("cudaMalloc", &p[0], 1 << 20, 0, 0);
	TELL("cudaGetLastError", 0, 0, 0, 0);
	TELL("cudaSetDevice", 99, 0, 0, 0);
	TELL("cudaMalloc", &p[1], 1 << 20, 0, 0);
	TELL("cudaGetLastError", 0, 0, 0, 0);
	TELL("cudaMalloc", &p[2], 1 << 20, 0, 0);
	TELL("cudaGetLastError", 0, 0, 0, 0);
	cuda_say("%s %s %s\n", p[0] ? "taken" : "none", p[1] ? "taken" : "none",
		 p[2] ? "taken" : "none");
}

static int launch_there(void)
{
	void *none[1] = { NULL };
	int (*f)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
		 void *, void **, void **);
	void *p = named("cuLaunchKernel");

	memcpy(&f, &p, sizeof(f));
	return f(none, 1, 2, 3, 4, 5, 6, 7, NULL, none, NULL);
}

/* Two primary contexts and one of its own; what is current stays so. */
static void contexts(void)
{
	void *first = NULL, *second = NULL, *made = NULL, *now = NULL;

	cuda_say("%d", CALL("cuDevicePrimaryCtxRetain", &first, 0, 0, 0));
	cuda_say(" %d", CALL("cuDevicePrimaryCtxRetain", &second, 2, 0, 0));
	cuda_say(" %d", CALL("cuCtxCreate_v2", &made, 0, 1, 0));
	cuda_say(" %d\n", CALL("cuCtxSetCurrent", second, 0, 0, 0));
	for (int i = 0; i < 2; i++) {
		uint64_t p = 0;

		cuda_say("launch %d\n", launch_there());
		cuda_say("memory %d\n", CALL("cuMemAlloc_v2", &p, 4096, 0, 0));
		CALL("cuCtxGetCurrent", &now, 0, 0, 0);
		cuda_say("%s\n", now == second ? "the same" : "another");
		if (!i) {
			cuda_say("set %d\n", CALL("cuCtxSetCurrent", made, 0, 0, 0));
			second = made;
		}
	}
	cuda_say("destroy %d\n", CALL("cuCtxDestroy_v2", made, 0, 0, 0));
}

static void *capture(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		uint64_t graph;
		int bad = CALL("cudaStreamBeginCapture", arg, 2, 0, 0)
		!= 0;

		bad += launch() != 0;
		bad += CALL("cudaStreamEndCapture", arg, &graph, 0, 0)
		!= 0;
		failures += bad + (launch() != 0);
	}
	return NULL;
}

/* Captures and launches in four threads, and no wait of the program's own. */
static void race(void)
{
	pthread_t t[4];

	for (uintptr_t i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, capture, (void *)(0x7000 + 64 * i)))
			exit(94);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	cuda_say("%d calls failed\n", failures);
}

/* Work and memory, of which a part is given back. */
static void primary(void)
{
	void *ctx = NULL;
	uint64_t kept = 0, given = 0;

	cuda_say("retain %d\n", CALL("cuDevicePrimaryCtxRetain", &ctx, 0, 0, 0));
	cuda_say("set %d\n", CALL("cuCtxSetCurrent", ctx, 0, 0, 0));
	cuda_say("memory %d\n", CALL("cuMemAlloc_v2", &kept, 4096, 0, 0));
	cuda_say("memory %d\n", CALL("cuMemAlloc_v2", &given, 8192, 0, 0));
	cuda_say("launch %d\n", launch_there());
	cuda_say("free %d\n", CALL("cuMemFree_v2", given, 0, 0, 0));
}

/* Memory by handle: one is released while it is mapped twice, the next has its number. */
static void maps(void)
{
	const int props[8] = { 1, 0, 1 };
	uint64_t handle = 0, again = 0, held = 0;

	cuda_say("create %d\n", CALL("cuMemCreate", &handle, 1 << 20, props, 0));
	cuda_say("map %d", CALL("cuMemMap", 0x7f0000000000, 1 << 20, 0, handle));
	cuda_say(" %d\n", CALL("cuMemMap", 0x7f0000200000, 1 << 20, 0, handle));
	if (getenv("RETAIN"))
		cuda_say("retain %d\n",
			 CALL("cuMemRetainAllocationHandle", &held, 0x7f0000200800, 0, 0));
	cuda_say("release %d\n", CALL("cuMemRelease", handle, 0, 0, 0));
	cuda_say("create %d\n", CALL("cuMemCreate", &again, 1 << 16, props, 0));
	cuda_say("release %d\n", CALL("cuMemRelease", again, 0, 0, 0));
	cuda_say("unmap %d\n", CALL("cuMemUnmap", 0x7f0000000000, 1 << 20, 0, 0));
	if (getenv("UNMAP_ALL"))
		cuda_say("unmap %d\n", CALL("cuMemUnmap", 0x7f0000100000, 2 << 20, 0, 0));
	if (getenv("RELEASE_ALL"))
		cuda_say("release %d\n", CALL("cuMemRelease", held, 0, 0, 0));
	cuda_say("launch %d\n", launch());
}

/* Two copies to the host: the first is in flight when its memory is freed; of the second
 * a blocking one on the same stream has shown that it is done. */
static void copies(void)
{
	static char to[4096];
	any_fn *copy = function("cudaMemcpyAsync");
	uint64_t p = 0, q = 0;

	TELL("cudaSetDevice", 0, 0, 0, 0);
	cuda_say("launch %d\n", launch());
	TELL("cudaDeviceSynchronize", 0, 0, 0, 0);
	TELL("cudaMalloc", &p, sizeof(to), 0, 0);
	TELL("cudaMalloc", &q, sizeof(to), 0, 0);
	cuda_say("copy %d\n", copy((uintptr_t)to, p, sizeof(to), 2, 0x70, 0));
	TELL("cudaFree", p, 0, 0, 0);
	cuda_say("copy %d\n", copy((uintptr_t)to, q, sizeof(to), 2, 0, 0));
	TELL("cudaMemcpy", to, q, sizeof(to), 2);
	TELL("cudaFree", q, 0, 0, 0);
}

/* Streams that the driver refuses to destroy (FAKE_DROP), with work in flight: while another
 * one is captured nothing waits for them. */
static void kept(void)
{
	static char to[4096];
	any_fn *copy = function("cudaMemcpyAsync");
	uint64_t p = 0, s = 0, graph;

	TELL("cudaSetDevice", 0, 0, 0, 0);
	cuda_say("launch %d\n", launch());
	TELL("cuStreamDestroy_v2", 0, 0, 0, 0);
	TELL("cudaMalloc", &p, sizeof(to), 0, 0);
	TELL("cudaFree", p, 0, 0, 0);
	TELL("cuStreamCreate", &s, 1, 0, 0);
	TELL("cudaMalloc", &p, sizeof(to), 0, 0);
	cuda_say("copy %d\n", copy((uintptr_t)to, p, sizeof(to), 2, s, 0));
	TELL("cuStreamBeginCapture_v2", 0x70, 2, 0, 0);
	TELL("cuStreamDestroy_v2", s, 0, 0, 0);
	TELL("cuStreamEndCapture", 0x70, &graph, 0, 0);
	TELL("cudaFree", p, 0, 0, 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*go)(void);
	} cases[] = { { "frees", frees },	{ "sizes", sizes },	  { "order", order },
		      { "captures", captures }, { "child", child },	  { "handlers", handlers },
		      { "threads", threads },	{ "teardown", teardown }, { "memory", memory },
		      { "contexts", contexts }, { "race", race },	  { "maps", maps },
		      { "copies", copies },	{ "primary", primary },	  { "kept", kept } };

	runtime = dlopen("libcudart.so.13", RTLD_NOW | RTLD_LOCAL);
	driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!runtime || !driver)
		return 91;
	for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(*cases); i++)
		if (!strcmp(cases[i].name, argv[1])) {
			cases[i].go();
			return 0;
		}
	return 93;
}
