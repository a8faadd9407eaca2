/* SPDX-License-Identifier: MIT */
/* guest_level0_rows.c -- every row of hooks/level0.def through its exported name: gpu_rows.h.
 *
 * The list that kernels are appended to is an immediate one, so that each is a submit. */
#include "../../hooks/abi/level0.h"

#define ROWS "../../hooks/level0.def"
#define ENGINE TAF_ENGINE_LEVEL0
#define FAKE "libfake_level0.so"
#define MISSING TAF_ZE_UNINITIALIZED

/* What the rows are called with; they name their parameters alike. */
static void *cells[16];
static uint32_t count = 1, waits;
static uint64_t timeout = UINT64_MAX;
static size_t size = 4096, align;
static struct taf_ze_physical physical_desc = { .size = 4096 };
static void *desc = &physical_desc; /* as a queue's, it is a plain one */
static void *ptr = &cells[0], *physical = &cells[1], *context = &cells[2], *device = &cells[3];
static void *kernel = &cells[4], *fence = &cells[5], *event = &cells[6], *lists = &cells[7];
static void *kernels = &cells[8], *values = &cells[9], *queue = cells, *list = cells;
static void *to, *from, *pattern, *to_region, *from_region, *offsets, *semaphores;
static size_t length;
static uint32_t to_pitch, to_slice, from_pitch, from_slice;
static void *module = &cells[10], *host, *how, *events, *used, *next;
static struct taf_ze_count groups[1] = { { 1, 2, 3 } }, grid = { 1, 2, 3 }, sizes = { 4, 5, 6 };

static void make_ready(void);

#include "gpu_rows.h"

static void make_ready(void)
{
	static const struct taf_ze_queue_desc plain;
	const char *odd = getenv("FAKE_ODD");

	unsetenv("FAKE_ODD"); /* these two are not to fail */
	zeCommandQueueCreate(context, device, &plain, &queue);
	zeCommandListCreateImmediate(context, device, &plain, &list);
	if (odd)
		setenv("FAKE_ODD", odd, 1);
}
