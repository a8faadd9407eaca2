/* SPDX-License-Identifier: MIT */
#include "hip_ops.h"

#include <errno.h>

#include "../shim/patience.h"
#include "abi/hip.h"
#include "hip_kept.h"
#include "hook.h"

#define TAF_ROWS "hip.def"
#define TAF_TABLE taf_table_hip
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#define RESERVED_NOW 5 /* hipMemPoolAttrReservedMemCurrent */
#define USED_NOW 7 /* hipMemPoolAttrUsedMemCurrent */

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

/* After calls of ours: the error is no longer one of theirs. */
static void restore_error(int before, const void *home)
{
	if (!before && taf_hip_last_error(home))
		taf_hip_forget_error(home);
}

/* Whether this process has taken memory on a device or has work there: only then it is
 * asked anything. */
static bool is_used(uint32_t device)
{
	struct taf_live_sum sum;

	taf_live_sum(TAF_API_HIP, device, &sum);
	return sum.peak || sum.pieces[TAF_AT_HOST] || sum.pieces[TAF_AT_GRAPH] ||
	       taf_flight_is_on(TAF_API_HIP, device);
}

/* Does what to each device in use; the thread's current one stays. What gives 0, -errno
 * or an error of theirs. */
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
	restore_error(before, home);
	return r > 0 ? -EIO : r;
}

/* hipStreamPerThread */
static void *own_default(void)
{
	union {
		uintptr_t n;
		void *p;
	} u = { .n = TAF_OWN_QUEUE };

	return u.p;
}

static int wait_stream(void *stream, uint64_t until, const void *home)
{
	hipStreamQuery_fn *query = THEIRS(hipStreamQuery, home);
	struct taf_patience p = { taf_sys_mono_ns(), until };
	int r;

	if (!query)
		return -ENOSYS;
	while ((r = query(stream)) == TAF_HIP_NOT_READY)
		if (!taf_has_time(&p))
			return -ETIMEDOUT;
	return r ? -EIO : 0;
}

static int ask_known(uint32_t i, uint32_t device, hipStreamQuery_fn *query)
{
	void *stream;
	int r = taf_hip_hold(i, TAF_HIP_STREAM, device, &stream);

	if (r)
		return r == -ETIMEDOUT ? TAF_HIP_NOT_READY : 0;
	r = query(stream);
	taf_hip_let(i);
	return r;
}

/* What was done once is not asked again: others go on submitting. */
static int wait_known(uint32_t device, uint64_t until, hipStreamQuery_fn *query)
{
	uint64_t done[TAF_HIP_PLACES / 64] = { 0 };
	struct taf_patience p = { taf_sys_mono_ns(), until };
	uint32_t n = taf_hip_kept_count(), busy;

	do {
		busy = 0;
		for (uint32_t i = 0; i < n; i++) {
			int r = done[i / 64] >> i % 64 & 1 ? 0 : ask_known(i, device, query);

			if (r && r != TAF_HIP_NOT_READY)
				return -EIO;
			busy += r != 0;
			done[i / 64] |= (uint64_t)!r << i % 64;
		}
	} while (busy && taf_has_time(&p));
	return busy ? -ETIMEDOUT : 0;
}

/* What was submitted to the known streams of a device, and to its default one. At the exit
 * all of it: the watchdog of exit.deadline stands behind. */
static int sync_device(int device, const void *home, void *arg)
{
	hipDeviceSynchronize_fn *sync = THEIRS(hipDeviceSynchronize, home);
	hipStreamQuery_fn *query = THEIRS(hipStreamQuery, home);
	const uint64_t *until = arg;
	int err;

	if (!sync || !query)
		return -ENOSYS;
	err = wait_known((uint32_t)device, *until, query);
	err = err ? err : wait_stream(NULL, *until, home);
	return err || taf_state_now() != TAF_LEAVING ? err : sync();
}

/* Until an event in the default stream is reached, which waits for all blocking ones. */
static int mark_device(int device, const void *home, void *arg)
{
	hipEventCreateWithFlags_fn *create = THEIRS(hipEventCreateWithFlags, home);
	hipEventRecord_fn *record = THEIRS(hipEventRecord, home);
	hipEventQuery_fn *query = THEIRS(hipEventQuery, home);
	hipEventDestroy_fn *destroy = THEIRS(hipEventDestroy, home);
	const uint64_t *until = arg;
	struct taf_patience p = { taf_sys_mono_ns(), *until };
	void *event;
	int r, err = 0;

	(void)device;
	if (!create || !record || !query || !destroy || create(&event, TAF_HIP_NO_TIMING))
		return -ENOSYS;
	r = record(event, NULL);
	while (!r && !err && (r = query(event)) == TAF_HIP_NOT_READY) {
		err = taf_has_time(&p) ? 0 : -ETIMEDOUT;
		r = 0;
	}
	destroy(event);
	return err ? err : r ? -EIO : 0;
}

/* What is in flight beyond the known streams: other threads' own default streams, such as
 * were destroyed, and any that were not seen, of which something may then be left. No wait
 * of ours is without a deadline, so hipDeviceSynchronize is left to the exit. */
static int sync_rest(uint64_t until, const void *home)
{
	struct taf_flight_rest rest;
	int before = taf_hip_last_error(home), err = 0;

	taf_flight_rest(TAF_API_HIP, taf_hip_is_known, &rest);
	if (rest.is_own)
		err = wait_stream(own_default(), until, home);
	restore_error(before, home);
	if (!err && (rest.is_behind || rest.is_unseen))
		err = each_device(mark_device, home, &until);
	return err ? err : rest.is_unseen ? -ENOSPC : 0;
}

static int sync_all(void *handle, const void *home)
{
	uint64_t until = taf_sys_mono_ns() + (uint64_t)taf_rules.drain_deadline_ms * 1000000;
	int before, err;

	if (handle == (const void *)TAF_SELF) {
		err = each_device(sync_device, home, &until);
		return err || taf_state_now() == TAF_LEAVING ? err : sync_rest(until, home);
	}
	before = taf_hip_last_error(home);
	err = wait_stream(handle, until, home);
	restore_error(before, home);
	return err;
}

/* The pools of a device: what it began with, and what it uses now. Returns how many; what a
 * device or a version does not have is no failure, and leaves *failed other than 0. */
static int pools_of(int device, const void *home, void *pools[2], int *failed)
{
	hipDeviceGetDefaultMemPool_fn *first = THEIRS(hipDeviceGetDefaultMemPool, home);
	hipDeviceGetMemPool_fn *current = THEIRS(hipDeviceGetMemPool, home);
	int n = 0, r;

	pools[0] = pools[1] = NULL;
	*failed = r = first ? first(&pools[0], device) : 0;
	n = !r && pools[0];
	*failed |= r = current ? current(&pools[n], device) : 0;
	return n + (!r && pools[n] && (!n || pools[1] != pools[0]));
}

static int trim_device(int device, const void *home, void *arg)
{
	hipMemPoolTrimTo_fn *trim = THEIRS(hipMemPoolTrimTo, home);
	hipDeviceGraphMemTrim_fn *graphs = THEIRS(hipDeviceGraphMemTrim, home);
	void *pools[2];
	int before = taf_hip_last_error(home), r, n = pools_of(device, home, pools, &r);

	(void)arg;
	for (int i = 0; trim && i < n; i++)
		r |= trim(pools[i], 0);
	if (graphs)
		r |= graphs(device);
	if (r && !before)
		taf_hip_forget_error(home);
	return 0;
}

static int trim_all(void *handle, const void *home)
{
	hipMemPoolTrimTo_fn *trim = THEIRS(hipMemPoolTrimTo, home);
	uint32_t n = taf_hip_kept_count();
	int before = taf_hip_last_error(home);

	(void)handle;
	for (uint32_t i = 0; trim && i < n; i++) {
		void *pool;

		if (taf_hip_hold(i, TAF_HIP_POOL, 0, &pool))
			continue;
		trim(pool, 0);
		taf_hip_let(i);
	}
	restore_error(before, home);
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
	hipMemPoolGetAttribute_fn *get = THEIRS(hipMemPoolGetAttribute, home);
	void *pools[2];
	int before = taf_hip_last_error(home), r, n = pools_of(device, home, pools, &r);

	for (int i = 0; get && i < n; i++) {
		uint64_t reserved = 0, used = 0, *bytes = arg;
		int failed = get(pools[i], RESERVED_NOW, &reserved);

		failed = failed ? failed : get(pools[i], USED_NOW, &used);
		if (!failed && reserved > used)
			*bytes += reserved - used;
		r |= failed;
	}
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

/* A call that succeeds takes the program's last error away: then another time. */
static int device_of(uint32_t number, const void *home, struct taf_device *out)
{
	hipDeviceGetName_fn *name = THEIRS(hipDeviceGetName, home);
	hipDeviceTotalMem_fn *total = THEIRS(hipDeviceTotalMem, home);
	size_t bytes = 0;
	int r;

	if (!name)
		return -ENOSYS;
	if (taf_hip_last_error(home))
		return -EAGAIN;
	r = name(out->name, (int)sizeof(out->name), (int)number);
	if (!r && total) {
		r = total(&bytes, (int)number);
		out->bytes = r ? 0 : bytes;
	}
	if (r)
		taf_hip_forget_error(home);
	return out->name[0] ? 0 : -EIO;
}

/* Of a default stream it is not asked: while another one is captured that is an error, which the
 * thread would keep. */
static int is_captured(uint64_t queue, const void *home)
{
	hipStreamIsCapturing_fn *ask = THEIRS(hipStreamIsCapturing, home);
	int status = 0;

	if (!ask || queue <= TAF_OWN_QUEUE)
		return -ENOSYS;
	return ask(taf_pointer_of(queue), &status) ? -EIO : status != 0;
}

const struct taf_ops taf_hip_ops = { .sync = sync_all,
				     .trim = trim_all,
				     .memory = memory_of,
				     .slack = slack_of,
				     .device = device_of,
				     .is_captured = is_captured };
