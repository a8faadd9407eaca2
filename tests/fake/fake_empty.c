/* SPDX-License-Identifier: MIT */
/* fake_empty.c -- two entry points that do nothing, for bench_door: what is left is the door. */
int ggml_backend_sched_graph_compute_async(void *sched, void *graph);
void ggml_backend_synchronize(void *backend);

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
