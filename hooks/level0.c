/* SPDX-License-Identifier: MIT */
/* level0.c -- Intel's Level Zero: memory, queues, immediate lists, and its sync.
 *
 * There is no trim, for nothing is cached that a program could give back, and no free
 * memory: that is Sysman's, which a program must have asked for before zeInit. */
#include "abi/level0.h"

#include <errno.h>

#include "../policy/text.h"
#include "../shim/flight_point.h"
#include "hook.h"
#include "level0_queue.h"

#define TAF_ROWS "level0.def"
#define TAF_TABLE taf_table_level0
#define TAF_ENGINE TAF_ENGINE_LEVEL0
#define TAF_OPS &level0_ops
#define TAF_STATUS(r) ((int64_t)(r))
#define TAF_IS_OOM(r) ((r) == TAF_ZE_OUT_OF_DEVICE_MEMORY || (r) == TAF_ZE_OUT_OF_HOST_MEMORY)
#define TAF_MISSING(type) ((type)TAF_ZE_UNINITIALIZED)
#define TAF_LOADER "libze_loader.so.1"

static const struct taf_ops level0_ops;
#include "expand.h"

#define SLICE_NS 5000000u /* of a wait of ours, between which a queue may go */

/* Numbers of devices, in the order in which they are met. */
static _Atomic(void *) devices[TAF_LIVE_DEVICES];

static uint32_t number_of(void *device)
{
	for (uint32_t i = 0; device && i < TAF_LIVE_DEVICES; i++) {
		void *none = NULL;

		if (atomic_load(&devices[i]) == device ||
		    atomic_compare_exchange_strong(&devices[i], &none, device) || none == device)
			return i;
	}
	return device ? TAF_LIVE_DEVICES - 1 : 0;
}

static int not_made(const struct taf_call *call, int refuse)
{
	return call->real ? refuse : TAF_ZE_UNINITIALIZED;
}

/* TAKES by hand: the device is an argument. */
struct take {
	struct taf_call call;
	struct taf_piece piece;
	uint32_t tries;
};

static bool begin_take(struct take *t, uint64_t bytes)
{
	t->piece.bytes = bytes;
	t->tries = 0;
	t->call.bytes = taf_device_bytes(t->piece.place, bytes);
	return taf_before_narrow(&t->call, TAF_ALLOC);
}

static bool is_again(struct take *t, int r)
{
	return TAF_IS_OOM(r) && taf_oom_again(&t->call, t->tries++);
}

static int end_take(struct take *t, uint64_t at, int r)
{
	t->piece.at = at;
	if (!r && taf_is_counting())
		taf_live_take(&t->piece);
	taf_after_narrow(&t->call, TAF_ALLOC, r);
	TAF_FAULT(t->call, r);
	return r;
}

#define TAKE(t, name, place_, device_) \
	struct take t; \
	taf_call_narrow(&(t).call, TAF_SELF, ROW_##name); \
	(t).call.caller = TAF_CALLER; \
	(t).call.kind = TAF_ALLOC; \
	(t).piece = (struct taf_piece) \
	{ \
		TAF_API_LEVEL0, place_, number_of(device_), 0, 0 \
	}

int taf_zeMemAllocDevice(void *context, const void *desc, size_t size, size_t align, void *device,
			 void **ptr)
{
	int r;

	TAKE(t, zeMemAllocDevice, TAF_AT_DEVICE, device);
	if (!begin_take(&t, size))
		return not_made(&t.call, TAF_ZE_OUT_OF_DEVICE_MEMORY);
	do
		r = THROUGH(t.call, zeMemAllocDevice)(context, desc, size, align, device, ptr);
	while (is_again(&t, r));
	return end_take(&t, TAF_WHERE(ptr), r);
}

int taf_zeMemAllocShared(void *context, const void *desc, const void *host, size_t size,
			 size_t align, void *device, void **ptr)
{
	int r;

	TAKE(t, zeMemAllocShared, TAF_AT_MANAGED, device);
	if (!begin_take(&t, size))
		return not_made(&t.call, TAF_ZE_OUT_OF_DEVICE_MEMORY);
	do
		r = THROUGH(t.call, zeMemAllocShared)(context, desc, host, size, align, device,
						      ptr);
	while (is_again(&t, r));
	return end_take(&t, TAF_WHERE(ptr), r);
}

int taf_zePhysicalMemCreate(void *context, void *device, struct taf_ze_physical *desc,
			    void **physical)
{
	bool is_host = desc && (desc->flags & TAF_ZE_ON_HOST);
	int r;

	TAKE(t, zePhysicalMemCreate, is_host ? TAF_AT_HOST : TAF_AT_DEVICE, device);
	if (!begin_take(&t, desc ? desc->size : 0))
		return not_made(&t.call, TAF_ZE_OUT_OF_DEVICE_MEMORY);
	do
		r = THROUGH(t.call, zePhysicalMemCreate)(context, device, desc, physical);
	while (is_again(&t, r));
	return end_take(&t, TAF_WHERE(physical), r);
}

/* Memory of a context goes before it, piece by piece. */
int taf_zeContextDestroy(void *context)
{
	struct taf_call call = TAF_CALL(zeContextDestroy);
	int r;

	call.is_context = true;
	if (!taf_before(&call))
		return not_made(&call, TAF_ZE_UNINITIALIZED);
	r = THROUGH(call, zeContextDestroy)(context);
	taf_after(&call, r);
	TAF_FAULT(call, r);
	return r;
}

/* A queue or an immediate list was made. */
static int made(const struct taf_call *call, const struct taf_ze_queue_desc *desc, uint64_t at,
		int r)
{
	struct taf_ze_queue like = { .is_list = call->row == ROW_zeCommandListCreateImmediate };
	union {
		uint64_t n;
		const void *p;
	} handle = { .n = r ? 0 : at };

	like.is_synchronous = desc && desc->mode == TAF_ZE_SYNCHRONOUS;
	like.is_in_order = !like.is_list || (desc && (desc->flags & TAF_ZE_IN_ORDER));
	if (!r)
		taf_ze_queue_add(handle.p, &like);
	TAF_FAULT(*call, r);
	return r;
}

int taf_zeCommandQueueCreate(void *context, void *device, const struct taf_ze_queue_desc *desc,
			     void **queue)
{
	TAF_FIND(call, zeCommandQueueCreate, int);
	int r;

	number_of(device);
	r = THROUGH(call, zeCommandQueueCreate)(context, device, desc, queue);
	return made(&call, desc, TAF_WHERE(queue), r);
}

int taf_zeCommandListCreateImmediate(void *context, void *device,
				     const struct taf_ze_queue_desc *desc, void **list)
{
	TAF_FIND(call, zeCommandListCreateImmediate, int);
	int r;

	number_of(device);
	r = THROUGH(call, zeCommandListCreateImmediate)(context, device, desc, list);
	return made(&call, desc, TAF_WHERE(list), r);
}

/* A queue is about to be destroyed; its handle may be another one's as soon as theirs has
 * done it, so all is forgotten before. False: it must stay. */
static bool going(const void *handle, struct taf_ze_queue *was, struct taf_flight_going *flight)
{
	const struct taf_ze_queue *q = taf_ze_queue_of(handle);

	*was = (struct taf_ze_queue){ .handle = 0 };
	if (!q)
		return true;
	was->is_list = q->is_list;
	was->is_in_order = q->is_in_order;
	was->is_synchronous = q->is_synchronous;
	atomic_store(&was->submits, atomic_load(&q->submits));
	atomic_store(&was->handle, (uintptr_t)handle);
	taf_flight_going(taf_flight_key(TAF_API_LEVEL0, TAF_U64(handle), 0), true, flight);
	return taf_ze_queue_drop(handle);
}

/* Theirs did not destroy it: what is in use may be refused. */
static void stays(const void *handle, const struct taf_ze_queue *was,
		  const struct taf_flight_going *flight)
{
	struct taf_ze_queue *q;

	if (!atomic_load(&was->handle))
		return;
	taf_flight_stays(flight);
	q = taf_ze_queue_add(handle, was);
	if (q)
		atomic_fetch_add(&q->submits, atomic_load(&was->submits));
}

#define DESTROYS(name, handle) \
	int taf_##name(void *handle) \
	{ \
		TAF_FIND(call, name, int); \
		struct taf_flight_going flight; \
		struct taf_ze_queue was; \
		int r; \
		call.queue = TAF_U64(handle); \
		if (taf_ze_queue_of(handle)) \
			taf_burst_unload_queue(&call); \
		if (!going(handle, &was, &flight)) \
			return 0; \
		r = THROUGH(call, name)(handle); \
		if (r) \
			stays(handle, &was, &flight); \
		TAF_FAULT(call, r); \
		return r; \
	}
DESTROYS(zeCommandQueueDestroy, queue)
DESTROYS(zeCommandListDestroy, list)

/* Its kernels may still run. */
int taf_zeModuleDestroy(void *module)
{
	TAF_FIND(call, zeModuleDestroy, int);
	int r;

	taf_burst_unload(&call);
	r = THROUGH(call, zeModuleDestroy)(module);
	taf_burst_unloaded(&call);
	TAF_FAULT(call, r);
	return r;
}

/* What of a queue was submitted before this fence or event is done. Where commands may
 * overtake each other none was kept. */
static void reached(struct taf_call *call, const void *sign, int r)
{
	if (!r && taf_event_reached(TAF_API_LEVEL0, TAF_U64(sign)) && taf_is_counting())
		taf_burst_waited(call);
}

#define WAITS_FOR(name, sign) \
	int taf_##name(void *sign, uint64_t timeout) \
	{ \
		struct taf_call call = TAF_CALL(name); \
		int r; \
\
		if (!taf_before(&call)) \
			return not_made(&call, TAF_ZE_UNINITIALIZED); \
		r = THROUGH(call, name)(sign, timeout); \
		reached(&call, sign, r); \
		taf_after(&call, r); \
		TAF_FAULT(call, r); \
		return r; \
	}
WAITS_FOR(zeFenceHostSynchronize, fence)
WAITS_FOR(zeEventHostSynchronize, event)

/* is_over: it stands for nothing any more. */
#define ASKS(name, sign, is_over) \
	int taf_##name(void *sign) \
	{ \
		TAF_FIND(call, name, int); \
		int r; \
		if (is_over) \
			taf_event_forget(TAF_API_LEVEL0, TAF_U64(sign)); \
		TAF_PASSING(r = THROUGH(call, name)(sign)); \
		if (!(is_over)) \
			reached(&call, sign, r); \
		TAF_FAULT(call, r); \
		return r; \
	}
ASKS(zeFenceQueryStatus, fence, false)
ASKS(zeEventQueryStatus, event, false)
ASKS(zeFenceReset, fence, true)
ASKS(zeEventHostReset, event, true)
ASKS(zeFenceDestroy, fence, true)
ASKS(zeEventDestroy, event, true)

/* One device of several shows nothing of the others. */
int taf_zeDeviceSynchronize(void *device)
{
	struct taf_call call = TAF_CALL(zeDeviceSynchronize);
	struct taf_flight_mark mark;
	int r;

	if (!taf_before(&call))
		return not_made(&call, TAF_ZE_UNINITIALIZED);
	call.queue = TAF_EVERY_QUEUE;
	taf_wait_before(&call, &mark);
	r = THROUGH(call, zeDeviceSynchronize)(device);
	if (!r && number_of(device) == 0 && !atomic_load(&devices[1]))
		taf_wait_after(&call, &mark);
	taf_after(&call, r);
	TAF_FAULT(call, r);
	return r;
}

struct wait {
	const void *home;
	uint64_t until;
};

/* Until q, which is held, is idle, about to go, or the time is over. */
static int wait_for(const struct taf_ze_queue *q, uintptr_t n, const struct wait *w)
{
	zeCommandQueueSynchronize_fn *queue = THEIRS(zeCommandQueueSynchronize, w->home);
	zeCommandListHostSynchronize_fn *list = THEIRS(zeCommandListHostSynchronize, w->home);
	union {
		uintptr_t n;
		void *p;
	} handle = { .n = n };
	int r;

	if (q->is_list ? !list : !queue)
		return q->is_synchronous || !atomic_load(&q->submits) ? 0 : -ENOSYS;
	do
		r = q->is_list ? list(handle.p, SLICE_NS) : queue(handle.p, SLICE_NS);
	while (r == TAF_ZE_NOT_READY && atomic_load(&q->handle) == n &&
	       taf_sys_mono_ns() < w->until);
	if (r == TAF_ZE_NOT_READY && atomic_load(&q->handle) == n)
		return -ETIMEDOUT;
	return r && r != TAF_ZE_NOT_READY ? -EIO : 0;
}

static int sync_queues(void *handle, const void *home)
{
	struct wait w = { home,
			  taf_sys_mono_ns() + (uint64_t)taf_rules.drain_deadline_ms * 1000000 };
	bool is_all = handle == (const void *)TAF_SELF, is_known = is_all;
	int err = is_all && taf_ze_queues_missed() ? -ENOSPC : 0;
	struct taf_ze_queue *q;

	for (uint32_t i = 0; (q = taf_ze_queue_at(i)); i++) {
		int failed = 0;
		uintptr_t n;

		if (!is_all && atomic_load(&q->handle) != (uintptr_t)handle)
			continue;
		n = taf_ze_queue_hold(q, w.until, &failed);
		if (n) {
			failed = wait_for(q, n, &w);
			is_known = true;
			taf_ze_queue_let(q);
		}
		err = err ? err : failed;
	}
	return is_known || err ? err : -ENOENT;
}

static int describe(uint32_t number, const void *home, struct taf_device *out)
{
	zeDeviceGetProperties_fn *ask = THEIRS(zeDeviceGetProperties, home);
	zeDeviceGetMemoryProperties_fn *memory = THEIRS(zeDeviceGetMemoryProperties, home);
	struct taf_ze_properties properties = { .stype = TAF_ZE_DEVICE_PROPERTIES };
	struct taf_ze_memory m = { .stype = TAF_ZE_MEMORY_PROPERTIES };
	void *device = number < TAF_LIVE_DEVICES ? atomic_load(&devices[number]) : NULL;
	uint32_t n = 1; /* the first is the device's own */

	if (!device)
		return -ENODEV;
	if (!ask || ask(device, &properties))
		return -ENOSYS;
	properties.name[sizeof(properties.name) - 1] = '\0';
	taf_copy(out->name, properties.name, sizeof(out->name));
	if (memory && !memory(device, &n, &m) && n)
		out->bytes = m.bytes;
	return 0;
}

static const struct taf_ops level0_ops = { .sync = sync_queues, .device = describe };
