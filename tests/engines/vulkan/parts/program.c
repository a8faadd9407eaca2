/* SPDX-License-Identifier: MIT */
/* program.c -- an ordinary Vulkan program, which knows nothing of taffrail: fills a buffer.
 *
 *	program ROUTE WHAT [N]
 *
 *	ROUTE  link      the functions that the loader exports, bound when the program starts
 *	       instance  all by vkGetInstanceProcAddr
 *	       device    those of the device by vkGetDeviceProcAddr
 *	       open      the loader by dlopen, its functions by dlsym
 *	WHAT   fence     N submits, the last with a fence that is waited for; all given back
 *	       status    the same; the fence is asked until it is done
 *	       values    N submits with vkQueueSubmit2KHR and a semaphore that counts; waited for
 *	       idle      N submits, vkQueueWaitIdle
 *	       leave     N submits, then the program ends
 *	       free      N submits, then memory that they do not use is given back
 *	       gate      N submits that wait for a semaphore; memory is given back, twice, then
 *	                 the host signals it
 *	       take      takes N MiB, prints what vkAllocateMemory says
 *	       devices   N more of them at once, an empty submit to each
 *	       instances N more of them at once, a device of each
 *	       threads   N submits each in four threads with a queue lock of the program's own
 *
 * Prints the word that the buffer was filled with, read back.
 */
#include <vulkan/vulkan.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD 0x7afa7afau
#define BYTES 65536

/* Of the instance, and of the device. */
#define OF_INSTANCE(f) \
	f(vkDestroyInstance) f(vkEnumeratePhysicalDevices) f(vkCreateDevice) \
		f(vkGetPhysicalDeviceMemoryProperties) f(vkGetDeviceProcAddr)
#define OF_DEVICE(f) \
	f(vkDestroyDevice) f(vkGetDeviceQueue) f(vkAllocateMemory) f(vkFreeMemory) f(vkMapMemory) \
		f(vkCreateBuffer) f(vkDestroyBuffer) f(vkBindBufferMemory) f(vkCreateCommandPool) \
			f(vkDestroyCommandPool) f(vkAllocateCommandBuffers) f( \
				vkBeginCommandBuffer) f(vkEndCommandBuffer) f(vkCmdFillBuffer) \
				f(vkQueueSubmit) f(vkQueueWaitIdle) f(vkDeviceWaitIdle) \
					f(vkCreateFence) f(vkDestroyFence) f(vkWaitForFences) \
						f(vkGetFenceStatus) f(vkCreateSemaphore) \
							f(vkDestroySemaphore) f(vkTrimCommandPool) \
								f(vkWaitSemaphores) \
									f(vkSignalSemaphore) \
										f(vkQueueSubmit2)

static struct {
#define MEMBER(name) PFN_##name name;
	PFN_vkGetInstanceProcAddr vkGetInstanceProcAddr;
	PFN_vkCreateInstance vkCreateInstance;
	PFN_vkQueueSubmit2KHR vkQueueSubmit2KHR;
	OF_INSTANCE(MEMBER)
	OF_DEVICE(MEMBER)
} vk;

static VkInstance instance;
static VkPhysicalDevice physical;
static VkDevice device;
static VkQueue queue;
static VkCommandPool pool;
static VkCommandBuffer commands;
static VkBuffer buffer;
static VkDeviceMemory memory;
static void *loader;

static void must(int rc, const char *what)
{
	if (!rc)
		return;
	printf("%s: %d\n", what, rc);
	exit(1);
}

static void *by_name(const char *name)
{
	void *p = dlsym(loader, name);

	must(!p, name);
	return p;
}

static void find_first(const char *route)
{
	vk.vkGetInstanceProcAddr = vkGetInstanceProcAddr;
	vk.vkCreateInstance = vkCreateInstance;
	if (!strcmp(route, "open")) {
		loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
		must(!loader, "libvulkan.so.1");
		*(void **)&vk.vkGetInstanceProcAddr = by_name("vkGetInstanceProcAddr");
		*(void **)&vk.vkCreateInstance = by_name("vkCreateInstance");
	} else if (strcmp(route, "link")) {
		vk.vkCreateInstance =
			(PFN_vkCreateInstance)vk.vkGetInstanceProcAddr(NULL, "vkCreateInstance");
	}
}

#define LINKED(name) vk.name = name;
#define ASKED(name) vk.name = (PFN_##name)vk.vkGetInstanceProcAddr(instance, #name);
#define OPENED(name) *(void **)&vk.name = by_name(#name);
#define OF_THE_DEVICE(name) vk.name = (PFN_##name)vk.vkGetDeviceProcAddr(device, #name);

static void find_rest(const char *route)
{
	if (!strcmp(route, "link")) {
		OF_INSTANCE(LINKED)
		OF_DEVICE(LINKED)
	} else if (!strcmp(route, "open")) {
		OF_INSTANCE(OPENED)
		OF_DEVICE(OPENED)
	} else {
		OF_INSTANCE(ASKED)
		OF_DEVICE(ASKED)
	}
	ASKED(vkQueueSubmit2KHR)
}

static void find_of_device(const char *route)
{
	if (strcmp(route, "device"))
		return;
	OF_DEVICE(OF_THE_DEVICE)
	OF_THE_DEVICE(vkQueueSubmit2KHR)
}

static void make_device(const char *route)
{
	VkApplicationInfo app = { .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
				  .apiVersion = VK_API_VERSION_1_3 };
	VkInstanceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
				      .pApplicationInfo = &app };
	float priority = 1;
	VkDeviceQueueCreateInfo queues = { .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
					   .queueCount = 1,
					   .pQueuePriorities = &priority };
	VkPhysicalDeviceVulkan13Features v13 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
		.synchronization2 = VK_TRUE
	};
	VkPhysicalDeviceVulkan12Features v12 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.pNext = &v13,
		.timelineSemaphore = VK_TRUE
	};
	const char *extension = "VK_KHR_synchronization2";
	VkDeviceCreateInfo how = { .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
				   .pNext = &v12,
				   .queueCreateInfoCount = 1,
				   .pQueueCreateInfos = &queues,
				   .enabledExtensionCount = 1,
				   .ppEnabledExtensionNames = &extension };
	uint32_t one = 1;
	int rc;

	find_first(route);
	must(vk.vkCreateInstance(&info, NULL, &instance), "instance");
	find_rest(route);
	rc = vk.vkEnumeratePhysicalDevices(instance, &one, &physical);
	must(rc == VK_INCOMPLETE ? 0 : rc, "devices");
	must(vk.vkCreateDevice(physical, &how, NULL, &device), "device");
	find_of_device(route);
	vk.vkGetDeviceQueue(device, 0, 0, &queue);
}

static uint32_t host_type(void)
{
	VkPhysicalDeviceMemoryProperties m;

	vk.vkGetPhysicalDeviceMemoryProperties(physical, &m);
	for (uint32_t i = 0; i < m.memoryTypeCount; i++)
		if (m.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)
			return i;
	return 0;
}

static int allocate(VkDeviceSize bytes, VkDeviceMemory *out)
{
	VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
				      .allocationSize = bytes,
				      .memoryTypeIndex = host_type() };

	return vk.vkAllocateMemory(device, &info, NULL, out);
}

static void make_work(void)
{
	VkBufferCreateInfo b = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
				 .size = BYTES,
				 .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT };
	VkCommandPoolCreateInfo p = { .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO };
	VkCommandBufferAllocateInfo c = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
					  .commandBufferCount = 1 };
	VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
					   .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT };

	must(allocate(BYTES, &memory), "memory");
	must(vk.vkCreateBuffer(device, &b, NULL, &buffer), "buffer");
	must(vk.vkBindBufferMemory(device, buffer, memory, 0), "bind");
	must(vk.vkCreateCommandPool(device, &p, NULL, &pool), "pool");
	c.commandPool = pool;
	must(vk.vkAllocateCommandBuffers(device, &c, &commands), "commands");
	must(vk.vkBeginCommandBuffer(commands, &begin), "begin");
	vk.vkCmdFillBuffer(commands, buffer, 0, BYTES, WORD);
	must(vk.vkEndCommandBuffer(commands), "end");
}

static void submit(VkFence fence)
{
	VkSubmitInfo s = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			   .commandBufferCount = 1,
			   .pCommandBuffers = &commands };

	must(vk.vkQueueSubmit(queue, 1, &s, fence), "submit");
}

static void submit_fenced(int n, int is_asked)
{
	VkFenceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	VkFence fence;

	must(vk.vkCreateFence(device, &info, NULL, &fence), "fence");
	for (int i = 1; i <= n; i++)
		submit(i == n ? fence : VK_NULL_HANDLE);
	while (is_asked && vk.vkGetFenceStatus(device, fence) == VK_NOT_READY)
		;
	if (!is_asked)
		must(vk.vkWaitForFences(device, 1, &fence, VK_TRUE, UINT64_MAX), "wait");
	vk.vkDestroyFence(device, fence, NULL);
}

/* Of both ways to submit with a value. */
static void submit_valued(VkSemaphore semaphore, uint64_t value)
{
	VkTimelineSemaphoreSubmitInfo t = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &value
	};
	VkSubmitInfo s = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			   .pNext = &t,
			   .commandBufferCount = 1,
			   .pCommandBuffers = &commands,
			   .signalSemaphoreCount = 1,
			   .pSignalSemaphores = &semaphore };
	VkSemaphoreSubmitInfo signal = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
					 .semaphore = semaphore,
					 .value = value,
					 .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT };
	VkCommandBufferSubmitInfo c = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
					.commandBuffer = commands };
	VkSubmitInfo2 s2 = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
			     .commandBufferInfoCount = 1,
			     .pCommandBufferInfos = &c,
			     .signalSemaphoreInfoCount = 1,
			     .pSignalSemaphoreInfos = &signal };

	if (value % 3 == 0)
		must(vk.vkQueueSubmit2KHR(queue, 1, &s2, VK_NULL_HANDLE), "submit2KHR");
	else if (value % 3 == 1)
		must(vk.vkQueueSubmit2(queue, 1, &s2, VK_NULL_HANDLE), "submit2");
	else
		must(vk.vkQueueSubmit(queue, 1, &s, VK_NULL_HANDLE), "submit");
}

static void submit_values(int n)
{
	VkSemaphoreTypeCreateInfo type = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
					   .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE };
	VkSemaphoreCreateInfo info = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
				       .pNext = &type };
	uint64_t last = (uint64_t)n;
	VkSemaphore semaphore;
	VkSemaphoreWaitInfo wait = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
				     .semaphoreCount = 1,
				     .pSemaphores = &semaphore,
				     .pValues = &last };

	must(vk.vkCreateSemaphore(device, &info, NULL, &semaphore), "semaphore");
	for (int i = 1; i <= n; i++)
		submit_valued(semaphore, (uint64_t)i);
	must(vk.vkWaitSemaphores(device, &wait, UINT64_MAX), "wait");
	vk.vkDestroySemaphore(device, semaphore, NULL);
}

static void submit_gated(int n)
{
	VkSemaphoreTypeCreateInfo type = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
					   .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE };
	VkSemaphoreCreateInfo info = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
				       .pNext = &type };
	uint64_t one = 1;
	VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	VkTimelineSemaphoreSubmitInfo t = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = 1,
		.pWaitSemaphoreValues = &one
	};
	VkSubmitInfo s = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			   .pNext = &t,
			   .waitSemaphoreCount = 1,
			   .pWaitDstStageMask = &stage,
			   .commandBufferCount = 1,
			   .pCommandBuffers = &commands };
	VkSemaphoreSignalInfo open = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
				       .value = 1 };
	VkDeviceMemory more[2];

	for (int i = 0; i < 2; i++)
		must(allocate(BYTES, &more[i]), "more");
	must(vk.vkCreateSemaphore(device, &info, NULL, &open.semaphore), "semaphore");
	s.pWaitSemaphores = &open.semaphore;
	for (int i = 0; i < n; i++)
		must(vk.vkQueueSubmit(queue, 1, &s, VK_NULL_HANDLE), "submit");
	for (int i = 0; i < 2; i++)
		vk.vkFreeMemory(device, more[i], NULL);
	must(vk.vkSignalSemaphore(device, &open), "signal");
	must(vk.vkQueueWaitIdle(queue), "idle");
	vk.vkDestroySemaphore(device, open.semaphore, NULL);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *submit_locked(void *n)
{
	for (int i = 0; i < *(int *)n; i++) {
		pthread_mutex_lock(&lock);
		submit(VK_NULL_HANDLE);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void submit_threads(int n)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		must(pthread_create(&threads[i], NULL, submit_locked, &n), "thread");
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	must(vk.vkDeviceWaitIdle(device), "idle");
}

/* Minimal ones. */
static VkDevice another_device(VkPhysicalDevice of)
{
	float priority = 1;
	VkDeviceQueueCreateInfo queues = { .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
					   .queueCount = 1,
					   .pQueuePriorities = &priority };
	VkDeviceCreateInfo how = { .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
				   .queueCreateInfoCount = 1,
				   .pQueueCreateInfos = &queues };
	VkDevice made;

	must(vk.vkCreateDevice(of, &how, NULL, &made), "another device");
	return made;
}

static void use_device(VkDevice other)
{
	PFN_vkQueueSubmit function =
		(PFN_vkQueueSubmit)vk.vkGetDeviceProcAddr(other, "vkQueueSubmit");
	VkQueue q;

	vk.vkGetDeviceQueue(other, 0, 0, &q);
	must(function(q, 0, NULL, VK_NULL_HANDLE), "its submit");
	must(vk.vkDeviceWaitIdle(other), "its end");
}

#define MANY 100

static void use_devices(int n)
{
	VkDevice all[MANY];

	n = n < MANY ? n : MANY;
	for (int i = 0; i < n; i++)
		all[i] = another_device(physical);
	for (int i = 0; i < n; i++)
		use_device(all[i]);
	for (int i = 0; i < n; i++)
		vk.vkDestroyDevice(all[i], NULL);
	printf("%d devices\n", n);
}

static void use_instances(int n)
{
	VkInstanceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO };
	VkInstance all[MANY];
	VkDevice made[MANY];

	n = n < MANY ? n : MANY;
	for (int i = 0; i < n; i++) {
		VkPhysicalDevice first;
		uint32_t one = 1;
		int rc;

		must(vk.vkCreateInstance(&info, NULL, &all[i]), "another instance");
		rc = vk.vkEnumeratePhysicalDevices(all[i], &one, &first);
		must(rc == VK_INCOMPLETE ? 0 : rc, "its devices");
		made[i] = another_device(first);
	}
	for (int i = 0; i < n; i++) {
		use_device(made[i]);
		vk.vkDestroyDevice(made[i], NULL);
		vk.vkDestroyInstance(all[i], NULL);
	}
	printf("%d instances\n", n);
}

static void show_word(void)
{
	void *p;

	must(vk.vkMapMemory(device, memory, 0, BYTES, 0, &p), "map");
	printf("%x %x\n", ((uint32_t *)p)[0], ((uint32_t *)p)[BYTES / 4 - 1]);
}

static void end(void)
{
	vk.vkTrimCommandPool(device, pool, 0);
	vk.vkDestroyCommandPool(device, pool, NULL);
	vk.vkDestroyBuffer(device, buffer, NULL);
	vk.vkFreeMemory(device, memory, NULL);
	vk.vkFreeMemory(device, VK_NULL_HANDLE, NULL);
	vk.vkDestroyDevice(device, NULL);
	vk.vkDestroyInstance(instance, NULL);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	int n = argc > 3 ? atoi(argv[3]) : 1;
	VkDeviceMemory more = VK_NULL_HANDLE;

	if (argc < 3)
		return 64;
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_device(argv[1]);
	make_work();
	if (!strcmp(what, "fence") || !strcmp(what, "status"))
		submit_fenced(n, !strcmp(what, "status"));
	else if (!strcmp(what, "values"))
		submit_values(n);
	else if (!strcmp(what, "gate"))
		submit_gated(n);
	else if (!strcmp(what, "threads"))
		submit_threads(n);
	else if (!strcmp(what, "devices"))
		use_devices(n);
	else if (!strcmp(what, "instances"))
		use_instances(n);
	else if (!strcmp(what, "free"))
		must(allocate(BYTES, &more), "more");
	if (!strcmp(what, "take"))
		printf("%d MiB: %d\n", n, allocate((VkDeviceSize)n << 20, &more));
	for (int i = 0;
	     i < n && (!strcmp(what, "free") || !strcmp(what, "leave") || !strcmp(what, "idle"));
	     i++)
		submit(VK_NULL_HANDLE);
	if (!strcmp(what, "free")) {
		vk.vkFreeMemory(device, more, NULL);
		more = VK_NULL_HANDLE;
	}
	if (!strcmp(what, "leave"))
		return 0;
	must(vk.vkQueueWaitIdle(queue), "idle");
	if (strcmp(what, "take"))
		show_word();
	vk.vkFreeMemory(device, more, NULL);
	end();
	return 0;
}
