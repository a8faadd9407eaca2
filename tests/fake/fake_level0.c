/* SPDX-License-Identifier: MIT */
/* fake_level0.c -- a Level Zero made of the rows of hooks/level0.def (fake.h), on memory of
 * fake_memory.h.
 *
 * A queue whose wait is asked for after its end, or goes on then, ends the process with
 * status 97.
 *
 *   FAKE_SYNC_SLICES=N   a queue is ready at the N-th wait for it
 *   FAKE_WAIT_MS=N       a wait with a time limit takes so long
 *   FAKE_IN_USE=N        the first N destroys of queues fail
 *   FAKE_ALL_FAIL=N      every function fails with N
 *   FAKE_LAUNCH=N        submits fail with N
 */
#include "../../hooks/abi/level0.h"

#define FAKE_ROWS "../../hooks/level0.def"
#define FAKE_FAILS
#define HAND_zeMemAllocDevice FAKE_HAND
#define HAND_zeMemAllocShared FAKE_HAND
#define HAND_zeMemAllocHost FAKE_HAND
#define HAND_zePhysicalMemCreate FAKE_HAND
#define HAND_zePhysicalMemDestroy FAKE_HAND
#define HAND_zeMemFree FAKE_HAND
#define HAND_zeDeviceGetProperties FAKE_HAND
#define HAND_zeDeviceGetMemoryProperties FAKE_HAND
#define HAND_zeMemFreeExt FAKE_HAND
#define HAND_zeCommandQueueCreate FAKE_HAND
#define HAND_zeCommandQueueDestroy FAKE_HAND
#define HAND_zeCommandListCreateImmediate FAKE_HAND
#define HAND_zeCommandListDestroy FAKE_HAND
#define HAND_zeCommandQueueExecuteCommandLists FAKE_HAND
#define HAND_zeCommandListAppendLaunchKernel FAKE_HAND
#define HAND_zeCommandListAppendLaunchKernelWithArguments FAKE_HAND
#define HAND_zeCommandQueueSynchronize FAKE_HAND
#define HAND_zeCommandListHostSynchronize FAKE_HAND
#include "fake.h"

#include "fake_memory.h"

static int take(int row, void **ptr, size_t size)
{
	uint64_t at;

	fake_called(row);
	if (!ptr)
		return fake_over(row, 0x78000007);
	if (fake_is_failing() || !size)
		return fake_over(row, 0x78000009);
	at = fake_take(size);
	*ptr = (void *)(uintptr_t)at;
	return fake_over(row, at ? 0 : 0x70000003);
}

static int give(int row, const void *ptr)
{
	fake_called(row);
	if (!ptr)
		return fake_over(row, 0x78000007);
	return fake_over(row,
			 fake_is_failing() || fake_give((uint64_t)(uintptr_t)ptr) ? 0 : 0x78000004);
}

int zeMemAllocDevice(void *context, const void *desc, size_t size, size_t align, void *device,
		     void **ptr)
{
	(void)context;
	(void)desc;
	(void)align;
	(void)device;
	return take(FAKE_zeMemAllocDevice, ptr, size);
}

int zeMemAllocShared(void *context, const void *desc, const void *host, size_t size, size_t align,
		     void *device, void **ptr)
{
	(void)context;
	(void)desc;
	(void)host;
	(void)align;
	(void)device;
	return take(FAKE_zeMemAllocShared, ptr, size);
}

int zeMemAllocHost(void *context, const void *desc, size_t size, size_t align, void **ptr)
{
	(void)context;
	(void)desc;
	(void)align;
	return take(FAKE_zeMemAllocHost, ptr, size);
}

int zePhysicalMemCreate(void *context, void *device, struct taf_ze_physical *desc, void **physical)
{
	(void)context;
	(void)device;
	return take(FAKE_zePhysicalMemCreate, physical, desc ? desc->size : 0);
}

int zePhysicalMemDestroy(void *context, void *physical)
{
	(void)context;
	return give(FAKE_zePhysicalMemDestroy, physical);
}

int zeDeviceGetProperties(void *device, struct taf_ze_properties *properties)
{
	(void)device;
	fake_called(FAKE_zeDeviceGetProperties);
	if (properties->stype != TAF_ZE_DEVICE_PROPERTIES)
		return fake_over(FAKE_zeDeviceGetProperties, 0x78000004);
	snprintf(properties->name, sizeof(properties->name), "fake level0");
	return fake_over(FAKE_zeDeviceGetProperties, 0);
}

int zeDeviceGetMemoryProperties(void *device, uint32_t *count, struct taf_ze_memory *memory)
{
	(void)device;
	fake_called(FAKE_zeDeviceGetMemoryProperties);
	if (memory && *count)
		memory->bytes = 5u << 20;
	*count = 1;
	return fake_over(FAKE_zeDeviceGetMemoryProperties, 0);
}

int zeMemFree(void *context, void *ptr)
{
	(void)context;
	return give(FAKE_zeMemFree, ptr);
}

int zeMemFreeExt(void *context, const void *how, void *ptr)
{
	(void)context;
	(void)how;
	return give(FAKE_zeMemFreeExt, ptr);
}

struct queue {
	_Atomic(long) is_alive, waits, inside;
};

static int make(int row, void **out)
{
	struct queue *q;

	fake_called(row);
	if (!out)
		return fake_over(row, 0x78000007);
	if (fake_is_failing())
		return fake_over(row, 0);
	q = calloc(1, sizeof(*q));
	if (q)
		q->is_alive = 1;
	*out = q;
	return fake_over(row, 0);
}

static _Atomic(long) destroys;

/* Never freed: who comes too late is found out. */
static int end(int row, struct queue *q)
{
	fake_called(row);
	if (!q || fake_is_failing())
		return fake_over(row, 0x78000005);
	if (destroys++ < fake_setting("FAKE_IN_USE"))
		return fake_over(row, 0x78000006);
	q->is_alive = 0;
	if (q->inside)
		fake_fail(97, fake_names[row], " was called while a wait goes on");
	return fake_over(row, 0);
}

int zeCommandQueueCreate(void *context, void *device, const struct taf_ze_queue_desc *desc,
			 void **queue)
{
	(void)context;
	(void)device;
	(void)desc;
	return make(FAKE_zeCommandQueueCreate, queue);
}

int zeCommandListCreateImmediate(void *context, void *device, const struct taf_ze_queue_desc *desc,
				 void **list)
{
	(void)context;
	(void)device;
	(void)desc;
	return make(FAKE_zeCommandListCreateImmediate, list);
}

int zeCommandQueueDestroy(void *queue)
{
	return end(FAKE_zeCommandQueueDestroy, queue);
}

int zeCommandListDestroy(void *list)
{
	return end(FAKE_zeCommandListDestroy, list);
}

int zeCommandQueueExecuteCommandLists(void *queue, uint32_t count, void **lists, void *fence)
{
	int row = FAKE_zeCommandQueueExecuteCommandLists;

	(void)count;
	(void)lists;
	(void)fence;
	fake_called(row);
	return fake_over(row, queue ? (int)fake_setting("FAKE_LAUNCH") : 0x78000005);
}

int zeCommandListAppendLaunchKernel(void *list, void *kernel, const struct taf_ze_count *groups,
				    void *event, uint32_t waits, void **events)
{
	int row = FAKE_zeCommandListAppendLaunchKernel;

	(void)kernel;
	(void)groups;
	(void)event;
	(void)waits;
	(void)events;
	fake_called(row);
	return fake_over(row, list ? (int)fake_setting("FAKE_LAUNCH") : 0x78000005);
}

int zeCommandListAppendLaunchKernelWithArguments(void *list, void *kernel,
						 struct taf_ze_count groups,
						 struct taf_ze_count sizes, void **values,
						 const void *next, void *event, uint32_t waits,
						 void **events)
{
	int row = FAKE_zeCommandListAppendLaunchKernelWithArguments;
	int is_whole = groups.x == 1 && groups.y == 2 && groups.z == 3 && sizes.x == 4 &&
		       sizes.y == 5 && sizes.z == 6;

	(void)kernel;
	(void)values;
	(void)next;
	(void)event;
	(void)waits;
	(void)events;
	fake_called(row);
	fake_check(row, is_whole);
	return fake_over(row, list ? 0 : 0x78000005);
}

static int wait_at(int row, struct queue *q, uint64_t timeout)
{
	fake_called(row);
	if (!q)
		return fake_over(row, 0x78000005);
	if (fake_is_failing())
		return fake_over(row, 0x70000001);
	q->inside++;
	if (!q->is_alive)
		fake_fail(97, fake_names[row], " was called for a queue that is gone");
	if (timeout != UINT64_MAX)
		fake_sleep(fake_setting("FAKE_WAIT_MS"));
	q->inside--;
	if (timeout != UINT64_MAX && ++q->waits < fake_setting("FAKE_SYNC_SLICES")) {
		fake_sleep(1);
		return fake_over(row, 1);
	}
	q->waits = 0;
	return fake_over(row, 0);
}

int zeCommandQueueSynchronize(void *queue, uint64_t timeout)
{
	return wait_at(FAKE_zeCommandQueueSynchronize, queue, timeout);
}

int zeCommandListHostSynchronize(void *list, uint64_t timeout)
{
	return wait_at(FAKE_zeCommandListHostSynchronize, list, timeout);
}
