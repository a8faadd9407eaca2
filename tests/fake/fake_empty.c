/* SPDX-License-Identifier: MIT */
/* fake_empty.c -- entry points that do nothing, for bench_door: what is left is the door. */
#include <stddef.h>

int ggml_backend_sched_graph_compute_async(void *sched, void *graph);
void ggml_backend_synchronize(void *backend);
int hipMalloc(void **out, size_t bytes);
int hipFree(void *at);
int hipGraphLaunch(void *exec, void *stream);
int hipStreamSynchronize(void *stream);

int ggml_backend_sched_graph_compute_async(void *sched, void *graph)
{
	(void)sched;
	(void)graph;
	return 0;
}

void ggml_backend_synchronize(void *backend)
{
	(void)backend;
}

int hipMalloc(void **out, size_t bytes)
{
	*out = (char *)out + bytes;
	return 0;
}

int hipFree(void *at)
{
	(void)at;
	return 0;
}

int hipGraphLaunch(void *exec, void *stream)
{
	(void)exec;
	(void)stream;
	return 0;
}

int hipStreamSynchronize(void *stream)
{
	(void)stream;
	return 0;
}
