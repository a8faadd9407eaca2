/* SPDX-License-Identifier: MIT */
/* driver_graph.c -- graphs of the simulated driver: a list of nodes, launched as one
 * command that takes as long as all of them. */
#include <stdlib.h>
#include <string.h>

#include "driver.h"

int sim_graph_add(struct sim_graph *g, const struct sim_node *node)
{
	if (g->n == g->room) {
		size_t room = g->room ? 2 * g->room : 64;
		struct sim_node *more = realloc(g->nodes, room * sizeof(*more));

		if (!more)
			return SIM_OOM;
		g->nodes = more;
		g->room = room;
	}
	g->nodes[g->n++] = *node;
	return SIM_OK;
}

static int copy_nodes(struct sim_graph *to, const struct sim_graph *from)
{
	to->n = 0;
	for (size_t i = 0; i < from->n; i++) {
		int r = sim_graph_add(to, &from->nodes[i]);

		if (r)
			return r;
	}
	return SIM_OK;
}

static int end_graph(void *handle, enum sim_kind kind)
{
	struct sim_graph *g = sim_object(handle, kind);
	int r = sim_ready();

	if (!r && !g)
		r = SIM_VALUE;
	if (r)
		return r;
	free(g->nodes);
	sim_object_free(g);
	return SIM_OK;
}

SIM_PUBLIC int cuGraphCreate(void **graph, unsigned flags)
{
	int r = sim_ready();

	(void)flags;
	if (!r)
		*graph = sim_object_new(SIM_GRAPH, sizeof(struct sim_graph));
	return r;
}

SIM_PUBLIC int cuGraphDestroy(void *graph)
{
	return end_graph(graph, SIM_GRAPH);
}

SIM_PUBLIC int cuGraphExecDestroy(void *exec)
{
	sim_log("cuGraphExecDestroy");
	return end_graph(exec, SIM_EXEC);
}

/* nodes NULL: how many there are. */
SIM_PUBLIC int cuGraphGetNodes(void *graph, void **nodes, size_t *n)
{
	struct sim_graph *g = sim_object(graph, SIM_GRAPH);

	if (!g || !n)
		return SIM_VALUE;
	for (size_t i = 0; nodes && i < *n; i++)
		nodes[i] = i < g->n ? &g->nodes[i] : NULL;
	if (!nodes || g->n < *n)
		*n = g->n;
	return SIM_OK;
}

SIM_PUBLIC int cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long flags)
{
	struct sim_graph *g = sim_object(graph, SIM_GRAPH), *e;
	int r = sim_enter();

	(void)flags;
	if (!r && (!g || !exec))
		r = SIM_VALUE;
	if (r)
		return r;
	e = sim_object_new(SIM_EXEC, sizeof(*e));
	r = copy_nodes(e, g);
	sim_log("cuGraphInstantiate nodes %zu", g->n);
	*exec = e;
	return r;
}

SIM_PUBLIC int cuGraphInstantiate_v2(void **exec, void *graph, void **node, char *log, size_t n)
{
	if (node)
		*node = NULL;
	if (log && n)
		*log = '\0';
	return cuGraphInstantiateWithFlags(exec, graph, 0);
}

/* params: flags, the stream to upload in, the node in error, the result */
SIM_PUBLIC int cuGraphInstantiateWithParams(void **exec, void *graph, void *params)
{
	struct {
		uint64_t flags;
		void *stream, *node;
		int result;
	} *p = params;

	if (!p)
		return SIM_VALUE;
	p->node = NULL;
	p->result = 0;
	return cuGraphInstantiateWithFlags(exec, graph, p->flags);
}

static bool is_same_shape(const struct sim_graph *a, const struct sim_graph *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->nodes[i].work != b->nodes[i].work)
			return false;
	return true;
}

/* result: 0 updated, 2 the topology changed */
SIM_PUBLIC int cuGraphExecUpdate_v2(void *exec, void *graph, void *info)
{
	struct sim_graph *g = sim_object(graph, SIM_GRAPH), *e = sim_object(exec, SIM_EXEC);
	struct {
		int result;
		void *node, *from;
	} *out = info;
	bool is_good;
	int r = sim_enter();

	if (!r && (!g || !e || !out))
		r = SIM_VALUE;
	if (r)
		return r;
	is_good = is_same_shape(e, g);
	out->result = is_good ? 0 : 2;
	out->node = out->from = NULL;
	sim_log("cuGraphExecUpdate_v2 %s", is_good ? "done" : "refused");
	return is_good ? copy_nodes(e, g) : SIM_UPDATE;
}

SIM_PUBLIC int cuGraphUpload(void *exec, void *stream)
{
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	return !r && !sim_object(exec, SIM_EXEC) ? SIM_VALUE : r;
}

SIM_PUBLIC int cuGraphLaunch(void *exec, void *stream)
{
	struct sim_graph *e = sim_object(exec, SIM_EXEC);
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	if (!r && !e)
		r = SIM_VALUE;
	if (!r && sim_capture_of(s))
		r = SIM_CAPTURE;
	if (!r)
		r = sim_fault_launch();
	if (r)
		return r;
	for (size_t i = 0; i < e->n; i++)
		sim_node_run(&e->nodes[i]);
	sim_submit(s->queue, e->n ? e->n : 1, s->not_before_ns);
	sim_log("cuGraphLaunch");
	return SIM_OK;
}

/* Gives back what graphs hold; this driver's hold nothing, but the bug is there. */
SIM_PUBLIC int cuDeviceGraphMemTrim(int device)
{
	int r = sim_ready();

	(void)device;
	if (r)
		return r;
	r = sim_capture_check_sync("cuDeviceGraphMemTrim", NULL);
	if (!r)
		sim_release("cuDeviceGraphMemTrim");
	return r;
}
