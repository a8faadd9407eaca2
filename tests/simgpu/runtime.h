/* SPDX-License-Identifier: MIT */
/* runtime.h -- the simulated libcudart, which knows the driver as the real one does:
 * by one dlopen of libcuda.so.1, one dlsym, and cuGetProcAddress for the rest.
 *
 * So a call of the runtime makes calls of the driver, and whoever watches both
 * sees them nested.
 */
#ifndef SIM_RUNTIME_H
#define SIM_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#define SIM_PUBLIC __attribute__((visibility("default")))
#ifndef SIM_CUDART
#define SIM_CUDART 13
#endif

#define SIM_CALLS(X) \
	X(cuInit, 2000, (unsigned)) \
	X(cuDriverGetVersion, 2020, (int *)) \
	X(cuDeviceGetCount, 2000, (int *)) \
	X(cuDeviceGetName, 2000, (char *, int, int)) \
	X(cuDeviceTotalMem, 3020, (size_t *, int)) \
	X(cuDeviceGetAttribute, 2000, (int *, int, int)) \
	X(cuDeviceGetUuid, 11040, (char *, int)) \
	X(cuDeviceGetPCIBusId, 4010, (char *, int, int)) \
	X(cuDeviceCanAccessPeer, 4000, (int *, int, int)) \
	X(cuDevicePrimaryCtxRetain, 7000, (void **, int)) \
	X(cuDevicePrimaryCtxReset, 11000, (int)) \
	X(cuDevicePrimaryCtxSetFlags, 11000, (int, unsigned)) \
	X(cuDevicePrimaryCtxGetState, 7000, (int, unsigned *, int *)) \
	X(cuCtxGetCurrent, 4000, (void **)) \
	X(cuCtxSetCurrent, 4000, (void *)) \
	X(cuCtxGetDevice, 2000, (int *)) \
	X(cuCtxSynchronize, 2000, (void)) \
	X(cuMemAlloc, 3020, (uint64_t *, size_t)) \
	X(cuMemAllocPitch, 3020, (uint64_t *, size_t *, size_t, size_t, unsigned)) \
	X(cuMemAllocManaged, 6000, (uint64_t *, size_t, unsigned)) \
	X(cuMemHostAlloc, 2020, (void **, size_t, unsigned)) \
	X(cuMemFree, 3020, (uint64_t)) \
	X(cuMemFreeHost, 2000, (void *)) \
	X(cuMemHostRegister, 6050, (void *, size_t, unsigned)) \
	X(cuMemHostUnregister, 4000, (void *)) \
	X(cuMemGetInfo, 3020, (size_t *, size_t *)) \
	X(cuPointerGetAttribute, 4000, (void *, int, uint64_t)) \
	X(cuMemcpyAsync, 4000, (uint64_t, uint64_t, size_t, void *)) \
	X(cuMemcpy2DAsync, 3020, (const void *, void *)) \
	X(cuMemsetD8Async, 3020, (uint64_t, unsigned char, size_t, void *)) \
	X(cuMemAllocAsync, 11020, (uint64_t *, size_t, void *)) \
	X(cuMemAllocFromPoolAsync, 11020, (uint64_t *, size_t, void *, void *)) \
	X(cuMemFreeAsync, 11020, (uint64_t, void *)) \
	X(cuMemPoolCreate, 11020, (void **, const void *)) \
	X(cuMemPoolDestroy, 11020, (void *)) \
	X(cuMemPoolTrimTo, 11020, (void *, size_t)) \
	X(cuMemPoolGetAttribute, 11020, (void *, int, void *)) \
	X(cuMemPoolSetAttribute, 11020, (void *, int, void *)) \
	X(cuDeviceGetDefaultMemPool, 11020, (void **, int)) \
	X(cuDeviceGetMemPool, 11020, (void **, int)) \
	X(cuDeviceSetMemPool, 11020, (int, void *)) \
	X(cuDeviceGraphMemTrim, 11040, (int)) \
	X(cuStreamCreate, 2000, (void **, unsigned)) \
	X(cuStreamCreateWithPriority, 5050, (void **, unsigned, int)) \
	X(cuStreamDestroy, 4000, (void *)) \
	X(cuStreamSynchronize, 2000, (void *)) \
	X(cuStreamQuery, 2000, (void *)) \
	X(cuStreamWaitEvent, 3020, (void *, void *, unsigned)) \
	X(cuStreamBeginCapture, 10010, (void *, int)) \
	X(cuStreamEndCapture, 10000, (void *, void **)) \
	X(cuStreamIsCapturing, 10000, (void *, int *)) \
	X(cuThreadExchangeStreamCaptureMode, 10010, (int *)) \
	X(cuEventCreate, 2000, (void **, unsigned)) \
	X(cuEventDestroy, 4000, (void *)) \
	X(cuEventRecord, 2000, (void *, void *)) \
	X(cuEventQuery, 2000, (void *)) \
	X(cuEventSynchronize, 2000, (void *)) \
	X(cuEventElapsedTime, 2000, (float *, void *, void *)) \
	X(cuLaunchKernel, 4000, \
	  (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, \
	   void **, void **)) \
	X(cuLaunchKernelEx, 11060, (const void *, void *, void **, void **)) \
	X(cuLaunchCooperativeKernel, 9000, \
	  (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, \
	   void **)) \
	X(cuLaunchHostFunc, 10000, (void *, void (*)(void *), void *)) \
	X(cuGraphCreate, 10000, (void **, unsigned)) \
	X(cuGraphDestroy, 10000, (void *)) \
	X(cuGraphGetNodes, 10000, (void *, void **, size_t *)) \
	X(cuGraphInstantiateWithFlags, 11040, (void **, void *, unsigned long long)) \
	X(cuGraphExecUpdate, 12000, (void *, void *, void *)) \
	X(cuGraphExecDestroy, 10000, (void *)) \
	X(cuGraphUpload, 11010, (void *, void *)) \
	X(cuGraphLaunch, 10000, (void *, void *))

struct sim_driver {
#define SIM_MEMBER(name, since, params) int(*name) params;
	SIM_CALLS(SIM_MEMBER)
#undef SIM_MEMBER
	int (*find)(const char *, void **, int, uint64_t, int *);
};

/* Finds and initialises the driver once. SIM_OK, or why there is none. */
int sim_driver(void);
extern struct sim_driver sim_cu;
/* The same, and the device of this thread has its primary context current. */
int sim_runtime_enter(void);
/* Remembers an error for cudaGetLastError, and hands it back. */
int sim_done(int status);

/* A function of the runtime that is one of the driver, in the context of this thread. */
#define SIM_FORWARD(name, params, call, args) \
	SIM_PUBLIC int name params; \
	int name params \
	{ \
		int r = sim_runtime_enter(); \
\
		return sim_done(r ? r : sim_cu.call args); \
	}
/* The same with a parameter `stream`, and its form for the per-thread stream. */
#define SIM_STREAMED(name, params, call, args) \
	SIM_FORWARD(name, params, call, args) \
	SIM_PUBLIC int name##_ptsz params; \
	int name##_ptsz params \
	{ \
		int r = sim_runtime_enter(); \
\
		stream = stream ? stream : (void *)2; \
		return sim_done(r ? r : sim_cu.call args); \
	}

struct sim_dim {
	unsigned x, y, z;
};

#endif
