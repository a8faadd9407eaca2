/* SPDX-License-Identifier: MIT */
/* driver_capture.c -- captures of the simulated driver, and what they forbid.
 *
 * As CUDA's manual has it: a device-wide synchronize while any stream is being
 * captured, and one of a capturing stream, give 900 and break the capture, so that
 * its end gives 901; a use of the legacy stream while a blocking stream is being
 * captured gives 906; allocations and frees are forbidden by the mode of the
 * capture and of the thread.
 *
 * But the process ends at the first synchronize, trim or query of a stream during a capture,
 * whoever calls it: a program that makes none itself then dies of what was injected into it.
 * SIMGPU_CAPTURE=error is for programs that make them, and get the errors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

#define CAPTURES 32

enum { GLOBAL, THREAD_LOCAL, RELAXED };

static pthread_mutex_t capture_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sim_capture captures[CAPTURES]; /* under capture_lock; free: no origin */
static _Atomic(int) n_open;
static _Thread_local int thread_mode = GLOBAL;

int sim_captures_open(void)
{
	return n_open;
}

struct sim_capture *sim_capture_of(struct sim_stream *s)
{
	struct sim_capture *c;

	if (!n_open)
		return NULL;
	pthread_mutex_lock(&capture_lock);
	c = s->capture;
	if (c && !c->origin)
		c = s->capture = NULL; /* joined one that has ended since */
	pthread_mutex_unlock(&capture_lock);
	return c;
}

void sim_capture_join(struct sim_stream *s, struct sim_capture *c)
{
	pthread_mutex_lock(&capture_lock);
	if (c->origin)
		s->capture = c;
	pthread_mutex_unlock(&capture_lock);
}

void sim_capture_end_if_open(const char *by)
{
	const char *how = getenv("SIMGPU_CAPTURE");

	if (!n_open || (how && !strcmp(how, "error")))
		return;
	fprintf(stderr, "simgpu: %s during an open capture\n", by);
	sim_log("ABORT: %s during an open capture", by);
	abort();
}

static int break_all(int status, bool blocking_only)
{
	int r = SIM_OK;

	pthread_mutex_lock(&capture_lock);
	for (int i = 0; i < CAPTURES; i++) {
		struct sim_capture *c = &captures[i];

		if (!c->origin || (blocking_only && (c->origin->flags & 1)))
			continue;
		c->is_broken = true;
		r = status;
	}
	pthread_mutex_unlock(&capture_lock);
	return r;
}

int sim_capture_check_sync(const char *by, struct sim_stream *s)
{
	struct sim_capture *c;

	if (!n_open)
		return SIM_OK;
	sim_capture_end_if_open(by);
	if (!s)
		return break_all(SIM_CAPTURE, false);
	if (s == s->ctx->legacy)
		return break_all(SIM_IMPLICIT, true);
	c = sim_capture_of(s);
	if (!c)
		return SIM_OK;
	c->is_broken = true;
	return SIM_CAPTURE;
}

int sim_capture_check_unsafe(void)
{
	pthread_t self = pthread_self();
	int r = SIM_OK;

	if (!n_open || thread_mode == RELAXED)
		return SIM_OK;
	pthread_mutex_lock(&capture_lock);
	for (int i = 0; i < CAPTURES; i++) {
		struct sim_capture *c = &captures[i];
		bool is_ours = c->origin && pthread_equal(c->thread, self);

		if (!c->origin || c->mode == RELAXED)
			continue;
		if (is_ours || (c->mode == GLOBAL && thread_mode == GLOBAL)) {
			c->is_broken = true;
			r = SIM_CAPTURE;
		}
	}
	pthread_mutex_unlock(&capture_lock);
	return r;
}

static int begin(struct sim_stream *s, struct sim_graph *graph, int mode)
{
	int r = SIM_UNKNOWN;

	if (mode < GLOBAL || mode > RELAXED)
		return SIM_VALUE;
	if (s == s->ctx->legacy)
		return SIM_CAPTURE;
	if (sim_capture_of(s))
		return SIM_STATE;
	pthread_mutex_lock(&capture_lock);
	for (int i = 0; r && i < CAPTURES; i++)
		if (!captures[i].origin) {
			captures[i] = (struct sim_capture){
				.origin = s, .graph = graph, .thread = pthread_self(), .mode = mode
			};
			s->capture = &captures[i];
			n_open++;
			r = SIM_OK;
		}
	pthread_mutex_unlock(&capture_lock);
	return r;
}

SIM_PUBLIC int cuStreamBeginCapture_v2(void *stream, int mode)
{
	struct sim_stream *s;
	struct sim_graph *g;
	int r = sim_stream(stream, &s);

	if (r)
		return r;
	g = sim_object_new(SIM_GRAPH, sizeof(*g));
	r = begin(s, g, mode);
	if (r)
		sim_object_free(g);
	sim_log("cuStreamBeginCapture_v2 mode %d %d", mode, r);
	return r;
}

SIM_PUBLIC int cuStreamBeginCapture(void *stream)
{
	return cuStreamBeginCapture_v2(stream, GLOBAL);
}

SIM_PUBLIC int cuStreamBeginCaptureToGraph(void *stream, void *graph, const void *after,
					   const void *data, size_t n, int mode)
{
	struct sim_graph *g = sim_object(graph, SIM_GRAPH);
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	(void)after, (void)data, (void)n;
	if (!r && !g)
		r = SIM_VALUE;
	return r ? r : begin(s, g, mode);
}

SIM_PUBLIC int cuStreamEndCapture(void *stream, void **graph)
{
	struct sim_stream *s;
	struct sim_capture *c;
	bool is_broken;
	int r = sim_stream(stream, &s);

	if (!r && !(c = sim_capture_of(s)))
		r = SIM_STATE;
	if (!r && c->origin != s)
		r = SIM_UNMATCHED;
	if (!r && c->mode != RELAXED && !pthread_equal(c->thread, pthread_self()))
		r = SIM_THREAD;
	if (r)
		return r;
	pthread_mutex_lock(&capture_lock);
	is_broken = c->is_broken;
	if (graph)
		*graph = is_broken ? NULL : c->graph;
	c->origin = NULL;
	s->capture = NULL;
	n_open--;
	pthread_mutex_unlock(&capture_lock);
	sim_log("cuStreamEndCapture %d", is_broken ? SIM_BROKEN : SIM_OK);
	return is_broken ? SIM_BROKEN : SIM_OK;
}

/* 0 none, 1 active, 2 broken */
SIM_PUBLIC int cuStreamIsCapturing(void *stream, int *status)
{
	struct sim_stream *s;
	struct sim_capture *c;
	int r = sim_stream(stream, &s);

	if (r)
		return r;
	c = sim_capture_of(s);
	*status = !c ? 0 : c->is_broken ? 2 : 1;
	return SIM_OK;
}

SIM_PUBLIC int cuThreadExchangeStreamCaptureMode(int *mode)
{
	int before = thread_mode;

	if (*mode < GLOBAL || *mode > RELAXED)
		return SIM_VALUE;
	thread_mode = *mode;
	*mode = before;
	return SIM_OK;
}
