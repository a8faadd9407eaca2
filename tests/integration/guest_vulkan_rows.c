/* SPDX-License-Identifier: MIT */
/* guest_vulkan_rows.c -- every row of hooks/vulkan.def through its exported name: gpu_rows.h. */
#include "../../hooks/abi/vulkan.h"

#define ROWS "../../hooks/vulkan.def"
#define ENGINE TAF_ENGINE_VULKAN
#define FAKE "libfake_vulkan.so"
#define MISSING TAF_VK_INITIALIZATION_FAILED

/* What the rows are called with; they name their parameters alike. */
static void *cells[16] = { cells, cells, cells, cells, cells, cells, cells, cells };
static uint32_t n = 1, family, number, flags, all = 1, none;
static uint64_t memory = 11, fence = 12, pool = 13, ns = UINT64_MAX, fence_list[1] = { 12 };
static struct taf_vk_allocate allocate = { .bytes = 4096 };
static struct taf_vk_submit2 no_submits[2]; /* of both forms */
static void *info = &allocate, *submits = no_submits, *fences = fence_list, *out = &cells[0];
static void *instance = &cells[1], *device = &cells[2], *queue = &cells[3], *physical = &cells[4];
static void *count = &none, *allocator, *devices, *binds;
static const char *name = "vkCmdDraw";

static void make_ready(void)
{
}

#include "gpu_rows.h"
