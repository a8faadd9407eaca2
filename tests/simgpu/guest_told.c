/* SPDX-License-Identifier: MIT */
/* guest_told.c -- a small program that ends in one of the ways a report has to tell apart.
 *
 *   kill N        N launches, nothing waited for, then SIGKILL
 *   waited N M    N launches that are waited for, M more, then SIGKILL
 *   bursts N      three times N launches and a wait
 *   take N MIB    N allocations of that size; 3 when one was refused
 *   taken N MIB   the same, then SIGKILL
 *   launch N      N launches and a wait; errors are printed, the status is 0
 *   launched N    the same, then SIGKILL
 *   threads N     four threads with N launches and a wait each
 *   forked        a launch and a wait; then a launch in a fork child, where it fails
 *   become        a launch and a wait, then another program
 *   int           a launch, a wait and a pause, then SIGINT
 *   wait          a launch, and a wait for it
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "racy.h"

#define THREADS 4
#define PAUSE_US 300000 /* longer than a generation is kept open */

static int count;

static int launch(int n)
{
	int bad = 0;

	for (int i = 0; i < n; i++)
		bad += cuda_launch(NULL) != 0;
	return bad;
}

static void *work(void *none)
{
	if (launch(count) || cudaDeviceSynchronize())
		puts("a launch failed");
	return none;
}

static void threads(void)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		racy_must(pthread_create(&t[i], NULL, work, NULL));
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

static int take(int n, int mib)
{
	int bad = 0;
	void *p;

	for (int i = 0; i < n; i++)
		bad += cudaMalloc(&p, (size_t)mib << 20) != 0;
	printf("%d of %d refused\n", bad, n);
	return bad ? 3 : 0;
}

/* The child has what its parent made, and no device of its own. */
static int fork_one(void)
{
	int status = 0;
	pid_t pid;

	racy_must(launch(1));
	racy_must(cudaDeviceSynchronize());
	pid = fork();
	if (!pid)
		_exit(launch(count));
	waitpid(pid, &status, 0);
	printf("%d launches failed in the child\n", WEXITSTATUS(status));
	return 0;
}

static void die(void)
{
	fflush(stdout);
	raise(SIGKILL);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "wait";
	int more = argc > 3 ? atoi(argv[3]) : 1, status = 0;

	count = argc > 2 ? atoi(argv[2]) : 1;
	if (!strcmp(mode, "kill")) {
		racy_must(launch(count));
		die();
	} else if (!strcmp(mode, "waited")) {
		racy_must(launch(count));
		racy_must(cudaDeviceSynchronize());
		racy_must(launch(more));
		die();
	} else if (!strcmp(mode, "bursts")) {
		for (int i = 0; i < 3; i++) {
			racy_must(launch(count));
			racy_must(cudaDeviceSynchronize());
		}
	} else if (!strncmp(mode, "take", 4)) {
		status = take(count, more);
	} else if (!strncmp(mode, "launch", 6)) {
		int bad = launch(count);

		printf("%d of %d launches failed, wait %d\n", bad, count, cudaDeviceSynchronize());
	} else if (!strcmp(mode, "forked")) {
		status = fork_one();
	} else if (!strcmp(mode, "threads")) {
		threads();
	} else {
		racy_must(launch(1));
		racy_must(cudaDeviceSynchronize());
	}
	if (!strcmp(mode, "become"))
		execl("/bin/true", "true", (char *)NULL);
	if (!strcmp(mode, "int")) {
		usleep(PAUSE_US);
		raise(SIGINT);
	}
	if (!strcmp(mode, "taken") || !strcmp(mode, "launched"))
		die();
	return status;
}
