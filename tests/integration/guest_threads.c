/* SPDX-License-Identifier: MIT */
/* guest_threads.c -- threads that meet inside the guard, by the way that argv[1]
 * names.  What it prints does not depend on who is first; races.sh runs it. */
#include <glob.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "guest.h"

#define LOADERS 4
#define LEAVERS 4
#define LEFT_TO_DO 1000 /* decodes of the worker that an exit handler joins */
#define DECODES 20
#define LIMIT_S 30 /* a guard that waits out a lost claim at each decode needs more */
#define PLUGINS 6
#define ROUNDS 300

static struct guest_engine engine;
static void *ctx;

static void use_engine(void)
{
	guest_open(&engine);
	ctx = engine.make(engine.load("/models/tiny.gguf", fake_value_of(0)), fake_value_of(0));
	engine.decode(ctx, fake_batch_of(1));
}

static void *exit_3(void *arg)
{
	(void)arg;
	exit(3);
}

/* Main leaves while the thread that left first is still being drained. */
static int way_two_exits(void)
{
	pthread_t t;

	use_engine();
	pthread_create(&t, NULL, exit_3, NULL);
	while (!engine.count("llama_synchronize"))
		usleep(1000);
	exit(5);
}

/* Threads that leave all at once, each with a status of its own. */
static pthread_barrier_t way_out;

static void *leave_too(void *status)
{
	pthread_barrier_wait(&way_out);
	exit((int)(intptr_t)status);
}

static int way_exits_meet(void)
{
	pthread_t t;

	use_engine();
	pthread_barrier_init(&way_out, NULL, LEAVERS);
	for (intptr_t i = 1; i < LEAVERS; i++)
		pthread_create(&t, NULL, leave_too, (void *)i);
	leave_too((void *)(intptr_t)LEAVERS);
	return 95;
}

static atomic_int lingers, is_ending;

/* Runs when the program ends, before the destructors of the libraries. */
__attribute__((destructor)) static void linger(void)
{
	is_ending = lingers;
	for (int i = 0; i < lingers; i++)
		usleep(1000);
}

/* Main leaves while the thread that left first is in its destructors: where the C library
 * has no handler left for main, the process ends at once. */
static int way_exit_under_exit(void)
{
	pthread_t t;

	use_engine();
	lingers = 500;
	pthread_create(&t, NULL, exit_3, NULL);
	while (!is_ending)
		usleep(1000);
	exit(5);
}

/* The thread that left first ends the process, while main, which left as well, runs one of
 * the handlers. Where the C library lets only one of them run any, main never comes there. */
static atomic_int is_main_late;
static pthread_t first_out;

static void stay(void)
{
	is_main_late = 1;
	while (!pthread_equal(pthread_self(), first_out))
		pause();
}

static void await_main(void)
{
	is_ending = 1;
	for (int i = 0; !is_main_late && i < 2000; i++)
		usleep(1000);
}

static int way_exit_overtakes(void)
{
	use_engine();
	atexit(stay);
	atexit(await_main);
	pthread_create(&first_out, NULL, exit_3, NULL);
	while (!is_ending)
		usleep(1000);
	exit(5);
}

/* Main has left by quick_exit, and in a handler of that waits for a thread that exits. */
static void *exit_late(void *arg)
{
	while (!is_ending)
		usleep(1000);
	return exit_3(arg);
}

static void join_first(void)
{
	is_ending = 1;
	pthread_join(first_out, NULL);
}

static int way_exit_under_quick_exit(void)
{
	use_engine();
	at_quick_exit(join_first);
	pthread_create(&first_out, NULL, exit_late, NULL);
	quick_exit(5);
}

static void *load_alone(void *arg)
{
	engine.load("/models/tiny.gguf", fake_value_of(0));
	return arg;
}

/* Main leaves as soon as the guard has its log, while it is still being woken. */
static int way_exit_in_wake(void)
{
	char pattern[4096];
	pthread_t t;
	glob_t found;

	guest_open(&engine);
	snprintf(pattern, sizeof(pattern), "%s/crumbs/*.jsonl", getenv("TAFFRAIL_STATE"));
	pthread_create(&t, NULL, load_alone, NULL);
	while (glob(pattern, 0, NULL, &found))
		usleep(1000);
	return 5;
}

/* The same, and the engine comes into use when even the destructors are being run. */
static atomic_int loads_late;

__attribute__((destructor)) static void load_late(void)
{
	pthread_t t;

	if (loads_late && !pthread_create(&t, NULL, load_alone, NULL))
		pthread_join(t, NULL);
}

static int way_wake_in_exit(void)
{
	guest_open(&engine);
	loads_late = 1;
	return 5;
}

static jmp_buf landing;
static atomic_int has_landed, may_end;

static void leave_by_jump(void)
{
	engine.on_decode(NULL);
	longjmp(landing, 1);
}

/* The callback that makes the next decode end like one that threw: its caller goes
 * on, but it never returned. */
static void jump_at_next(void)
{
	engine.on_decode(leave_by_jump);
}

static void *jump_and_stay(void *arg)
{
	jump_at_next();
	if (!setjmp(landing))
		engine.decode(ctx, fake_batch_of(1));
	has_landed = 1;
	while (!may_end)
		usleep(1000);
	return arg;
}

/* The loop of a server that catches what its engine throws, and goes on. */
static int tell_decodes(void)
{
	static int good, failed;
	static struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	while (good < DECODES) {
		if (setjmp(landing))
			failed++;
		else
			good += !engine.decode(ctx, fake_batch_of(1));
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%d failed, %d good, %s\n", failed, good,
	       to.tv_sec - from.tv_sec < LIMIT_S ? "at once" : "late");
	return 0;
}

static int way_jump(void)
{
	use_engine();
	jump_at_next();
	return tell_decodes();
}

/* The thread that jumped lives on; another one computes. */
static int way_jump_on_thread(void)
{
	pthread_t t;

	use_engine();
	pthread_create(&t, NULL, jump_and_stay, NULL);
	while (!has_landed)
		usleep(1000);
	tell_decodes();
	may_end = 1;
	return pthread_join(t, NULL);
}

/* A server that joins its worker in an exit handler; the worker has a lot left to do. */
static pthread_t worker;
static atomic_int is_over;

static void *compute_on(void *arg)
{
	(void)arg;
	engine.decode(ctx, fake_batch_of(1));
	has_landed = 1;
	while (!is_over)
		usleep(1000);
	for (int i = 0; i < LEFT_TO_DO; i++)
		engine.decode(ctx, fake_batch_of(1));
	return NULL;
}

static void join_worker(void)
{
	is_over = 1;
	pthread_join(worker, NULL);
	printf("joined\n");
}

static int way_joined_at_exit(void)
{
	use_engine();
	/* After the engine's own handler was registered: it runs before that one. */
	atexit(join_worker);
	pthread_create(&worker, NULL, compute_on, NULL);
	while (!has_landed)
		usleep(1000);
	return 3;
}

static pthread_barrier_t start;

static void *load_one(void *path)
{
	pthread_barrier_wait(&start);
	return engine.load(path, fake_value_of(0));
}

static int way_load(void)
{
	static char paths[LOADERS][24] = { "/models/a.gguf", "/models/b.gguf", "/models/c.gguf",
					   "/models/d.gguf" };
	pthread_t t[LOADERS];
	int good = 0;
	void *model;

	guest_open(&engine);
	pthread_barrier_init(&start, NULL, LOADERS);
	for (int i = 0; i < LOADERS; i++)
		pthread_create(&t[i], NULL, load_one, paths[i]);
	for (int i = 0; i < LOADERS; i++) {
		pthread_join(t[i], &model);
		good += model != NULL;
	}
	printf("%d loaded\n", good);
	return 0;
}

static void *synchronize(void *arg)
{
	engine.sync(ctx);
	return arg;
}

/* The engine takes one thread at a time into a context: the fake ends the process otherwise. */
static int way_load_in_sync(void)
{
	pthread_t t;

	use_engine();
	pthread_create(&t, NULL, synchronize, NULL);
	while (!engine.count("llama_synchronize"))
		usleep(1000);
	printf("%s\n",
	       engine.load("/models/other.gguf", fake_value_of(0)) ? "loaded" : "not loaded");
	return pthread_join(t, NULL);
}

static void *open_and_close(void *arg)
{
	char path[4096], name[32];

	for (int i = 0; i < ROUNDS * PLUGINS; i++) {
		void *handle;

		snprintf(name, sizeof(name), "libplug%d.so", i % PLUGINS);
		snprintf(path, sizeof(path), "%s/%s", getenv("PLUGINS"), name);
		handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (!handle)
			_exit(95);
		dlclose(handle);
	}
	may_end = 1;
	return arg;
}

/* Names are asked for while the list of objects changes: opened RTLD_LOCAL, the
 * engine is not in the default scope. */
static int way_look_up(void)
{
	pthread_t t;
	long found = 0, n = 0;

	use_engine();
	pthread_create(&t, NULL, open_and_close, NULL);
	for (; !may_end; n++)
		found += dlsym(RTLD_DEFAULT, "llama_encode") != NULL;
	printf("%s of the answers are wrong\n", found ? "some" : "none");
	return pthread_join(t, NULL);
}

static ucontext_t back, fiber;

static __attribute__((noinline)) void decode_there(void)
{
	engine.decode(ctx, fake_batch_of(1));
}

static void on_fiber(void)
{
	decode_there();
	swapcontext(&fiber, &back);
}

/* The stack of a fiber ends at a page that nobody may touch, some words above. */
static int way_fiber(void)
{
	size_t page = (size_t)getpagesize(), n = 64 * page;
	char *stack =
		mmap(NULL, n + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (stack == MAP_FAILED || mprotect(stack + n, page, PROT_NONE))
		return 95;
	use_engine();
	getcontext(&fiber);
	fiber.uc_stack.ss_sp = stack;
	fiber.uc_stack.ss_size = n;
	makecontext(&fiber, on_fiber, 0);
	swapcontext(&back, &fiber);
	printf("%ld decodes\n", engine.count("llama_decode"));
	return 0;
}

#define WAY(name) \
	{ \
#name, way_##name \
	}
static const struct {
	const char *name;
	int (*go)(void);
} ways[] = {
	{ "joined_at_exit", way_joined_at_exit },
	WAY(two_exits),
	WAY(exits_meet),
	WAY(exit_under_exit),
	WAY(exit_overtakes),
	WAY(exit_under_quick_exit),
	WAY(exit_in_wake),
	WAY(wake_in_exit),
	WAY(jump),
	WAY(jump_on_thread),
	WAY(load),
	WAY(load_in_sync),
	WAY(look_up),
	WAY(fiber),
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, argv[1]))
			return ways[i].go();
	return 93;
}
