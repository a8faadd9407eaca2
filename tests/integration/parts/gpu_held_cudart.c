/* SPDX-License-Identifier: MIT */
/* gpu_held_cudart.c -- memory by CUDA's runtime, without a driver: gpu_held.h. argv[1]: a case. */
#include "../../../hooks/abi/cuda.h"

#define ROWS "../../../hooks/cudart.def"
#include "gpu_held.h"

static void launch(void)
{
	struct taf_cu_dim one = { 1, 2, 3 }, other = { 4, 5, 6 };

	TELL(cudaLaunchKernel(NULL, one, other, NULL, 7, NULL));
}

static void places(void)
{
	void *p = NULL, *managed = NULL, *pinned = NULL, *more = NULL, *exec = handle_of(0x5000);

	TELL(cudaSetDevice(0));
	TELL(cudaMalloc(&p, 4 * MIB));
	TELL(cudaMallocManaged(&managed, MIB, 1));
	TELL(cudaMallocHost(&pinned, 8 * MIB));
	TELL(cudaHostAlloc(&more, 2 * MIB, 0));
	TELL(cudaHostRegister(handle_of(0x100000), 3 * MIB, 0));
	TELL(cudaGraphInstantiate(&exec, NULL, 0, 0, 0, 0));
	launch();
	TELL(cudaStreamBeginCapture(handle_of(0x70), 0));
}

static void arrays(void)
{
	struct taf_cu_channels rgba = { 8, 8, 8, 8, 0 }, wide = { 32, 32, 0, 0, 2 },
			       half = { 16, 0, 0, 0, 2 };
	void *a[3];

	for (uintptr_t i = 0; i < 3; i++)
		a[i] = handle_of(0x6000 + 64 * i);
	TELL(cudaSetDevice(0));
	TELL(cudaMallocArray(&a[0], &rgba, 1000, 0, 0));
	TELL(cudaMalloc3DArray(&a[1], &wide, (struct taf_cu_extent){ 8, 8, 8 }, 0));
	TELL(cudaMallocMipmappedArray(&a[2], &half, (struct taf_cu_extent){ 64, 64, 0 }, 7, 0));
	launch();
	TELL(cudaFreeArray(a[1]));
}

static void elsewhere(void)
{
	void *p = NULL, *later = NULL, *kept = NULL;

	TELL(cudaSetDevice(0));
	TELL(cudaMalloc(&p, MIB));
	TELL(cudaMallocAsync(&later, 2 * MIB, NULL));
	TELL(cudaSetDevice(1));
	TELL(cudaMalloc(&kept, 8 * MIB));
	launch();
	TELL(cudaDeviceSynchronize());
	TELL(cudaFree(p));
	TELL(cudaFreeAsync(later, NULL));
}

int main(int argc, char **argv)
{
	static const struct held_case cases[] = { { "places", places },
						  { "arrays", arrays },
						  { "elsewhere", elsewhere } };

	return held(cases, sizeof(cases) / sizeof(*cases), argc > 1 ? argv[1] : NULL);
}
