/* SPDX-License-Identifier: MIT */
/* guest_stuck.c -- gives up what another stream has no part in while a launch waits for
 * something that comes later: with SIMGPU_HANG_AT=1 it never comes.  Correct: none of
 * these calls waits for it in CUDA.  Then it frees memory. */
#include "racy.h"

int cudaHostRegister(void *p, size_t n, unsigned flags);
int cudaHostUnregister(void *p);

enum { NON_BLOCKING = 1, PAGE = 4096 };

static char page[PAGE] __attribute__((aligned(4096)));

int main(void)
{
	void *busy, *other, *p, *graph, *exec;

	racy_must(cudaStreamCreateWithFlags(&busy, NON_BLOCKING));
	racy_must(cudaStreamCreateWithFlags(&other, NON_BLOCKING));
	racy_must(cudaMalloc(&p, PAGE));
	racy_must(cudaHostRegister(page, sizeof(page), 0));
	racy_must(cudaStreamBeginCapture(other, 2));
	racy_must(cuda_launch(other));
	racy_must(cudaStreamEndCapture(other, &graph));
	racy_must(cudaGraphInstantiate(&exec, graph, 0));

	racy_must(cuda_launch(busy));
	racy_must(cudaGraphExecDestroy(exec));
	racy_must(cudaGraphDestroy(graph));
	racy_must(cudaHostUnregister(page));
	racy_must(cudaStreamDestroy(other));
	puts("given up");
	racy_must(cudaFree(p));
	puts("done");
	return 0;
}
