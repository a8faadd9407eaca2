/* SPDX-License-Identifier: MIT */
/* driver.h -- what driver.c uses of CUDA's driver, declared by ourselves: no SDK is needed.
 *
 *   USE(symbol, asked, params)   asked: the name that cuGetProcAddress knows it by
 */
#ifndef GPU_DRIVER_H
#define GPU_DRIVER_H

#include <stddef.h>
#include <stdint.h>

struct gpu_location {
	int type, id;
};

/* CUmemAllocationProp */
struct gpu_prop {
	int type, handle_types;
	struct gpu_location location;
	void *win32;
	unsigned char flags[8];
};

/* CUmemAccessDesc */
struct gpu_access {
	struct gpu_location location;
	int flags;
};

#define GPU_USES \
	USE(cuInit, cuInit, (unsigned flags)) \
	USE(cuDeviceGetCount, cuDeviceGetCount, (int *n)) \
	USE(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, (void **ctx, int device)) \
	USE(cuCtxSetCurrent, cuCtxSetCurrent, (void *ctx)) \
	USE(cuCtxSynchronize, cuCtxSynchronize, (void)) \
	USE(cuModuleLoadData, cuModuleLoadData, (void **module, const void *image)) \
	USE(cuModuleGetFunction, cuModuleGetFunction, (void **fn, void *module, const char *name)) \
	USE(cuMemAlloc_v2, cuMemAlloc, (uint64_t * p, size_t n)) \
	USE(cuMemAllocManaged, cuMemAllocManaged, (uint64_t * p, size_t n, unsigned flags)) \
	USE(cuMemHostAlloc, cuMemHostAlloc, (void **p, size_t n, unsigned flags)) \
	USE(cuMemFreeHost, cuMemFreeHost, (void *p)) \
	USE(cuMemFree_v2, cuMemFree, (uint64_t p)) \
	USE(cuMemAllocAsync, cuMemAllocAsync, (uint64_t * p, size_t n, void *stream)) \
	USE(cuMemFreeAsync, cuMemFreeAsync, (uint64_t p, void *stream)) \
	USE(cuDeviceGetDefaultMemPool, cuDeviceGetDefaultMemPool, (void **pool, int device)) \
	USE(cuMemPoolTrimTo, cuMemPoolTrimTo, (void *pool, size_t keep)) \
	USE(cuMemGetInfo_v2, cuMemGetInfo, (size_t * free, size_t * total)) \
	USE(cuMemsetD32_v2, cuMemsetD32, (uint64_t p, unsigned value, size_t n)) \
	USE(cuMemcpyHtoD_v2, cuMemcpyHtoD, (uint64_t to, const void *from, size_t n)) \
	USE(cuMemcpyDtoH_v2, cuMemcpyDtoH, (void *to, uint64_t from, size_t n)) \
	USE(cuStreamCreate, cuStreamCreate, (void **stream, unsigned flags)) \
	USE(cuStreamDestroy_v2, cuStreamDestroy, (void *stream)) \
	USE(cuStreamSynchronize, cuStreamSynchronize, (void *stream)) \
	USE(cuStreamBeginCapture_v2, cuStreamBeginCapture, (void *stream, int mode)) \
	USE(cuStreamEndCapture, cuStreamEndCapture, (void *stream, void **graph)) \
	USE(cuGraphInstantiateWithFlags, cuGraphInstantiateWithFlags, \
	    (void **exec, void *graph, unsigned long long flags)) \
	USE(cuGraphLaunch, cuGraphLaunch, (void *exec, void *stream)) \
	USE(cuGraphExecDestroy, cuGraphExecDestroy, (void *exec)) \
	USE(cuGraphDestroy, cuGraphDestroy, (void *graph)) \
	USE(cuLaunchKernel, cuLaunchKernel, \
	    (void *fn, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, \
	     unsigned bz, unsigned shared, void *stream, void **params, void **extra)) \
	USE(cuMemGetAllocationGranularity, cuMemGetAllocationGranularity, \
	    (size_t * n, const struct gpu_prop *prop, int which)) \
	USE(cuMemAddressReserve, cuMemAddressReserve, \
	    (uint64_t * p, size_t n, size_t align, uint64_t near, unsigned long long flags)) \
	USE(cuMemCreate, cuMemCreate, \
	    (uint64_t * handle, size_t n, const struct gpu_prop *prop, unsigned long long flags)) \
	USE(cuMemMap, cuMemMap, \
	    (uint64_t p, size_t n, size_t offset, uint64_t handle, unsigned long long flags)) \
	USE(cuMemSetAccess, cuMemSetAccess, \
	    (uint64_t p, size_t n, const struct gpu_access *access, size_t count)) \
	USE(cuMemUnmap, cuMemUnmap, (uint64_t p, size_t n)) \
	USE(cuMemRelease, cuMemRelease, (uint64_t handle)) \
	USE(cuMemAddressFree, cuMemAddressFree, (uint64_t p, size_t n))

#define USE(symbol, asked, params) typedef int symbol##_gpu params;
GPU_USES
#undef USE

#define USE(symbol, asked, params) symbol##_gpu *symbol;
struct gpu_driver {
	GPU_USES
};
#undef USE

/* Adds 1 to each of n numbers. */
#define GPU_PTX \
	".version 6.0\n.target sm_50\n.address_size 64\n" \
	".visible .entry add_one(.param .u64 p, .param .u32 n)\n{\n" \
	"	.reg .pred %q;\n	.reg .b32 %r<6>;\n	.reg .b64 %d<4>;\n" \
	"	ld.param.u64 %d1, [p];\n	ld.param.u32 %r1, [n];\n" \
	"	mov.u32 %r2, %ctaid.x;\n	mov.u32 %r3, %ntid.x;\n	mov.u32 %r4, %tid.x;\n" \
	"	mad.lo.s32 %r5, %r2, %r3, %r4;\n" \
	"	setp.ge.u32 %q, %r5, %r1;\n	@%q bra DONE;\n" \
	"	cvta.to.global.u64 %d2, %d1;\n	mul.wide.u32 %d3, %r5, 4;\n" \
	"	add.s64 %d2, %d2, %d3;\n" \
	"	ld.global.u32 %r2, [%d2];\n	add.u32 %r2, %r2, 1;\n	st.global.u32 [%d2], " \
	"%r2;\n" \
	"DONE:\n	ret;\n}\n"

#endif
