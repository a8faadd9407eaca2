/* SPDX-License-Identifier: MIT */
#include "cuda_wait.h"

#include <errno.h>

#include "../shim/patience.h"
#include "abi/cuda.h"
#include "hook.h"

#define TAF_ROWS "cuda.def"
#define TAF_TABLE taf_table_cuda
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#define STREAMS 256u /* that are known; a multiple of 64 */
#define GOING_MS 100 /* a query takes microseconds */
#define LEGACY 1 /* CU_STREAM_LEGACY */
#define NO_TIMING 2 /* CU_EVENT_DISABLE_TIMING */

struct stream {
	_Atomic(void *) handle; /* NULL: free */
	_Atomic(void *) ctx;
	_Atomic(uint32_t) device;
	_Atomic(uint32_t) users; /* queries that are in it */
};

static struct stream streams[STREAMS];
static _Atomic(uint32_t) streams_used; /* no place from here on was ever taken */

void taf_cuda_stream_made(void *stream, const void *home)
{
	cuCtxGetCurrent_fn *get = THEIRS(cuCtxGetCurrent, home);
	void *ctx = NULL;
	uint32_t used;

	if (taf_state_now() == TAF_OFF || !stream || !get || get(&ctx))
		return;
	for (uint32_t i = 0; i < STREAMS; i++) {
		void *none = NULL;

		if (!atomic_compare_exchange_strong(&streams[i].handle, &none, stream))
			continue;
		atomic_store(&streams[i].device, taf_tls.device);
		atomic_store(&streams[i].ctx, ctx);
		used = atomic_load(&streams_used);
		while (used <= i && !atomic_compare_exchange_weak(&streams_used, &used, i + 1))
			;
		return;
	}
}

/* The context first: a query that sees the handle alone passes it by. */
static void forget(struct stream *s)
{
	uint64_t until = taf_sys_mono_ns() + (uint64_t)GOING_MS * 1000000;
	uint32_t users;

	atomic_store(&s->ctx, NULL);
	while ((users = atomic_load(&s->users)) && taf_sys_mono_ns() < until)
		taf_sys_wait(&s->users, users, 1);
	atomic_store(&s->handle, NULL);
}

void taf_cuda_stream_going(void *stream)
{
	uint32_t n = atomic_load(&streams_used);

	for (uint32_t i = 0; stream && i < n; i++)
		if (atomic_load(&streams[i].handle) == stream)
			forget(&streams[i]);
}

void taf_cuda_streams_going(const void *ctx, uint32_t device)
{
	uint32_t n = atomic_load(&streams_used);

	for (uint32_t i = 0; i < n; i++)
		if (atomic_load(&streams[i].handle) &&
		    (ctx ? atomic_load(&streams[i].ctx) == ctx
			 : atomic_load(&streams[i].device) == device))
			forget(&streams[i]);
}

void taf_cuda_streams_forget(void)
{
	for (uint32_t i = 0; i < STREAMS; i++) {
		atomic_store(&streams[i].ctx, NULL);
		atomic_store(&streams[i].handle, NULL);
		atomic_store(&streams[i].users, 0);
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

/* Theirs says whether the stream is done, if it still lives and is ctx's. */
static int ask_known(struct stream *s, const void *ctx, cuStreamQuery_fn *query)
{
	int r = 0;

	atomic_fetch_add(&s->users, 1);
	if (atomic_load(&s->ctx) == ctx)
		r = query(atomic_load(&s->handle));
	atomic_fetch_sub(&s->users, 1);
	taf_sys_wake_all(&s->users);
	return r;
}

/* What was done once is not asked again: others go on submitting. */
static int wait_known(const void *ctx, const struct taf_patience *p, cuStreamQuery_fn *query)
{
	uint64_t done[STREAMS / 64] = { 0 };
	uint32_t n = atomic_load(&streams_used), busy;

	do {
		busy = 0;
		for (uint32_t i = 0; i < n; i++) {
			int r = done[i / 64] >> i % 64 & 1 ? 0 : ask_known(&streams[i], ctx, query);

			if (r && r != TAF_CU_NOT_READY)
				return -EIO;
			busy += r != 0;
			done[i / 64] |= (uint64_t)!r << i % 64;
		}
	} while (busy && taf_has_time(p));
	return busy ? -ETIMEDOUT : 0;
}

static int wait_streams(const void *ctx, uint64_t until, const void *home)
{
	cuStreamQuery_fn *query = THEIRS(cuStreamQuery, home);
	cuCtxSynchronize_fn *sync = THEIRS(cuCtxSynchronize, home);
	struct taf_patience p = { taf_sys_mono_ns(), until };
	union {
		uintptr_t n;
		void *p;
	} legacy = { .n = LEGACY };
	int err;

	if (!query || !sync)
		return -ENOSYS;
	err = wait_known(ctx, &p, query);
	err = err ? err : taf_cuda_wait_stream(legacy.p, until, home);
	return err ? err : sync() ? -EIO : 0;
}

/* -ENOSYS: this context cannot be asked so. */
static int wait_event(void *ctx, uint64_t until, const void *home)
{
	cuCtxRecordEvent_fn *record = THEIRS(cuCtxRecordEvent, home);
	cuEventCreate_fn *create = THEIRS(cuEventCreate, home);
	cuEventQuery_fn *query = THEIRS(cuEventQuery, home);
	cuEventDestroy_v2_fn *destroy = THEIRS(cuEventDestroy_v2, home);
	struct taf_patience p = { taf_sys_mono_ns(), until };
	void *event;
	int r = 0, err = 0;

	if (!record || !create || !query || !destroy || create(&event, NO_TIMING))
		return -ENOSYS;
	if (record(ctx, event))
		err = -ENOSYS;
	while (!err && (r = query(event)) == TAF_CU_NOT_READY)
		if (!taf_has_time(&p))
			err = -ETIMEDOUT;
	destroy(event);
	return err ? err : r ? -EIO : 0;
}

int taf_cuda_wait_context(uint64_t until, const void *home)
{
	cuCtxGetCurrent_fn *get = THEIRS(cuCtxGetCurrent, home);
	void *ctx = NULL;
	int err;

	if (!get || get(&ctx) || !ctx)
		return -ENODEV;
	err = wait_event(ctx, until, home);
	return err == -ENOSYS ? wait_streams(ctx, until, home) : err;
}
