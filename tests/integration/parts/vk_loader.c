/* SPDX-License-Identifier: MIT */
/* vk_loader.c -- a loader of Vulkan in small, with two drivers (libvk_a.so, libvk_b.so).
 *
 * As the real one it exports what belongs to the core and finds the driver by the handle;
 * extensions are reached by name alone: through vkGetInstanceProcAddr as a function of the
 * loader, through vkGetDeviceProcAddr as the driver's own. */
#include "vk_two.h"

static char instances[4];
static int n_instances;
static struct vk_object physicals[2];

int32_t vkCreateInstance(const void *info, const void *allocator, void **instance)
{
	static const char *const files[] = { "libvk_a.so", "libvk_b.so" };

	(void)info;
	(void)allocator;
	for (int i = 0; i < 2; i++) {
		void *h = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
		void *p = h ? dlsym(h, "vk_driver") : NULL;
		const struct vk_table *(*driver)(void);

		memcpy(&driver, &p, sizeof(driver));
		if (!driver)
			abort();
		physicals[i].table = driver();
	}
	*instance = &instances[n_instances++ % 4];
	return 0;
}

void vkDestroyInstance(void *instance, const void *allocator)
{
	(void)instance;
	(void)allocator;
}

int32_t vkEnumeratePhysicalDevices(void *instance, uint32_t *count, void **devices)
{
	(void)instance;
	*count = 2;
	for (int i = 0; devices && i < 2; i++)
		devices[i] = &physicals[i];
	return 0;
}

int32_t vkCreateDevice(void *physical, const void *info, const void *allocator, void **device)
{
	return vk_table_of(physical)->create(physical, info, allocator, device);
}

void vkDestroyDevice(void *device, const void *allocator)
{
	vk_table_of(device)->destroy(device, allocator);
}

void vkGetDeviceQueue(void *device, uint32_t family, uint32_t number, void **queue)
{
	vk_table_of(device)->queue(device, family, number, queue);
}

int32_t vkQueueSubmit(void *queue, uint32_t n, const void *submits, uint64_t fence)
{
	return vk_table_of(queue)->submit(queue, n, submits, fence);
}

int32_t vkQueueWaitIdle(void *queue)
{
	return vk_table_of(queue)->idle(queue);
}

int32_t vkDeviceWaitIdle(void *device)
{
	return vk_table_of(device)->device_idle(device);
}

int32_t vkCreateFence(void *device, const void *info, const void *allocator, uint64_t *fence)
{
	return vk_table_of(device)->make_fence(device, info, allocator, fence);
}

void vkDestroyFence(void *device, uint64_t fence, const void *allocator)
{
	vk_table_of(device)->end_fence(device, fence, allocator);
}

int32_t vkWaitForFences(void *device, uint32_t n, const uint64_t *fences, uint32_t all, uint64_t ns)
{
	return vk_table_of(device)->await(device, n, fences, all, ns);
}

static int32_t any_submit2(void *queue, uint32_t n, const void *submits, uint64_t fence)
{
	return vk_table_of(queue)->submit2(queue, n, submits, fence);
}

static void any_trim(void *device, uint64_t pool, uint32_t flags)
{
	vk_table_of(device)->trim(device, pool, flags);
}

void *vkGetInstanceProcAddr(void *instance, const char *name);
void *vkGetDeviceProcAddr(void *device, const char *name);

#define NAMED(fn) \
	if (!strcmp(name, #fn)) \
		return vk_pointer((vk_fn *)fn);
#define IS(called, fn) \
	if (!strcmp(name, called)) \
		return vk_pointer((vk_fn *)(fn));

void *vkGetInstanceProcAddr(void *instance, const char *name)
{
	(void)instance;
	NAMED(vkCreateInstance)
	NAMED(vkDestroyInstance)
	NAMED(vkEnumeratePhysicalDevices)
	NAMED(vkCreateDevice)
	NAMED(vkDestroyDevice)
	NAMED(vkGetDeviceQueue)
	NAMED(vkQueueSubmit)
	NAMED(vkQueueWaitIdle)
	NAMED(vkDeviceWaitIdle)
	NAMED(vkCreateFence)
	NAMED(vkDestroyFence)
	NAMED(vkWaitForFences)
	NAMED(vkGetInstanceProcAddr)
	NAMED(vkGetDeviceProcAddr)
	IS("vkQueueSubmit2KHR", any_submit2)
	IS("vkTrimCommandPoolKHR", any_trim)
	return NULL;
}

void *vkGetDeviceProcAddr(void *device, const char *name)
{
	const struct vk_table *t = vk_table_of(device);

	NAMED(vkGetDeviceProcAddr)
	IS("vkDestroyDevice", t->destroy)
	IS("vkGetDeviceQueue", t->queue)
	IS("vkQueueSubmit", t->submit)
	IS("vkQueueSubmit2KHR", t->submit2)
	IS("vkQueueWaitIdle", t->idle)
	IS("vkDeviceWaitIdle", t->device_idle)
	IS("vkTrimCommandPoolKHR", t->trim)
	IS("vkCreateFence", t->make_fence)
	IS("vkDestroyFence", t->end_fence)
	IS("vkWaitForFences", t->await)
	return NULL;
}
