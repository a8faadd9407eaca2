/* SPDX-License-Identifier: MIT */
/* ze_table.h -- what ze_loader.c and ze_driver.c agree on. */
#ifndef ZE_TABLE_H
#define ZE_TABLE_H

#ifndef LEVEL0
#define LEVEL0
#endif
#include "gpu_route.h"

struct ze_table {
	gpu_take_fn *take;
	gpu_give_fn *give;
	gpu_make_fn *make;
	gpu_launch_fn *launch;
	gpu_wait_fn *wait;
};

gpu_take_fn zeMemAllocDevice;
gpu_give_fn zeMemFree;
gpu_make_fn zeCommandQueueCreate;
gpu_launch_fn zeCommandQueueExecuteCommandLists;
gpu_wait_fn zeCommandQueueSynchronize;
void zeGetTable(struct ze_table *t);

#endif
