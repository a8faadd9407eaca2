/* SPDX-License-Identifier: MIT */
/* guest_khronos_bad.c -- asks Vulkan or OpenCL for what no sane program asks, and prints
 * every answer: with and without a guard they must be the same.
 *
 *   guest_khronos_bad vulkan|opencl CASE
 *
 * GPU_LIBRARY names another library than the fake beside this program.  With a fake alone:
 *
 *   garbage    frees of what was never taken, twice, NULL; handles out of thin air
 *   early      the first call is one that is never the first
 *   child      in a fork child, of what the parent has
 *   storm      from a handler that comes at any moment, within calls as well
 *   closed     after dlclose of the library, and after it was opened again
 *   twice      the library and a copy of it (GPU_COPY), each with what is its own
 *   shortage   allocations that fail, then go well
 *   newer      a function that no table knows
 *   odd        whatever a driver answers to the calls of a whole life
 *
 * With a real one too:
 *
 *   life       device, queue, memory, work, wait, and all given back
 *   nothing    NULL where that has a meaning
 *   sizes      0, 1, SIZE_MAX and its neighbours
 *   late       calls from an exit handler that was registered before the runtime's
 *   handler    from a signal handler
 *   threads    64 at once: memory, work, waits
 *   events     work that a fence or an event shows to be done; unwaited: that nothing shows
 *   many       queues or devices at once: 70
 *   released   queues with work in them are let go
 *   let_go     a queue with work in it is let go, then memory is given back
 *   last       a queue with work in it is let go, and the context, whose end is waited for
 *   callback   OpenCL calls back 2000 times, more than we have places for
 *   places     1100 buffers that are to call back; memory is given back from a command's
 */
#include "guest_gpu_cases.h"
#include "guest_khronos.h"
#include "guest_khronos_calls.h"

#define MANY 70

static void life(void)
{
	void *p = NULL, *queue;

	begin();
	queue = first_queue();
	tell("queue", queue != NULL);
	tell("take", take(&p, 1000));
	tell("launch", launch(queue, NULL));
	tell("wait", wait_for(queue));
	tell("give", give(p));
	if (is_vulkan) {
		tell("idle", api.vkDeviceWaitIdle(device));
		api.vkDestroyDevice(device, NULL);
		api.vkDestroyInstance(instance, NULL);
	} else {
		if (api.clFlush)
			tell("flush", api.clFlush(queue));
		tell("release", api.clReleaseCommandQueue(queue));
		if (api.clReleaseContext)
			tell("context", api.clReleaseContext(context));
	}
}

/* What a driver that fails leaves undone must not be used. */
static void odd(void)
{
	void *p = NULL, *event = NULL;
	int32_t error = 77;

	if (is_vulkan) {
		uint64_t fence = 0, memory = 0;
		uint32_t n = 2;
		void *two[2] = { NULL, NULL };
		struct taf_vk_allocate info = { .type = 5, .bytes = 1000 };

		tell("instance", api.vkCreateInstance(NULL, NULL, &p));
		tell("devices", api.vkEnumeratePhysicalDevices(p, &n, two));
		tell("device", api.vkCreateDevice(two[0], NULL, NULL, &p));
		tell("memory", api.vkAllocateMemory(p, &info, NULL, &memory));
		tell("fence", api.vkCreateFence(p, NULL, NULL, &fence));
		tell("submit", api.vkQueueSubmit(&p, 0, NULL, fence));
		tell("await", api.vkWaitForFences(p, 1, &fence, 1, UINT64_MAX));
		tell("status", api.vkGetFenceStatus(p, fence));
		tell("idle", api.vkQueueWaitIdle(&p));
		tell("all idle", api.vkDeviceWaitIdle(p));
		tell("by name", api.vkGetDeviceProcAddr(p, "vkQueueSubmit") != NULL);
		tell("by name", api.vkGetInstanceProcAddr(p, "vkNoSuchThing") != NULL);
		return;
	}
	context = api.clCreateContext(NULL, 0, NULL, NULL, NULL, &error);
	tell("context", error);
	p = api.clCreateCommandQueue(context, NULL, 0, &error);
	tell("queue", error);
	tell("queue is there", p != NULL);
	tell("buffer", take(&p, 1000));
	tell("shared", api.clSVMAlloc(context, 1, 1000, 0) != NULL);
	tell("fill", launch(&p, &event));
	tell("events", api.clWaitForEvents(1, &event));
	tell("finish", api.clFinish(&p));
	tell("flush", api.clFlush(&p));
	tell("release", api.clReleaseMemObject(&p));
	tell("release", api.clReleaseCommandQueue(&p));
	tell("by name", api.clGetExtensionFunctionAddress("clFinish") != NULL);
	tell("by name", api.clGetExtensionFunctionAddress(NULL) != NULL);
}

static void nothing(void)
{
	begin();
	if (is_vulkan) {
		api.vkFreeMemory(device, 0, NULL);
		api.vkDestroyFence(device, 0, NULL);
		api.vkDestroyDevice(NULL, NULL);
		api.vkDestroyInstance(NULL, NULL);
		if (!is_real)
			take_of_host();
		tell("by no instance", api.vkGetInstanceProcAddr(NULL, "vkQueueSubmit") != NULL);
		tell("unknown", api.vkGetDeviceProcAddr(device, "vkNoSuchThing") != NULL);
	} else {
		api.clSVMFree(context, NULL);
		tell("give", give(NULL));
		tell("release", api.clReleaseCommandQueue(NULL));
		tell("launch", launch(NULL, NULL));
		tell("wait", wait_for(NULL));
		tell("events", api.clWaitForEvents(0, NULL));
		tell("callback", api.clSetEventCallback(NULL, 0, NULL, NULL));
	}
	life();
}

static void garbage(void)
{
	uint64_t fence = 12345;
	void *p = NULL;

	begin();
	tell("free of garbage", give(&p));
	tell("free of 1", give((void *)1));
	tell("take", take(&p, 1000));
	tell("free", give(p));
	tell("free again", give(p));
	tell("launch on no queue", launch(NULL, NULL));
	tell("launch on garbage", launch(&fence, NULL));
	tell("wait for garbage", wait_for(&fence));
	if (is_vulkan) {
		void *queue = NULL;

		tell("device of nothing", api.vkCreateDevice(NULL, NULL, NULL, &p));
		tell("into nothing", api.vkCreateDevice(physical, NULL, NULL, NULL));
		tell("count of nothing", api.vkEnumeratePhysicalDevices(instance, NULL, NULL));
		tell("fence", api.vkWaitForFences((void *)7, 1, &fence, 1, 0));
		api.vkGetDeviceQueue((void *)9, 1, 1, &queue);
		api.vkDestroyDevice((void *)9, NULL);
		api.vkDestroyInstance((void *)9, NULL);
		tell("no name", api.vkGetInstanceProcAddr(instance, NULL) != NULL);
	} else {
		api.clSVMFree(context, &fence);
		tell("queue", api.clReleaseCommandQueue(&fence));
		tell("queue again", api.clReleaseCommandQueue(&fence));
		tell("no reason asked", take(&p, 0));
		tell("no context", api.clCreateCommandQueue(NULL, NULL, 0, NULL) != NULL);
	}
}

static void sizes(void)
{
	static const size_t all[] = {
		0, 1, 1000, SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, 1ull << 47
	};

	begin();
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		void *p = NULL;
		int32_t r;

		/* Undefined where a driver checks nothing. */
		if (is_real && is_vulkan && (!all[i] || all[i] > SIZE_MAX / 4))
			continue;
		r = take(&p, all[i]);
		tell("take", r);
		if (!r)
			tell("give", give(p));
		if (!is_vulkan && !is_real)
			api.clSVMFree(context, api.clSVMAlloc(context, 1, all[i], 0));
	}
}

static void early(void)
{
	tell("free before all", give(NULL));
	tell("wait before all", wait_for(&api));
	tell("launch before all", launch(&api, NULL));
	if (is_vulkan)
		tell("by name", api.vkGetInstanceProcAddr(NULL, "vkCreateInstance") != NULL);
	life();
}

static volatile sig_atomic_t storms;

static void on_alarm(int signo)
{
	(void)signo;
	answers[0] |= launch(handler_queue, NULL);
	answers[1] |= wait_for(handler_queue);
	if (++storms < 200)
		soon();
}

/* Its own queue: Vulkan's are used by one at a time. Until the handler has come often. */
static void storm(void)
{
	void *queue;
	int32_t r = 0;

	begin();
	handler_queue = new_queue();
	queue = new_queue();
	signal(SIGALRM, on_alarm);
	soon();
	while (storms < 200) {
		r |= launch(queue, NULL);
		r |= wait_for(queue);
	}
	printf("storm: %d, within %d %d\n", r, (int)answers[0], (int)answers[1]);
}

static void closed(void)
{
	for (int i = 0; i < 3; i++) {
		life();
		dlclose(api.library);
		open_library(&api, getenv("GPU_LIBRARY"));
	}
}

static void twice(void)
{
	struct api first = api, second;

	open_library(&second, getenv("GPU_COPY"));
	for (int i = 0; i < 4; i++) {
		api = i % 2 ? second : first;
		life();
	}
}

static void work_until(int is_waited)
{
	void *queue, *p = NULL, *event = NULL;
	struct taf_vk_fence_info info = { .type = TAF_VK_FENCE_INFO };
	uint64_t fence = 0;

	begin();
	queue = first_queue();
	if (is_vulkan)
		tell("fence", api.vkCreateFence(device, &info, NULL, &fence));
	/* Of OpenCL shared memory: a buffer stays until what uses it is done. */
	p = is_vulkan ? NULL : api.clSVMAlloc(context, 1, 1000, 0);
	if (is_vulkan)
		tell("take", take(&p, 1000));
	if (is_vulkan)
		tell("launch", api.vkQueueSubmit(queue, 0, NULL, fence));
	else
		tell("launch", launch(queue, &event));
	if (is_waited)
		tell("wait", is_vulkan ? api.vkWaitForFences(device, 1, &fence, 1, UINT64_MAX)
				       : api.clWaitForEvents(1, &event));
	if (is_vulkan)
		tell("give", give(p));
	else
		api.clSVMFree(context, p);
}

static void events(void)
{
	work_until(1);
}

static void unwaited(void)
{
	work_until(0);
}

static void many(void)
{
	void *all[MANY];
	int32_t r = 0;

	begin();
	for (int i = 0; i < MANY; i++) {
		all[i] = new_queue();
		r |= launch(all[i], NULL);
	}
	for (int i = 0; i < MANY; i++)
		r |= wait_for(all[i]);
	printf("%d queues, answers %d\n", MANY, r);
}

/* Work that nobody waits for, in queues that are let go. */
static void released(void)
{
	int32_t r = 0;

	begin();
	for (int i = 0; i < MANY; i++) {
		void *queue = new_queue();

		r |= launch(queue, NULL);
		if (!is_vulkan)
			r |= api.clReleaseCommandQueue(queue);
	}
	printf("%d released, answers %d\n", MANY, r);
}

static void let_go(void)
{
	void *queue, *p = NULL;

	begin();
	queue = new_queue();
	tell("take", take(&p, 1000));
	tell("launch", launch(queue, NULL));
	tell("release", api.clReleaseCommandQueue(queue));
	tell("give", give(p));
}

int main(int argc, char **argv)
{
	static const struct guest_case cases[] = {
		{ "life", life },	  { "odd", odd },	    { "nothing", nothing },
		{ "garbage", garbage },	  { "sizes", sizes },	    { "early", early },
		{ "late", late },	  { "child", child },	    { "handler", handler },
		{ "storm", storm },	  { "threads", threads },   { "closed", closed },
		{ "twice", twice },	  { "events", events },	    { "unwaited", unwaited },
		{ "newer", call_newer },  { "shortage", shortage }, { "many", many },
		{ "callback", callback }, { "released", released }, { "last", last },
		{ "places", places },	  { "let_go", let_go },
	};

	if (argc < 3)
		return 64;
	is_vulkan = !strcmp(argv[1], "vulkan");
	is_real = getenv("GPU_REAL") != NULL;
	open_library(&api, getenv("GPU_LIBRARY"));
	gpu.begin = begin;
	gpu.take = take;
	gpu.give = give;
	gpu.queue = new_queue;
	gpu.submit = submit;
	gpu.wait = wait_for;
	gpu.tell = tell;
	return play(cases, sizeof(cases) / sizeof(*cases), argv[2]);
}
