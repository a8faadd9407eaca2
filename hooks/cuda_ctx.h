/* SPDX-License-Identifier: MIT */
/* cuda_ctx.h -- the contexts of this process, and what is done to all of them.
 *
 * Everything here goes through the driver, which both runtimes use and which keeps no
 * "last error"; the thread's current context is afterwards what it was.  home is an
 * address in the object that uses CUDA (real.h).  A device's primary context is
 * found by asking the driver whether it lives; one that cuCtxCreate made is kept from
 * then to its end.  Contexts are of the process that made them: a fork child has none.
 */
#ifndef TAF_CUDA_CTX_H
#define TAF_CUDA_CTX_H

#include "../shim/table.h"

/* Whether there is a driver to go through. */
bool taf_cuda_is_there(const void *home);
/* cuCtxCreate gave ctx. */
void taf_cuda_ctx_made(void *ctx, const void *home);
/* Before ctx is destroyed: waits until no drain of ours uses it, and tells its device
 * where that is known. False: it must stay (shim/grip.h). */
bool taf_cuda_ctx_going(void *ctx, uint32_t *device);
/* A context of that device was destroyed or reset: with the last one all is gone that
 * was taken there. */
void taf_cuda_ctx_gone(uint32_t device, const void *home);
/* Another context is current now on this thread: which device is that? */
void taf_cuda_ctx_current(const void *home);

/* Both count retains of a device's primary context; is_last: this release ends it, as
 * far as they were seen. */
void taf_cuda_primary_retained(uint32_t device);
bool taf_cuda_primary_is_last(uint32_t device);

/* As struct taf_ops has them; all: every context of the process, else the stream. A
 * sync gives up at drain.deadline with -ETIMEDOUT. */
int taf_cuda_sync(bool all, void *stream, const void *home);
int taf_cuda_trim(const void *home);
int taf_cuda_memory(const void *home, struct taf_memory *out);
int taf_cuda_slack(const void *home, uint64_t *bytes);
int taf_cuda_device(uint32_t number, const void *home, struct taf_device *out);
int taf_cuda_is_captured(uint64_t queue, const void *home);

#endif
