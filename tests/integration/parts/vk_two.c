/* SPDX-License-Identifier: MIT */
/* vk_two.c -- a program with devices of two drivers, which asks for a function that the
 * loader does not export and calls it for both.
 *
 *   device     asks per device
 *   instance   asks once, for all
 *   mixed      asks for the first device, then once for all
 *   turned     asks once for all, then for the second device
 *   unasked    asks for the first device, and calls that for another one of its driver
 *   anew       asks for a device, destroys it, makes one of the other driver
 *   many       devices beyond what any table holds, by turns of both drivers; all are destroyed
 *   queues     the same of queues of the second driver
 */
#include "vk_two.h"

int32_t vkCreateInstance(const void *info, const void *allocator, void **instance);
int32_t vkEnumeratePhysicalDevices(void *instance, uint32_t *count, void **devices);
int32_t vkCreateDevice(void *physical, const void *info, const void *allocator, void **device);
void vkDestroyDevice(void *device, const void *allocator);
void vkGetDeviceQueue(void *device, uint32_t family, uint32_t number, void **queue);
int32_t vkDeviceWaitIdle(void *device);
void *vkGetInstanceProcAddr(void *instance, const char *name);
void *vkGetDeviceProcAddr(void *device, const char *name);

#define MANY 70

typedef int32_t submit_fn(void *queue, uint32_t n, const void *submits, uint64_t fence);
typedef void trim_fn(void *device, uint64_t pool, uint32_t flags);

static void *instance, *physicals[2], *devices[MANY], *queues[MANY];

static void make(int i, int driver)
{
	if (vkCreateDevice(physicals[driver], NULL, NULL, &devices[i]))
		exit(96);
	vkGetDeviceQueue(devices[i], 0, 0, &queues[i]);
}

/* device: NULL for all of an instance. */
static void call(void *device, int i)
{
	void *p = device ? vkGetDeviceProcAddr(device, "vkQueueSubmit2KHR")
			 : vkGetInstanceProcAddr(instance, "vkQueueSubmit2KHR");
	void *q = device ? vkGetDeviceProcAddr(device, "vkTrimCommandPoolKHR")
			 : vkGetInstanceProcAddr(instance, "vkTrimCommandPoolKHR");
	submit_fn *submit;
	trim_fn *trim;

	memcpy(&submit, &p, sizeof(submit));
	memcpy(&trim, &q, sizeof(trim));
	printf("%d: %d\n", i, submit(queues[i], 0, NULL, 0));
	vkDeviceWaitIdle(devices[i]);
	trim(devices[i], 0, 0);
}

static void many(void)
{
	for (int i = 0; i < MANY; i++)
		make(i, i % 2);
	for (int i = 0; i < MANY; i++)
		call(devices[i], i);
	for (int i = 0; i < MANY; i++)
		vkDestroyDevice(devices[i], NULL);
}

static void many_queues(void)
{
	make(0, 0);
	make(1, 1);
	call(devices[0], 0);
	for (int i = 2; i < MANY; i++) {
		devices[i] = devices[1];
		vkGetDeviceQueue(devices[1], 0, (uint32_t)i, &queues[i]);
	}
	for (int i = 1; i < MANY; i++)
		call(devices[1], i);
}

static void anew(void)
{
	make(0, 0);
	call(devices[0], 0);
	vkDestroyDevice(devices[0], NULL);
	make(0, 1);
	call(devices[0], 0);
}

static void two(const char *way)
{
	int is_turned = !strcmp(way, "turned");

	make(0, 0);
	make(1, !strcmp(way, "unasked") ? 0 : 1);
	call(!strcmp(way, "instance") || is_turned ? NULL : devices[0], 0);
	if (!strcmp(way, "device") || is_turned)
		call(devices[1], 1);
	else
		call(!strcmp(way, "unasked") ? devices[0] : NULL, 1);
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	uint32_t n = 2;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (vkCreateInstance(NULL, NULL, &instance) ||
	    vkEnumeratePhysicalDevices(instance, &n, physicals))
		return 96;
	if (!strcmp(way, "many"))
		many();
	else if (!strcmp(way, "queues"))
		many_queues();
	else if (!strcmp(way, "anew"))
		anew();
	else
		two(way);
	return 0;
}
