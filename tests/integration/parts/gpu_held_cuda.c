/* SPDX-License-Identifier: MIT */
/* gpu_held_cuda.c -- memory by CUDA's driver: gpu_held.h. argv[1] names the case. */
#include "../../../hooks/abi/cuda.h"

#define ROWS "../../../hooks/cuda.def"
#include "gpu_held.h"

#define STREAM handle_of(0x70)

static void launch(void)
{
	TELL(cuLaunchKernel(NULL, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL));
}

static void *be_on(int device)
{
	void *ctx = NULL;

	TELL(cuDevicePrimaryCtxRetain(&ctx, device));
	TELL(cuCtxSetCurrent(ctx));
	return ctx;
}

/* By handle: of a device, and at every place of the host. */
static void vmm(void)
{
	struct taf_cu_prop device = { 1, 0, 1, 2 }, host = { 1, 0, 2, 0 }, node = { 1, 0, 3, 5 },
			   nearest = { 1, 0, 4, 0 };
	uint64_t handles[4] = { 0 };

	be_on(1);
	TELL(cuMemCreate(&handles[0], 2 * MIB, &device, 0));
	TELL(cuMemCreate(&handles[1], 4 * MIB, &host, 0));
	TELL(cuMemCreate(&handles[2], 8 * MIB, &node, 0));
	TELL(cuMemCreate(&handles[3], 16 * MIB, &nearest, 0));
	launch();
	TELL(cuMemRelease(handles[1]));
}

/* More than a limit of 8 MiB, on the host and then on the device. */
static void limit(void)
{
	struct taf_cu_prop device = { 1, 0, 1, 0 }, host = { 1, 0, 2, 0 };
	uint64_t handle = 0;

	be_on(0);
	TELL(cuMemCreate(&handle, 16 * MIB, &host, 0));
	TELL(cuMemCreate(&handle, 16 * MIB, &device, 0));
}

/* One of each place, and a stream that is being captured as the program ends. */
static void places(void)
{
	uint64_t p = 0, managed = 0;
	void *pinned = NULL, *execs[2] = { handle_of(0x5000), handle_of(0x5040) };

	be_on(0);
	TELL(cuMemAlloc_v2(&p, 4 * MIB));
	TELL(cuMemAllocManaged(&managed, MIB, 1));
	TELL(cuMemHostAlloc(&pinned, 8 * MIB, 0));
	TELL(cuMemHostRegister_v2(handle_of(0x100000), 3 * MIB, 0));
	TELL(cuGraphInstantiateWithFlags(&execs[0], NULL, 0));
	TELL(cuGraphInstantiateWithFlags(&execs[1], NULL, 0));
	launch();
	TELL(cuStreamBeginCapture_v2(STREAM, 0));
}

static void arrays(void)
{
	struct taf_cu_array_v1 first = { 10, 20, 0x01, 4 }; /* bytes */
	struct taf_cu_array line = { 1000, 0, 0x20, 1 }; /* floats */
	struct taf_cu_array3d_v1 first3d = { 4, 5, 6, 0x10, 2, 0 }; /* halves */
	struct taf_cu_array3d deep = { 8, 8, 8, 0x0a, 4, 0 }; /* 32 bits, with a sign */
	struct taf_cu_array3d levels = { 64, 64, 0, 0x02, 1, 0 }; /* 16 bits */
	void *a[5];

	for (uintptr_t i = 0; i < 5; i++)
		a[i] = handle_of(0x6000 + 64 * i);
	be_on(0);
	TELL(cuArrayCreate(&a[0], &first));
	TELL(cuArrayCreate_v2(&a[1], &line));
	TELL(cuArray3DCreate(&a[2], &first3d));
	TELL(cuArray3DCreate_v2(&a[3], &deep));
	TELL(cuMipmappedArrayCreate(&a[4], &levels, 7));
	launch();
	TELL(cuArrayDestroy(a[3]));
}

/* Given back while another device is current, by each kind of free. */
static void elsewhere(void)
{
	struct taf_cu_prop second = { 1, 0, 1, 2 };
	uint64_t p = 0, later = 0, handle = 0, kept = 0;

	be_on(0);
	TELL(cuMemAlloc_v2(&p, MIB));
	TELL(cuMemAllocAsync(&later, 2 * MIB, NULL));
	TELL(cuMemCreate(&handle, 4 * MIB, &second, 0));
	be_on(1);
	TELL(cuMemAlloc_v2(&kept, 8 * MIB));
	launch();
	TELL(cuCtxSynchronize());
	TELL(cuMemFree_v2(p));
	TELL(cuMemFreeAsync(later, NULL));
	TELL(cuMemRelease(handle));
}

int main(int argc, char **argv)
{
	static const struct held_case cases[] = { { "vmm", vmm },
						  { "limit", limit },
						  { "places", places },
						  { "arrays", arrays },
						  { "elsewhere", elsewhere } };

	return held(cases, sizeof(cases) / sizeof(*cases), argc > 1 ? argv[1] : NULL);
}
