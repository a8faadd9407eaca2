/* SPDX-License-Identifier: MIT */
/* guest_lock.c -- servers that share a GPU, or do not. argv[1] is the way, argv[2] a name.
 *
 * Who uses the device makes the folder `inside` meanwhile: if it is there
 * already, two are in it, and the line "overlap" goes to a file of that name.
 * lock_guests.sh runs it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "guest.h"

#define WORKERS 4
#define DECODES 150

static struct guest_engine engine;
static const char *name;

static void mark(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "x\n", 2) != 2)
		_exit(91);
	close(fd);
}

static void go_in(void)
{
	if (mkdir("inside", 0700))
		mark("overlap");
}

static void go_out(void)
{
	rmdir("inside");
}

static void await_file(const char *file)
{
	while (access(file, F_OK))
		usleep(2000);
}

static void *load(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/models/%s.gguf", name);
	return engine.load(path, fake_value_of(0));
}

/* Loads, says so, and stays until it is told to end. */
static int hold(void)
{
	char up[64];

	if (!load()) {
		puts("refused");
		return 4;
	}
	go_in();
	snprintf(up, sizeof(up), "up.%s", name);
	mark(up);
	await_file("go");
	go_out();
	return 3;
}

static int load_only(void)
{
	puts(load() ? "loaded" : "refused");
	return 0;
}

static int reap(int n)
{
	int good = 0;

	for (int i = 0; i < n; i++) {
		int status = -1;

		wait(&status);
		good += WIFEXITED(status) && WEXITSTATUS(status) == 7;
	}
	return good;
}

static int member(void)
{
	return load() ? 7 : 8;
}

/* One server: workers by fork and by exec, which load as well. */
static int workers(char **argv)
{
	int good;

	if (!load())
		return 4;
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (!pid && i % 2)
			_exit(member());
		if (!pid) {
			argv[1] = (char[]){ "member" };
			execv("/proc/self/exe", argv);
			_exit(92);
		}
	}
	good = reap(WORKERS);
	printf("%d of %d workers loaded\n", good, WORKERS);
	fflush(stdout);
	mark("up.workers");
	await_file("go");
	return 3;
}

static void compute(void)
{
	go_in();
	usleep(300);
	go_out();
}

/* Generates; the device is used inside a decode and by nobody else meanwhile. */
static int turns(int idles)
{
	void *model = load(), *ctx = model ? engine.make(model, fake_value_of(0)) : NULL;
	char up[64];
	int failed = 0;

	if (!ctx)
		return 4;
	engine.on_decode(compute);
	snprintf(up, sizeof(up), "up.%s", name);
	for (int i = 0; i < (idles ? 1 : DECODES); i++) {
		failed += engine.decode(ctx, fake_batch_of(1)) != 0;
		if (!i)
			mark(up);
		if (!i && !idles)
			await_file("start");
	}
	if (idles)
		await_file("go");
	printf("%d failed, %s\n", failed,
	       engine.count("llama_synchronize") >= (idles ? 1 : DECODES) ? "synchronized"
									  : "not synchronized");
	return failed ? 5 : 3;
}

/* A decode that is left by a jump, as by an exception, on a thread that lives on. */
static _Thread_local jmp_buf landing;
static atomic_int has_landed;

static void leave_by_jump(void)
{
	engine.on_decode(NULL);
	longjmp(landing, 1);
}

static void *leave_and_stay(void *ctx)
{
	engine.on_decode(leave_by_jump);
	if (!setjmp(landing))
		engine.decode(ctx, fake_batch_of(1));
	has_landed = 1;
	for (;;)
		pause();
	return NULL;
}

/* Another thread goes on, on the same context or on one of its own. */
static int left(int is_same)
{
	void *model = load(), *ctx = model ? engine.make(model, fake_value_of(0)) : NULL;
	pthread_t t;
	char up[64];
	int failed = 0;

	if (!ctx || pthread_create(&t, NULL, leave_and_stay, ctx))
		return 4;
	while (!has_landed)
		usleep(1000);
	engine.on_decode(compute);
	if (!is_same)
		ctx = engine.make(model, fake_value_of(0));
	snprintf(up, sizeof(up), "up.%s", name);
	mark(up);
	await_file("start");
	for (int i = 0; i < DECODES; i++)
		failed += engine.decode(ctx, fake_batch_of(1)) != 0;
	printf("%d failed\n", failed);
	fflush(stdout);
	/* With the end of the process everything would be free. */
	await_file("go");
	return failed ? 5 : 3;
}

/* The one thread there is goes on without computing, and takes memory of the device. */
static int left_alone(void)
{
	void *model = load(), *ctx = model ? engine.make(model, fake_value_of(0)) : NULL;
	void *(*take)(void *type, size_t size), *ggml;
	char path[4096];

	guest_beside(path, sizeof(path), "libfake_ggml.so");
	ggml = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!ctx || !ggml)
		return 4;
	guest_symbol(&take, ggml, "ggml_backend_buft_alloc_buffer");
	/* After the first call of each sort the short way is taken. */
	take(NULL, 4096);
	engine.decode(ctx, fake_batch_of(1));
	engine.on_decode(leave_by_jump);
	if (!setjmp(landing))
		engine.decode(ctx, fake_batch_of(1));
	take(NULL, 4096);
	mark("up.alone");
	await_file("go");
	return 3;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	name = argc > 2 ? argv[2] : "model";
	guest_open(&engine);
	if (!strcmp(way, "hold"))
		return hold();
	if (!strcmp(way, "load"))
		return load_only();
	if (!strcmp(way, "workers"))
		return workers(argv);
	if (!strcmp(way, "member"))
		return member();
	if (!strcmp(way, "turns") || !strcmp(way, "idle"))
		return turns(!strcmp(way, "idle"));
	if (!strcmp(way, "left") || !strcmp(way, "left-same"))
		return left(!strcmp(way, "left-same"));
	if (!strcmp(way, "left-alone"))
		return left_alone();
	return 93;
}
