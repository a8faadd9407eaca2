/* SPDX-License-Identifier: MIT */
/* driver_stream.c -- streams, events and launches of the simulated driver. */
#include <stdlib.h>

#include "driver.h"

static _Thread_local struct sim_stream own; /* cuStreamPerThread; its queue is kept */
static pthread_mutex_t streams_lock = PTHREAD_MUTEX_INITIALIZER;

static struct sim_stream *own_stream(void)
{
	if (!own.o.kind) {
		own.o.kind = SIM_STREAM;
		own.flags = 1;
		own.queue = sim_queue_open(sim_current->device);
	}
	own.ctx = sim_current;
	return &own;
}

int sim_stream(void *handle, struct sim_stream **s)
{
	int r = sim_enter();

	if (r)
		return r;
	if ((uintptr_t)handle < 2)
		*s = sim_current->legacy;
	else if ((uintptr_t)handle == 2)
		*s = own_stream();
	else
		*s = sim_object(handle, SIM_STREAM);
	return *s ? SIM_OK : SIM_HANDLE;
}

static int new_stream(void **stream, unsigned flags)
{
	struct sim_stream *s;
	int r = sim_enter();

	if (!r && (!stream || flags > 1))
		r = SIM_VALUE;
	if (r)
		return r;
	s = sim_object_new(SIM_STREAM, sizeof(*s));
	s->ctx = sim_current;
	s->flags = flags;
	s->queue = sim_queue_open(sim_current->device);
	*stream = s;
	return SIM_OK;
}

SIM_PUBLIC int cuStreamCreate(void **stream, unsigned flags)
{
	return new_stream(stream, flags);
}

SIM_PUBLIC int cuStreamCreateWithPriority(void **stream, unsigned flags, int priority)
{
	(void)priority;
	return new_stream(stream, flags);
}

/* The real one lets the stream run dry; this one has the bug instead. */
SIM_PUBLIC int cuStreamDestroy_v2(void *stream)
{
	struct sim_stream *s = sim_object(stream, SIM_STREAM);
	int r = sim_ready();

	if (!r && !s)
		r = SIM_HANDLE;
	if (r)
		return r;
	if (!sim_is_done(s->queue, sim_submitted(s->queue)))
		sim_release("cuStreamDestroy_v2");
	sim_queue_close(s->queue);
	sim_object_free(s);
	return SIM_OK;
}

int sim_wait_stream(const char *by, struct sim_stream *s)
{
	int r = sim_capture_check_sync(by, s);

	if (!r && s == s->ctx->legacy)
		r = sim_wait_device(s->ctx->device);
	else if (!r)
		r = sim_wait(s->queue, sim_submitted(s->queue));
	if (!r)
		sim_pools_settle();
	return r ? r : sim_ready();
}

SIM_PUBLIC int cuStreamSynchronize(void *stream)
{
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	if (!r)
		r = sim_wait_stream("cuStreamSynchronize", s);
	sim_log("cuStreamSynchronize %d", r);
	return r;
}

SIM_PUBLIC int cuStreamQuery(void *stream)
{
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	sim_capture_end_if_open("cuStreamQuery");
	if (!r && sim_capture_of(s))
		r = SIM_CAPTURE;
	if (r)
		return r;
	if (!sim_is_done(s->queue, sim_submitted(s->queue)))
		return SIM_NOT_READY;
	sim_log("cuStreamQuery 0");
	return SIM_OK;
}

SIM_PUBLIC int cuStreamGetFlags(void *stream, unsigned *flags)
{
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	if (!r)
		*flags = s->flags;
	return r;
}

SIM_PUBLIC int cuStreamGetCtx(void *stream, void **ctx)
{
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	if (!r)
		*ctx = s->ctx;
	return r;
}

int sim_command(struct sim_stream *s, const struct sim_node *node)
{
	struct sim_capture *c = sim_capture_of(s);

	if (c)
		return c->is_broken ? SIM_BROKEN : sim_graph_add(c->graph, node);
	sim_node_run(node);
	sim_submit(s->queue, 1, s->not_before_ns);
	return SIM_OK;
}

/* Launches count for injected faults, and are what a generation is made of. */
static int launch(const char *by, void *stream)
{
	struct sim_node n = { .work = SIM_LAUNCH_NODE };
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	if (!r && !sim_capture_of(s))
		r = sim_fault_launch();
	if (!r)
		r = sim_command(s, &n);
	if (!r)
		sim_log("%s%s", by, sim_capture_of(s) ? " captured" : "");
	return r;
}

SIM_PUBLIC int cuLaunchKernel(void *fn, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
			      unsigned by, unsigned bz, unsigned shared, void *stream,
			      void **params, void **extra)
{
	(void)gy, (void)gz, (void)by, (void)bz, (void)shared, (void)params, (void)extra;
	return fn && gx && bx ? launch("cuLaunchKernel", stream) : SIM_VALUE;
}

SIM_PUBLIC int cuLaunchCooperativeKernel(void *fn, unsigned gx, unsigned gy, unsigned gz,
					 unsigned bx, unsigned by, unsigned bz, unsigned shared,
					 void *stream, void **params)
{
	return cuLaunchKernel(fn, gx, gy, gz, bx, by, bz, shared, stream, params, NULL);
}

/* What a launch by configuration takes. */
struct launch_config {
	unsigned grid[3], block[3], shared;
	void *stream, *attributes;
	unsigned n;
};

SIM_PUBLIC int cuLaunchKernelEx(const void *config, void *fn, void **params, void **extra)
{
	const struct launch_config *c = config;

	if (!c)
		return SIM_VALUE;
	return cuLaunchKernel(fn, c->grid[0], c->grid[1], c->grid[2], c->block[0], c->block[1],
			      c->block[2], c->shared, c->stream, params, extra);
}

struct host_call {
	void (*fn)(void *);
	void *arg;
	int queue;
	uint64_t number;
};

static void *call_host(void *arg)
{
	struct host_call *h = arg;

	sim_wait(h->queue, h->number);
	h->fn(h->arg);
	free(h);
	return NULL;
}

/* In a thread of its own, when what was submitted before is done. */
SIM_PUBLIC int cuLaunchHostFunc(void *stream, void (*fn)(void *), void *arg)
{
	struct host_call *h = malloc(sizeof(*h));
	struct sim_node n = { .work = SIM_OTHER_NODE };
	struct sim_stream *s;
	pthread_t t;
	int r = h ? sim_stream(stream, &s) : SIM_OOM;

	if (!r && !fn)
		r = SIM_VALUE;
	if (!r)
		r = sim_command(s, &n);
	if (r || sim_capture_of(s)) {
		free(h);
		return r;
	}
	*h = (struct host_call){ fn, arg, s->queue, sim_submitted(s->queue) };
	if (pthread_create(&t, NULL, call_host, h)) {
		free(h);
		return SIM_OOM;
	}
	pthread_detach(t);
	return SIM_OK;
}

SIM_PUBLIC int cuEventCreate(void **event, unsigned flags)
{
	struct sim_event *e;
	int r = sim_enter();

	(void)flags;
	if (!r && !event)
		r = SIM_VALUE;
	if (r)
		return r;
	e = sim_object_new(SIM_EVENT, sizeof(*e));
	e->queue = -1;
	*event = e;
	return SIM_OK;
}

SIM_PUBLIC int cuEventDestroy_v2(void *event)
{
	struct sim_event *e = sim_object(event, SIM_EVENT);
	int r = sim_ready();

	if (!r && !e)
		r = SIM_HANDLE;
	if (!r)
		sim_object_free(e);
	return r;
}

SIM_PUBLIC int cuEventRecord(void *event, void *stream)
{
	struct sim_event *e = sim_object(event, SIM_EVENT);
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	if (!r && !e)
		r = SIM_HANDLE;
	if (r)
		return r;
	pthread_mutex_lock(&streams_lock);
	e->capture = sim_capture_of(s);
	e->queue = s->queue;
	e->number = sim_submitted(s->queue);
	e->due_ns = sim_due_ns(s->queue);
	pthread_mutex_unlock(&streams_lock);
	return SIM_OK;
}

SIM_PUBLIC int cuEventRecordWithFlags(void *event, void *stream, unsigned flags)
{
	(void)flags;
	return cuEventRecord(event, stream);
}

SIM_PUBLIC int cuEventQuery(void *event)
{
	struct sim_event *e = sim_object(event, SIM_EVENT);
	int r = sim_enter();

	if (!r && !e)
		r = SIM_HANDLE;
	if (!r && e->capture)
		r = SIM_CAPTURED;
	if (r)
		return r;
	return e->queue < 0 || sim_is_done(e->queue, e->number) ? SIM_OK : SIM_NOT_READY;
}

SIM_PUBLIC int cuEventSynchronize(void *event)
{
	struct sim_event *e = sim_object(event, SIM_EVENT);
	int r = sim_enter();

	if (!r && !e)
		r = SIM_HANDLE;
	if (!r && e->capture)
		r = SIM_CAPTURED;
	if (!r && e->queue >= 0)
		r = sim_wait(e->queue, e->number);
	return r ? r : sim_ready();
}

SIM_PUBLIC int cuEventElapsedTime(float *ms, void *from, void *to)
{
	struct sim_event *a = sim_object(from, SIM_EVENT), *b = sim_object(to, SIM_EVENT);

	if (!a || !b || a->queue < 0 || b->queue < 0)
		return SIM_HANDLE;
	*ms = (float)((double)(b->due_ns - a->due_ns) / 1e6);
	return SIM_OK;
}

SIM_PUBLIC int cuStreamWaitEvent(void *stream, void *event, unsigned flags)
{
	struct sim_event *e = sim_object(event, SIM_EVENT);
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	(void)flags;
	if (!r && !e)
		r = SIM_HANDLE;
	if (r)
		return r;
	if (e->capture)
		sim_capture_join(s, e->capture);
	else if (e->queue >= 0 && e->due_ns > s->not_before_ns)
		s->not_before_ns = e->due_ns;
	return SIM_OK;
}
