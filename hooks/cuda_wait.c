/* SPDX-License-Identifier: MIT */
#include "cuda_wait.h"

#include <errno.h>

#include "../shim/grip.h"
#include "../shim/patience.h"
#include "abi/cuda.h"
#include "hook.h"

#define TAF_ROWS "cuda.def"
#define TAF_TABLE taf_table_cuda
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#define STREAMS 1024u /* that are known; a multiple of 64 */
#define LEGACY 1 /* CU_STREAM_LEGACY */
#define OWN_DEFAULT 2 /* CU_STREAM_PER_THREAD */
#define ASIDE 1 /* CU_STREAM_NON_BLOCKING: the legacy default stream does not wait for it */
#define NO_TIMING 2 /* CU_EVENT_DISABLE_TIMING */

struct stream {
	_Atomic(void *) handle; /* NULL: free */
	_Atomic(void *) ctx;
	_Atomic(uint32_t) device;
	struct taf_grip grip; /* of a query */
	_Atomic(bool) is_behind; /* the legacy default stream waits for it */
};

static struct stream streams[STREAMS];
static _Atomic(uint32_t) streams_used; /* no place from here on was ever taken */

void taf_cuda_stream_stays(void *stream, const struct taf_cuda_stream *was)
{
	uint32_t used;

	if (!was->ctx)
		return;
	for (uint32_t i = 0; i < STREAMS; i++) {
		void *none = NULL;

		if (!atomic_compare_exchange_strong(&streams[i].handle, &none, stream))
			continue;
		atomic_store(&streams[i].is_behind, was->is_behind);
		atomic_store(&streams[i].device, was->device);
		atomic_store(&streams[i].ctx, was->ctx);
		used = atomic_load(&streams_used);
		while (used <= i && !atomic_compare_exchange_weak(&streams_used, &used, i + 1))
			;
		return;
	}
}

void taf_cuda_stream_made(void *stream, unsigned flags, const void *home)
{
	cuCtxGetCurrent_fn *get = THEIRS(cuCtxGetCurrent, home);
	struct taf_cuda_stream made = { NULL, taf_tls.device, !(flags & ASIDE) };

	if (taf_state_now() != TAF_OFF && stream && get && !get(&made.ctx))
		taf_cuda_stream_stays(stream, &made);
}

/* The context first: a query that sees the handle alone passes it by. */
static bool forget(struct stream *s)
{
	bool is_free;

	atomic_store(&s->ctx, NULL);
	is_free = taf_grip_is_free(&s->grip);
	atomic_store(&s->handle, NULL);
	return is_free;
}

static struct taf_cuda_stream what_is(struct stream *s)
{
	return (struct taf_cuda_stream){ atomic_load(&s->ctx), atomic_load(&s->device),
					 atomic_load(&s->is_behind) };
}

bool taf_cuda_stream_going(void *stream, struct taf_cuda_stream *was)
{
	uint32_t n = atomic_load(&streams_used);
	bool is_free = true;

	*was = (struct taf_cuda_stream){ NULL, 0, false };
	for (uint32_t i = 0; stream && i < n; i++)
		if (atomic_load(&streams[i].handle) == stream) {
			*was = what_is(&streams[i]);
			is_free &= forget(&streams[i]);
		}
	return is_free;
}

bool taf_cuda_stream_of(const void *stream, struct taf_cuda_stream *out)
{
	uint32_t n = atomic_load(&streams_used);

	for (uint32_t i = 0; i < n; i++) {
		if (atomic_load(&streams[i].handle) != stream)
			continue;
		*out = what_is(&streams[i]);
		return out->ctx != NULL;
	}
	return false;
}

bool taf_cuda_streams_going(const void *ctx, uint32_t device)
{
	uint32_t n = atomic_load(&streams_used);
	bool is_free = true;

	for (uint32_t i = 0; i < n; i++)
		if (atomic_load(&streams[i].handle) &&
		    (ctx ? atomic_load(&streams[i].ctx) == ctx
			 : atomic_load(&streams[i].device) == device))
			is_free &= forget(&streams[i]);
	return is_free;
}

void taf_cuda_streams_forget(void)
{
	for (uint32_t i = 0; i < STREAMS; i++) {
		atomic_store(&streams[i].ctx, NULL);
		atomic_store(&streams[i].handle, NULL);
		atomic_store(&streams[i].grip.holder, 0);
	}
	atomic_store(&streams_used, 0);
}

int taf_cuda_wait_stream(void *stream, uint64_t until, const void *home)
{
	cuStreamQuery_fn *query = THEIRS(cuStreamQuery, home);
	struct taf_patience p = { taf_sys_mono_ns(), until };
	int r;

	if (!query)
		return -ENOSYS;
	while ((r = query(stream)) == TAF_CU_NOT_READY)
		if (!taf_has_time(&p))
			return -ETIMEDOUT;
	return r ? -EIO : 0;
}

/* Who asks for the streams of a context, and until when. */
struct asked {
	void *ctx;
	const void *home;
	cuStreamQuery_fn *query;
	struct taf_patience patience;
};

/* Theirs says whether the stream is done, if it still lives and is ctx's. */
static int ask_known(struct stream *s, const struct asked *by)
{
	int r = 0;

	if (atomic_load(&s->ctx) != by->ctx)
		return 0;
	if (!taf_grip_take(&s->grip, by->patience.until))
		return TAF_CU_NOT_READY;
	if (atomic_load(&s->ctx) == by->ctx)
		r = by->query(atomic_load(&s->handle));
	taf_grip_let(&s->grip);
	return r;
}

/* What was done once is not asked again: others go on submitting. */
static int wait_known(const struct asked *by)
{
	uint64_t done[STREAMS / 64] = { 0 };
	uint32_t n = atomic_load(&streams_used), busy;

	do {
		busy = 0;
		for (uint32_t i = 0; i < n; i++) {
			int r = done[i / 64] >> i % 64 & 1 ? 0 : ask_known(&streams[i], by);

			if (r && r != TAF_CU_NOT_READY)
				return -EIO;
			busy += r != 0;
			done[i / 64] |= (uint64_t)!r << i % 64;
		}
	} while (busy && taf_has_time(&by->patience));
	return busy ? -ETIMEDOUT : 0;
}

static bool is_known(uint64_t low)
{
	uint32_t n = atomic_load(&streams_used);

	for (uint32_t i = 0; i < n; i++)
		if (taf_flight_low((uintptr_t)atomic_load(&streams[i].handle)) == low)
			return true;
	return false;
}

static void *stream_of(uintptr_t number)
{
	union {
		uintptr_t n;
		void *p;
	} u = { .n = number };

	return u.p;
}

static int mark_context(const struct asked *by, void *event)
{
	cuCtxRecordEvent_fn *record = THEIRS(cuCtxRecordEvent, by->home);

	return record(by->ctx, event);
}

static int mark_legacy(const struct asked *by, void *event)
{
	cuEventRecord_fn *record = THEIRS(cuEventRecord, by->home);

	return record ? record(event, stream_of(LEGACY)) : -ENOSYS;
}

/* Until an event is reached that mark has put there. -ENOSYS: it cannot be. */
static int wait_event(const struct asked *by, int (*mark)(const struct asked *by, void *event))
{
	cuEventCreate_fn *create = THEIRS(cuEventCreate, by->home);
	cuEventQuery_fn *query = THEIRS(cuEventQuery, by->home);
	cuEventDestroy_v2_fn *destroy = THEIRS(cuEventDestroy_v2, by->home);
	void *event;
	int r = 0, err = 0;

	if (!create || !query || !destroy || create(&event, NO_TIMING))
		return -ENOSYS;
	if (mark(by, event))
		err = -ENOSYS;
	while (!err && (r = query(event)) == TAF_CU_NOT_READY)
		if (!taf_has_time(&by->patience))
			err = -ETIMEDOUT;
	destroy(event);
	return err ? err : r ? -EIO : 0;
}

/* For what is in flight beyond the streams that were asked. */
static int wait_rest(const struct asked *by)
{
	struct taf_flight_rest rest;
	int err = 0;

	taf_flight_rest(TAF_API_CUDA, is_known, &rest);
	if (rest.is_own)
		err = taf_cuda_wait_stream(stream_of(OWN_DEFAULT), by->patience.until, by->home);
	if (!err && (rest.is_behind || rest.is_unseen))
		err = wait_event(by, mark_legacy);
	return err ? err : rest.is_unseen ? -ENOSPC : 0;
}

static int wait_streams(const struct asked *by)
{
	cuCtxSynchronize_fn *sync = THEIRS(cuCtxSynchronize, by->home);
	int err;

	if (!by->query || !sync)
		return -ENOSYS;
	err = wait_known(by);
	err = err ? err : taf_cuda_wait_stream(stream_of(LEGACY), by->patience.until, by->home);
	if (err)
		return err;
	if (taf_state_now() == TAF_LEAVING)
		return sync() ? -EIO : 0;
	return wait_rest(by);
}

int taf_cuda_wait_context(uint64_t until, const void *home)
{
	cuCtxGetCurrent_fn *get = THEIRS(cuCtxGetCurrent, home);
	struct asked by = { .home = home,
			    .query = THEIRS(cuStreamQuery, home),
			    .patience = { taf_sys_mono_ns(), until } };
	int err;

	if (!get || get(&by.ctx) || !by.ctx)
		return -ENODEV;
	err = THEIRS(cuCtxRecordEvent, home) ? wait_event(&by, mark_context) : -ENOSYS;
	return err == -ENOSYS ? wait_streams(&by) : err;
}
