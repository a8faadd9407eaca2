/* SPDX-License-Identifier: MIT */
/* guest_opencl_rows.c -- every row of hooks/opencl.def through its exported name: gpu_rows.h. */
#include "../../hooks/abi/opencl.h"

#define ROWS "../../hooks/opencl.def"
#define ENGINE TAF_ENGINE_OPENCL
#define FAKE "libfake_opencl.so"
#define MISSING TAF_CL_NO_PLATFORM

/* What the rows are called with; they name their parameters alike. */
static void *cells[16];
static struct taf_cl_image picture = { .width = 8, .height = 8 };
static int32_t why;
static uint64_t type, bits, flags;
static uint32_t count = 1, n = 1, dims = 1, n_waits, alignment, blocking, what;
static size_t size = 4096, width = 8, height = 8, depth = 8, pitch, row, slice, host_row,
	      host_slice;
static size_t offset, bytes, pattern_size, from_at, to_at, from_row, from_slice, to_row, to_slice,
	room;
static void *context = &cells[0], *device = &cells[1], *queue = &cells[2], *kernel = &cells[3];
static void *buffer = &cells[4], *image = &picture, *memory = &cells[5], *pointer = &cells[6];
static void *pointers = &cells[7], *event = &cells[8], *events = &cells[9], *error = &why;
static void *platform = &cells[10], *fn = &cells[11], *to = &cells[12], *from = &cells[13];
static void *properties, *devices, *notify, *data, *list, *host, *format, *waits, *args, *memories;
static void *places, *origin, *global, *local, *at, *region, *from_origin, *to_origin, *pattern;
static void *color, *row_out, *slice_out, *value, *used;
static int32_t status;
static taf_cl_notify *told;
static taf_cl_destructor *gone;
static taf_cl_svm_free *own;
static const char *name = "clIcdGetPlatformIDsKHR";

static void make_ready(void)
{
}

#include "gpu_rows.h"
