/* SPDX-License-Identifier: MIT */
/* ze_driver.c -- a driver of Level Zero in small, which exports what it puts into the
 * loader's table: the references are bound to a guard that exports the same names. */
#include "ze_table.h"

static char memory[16], queues[16];

int zeMemAllocDevice(void *context, const void *desc, size_t size, size_t align, void *device,
		     void **ptr)
{
	(void)context;
	(void)desc;
	(void)size;
	(void)align;
	(void)device;
	*ptr = memory;
	return 0;
}

int zeMemFree(void *context, void *ptr)
{
	(void)context;
	return ptr == memory ? 0 : 0x78000004;
}

int zeCommandQueueCreate(void *context, void *device, const struct gpu_queue_desc *desc,
			 void **queue)
{
	(void)context;
	(void)device;
	(void)desc;
	*queue = queues;
	return 0;
}

int zeCommandQueueExecuteCommandLists(void *queue, uint32_t count, void **lists, void *fence)
{
	(void)count;
	(void)lists;
	(void)fence;
	return queue == queues ? 0 : 0x78000005;
}

int zeCommandQueueSynchronize(void *queue, uint64_t timeout)
{
	(void)timeout;
	return queue == queues ? 0 : 0x78000005;
}

void zeGetTable(struct ze_table *t)
{
	*t = (struct ze_table){ zeMemAllocDevice, zeMemFree, zeCommandQueueCreate,
				zeCommandQueueExecuteCommandLists, zeCommandQueueSynchronize };
}
