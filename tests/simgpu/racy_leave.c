/* SPDX-License-Identifier: MIT */
/* racy_leave.c -- threads launch for ever as the program returns from main or calls _exit
 * (RACY_RAW), beside one that captures, or whose exec fails again and again: RACY_BESIDE. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "racy.h"

enum { TOKENS = 20, RELAXED = 2 };

static _Atomic(int) ready;
static bool is_capturing;

static void *launch(void *arg)
{
	struct racy_model m;

	racy_load(&m);
	for (int i = 0;; i++) {
		racy_token(&m);
		racy_must(i % 2 && !is_capturing ? cudaStreamSynchronize(m.stream) : 0);
		ready += i == 1;
	}
	return arg;
}

static void *capture(void *arg)
{
	struct racy_model m;
	void *graph, *exec;

	racy_load(&m);
	for (int i = 0;; i++) {
		racy_must(cudaStreamBeginCapture(m.stream, RELAXED));
		for (int n = 0; n < TOKENS; n++) {
			racy_token(&m);
			usleep(100);
		}
		racy_must(cudaStreamEndCapture(m.stream, &graph));
		racy_must(cudaGraphInstantiate(&exec, graph, 0));
		racy_must(cudaGraphLaunch(exec, m.stream));
		racy_must(cudaStreamSynchronize(m.stream));
		racy_must(cudaGraphExecDestroy(exec));
		racy_must(cudaGraphDestroy(graph));
		ready += !i;
	}
	return arg;
}

static void *become(void *arg)
{
	for (int i = 0;; i++) {
		execl("/nowhere", "nowhere", NULL);
		ready += !i;
	}
	return arg;
}

int main(void)
{
	const char *beside = getenv("RACY_BESIDE");
	pthread_t t;

	is_capturing = !beside || strcmp(beside, "exec");
	if (pthread_create(&t, NULL, launch, NULL) || pthread_create(&t, NULL, launch, NULL) ||
	    pthread_create(&t, NULL, is_capturing ? capture : become, NULL))
		return 1;
	return racy_end(&ready, 3);
}
