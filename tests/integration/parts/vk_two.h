/* SPDX-License-Identifier: MIT */
/* vk_two.h -- what a loader of Vulkan in small shares with its drivers: every handle of a
 * driver begins with that driver's table, as with the real ones. */
#ifndef VK_TWO_H
#define VK_TWO_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct vk_table {
	int32_t (*create)(void *physical, const void *info, const void *allocator, void **device);
	void (*destroy)(void *device, const void *allocator);
	void (*queue)(void *device, uint32_t family, uint32_t number, void **queue);
	int32_t (*submit)(void *queue, uint32_t n, const void *submits, uint64_t fence);
	int32_t (*submit2)(void *queue, uint32_t n, const void *submits, uint64_t fence);
	int32_t (*idle)(void *queue);
	int32_t (*device_idle)(void *device);
	void (*trim)(void *device, uint64_t pool, uint32_t flags);
	int32_t (*make_fence)(void *device, const void *info, const void *allocator,
			      uint64_t *fence);
	void (*end_fence)(void *device, uint64_t fence, const void *allocator);
	int32_t (*await)(void *device, uint32_t n, const uint64_t *fences, uint32_t all,
			 uint64_t ns);
};

struct vk_object {
	const struct vk_table *table;
};

static inline const struct vk_table *vk_table_of(const void *handle)
{
	return ((const struct vk_object *)handle)->table;
}

typedef void vk_fn(void);

static inline void *vk_pointer(vk_fn *fn)
{
	void *p;

	memcpy(&p, &fn, sizeof(p));
	return p;
}

#endif
