/* SPDX-License-Identifier: MIT */
/* cuda_wait.h -- waits for CUDA that give up at drain.deadline.
 *
 * Work on the device may wait for the host, or for a launch that this very thread has
 * still to make; a synchronize of ours would then never return.  So nothing here blocks
 * in the driver: a context is asked by an event that stands for all of its work
 * (cuCtxRecordEvent, drivers since 12.5), a stream by a query.  Neither puts anything
 * into the program's streams.
 *
 * A driver without that event is asked for each stream whose making was seen, and for the
 * default ones.  What flight.h has in flight beyond those lies in other threads' default
 * streams, in streams that were destroyed or in some that were not seen: an event in the
 * legacy default stream, which waits for all blocking ones, shows what it can, and where
 * something may be left the result is -ENOSPC.  cuCtxSynchronize, which has no deadline,
 * is for the process that leaves: the watchdog of exit.deadline stands behind it.
 *
 *   taf_cuda_stream_made    after theirs; its context is current
 *   taf_cuda_stream_going   before it is destroyed: no query of ours uses it any more;
 *                           false: it must stay (shim/grip.h)
 *   taf_cuda_stream_stays   theirs refused
 *
 * Results: 0, -ETIMEDOUT, -ENOSPC, -EIO for an error of theirs, -ENOSYS.
 */
#ifndef TAF_CUDA_WAIT_H
#define TAF_CUDA_WAIT_H

#include "../shim/table.h"

void taf_cuda_stream_made(void *stream, unsigned flags, const void *home);
struct taf_cuda_stream {
	void *ctx; /* NULL: it is not known */
	uint32_t device;
	bool is_behind; /* the legacy default stream waits for it */
};
bool taf_cuda_stream_going(void *stream, struct taf_cuda_stream *was);
void taf_cuda_stream_stays(void *stream, const struct taf_cuda_stream *was);
/* False: it is not known. */
bool taf_cuda_stream_of(const void *stream, struct taf_cuda_stream *out);
/* The same for all of a context; ctx NULL: for all of a device. */
bool taf_cuda_streams_going(const void *ctx, uint32_t device);
/* A fork child has no streams. */
void taf_cuda_streams_forget(void);

/* until: of taf_sys_mono_ns. The context is the current one. */
int taf_cuda_wait_context(uint64_t until, const void *home);
int taf_cuda_wait_stream(void *stream, uint64_t until, const void *home);

#endif
