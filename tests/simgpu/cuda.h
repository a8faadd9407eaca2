/* SPDX-License-Identifier: MIT */
/* cuda.h -- what the test programs of this folder use of CUDA, declared by ourselves:
 * no SDK is needed.  Types are plain integers and pointers. */
#ifndef SIM_CUDA_H
#define SIM_CUDA_H

#include <stddef.h>
#include <stdint.h>

struct cuda_dim {
	unsigned x, y, z;
};

int cudaGetDeviceCount(int *n);
int cudaGetDeviceProperties(void *p, int n);
int cudaSetDevice(int n);
int cudaDeviceReset(void);
int cudaDeviceSynchronize(void);
int cudaDeviceGraphMemTrim(int n);
int cudaGetLastError(void);
int cudaPeekAtLastError(void);
const char *cudaGetErrorName(int number);
int cudaGetDriverEntryPoint(const char *name, void **fn, unsigned long long flags, int *status);
int cudaMalloc(void **p, size_t n);
int cudaFree(void *p);
int cudaMemGetInfo(size_t *free_bytes, size_t *total);
int cudaMallocAsync(void **p, size_t n, void *stream);
int cudaFreeAsync(void *p, void *stream);
int cudaDeviceGetDefaultMemPool(void **pool, int n);
int cudaMemPoolTrimTo(void *pool, size_t keep);
int cudaMemPoolGetAttribute(void *pool, int which, void *value);
int cudaMemPoolSetAttribute(void *pool, int which, void *value);
int cudaMemcpy(void *to, const void *from, size_t n, int kind);
int cudaMemcpyAsync(void *to, const void *from, size_t n, int kind, void *stream);
int cudaMemset(void *to, int value, size_t n);
int cudaStreamCreateWithFlags(void **stream, unsigned flags);
int cudaStreamDestroy(void *stream);
int cudaStreamSynchronize(void *stream);
int cudaStreamQuery(void *stream);
int cudaStreamWaitEvent(void *stream, void *event, unsigned flags);
int cudaEventCreateWithFlags(void **event, unsigned flags);
int cudaEventRecord(void *event, void *stream);
int cudaEventQuery(void *event);
int cudaEventSynchronize(void *event);
int cudaEventElapsedTime(float *ms, void *from, void *to);
int cudaLaunchKernel(const void *fn, struct cuda_dim grid, struct cuda_dim block, void **args,
		     size_t shared, void *stream);
int cudaLaunchHostFunc(void *stream, void (*fn)(void *), void *arg);
int cudaStreamBeginCapture(void *stream, int mode);
int cudaStreamEndCapture(void *stream, void **graph);
int cudaStreamIsCapturing(void *stream, int *status);
int cudaGraphInstantiate(void **exec, void *graph, unsigned long long flags);
int cudaGraphExecUpdate(void *exec, void *graph, void *info);
int cudaGraphLaunch(void *exec, void *stream);
int cudaGraphExecDestroy(void *exec);
int cudaGraphDestroy(void *graph);

int cuInit(unsigned flags);
int cuDeviceGetCount(int *n);
int cuCtxSynchronize(void);
int cuLaunchKernel(void *fn, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
		   unsigned bz, unsigned shared, void *stream, void **params, void **extra);
int cuModuleLoadData(void **module, const void *image);
int cuModuleGetFunction(void **fn, void *module, const char *name);
int cuModuleUnload(void *module);
int cuLibraryLoadData(void **library, const void *code, const int *options, void **values,
		      unsigned n, const int *more, void **more_values, unsigned n_more);
int cuLibraryGetKernel(void **kernel, void *library, const char *name);
int cuLibraryUnload(void *library);
int cuStreamDestroy_v2(void *stream);
int cuGetProcAddress(const char *name, void **out, int version, uint64_t flags);
int cuGetProcAddress_v2(const char *name, void **out, int version, uint64_t flags, int *status);
int cuMemAddressReserve(uint64_t *at, size_t n, size_t align, uint64_t hint,
			unsigned long long flags);
int cuMemAddressFree(uint64_t at, size_t n);
int cuMemCreate(uint64_t *handle, size_t n, const void *props, unsigned long long flags);
int cuMemRelease(uint64_t handle);
int cuMemMap(uint64_t at, size_t n, size_t offset, uint64_t handle, unsigned long long flags);
int cuMemUnmap(uint64_t at, size_t n);
int cuMemRetainAllocationHandle(uint64_t *handle, void *at);
int cuMemPrefetchAsync(uint64_t at, size_t n, int device, void *stream);
int cuMemSetAccess(uint64_t at, size_t n, const void *desc, size_t count);

/* A kernel is the address of something. */
static inline int cuda_launch(void *stream)
{
	static const char kernel[] = "a kernel";
	struct cuda_dim one = { 1, 1, 1 };

	return cudaLaunchKernel(kernel, one, one, NULL, 0, stream);
}

#endif
