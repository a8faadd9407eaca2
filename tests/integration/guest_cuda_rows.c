/* SPDX-License-Identifier: MIT */
/* guest_cuda_rows.c -- every row of hooks/cuda.def through its exported name: gpu_rows.h. */
#include "../../hooks/abi/cuda.h"

#define ROWS "../../hooks/cuda.def"
#define ENGINE TAF_ENGINE_CUDA
#define FAKE "libfake_cuda.so"
#define MISSING TAF_CU_NOT_INITIALIZED

/* Some parameters are an address in one row and a number in the next. */
#pragma GCC diagnostic ignored "-Wint-conversion"

/* What the rows are called with; they name their parameters alike. */
static void *cells[16];
static const char *symbol = "cuInit";
static int version = 12000, device = 1, mode = 2, n = 1;
static unsigned flags, element = 4, levels = 2;
static unsigned gx = 1, gy = 2, gz = 3, bx = 4, by = 5, bz = 6, shared = 7;
static size_t size = 4096, width = 100, height = 3, keep;
static void *to = &cells[14], *from = &cells[15], *to_ctx, *from_ctx, *copy, *sizes, *attributes;
static void *which, *failed, *list;
static unsigned value;
static size_t step, n_attributes;
static struct taf_cu_launch launches[1];
static uint64_t a, b, c, d, at = 0x10000;
static size_t offset;
static int priority, columns = 1, lines = 2;
static uint64_t wide;
static struct taf_cu_target location = { TAF_CU_AT_DEVICE, 1 };
static void *locations;
static size_t n_locations;
static void *out = &cells[0], *found, *ctx = &cells[1], *affinity, *params, *p = &cells[2];
static void *pitch = &cells[3], *stream = &cells[4], *pool = &cells[5], *handle = &cells[6];
static void *array = &cells[7], *f = &cells[8], *extra, *fn = &cells[9], *data = &cells[10];
static void *exec = &cells[11], *graph = &cells[12], *deps, *callback, *event = &cells[13];
static void *module = &cells[14], *library = &cells[15];
static struct taf_cu_prop prop[1] = { { .type = 1, .location_type = TAF_CU_AT_DEVICE } };
static struct taf_cu_array3d descs[1];
static void *desc = descs;
static struct taf_cu_config config[1];

static void make_ready(void)
{
}

#include "gpu_rows.h"
