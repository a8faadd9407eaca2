/* SPDX-License-Identifier: MIT */
/* guest_hip_rows.c -- every row of hooks/hip.def through its exported name: gpu_rows.h. */
#include "../../hooks/abi/hip.h"

#define ROWS "../../hooks/hip.def"
#define ENGINE TAF_ENGINE_HIP
#define FAKE "libfake_hip.so"
#define MISSING TAF_HIP_NOT_INITIALIZED

/* What the rows are called with; they name their parameters alike. */
static void *cells[16];
static int device, mode = 2, count = 1, kind = 2, other, value, priority;
static unsigned char octet;
static unsigned short half;
static uint32_t word, n;
static uint64_t wide;
static struct taf_hip_location location = { TAF_HIP_ON_DEVICE, 0 };
static struct taf_hip_array3d_desc descs[1];
static void *desc = descs, *at, *fn, *data, *semaphores;
static uint32_t words, mask[1];
static size_t lines, step, x, y, offset;
static void *to, *from, *symbol, *array, *made;
static struct taf_hip_channels channels[1] = { { { 8, 0, 0, 0 }, 0 } };
static unsigned flags, element = 4, gx = 1, gy = 1, gz = 1, bx = 1, by = 1, bz = 1;
static size_t size = 4096, width = 100, height = 3, keep, shared = 7;
static void *ptr = &cells[0], *handle = &cells[1], *pool = &cells[2], *ctx = &cells[3];
static void *exec = &cells[4], *graph = &cells[5], *node = &cells[6], *text = &cells[7];
static void *pitch = &cells[8], *props = &cells[9], *func = &cells[10], *values = &cells[11];
static void *stream = &cells[12], *function = &cells[13], *event = &cells[14], *host = &cells[15];
static void *module = &cells[15], *extra, *start, *stop, *needs, *edges, *how, *status;
static void *found, *pfn = &found;
static int version = 600;
static struct taf_hip_pitched pitched[1];
static struct taf_hip_pitched layers;
static struct taf_hip_extent extent = { 100, 3, 2 };
static struct taf_hip_prop prop[1] = { { .type = 1, .now = { 1, 0 } } };
static struct taf_hip_dim3 grid = { 1, 2, 3 }, block = { 4, 5, 6 };
static struct taf_hip_launch list[1];
static struct taf_hip_config config[1];

static void make_ready(void)
{
}

#include "gpu_rows.h"
