/* SPDX-License-Identifier: MIT */
/* vulkan.h -- the parts of Vulkan's interface that the wrappers read, declared anew.
 *
 * Handles that are pointers everywhere are void *, all others are 64-bit numbers;
 * enums are int32_t.  Only what is read has its members, up to the last one that is;
 * a struct of theirs may be longer.  tests/engines/headers.sh compares each of these
 * with the vendor's headers where they are installed.  Numbers are those of
 * vulkan_core.h and vk_layer.h, 1.3.239. */
#ifndef TAF_ABI_VULKAN_H
#define TAF_ABI_VULKAN_H

#include <stdint.h>

#define TAF_VK_SUCCESS 0
#define TAF_VK_TIMEOUT 2
#define TAF_VK_OUT_OF_HOST_MEMORY (-1)
#define TAF_VK_OUT_OF_DEVICE_MEMORY (-2)
#define TAF_VK_INITIALIZATION_FAILED (-3)
#define TAF_VK_DEVICE_LOST (-4)

/* sType */
#define TAF_VK_FENCE_INFO 8
#define TAF_VK_LOADER_INSTANCE_INFO 47
#define TAF_VK_LOADER_DEVICE_INFO 48
#define TAF_VK_MEMORY_PROPERTIES_2 1000059006
#define TAF_VK_IMPORT_HOST_POINTER 1000178000
#define TAF_VK_TIMELINE_SUBMIT 1000207003
#define TAF_VK_MEMORY_BUDGET 1000237000

/* What each chained struct begins with. */
struct taf_vk_link {
	int32_t type;
	const struct taf_vk_link *next;
};

struct taf_vk_fence_info {
	int32_t type;
	const struct taf_vk_link *next;
	uint32_t flags;
};

struct taf_vk_allocate {
	int32_t type;
	const struct taf_vk_link *next;
	uint64_t bytes;
	uint32_t memory_type;
};

/* VkPhysicalDeviceProperties, which has 824 bytes. */
struct taf_vk_properties {
	uint32_t api, driver, vendor, id;
	int32_t type;
	char name[256];
	uint64_t rest[96];
};

#define TAF_VK_TYPES 32
#define TAF_VK_HEAPS 16
#define TAF_VK_DEVICE_LOCAL 1u

struct taf_vk_memory_type {
	uint32_t flags, heap;
};

struct taf_vk_heap {
	uint64_t bytes;
	uint32_t flags;
};

struct taf_vk_memory {
	uint32_t n_types;
	struct taf_vk_memory_type types[TAF_VK_TYPES];
	uint32_t n_heaps;
	struct taf_vk_heap heaps[TAF_VK_HEAPS];
};

struct taf_vk_memory2 {
	int32_t type;
	void *next;
	struct taf_vk_memory memory;
};

struct taf_vk_budget {
	int32_t type;
	void *next;
	uint64_t budget[TAF_VK_HEAPS], usage[TAF_VK_HEAPS];
};

struct taf_vk_submit {
	int32_t type;
	const struct taf_vk_link *next;
	uint32_t n_waits;
	const uint64_t *waits;
	const uint32_t *stages;
	uint32_t n_buffers;
	void *const *buffers;
	uint32_t n_signals;
	const uint64_t *signals;
};

/* In the chain of a submit: values of its semaphores that count upwards. */
struct taf_vk_timeline {
	int32_t type;
	const struct taf_vk_link *next;
	uint32_t n_waits;
	const uint64_t *waits;
	uint32_t n_signals;
	const uint64_t *signals;
};

struct taf_vk_signal {
	int32_t type;
	const struct taf_vk_link *next;
	uint64_t semaphore, value, stages;
	uint32_t device;
};

struct taf_vk_submit2 {
	int32_t type;
	const struct taf_vk_link *next;
	uint32_t flags, n_waits;
	const struct taf_vk_signal *waits;
	uint32_t n_buffers;
	const void *buffers;
	uint32_t n_signals;
	const struct taf_vk_signal *signals;
};

#define TAF_VK_WAIT_ANY 1u

struct taf_vk_wait {
	int32_t type;
	const struct taf_vk_link *next;
	uint32_t flags, n;
	const uint64_t *semaphores, *values;
};

/* ---- between the loader and a layer (vk_layer.h) ---- */

/* They answer with a function, or NULL. */
typedef void *taf_vk_instance_proc(void *instance, const char *name);
typedef void *taf_vk_device_proc(void *device, const char *name);

#define TAF_VK_NEGOTIATE 1
#define TAF_VK_LAYER_VERSION 2u
#define TAF_VK_LINK_INFO 0

struct taf_vk_negotiate {
	int32_t type;
	void *next;
	uint32_t version;
	taf_vk_instance_proc *instance_proc;
	taf_vk_device_proc *device_proc;
	taf_vk_instance_proc *physical_proc;
};

struct taf_vk_instance_link {
	struct taf_vk_instance_link *next;
	taf_vk_instance_proc *instance_proc, *physical_proc;
};

struct taf_vk_device_link {
	struct taf_vk_device_link *next;
	taf_vk_instance_proc *instance_proc;
	taf_vk_device_proc *device_proc;
};

/* In the chain of what an instance or a device is made with. */
struct taf_vk_instance_info {
	int32_t type;
	const struct taf_vk_link *next;
	int32_t function;
	struct taf_vk_instance_link *link;
};

struct taf_vk_device_info {
	int32_t type;
	const struct taf_vk_link *next;
	int32_t function;
	struct taf_vk_device_link *link;
};

#endif
