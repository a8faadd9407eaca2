/* SPDX-License-Identifier: MIT */
/* level0.h -- what of Level Zero's types the rows of level0.def need: our own
 * declarations.  tests/engines/gpu/abi.sh holds them against the real ones
 * where those can be had.
 *
 * Handles are pointers, enums and ze_result_t are int.
 */
#ifndef TAF_ABI_LEVEL0_H
#define TAF_ABI_LEVEL0_H

#include <stddef.h>
#include <stdint.h>

enum {
	TAF_ZE_OK = 0,
	TAF_ZE_NOT_READY = 1,
	TAF_ZE_DEVICE_LOST = 0x70000001,
	TAF_ZE_OUT_OF_HOST_MEMORY = 0x70000002,
	TAF_ZE_OUT_OF_DEVICE_MEMORY = 0x70000003,
	TAF_ZE_NOT_PERMITTED = 0x70010000,
	TAF_ZE_UNINITIALIZED = 0x78000001
};

/* By value: two registers on x86-64. */
struct taf_ze_count {
	uint32_t x, y, z;
};

/* ze_physical_mem_desc_t */
struct taf_ze_physical {
	int stype;
	const void *next;
	uint32_t flags;
	size_t size;
};
#define TAF_ZE_ON_HOST 2u /* a flag of newer loaders: memory of the host */

/* ze_device_properties_t */
#define TAF_ZE_DEVICE_PROPERTIES 3
struct taf_ze_properties {
	int stype;
	void *next;
	int type;
	uint32_t vendor, id, flags, subdevice, clock;
	uint64_t largest;
	uint32_t contexts, priority, threads, width, subslice, slice, slices;
	uint64_t resolution;
	uint32_t timestamp_bits, kernel_timestamp_bits;
	uint8_t uuid[16];
	char name[256];
};

/* ze_device_memory_properties_t */
#define TAF_ZE_MEMORY_PROPERTIES 7
struct taf_ze_memory {
	int stype;
	void *next;
	uint32_t flags, clock, width;
	uint64_t bytes;
	char name[256];
};

/* ze_command_queue_desc_t */
struct taf_ze_queue_desc {
	int stype;
	const void *next;
	uint32_t ordinal, index, flags;
	int mode, priority;
};
#define TAF_ZE_IN_ORDER 2u /* a flag of newer loaders: one command after the other */
#define TAF_ZE_SYNCHRONOUS 1 /* a mode: each command is done when its append returns */

#endif
