/* SPDX-License-Identifier: MIT */
/* ze_table.h -- what ze_loader.c and ze_driver.c agree on. */
#ifndef ZE_TABLE_H
#define ZE_TABLE_H

#ifndef LEVEL0
#define LEVEL0
#endif
#include "gpu_route.h"

struct ze_table {
	zeMemAllocDevice_fn *take;
	zeMemFree_fn *give;
	zeCommandQueueCreate_fn *make;
	zeCommandQueueExecuteCommandLists_fn *launch;
	zeCommandQueueSynchronize_fn *wait;
};

GPU_EACH(GPU_DECLARE, ;)
void zeGetTable(struct ze_table *t);

#endif
