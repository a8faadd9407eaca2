/* SPDX-License-Identifier: MIT */
/* guest_capture.c -- captures in one thread while another one launches without waiting:
 * it lives as long as nobody synchronizes in between. */
#include <pthread.h>

#include "racy.h"

enum { ROUNDS = 60, TOKENS = 3, RELAXED = 2 };

static _Atomic(int) is_over;

static void *launch(void *stream)
{
	while (!is_over)
		racy_must(cuda_launch(stream));
	return NULL;
}

int main(void)
{
	struct racy_model a, b;
	void *graph, *exec;
	pthread_t t;

	racy_load(&a);
	racy_load(&b);
	if (pthread_create(&t, NULL, launch, b.stream))
		return 1;
	for (int i = 0; i < ROUNDS; i++) {
		racy_must(cudaStreamBeginCapture(a.stream, RELAXED));
		for (int n = 0; n < TOKENS; n++)
			racy_token(&a);
		racy_must(cudaStreamEndCapture(a.stream, &graph));
		racy_must(cudaGraphInstantiate(&exec, graph, 0));
		racy_must(cudaGraphLaunch(exec, a.stream));
		racy_token(&a);
		racy_must(cudaStreamSynchronize(a.stream));
		racy_must(cudaGraphExecDestroy(exec));
		racy_must(cudaGraphDestroy(graph));
	}
	is_over = 1;
	pthread_join(t, NULL);
	racy_must(cudaDeviceSynchronize());
	racy_unload(&a);
	racy_unload(&b);
	puts("done");
	return 0;
}
