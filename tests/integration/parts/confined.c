/* SPDX-License-Identifier: MIT */
/* confined.c -- a program that is ended for any system call but those of a list.
 *
 *   confined WHEN   WHEN: never; before: what this becomes begins so; start: at the
 *                   beginning of main; active: after the first launch
 *
 * Two threads use HIP (RUNTIME): while one launches the other frees, in two generations.
 * LIST is a file of the list as numbers, which the test makes; without it there is none. */
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef RUNTIME
#define RUNTIME "libfake_hip.so"
#endif

static const unsigned allowed[] = {
#ifdef LIST
#include LIST
#else
	0,
#endif
};
#define ALLOWED (sizeof(allowed) / sizeof(*allowed))

/* The number is compared with each of the list in turn. */
static void confine(void)
{
	struct sock_filter code[2 * ALLOWED + 2] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							      offsetof(struct seccomp_data, nr)) };
	struct sock_fprog all = { 2 * ALLOWED + 2, code };

	for (unsigned i = 0; i < ALLOWED; i++) {
		code[2 * i + 1] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
		code[2 * i + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	code[2 * ALLOWED + 1] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all)) {
		printf("no filter\n");
		exit(77);
	}
}

struct dim {
	uint32_t x, y, z;
};

static struct {
	int (*take)(void **, size_t);
	int (*give)(void *);
	int (*launch)(const void *, struct dim, struct dim, void **, size_t, void *);
	int (*wait)(void);
} hip;

static _Atomic(int) launches, is_over;

static int launch(void)
{
	struct dim grid = { 1, 2, 3 }, block = { 4, 5, 6 }; /* what the fake wants to see */

	return hip.launch(&hip, grid, block, NULL, 7, NULL);
}

static void *launch_often(void *arg)
{
	while (!is_over) {
		if (launch())
			printf("a launch failed\n");
		launches++;
		sched_yield();
	}
	return arg;
}

static void generation(void)
{
	int seen = launches;
	void *p[3];

	for (int i = 0; i < 3; i++) {
		if (hip.take(&p[i], 4096))
			printf("no memory\n");
		launch();
		while (launches < seen + i + 1)
			sched_yield();
		if (hip.give(p[i]))
			printf("not freed\n");
	}
	hip.wait();
}

static void find(void *at, void *lib, const char *name)
{
	void *p = dlsym(lib, name);

	memcpy(at, &p, sizeof(p));
	if (!p)
		exit(93);
}

int main(int argc, char **argv)
{
	struct timespec pause = { 0, 300000000 };
	const char *when = argc > 1 ? argv[1] : "";
	pthread_t other;
	void *lib;

	if (!strcmp(when, "before")) {
		confine();
		execv(argv[0], (char *[]){ argv[0], (char *)"never", NULL });
		return 94;
	}
	if (!strcmp(when, "start"))
		confine();
	lib = dlopen(RUNTIME, RTLD_NOW);
	if (!lib)
		return 92;
	find(&hip.take, lib, "hipMalloc");
	find(&hip.give, lib, "hipFree");
	find(&hip.launch, lib, "hipLaunchKernel");
	find(&hip.wait, lib, "hipDeviceSynchronize");
	launch();
	if (!strcmp(when, "active"))
		confine();
	pthread_create(&other, NULL, launch_often, NULL);
	generation();
	nanosleep(&pause, NULL);
	generation();
	is_over = 1;
	pthread_join(other, NULL);
	printf("done\n");
	return 3;
}
