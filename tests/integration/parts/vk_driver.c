/* SPDX-License-Identifier: MIT */
/* vk_driver.c -- a driver of Vulkan in small, called WHO: it says what reaches it, and ends
 * the process with 97 at a handle of another driver. */
#include "vk_two.h"

#ifndef WHO
#define WHO "a"
#endif

static const struct vk_table mine;

static void check(const char *name, const void *handle)
{
	if (vk_table_of(handle) == &mine)
		return;
	printf("driver %s: %s got what is not its own\n", WHO, name);
	_exit(97);
}

static void called(const char *name, const void *handle)
{
	check(name, handle);
	printf("driver %s: %s\n", WHO, name);
}

static void *make(void)
{
	struct vk_object *o = calloc(1, sizeof(*o));

	if (!o)
		exit(96);
	o->table = &mine;
	return o;
}

static int32_t create(void *physical, const void *info, const void *allocator, void **device)
{
	(void)info;
	(void)allocator;
	called("create", physical);
	*device = make();
	return 0;
}

static void destroy(void *device, const void *allocator)
{
	(void)allocator;
	called("destroy", device);
	((struct vk_object *)device)->table = NULL;
}

static void queue_of(void *device, uint32_t family, uint32_t number, void **queue)
{
	(void)family;
	(void)number;
	called("queue", device);
	*queue = make();
}

static int32_t submit(void *queue, uint32_t n, const void *submits, uint64_t fence)
{
	(void)n;
	(void)submits;
	check("submit", queue);
	if (!fence)
		called("submit", queue);
	return 0;
}

static int32_t submit2(void *queue, uint32_t n, const void *submits, uint64_t fence)
{
	(void)n;
	(void)submits;
	(void)fence;
	called("submit2", queue);
	return 0;
}

static int32_t idle(void *queue)
{
	called("idle", queue);
	return 0;
}

static int32_t device_idle(void *device)
{
	called("device idle", device);
	return 0;
}

static void trim(void *device, uint64_t pool, uint32_t flags)
{
	(void)pool;
	(void)flags;
	called("trim", device);
}

/* Of these, and of submits with a fence, the guard alone makes use: they say nothing. */
static int32_t make_fence(void *device, const void *info, const void *allocator, uint64_t *fence)
{
	(void)info;
	(void)allocator;
	check("fence", device);
	*fence = 1;
	return 0;
}

static void end_fence(void *device, uint64_t fence, const void *allocator)
{
	(void)device;
	(void)fence;
	(void)allocator;
}

static int32_t await(void *device, uint32_t n, const uint64_t *fences, uint32_t all, uint64_t ns)
{
	(void)device;
	(void)n;
	(void)fences;
	(void)all;
	(void)ns;
	return 0;
}

static const struct vk_table mine = { create,	   destroy, queue_of,	submit,	   submit2, idle,
				      device_idle, trim,    make_fence, end_fence, await };

const struct vk_table *vk_driver(void);

const struct vk_table *vk_driver(void)
{
	return &mine;
}
