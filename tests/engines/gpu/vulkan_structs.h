/* SPDX-License-Identifier: MIT */
/* vulkan_structs.h -- hooks/abi/vulkan.h against vulkan_core.h and vk_layer.h: khronos.sh
 * includes all of them. */
#ifdef TAF_ABI_VULKAN_H
SAME_PLACE(struct taf_vk_link, type, VkBaseInStructure, sType);
SAME_PLACE(struct taf_vk_link, next, VkBaseInStructure, pNext);
SAME_SIZE(struct taf_vk_allocate, VkMemoryAllocateInfo);
SAME_PLACE(struct taf_vk_allocate, bytes, VkMemoryAllocateInfo, allocationSize);
SAME_PLACE(struct taf_vk_allocate, memory_type, VkMemoryAllocateInfo, memoryTypeIndex);
SAME_SIZE(struct taf_vk_memory, VkPhysicalDeviceMemoryProperties);
SAME_PLACE(struct taf_vk_memory, types, VkPhysicalDeviceMemoryProperties, memoryTypes);
SAME_PLACE(struct taf_vk_memory, n_heaps, VkPhysicalDeviceMemoryProperties, memoryHeapCount);
SAME_PLACE(struct taf_vk_memory, heaps, VkPhysicalDeviceMemoryProperties, memoryHeaps);
SAME_PLACE(struct taf_vk_memory_type, flags, VkMemoryType, propertyFlags);
SAME_PLACE(struct taf_vk_memory_type, heap, VkMemoryType, heapIndex);
SAME_PLACE(struct taf_vk_heap, bytes, VkMemoryHeap, size);
SAME_PLACE(struct taf_vk_heap, flags, VkMemoryHeap, flags);
SAME_PLACE(struct taf_vk_properties, name, VkPhysicalDeviceProperties, deviceName);
_Static_assert(sizeof(struct taf_vk_properties) >= sizeof(VkPhysicalDeviceProperties), "room");
SAME_SIZE(struct taf_vk_memory2, VkPhysicalDeviceMemoryProperties2);
SAME_PLACE(struct taf_vk_memory2, memory, VkPhysicalDeviceMemoryProperties2, memoryProperties);
SAME_SIZE(struct taf_vk_budget, VkPhysicalDeviceMemoryBudgetPropertiesEXT);
SAME_PLACE(struct taf_vk_budget, budget, VkPhysicalDeviceMemoryBudgetPropertiesEXT, heapBudget);
SAME_PLACE(struct taf_vk_budget, usage, VkPhysicalDeviceMemoryBudgetPropertiesEXT, heapUsage);
SAME_SIZE(struct taf_vk_submit, VkSubmitInfo);
SAME_PLACE(struct taf_vk_submit, n_signals, VkSubmitInfo, signalSemaphoreCount);
SAME_PLACE(struct taf_vk_submit, signals, VkSubmitInfo, pSignalSemaphores);
SAME_SIZE(struct taf_vk_timeline, VkTimelineSemaphoreSubmitInfo);
SAME_PLACE(struct taf_vk_timeline, n_signals, VkTimelineSemaphoreSubmitInfo,
	   signalSemaphoreValueCount);
SAME_PLACE(struct taf_vk_timeline, signals, VkTimelineSemaphoreSubmitInfo, pSignalSemaphoreValues);
SAME_SIZE(struct taf_vk_signal, VkSemaphoreSubmitInfo);
SAME_PLACE(struct taf_vk_signal, semaphore, VkSemaphoreSubmitInfo, semaphore);
SAME_PLACE(struct taf_vk_signal, value, VkSemaphoreSubmitInfo, value);
SAME_SIZE(struct taf_vk_submit2, VkSubmitInfo2);
SAME_PLACE(struct taf_vk_submit2, n_signals, VkSubmitInfo2, signalSemaphoreInfoCount);
SAME_PLACE(struct taf_vk_submit2, signals, VkSubmitInfo2, pSignalSemaphoreInfos);
SAME_SIZE(struct taf_vk_wait, VkSemaphoreWaitInfo);
SAME_PLACE(struct taf_vk_wait, flags, VkSemaphoreWaitInfo, flags);
SAME_PLACE(struct taf_vk_wait, n, VkSemaphoreWaitInfo, semaphoreCount);
SAME_PLACE(struct taf_vk_wait, semaphores, VkSemaphoreWaitInfo, pSemaphores);
SAME_PLACE(struct taf_vk_wait, values, VkSemaphoreWaitInfo, pValues);
SAME_SIZE(struct taf_vk_negotiate, VkNegotiateLayerInterface);
SAME_PLACE(struct taf_vk_negotiate, version, VkNegotiateLayerInterface,
	   loaderLayerInterfaceVersion);
SAME_PLACE(struct taf_vk_negotiate, instance_proc, VkNegotiateLayerInterface,
	   pfnGetInstanceProcAddr);
SAME_PLACE(struct taf_vk_negotiate, device_proc, VkNegotiateLayerInterface, pfnGetDeviceProcAddr);
SAME_PLACE(struct taf_vk_negotiate, physical_proc, VkNegotiateLayerInterface,
	   pfnGetPhysicalDeviceProcAddr);
SAME_SIZE(struct taf_vk_instance_link, VkLayerInstanceLink);
SAME_PLACE(struct taf_vk_instance_link, instance_proc, VkLayerInstanceLink,
	   pfnNextGetInstanceProcAddr);
SAME_SIZE(struct taf_vk_device_link, VkLayerDeviceLink);
SAME_PLACE(struct taf_vk_device_link, instance_proc, VkLayerDeviceLink, pfnNextGetInstanceProcAddr);
SAME_PLACE(struct taf_vk_device_link, device_proc, VkLayerDeviceLink, pfnNextGetDeviceProcAddr);
SAME_PLACE(struct taf_vk_instance_info, function, VkLayerInstanceCreateInfo, function);
SAME_PLACE(struct taf_vk_instance_info, link, VkLayerInstanceCreateInfo, u.pLayerInfo);
SAME_PLACE(struct taf_vk_device_info, function, VkLayerDeviceCreateInfo, function);
SAME_PLACE(struct taf_vk_device_info, link, VkLayerDeviceCreateInfo, u.pLayerInfo);
SAME_NUMBER(TAF_VK_SUCCESS, VK_SUCCESS);
SAME_NUMBER(TAF_VK_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY);
SAME_NUMBER(TAF_VK_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY);
SAME_NUMBER(TAF_VK_INITIALIZATION_FAILED, VK_ERROR_INITIALIZATION_FAILED);
SAME_NUMBER(TAF_VK_DEVICE_LOST, VK_ERROR_DEVICE_LOST);
SAME_NUMBER(TAF_VK_LOADER_INSTANCE_INFO, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
SAME_NUMBER(TAF_VK_LOADER_DEVICE_INFO, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
SAME_NUMBER(TAF_VK_MEMORY_PROPERTIES_2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
SAME_NUMBER(TAF_VK_IMPORT_HOST_POINTER, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
SAME_NUMBER(TAF_VK_TIMELINE_SUBMIT, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
SAME_NUMBER(TAF_VK_MEMORY_BUDGET, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
SAME_NUMBER(TAF_VK_TYPES, VK_MAX_MEMORY_TYPES);
SAME_NUMBER(TAF_VK_HEAPS, VK_MAX_MEMORY_HEAPS);
SAME_NUMBER(TAF_VK_DEVICE_LOCAL, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT);
SAME_NUMBER(TAF_VK_WAIT_ANY, VK_SEMAPHORE_WAIT_ANY_BIT);
SAME_NUMBER(TAF_VK_NEGOTIATE, LAYER_NEGOTIATE_INTERFACE_STRUCT);
SAME_NUMBER(TAF_VK_LAYER_VERSION, CURRENT_LOADER_LAYER_INTERFACE_VERSION);
SAME_NUMBER(TAF_VK_LINK_INFO, VK_LAYER_LINK_INFO);
#endif
