/* SPDX-License-Identifier: MIT */
/* guest_khronos.h -- what a program needs of Vulkan or of OpenCL: their functions, found in
 * a library that it opens, and a device, a queue and memory of either.
 *
 * Header of static functions, for one program. */
#ifndef GUEST_KHRONOS_H
#define GUEST_KHRONOS_H

#include <sys/time.h>

#include "../../hooks/abi/opencl.h"
#include "../../hooks/abi/vulkan.h"
#include "guest.h"

/* Of Vulkan's, as much as a device with one queue needs. */
struct queue_info {
	int32_t type;
	const void *next;
	uint32_t flags, family, count;
	const float *priorities;
};

struct device_info {
	int32_t type;
	const void *next;
	uint32_t flags, n_queues;
	const struct queue_info *queues;
	uint32_t n_layers;
	const void *layers;
	uint32_t n_extensions;
	const void *extensions, *features;
};

struct instance_info {
	int32_t type;
	const void *next;
	uint32_t flags;
	const void *app;
	uint32_t n_layers;
	const void *layers;
	uint32_t n_extensions;
	const void *extensions;
};

#define VULKAN(f) \
	f(int32_t, vkCreateInstance, (const void *, const void *, void **)) f( \
		void, vkDestroyInstance, \
		(void *, const void *)) f(int32_t, vkEnumeratePhysicalDevices, \
					  (void *, uint32_t *, \
					   void **)) f(int32_t, vkCreateDevice, \
						       (void *, const void *, const void *, \
							void **)) f(void, vkDestroyDevice, \
								    (void *, const void *)) \
		f(void, vkGetDeviceQueue, (void *, uint32_t, uint32_t, void **)) f( \
			int32_t, vkAllocateMemory, \
			(void *, const struct taf_vk_allocate *, const void *, \
			 uint64_t *)) f(void, vkFreeMemory, (void *, uint64_t, const void *)) \
			f(int32_t, vkQueueSubmit, (void *, uint32_t, const void *, uint64_t)) f( \
				int32_t, vkQueueWaitIdle, \
				(void *)) f(int32_t, vkDeviceWaitIdle, (void *)) \
				f(int32_t, vkCreateFence, \
				  (void *, const struct taf_vk_fence_info *, const void *, \
				   uint64_t *)) \
					f(void, vkDestroyFence, (void *, uint64_t, const void *)) \
						f(int32_t, vkWaitForFences, \
						  (void *, uint32_t, const uint64_t *, uint32_t, \
						   uint64_t)) f(int32_t, vkGetFenceStatus, \
								(void *, uint64_t)) \
							f(void *, vkGetInstanceProcAddr, \
							  (void *, const char *)) \
								f(void *, vkGetDeviceProcAddr, \
								  (void *, const char *))
#define OPENCL(f) \
	f(int32_t, clSetMemObjectDestructorCallback, (void *, taf_cl_destructor *, void *)) f( \
		int32_t, clSetContextDestructorCallback, \
		(void *, void (*)(void *, void *), \
		 void *)) f(void *, clCreateUserEvent, \
			    (void *, int32_t *)) f(int32_t, clSetUserEventStatus, \
						   (void *, int32_t)) \
		f(int32_t, clGetDeviceIDs, (void *, uint64_t, uint32_t, void **, uint32_t *)) f( \
			int32_t, clGetPlatformIDs, \
			(uint32_t, void **, uint32_t *)) f(int32_t, clReleaseContext, \
							   (void *)) f(void *, clCreateContext, \
								       (const void *, uint32_t, \
									void *const *, void *, \
									void *, int32_t *)) \
			f(void *, clCreateCommandQueue, (void *, void *, uint64_t, int32_t *)) f( \
				int32_t, clReleaseCommandQueue, \
				(void *)) f(void *, clCreateBuffer, \
					    (void *, uint64_t, size_t, void *, \
					     int32_t *)) f(int32_t, clReleaseMemObject, (void *)) \
				f(void *, clSVMAlloc, (void *, uint64_t, size_t, uint32_t)) f( \
					void, clSVMFree, (void *, void *)) \
					f(int32_t, clEnqueueFillBuffer, \
					  (void *, void *, const void *, size_t, size_t, size_t, \
					   uint32_t, void *const *, void **)) f(int32_t, clFinish, \
										(void *)) \
						f(int32_t, clFlush, \
						  (void *)) f(int32_t, clWaitForEvents, \
							      (uint32_t, void *const *)) \
							f(int32_t, clReleaseEvent, \
							  (void *)) f(int32_t, clSetEventCallback, \
								      (void *, int32_t, \
								       taf_cl_notify *, void *)) \
								f(void *, \
								  clGetExtensionFunctionAddress, \
								  (const char *))

#define MEMBER(ret, name, params) ret(*name) params;
static struct api {
	void *library;
	VULKAN(MEMBER)
	OPENCL(MEMBER)
} api;

static int is_vulkan, is_real;
static void *instance, *physical, *device, *context; /* OpenCL: device and context */
static void *some_buffer;

static void optional(void *to, void *from, const char *name)
{
	void *p = dlsym(from, name);

	memcpy(to, &p, sizeof(p));
}

#define FIND(ret, name, params) optional(&a->name, a->library, #name);
static void open_library(struct api *a, const char *given)
{
	char where[4096];

	guest_beside(where, sizeof(where), is_vulkan ? "libfake_vulkan.so" : "libfake_opencl.so");
	a->library = dlopen(given ? given : where, RTLD_NOW | RTLD_LOCAL);
	if (!a->library) {
		printf("%s\n", dlerror());
		exit(95);
	}
	VULKAN(FIND)
	OPENCL(FIND)
}

static void tell(const char *what, int64_t r)
{
	printf("%s: %lld\n", what, (long long)r);
	fflush(stdout);
}

/* ---- a device and a queue, as any program makes them ---- */

static int32_t new_device(void **out)
{
	static const float priority = 1;
	static const struct queue_info q = { 2, NULL, 0, 0, 1, &priority };
	static const struct device_info info = { .type = 3, .n_queues = 1, .queues = &q };

	return api.vkCreateDevice(physical, &info, NULL, out);
}

static void begin_vulkan(void)
{
	static const struct instance_info info = { .type = 1 };
	void *two[2] = { NULL, NULL };
	uint32_t n = 2;

	tell("instance", api.vkCreateInstance(&info, NULL, &instance));
	n = is_real ? 1 : n;
	tell("devices", api.vkEnumeratePhysicalDevices(instance, &n, two) < 0);
	physical = two[0];
	tell("device", new_device(&device));
}

static void begin_opencl(void)
{
	int32_t error = 1;
	void *platform = NULL;

	if (is_real) {
		tell("platform", api.clGetPlatformIDs(1, &platform, NULL));
		tell("device", api.clGetDeviceIDs(platform, UINT32_MAX, 1, &device, NULL));
	}
	context = api.clCreateContext(NULL, 1, &device, NULL, NULL, &error);
	tell("context", error);
	some_buffer = api.clCreateBuffer(context, 1, 4096, NULL, &error);
	tell("buffer", error);
}

static void begin(void)
{
	if (is_vulkan)
		begin_vulkan();
	else
		begin_opencl();
}

static int32_t take(void **p, size_t size)
{
	struct taf_vk_allocate info = { .type = 5, .bytes = size };
	uint64_t memory = 0;
	int32_t r = 1;

	if (is_vulkan) {
		r = api.vkAllocateMemory(device, &info, NULL, &memory);
		*p = (void *)(uintptr_t)memory;
	} else {
		*p = api.clCreateBuffer(context, 1, size, NULL, &r);
	}
	return r;
}

static int32_t give(void *p)
{
	if (!is_vulkan)
		return api.clReleaseMemObject(p);
	api.vkFreeMemory(device, (uint64_t)(uintptr_t)p, NULL);
	return 0;
}

/* A device of Vulkan has the one queue: another one is another device's. */
static void *new_queue(void)
{
	void *queue = NULL, *other = device;
	int32_t error;

	if (!is_vulkan)
		return api.clCreateCommandQueue(context, device, 0, &error);
	if (new_device(&other))
		return NULL;
	api.vkGetDeviceQueue(other, 0, 0, &queue);
	return queue;
}

static void *first_queue(void)
{
	void *queue = NULL;

	if (!is_vulkan)
		return new_queue();
	api.vkGetDeviceQueue(device, 0, 0, &queue);
	return queue;
}

static int32_t launch(void *queue, void **event)
{
	static const int pattern;

	if (is_vulkan)
		return api.vkQueueSubmit(queue, 0, NULL, 0);
	return api.clEnqueueFillBuffer(queue, some_buffer, &pattern, sizeof(pattern), 0, 4096, 0,
				       NULL, event);
}

static int32_t submit(void *queue)
{
	return launch(queue, NULL);
}

static int32_t wait_for(void *queue)
{
	return is_vulkan ? api.vkQueueWaitIdle(queue) : api.clFinish(queue);
}

/* What the guard knows of the device that comes next must still be right. */
static void take_of_host(void)
{
	struct taf_vk_allocate info = { .type = 5, .bytes = 5000, .memory_type = 1 };
	uint64_t memory = 0;

	tell("device", new_device(&device));
	tell("of the host", api.vkAllocateMemory(device, &info, NULL, &memory));
	api.vkFreeMemory(device, memory, NULL);
}

/* What a library of tomorrow has, and no table knows. */
static void call_newer(void)
{
	void *p = dlsym(api.library, "vkOfTomorrow");
	int (*newer)(int);

	memcpy(&newer, &p, sizeof(newer));
	tell("of tomorrow", newer ? newer(41) : 0);
}

/* SIGALRM comes in a moment. */
static void soon(void)
{
	struct itimerval once = { { 0, 0 }, { 0, 300 } };

	setitimer(ITIMER_REAL, &once, NULL);
}

#endif
