/* SPDX-License-Identifier: MIT */
/* cuda_wait.h -- waits for CUDA that give up at drain.deadline.
 *
 * Work on the device may wait for the host, or for a launch that this very thread has
 * still to make; a synchronize of ours would then never return.  So nothing here blocks
 * in the driver: a context is asked by an event that stands for all of its work
 * (cuCtxRecordEvent, drivers since 12.5), a stream by a query.  Neither puts anything
 * into the program's streams.
 *
 * A driver without that event is asked for the legacy default stream and for each
 * stream whose making was seen.  Streams that were not seen are waited for last, by
 * cuCtxSynchronize, which has no deadline.
 *
 *   taf_cuda_stream_made    after theirs; its context is current
 *   taf_cuda_stream_going   before it is destroyed: no query of ours uses it any more;
 *                           false: it must stay (shim/grip.h)
 *
 * Results: 0, -ETIMEDOUT, -EIO for an error of theirs, -ENOSYS.
 */
#ifndef TAF_CUDA_WAIT_H
#define TAF_CUDA_WAIT_H

#include "../shim/table.h"

void taf_cuda_stream_made(void *stream, const void *home);
bool taf_cuda_stream_going(void *stream);
/* The same for all of a context; ctx NULL: for all of a device. */
bool taf_cuda_streams_going(const void *ctx, uint32_t device);
/* A fork child has no streams. */
void taf_cuda_streams_forget(void);

/* until: of taf_sys_mono_ns. The context is the current one. */
int taf_cuda_wait_context(uint64_t until, const void *home);
int taf_cuda_wait_stream(void *stream, uint64_t until, const void *home);

#endif
