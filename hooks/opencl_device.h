/* SPDX-License-Identifier: MIT */
/* opencl_device.h -- what the files of OpenCL share: queues, devices, their rows.
 *
 * Devices are numbered as this process first used them: OpenCL itself has no order of
 * devices that is the same for all platforms. */
#ifndef TAF_OPENCL_DEVICE_H
#define TAF_OPENCL_DEVICE_H

#include "abi/opencl.h"
#include "asked.h"
#include "hook.h"
#include "../shim/queues.h"

extern const struct taf_table taf_table_opencl;
extern struct taf_queues taf_cl_queues; /* parent: the device */

/* The number of a device. */
uint32_t taf_cl_device(const void *device);
/* Of the first device of a context, asked of the runtime that home calls. */
uint32_t taf_cl_context_device(void *context, const void *home);

/* ---- memory (opencl_memory.c) ---- */

struct taf_cl_take {
	struct taf_call call;
	struct taf_piece piece;
};

enum taf_place taf_cl_place(uint64_t flags);
uint64_t taf_cl_pixels(const struct taf_cl_format *f, size_t width, size_t height, size_t depth);
uint64_t taf_cl_image_bytes(const struct taf_cl_format *f, const struct taf_cl_image *i);
bool taf_cl_is_oom(int32_t error);
/* False: a rule refuses it, or theirs cannot be found. */
bool taf_cl_take_begin(struct taf_cl_take *t, const void *caller);
void taf_cl_take_end(struct taf_cl_take *t, void *context, void *got, int32_t error);
/* What was made is an object: its own size is asked for, and when it is gone. */
void taf_cl_measure(struct taf_cl_take *t, void *got);
void taf_cl_follow(const struct taf_cl_take *t, void *got);
/* False: not known, so it was never counted and passes unseen. */
bool taf_cl_give_begin(struct taf_call *c, uint64_t at, struct taf_piece *had);
/* Whether nobody else holds it. */
bool taf_cl_is_last(void *memory, const void *home);
/* The device of that number, by a queue that is for it. -EAGAIN: there is none now. */
int taf_cl_describe(uint32_t number, struct taf_device *out);
/* Of the first device that a queue is for. 0 or -errno. */
int taf_cl_free_memory(struct taf_memory *out);

/* ---- waits (opencl_wait.c) ---- */

/* Waits until what was handed to a queue is done, at most until then: 0, -ETIMEDOUT, or
 * another -errno. Claimed by this thread, which gives the claim back. */
int taf_cl_wait(struct taf_queue *q, uint64_t until);
/* The same, of a queue that is not known to be idle; at the exit of any. */
int taf_cl_wait_busy(struct taf_queue *q, uint64_t until);
/* For one that the table has no room for, which the program uses at this moment. */
int taf_cl_wait_unknown(void *queue, const void *home);
/* The program releases a queue for the last time. The runtime begins what is in it and
 * does not wait: with work in flight a marker of ours takes its place, until that is done. */
void taf_cl_let_go(struct taf_queue *q);
/* Gives those markers back that are reached. Waits for nothing. */
void taf_cl_look(void);

/* ---- callbacks (opencl_callback.c) ---- */

/* The program's function and data for one call of it, in a place of ours: *fn becomes the
 * one that marks its thread meanwhile, and *data the place. NULL: there is no function, or
 * all places are in use, and the program's own goes on as it is. */
struct taf_cl_callback;
struct taf_cl_callback *taf_cl_call_notify(taf_cl_notify **fn, void **data);
struct taf_cl_callback *taf_cl_call_destructor(taf_cl_destructor **fn, void **data);
struct taf_cl_callback *taf_cl_call_svm_free(taf_cl_svm_free **fn, void **data);
/* It will not be called. */
void taf_cl_callback_drop(struct taf_cl_callback *c);

/* error is what their errcode_ret becomes when theirs is not called; NULL: they did
 * not want it. */
static inline void *taf_cl_not_made(const struct taf_call *c, int32_t *error, int32_t refuse)
{
	if (error)
		*error = c->real ? refuse : TAF_CL_NO_PLATFORM;
	return NULL;
}

static inline void taf_cl_fault(const struct taf_call *c, int32_t rc)
{
	if (__builtin_expect(rc < 0, 0))
		taf_fault_seen(c, rc);
}

#endif
