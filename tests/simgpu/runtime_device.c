/* SPDX-License-Identifier: MIT */
/* runtime_device.c -- devices and errors of the simulated runtime. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "runtime.h"

struct sim_driver sim_cu;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int driver_status = SIM_OLD;
static _Thread_local int device, last_error;
static _Thread_local bool is_entered;

static void find_driver(void)
{
	void *lib = dlopen("libcuda.so.1", RTLD_NOW);
	void *p = lib ? dlsym(lib, "cuGetProcAddress_v2") : NULL;
	bool is_whole = p != NULL;
	int status;

	if (!p)
		return;
	memcpy(&sim_cu.find, &p, sizeof(p));
#define FIND(name, since, params) \
	p = NULL; \
	sim_cu.find(#name, &p, since, 0, &status); \
	memcpy(&sim_cu.name, &p, sizeof(p)); \
	is_whole = is_whole && p;
	SIM_CALLS(FIND)
#undef FIND
	if (is_whole)
		driver_status = sim_cu.cuInit(0);
}

int sim_driver(void)
{
	pthread_once(&once, find_driver);
	return driver_status;
}

int sim_done(int status)
{
	if (status)
		last_error = status;
	return status;
}

int sim_runtime_enter(void)
{
	void *ctx = NULL;
	int r = sim_driver();

	if (r)
		return r;
	/* A context that the program itself made current is the one that counts. */
	r = sim_cu.cuCtxGetCurrent(&ctx);
	if (r || (ctx && (is_entered || !device)))
		return r;
	r = sim_cu.cuDevicePrimaryCtxRetain(&ctx, device);
	if (!r)
		r = sim_cu.cuCtxSetCurrent(ctx);
	is_entered = !r;
	return r;
}

SIM_PUBLIC int cudaGetDeviceCount(int *n)
{
	int r = sim_driver();

	return sim_done(r ? r : sim_cu.cuDeviceGetCount(n));
}

SIM_PUBLIC int cudaGetDevice(int *n)
{
	int r = sim_driver();

	if (!r)
		*n = device;
	return sim_done(r);
}

SIM_PUBLIC int cudaSetDevice(int n)
{
	int count = 0, r = cudaGetDeviceCount(&count);
	void *ctx;

	if (!r && (n < 0 || n >= count))
		r = SIM_DEVICE;
	if (!r)
		r = sim_cu.cuDevicePrimaryCtxRetain(&ctx, n);
	if (!r)
		r = sim_cu.cuCtxSetCurrent(ctx);
	if (!r)
		device = n;
	is_entered = is_entered || !r;
	return sim_done(r);
}

SIM_PUBLIC int cudaInitDevice(int n, unsigned flags, unsigned set)
{
	(void)flags;
	(void)set;
	return cudaSetDevice(n);
}

SIM_PUBLIC int cudaSetDeviceFlags(unsigned flags)
{
	int r = sim_driver();

	return sim_done(r ? r : sim_cu.cuDevicePrimaryCtxSetFlags(device, flags));
}

SIM_PUBLIC int cudaDeviceReset(void)
{
	int r = sim_driver();

	is_entered = false;
	return sim_done(r ? r : sim_cu.cuDevicePrimaryCtxReset(device));
}

SIM_FORWARD(cudaDeviceSynchronize, (void), cuCtxSynchronize, ())
SIM_FORWARD(cudaDeviceGraphMemTrim, (int n), cuDeviceGraphMemTrim, (n))
SIM_FORWARD(cudaDeviceGetAttribute, (int *v, int a, int n), cuDeviceGetAttribute, (v, a, n))
SIM_FORWARD(cudaDeviceCanAccessPeer, (int *c, int n, int peer), cuDeviceCanAccessPeer, (c, n, peer))
SIM_FORWARD(cudaDeviceGetPCIBusId, (char *id, int size, int n), cuDeviceGetPCIBusId, (id, size, n))
SIM_FORWARD(cudaDriverGetVersion, (int *v), cuDriverGetVersion, (v))

SIM_PUBLIC int cudaRuntimeGetVersion(int *v)
{
	*v = SIM_CUDART * 1000;
	return SIM_OK;
}

SIM_PUBLIC int cudaDeviceEnablePeerAccess(int peer, unsigned flags)
{
	(void)peer;
	(void)flags;
	return sim_done(sim_runtime_enter());
}

/* Where fields of cudaDeviceProp lie in 12 and in 13, and the attribute that fills them. */
static const struct {
	unsigned short at12, at13, bytes, attribute;
} fields[] = {
	{ 296, 296, 8, 8 },   { 304, 304, 4, 12 }, { 308, 308, 4, 10 }, { 320, 320, 4, 1 },
	{ 324, 324, 4, 2 },   { 328, 328, 4, 3 },  { 332, 332, 4, 4 },	{ 336, 336, 4, 5 },
	{ 340, 340, 4, 6 },   { 344, 344, 4, 7 },  { 352, 352, 8, 9 },	{ 360, 360, 4, 75 },
	{ 364, 364, 4, 76 },  { 388, 384, 4, 16 }, { 396, 388, 4, 18 }, { 400, 392, 4, 19 },
	{ 576, 560, 4, 31 },  { 584, 568, 4, 33 }, { 600, 584, 4, 40 }, { 604, 588, 4, 41 },
	{ 616, 596, 4, 38 },  { 624, 604, 4, 39 }, { 640, 624, 8, 81 }, { 648, 632, 4, 82 },
	{ 652, 636, 4, 83 },  { 676, 656, 4, 89 }, { 688, 668, 4, 95 }, { 696, 672, 8, 97 },
	{ 744, 720, 4, 115 },
};

#define PROPERTIES (SIM_CUDART == 12 ? 1032 : 1008)

static int properties(char *p, int n)
{
	int r = sim_driver(), value = 0;

	if (r)
		return r;
	memset(p, 0, PROPERTIES);
	r = sim_cu.cuDeviceGetName(p, 256, n);
	if (!r)
		r = sim_cu.cuDeviceGetUuid(p + 256, n);
	if (!r)
		r = sim_cu.cuDeviceTotalMem((size_t *)(void *)(p + 288), n);
	for (size_t i = 0; !r && i < sizeof(fields) / sizeof(*fields); i++) {
		r = sim_cu.cuDeviceGetAttribute(&value, fields[i].attribute, n);
		memcpy(p + (SIM_CUDART == 12 ? fields[i].at12 : fields[i].at13), &value,
		       sizeof(value));
	}
	return r;
}

SIM_PUBLIC int cudaGetDeviceProperties(void *p, int n)
{
	return sim_done(properties(p, n));
}

#if SIM_CUDART == 12
SIM_PUBLIC int cudaGetDeviceProperties_v2(void *p, int n)
{
	return sim_done(properties(p, n));
}
#endif

SIM_PUBLIC int cudaGetLastError(void)
{
	int r = last_error;

	last_error = SIM_OK;
	return r;
}

SIM_PUBLIC int cudaPeekAtLastError(void)
{
	return last_error;
}

SIM_PUBLIC const char *cudaGetErrorString(int number)
{
	const struct sim_status_text *t = sim_status_text(number);

	return t ? t->text : "unrecognized error code";
}

SIM_PUBLIC const char *cudaGetErrorName(int number)
{
	const struct sim_status_text *t = sim_status_text(number);

	return t ? t->runtime : "unrecognized error code";
}

static int entry_point(const char *name, void **fn, int version, uint64_t flags, int *status)
{
	int how = 1, r = sim_driver();

	if (!r)
		r = sim_cu.find(name, fn, version, flags, &how);
	if (status)
		*status = how;
	/* Without a place for the answer a missing symbol is an error. */
	return sim_done(!r && how && !status ? SIM_NOT_FOUND : r);
}

SIM_PUBLIC int cudaGetDriverEntryPoint(const char *name, void **fn, unsigned long long flags,
				       int *status)
{
	return entry_point(name, fn, SIM_CUDART * 1000, flags, status);
}

SIM_PUBLIC int cudaGetDriverEntryPoint_ptsz(const char *name, void **fn, unsigned long long flags,
					    int *status)
{
	return entry_point(name, fn, SIM_CUDART * 1000, flags ? flags : 2, status);
}

SIM_PUBLIC int cudaGetDriverEntryPointByVersion(const char *name, void **fn, unsigned version,
						unsigned long long flags, int *status)
{
	return entry_point(name, fn, (int)version, flags, status);
}

SIM_PUBLIC int cudaGetDriverEntryPointByVersion_ptsz(const char *name, void **fn, unsigned version,
						     unsigned long long flags, int *status)
{
	return entry_point(name, fn, (int)version, flags ? flags : 2, status);
}
