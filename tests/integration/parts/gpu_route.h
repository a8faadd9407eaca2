/* SPDX-License-Identifier: MIT */
/* gpu_route.h -- a little work on a GPU runtime, whichever way its functions are reached.
 *
 * The same for HIP and, with -DLEVEL0, -DOPENCL or -DVULKAN, for those: memory, three
 * launches, a wait, memory given back.  What it prints must be the same with and without
 * a guard.
 */
#ifndef GPU_ROUTE_H
#define GPU_ROUTE_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The functions of each, all alike: f(what it returns, name, parameters) and what follows. */
/* clang-format off */
#if defined(LEVEL0)
struct gpu_queue_desc {
	int stype;
	const void *next;
	uint32_t ordinal, index, flags;
	int mode, priority;
};
#define GPU_EACH(f, end) \
	f(int, zeMemAllocDevice, (void *, const void *, size_t, size_t, void *, void **)) end \
	f(int, zeMemFree, (void *, void *)) end \
	f(int, zeCommandQueueCreate, (void *, void *, const struct gpu_queue_desc *, void **)) end \
	f(int, zeCommandQueueExecuteCommandLists, (void *, uint32_t, void **, void *)) end \
	f(int, zeCommandQueueSynchronize, (void *, uint64_t)) end
#elif defined(OPENCL)
#define GPU_EACH(f, end) \
	f(void *, clCreateContext, (const void *, uint32_t, void **, void *, void *, int *)) end \
	f(void *, clCreateCommandQueue, (void *, void *, uint64_t, int *)) end \
	f(void *, clCreateBuffer, (void *, uint64_t, size_t, void *, int *)) end \
	f(int, clReleaseMemObject, (void *)) end \
	f(int, clEnqueueNDRangeKernel, \
	  (void *, void *, uint32_t, const size_t *, const size_t *, const size_t *, uint32_t, \
	   const void *, void **)) end \
	f(int, clFinish, (void *)) end
#elif defined(VULKAN)
struct gpu_memory_info {
	int32_t type;
	const void *next;
	uint64_t bytes;
	uint32_t memory_type;
};
#define GPU_EACH(f, end) \
	f(int, vkCreateInstance, (const void *, const void *, void **)) end \
	f(int, vkEnumeratePhysicalDevices, (void *, uint32_t *, void **)) end \
	f(int, vkCreateDevice, (void *, const void *, const void *, void **)) end \
	f(void, vkGetDeviceQueue, (void *, uint32_t, uint32_t, void **)) end \
	f(int, vkAllocateMemory, \
	  (void *, const struct gpu_memory_info *, const void *, uint64_t *)) end \
	f(void, vkFreeMemory, (void *, uint64_t, const void *)) end \
	f(int, vkQueueSubmit, (void *, uint32_t, const void *, uint64_t)) end \
	f(int, vkDeviceWaitIdle, (void *)) end
#else
struct gpu_dim3 {
	uint32_t x, y, z;
};
#define GPU_EACH(f, end) \
	f(int, hipMalloc, (void **, size_t)) end \
	f(int, hipFree, (void *)) end \
	f(int, hipLaunchKernel, \
	  (const void *, struct gpu_dim3, struct gpu_dim3, void **, size_t, void *)) end \
	f(int, hipDeviceSynchronize, (void)) end
#endif
/* clang-format on */

#define GPU_TYPE(ret, name, params) typedef ret name##_fn params
GPU_EACH(GPU_TYPE, ;)

struct gpu {
#define GPU_MEMBER(ret, name, params) name##_fn *name
	GPU_EACH(GPU_MEMBER, ;)
};

/* Where it is linked to the runtime. */
#define GPU_DECLARE(ret, name, params) extern name##_fn name
#define GPU_NAME(ret, name, params) name
#define GPU_COMMA ,
#define GPU_DIRECTLY \
	{ \
		GPU_EACH(GPU_NAME, GPU_COMMA) \
	}

static inline void *gpu_symbol(void *handle, const char *name)
{
	void *p = dlsym(handle, name);

	if (!p)
		printf("no %s\n", name);
	return p;
}

/* Copies a pointer to data into one to a function, which C does not. */
#define GPU_SET(to, from) \
	do { \
		void *from_ = (from); \
		memcpy(&(to), &from_, sizeof(from_)); \
	} while (0)

#ifdef ZE_INIT
/* The real loader looks for its drivers in here. What it answers to one that has no tools
 * and no Sysman is of no interest: what was found works. */
static inline void gpu_init(void *handle)
{
	int (*init)(uint32_t flags);

	GPU_SET(init, gpu_symbol(handle, "zeInit"));
	if (init)
		init(0);
}
#else
static inline void gpu_init(void *handle)
{
	(void)handle;
}
#endif

static inline void gpu_find(struct gpu *g, void *handle)
{
	gpu_init(handle);
	memset(g, 0, sizeof(*g));
#define GPU_FIND(ret, name, params) GPU_SET(g->name, gpu_symbol(handle, #name))
	GPU_EACH(GPU_FIND, ;)
}

#if defined(VULKAN) && defined(PLUGIN)
typedef void *gpu_ask_fn(void *handle, const char *name);
extern gpu_ask_fn vkGetInstanceProcAddr, vkGetDeviceProcAddr;

/* how: instance: all by the one; device: what is a device's by the other; looked_up: the
 * same, by a pointer that dlsym gave. */
static inline void gpu_named(struct gpu *g, const char *how)
{
	static const uint64_t info[16];
	gpu_ask_fn *of_instance = vkGetInstanceProcAddr, *of_device = vkGetDeviceProcAddr;
	void *instance = NULL, *physical[2], *device = NULL;
	uint32_t n = 2;

	if (!strcmp(how, "looked_up")) {
		void *library = dlopen(RUNTIME, RTLD_NOW | RTLD_LOCAL);

		GPU_SET(of_instance, gpu_symbol(library, "vkGetInstanceProcAddr"));
		GPU_SET(of_device, gpu_symbol(library, "vkGetDeviceProcAddr"));
	}
#define GPU_BY_NAME(ret, name, params) GPU_SET(g->name, of_instance(instance, #name))
	GPU_EACH(GPU_BY_NAME, ;)
	if (!strcmp(how, "instance"))
		return;
	g->vkCreateInstance(info, NULL, &instance);
	g->vkEnumeratePhysicalDevices(instance, &n, physical);
	g->vkCreateDevice(physical[0], info, NULL, &device);
	GPU_SET(g->vkGetDeviceQueue, of_device(device, "vkGetDeviceQueue"));
	GPU_SET(g->vkAllocateMemory, of_device(device, "vkAllocateMemory"));
	GPU_SET(g->vkFreeMemory, of_device(device, "vkFreeMemory"));
	GPU_SET(g->vkQueueSubmit, of_device(device, "vkQueueSubmit"));
	GPU_SET(g->vkDeviceWaitIdle, of_device(device, "vkDeviceWaitIdle"));
}
#endif

/* r: memory, three launches, a wait, memory given back. */
static inline void gpu_do(const struct gpu *g, int r[6])
{
#if defined(LEVEL0)
	static const struct gpu_queue_desc plain;
	static int context;
	void *queue = NULL, *p = NULL;

	g->zeCommandQueueCreate(&context, &context, &plain, &queue);
	r[0] = g->zeMemAllocDevice(&context, NULL, 1000000, 0, &context, &p);
	for (int i = 1; i < 4; i++)
		r[i] = g->zeCommandQueueExecuteCommandLists(queue, 0, NULL, NULL);
	r[4] = g->zeCommandQueueSynchronize(queue, UINT64_MAX);
	r[5] = g->zeMemFree(&context, p);
#elif defined(OPENCL)
	static char device;
	void *devices[1] = { &device }, *context, *queue, *p;
	size_t items = 16;

	context = g->clCreateContext(NULL, 1, devices, NULL, NULL, NULL);
	queue = g->clCreateCommandQueue(context, &device, 0, NULL);
	p = g->clCreateBuffer(context, 0, 1000000, NULL, &r[0]);
	for (int i = 1; i < 4; i++)
		r[i] = g->clEnqueueNDRangeKernel(queue, &device, 1, NULL, &items, NULL, 0, NULL,
						 NULL);
	r[4] = g->clFinish(queue);
	r[5] = g->clReleaseMemObject(p);
#elif defined(VULKAN)
	/* As long as the structs that a loader may read; the fake one reads nothing of them. */
	static const uint64_t info[16];
	struct gpu_memory_info memory = { 5, NULL, 1000000, 0 };
	void *instance = NULL, *physical[2], *device = NULL, *queue = NULL;
	uint32_t n = 2;
	uint64_t p = 0;

	g->vkCreateInstance(info, NULL, &instance);
	g->vkEnumeratePhysicalDevices(instance, &n, physical);
	g->vkCreateDevice(physical[0], info, NULL, &device);
	g->vkGetDeviceQueue(device, 0, 0, &queue);
	r[0] = g->vkAllocateMemory(device, &memory, NULL, &p);
	for (int i = 1; i < 4; i++)
		r[i] = g->vkQueueSubmit(queue, 0, NULL, 0);
	r[4] = g->vkDeviceWaitIdle(device);
	g->vkFreeMemory(device, p, NULL);
#else
	struct gpu_dim3 grid = { 1, 2, 3 }, block = { 4, 5, 6 };
	void *p = NULL;

	r[0] = g->hipMalloc(&p, 1000000);
	for (int i = 1; i < 4; i++)
		r[i] = g->hipLaunchKernel(g, grid, block, NULL, 7, NULL);
	r[4] = g->hipDeviceSynchronize();
	r[5] = g->hipFree(p);
#endif
}

static inline int gpu_work(const struct gpu *g)
{
	int r[6] = { 0 };
#define GPU_NEED(ret, name, params) \
	if (!g->name) \
	return 1
	GPU_EACH(GPU_NEED, ;)

	gpu_do(g, r);
	printf("memory %d, launches %d %d %d, wait %d, free %d\n", r[0], r[1], r[2], r[3], r[4],
	       r[5]);
	fflush(stdout); /* in a namespace of its own nobody else does */
	return 0;
}

#endif
