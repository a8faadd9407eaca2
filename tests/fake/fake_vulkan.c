/* SPDX-License-Identifier: MIT */
/* fake_vulkan.c -- a Vulkan loader made of the rows of hooks/vulkan.def (fake.h), on memory
 * of fake_memory.h: two devices, whose memory of type 0 is their own and of type 1 the
 * host's.
 *
 *   memory that was never taken, or twice given, is complained of on stderr
 *   FAKE_ALL_FAIL=N      every function fails with N
 *   FAKE_LAUNCH=N        submits fail with N
 *   FAKE_SYNC_SLICES=N   a fence is signaled at the N-th wait for it that has an end
 */
#include "../../hooks/abi/vulkan.h"

#define FAKE_ROWS "../../hooks/vulkan.def"
#define FAKE_BY_NAME
#define FAKE_FAILS
#define HAND_vkCreateInstance FAKE_HAND
#define HAND_vkEnumeratePhysicalDevices FAKE_HAND
#define HAND_vkCreateDevice FAKE_HAND
#define HAND_vkGetDeviceQueue FAKE_HAND
#define HAND_vkGetPhysicalDeviceMemoryProperties FAKE_HAND
#define HAND_vkGetPhysicalDeviceMemoryProperties2 FAKE_HAND
#define HAND_vkGetPhysicalDeviceProperties FAKE_HAND
#define HAND_vkAllocateMemory FAKE_HAND
#define HAND_vkFreeMemory FAKE_HAND
#define HAND_vkQueueSubmit FAKE_HAND
#define HAND_vkCreateFence FAKE_HAND
#define HAND_vkDestroyFence FAKE_HAND
#define HAND_vkWaitForFences FAKE_HAND
#define HAND_vkGetInstanceProcAddr FAKE_HAND
#define HAND_vkGetDeviceProcAddr FAKE_HAND
#include "fake.h"

#include "fake_memory.h"

#define HANDLES 4096

static char handles[HANDLES], physicals[2];
static _Atomic(int) next_handle;
static _Atomic(uint64_t) next_fence = 1;
static _Atomic(long) waits;

/* Of objects that are told apart by their handle alone. */
static int32_t make(int row, void **out)
{
	fake_called(row);
	if (!out)
		return fake_over(row, TAF_VK_INITIALIZATION_FAILED);
	if (!fake_is_failing())
		*out = &handles[next_handle++ % HANDLES];
	return fake_over(row, 0);
}

int32_t vkCreateInstance(const void *info, const void *allocator, void **instance)
{
	(void)info;
	(void)allocator;
	return make(FAKE_vkCreateInstance, instance);
}

int32_t vkEnumeratePhysicalDevices(void *instance, uint32_t *count, void **devices)
{
	(void)instance;
	fake_called(FAKE_vkEnumeratePhysicalDevices);
	if (!count)
		return fake_over(FAKE_vkEnumeratePhysicalDevices, TAF_VK_INITIALIZATION_FAILED);
	for (uint32_t i = 0; devices && i < *count && i < 2; i++)
		devices[i] = &physicals[i];
	*count = 2;
	return fake_over(FAKE_vkEnumeratePhysicalDevices, 0);
}

int32_t vkCreateDevice(void *physical, const void *info, const void *allocator, void **device)
{
	(void)info;
	(void)allocator;
	return make(FAKE_vkCreateDevice, physical ? device : NULL);
}

void vkGetDeviceQueue(void *device, uint32_t family, uint32_t number, void **queue)
{
	(void)device;
	(void)family;
	(void)number;
	make(FAKE_vkGetDeviceQueue, queue);
	fake_last[FAKE_vkGetDeviceQueue] = 0;
}

void vkGetPhysicalDeviceMemoryProperties(void *physical, struct taf_vk_memory *memory)
{
	(void)physical;
	fake_called(FAKE_vkGetPhysicalDeviceMemoryProperties);
	memory->n_types = memory->n_heaps = 2;
	memory->types[0] = (struct taf_vk_memory_type){ .heap = 0 };
	memory->types[1] = (struct taf_vk_memory_type){ .heap = 1 };
	memory->heaps[0] = (struct taf_vk_heap){ 1 << 30, TAF_VK_DEVICE_LOCAL };
	memory->heaps[1] = (struct taf_vk_heap){ 1 << 30, 0 };
}

void vkGetPhysicalDeviceMemoryProperties2(void *physical, struct taf_vk_memory2 *memory)
{
	fake_called(FAKE_vkGetPhysicalDeviceMemoryProperties2);
	vkGetPhysicalDeviceMemoryProperties(physical, &memory->memory);
}

void vkGetPhysicalDeviceProperties(void *physical, struct taf_vk_properties *properties)
{
	(void)physical;
	fake_called(FAKE_vkGetPhysicalDeviceProperties);
	snprintf(properties->name, sizeof(properties->name), "fake vulkan");
}

int32_t vkAllocateMemory(void *device, const struct taf_vk_allocate *info, const void *allocator,
			 uint64_t *out)
{
	int row = FAKE_vkAllocateMemory;

	(void)device;
	(void)allocator;
	fake_called(row);
	if (fake_is_failing())
		return fake_over(row, TAF_VK_OUT_OF_DEVICE_MEMORY);
	*out = fake_take(info->bytes);
	return fake_over(row, *out ? 0 : TAF_VK_OUT_OF_DEVICE_MEMORY);
}

void vkFreeMemory(void *device, uint64_t memory, const void *allocator)
{
	static const char line[] = "fake: vkFreeMemory of what was not taken\n";

	(void)device;
	(void)allocator;
	fake_called(FAKE_vkFreeMemory);
	if (memory && !fake_is_failing() && !fake_give(memory) &&
	    write(2, line, sizeof(line) - 1) < 0)
		_exit(96);
}

int32_t vkQueueSubmit(void *queue, uint32_t n, const struct taf_vk_submit *submits, uint64_t fence)
{
	(void)n;
	(void)submits;
	(void)fence;
	fake_called(FAKE_vkQueueSubmit);
	return fake_over(FAKE_vkQueueSubmit,
			 queue ? (int32_t)fake_setting("FAKE_LAUNCH") : TAF_VK_DEVICE_LOST);
}

int32_t vkCreateFence(void *device, const struct taf_vk_fence_info *info, const void *allocator,
		      uint64_t *fence)
{
	(void)device;
	(void)info;
	(void)allocator;
	fake_called(FAKE_vkCreateFence);
	*fence = next_fence++;
	return fake_over(FAKE_vkCreateFence, 0);
}

void vkDestroyFence(void *device, uint64_t fence, const void *allocator)
{
	(void)device;
	(void)fence;
	(void)allocator;
	fake_called(FAKE_vkDestroyFence);
}

int32_t vkWaitForFences(void *device, uint32_t n, const uint64_t *fences, uint32_t all, uint64_t ns)
{
	(void)device;
	(void)n;
	(void)fences;
	(void)all;
	fake_called(FAKE_vkWaitForFences);
	if (ns != UINT64_MAX && !fake_is_failing() && ++waits < fake_setting("FAKE_SYNC_SLICES")) {
		fake_sleep(1);
		return fake_over(FAKE_vkWaitForFences, TAF_VK_TIMEOUT);
	}
	waits = 0;
	return fake_over(FAKE_vkWaitForFences, 0);
}

static void *named(int row, const char *name)
{
	void *p = fake_is_failing() ? NULL : fake_function(name);

	fake_called(row);
	fake_last[row] = (int64_t)(intptr_t)p;
	return p;
}

void *vkGetInstanceProcAddr(void *instance, const char *name)
{
	(void)instance;
	return named(FAKE_vkGetInstanceProcAddr, name);
}

void *vkGetDeviceProcAddr(void *device, const char *name)
{
	(void)device;
	return named(FAKE_vkGetDeviceProcAddr, name);
}
