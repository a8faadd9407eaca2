/* SPDX-License-Identifier: MIT */
/* hip.h -- what of HIP's types the rows of hip.def need: our own declarations, so that
 * no vendor's header is wanted.  tests/engines/gpu/abi.sh holds them against
 * the real ones where those can be had.
 *
 * Handles are pointers, enums are int, hipError_t is int.
 */
#ifndef TAF_ABI_HIP_H
#define TAF_ABI_HIP_H

#include <stddef.h>
#include <stdint.h>

enum {
	TAF_HIP_OK = 0,
	TAF_HIP_OUT_OF_MEMORY = 2,
	TAF_HIP_NOT_INITIALIZED = 3,
	TAF_HIP_NOT_READY = 600,
	TAF_HIP_NOT_SUPPORTED = 801,
	TAF_HIP_UNMATCHED = 903, /* the capture that was to end is another stream's */
	TAF_HIP_WRONG_THREAD = 908 /* or another thread's: it goes on */
};

/* By value: two registers on x86-64. */
struct taf_hip_dim3 {
	uint32_t x, y, z;
};

/* By value: in memory. */
struct taf_hip_extent {
	size_t width, height, depth;
};

struct taf_hip_pitched {
	void *ptr;
	size_t pitch, xsize, ysize;
};

/* hipMemcpyKind */
#define TAF_HIP_TO_HOST 2
/* hipStreamNonBlocking, hipEventDisableTiming */
#define TAF_HIP_NON_BLOCKING 1u
#define TAF_HIP_NO_TIMING 2u

/* hipChannelFormatDesc */
struct taf_hip_channels {
	uint32_t bits[4];
	int format;
};

/* HIP_ARRAY_DESCRIPTOR, HIP_ARRAY3D_DESCRIPTOR */
struct taf_hip_array_desc {
	size_t width, height;
	unsigned format, channels;
};

struct taf_hip_array3d_desc {
	size_t width, height, depth;
	unsigned format, channels, flags;
};

struct taf_hip_location {
	int type; /* TAF_HIP_ON_DEVICE: id is its number; else of the host */
	int id;
};
#define TAF_HIP_ON_DEVICE 1

/* hipMemAllocationProp.  Up to ROCm 5.2 it began with a byte for compression, which
 * nobody sets, and the location; since then with the type, which is never 0. */
struct taf_hip_prop {
	int type;
	union {
		struct taf_hip_location old;
		struct {
			int handle_type;
			struct taf_hip_location now;
		};
	};
};

/* hipLaunchParams, of launches on several devices. */
struct taf_hip_launch {
	void *func;
	struct taf_hip_dim3 grid, block;
	void **args;
	size_t shared;
	void *stream;
};

/* hipLaunchConfig_t and HIP_LAUNCH_CONFIG, which are alike up to here. */
struct taf_hip_config {
	uint32_t grid[3], block[3];
	size_t shared;
	void *stream;
};

#endif
