/* SPDX-License-Identifier: MIT */
/* vulkan.c -- Vulkan: every queue claimed for the length of a call, so that a drain and
 * the program are never in one at once; memory by the heap that it lies in.
 *
 * Theirs is what the program would call without us: for a device that it looked up
 * functions of, those; else the loader's exported name, which finds the device by its
 * handle.  The loader fills its own list of names from its exports, which are ours as
 * soon as we are preloaded: what vkGetInstanceProcAddr answers is then ours already,
 * and theirs is still the loader's own symbol.
 *
 * There is no trim: command pools belong to the thread that records into them. */
#include <errno.h>

#include "asked.h"
#include "hook.h"
#include "../shim/flight_point.h"
#include "vulkan_device.h"
#include "vulkan_done.h"
#include "vulkan_wait.h"

#define TAF_ROWS "vulkan.def"
#define TAF_TABLE taf_table_vulkan
#define TAF_ENGINE TAF_ENGINE_VULKAN
#define TAF_OPS &vulkan_ops
#define TAF_STATUS(r) ((int64_t)(r))
#define TAF_MISSING(type) TAF_VK_INITIALIZATION_FAILED
#define TAF_IS_OOM(r) ((r) == TAF_VK_OUT_OF_DEVICE_MEMORY || (r) == TAF_VK_OUT_OF_HOST_MEMORY)

static const struct taf_ops vulkan_ops;
#include "expand.h"

/* ---- theirs ---- */

static uint64_t device_of(const void *queue)
{
	const struct taf_queue *q = taf_queue_of(&taf_vk_queues, TAF_U64(queue));

	return q ? q->parent : 0;
}

/* Their function for a device, where it is called without passing a door. */
static taf_fn find(struct taf_call *c, uint64_t device)
{
	c->real = taf_vk_fn_of(device, c->row, taf_real(TAF_SELF, c->row, c->caller));
	return c->real;
}

static bool enter_wide(struct taf_call *c, uint64_t device)
{
	if (!taf_before(c))
		return false;
	c->real = taf_vk_fn_of(device, c->row, c->real);
	return true;
}

/* Of a call that was not made. */
static int32_t not_made(const struct taf_call *c, int32_t refuse)
{
	return c->real ? refuse : TAF_VK_INITIALIZATION_FAILED;
}

/* What is below 0 is an error; what is above an answer, as "not ready yet". */
static int32_t leave_wide(struct taf_call *c, int32_t r)
{
	taf_after(c, r);
	if (__builtin_expect(r < 0, 0))
		taf_fault_seen(c, r);
	return r;
}

/* ---- instances and devices ---- */

int32_t taf_vkCreateInstance(const void *info_, const void *allocator, void **instance)
{
	vkCreateInstance_fn *theirs = REAL(vkCreateInstance);
	int32_t r = theirs ? theirs(info_, allocator, instance) : TAF_VK_INITIALIZATION_FAILED;

	if (r == TAF_VK_SUCCESS)
		taf_vk_instance_add(*instance, TAF_CALLER, NULL);
	return r;
}

void taf_vkDestroyInstance(void *instance, const void *allocator)
{
	vkDestroyInstance_fn *theirs = REAL(vkDestroyInstance);

	taf_vk_instance_drop(instance);
	if (theirs)
		theirs(instance, allocator);
}

int32_t taf_vkEnumeratePhysicalDevices(void *instance, uint32_t *count, void **devices)
{
	vkEnumeratePhysicalDevices_fn *theirs = REAL(vkEnumeratePhysicalDevices);
	int32_t r = theirs ? theirs(instance, count, devices) : TAF_VK_INITIALIZATION_FAILED;

	if (r >= 0 && devices && count)
		taf_vk_physicals_note(instance, *count, devices);
	return r;
}

int32_t taf_vkCreateDevice(void *physical, const void *info_, const void *allocator, void **device)
{
	struct taf_call call = TAF_CALL(vkCreateDevice);
	int32_t r;

	if (!taf_before(&call))
		return not_made(&call, TAF_VK_INITIALIZATION_FAILED);
	r = THROUGH(call, vkCreateDevice)(physical, info_, allocator, device);
	if (r == TAF_VK_SUCCESS)
		taf_vk_device_add(*device, physical, call.caller);
	return leave_wide(&call, r);
}

void taf_vkDestroyDevice(void *device, const void *allocator)
{
	struct taf_call call = TAF_CALL(vkDestroyDevice);

	if (device)
		taf_burst_unload(&call);
	if (enter_wide(&call, TAF_U64(device))) {
		taf_vk_forget_late(TAF_U64(device));
		taf_vk_device_drop(device);
		THROUGH(call, vkDestroyDevice)(device, allocator);
		taf_after(&call, 0);
	}
	taf_burst_unloaded(&call);
}

static void got_queue(void *device, void *queue, const void *home)
{
	struct taf_queue like = { .parent = TAF_U64(device),
				  .home = home,
				  .device = taf_vk_device_number(device) };

	taf_queue_add(&taf_vk_queues, TAF_U64(queue), &like);
}

void taf_vkGetDeviceQueue(void *device, uint32_t family, uint32_t index, void **queue)
{
	struct taf_call call = TAF_CALL(vkGetDeviceQueue);

	if (!find(&call, TAF_U64(device)))
		return;
	THROUGH(call, vkGetDeviceQueue)(device, family, index, queue);
	got_queue(device, *queue, call.caller);
}

void taf_vkGetDeviceQueue2(void *device, const void *info_, void **queue)
{
	struct taf_call call = TAF_CALL(vkGetDeviceQueue2);

	if (!find(&call, TAF_U64(device)))
		return;
	THROUGH(call, vkGetDeviceQueue2)(device, info_, queue);
	got_queue(device, *queue, call.caller);
}

/* ---- memory ---- */

int32_t taf_vkAllocateMemory(void *device, const struct taf_vk_allocate *a, const void *allocator,
			     uint64_t *memory)
{
	struct taf_piece piece = { .api = TAF_API, .place = TAF_AT_DEVICE };
	struct taf_call call;
	int32_t r;

	taf_call_narrow(&call, TAF_SELF, ROW_vkAllocateMemory);
	call.caller = TAF_CALLER;
	call.kind = TAF_ALLOC;
	if (taf_vk_is_host(device, a->memory_type) || taf_vk_is_host_pointer(a))
		piece.place = TAF_AT_HOST;
	piece.bytes = a->bytes;
	call.bytes = taf_device_bytes(piece.place, a->bytes);
	if (!taf_before_narrow(&call, TAF_ALLOC))
		return not_made(&call, TAF_VK_OUT_OF_DEVICE_MEMORY);
	call.real = taf_vk_fn_of(TAF_U64(device), call.row, call.real);
	r = THROUGH(call, vkAllocateMemory)(device, a, allocator, memory);
	for (uint32_t n = 0; TAF_IS_OOM(r) && taf_oom_again(&call, n); n++)
		r = THROUGH(call, vkAllocateMemory)(device, a, allocator, memory);
	if (r == TAF_VK_SUCCESS && taf_is_counting()) {
		piece.device = taf_vk_device_number(device);
		piece.at = *memory;
		taf_live_take(&piece);
	}
	taf_after_narrow(&call, TAF_ALLOC, r);
	if (__builtin_expect(r < 0, 0))
		taf_fault_seen(&call, r);
	return r;
}

void taf_vkFreeMemory(void *device, uint64_t memory, const void *allocator)
{
	struct taf_piece had = { .at = 0 };
	struct taf_call call;

	taf_call_narrow(&call, TAF_SELF, ROW_vkFreeMemory);
	call.caller = TAF_CALLER;
	call.kind = TAF_FREE;
	if (!memory || !taf_is_counting() || !taf_live_give(TAF_API, memory, &had)) {
		if (find(&call, TAF_U64(device)))
			THROUGH(call, vkFreeMemory)(device, memory, allocator);
		return;
	}
	taf_burst_unload(&call);
	call.bytes = taf_device_bytes(had.place, had.bytes);
	if (taf_before_narrow(&call, TAF_FREE)) {
		call.real = taf_vk_fn_of(TAF_U64(device), call.row, call.real);
		THROUGH(call, vkFreeMemory)(device, memory, allocator);
		taf_after_narrow(&call, TAF_FREE, 0);
	}
	taf_burst_unloaded(&call);
}

/* ---- submits ---- */

static uint64_t key_of(const void *queue)
{
	return taf_flight_key(TAF_API_VULKAN, TAF_U64(queue), 0);
}

/* A submit: through the door, into the queue, out again. */
struct submit {
	struct taf_call call;
	struct taf_queue *held;
};

static bool submit_begin(struct submit *s, void *queue, const void *caller)
{
	struct taf_queue *q;

	s->call.caller = caller;
	s->call.kind = TAF_SUBMIT;
	s->call.bytes = 0;
	s->call.queue = TAF_U64(queue);
	if (!taf_submit_before(&s->call, key_of(queue)))
		return false;
	s->call.real = taf_vk_fn_of(device_of(queue), s->call.row, s->call.real);
	s->held = taf_queue_enter(&taf_vk_queues, TAF_U64(queue));
	q = s->held;
	if (q && !atomic_load_explicit(&q->is_used, memory_order_relaxed))
		atomic_store(&q->is_used, true);
	return true;
}

/* fence: 0 for none. Under the claim, so that the point is this submit's. */
static int32_t submit_end(struct submit *s, uint64_t fence, int32_t r)
{
	if (r == TAF_VK_SUCCESS && s->call.has_flight)
		taf_event_record(TAF_API_VULKAN, fence,
				 taf_flight_key(TAF_API_VULKAN, s->call.queue, 0));
	taf_queue_leave(s->held);
	taf_submit_after(&s->call, r);
	if (__builtin_expect(r < 0, 0))
		taf_fault_seen(&s->call, r);
	return r;
}

int32_t taf_vkQueueSubmit(void *queue, uint32_t n, const struct taf_vk_submit *submits,
			  uint64_t fence)
{
	struct submit s;
	int32_t r;

	taf_call_narrow(&s.call, TAF_SELF, ROW_vkQueueSubmit);
	if (!submit_begin(&s, queue, TAF_CALLER))
		return not_made(&s.call, TAF_VK_OUT_OF_DEVICE_MEMORY);
	r = THROUGH(s.call, vkQueueSubmit)(queue, n, submits, fence);
	if (r == TAF_VK_SUCCESS && s.call.has_flight)
		taf_vk_note(s.call.queue, submits, n);
	return submit_end(&s, fence, r);
}

#define SUBMIT2(name) \
	int32_t taf_##name(void *queue, uint32_t n, const struct taf_vk_submit2 *submits, \
			   uint64_t fence) \
	{ \
		struct submit s; \
		int32_t r; \
		taf_call_narrow(&s.call, TAF_SELF, ROW_##name); \
		if (!submit_begin(&s, queue, TAF_CALLER)) \
			return not_made(&s.call, TAF_VK_OUT_OF_DEVICE_MEMORY); \
		r = THROUGH(s.call, name)(queue, n, submits, fence); \
		if (r == TAF_VK_SUCCESS && s.call.has_flight) \
			taf_vk_note2(s.call.queue, submits, n); \
		return submit_end(&s, fence, r); \
	}

SUBMIT2(vkQueueSubmit2)
SUBMIT2(vkQueueSubmit2KHR)

int32_t taf_vkQueueBindSparse(void *queue, uint32_t n, const void *binds, uint64_t fence)
{
	struct submit s;

	taf_call_narrow(&s.call, TAF_SELF, ROW_vkQueueBindSparse);
	if (!submit_begin(&s, queue, TAF_CALLER))
		return not_made(&s.call, TAF_VK_OUT_OF_DEVICE_MEMORY);
	return submit_end(&s, fence, THROUGH(s.call, vkQueueBindSparse)(queue, n, binds, fence));
}

/* No work for the device's engines: only the queue must be ours for the call. */
int32_t taf_vkQueuePresentKHR(void *queue, const void *info_)
{
	struct taf_call call = TAF_CALL(vkQueuePresentKHR);
	struct taf_queue *q;
	int32_t r;

	if (!find(&call, device_of(queue)))
		return TAF_VK_INITIALIZATION_FAILED;
	q = taf_queue_enter(&taf_vk_queues, TAF_U64(queue));
	r = THROUGH(call, vkQueuePresentKHR)(queue, info_);
	taf_queue_leave(q);
	if (__builtin_expect(r < 0, 0))
		taf_fault_seen(&call, r);
	return r;
}

/* ---- waits ---- */

int32_t taf_vkQueueWaitIdle(void *queue)
{
	struct taf_call call = TAF_CALL(vkQueueWaitIdle);
	struct taf_queue *q;
	int32_t r;

	if (!enter_wide(&call, device_of(queue)))
		return not_made(&call, TAF_VK_DEVICE_LOST);
	q = taf_queue_enter(&taf_vk_queues, TAF_U64(queue));
	r = THROUGH(call, vkQueueWaitIdle)(queue);
	if (r == TAF_VK_SUCCESS)
		taf_vk_settled(TAF_U64(queue));
	taf_queue_leave(q);
	if (r == TAF_VK_SUCCESS && call.is_counted)
		taf_burst_waited(&call);
	return leave_wide(&call, r);
}

int32_t taf_vkDeviceWaitIdle(void *device)
{
	struct taf_call call = TAF_CALL(vkDeviceWaitIdle);
	int32_t r;

	if (!enter_wide(&call, TAF_U64(device)))
		return not_made(&call, TAF_VK_DEVICE_LOST);
	taf_queue_enter_all(&taf_vk_queues, TAF_U64(device));
	r = THROUGH(call, vkDeviceWaitIdle)(device);
	if (r == TAF_VK_SUCCESS)
		taf_vk_settled_all(TAF_U64(device));
	taf_queue_leave_all(&taf_vk_queues, TAF_U64(device));
	if (r == TAF_VK_SUCCESS && call.is_counted)
		taf_burst_waited(&call);
	return leave_wide(&call, r);
}

int32_t taf_vkWaitForFences(void *device, uint32_t n, const uint64_t *fences, uint32_t all,
			    uint64_t ns)
{
	struct taf_call call = TAF_CALL(vkWaitForFences);
	int32_t r;

	if (!enter_wide(&call, TAF_U64(device)))
		return not_made(&call, TAF_VK_DEVICE_LOST);
	r = THROUGH(call, vkWaitForFences)(device, n, fences, all, ns);
	/* Of several of which one is enough nobody says which it was. */
	for (uint32_t i = 0; r == TAF_VK_SUCCESS && (all || n == 1) && i < n; i++)
		taf_event_reached(TAF_API_VULKAN, fences[i]);
	if (r == TAF_VK_SUCCESS && call.is_counted)
		taf_burst_waited(&call);
	return leave_wide(&call, r);
}

int32_t taf_vkGetFenceStatus(void *device, uint64_t fence)
{
	struct taf_call call = TAF_CALL(vkGetFenceStatus);
	int32_t r;

	if (!find(&call, TAF_U64(device)))
		return TAF_VK_INITIALIZATION_FAILED;
	r = THROUGH(call, vkGetFenceStatus)(device, fence);
	if (r == TAF_VK_SUCCESS)
		taf_event_reached(TAF_API_VULKAN, fence);
	else if (__builtin_expect(r < 0, 0))
		taf_fault_seen(&call, r);
	return r;
}

#define WAIT_SEMAPHORES(name) \
	int32_t taf_##name(void *device, const struct taf_vk_wait *w, uint64_t ns) \
	{ \
		struct taf_call call = TAF_CALL(name); \
		int32_t r; \
		if (!enter_wide(&call, TAF_U64(device))) \
			return not_made(&call, TAF_VK_DEVICE_LOST); \
		r = THROUGH(call, name)(device, w, ns); \
		if (r == TAF_VK_SUCCESS) \
			taf_vk_reached(w); \
		if (r == TAF_VK_SUCCESS && call.is_counted) \
			taf_burst_waited(&call); \
		return leave_wide(&call, r); \
	}

WAIT_SEMAPHORES(vkWaitSemaphores)
WAIT_SEMAPHORES(vkWaitSemaphoresKHR)

#define TRIM_POOL(name) \
	void taf_##name(void *device, uint64_t pool, uint32_t flags) \
	{ \
		struct taf_call call = TAF_CALL(name); \
		taf_burst_unload(&call); \
		if (enter_wide(&call, TAF_U64(device))) { \
			THROUGH(call, name)(device, pool, flags); \
			taf_after(&call, 0); \
		} \
		taf_burst_unloaded(&call); \
	}

TRIM_POOL(vkTrimCommandPool)
TRIM_POOL(vkTrimCommandPoolKHR)

/* ---- functions by name ---- */

/* The row that p is theirs for, or -1. */
static int row_to_learn(const char *name, const void *p)
{
	if (!p || taf_state_now() == TAF_OFF || taf_real_is_ours(p))
		return -1;
	return taf_asked_row(TAF_SELF, name);
}

void *taf_vkGetInstanceProcAddr(void *instance, const char *name)
{
	vkGetInstanceProcAddr_fn *theirs = REAL(vkGetInstanceProcAddr);
	void *p = theirs ? theirs(instance, name) : NULL;
	int row = row_to_learn(name, p);

	if (row >= 0 && taf_vk_learn_for_all(instance, row, taf_object_fn(p)))
		return taf_asked_ours(TAF_SELF, row);
	return taf_asked(TAF_SELF, name, p, TAF_CALLER);
}

void *taf_vkGetDeviceProcAddr(void *device, const char *name)
{
	vkGetDeviceProcAddr_fn *theirs = REAL(vkGetDeviceProcAddr);
	void *p = theirs ? theirs(device, name) : NULL;
	int row = row_to_learn(name, p);

	if (row >= 0 && taf_vk_learn(device, row, taf_object_fn(p))) {
		taf_vk_learn_beside(device, row);
		return taf_asked_ours(TAF_SELF, row);
	}
	return taf_asked(TAF_SELF, name, p, TAF_CALLER);
}

/* ---- what the shim may ask ---- */

static int sync_queue(void *handle, const void *home)
{
	struct taf_queue *q;
	int err;

	(void)home;
	if (handle == TAF_SELF)
		return taf_queue_each(&taf_vk_queues, taf_vk_wait_busy);
	q = taf_queue_enter(&taf_vk_queues, TAF_U64(handle));
	err = q ? taf_vk_wait(q, taf_queue_until()) : -ENODEV;
	taf_queue_leave(q);
	return err;
}

static int memory(void *handle, const void *home, struct taf_memory *out)
{
	(void)handle;
	(void)home;
	return taf_vk_memory(out);
}

static int device(uint32_t number, const void *home, struct taf_device *out)
{
	(void)home;
	return taf_vk_describe(number, out);
}

static const struct taf_ops vulkan_ops = { .sync = sync_queue, .memory = memory, .device = device };
