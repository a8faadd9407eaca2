/* SPDX-License-Identifier: MIT */
/* fake_vulkan.c -- a Vulkan loader made of the rows of hooks/vulkan.def (fake.h). Its one
 * type of memory lies on the device. */
#include "../../hooks/abi/vulkan.h"

#define FAKE_ROWS "../../hooks/vulkan.def"
#define HAND_vkGetPhysicalDeviceMemoryProperties FAKE_HAND
#define HAND_vkGetPhysicalDeviceMemoryProperties2 FAKE_HAND
#define HAND_vkDestroyFence FAKE_HAND
#include "fake.h"

void vkGetPhysicalDeviceMemoryProperties(void *physical, struct taf_vk_memory *memory)
{
	(void)physical;
	fake_called(FAKE_vkGetPhysicalDeviceMemoryProperties);
	memory->n_types = memory->n_heaps = 1;
	memory->types[0] = (struct taf_vk_memory_type){ .heap = 0 };
	memory->heaps[0] = (struct taf_vk_heap){ 1 << 30, TAF_VK_DEVICE_LOCAL };
}

void vkGetPhysicalDeviceMemoryProperties2(void *physical, struct taf_vk_memory2 *memory)
{
	fake_called(FAKE_vkGetPhysicalDeviceMemoryProperties2);
	vkGetPhysicalDeviceMemoryProperties(physical, &memory->memory);
}

void vkDestroyFence(void *device, uint64_t fence, const void *allocator)
{
	(void)device;
	(void)fence;
	(void)allocator;
	fake_called(FAKE_vkDestroyFence);
}
