/* SPDX-License-Identifier: MIT */
/* cuda.h -- what the rows of CUDA's driver and runtime need of its types.
 *
 * Our own declarations, so that no SDK is needed to build: handles are void *,
 * device addresses uint64_t, results int.  A struct stands here where it goes by
 * value or where a field of it is read; what lies behind the last field is left
 * out.  tests/engines/cuda/abi.sh compares all of it with NVIDIA's headers of
 * 11.8, 12 and 13 where they can be had. */
#ifndef TAF_ABI_CUDA_H
#define TAF_ABI_CUDA_H

#include <stddef.h>
#include <stdint.h>

/* Results that mean something to us; driver and runtime share their numbers. */
enum {
	TAF_CU_SUCCESS = 0,
	TAF_CU_OUT_OF_MEMORY = 2,
	TAF_CU_NOT_INITIALIZED = 3,
	TAF_CU_NOT_READY = 600, /* an answer to a query, no failure */
	TAF_CU_NOT_PERMITTED = 800,
};

/* dim3: 12 bytes, by value. */
struct taf_cu_dim {
	unsigned x, y, z;
};

/* cudaExtent: 24 bytes, by value. */
struct taf_cu_extent {
	size_t width, height, depth;
};

/* cudaPitchedPtr */
struct taf_cu_pitched {
	void *ptr;
	size_t pitch, xsize, ysize;
};

/* CUlaunchConfig: seven dimensions of 32 bits; cudaLaunchConfig_t: two dim3 and a
 * size_t. The stream lies at the same place in both. */
struct taf_cu_config {
	unsigned words[8];
	void *stream;
};

/* CUDA_LAUNCH_PARAMS, and cudaLaunchParams of the runtime */
struct taf_cu_launch {
	void *f;
	unsigned words[7];
	void *stream;
	void **params;
};

struct taf_cu_launch_rt {
	void *f;
	struct taf_cu_dim grid, block;
	void **params;
	size_t shared;
	void *stream;
};

/* CUmemAllocationProp, up to what is read */
struct taf_cu_prop {
	int type, handle_types;
	int location_type; /* enum taf_cu_location */
	int location_id; /* an ordinal only where the type is DEVICE */
};

enum taf_cu_location { TAF_CU_AT_DEVICE = 1 }; /* all others are places of the host */

/* CUmemLocation, cudaMemLocation: 8 bytes, by value. */
struct taf_cu_target {
	int type, id;
};

static inline int taf_cu_is_on_device(const struct taf_cu_prop *p)
{
	return p && p->location_type == TAF_CU_AT_DEVICE;
}

/* CUDA_ARRAY_DESCRIPTOR, and how the first 32-bit interface had it */
struct taf_cu_array {
	size_t width, height;
	unsigned format, channels;
};

struct taf_cu_array_v1 {
	unsigned width, height;
	unsigned format, channels;
};

/* CUDA_ARRAY3D_DESCRIPTOR */
struct taf_cu_array3d {
	size_t width, height, depth;
	unsigned format, channels, flags;
};

struct taf_cu_array3d_v1 {
	unsigned width, height, depth;
	unsigned format, channels, flags;
};

/* cudaChannelFormatDesc */
struct taf_cu_channels {
	int x, y, z, w; /* bits */
	int kind;
};

/* The queue that a stream handle means: 0 the legacy default stream, which also has
 * the handle 1; 2 the thread's own. Entry points in _ptsz read 0 as the latter. */
static inline uint64_t taf_cu_queue(const void *stream)
{
	return (uintptr_t)stream == 1 ? 0 : (uintptr_t)stream;
}

static inline uint64_t taf_cu_queue_ptsz(const void *stream)
{
	return stream ? taf_cu_queue(stream) : 2;
}

/* An address of the first, 32-bit interface. */
static inline uint64_t taf_cu_where(const unsigned *p)
{
	return p ? *p : 0;
}

static inline const void *taf_cu_stream_of_first(const struct taf_cu_launch *l)
{
	return l ? l->stream : NULL;
}

static inline const void *taf_cu_stream_of_first_rt(const struct taf_cu_launch_rt *l)
{
	return l ? l->stream : NULL;
}

static inline const void *taf_cu_stream_of(const struct taf_cu_config *c)
{
	return c ? c->stream : NULL;
}

#endif
