/* SPDX-License-Identifier: MIT */
#include "vulkan_wait.h"

#include <errno.h>

#include "hook.h"
#include "../shim/flight.h"
#include "vulkan_device.h"

#define TAF_ROWS "vulkan.def"
#define TAF_TABLE taf_table_vulkan
#include "rows.h"

#define SLICE_NS 1000000

/* Their function for the device that a queue belongs to. */
#define OF_QUEUE(q, name) \
	((name##_fn *)taf_vk_fn_of((q)->parent, ROW_##name, (taf_fn)THEIRS(name, (q)->home)))

static void destroy(const struct taf_queue *q, uint64_t fence)
{
	vkDestroyFence_fn *theirs = OF_QUEUE(q, vkDestroyFence);

	if (theirs && fence)
		theirs(taf_pointer_of(q->parent), fence, NULL);
}

static int await(const struct taf_queue *q, uint64_t fence, uint64_t until)
{
	vkWaitForFences_fn *theirs = OF_QUEUE(q, vkWaitForFences);
	uint64_t slice = taf_sys_mono_ns() < until ? SLICE_NS : 0;
	int32_t r;

	if (!theirs)
		return -ENOSYS;
	do
		r = theirs(taf_pointer_of(q->parent), 1, &fence, 1, slice);
	while (r == TAF_VK_TIMEOUT && taf_sys_mono_ns() < until && !atomic_load(&q->is_going));
	if (r == TAF_VK_TIMEOUT)
		return -ETIMEDOUT;
	return r == TAF_VK_SUCCESS ? 0 : -EIO;
}

/* What is not known to be signaled must not be destroyed.  Where the queue keeps another
 * one already, or the device is lost, it is left behind: the driver gives a fence back
 * with its device at the latest, and a process has few. */
static int keep_or_destroy(struct taf_queue *q, uint64_t fence, int err)
{
	uint64_t none = 0;

	if (!err)
		destroy(q, fence);
	else
		atomic_compare_exchange_strong(&q->late, &none, fence);
	return err;
}

/* Whether what was waited for in vain is still not reached. */
static bool is_late(struct taf_queue *q)
{
	uint64_t late = atomic_exchange(&q->late, 0);

	return late && keep_or_destroy(q, late, await(q, late, 0)) == -ETIMEDOUT;
}

/* 0 and a fence, or -errno. Under the claim. */
static int mark(const struct taf_queue *q, uint64_t *fence)
{
	static const struct taf_vk_fence_info info = { .type = TAF_VK_FENCE_INFO };
	vkCreateFence_fn *make = OF_QUEUE(q, vkCreateFence);
	vkQueueSubmit_fn *submit = OF_QUEUE(q, vkQueueSubmit);

	if (!make || !submit || !OF_QUEUE(q, vkWaitForFences))
		return -ENOSYS;
	if (make(taf_pointer_of(q->parent), &info, NULL, fence))
		return -EIO;
	if (!submit(taf_pointer_of(atomic_load(&q->handle)), 0, NULL, *fence))
		return 0;
	destroy(q, *fence);
	return -EIO;
}

int taf_vk_wait(struct taf_queue *q, uint64_t until)
{
	struct taf_flight_mark seen;
	uint64_t fence = 0;
	int err;

	taf_flight_seen(&seen, taf_flight_key(TAF_API_VULKAN, atomic_load(&q->handle), 0));
	/* At the exit once more: then a whole deadline may help. */
	if (is_late(q) && taf_state_now() != TAF_LEAVING)
		return -ETIMEDOUT;
	err = mark(q, &fence);
	if (err)
		return err;
	if (taf_queue_stay(q)) {
		err = keep_or_destroy(q, fence, await(q, fence, until));
		taf_queue_go(q);
	} else {
		/* The device goes, and with it the fence. */
		err = -ETIMEDOUT;
	}
	if (!err)
		taf_flight_done(&seen);
	return err;
}

int taf_vk_wait_busy(struct taf_queue *q, uint64_t until)
{
	uint64_t key = taf_flight_key(TAF_API_VULKAN, atomic_load(&q->handle), 0);

	if (taf_state_now() != TAF_LEAVING && taf_flight_is_idle(key))
		return 0;
	return taf_vk_wait(q, until);
}

/* A program that destroys a device has waited for it, so what was kept is signaled: else
 * the fence is left to the driver, since one in use must not be destroyed. */
void taf_vk_forget_late(uint64_t device)
{
	for (int i = 0; i < TAF_QUEUES; i++) {
		struct taf_queue *q = &taf_vk_queues.of[i];
		uint64_t late;

		if (!atomic_load(&q->handle) || q->parent != device)
			continue;
		taf_queue_going(q);
		late = atomic_exchange(&q->late, 0);
		if (late && !await(q, late, 0))
			destroy(q, late);
	}
}
