/* SPDX-License-Identifier: MIT */
/* fake_opencl.c -- an OpenCL made of the rows of hooks/opencl.def (fake.h), on memory of
 * fake_memory.h.
 *
 *   FAKE_ALL_FAIL=N      every function fails with N
 *   FAKE_LAUNCH=N        commands are not taken, with N
 *   FAKE_SYNC_SLICES=N   an event is complete at the N-th question; 1
 *   FAKE_LATE=1          events are complete once a context is released
 *
 * A function that is to be called for an event is called at once, by a thread of ours, or
 * with FAKE_LATE when the event is complete; with FAKE_SYNC_SLICES never.
 */
#include <pthread.h>

#include "../../hooks/abi/opencl.h"

#define FAKE_ROWS "../../hooks/opencl.def"
#define FAKE_BY_NAME
#define FAKE_FAILS
#define HAND_clCreateContext FAKE_HAND
#define HAND_clCreateCommandQueue FAKE_HAND
#define HAND_clCreateBuffer FAKE_HAND
#define HAND_clReleaseMemObject FAKE_HAND
#define HAND_clSVMAlloc FAKE_HAND
#define HAND_clSVMFree FAKE_HAND
#define HAND_clReleaseCommandQueue FAKE_HAND
#define HAND_clReleaseContext FAKE_HAND
#define HAND_clEnqueueFillBuffer FAKE_HAND
#define HAND_clEnqueueMarkerWithWaitList FAKE_HAND
#define HAND_clFinish FAKE_HAND
#define HAND_clGetDeviceInfo FAKE_HAND
#define HAND_clGetEventInfo FAKE_HAND
#define HAND_clSetEventCallback FAKE_HAND
#define HAND_clGetExtensionFunctionAddress FAKE_HAND
#define HAND_clGetExtensionFunctionAddressForPlatform FAKE_HAND
#include "fake.h"

#include "fake_memory.h"

#define HANDLES 4096
#define WRONG_VALUE (-30)
#define WRONG_QUEUE (-36)
#define WRONG_MEMORY (-38)
#define WRONG_SIZE (-61)

static char handles[HANDLES];
static _Atomic(int) next_handle;
static _Atomic(long) questions;
static _Atomic(int) is_over; /* FAKE_LATE: a context was released */

static int is_late(void)
{
	return getenv("FAKE_LATE") && !is_over;
}

/* What makes an object gives it back, and the reason where there is none. */
static void *made(int row, void *object, int32_t *error, int32_t why)
{
	if (fake_all_fail()) {
		object = NULL;
		why = (int32_t)fake_number(row);
	}
	if (error)
		*error = object ? 0 : why;
	fake_last[row] = (int64_t)(intptr_t)object;
	return object;
}

static void *new_handle(void)
{
	return &handles[next_handle++ % HANDLES];
}

int32_t clGetDeviceInfo(void *device, uint32_t what, size_t room, void *value, size_t *size)
{
	int row = FAKE_clGetDeviceInfo;

	(void)device;
	fake_called(row);
	if (size)
		*size = what == TAF_CL_DEVICE_NAME ? sizeof("fake \"opencl\"") : sizeof(uint64_t);
	if (what == TAF_CL_DEVICE_NAME)
		snprintf(value, room, "fake \"opencl\"");
	else if (what == TAF_CL_DEVICE_MEMORY && room == sizeof(uint64_t))
		*(uint64_t *)value = 3u << 30;
	else
		return fake_over(row, WRONG_VALUE);
	return fake_over(row, 0);
}

void *clCreateContext(const intptr_t *properties, uint32_t count, void *const *devices,
		      void *notify, void *data, int32_t *error)
{
	(void)properties;
	(void)count;
	(void)devices;
	(void)notify;
	(void)data;
	fake_called(FAKE_clCreateContext);
	return made(FAKE_clCreateContext, new_handle(), error, 0);
}

void *clCreateCommandQueue(void *context, void *device, uint64_t bits, int32_t *error)
{
	(void)device;
	(void)bits;
	fake_called(FAKE_clCreateCommandQueue);
	return made(FAKE_clCreateCommandQueue, context ? new_handle() : NULL, error, WRONG_VALUE);
}

int32_t clReleaseCommandQueue(void *queue)
{
	fake_called(FAKE_clReleaseCommandQueue);
	return fake_over(FAKE_clReleaseCommandQueue, queue ? 0 : WRONG_QUEUE);
}

static void *pointer_of(uint64_t at)
{
	return (void *)(uintptr_t)at;
}

void *clCreateBuffer(void *context, uint64_t flags, size_t size, void *host, int32_t *error)
{
	int row = FAKE_clCreateBuffer;
	uint64_t at;

	(void)context;
	(void)flags;
	(void)host;
	fake_called(row);
	at = size && !fake_all_fail() ? fake_take(size) : 0;
	return made(row, pointer_of(at), error, size ? TAF_CL_NO_MEMORY_OBJECT : WRONG_SIZE);
}

int32_t clReleaseMemObject(void *memory)
{
	int is_given = fake_is_failing() || fake_give((uint64_t)(uintptr_t)memory);

	fake_called(FAKE_clReleaseMemObject);
	return fake_over(FAKE_clReleaseMemObject, is_given ? 0 : WRONG_MEMORY);
}

void *clSVMAlloc(void *context, uint64_t flags, size_t size, uint32_t alignment)
{
	int row = FAKE_clSVMAlloc;

	(void)context;
	(void)flags;
	(void)alignment;
	fake_called(row);
	return made(row, size && !fake_all_fail() ? pointer_of(fake_take(size)) : NULL, NULL, 0);
}

void clSVMFree(void *context, void *pointer)
{
	static const char line[] = "fake: clSVMFree of what was not taken\n";

	(void)context;
	fake_called(FAKE_clSVMFree);
	if (pointer && !fake_is_failing() && !fake_give((uint64_t)(uintptr_t)pointer) &&
	    write(2, line, sizeof(line) - 1) < 0)
		_exit(96);
}

static int32_t enqueue(int row, const void *queue, void **event)
{
	fake_called(row);
	if (event && !fake_is_failing())
		*event = new_handle();
	return fake_over(row, queue ? (int32_t)fake_setting("FAKE_LAUNCH") : WRONG_QUEUE);
}

int32_t clEnqueueFillBuffer(void *queue, void *buffer, const void *pattern, size_t pattern_size,
			    size_t offset, size_t size, uint32_t n_waits, void *const *waits,
			    void **event)
{
	(void)buffer;
	(void)pattern;
	(void)pattern_size;
	(void)offset;
	(void)size;
	(void)n_waits;
	(void)waits;
	return enqueue(FAKE_clEnqueueFillBuffer, queue, event);
}

int32_t clEnqueueMarkerWithWaitList(void *queue, uint32_t n_waits, void *const *waits, void **event)
{
	(void)n_waits;
	(void)waits;
	return enqueue(FAKE_clEnqueueMarkerWithWaitList, queue, event);
}

int32_t clFinish(void *queue)
{
	fake_called(FAKE_clFinish);
	return fake_over(FAKE_clFinish, queue ? 0 : WRONG_QUEUE);
}

int32_t clGetEventInfo(void *event, uint32_t what, size_t room, void *value, size_t *used)
{
	int32_t status = ++questions < fake_setting("FAKE_SYNC_SLICES") || is_late();

	(void)event;
	fake_called(FAKE_clGetEventInfo);
	if (used)
		*used = sizeof(status);
	if (value && what == TAF_CL_EVENT_STATUS && room >= sizeof(status))
		memcpy(value, &status, sizeof(status));
	questions = status ? (long)questions : 0;
	return fake_over(FAKE_clGetEventInfo, 0);
}

static struct notice {
	taf_cl_notify *told;
	void *event, *data;
} kept[HANDLES];
static _Atomic(int) n_kept;

static void *tell(void *arg)
{
	const struct notice *n = arg;

	n->told(n->event, 0, n->data);
	return NULL;
}

static void tell_beside(struct notice *n)
{
	pthread_t driver;

	if (!pthread_create(&driver, NULL, tell, n))
		pthread_join(driver, NULL);
}

int32_t clReleaseContext(void *context)
{
	int n = n_kept;

	(void)context;
	fake_called(FAKE_clReleaseContext);
	is_over = 1;
	for (int i = 0; i < n; i++)
		tell_beside(&kept[i]);
	return fake_over(FAKE_clReleaseContext, 0);
}

int32_t clSetEventCallback(void *event, int32_t status, taf_cl_notify *told, void *data)
{
	struct notice n = { told, event, data };

	(void)status;
	fake_called(FAKE_clSetEventCallback);
	if (told && is_late() && n_kept < HANDLES)
		kept[n_kept++] = n;
	else if (told && !fake_is_failing() && !fake_setting("FAKE_SYNC_SLICES"))
		tell_beside(&n);
	return fake_over(FAKE_clSetEventCallback, told || getenv("FAKE_ODD") ? 0 : WRONG_VALUE);
}

static void *named(int row, const char *name)
{
	void *p = fake_is_failing() ? NULL : fake_function(name);

	fake_called(row);
	fake_last[row] = (int64_t)(intptr_t)p;
	return p;
}

void *clGetExtensionFunctionAddress(const char *name)
{
	return named(FAKE_clGetExtensionFunctionAddress, name);
}

void *clGetExtensionFunctionAddressForPlatform(void *platform, const char *name)
{
	(void)platform;
	return named(FAKE_clGetExtensionFunctionAddressForPlatform, name);
}
