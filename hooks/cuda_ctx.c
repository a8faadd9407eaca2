/* SPDX-License-Identifier: MIT */
#include "cuda_ctx.h"

#include <errno.h>

#include "../shim/grip.h"
#include "abi/cuda.h"
#include "handle_map.h"
#include "cuda_wait.h"
#include "hook.h"

#define TAF_ROWS "cuda.def"
#define TAF_TABLE taf_table_cuda
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#define CONTEXTS 32 /* made by cuCtxCreate; more are not drained */
#define DEVICES 64

struct context {
	_Atomic(bool) is_taken; /* by whoever fills it, until it is free again */
	_Atomic(void *) handle; /* NULL: there is none, or not yet */
	_Atomic(uint32_t) device;
	struct taf_grip grip; /* of a drain */
};

static struct context contexts[CONTEXTS];
static _Atomic(int32_t) retains[DEVICES]; /* of the primary ones, as far as seen */
static _Atomic(int32_t) owner; /* the process of all that */

/* A fork child cannot use what its parent made. */
static void be_owner(void)
{
	int32_t me = taf_sys_pid(), was = atomic_load(&owner);

	if (was == me)
		return;
	for (int i = 0; was && i < CONTEXTS; i++) {
		atomic_store(&contexts[i].handle, NULL);
		atomic_store(&contexts[i].grip.holder, 0);
		atomic_store(&contexts[i].is_taken, false);
	}
	for (int i = 0; was && i < DEVICES; i++)
		atomic_store(&retains[i], 0);
	if (was)
		taf_cuda_streams_forget();
	atomic_store(&owner, me);
}

bool taf_cuda_is_there(const void *home)
{
	return THEIRS(cuCtxSynchronize, home) && THEIRS(cuDevicePrimaryCtxGetState, home);
}

static bool device_now(const void *home, int *device)
{
	cuCtxGetDevice_fn *get = THEIRS(cuCtxGetDevice, home);
	int r;

	if (!get)
		return false;
	taf_tls.inside++;
	r = get(device);
	taf_tls.inside--;
	return !r && *device >= 0;
}

void taf_cuda_ctx_current(const void *home)
{
	int device;

	if (taf_state_now() != TAF_OFF && device_now(home, &device))
		taf_tls.device = (uint32_t)device;
}

void taf_cuda_ctx_made(void *ctx, const void *home)
{
	taf_cuda_ctx_current(home);
	be_owner();
	for (int i = 0; ctx && i < CONTEXTS; i++) {
		struct context *c = &contexts[i];

		if (atomic_exchange(&c->is_taken, true))
			continue;
		/* The device first: who sees the handle uses both. */
		atomic_store(&c->device, taf_tls.device);
		atomic_store(&c->handle, ctx);
		return;
	}
}

bool taf_cuda_ctx_going(void *ctx, uint32_t *device)
{
	bool is_free;

	be_owner();
	is_free = !ctx || taf_cuda_streams_going(ctx, 0);
	for (int i = 0; ctx && i < CONTEXTS; i++) {
		struct context *c = &contexts[i];
		uint32_t its = atomic_load(&c->device);
		void *had = ctx;

		if (!atomic_compare_exchange_strong(&c->handle, &had, NULL))
			continue;
		*device = its;
		is_free &= taf_grip_is_free(&c->grip);
		atomic_store(&c->is_taken, false);
		return is_free;
	}
	return is_free;
}

static bool is_primary_active(int device, const void *home)
{
	cuDevicePrimaryCtxGetState_fn *state = THEIRS(cuDevicePrimaryCtxGetState, home);
	unsigned flags;
	int active = 0;

	return state && !state(device, &flags, &active) && active;
}

static bool has_context(uint32_t device, const void *home)
{
	bool has = is_primary_active((int)device, home);

	for (int i = 0; i < CONTEXTS; i++)
		has |= atomic_load(&contexts[i].handle) &&
		       atomic_load(&contexts[i].device) == device;
	return has;
}

void taf_cuda_ctx_gone(uint32_t device, const void *home)
{
	bool has_any = false;

	be_owner();
	taf_tls.inside++;
	if (!has_context(device, home)) {
		taf_live_drop(TAF_API_CUDA, device);
		taf_map_forget_gone(TAF_API_CUDA);
		taf_captures_dropped(device);
	}
	for (uint32_t d = 0; d < DEVICES && !has_any; d++)
		has_any = has_context(d, home);
	taf_tls.inside--;
	if (!has_any) {
		taf_map_forget(TAF_API_CUDA);
		taf_flight_drop(TAF_FLIGHT_EVERY(TAF_API_CUDA));
	}
}

void taf_cuda_primary_retained(uint32_t device)
{
	be_owner();
	if (device < DEVICES)
		atomic_fetch_add(&retains[device], 1);
}

bool taf_cuda_primary_is_last(uint32_t device)
{
	int32_t seen = device < DEVICES ? atomic_load(&retains[device]) : 0;

	be_owner();
	while (seen > 0 && !atomic_compare_exchange_weak(&retains[device], &seen, seen - 1))
		;
	return seen <= 1;
}

/* What is done in one context, which is current then. */
typedef int in_context(const void *home, void *arg);

static int in_one(void *ctx, const void *home, in_context *fn, void *arg)
{
	cuCtxPushCurrent_v2_fn *push = THEIRS(cuCtxPushCurrent_v2, home);
	cuCtxPopCurrent_v2_fn *pop = THEIRS(cuCtxPopCurrent_v2, home);
	void *old;
	int r;

	if (!push || !pop)
		return -ENOSYS;
	if (push(ctx))
		return -EIO;
	r = fn(home, arg);
	pop(&old);
	return r;
}

/* Retained meanwhile, so that nobody destroys it under us. The program's last release may
 * come meanwhile: then it is ours that destroys it. */
static int in_primary(int device, const void *home, in_context *fn, void *arg)
{
	cuDevicePrimaryCtxRetain_fn *retain = THEIRS(cuDevicePrimaryCtxRetain, home);
	cuDevicePrimaryCtxRelease_v2_fn *release = THEIRS(cuDevicePrimaryCtxRelease_v2, home);
	void *ctx;
	int r;

	if (!release)
		release = THEIRS(cuDevicePrimaryCtxRelease, home); /* drivers before 11 */
	if (!retain || !release)
		return -ENOSYS;
	if (retain(&ctx, device))
		return -EIO;
	r = in_one(ctx, home, fn, arg);
	release(device);
	if (!is_primary_active(device, home))
		taf_cuda_ctx_gone((uint32_t)device, home);
	return r;
}

static uint64_t deadline(void)
{
	return taf_sys_mono_ns() + (uint64_t)taf_rules.drain_deadline_ms * 1000000;
}

/* only: it and no other; NULL: whichever is there. */
static int in_made(struct context *c, const void *only, const void *home, in_context *fn, void *arg)
{
	void *ctx;
	int r = 0;

	if (!taf_grip_take(&c->grip, deadline()))
		return -ETIMEDOUT;
	ctx = atomic_load(&c->handle);
	if (ctx && (!only || ctx == only))
		r = in_one(ctx, home, fn, arg);
	taf_grip_let(&c->grip);
	return r;
}

/* In every context of the process. 0, or the first failure. */
static int in_all(const void *home, in_context *fn, void *arg)
{
	cuDevicePrimaryCtxGetState_fn *state = THEIRS(cuDevicePrimaryCtxGetState, home);
	unsigned flags;
	int err = 0, active;

	be_owner();
	/* The first device that does not exist ends the list. */
	for (int d = 0; state && d < DEVICES && !state(d, &flags, &active); d++) {
		int r = active ? in_primary(d, home, fn, arg) : 0;

		err = err ? err : r;
	}
	for (int i = 0; i < CONTEXTS; i++) {
		int r = atomic_load(&contexts[i].handle)
				? in_made(&contexts[i], NULL, home, fn, arg)
				: 0;

		err = err ? err : r;
	}
	return err;
}

static int sync_one(const void *home, void *arg)
{
	const uint64_t *until = arg;

	return taf_cuda_wait_context(*until, home);
}

struct one_stream {
	void *stream;
	uint64_t until;
};

static int sync_stream(const void *home, void *arg)
{
	const struct one_stream *s = arg;

	return taf_cuda_wait_stream(s->stream, s->until, home);
}

static bool has_current(const void *home)
{
	cuCtxGetCurrent_fn *get = THEIRS(cuCtxGetCurrent, home);
	void *now = NULL;

	return !get || get(&now) || now;
}

/* A thread that destroys a stream may have no context: it is asked in the stream's own, which
 * another thread may destroy at this moment. */
static int sync_apart(struct one_stream *one, const void *home)
{
	struct taf_cuda_stream of;

	be_owner();
	if (!taf_cuda_stream_of(one->stream, &of))
		return sync_stream(home, one);
	for (int i = 0; i < CONTEXTS; i++)
		if (atomic_load(&contexts[i].handle) == of.ctx)
			return in_made(&contexts[i], of.ctx, home, sync_stream, one);
	if (is_primary_active((int)of.device, home))
		return in_primary((int)of.device, home, sync_stream, one);
	return sync_stream(home, one);
}

int taf_cuda_sync(bool all, void *stream, const void *home)
{
	struct one_stream one = { stream, deadline() };

	if (all)
		return in_all(home, sync_one, &one.until);
	return has_current(home) ? sync_stream(home, &one) : sync_apart(&one, home);
}

/* The pools of the current device: what it began with, and what it uses now. Returns how
 * many; a driver or a device without pools says so, and has none. */
static int pools_of(int device, const void *home, void *pools[2])
{
	cuDeviceGetDefaultMemPool_fn *first = THEIRS(cuDeviceGetDefaultMemPool, home);
	cuDeviceGetMemPool_fn *current = THEIRS(cuDeviceGetMemPool, home);
	int n = 0;

	if (first && !first(&pools[n], device) && pools[n])
		n++;
	if (current && !current(&pools[n], device) && pools[n] && (!n || pools[1] != pools[0]))
		n++;
	return n;
}

/* A pool gives back what was freed once the host has waited for it: a query does not count.
 * All is done by now (act.c has synchronized, with a deadline), so this wait is short. */
static int trim_one(const void *home, void *arg)
{
	cuCtxSynchronize_fn *sync = THEIRS(cuCtxSynchronize, home);
	cuMemPoolTrimTo_fn *trim = THEIRS(cuMemPoolTrimTo, home);
	cuDeviceGraphMemTrim_fn *graphs = THEIRS(cuDeviceGraphMemTrim, home);
	void *pools[2];
	int device, n;

	(void)arg;
	if (!device_now(home, &device) || (sync && sync()))
		return -EIO;
	n = pools_of(device, home, pools);
	for (int i = 0; trim && i < n; i++)
		trim(pools[i], 0);
	if (graphs)
		graphs(device);
	return 0;
}

/* CUmemPool_attribute */
enum { RESERVED_NOW = 5, USED_NOW = 7 };

static int slack_one(const void *home, void *arg)
{
	cuMemPoolGetAttribute_fn *get = THEIRS(cuMemPoolGetAttribute, home);
	uint64_t *bytes = arg, reserved, used;
	void *pools[2];
	int device, n;

	if (!get || !device_now(home, &device))
		return -ENOSYS;
	n = pools_of(device, home, pools);
	for (int i = 0; i < n; i++)
		if (!get(pools[i], RESERVED_NOW, &reserved) && !get(pools[i], USED_NOW, &used) &&
		    reserved > used)
			*bytes += reserved - used;
	return 0;
}

int taf_cuda_slack(const void *home, uint64_t *bytes)
{
	*bytes = 0;
	return in_all(home, slack_one, bytes);
}

int taf_cuda_trim(const void *home)
{
	return in_all(home, trim_one, NULL);
}

static int memory_one(const void *home, void *arg)
{
	cuMemGetInfo_v2_fn *info = THEIRS(cuMemGetInfo_v2, home);
	struct taf_memory *out = arg;
	size_t n_free, n_total;

	if (!info)
		return -ENOSYS;
	if (info(&n_free, &n_total))
		return -EIO;
	out->free = n_free;
	out->total = n_total;
	return 0;
}

/* Of this thread's device, and only where the program has a context on it already. */
int taf_cuda_memory(const void *home, struct taf_memory *out)
{
	cuCtxGetCurrent_fn *get = THEIRS(cuCtxGetCurrent, home);
	void *ctx = NULL;

	if (!get || get(&ctx))
		return -ENODEV;
	if (ctx)
		return memory_one(home, out);
	if (!is_primary_active((int)taf_tls.device, home))
		return -ENODEV;
	return in_primary((int)taf_tls.device, home, memory_one, out);
}

/* Both questions need no context, and make none: but they need cuInit, which is the program's
 * own to call. */
int taf_cuda_device(uint32_t number, const void *home, struct taf_device *out)
{
	cuDeviceGetName_fn *name = THEIRS(cuDeviceGetName, home);
	cuDeviceTotalMem_v2_fn *total = THEIRS(cuDeviceTotalMem_v2, home);
	size_t bytes = 0;

	be_owner();
	if (!name)
		return -ENOSYS;
	if (!has_context(number, home))
		return -ENODEV;
	if (name(out->name, (int)sizeof(out->name), (int)number))
		return -EIO;
	if (total && !total(&bytes, (int)number))
		out->bytes = bytes;
	return 0;
}

int taf_cuda_is_captured(uint64_t queue, const void *home)
{
	cuStreamIsCapturing_fn *ask = THEIRS(cuStreamIsCapturing, home);
	int status = 0;

	if (!ask)
		return -ENOSYS;
	return ask(taf_pointer_of(queue), &status) ? -EIO : status != 0;
}
