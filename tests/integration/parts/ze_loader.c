/* SPDX-License-Identifier: MIT */
/* ze_loader.c -- a loader of Level Zero in small: its exported functions call what a
 * driver has put into a table (libdriver.so, opened as the real loader opens drivers). */
#include "ze_table.h"

static struct ze_table table;

static struct ze_table *drivers(void)
{
	if (!table.take) {
		void *h = dlopen("libdriver.so", RTLD_LAZY | RTLD_LOCAL);
		void (*fill)(struct ze_table *);

		GPU_SET(fill, h ? dlsym(h, "zeGetTable") : NULL);
		if (!fill)
			abort();
		fill(&table);
	}
	return &table;
}

int zeMemAllocDevice(void *context, const void *desc, size_t size, size_t align, void *device,
		     void **ptr)
{
	return drivers()->take(context, desc, size, align, device, ptr);
}

int zeMemFree(void *context, void *ptr)
{
	return drivers()->give(context, ptr);
}

int zeCommandQueueCreate(void *context, void *device, const struct gpu_queue_desc *desc,
			 void **queue)
{
	return drivers()->make(context, device, desc, queue);
}

int zeCommandQueueExecuteCommandLists(void *queue, uint32_t count, void **lists, void *fence)
{
	return drivers()->launch(queue, count, lists, fence);
}

int zeCommandQueueSynchronize(void *queue, uint64_t timeout)
{
	return drivers()->wait(queue, timeout);
}
