/* SPDX-License-Identifier: MIT */
/* test_simgpu_panic.c -- captures and what breaks them, graphs, and the bug that the
 * simulation is there for: who leaves work in flight takes the machine down. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "../../policy/panic.h"
#include "testing.h"

enum { GLOBAL, THREAD_LOCAL, RELAXED };

/* Longer than a machine stands still. */
static const char *const slow[] = { "SIMGPU_LATENCY_US=300000", NULL };

static void *begin_capture(unsigned flags, int mode)
{
	void *s = NULL;

	WANT(!cudaStreamCreateWithFlags(&s, flags));
	WANT(!cudaStreamBeginCapture(s, mode) && cudaStreamBeginCapture(s, mode) == 401);
	WANT(!cuda_launch(s));
	return s;
}

static void end_broken(void *s)
{
	int status = 0;
	void *g = s;

	WANT(!cudaStreamIsCapturing(s, &status) && status == 2);
	WANT(cuda_launch(s) == 901);
	WANT(cudaStreamEndCapture(s, &g) == 901 && !g);
}

static void end_good(void *s)
{
	void *g = NULL;

	WANT(!cudaStreamEndCapture(s, &g) && g && !cudaGraphDestroy(g));
}

static void *allocate(void *status)
{
	void *p;

	*(int *)status = cudaMalloc(&p, 1);
	return NULL;
}

/* What another thread gets. */
static int allocate_beside(void)
{
	int status = -1;
	pthread_t t;

	WANT(!pthread_create(&t, NULL, allocate, &status));
	pthread_join(t, NULL);
	return status;
}

static void capture_guest(void)
{
	void *s, *p, *other;

	WANT(!cudaStreamCreateWithFlags(&other, 1));
	s = begin_capture(1, RELAXED);
	WANT(cudaStreamSynchronize(s) == 900);
	end_broken(s);
	s = begin_capture(1, RELAXED);
	WANT(cudaDeviceSynchronize() == 900);
	end_broken(s);
	s = begin_capture(1, RELAXED);
	WANT(!cudaStreamSynchronize(other) && !cudaMalloc(&p, 1) && !allocate_beside());
	end_good(s);
	s = begin_capture(1, THREAD_LOCAL);
	WANT(!allocate_beside());
	WANT(cudaMalloc(&p, 1) == 900);
	end_broken(s);
	s = begin_capture(1, GLOBAL);
	WANT(allocate_beside() == 900);
	end_broken(s);
	s = begin_capture(0, RELAXED);
	WANT(cudaStreamSynchronize(NULL) == 906);
	end_broken(s);
	WANT(cudaStreamBeginCapture(NULL, RELAXED) == 900 &&
	     cudaStreamEndCapture(other, &p) == 401);
}

static void capture(void **s)
{
	const char *const errors[] = { "SIMGPU_CAPTURE=error", NULL };

	(void)s;
	sim_good(capture_guest, errors);
}

static int ask_stream(void *other)
{
	return cudaStreamQuery(other);
}

static int wait_for_stream(void *other)
{
	return cudaStreamSynchronize(other);
}

static int trim_graphs(void *other)
{
	(void)other;
	return cudaDeviceGraphMemTrim(0);
}

static int (*forbidden)(void *other);

static void abort_guest(void)
{
	void *s = begin_capture(1, RELAXED), *other;

	WANT(!cudaStreamCreateWithFlags(&other, 1));
	end_good(s);
	WANT(!forbidden(other));
	begin_capture(1, RELAXED);
	fclose(stderr);
	forbidden(other);
}

/* Nothing has to be asked for: it is so unless a program wants the errors. */
static void capture_aborts(void **s)
{
	int (*const each[])(void *) = { ask_stream, wait_for_stream, trim_graphs };
	int status;

	(void)s;
	sim_start(NULL);
	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++) {
		forbidden = each[i];
		status = sim_run(abort_guest, NULL);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		sim_until_empty();
	}
	sim_stop();
}

static void *graph_of(void *s, char *to, const char *from, int launches)
{
	void *g = NULL;

	WANT(!cudaStreamBeginCapture(s, RELAXED));
	for (int i = 0; i < launches; i++)
		WANT(!cuda_launch(s));
	WANT(!cudaMemcpyAsync(to, from, 4, 3, s));
	WANT(!cudaStreamEndCapture(s, &g));
	return g;
}

static void graphs_guest(void)
{
	char to[4] = "", info[32];
	void *s, *g, *exec;

	WANT(!cudaStreamCreateWithFlags(&s, 1));
	g = graph_of(s, to, "one", 3);
	WANT(!cudaGraphInstantiate(&exec, g, 0) && !cudaGraphDestroy(g));
	WANT(!*to && !cudaStreamQuery(s));
	WANT(!cudaGraphLaunch(exec, s) && cudaStreamQuery(s) == 600);
	WANT(!strcmp(to, "one") && !cudaStreamSynchronize(s));
	g = graph_of(s, to, "two", 3);
	WANT(!cudaGraphExecUpdate(exec, g, info) && !cudaGraphLaunch(exec, s));
	WANT(!strcmp(to, "two"));
	g = graph_of(s, to, "six", 4);
	WANT(cudaGraphExecUpdate(exec, g, info) == 910 && *(int *)(void *)info == 2);
	WANT(!cudaStreamSynchronize(s));
	WANT(!cudaGraphExecDestroy(exec) && cudaGraphExecDestroy(exec) == 1);
	WANT(cudaGraphLaunch(exec, s) == 1);
}

static void graphs(void **s)
{
	(void)s;
	sim_good(graphs_guest, slow);
}

/* The ways in: each leaves one command in flight. */

static void leave_guest(void)
{
	WANT(!cuda_launch(NULL));
	exit(0);
}

static void die_guest(void)
{
	WANT(!cuda_launch(NULL));
	kill(getpid(), SIGTERM);
}

static void become_guest(void)
{
	WANT(!cuda_launch(NULL));
	execl("/bin/true", "true", (char *)NULL);
}

static void free_guest(void)
{
	void *p;

	WANT(!cudaMalloc(&p, 1) && !cuda_launch(NULL) && !cudaFree(p));
	pause();
}

static void trim_guest(void)
{
	void *pool;

	WANT(!cudaDeviceGetDefaultMemPool(&pool, 0) && !cuda_launch(NULL));
	WANT(!cudaMemPoolTrimTo(pool, 0));
	pause();
}

static void graph_trim_guest(void)
{
	WANT(!cuda_launch(NULL) && !cudaDeviceGraphMemTrim(0));
	pause();
}

static void destroy_guest(void)
{
	void *s;

	WANT(!cudaStreamCreateWithFlags(&s, 1) && !cuda_launch(s) && !cudaStreamDestroy(s));
	pause();
}

static void module_guest(void)
{
	void *module, *fn;

	WANT(!cudaSetDevice(0) && !cuModuleLoadData(&module, "code"));
	WANT(!cuModuleGetFunction(&fn, module, "kernel"));
	WANT(!cuLaunchKernel(fn, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL));
	WANT(!cuModuleUnload(module) && cuModuleUnload(module) == 400);
	pause();
}

static void library_guest(void)
{
	void *library, *fn;

	WANT(!cudaSetDevice(0) &&
	     !cuLibraryLoadData(&library, "code", NULL, NULL, 0, NULL, NULL, 0));
	WANT(!cuLibraryGetKernel(&fn, library, "kernel"));
	WANT(!cuLaunchKernel(fn, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL));
	WANT(!cuLibraryUnload(library) && cuLibraryUnload(library) == 400);
	pause();
}

static void reset_guest(void)
{
	WANT(!cuda_launch(NULL) && !cudaDeviceReset());
	pause();
}

static void hung_guest(void)
{
	WANT(!cuda_launch(NULL));
	_exit(0);
}

static void careful_guest(void)
{
	void *p, *s;

	WANT(!cudaMalloc(&p, 1) && !cudaStreamCreateWithFlags(&s, 1));
	WANT(!cuda_launch(s) && !cuda_launch(NULL) && !cudaDeviceSynchronize());
	WANT(!cudaFree(p) && !cudaStreamDestroy(s) && !cudaDeviceReset());
	exit(0);
}

static void idle_guest(void)
{
	void *p;

	WANT(!cudaMalloc(&p, 1));
	kill(getppid(), SIGUSR1);
	pause();
}

static void panics_by(sim_guest_fn *fn, bool is_killed)
{
	const char *const hung[] = { "SIMGPU_HANG_AT=1", NULL };
	char before[64], after[64];
	int status;

	sim_start(NULL);
	sim_read("boot_id", before, sizeof(before));
	status = sim_run(fn, fn == hung_guest ? hung : slow);
	if (is_killed)
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	sim_until_empty();
	assert_int_equal(sim_panics(), 1);
	assert_int_equal(sim_read("boot_id", after, sizeof(after)), 37);
	assert_string_not_equal(before, after);
	assert_int_equal(sim_read("panic-2.panic", after, sizeof(after)), 0);
	sim_stop();
}

static void panics(void **s)
{
	static sim_guest_fn *const by_the_dead[] = { leave_guest, die_guest, become_guest,
						     hung_guest };
	static sim_guest_fn *const by_the_living[] = { free_guest,	 trim_guest,
						       graph_trim_guest, destroy_guest,
						       module_guest,	 library_guest,
						       reset_guest };

	(void)s;
	for (size_t i = 0; i < sizeof(by_the_dead) / sizeof(*by_the_dead); i++)
		panics_by(by_the_dead[i], false);
	for (size_t i = 0; i < sizeof(by_the_living) / sizeof(*by_the_living); i++)
		panics_by(by_the_living[i], true);
}

static void no_panic(void **s)
{
	const char *const no_bug[] = { "SIMGPU_BUG=none", NULL };

	(void)s;
	sim_good(careful_guest, slow);
	sim_start(no_bug);
	assert_int_equal(sim_run(leave_guest, slow), 0);
	sim_until_empty();
	assert_int_equal(sim_panics(), 0);
	sim_stop();
}

/* Whoever is on the machine goes down with it, and the report names the one. */
static void everybody(void **s)
{
	char text[2048], boot[64];
	struct taf_panic p;
	sigset_t one;
	pid_t idle, guilty;
	int status, number;
	size_t n;

	(void)s;
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	sigprocmask(SIG_BLOCK, &one, NULL);
	sim_start(NULL);
	sim_read("boot_id", boot, sizeof(boot));
	idle = sim_begin(idle_guest, NULL);
	sigwait(&one, &number);
	guilty = sim_begin(leave_guest, slow);
	sim_await(guilty);
	status = sim_await(idle);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	sim_until_empty();
	n = sim_read("panic-1.panic", text, sizeof(text));
	boot[36] = '\0';
	assert_non_null(strstr(text, boot));
	assert_non_null(strstr(text, "a simulation"));
	taf_panic_parse(text, n, &p);
	assert_int_equal(p.kind, TAF_REPORT_PANIC);
	assert_string_equal(p.signature, "prepare_count_underflow");
	assert_string_equal(p.process, "test_simgpu_pan");
	assert_int_equal(p.pid, guilty);
	assert_true(p.utc_us > 0);
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capture),  cmocka_unit_test(capture_aborts),
		cmocka_unit_test(graphs),   cmocka_unit_test(panics),
		cmocka_unit_test(no_panic), cmocka_unit_test(everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
