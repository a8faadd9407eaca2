/* SPDX-License-Identifier: MIT */
/* gpu_held_hip.c -- memory by HIP: gpu_held.h. argv[1] names the case. */
#include "../../../hooks/abi/hip.h"

#define ROWS "../../../hooks/hip.def"
#include "gpu_held.h"

static void launch(void)
{
	struct taf_hip_dim3 one = { 1, 2, 3 }, other = { 4, 5, 6 };

	TELL(hipLaunchKernel(NULL, one, other, NULL, 7, NULL));
}

/* By handle: of a device, as versions before 5.3 said it and as later ones do, and at every
 * place of the host. */
static void vmm(void)
{
	struct taf_hip_prop old = { .type = 0, .old = { 1, 3 } };
	struct taf_hip_prop device = { .type = 1, .now = { 1, 2 } };
	struct taf_hip_prop host = { .type = 1, .now = { 2, 0 } };
	struct taf_hip_prop node = { .type = 1, .now = { 3, 5 } };
	struct taf_hip_prop nearest = { .type = 1, .now = { 4, 0 } };
	void *handles[5] = { NULL };

	TELL(hipSetDevice(1));
	TELL(hipMemCreate(&handles[0], MIB, &old, 0));
	TELL(hipMemCreate(&handles[1], 2 * MIB, &device, 0));
	TELL(hipMemCreate(&handles[2], 4 * MIB, &host, 0));
	TELL(hipMemCreate(&handles[3], 8 * MIB, &node, 0));
	TELL(hipMemCreate(&handles[4], 16 * MIB, &nearest, 0));
	launch();
	TELL(hipMemRelease(handles[2]));
}

static void limit(void)
{
	struct taf_hip_prop device = { .type = 1, .now = { 1, 0 } };
	struct taf_hip_prop host = { .type = 1, .now = { 2, 0 } };
	void *handle = NULL;

	TELL(hipSetDevice(0));
	TELL(hipMemCreate(&handle, 16 * MIB, &host, 0));
	TELL(hipMemCreate(&handle, 16 * MIB, &device, 0));
}

static void places(void)
{
	void *p = NULL, *managed = NULL, *pinned = NULL;
	void *execs[2] = { handle_of(0x5000), handle_of(0x5040) };

	TELL(hipSetDevice(0));
	TELL(hipMalloc(&p, 4 * MIB));
	TELL(hipMallocManaged(&managed, MIB, 1));
	TELL(hipHostMalloc(&pinned, 8 * MIB, 0));
	TELL(hipHostRegister(handle_of(0x100000), 3 * MIB, 0));
	TELL(hipGraphInstantiateWithFlags(&execs[0], NULL, 0));
	TELL(hipGraphInstantiateWithFlags(&execs[1], NULL, 0));
	launch();
	TELL(hipStreamBeginCapture(handle_of(0x70), 0));
}

static void arrays(void)
{
	struct taf_hip_channels rgba = { { 8, 8, 8, 8 }, 0 }, half = { { 16, 0, 0, 0 }, 2 };
	void *a[2] = { handle_of(0x6000), handle_of(0x6040) };

	TELL(hipSetDevice(0));
	TELL(hipMallocArray(&a[0], &rgba, 1000, 0, 0));
	TELL(hipMallocArray(&a[1], &half, 30, 20, 0));
	launch();
	TELL(hipFreeArray(a[0]));
}

static void elsewhere(void)
{
	struct taf_hip_prop second = { .type = 1, .now = { 1, 2 } };
	void *p = NULL, *later = NULL, *handle = NULL, *kept = NULL;

	TELL(hipSetDevice(0));
	TELL(hipMalloc(&p, MIB));
	TELL(hipMallocAsync(&later, 2 * MIB, NULL));
	TELL(hipMemCreate(&handle, 4 * MIB, &second, 0));
	TELL(hipSetDevice(1));
	TELL(hipMalloc(&kept, 8 * MIB));
	launch();
	TELL(hipDeviceSynchronize());
	TELL(hipFree(p));
	TELL(hipFreeAsync(later, NULL));
	TELL(hipMemRelease(handle));
}

/* Two devices with pools, of which the second is current. */
static void pools(void)
{
	void *first = NULL, *second = NULL;

	TELL(hipSetDevice(0));
	TELL(hipMallocAsync(&first, MIB, NULL));
	TELL(hipSetDevice(2));
	TELL(hipMallocAsync(&second, 2 * MIB, NULL));
	launch();
}

int main(int argc, char **argv)
{
	static const struct held_case cases[] = {
		{ "vmm", vmm },	      { "limit", limit }, { "places", places },
		{ "arrays", arrays }, { "pools", pools }, { "elsewhere", elsewhere }
	};

	return held(cases, sizeof(cases) / sizeof(*cases), argc > 1 ? argv[1] : NULL);
}
