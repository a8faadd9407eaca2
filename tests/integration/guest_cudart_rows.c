/* SPDX-License-Identifier: MIT */
/* guest_cudart_rows.c -- every row of hooks/cudart.def through its exported name: gpu_rows.h. */
#include "../../hooks/abi/cuda.h"

#define ROWS "../../hooks/cudart.def"
#define ENGINE TAF_ENGINE_CUDART
#define FAKE "libfake_cudart.so"
#define MISSING TAF_CU_NOT_INITIALIZED

/* What the rows are called with; they name their parameters alike. */
static void *cells[16];
static int device = 1, mode = 2, n = 1;
static unsigned flags, levels = 2;
static size_t size = 4096, width = 100, height = 3, keep, shared = 7;
static void *to = &cells[14], *from = &cells[15], *copy, *symbol;
static int way = 1, value, to_device, from_device;
static size_t step, to_step, from_step, x, y, offset;
static struct taf_cu_pitched area;
static struct taf_cu_launch_rt launches[1];
static uint64_t a, b, c, d;
static struct taf_cu_target location = { TAF_CU_AT_DEVICE, 1 };
static void *list, *sizes, *which, *locations, *at;
static size_t n_locations;
static struct taf_cu_pitched pitched[1];
static void *params, *p = pitched, *pitch = &cells[3], *stream = &cells[4], *pool = &cells[5];
static void *array = &cells[7], *f = &cells[8], *fn = &cells[9], *data = &cells[10];
static void *exec = &cells[11], *graph = &cells[12], *deps, *callback, *event = &cells[13];
static struct taf_cu_channels desc[1] = { { 8, 8, 8, 8, 1 } };
static struct taf_cu_extent extent = { 100, 3, 2 };
static struct taf_cu_dim grid = { 1, 2, 3 }, block = { 4, 5, 6 };
static struct taf_cu_config config[1];

static void make_ready(void)
{
}

#include "gpu_rows.h"
