/* SPDX-License-Identifier: MIT */
/* cl_two.c -- -DLIBRARY: an OpenCL with two platforms, whose functions for unified memory
 * are reached by clGetExtensionFunctionAddressForPlatform alone, and are one driver's each.
 * Else a program that takes memory of both. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *take_fn(void *context, void *device, const uint64_t *properties, size_t size,
		      uint32_t alignment, int32_t *error);
typedef int32_t give_fn(void *context, void *memory);

void *clCreateContext(const intptr_t *properties, uint32_t count, void *const *devices,
		      void *notify, void *data, int32_t *error);
void *clGetExtensionFunctionAddressForPlatform(void *platform, const char *name);

#ifdef LIBRARY
static char platforms[2]; /* a context is its platform */

static void must_be(const void *context, int platform, const char *name)
{
	if (context == &platforms[platform])
		return;
	printf("platform %d: %s got what is not its own\n", platform, name);
	exit(97);
}

#define DRIVER(n) \
	static void *take_##n(void *context, void *device, const uint64_t *properties, \
			      size_t size, uint32_t alignment, int32_t *error) \
	{ \
		static char memory[16]; \
		(void)device, (void)properties, (void)size, (void)alignment; \
		must_be(context, n, "take"); \
		*error = 0; \
		return memory; \
	} \
	static int32_t give_##n(void *context, void *memory) \
	{ \
		must_be(context, n, "give"); \
		return memory ? 0 : -30; \
	}
DRIVER(0)
DRIVER(1)

/* The first device of the list names the platform. */
void *clCreateContext(const intptr_t *properties, uint32_t count, void *const *devices,
		      void *notify, void *data, int32_t *error)
{
	(void)properties, (void)count, (void)notify, (void)data;
	*error = 0;
	return devices[0] ? &platforms[1] : &platforms[0];
}

void *clGetExtensionFunctionAddressForPlatform(void *platform, const char *name)
{
	int is_second = platform != NULL;
	take_fn *take = is_second ? take_1 : take_0;
	give_fn *give = is_second ? give_1 : give_0;
	void *p = NULL;

	if (!strcmp(name, "clDeviceMemAllocINTEL"))
		memcpy(&p, &take, sizeof(p));
	if (!strcmp(name, "clMemFreeINTEL"))
		memcpy(&p, &give, sizeof(p));
	return p;
}
#else
static void use(void *platform)
{
	int32_t error = 1;
	void *context = clCreateContext(NULL, 1, &platform, NULL, NULL, &error);
	void *p = clGetExtensionFunctionAddressForPlatform(platform, "clDeviceMemAllocINTEL");
	void *q = clGetExtensionFunctionAddressForPlatform(platform, "clMemFreeINTEL"), *memory;
	take_fn *take;
	give_fn *give;

	memcpy(&take, &p, sizeof(take));
	memcpy(&give, &q, sizeof(give));
	memory = take(context, NULL, NULL, 1000, 0, &error);
	printf("taken %d, error %d, given %d\n", memory != NULL, error, give(context, memory));
}

int main(void)
{
	static char second;

	for (int i = 0; i < 2; i++) {
		use(NULL);
		use(&second);
	}
	return 0;
}
#endif
