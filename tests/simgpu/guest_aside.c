/* SPDX-License-Identifier: MIT */
/* guest_aside.c -- captures one stream, which another one joins, and before the end of that
 * launches in a third one, which is no part of it; then frees without waiting. */
#include "racy.h"

enum { RELAXED = 2 };

int main(void)
{
	void *recorded, *joined, *aside, *fork, *join, *p, *graph;

	racy_must(cudaStreamCreateWithFlags(&recorded, 1));
	racy_must(cudaStreamCreateWithFlags(&joined, 1));
	racy_must(cudaStreamCreateWithFlags(&aside, 1));
	racy_must(cudaEventCreateWithFlags(&fork, 2));
	racy_must(cudaEventCreateWithFlags(&join, 2));
	racy_must(cudaMalloc(&p, 1 << 20));
	racy_must(cudaStreamBeginCapture(recorded, RELAXED));
	racy_must(cuda_launch(recorded));
	racy_must(cudaEventRecord(fork, recorded));
	racy_must(cudaStreamWaitEvent(joined, fork, 0));
	racy_must(cuda_launch(joined));
	racy_must(cuda_launch(aside));
	racy_must(cudaEventRecord(join, joined));
	racy_must(cudaStreamWaitEvent(recorded, join, 0));
	racy_must(cudaStreamEndCapture(recorded, &graph));
	racy_must(cudaFree(p));
	puts("freed");
	racy_must(cudaStreamSynchronize(aside));
	return 3;
}
