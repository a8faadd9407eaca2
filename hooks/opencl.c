/* SPDX-License-Identifier: MIT */
/* opencl.c -- OpenCL: queues, what is handed to them, and what waits for it.
 *
 * Queues may be used by many threads at once, so only drains claim them: the last
 * release waits for one that is under way (queues.h).  How many hold a queue is counted
 * here, from its making on, so that a queue is forgotten no later than it goes.
 *
 * What an event shows is kept in flight_point.h, but of queues whose commands may overtake
 * each other: there only a wait for the queue says that what came before is done. */
#include <errno.h>

#include "opencl_device.h"
#include "../shim/flight_point.h"

#define TAF_ROWS "opencl.def"
#define TAF_TABLE taf_table_opencl
#define TAF_ENGINE TAF_ENGINE_OPENCL
#define TAF_OPS &opencl_ops
#define TAF_STATUS(r) TAF_STATUS_OF(r)
#define TAF_MISSING(type) ((type) _Generic((type){ 0 }, void * : 0, default : TAF_CL_NO_PLATFORM))

static const struct taf_ops opencl_ops;
#include "expand.h"

#define API TAF_API_OPENCL

struct taf_queues taf_cl_queues;
static struct taf_queues devices; /* device: the number */
static _Atomic(uint32_t) n_devices;

uint32_t taf_cl_device(const void *device)
{
	struct taf_queue like = { .device = 0 }, *q;

	q = taf_queue_of(&devices, TAF_U64(device));
	if (!q && device) {
		like.device = atomic_fetch_add(&n_devices, 1);
		q = taf_queue_add(&devices, TAF_U64(device), &like);
	}
	return q ? q->device : 0;
}

uint32_t taf_cl_context_device(void *context, const void *home)
{
	clGetContextInfo_fn *ask = THEIRS(clGetContextInfo, home);
	void *list[TAF_LIVE_DEVICES] = { NULL };

	if (!ask)
		return 0;
	taf_tls.inside++;
	if (ask(context, TAF_CL_CONTEXT_DEVICES, sizeof(list), list, NULL))
		list[0] = NULL;
	taf_tls.inside--;
	return taf_cl_device(list[0]);
}

/* ---- queues ---- */

static void got_queue(void *queue, void *device, uint64_t bits, const void *home)
{
	struct taf_queue like = { .parent = TAF_U64(device),
				  .home = home,
				  .is_unordered = (bits & TAF_CL_OUT_OF_ORDER) != 0 };

	/* The host does not wait for a queue that kernels fill. */
	if (!queue || (bits & TAF_CL_ON_DEVICE))
		return;
	like.device = taf_cl_device(device);
	taf_cl_look();
	taf_queue_add(&taf_cl_queues, TAF_U64(queue), &like);
}

void *taf_clCreateCommandQueue(void *context, void *device, uint64_t bits, int32_t *error)
{
	struct taf_call call = TAF_CALL(clCreateCommandQueue);
	void *r;

	call.real = (taf_fn)REAL(clCreateCommandQueue);
	if (!call.real)
		return taf_cl_not_made(&call, error, 0);
	r = THROUGH(call, clCreateCommandQueue)(context, device, bits, error);
	got_queue(r, device, bits, call.caller);
	return r;
}

static uint64_t bits_of(const uint64_t *list)
{
	for (; list && *list; list += 2)
		if (*list == TAF_CL_QUEUE_PROPERTIES)
			return list[1];
	return 0;
}

#define CREATE_WITH(name) \
	void *taf_##name(void *context, void *device, const uint64_t *list, int32_t *error) \
	{ \
		struct taf_call call = TAF_CALL(name); \
		void *r; \
		call.real = (taf_fn)REAL(name); \
		if (!call.real) \
			return taf_cl_not_made(&call, error, 0); \
		r = THROUGH(call, name)(context, device, list, error); \
		got_queue(r, device, bits_of(list), call.caller); \
		return r; \
	}

CREATE_WITH(clCreateCommandQueueWithProperties)
CREATE_WITH(clCreateCommandQueueWithPropertiesKHR)

int32_t taf_clRetainCommandQueue(void *queue)
{
	clRetainCommandQueue_fn *theirs = REAL(clRetainCommandQueue);
	struct taf_queue *q = taf_queue_of(&taf_cl_queues, TAF_U64(queue));
	int32_t r = theirs ? theirs(queue) : TAF_CL_NO_PLATFORM;

	if (!r && q)
		atomic_fetch_add(&q->refs, 1);
	return r;
}

static uint64_t key_of(const void *queue)
{
	return taf_flight_key(API, TAF_U64(queue), 0);
}

/* Not drained: the runtime keeps a queue, a kernel or a buffer until what uses it is done. */
int32_t taf_clReleaseCommandQueue(void *queue)
{
	struct taf_call call = TAF_CALL(clReleaseCommandQueue);
	struct taf_queue *q = taf_queue_of(&taf_cl_queues, TAF_U64(queue));

	call.real = (taf_fn)REAL(clReleaseCommandQueue);
	if (!call.real)
		return TAF_CL_NO_PLATFORM;
	if (q && atomic_fetch_sub(&q->refs, 1) == 1) {
		taf_cl_let_go(q);
		taf_flight_drop(key_of(queue));
	}
	return THROUGH(call, clReleaseCommandQueue)(queue);
}

/* What its release completes, or has waited for, shows only now. */
int32_t taf_clReleaseContext(void *context)
{
	clReleaseContext_fn *theirs = REAL(clReleaseContext);
	int32_t r = theirs ? theirs(context) : TAF_CL_NO_PLATFORM;

	taf_cl_look();
	return r;
}

/* ---- work ---- */

struct enqueue {
	struct taf_call call;
	struct taf_flight_point before; /* how far the queue had come with this command */
	bool is_wait; /* it returns when all before it is done as well */
	bool is_ordered;
};

static bool enqueue_begin(struct enqueue *e, void *queue, bool is_blocking, const void *caller)
{
	struct taf_queue *q = taf_queue_of(&taf_cl_queues, TAF_U64(queue));

	e->call.caller = caller;
	e->call.kind = TAF_SUBMIT;
	e->call.bytes = 0;
	e->call.queue = TAF_U64(queue);
	if (!taf_submit_before(&e->call, key_of(queue)))
		return false;
	e->is_ordered = !q || !q->is_unordered;
	e->is_wait = is_blocking && e->is_ordered && e->call.has_flight;
	if (e->is_wait)
		taf_flight_point(&e->before, key_of(queue));
	if (q && !atomic_load_explicit(&q->is_used, memory_order_relaxed))
		atomic_store(&q->is_used, true);
	return true;
}

static int32_t enqueue_end(struct enqueue *e, void *const *event, int32_t r)
{
	bool is_done = r == 0 && e->is_wait;

	if (is_done) {
		taf_flight_passed(&e->before);
	} else if (r == 0 && event && e->is_ordered && e->call.has_flight) {
		taf_event_record(API, TAF_U64((const void *)*event),
				 taf_flight_key(API, e->call.queue, 0));
	}
	taf_submit_after(&e->call, r);
	if (is_done && e->call.is_counted) {
		e->call.begin_ns = 0; /* the narrow door reads no clock */
		taf_burst_waited(&e->call);
	}
	taf_cl_fault(&e->call, r);
	return r;
}

static int32_t enqueue_not_made(const struct enqueue *e)
{
	return e->call.real ? TAF_CL_NO_RESOURCES : TAF_CL_NO_PLATFORM;
}

#define ENQUEUE(name, params, args, is_blocking) \
	int32_t taf_##name params \
	{ \
		struct enqueue e; \
		taf_call_narrow(&e.call, TAF_SELF, ROW_##name); \
		if (!enqueue_begin(&e, queue, is_blocking, TAF_CALLER)) \
			return enqueue_not_made(&e); \
		return enqueue_end(&e, event, THROUGH(e.call, name) args); \
	}
/* Objects are held by whoever retains them; the rest is memory at an address. */
static bool is_object(int row)
{
	return row < ROW_clDeviceMemAllocINTEL;
}

#define MAKES(name, params, args, place_, n_bytes, doc) \
	void *taf_##name params \
	{ \
		struct taf_cl_take t = { .piece = { API, place_, 0, 0, n_bytes } }; \
		int32_t mine = 0, *const why = error ? error : &mine; \
		void *r; \
		taf_call_narrow(&t.call, TAF_SELF, ROW_##name); \
		if (!taf_cl_take_begin(&t, TAF_CALLER)) \
			return taf_cl_not_made(&t.call, error, TAF_CL_NO_MEMORY_OBJECT); \
		error = why; \
		r = THROUGH(t.call, name) args; \
		for (uint32_t n = 0; !r && taf_cl_is_oom(*why) && taf_oom_again(&t.call, n); n++) \
			r = THROUGH(t.call, name) args; \
		if (is_object(ROW_##name)) \
			taf_cl_measure(&t, r); \
		taf_cl_take_end(&t, context, r, *why); \
		if (is_object(ROW_##name)) \
			taf_cl_follow(&t, r); \
		return r; \
	}
#define ENQUEUES(name, params, args, doc) ENQUEUE(name, params, args, false)
#define BLOCKS(name, params, args, doc) ENQUEUE(name, params, args, blocking != 0)
#include TAF_ROWS

void *taf_clEnqueueMapBuffer(void *queue, void *buffer, uint32_t blocking, uint64_t flags,
			     size_t offset, size_t size, uint32_t n_waits, void *const *waits,
			     void **event, int32_t *error)
{
	struct enqueue e;
	int32_t mine = 0, *why = error ? error : &mine;
	void *r;

	taf_call_narrow(&e.call, TAF_SELF, ROW_clEnqueueMapBuffer);
	if (!enqueue_begin(&e, queue, blocking != 0, TAF_CALLER))
		return taf_cl_not_made(&e.call, error, TAF_CL_NO_RESOURCES);
	r = THROUGH(e.call, clEnqueueMapBuffer)(queue, buffer, blocking, flags, offset, size,
						n_waits, waits, event, why);
	enqueue_end(&e, event, r ? 0 : *why);
	return r;
}

void *taf_clEnqueueMapImage(void *queue, void *image, uint32_t blocking, uint64_t flags,
			    const size_t *origin, const size_t *region, size_t *row, size_t *slice,
			    uint32_t n_waits, void *const *waits, void **event, int32_t *error)
{
	struct enqueue e;
	int32_t mine = 0, *why = error ? error : &mine;
	void *r;

	taf_call_narrow(&e.call, TAF_SELF, ROW_clEnqueueMapImage);
	if (!enqueue_begin(&e, queue, blocking != 0, TAF_CALLER))
		return taf_cl_not_made(&e.call, error, TAF_CL_NO_RESOURCES);
	r = THROUGH(e.call, clEnqueueMapImage)(queue, image, blocking, flags, origin, region, row,
					       slice, n_waits, waits, event, why);
	enqueue_end(&e, event, r ? 0 : *why);
	return r;
}

/* With a function of the program's own nothing is given here: that one calls clSVMFree. */
int32_t taf_clEnqueueSVMFree(void *queue, uint32_t n, void **pointers, taf_cl_svm_free *own,
			     void *data, uint32_t n_waits, void *const *waits, void **event)
{
	struct taf_cl_callback *callback;
	struct taf_lane *lane;
	struct taf_piece had;
	struct enqueue e;
	int32_t r;

	taf_call_narrow(&e.call, TAF_SELF, ROW_clEnqueueSVMFree);
	if (!enqueue_begin(&e, queue, false, TAF_CALLER))
		return enqueue_not_made(&e);
	callback = taf_cl_call_svm_free(&own, &data);
	r = THROUGH(e.call, clEnqueueSVMFree)(queue, n, pointers, own, data, n_waits, waits, event);
	if (r)
		taf_cl_callback_drop(callback);
	lane = taf_tls.lane;
	for (uint32_t i = 0; !r && !own && lane && i < n; i++)
		if (pointers[i] && taf_live_give(API, TAF_U64((const void *)pointers[i]), &had))
			taf_bump(&lane->bytes_given, had.bytes, lane->is_shared);
	return enqueue_end(&e, event, r);
}

/* ---- memory ---- */

void *taf_clSVMAlloc(void *context, uint64_t flags, size_t size, uint32_t alignment)
{
	struct taf_cl_take t = { .piece = { API, TAF_AT_MANAGED, 0, 0, size } };
	void *r;

	taf_call_narrow(&t.call, TAF_SELF, ROW_clSVMAlloc);
	if (!taf_cl_take_begin(&t, TAF_CALLER))
		return NULL;
	r = THROUGH(t.call, clSVMAlloc)(context, flags, size, alignment);
	for (uint32_t n = 0; !r && size && taf_oom_again(&t.call, n); n++)
		r = THROUGH(t.call, clSVMAlloc)(context, flags, size, alignment);
	/* It gives no reason: no memory, or wrong arguments. */
	taf_cl_take_end(&t, context, r, -1);
	return r;
}

int32_t taf_clReleaseMemObject(void *memory)
{
	struct taf_piece had;
	struct taf_call call;
	int32_t r;

	taf_cl_look();
	taf_call_narrow(&call, TAF_SELF, ROW_clReleaseMemObject);
	call.caller = TAF_CALLER;
	if (taf_cl_give_begin(&call, TAF_U64(memory), &had) &&
	    !taf_cl_is_last(memory, call.caller)) {
		taf_live_back(&had);
		had.at = 0;
	}
	if (had.at ? !taf_before_narrow(&call, TAF_FREE)
		   : !(call.real = (taf_fn)REAL(clReleaseMemObject)))
		return TAF_CL_NO_PLATFORM;
	r = THROUGH(call, clReleaseMemObject)(memory);
	if (r && had.at)
		taf_live_back(&had);
	if (had.at)
		taf_after_narrow(&call, TAF_FREE, r);
	return r;
}

void taf_clSVMFree(void *context, void *pointer)
{
	struct taf_piece had;
	struct taf_call call;

	taf_cl_look();
	taf_call_narrow(&call, TAF_SELF, ROW_clSVMFree);
	call.caller = TAF_CALLER;
	if (!taf_cl_give_begin(&call, TAF_U64(pointer), &had)) {
		if (REAL(clSVMFree))
			REAL(clSVMFree)(context, pointer);
		return;
	}
	taf_burst_unload(&call);
	if (taf_before_narrow(&call, TAF_FREE)) {
		THROUGH(call, clSVMFree)(context, pointer);
		taf_after_narrow(&call, TAF_FREE, 0);
	}
	taf_burst_unloaded(&call);
}

/* ---- waits ---- */

int32_t taf_clWaitForEvents(uint32_t n, void *const *events)
{
	struct taf_call call = TAF_CALL(clWaitForEvents);
	int32_t r;

	if (!taf_before(&call))
		return call.real ? TAF_CL_NO_RESOURCES : TAF_CL_NO_PLATFORM;
	r = THROUGH(call, clWaitForEvents)(n, events);
	for (uint32_t i = 0; !r && i < n; i++)
		taf_event_reached(API, TAF_U64((const void *)events[i]));
	if (!r && call.is_counted)
		taf_burst_waited(&call);
	taf_after(&call, r);
	taf_cl_fault(&call, r);
	return r;
}

int32_t taf_clGetEventInfo(void *event, uint32_t what, size_t room, void *value, size_t *size)
{
	clGetEventInfo_fn *theirs = REAL(clGetEventInfo);
	int32_t r = theirs ? theirs(event, what, room, value, size) : TAF_CL_NO_PLATFORM;
	int32_t status = 1;

	if (r || what != TAF_CL_EVENT_STATUS || !value || room < sizeof(status))
		return r;
	__builtin_memcpy(&status, value, sizeof(status));
	if (!status)
		taf_event_reached(API, TAF_U64(event));
	return r;
}

int32_t taf_clFlush(void *queue)
{
	struct taf_call call = TAF_CALL(clFlush);
	int32_t r;

	call.real = (taf_fn)REAL(clFlush);
	r = call.real ? THROUGH(call, clFlush)(queue) : TAF_CL_NO_PLATFORM;
	taf_cl_fault(&call, r);
	return r;
}

/* ---- callbacks ---- */

int32_t taf_clSetEventCallback(void *event, int32_t status, taf_cl_notify *fn, void *data)
{
	clSetEventCallback_fn *theirs = REAL(clSetEventCallback);
	struct taf_cl_callback *c = theirs ? taf_cl_call_notify(&fn, &data) : NULL;
	int32_t r = theirs ? theirs(event, status, fn, data) : TAF_CL_NO_PLATFORM;

	if (r)
		taf_cl_callback_drop(c);
	return r;
}

int32_t taf_clSetMemObjectDestructorCallback(void *memory, taf_cl_destructor *fn, void *data)
{
	clSetMemObjectDestructorCallback_fn *theirs = REAL(clSetMemObjectDestructorCallback);
	struct taf_cl_callback *c = theirs ? taf_cl_call_destructor(&fn, &data) : NULL;
	int32_t r = theirs ? theirs(memory, fn, data) : TAF_CL_NO_PLATFORM;

	if (r)
		taf_cl_callback_drop(c);
	return r;
}

/* ---- functions by name ---- */

void *taf_clGetExtensionFunctionAddress(const char *name)
{
	clGetExtensionFunctionAddress_fn *theirs = REAL(clGetExtensionFunctionAddress);

	return taf_asked(TAF_SELF, name, theirs ? theirs(name) : NULL, TAF_CALLER);
}

void *taf_clGetExtensionFunctionAddressForPlatform(void *platform, const char *name)
{
	clGetExtensionFunctionAddressForPlatform_fn *theirs =
		REAL(clGetExtensionFunctionAddressForPlatform);

	return taf_asked(TAF_SELF, name, theirs ? theirs(platform, name) : NULL, TAF_CALLER);
}

/* ---- what the shim may ask ---- */

static int sync_queue(void *handle, const void *home)
{
	struct taf_queue *q;
	int err;

	if (handle == TAF_SELF)
		return taf_queue_each(&taf_cl_queues, taf_cl_wait_busy);
	q = taf_queue_enter(&taf_cl_queues, TAF_U64(handle));
	err = q ? taf_cl_wait(q, taf_queue_until()) : taf_cl_wait_unknown(handle, home);
	taf_queue_leave(q);
	return err;
}

static int memory(void *handle, const void *home, struct taf_memory *out)
{
	(void)handle;
	(void)home;
	return taf_cl_free_memory(out);
}

static int device(uint32_t number, const void *home, struct taf_device *out)
{
	(void)home;
	return taf_cl_describe(number, out);
}

static const struct taf_ops opencl_ops = { .sync = sync_queue, .memory = memory, .device = device };
