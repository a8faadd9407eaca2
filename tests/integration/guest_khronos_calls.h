/* SPDX-License-Identifier: MIT */
/* guest_khronos_calls.h -- cases of guest_khronos_bad in which OpenCL calls back.
 *
 * Header of static functions, for that program; after guest_khronos.h. */
#ifndef GUEST_KHRONOS_CALLS_H
#define GUEST_KHRONOS_CALLS_H

#include <sched.h>

#include "guest_khronos.h"

static _Atomic(int) is_context_gone;

static void context_gone(void *which, void *data)
{
	(void)which;
	(void)data;
	is_context_gone = 1;
}

/* The work waits for an event of the program's, so that it is in flight until then. */
static void last(void)
{
	static const int pattern;
	void *queue, *until = NULL;
	int32_t error = 0;

	begin();
	queue = new_queue();
	if (api.clCreateUserEvent)
		until = api.clCreateUserEvent(context, &error);
	tell("launch", api.clEnqueueFillBuffer(queue, some_buffer, &pattern, sizeof(pattern), 0,
					       4096, until != NULL, until ? &until : NULL, NULL));
	tell("release", api.clReleaseCommandQueue(queue));
	tell("buffer", api.clReleaseMemObject(some_buffer));
	if (api.clSetContextDestructorCallback)
		tell("watch", api.clSetContextDestructorCallback(context, context_gone, NULL));
	if (until)
		tell("go", api.clSetUserEventStatus(until, 0) | api.clReleaseEvent(until));
	tell("context", api.clReleaseContext(context));
	while (api.clSetContextDestructorCallback && !is_context_gone)
		sched_yield();
}

static _Atomic(int) calls;

static void called(void *event, int32_t status, void *data)
{
	(void)event;
	calls += status == 0 && data == &calls;
}

static void callback(void)
{
	void *queue;
	int32_t r = 0;

	begin();
	queue = new_queue();
	for (int i = 0; i < 2000; i++) {
		void *event = NULL;

		r |= launch(queue, &event);
		r |= api.clSetEventCallback(event, 0, called, &calls);
		r |= api.clReleaseEvent(event);
	}
	r |= wait_for(queue);
	while (!r && calls < 2000)
		sched_yield();
	printf("%d calls, answers %d\n", calls, r);
}

static void memory_gone(void *memory, void *data)
{
	(void)memory;
	(void)data;
}

static void give_shared(void *event, int32_t status, void *data)
{
	(void)event;
	(void)status;
	api.clSVMFree(context, data);
}

static void places(void)
{
	void *queue, *shared, *event = NULL;
	int32_t r = 0, error;

	begin();
	queue = new_queue();
	for (int i = 0; i < 1100; i++) {
		void *p = api.clCreateBuffer(context, 1, 64, NULL, &error);

		r |= error | api.clSetMemObjectDestructorCallback(p, memory_gone, NULL);
	}
	shared = api.clSVMAlloc(context, 1, 1000, 0);
	r |= launch(queue, &event);
	r |= api.clSetEventCallback(event, 0, give_shared, shared);
	tell("places", r);
}

#endif
