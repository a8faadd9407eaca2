/* SPDX-License-Identifier: MIT */
/* driver_device.c -- init, devices and contexts of the simulated driver. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

#define DRIVER_VERSION 13000

struct sim_table sim_objects = SIM_TABLE, sim_pieces = SIM_TABLE;
_Thread_local struct sim_context *sim_current;

static struct sim_context *primaries[SIM_DEVICES];
static pthread_mutex_t context_lock = PTHREAD_MUTEX_INITIALIZER;

void *sim_object(const void *handle, enum sim_kind kind)
{
	struct sim_object *o = sim_table_get(&sim_objects, (uint64_t)(uintptr_t)handle);

	return o && o->kind == kind ? o : NULL;
}

void *sim_object_new(enum sim_kind kind, size_t size)
{
	struct sim_object *o = calloc(1, size);

	if (!o)
		abort();
	o->kind = kind;
	sim_table_put(&sim_objects, (uint64_t)(uintptr_t)o, o);
	return o;
}

void sim_object_free(void *object)
{
	sim_table_take(&sim_objects, (uint64_t)(uintptr_t)object);
	free(object);
}

int sim_enter(void)
{
	int r = sim_ready();

	if (r)
		return r;
	if (!sim_current)
		return SIM_CONTEXT_NONE;
	return sim_object(sim_current, SIM_CONTEXT) ? SIM_OK : SIM_DESTROYED;
}

SIM_PUBLIC int cuInit(unsigned flags)
{
	static _Atomic(int) is_registered;
	int r = flags ? SIM_VALUE : sim_attach();

	if (!r && !atomic_exchange(&is_registered, 1))
		atexit(sim_tear_down);
	return r;
}

SIM_PUBLIC int cuDriverGetVersion(int *version)
{
	if (!version)
		return SIM_VALUE;
	*version = DRIVER_VERSION;
	return SIM_OK;
}

static int device_of(int device)
{
	int r = sim_ready();

	if (r)
		return r;
	return device < 0 || device >= sim_machine->devices ? SIM_DEVICE : SIM_OK;
}

SIM_PUBLIC int cuDeviceGetCount(int *count)
{
	int r = sim_ready();

	if (!r && !count)
		r = SIM_VALUE;
	if (!r)
		*count = sim_machine->devices;
	return r;
}

SIM_PUBLIC int cuDeviceGet(int *device, int ordinal)
{
	int r = device_of(ordinal);

	if (!r && !device)
		r = SIM_VALUE;
	if (!r)
		*device = ordinal;
	return r;
}

SIM_PUBLIC int cuDeviceGetName(char *name, int n, int device)
{
	int r = device_of(device);

	if (!r)
		snprintf(name, (size_t)n, "simgpu (a simulation, nothing is computed)");
	sim_log("cuDeviceGetName %d", r);
	return r;
}

SIM_PUBLIC int cuDeviceTotalMem_v2(size_t *bytes, int device)
{
	int r = device_of(device);

	if (!r)
		*bytes = sim_machine->capacity;
	return r;
}

/* What programs ask for before they choose a kernel; everything else is 0. */
static const struct {
	int attribute, value;
} attributes[] = {
	{ 1, 1024 },	{ 2, 1024 },	 { 3, 1024 },	  { 4, 64 },	{ 5, 2147483647 },
	{ 6, 65535 },	{ 7, 65535 },	 { 8, 49152 },	  { 9, 65536 }, { 10, 32 },
	{ 12, 65536 },	{ 13, 1700000 }, { 15, 1 },	  { 16, 132 },	{ 19, 1 },
	{ 31, 1 },	{ 33, 1 },	 { 36, 2600000 }, { 37, 5120 }, { 38, 1 << 25 },
	{ 39, 2048 },	{ 40, 3 },	 { 41, 1 },	  { 75, 9 },	{ 76, 0 },
	{ 81, 233472 }, { 82, 65536 },	 { 83, 1 },	  { 89, 1 },	{ 95, 1 },
	{ 97, 232448 }, { 102, 1 },	 { 115, 1 },
};

SIM_PUBLIC int cuDeviceGetAttribute(int *value, int attribute, int device)
{
	int r = device_of(device);

	if (r)
		return r;
	*value = 0;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
		if (attributes[i].attribute == attribute)
			*value = attributes[i].value;
	return SIM_OK;
}

SIM_PUBLIC int cuDeviceGetUuid_v2(char *uuid, int device)
{
	static const char made_up[16] = { 's', 'i', 'm', 'g', 'p', 'u' };
	int r = device_of(device);

	if (r)
		return r;
	memcpy(uuid, made_up, sizeof(made_up));
	uuid[15] = (char)(device + 1);
	return SIM_OK;
}

SIM_PUBLIC int cuDeviceGetPCIBusId(char *id, int n, int device)
{
	int r = device_of(device);

	if (!r)
		snprintf(id, (size_t)n, "0000:%02x:00.0", device + 1);
	return r;
}

SIM_PUBLIC int cuDeviceCanAccessPeer(int *can, int device, int peer)
{
	int r = device_of(device);

	if (!r)
		r = device_of(peer);
	if (!r)
		*can = device != peer;
	return r;
}

static struct sim_context *new_context(int device)
{
	struct sim_context *c = sim_object_new(SIM_CONTEXT, sizeof(*c));

	c->device = device;
	c->refs = 1;
	c->legacy = sim_object_new(SIM_STREAM, sizeof(*c->legacy));
	c->legacy->ctx = c;
	c->legacy->queue = sim_queue_open(device);
	sim_log("context of device %d", device);
	return c;
}

/* Destroys whatever is left in it, in flight or not: that is the bug's way in. */
static void end_context(const char *by, struct sim_context *c)
{
	sim_release(by);
	sim_pieces_drop(c);
	sim_queue_close(c->legacy->queue);
	sim_object_free(c->legacy);
	if (sim_current == c)
		sim_current = NULL;
	sim_object_free(c);
}

int sim_primary(int device, struct sim_context **ctx)
{
	int r = device_of(device);

	if (r)
		return r;
	pthread_mutex_lock(&context_lock);
	if (!primaries[device]) {
		primaries[device] = new_context(device);
		primaries[device]->is_primary = true;
		primaries[device]->refs = 0;
	}
	*ctx = primaries[device];
	pthread_mutex_unlock(&context_lock);
	return SIM_OK;
}

SIM_PUBLIC int cuDevicePrimaryCtxRetain(void **ctx, int device)
{
	struct sim_context *c = NULL;
	int r = sim_primary(device, &c);

	if (r)
		return r;
	c->refs++;
	*ctx = c;
	return SIM_OK;
}

static int end_primary(const char *by, int device, bool is_reset)
{
	int r = device_of(device);
	struct sim_context *c;

	if (r)
		return r;
	pthread_mutex_lock(&context_lock);
	c = primaries[device];
	if (!c)
		r = is_reset ? SIM_OK : SIM_CONTEXT_NONE;
	else if (is_reset || --c->refs <= 0)
		primaries[device] = NULL;
	else
		c = NULL;
	pthread_mutex_unlock(&context_lock);
	if (!r && c)
		end_context(by, c);
	return r;
}

SIM_PUBLIC int cuDevicePrimaryCtxRelease_v2(int device)
{
	return end_primary("cuDevicePrimaryCtxRelease_v2", device, false);
}

SIM_PUBLIC int cuDevicePrimaryCtxReset_v2(int device)
{
	return end_primary("cuDevicePrimaryCtxReset_v2", device, true);
}

SIM_PUBLIC int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags)
{
	(void)flags;
	return device_of(device);
}

SIM_PUBLIC int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active)
{
	int r = device_of(device);

	if (r)
		return r;
	*flags = 0;
	*active = primaries[device] != NULL;
	return SIM_OK;
}

SIM_PUBLIC int cuCtxCreate_v2(void **ctx, unsigned flags, int device)
{
	int r = device_of(device);

	(void)flags;
	if (!r)
		*ctx = sim_current = new_context(device);
	return r;
}

SIM_PUBLIC int cuCtxCreate_v3(void **ctx, void *affinity, int n, unsigned flags, int device)
{
	(void)affinity;
	(void)n;
	return cuCtxCreate_v2(ctx, flags, device);
}

SIM_PUBLIC int cuCtxCreate_v4(void **ctx, void *params, unsigned flags, int device)
{
	(void)params;
	return cuCtxCreate_v2(ctx, flags, device);
}

SIM_PUBLIC int cuCtxDestroy_v2(void *ctx)
{
	struct sim_context *c = sim_object(ctx, SIM_CONTEXT);
	int r = sim_ready();

	if (r)
		return r;
	if (!c || c->is_primary)
		return SIM_CONTEXT_NONE;
	end_context("cuCtxDestroy_v2", c);
	return SIM_OK;
}

SIM_PUBLIC int cuCtxGetCurrent(void **ctx)
{
	int r = sim_ready();

	if (!r)
		*ctx = sim_current;
	return r;
}

SIM_PUBLIC int cuCtxSetCurrent(void *ctx)
{
	int r = sim_ready();

	if (!r && ctx && !sim_object(ctx, SIM_CONTEXT))
		r = SIM_CONTEXT_NONE;
	if (!r)
		sim_current = ctx;
	return r;
}

/* A stack of one: what lies deeper is not remembered by this simulation's users. */
static _Thread_local struct sim_context *pushed[16];
static _Thread_local int n_pushed;

SIM_PUBLIC int cuCtxPushCurrent_v2(void *ctx)
{
	struct sim_context *before = sim_current;
	int r = n_pushed < 16 ? cuCtxSetCurrent(ctx) : SIM_VALUE;

	if (!r)
		pushed[n_pushed++] = before;
	return r;
}

SIM_PUBLIC int cuCtxPopCurrent_v2(void **ctx)
{
	int r = sim_enter();

	if (r)
		return r;
	if (ctx)
		*ctx = sim_current;
	sim_current = n_pushed ? pushed[--n_pushed] : NULL;
	return SIM_OK;
}

SIM_PUBLIC int cuCtxGetDevice(int *device)
{
	int r = sim_enter();

	if (!r)
		*device = sim_current->device;
	return r;
}

SIM_PUBLIC int cuCtxGetApiVersion(void *ctx, unsigned *version)
{
	(void)ctx;
	*version = DRIVER_VERSION;
	return sim_ready();
}

SIM_PUBLIC int cuCtxEnablePeerAccess(void *peer, unsigned flags)
{
	(void)flags;
	return sim_object(peer, SIM_CONTEXT) ? sim_enter() : SIM_CONTEXT_NONE;
}

SIM_PUBLIC int cuCtxDisablePeerAccess(void *peer)
{
	return cuCtxEnablePeerAccess(peer, 0);
}

static int synchronize(const char *by, struct sim_context *c)
{
	int r = sim_capture_check_sync(by, NULL);

	if (!r)
		r = sim_wait_device(c->device);
	if (!r)
		sim_pools_settle();
	sim_log("%s %d", by, r);
	return r ? r : sim_ready();
}

SIM_PUBLIC int cuCtxSynchronize(void)
{
	int r = sim_enter();

	return r ? r : synchronize("cuCtxSynchronize", sim_current);
}

SIM_PUBLIC int cuCtxSynchronize_v2(void *ctx)
{
	struct sim_context *c = sim_object(ctx, SIM_CONTEXT);
	int r = sim_ready();

	if (r)
		return r;
	return c ? synchronize("cuCtxSynchronize_v2", c) : SIM_CONTEXT_NONE;
}

SIM_PUBLIC int cuGetErrorName(int number, const char **text)
{
	const struct sim_status_text *t = sim_status_text(number);

	*text = t ? t->driver : NULL;
	return t ? SIM_OK : SIM_VALUE;
}

SIM_PUBLIC int cuGetErrorString(int number, const char **text)
{
	const struct sim_status_text *t = sim_status_text(number);

	*text = t ? t->text : NULL;
	return t ? SIM_OK : SIM_VALUE;
}
