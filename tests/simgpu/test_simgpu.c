/* SPDX-License-Identifier: MIT */
/* test_simgpu.c -- each behaviour of the simulated driver and runtime. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "testing.h"

#define MIB (1u << 20)
#define FLAG_NO_LEGACY 1

/* Longer than a machine stands still. */
static const char *const slow[] = { "SIMGPU_LATENCY_US=300000", NULL };

static void *new_stream(void)
{
	void *s = NULL;

	WANT(!cudaStreamCreateWithFlags(&s, FLAG_NO_LEGACY));
	return s;
}

static void no_machine_guest(void)
{
	int n = -1;

	unsetenv("SIMGPU_DIR");
	WANT(cuInit(0) == 100);
	WANT(cudaGetDeviceCount(&n) == 100);
}

static void no_machine(void **s)
{
	(void)s;
	sim_start(NULL);
	assert_int_equal(sim_run(no_machine_guest, NULL), 0);
	sim_stop();
}

static void devices_guest(void)
{
	static char props[1008];
	size_t total;
	int n;

	WANT(cuDeviceGetCount(&n) == 3); /* before cuInit: not initialised */
	WANT(!cudaGetDeviceCount(&n) && n == 3);
	WANT(!cudaGetDeviceProperties(props, 2));
	WANT(strstr(props, "simulation"));
	memcpy(&total, props + 288, sizeof(total));
	WANT(total == 64 * MIB);
	WANT(cudaSetDevice(3) == 101);
}

static void devices(void **s)
{
	const char *const three[] = { "SIMGPU_DEVICES=3", "SIMGPU_MEMORY=67108864", NULL };

	(void)s;
	sim_start(three);
	assert_int_equal(sim_run(devices_guest, NULL), 0);
	sim_stop();
}

static void memory_guest(void)
{
	size_t left, total;
	char text[8] = "";
	void *p, *q, *big;

	WANT(!cudaMalloc(&p, 48 * MIB));
	WANT(!cudaMemGetInfo(&left, &total) && left == 16 * MIB && total == 64 * MIB);
	WANT(cudaMalloc(&big, 17 * MIB) == 2);
	WANT(cudaMalloc(&big, SIZE_MAX) == 2);
	WANT(cudaMalloc(&q, 0) == 1);
	WANT(!cudaMalloc(&q, 16 * MIB));
	WANT(!cudaMemcpy(p, "simgpu", 7, 1));
	WANT(!cudaMemcpy(q, p, 7, 3));
	WANT(!cudaMemcpy(text, q, 7, 2));
	WANT(!strcmp(text, "simgpu"));
	WANT(!cudaMemset(q, 'x', 3) && !memcmp(q, "xxxg", 4));
	WANT(!cudaFree(p));
	WANT(cudaFree(p) == 1 && cudaFree(text) == 1 && !cudaFree(NULL));
	WANT(!cudaMemGetInfo(&left, &total) && left == 48 * MIB);
}

static void memory_again_guest(void)
{
	size_t left, total;

	WANT(!cudaMemGetInfo(&left, &total) && left == total);
}

static void memory(void **s)
{
	const char *const small[] = { "SIMGPU_MEMORY=67108864", NULL };

	(void)s;
	sim_start(small);
	assert_int_equal(sim_run(memory_guest, NULL), 0);
	sim_until_empty();
	assert_int_equal(sim_run(memory_again_guest, NULL), 0);
	sim_stop();
}

static void last_error_guest(void)
{
	void *p;

	WANT(cudaGetLastError() == 0);
	WANT(cudaFree(&p) == 1);
	WANT(!cudaMalloc(&p, 1));
	WANT(cudaPeekAtLastError() == 1 && cudaGetLastError() == 1 && cudaGetLastError() == 0);
	/* The driver's own functions leave it alone. */
	WANT(cuMemRelease(7) == 1 && cudaPeekAtLastError() == 0);
	WANT(!strcmp(cudaGetErrorName(2), "cudaErrorMemoryAllocation"));
}

static void last_error(void **s)
{
	(void)s;
	sim_good(last_error_guest, NULL);
}

static void streams_guest(void)
{
	void *a = new_stream(), *b = new_stream(), *first, *second;
	float ms = 0;

	WANT(!cudaEventCreateWithFlags(&first, 0) && !cudaEventCreateWithFlags(&second, 0));
	WANT(!cuda_launch(a) && !cudaEventRecord(first, a));
	WANT(!cuda_launch(a) && !cuda_launch(a) && !cudaEventRecord(second, a));
	WANT(cudaStreamQuery(a) == 600 && cudaEventQuery(second) == 600);
	WANT(!cudaStreamQuery(b));
	WANT(!cudaEventSynchronize(first) && cudaEventQuery(second) == 600);
	WANT(!cudaStreamWaitEvent(b, second, 0) && !cuda_launch(b));
	WANT(!cudaStreamSynchronize(b) && !cudaEventQuery(second) && !cudaStreamQuery(a));
	WANT(!cudaEventElapsedTime(&ms, first, second) && ms >= 599 && ms < 60000);
	WANT(cudaStreamSynchronize(&ms) == 400);
	WANT(!cuMemPrefetchAsync(16, 4096, 0, a) && cudaStreamQuery(a) == 600);
	WANT(!cudaStreamSynchronize(a));
	WANT(!cudaStreamDestroy(a) && cudaStreamDestroy(a) == 400);
}

static void streams(void **s)
{
	(void)s;
	sim_good(streams_guest, slow);
}

static void many_guest(void)
{
	void *s = new_stream();

	for (int i = 0; i < 3000; i++)
		WANT(!cuda_launch(s));
	WANT(!cudaDeviceSynchronize() && !cudaStreamQuery(s));
}

static void many(void **s)
{
	const char *const quick[] = { "SIMGPU_LATENCY_US=10", NULL };
	const char *const none[] = { "SIMGPU_LATENCY_US=0", NULL };

	(void)s;
	sim_good(many_guest, quick);
	sim_good(many_guest, none);
}

static void *launch_many(void *stream)
{
	for (int i = 0; i < 500; i++)
		WANT(!cuda_launch(stream));
	return NULL;
}

static void threads_guest(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		WANT(!pthread_create(&t[i], NULL, launch_many, i % 2 ? new_stream() : (void *)2));
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	WANT(!cudaDeviceSynchronize());
}

static void threads(void **s)
{
	const char *const quick[] = { "SIMGPU_LATENCY_US=5", NULL };

	(void)s;
	sim_good(threads_guest, quick);
}

static _Atomic(int) is_called;

static void call_back(void *stream)
{
	is_called = cudaStreamQuery(stream) == 0 ? 1 : 2;
}

static void host_function_guest(void)
{
	void *s = new_stream();

	WANT(!cuda_launch(s) && !cudaLaunchHostFunc(s, call_back, s));
	WANT(!is_called);
	while (!is_called)
		usleep(1000);
}

static void host_function(void **s)
{
	(void)s;
	sim_good(host_function_guest, slow);
}

static void pools_guest(void)
{
	uint64_t reserved, used, keep = 64 * MIB;
	void *pool, *p, *q, *s = new_stream();

	WANT(!cudaDeviceGetDefaultMemPool(&pool, 0));
	WANT(!cudaMemPoolSetAttribute(pool, 4, &keep));
	WANT(!cudaMallocAsync(&p, 8 * MIB, s) && !cudaMallocAsync(&q, 4 * MIB, s));
	WANT(!cudaFreeAsync(p, s));
	WANT(!cudaStreamSynchronize(s));
	WANT(!cudaMemPoolGetAttribute(pool, 5, &reserved) && reserved == 12 * MIB);
	WANT(!cudaMemPoolGetAttribute(pool, 7, &used) && used == 4 * MIB);
	WANT(!cudaMallocAsync(&p, 8 * MIB, s));
	WANT(!cudaMemPoolGetAttribute(pool, 5, &reserved) && reserved == 12 * MIB);
	WANT(!cudaFreeAsync(p, s) && !cudaStreamSynchronize(s) && !cudaMemPoolTrimTo(pool, 0));
	WANT(!cudaMemPoolGetAttribute(pool, 5, &reserved) && reserved == 4 * MIB);
	WANT(!cudaMemPoolGetAttribute(pool, 6, &reserved) && reserved == 12 * MIB);
	keep = 0;
	WANT(!cudaMemPoolSetAttribute(pool, 4, &keep));
	WANT(!cudaFreeAsync(q, s) && !cudaStreamSynchronize(s));
	WANT(!cudaMemPoolGetAttribute(pool, 5, &reserved) && reserved == 0);
}

static void pools(void **s)
{
	(void)s;
	sim_good(pools_guest, NULL);
}

static void ranges_guest(void)
{
	const int props[8] = { 1, 0, 1, 0 }, of_host[8] = { 1, 0, 2, 850725928 };
	uint64_t at, handle, again, host;
	size_t left, total, n = 4 * MIB;

	WANT(!cudaMemGetInfo(&left, &total));
	WANT(!cuMemAddressReserve(&at, n, 0, 0, 0));
	WANT(!cuMemCreate(&handle, n, props, 0) && !cuMemCreate(&host, n, of_host, 0));
	WANT(!cudaMemGetInfo(&left, &total) && left == total - n);
	WANT(!cuMemMap(at, n, 0, handle, 0) && !cuMemSetAccess(at, n, NULL, 1));
	*(volatile char *)(uintptr_t)at = 1;
	WANT(!cuMemRelease(handle));
	WANT(!cudaMemGetInfo(&left, &total) && left == total - n);
	WANT(!cuMemRetainAllocationHandle(&again, (void *)(uintptr_t)at) && again == handle);
	WANT(!cuMemUnmap(at, n) && cuMemUnmap(at, n) == 1);
	WANT(cuMemRetainAllocationHandle(&again, (void *)(uintptr_t)at) == 1);
	WANT(!cudaMemGetInfo(&left, &total) && left == total - n && !cuMemRelease(again));
	WANT(!cudaMemGetInfo(&left, &total) && left == total);
	WANT(!cuMemRelease(host) && cuMemRelease(host) == 1 && !cuMemAddressFree(at, n));
}

static void ranges(void **s)
{
	(void)s;
	sim_good(ranges_guest, NULL);
}

static void lookup_guest(void)
{
	void *v1, *v2, *v3, *p, *legacy, *own;
	int status;

	WANT(!cuGetProcAddress_v2("cuGetProcAddress", &v1, 11030, 0, &status) && !status);
	WANT(!cuGetProcAddress_v2("cuGetProcAddress", &v2, 12000, 0, &status) && !status);
	WANT((uintptr_t)v1 == (uintptr_t)cuGetProcAddress);
	WANT((uintptr_t)v2 == (uintptr_t)cuGetProcAddress_v2);
	WANT(!cuGetProcAddress_v2("cuCtxSynchronize", &v1, 12080, 0, &status));
	WANT(!cuGetProcAddress_v2("cuCtxSynchronize", &v3, 13000, 0, &status));
	WANT((uintptr_t)v1 == (uintptr_t)cuCtxSynchronize && v3 && v3 != v1);
	WANT(!cuGetProcAddress_v2("", &p, 0, 0, &status) && status == 1 && !p);
	WANT(!cuGetProcAddress_v2("cuMemAlloc_v2", &p, 12000, 0, &status) && status == 1 && !p);
	WANT(!cuGetProcAddress_v2("cuMemAllocAsync", &p, 11010, 0, &status) && status == 2 && !p);
	WANT(cuGetProcAddress("cuNothing", &p, 12000, 0) == 500 && !p);
	WANT(!cuGetProcAddress_v2("cuMemAllocAsync", &legacy, 11020, 1, &status));
	WANT(!cuGetProcAddress_v2("cuMemAllocAsync", &own, 11020, 2, &status));
	WANT(legacy && own && legacy != own);
	WANT(!cudaGetDriverEntryPoint("cuMemAllocAsync", &p, 0, &status) && p == legacy && !status);
	WANT(!cudaGetDriverEntryPoint("cuNothing", &p, 0, &status) && status == 1);
}

static void lookup(void **s)
{
	(void)s;
	sim_good(lookup_guest, NULL);
}

static void oom_guest(void)
{
	void *p;

	WANT(!cudaMalloc(&p, 1) && cudaMalloc(&p, 1) == 2 && !cudaMalloc(&p, 1));
}

static void error_guest(void)
{
	WANT(!cuda_launch(NULL) && cuda_launch(NULL) == 700 && !cuda_launch(NULL));
	WANT(!cudaDeviceSynchronize());
}

static void lost_guest(void)
{
	void *p;

	WANT(!cuda_launch(NULL) && cuda_launch(NULL) == 719 && cuda_launch(NULL) == 719);
	WANT(cudaDeviceSynchronize() == 719 && cudaMalloc(&p, 1) == 719);
}

static void hang_guest(void)
{
	WANT(!cuda_launch(NULL) && !cuda_launch(NULL));
	usleep(100000);
	WANT(cudaStreamQuery(NULL) == 600);
	alarm(1);
	cudaDeviceSynchronize();
	_exit(1);
}

static void faults(void **s)
{
	const char *const oom[] = { "SIMGPU_OOM_AT=2", NULL };
	const char *const error[] = { "SIMGPU_ERROR_AT=2:700", NULL };
	const char *const lost[] = { "SIMGPU_LOST_AT=2", "SIMGPU_LATENCY_US=0", NULL };
	const char *const hang[] = { "SIMGPU_HANG_AT=2", NULL };
	const char *const no_bug[] = { "SIMGPU_BUG=none", NULL };
	int status;

	(void)s;
	sim_good(oom_guest, oom);
	sim_good(error_guest, error);
	sim_start(no_bug);
	assert_int_equal(sim_run(lost_guest, lost), 0);
	status = sim_run(hang_guest, hang);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	sim_until_empty();
	sim_stop();
}

static void after_guest(void)
{
	void *p;

	if (cudaMalloc(&p, 1) != 4)
		_exit(3);
}

static void torn_down_guest(void)
{
	void *p;

	atexit(after_guest);
	WANT(!cudaMalloc(&p, 1));
	exit(0);
}

static void forked_guest(void)
{
	int status;
	void *p;
	pid_t pid;

	WANT(!cudaMalloc(&p, 1));
	pid = fork();
	if (!pid)
		_exit(cudaMalloc(&p, 1));
	WANT(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
	WANT(!cudaMalloc(&p, 1));
}

static void ends(void **s)
{
	(void)s;
	sim_good(torn_down_guest, NULL);
	sim_good(forked_guest, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_machine), cmocka_unit_test(devices),
		cmocka_unit_test(memory),     cmocka_unit_test(last_error),
		cmocka_unit_test(streams),    cmocka_unit_test(many),
		cmocka_unit_test(threads),    cmocka_unit_test(host_function),
		cmocka_unit_test(pools),      cmocka_unit_test(ranges),
		cmocka_unit_test(lookup),     cmocka_unit_test(faults),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
