/* SPDX-License-Identifier: MIT */
#include "hip_ops.h"

#include <errno.h>

#include "abi/hip.h"
#include "hook.h"

#define TAF_ROWS "hip.def"
#define TAF_TABLE taf_table_hip
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#define POOLS 16
#define RESERVED_NOW 5 /* hipMemPoolAttrReservedMemCurrent */
#define USED_NOW 7 /* hipMemPoolAttrUsedMemCurrent */

/* Pools that the program made; more than these are not trimmed. */
static _Atomic(void *) pools[POOLS];

int taf_hip_last_error(const void *home)
{
	hipPeekAtLastError_fn *peek = THEIRS(hipPeekAtLastError, home);
	int r;

	if (!peek)
		return 0;
	taf_tls.inside++;
	r = peek();
	taf_tls.inside--;
	return r;
}

void taf_hip_forget_error(const void *home)
{
	hipGetLastError_fn *get = THEIRS(hipGetLastError, home);

	if (!get)
		return;
	taf_tls.inside++;
	get();
	taf_tls.inside--;
}

void taf_hip_pool(void *from, void *to)
{
	for (int i = 0; i < POOLS; i++) {
		void *is = from;

		if (atomic_compare_exchange_strong(&pools[i], &is, to))
			return;
	}
}

/* Whether this process has taken memory on a device: only then it is asked anything. */
static bool is_used(uint32_t device)
{
	struct taf_live_sum sum;

	taf_live_sum(TAF_API_HIP, device, &sum);
	return sum.peak || sum.pieces[TAF_AT_HOST] || sum.pieces[TAF_AT_GRAPH];
}

/* Does what to each device in use; the thread's current one stays. */
static int each_device(int (*what)(int device, const void *home, void *arg), const void *home,
		       void *arg)
{
	hipSetDevice_fn *set = THEIRS(hipSetDevice, home);
	hipGetDevice_fn *get = THEIRS(hipGetDevice, home);
	int had = 0, r = 0, before = taf_hip_last_error(home);

	if (!set || !get)
		return -ENOSYS;
	r = get(&had);
	for (uint32_t d = 0; !r && d < TAF_LIVE_DEVICES; d++) {
		int failed;

		if ((int)d != had && !is_used(d))
			continue;
		failed = (int)d != had ? set((int)d) : 0;
		r = failed ? failed : what((int)d, home, arg);
		if ((int)d != had)
			set(had);
	}
	if (r && !before)
		taf_hip_forget_error(home);
	return r > 0 ? -EIO : r ? -ENOSYS : 0;
}

static int sync_device(int device, const void *home, void *arg)
{
	hipDeviceSynchronize_fn *sync = THEIRS(hipDeviceSynchronize, home);

	(void)device;
	(void)arg;
	return sync ? sync() : -1;
}

static int sync_stream(void *stream, const void *home)
{
	hipStreamSynchronize_fn *sync = THEIRS(hipStreamSynchronize, home);
	int before = taf_hip_last_error(home), r = sync ? sync(stream) : -1;

	if (r > 0 && !before)
		taf_hip_forget_error(home);
	return r > 0 ? -EIO : r ? -ENOSYS : 0;
}

static int sync_all(void *handle, const void *home)
{
	if (handle != (const void *)TAF_SELF)
		return sync_stream(handle, home);
	return each_device(sync_device, home, NULL);
}

/* What a device does not have, a pool or graphs, is no failure. */
static int trim_device(int device, const void *home, void *arg)
{
	hipDeviceGetDefaultMemPool_fn *standard = THEIRS(hipDeviceGetDefaultMemPool, home);
	hipDeviceGetMemPool_fn *current = THEIRS(hipDeviceGetMemPool, home);
	hipMemPoolTrimTo_fn *trim = THEIRS(hipMemPoolTrimTo, home);
	hipDeviceGraphMemTrim_fn *graphs = THEIRS(hipDeviceGraphMemTrim, home);
	void *first = NULL, *second = NULL;
	int before = taf_hip_last_error(home), r = 0;

	(void)arg;
	if (trim && standard && !(r |= standard(&first, device)) && first)
		r |= trim(first, 0);
	if (trim && current && !(r |= current(&second, device)) && second && second != first)
		r |= trim(second, 0);
	if (graphs)
		r |= graphs(device);
	if (r && !before)
		taf_hip_forget_error(home);
	return 0;
}

static int trim_all(void *handle, const void *home)
{
	hipMemPoolTrimTo_fn *trim = THEIRS(hipMemPoolTrimTo, home);

	(void)handle;
	for (int i = 0; trim && i < POOLS; i++) {
		void *pool = atomic_load(&pools[i]);

		if (pool)
			trim(pool, 0);
	}
	return each_device(trim_device, home, NULL);
}

static int memory_of(void *handle, const void *home, struct taf_memory *out)
{
	hipMemGetInfo_fn *info = THEIRS(hipMemGetInfo, home);
	size_t free = 0, total = 0;
	int before = taf_hip_last_error(home);

	(void)handle;
	if (!info)
		return -ENOSYS;
	if (info(&free, &total)) {
		if (!before)
			taf_hip_forget_error(home);
		return -EIO;
	}
	out->free = free;
	out->total = total;
	return 0;
}

/* What a device's pools keep and nobody uses. */
static int slack_device(int device, const void *home, void *arg)
{
	hipDeviceGetMemPool_fn *current = THEIRS(hipDeviceGetMemPool, home);
	hipMemPoolGetAttribute_fn *get = THEIRS(hipMemPoolGetAttribute, home);
	uint64_t reserved = 0, used = 0, *bytes = arg;
	int before = taf_hip_last_error(home), r = !current || !get;
	void *pool = NULL;

	r = r ? r : current(&pool, device);
	r = r ? r : get(pool, RESERVED_NOW, &reserved);
	r = r ? r : get(pool, USED_NOW, &used);
	if (!r && reserved > used)
		*bytes += reserved - used;
	if (r && !before)
		taf_hip_forget_error(home);
	return 0;
}

static int slack_of(void *handle, const void *home, uint64_t *bytes)
{
	(void)handle;
	*bytes = 0;
	return each_device(slack_device, home, bytes);
}

const struct taf_ops taf_hip_ops = {
	.sync = sync_all, .trim = trim_all, .memory = memory_of, .slack = slack_of
};
