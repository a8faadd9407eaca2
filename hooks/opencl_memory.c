/* SPDX-License-Identifier: MIT */
/* opencl_memory.c -- OpenCL's buffers, images, shared and unified memory.
 *
 * A buffer lives as long as somebody holds it, commands that are under way included,
 * so a release says little.  The runtime is asked to tell when it is really gone
 * (clSetMemObjectDestructorCallback, 1.1); a release of the last reference gives it
 * back at once in our books, since then nobody can use it any more. */
#include <errno.h>

#include "../policy/text.h"
#include "../shim/crumb.h"
#include "opencl_device.h"

#define TAF_ROWS "opencl.def"
#define TAF_TABLE taf_table_opencl
#define TAF_ENGINE TAF_ENGINE_OPENCL
#include "rows.h"

#define API TAF_API_OPENCL

/* ---- how many bytes ---- */

enum taf_place taf_cl_place(uint64_t flags)
{
	return flags & (TAF_CL_USE_HOST_PTR | TAF_CL_ALLOC_HOST_PTR) ? TAF_AT_HOST : TAF_AT_DEVICE;
}

/* Bytes of a pixel, as large as it can be: what is packed is counted as four. */
static uint64_t pixel_bytes(const struct taf_cl_format *f)
{
	static const uint8_t channels[] = { 1, 1, 2, 2, 3, 4, 4, 4, 1, 1,
					    1, 2, 3, 1, 2, 3, 4, 4, 4, 4 };
	/* 0: packed, whatever the order */
	static const uint8_t bytes[] = { 1, 2, 1, 2, 0, 0, 0, 1, 2, 4, 1, 2, 4, 2, 4, 3, 0 };
	uint32_t order = f ? f->order - TAF_CL_FIRST_ORDER : UINT32_MAX;
	uint32_t type = f ? f->type - TAF_CL_FIRST_TYPE : UINT32_MAX;

	if (order >= sizeof(channels) || type >= sizeof(bytes) || !bytes[type])
		return 4;
	return (uint64_t)channels[order] * bytes[type];
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

uint64_t taf_cl_pixels(const struct taf_cl_format *f, size_t width, size_t height, size_t depth)
{
	return times(times(times(width, height), depth), pixel_bytes(f));
}

static size_t at_least_one(size_t n)
{
	return n ? n : 1;
}

/* 0 of one that lies in the memory of another. */
uint64_t taf_cl_image_bytes(const struct taf_cl_format *f, const struct taf_cl_image *i)
{
	if (!i || i->memory)
		return 0;
	return times(taf_cl_pixels(f, i->width, at_least_one(i->height), at_least_one(i->depth)),
		     at_least_one(i->layers));
}

/* ---- taking ---- */

bool taf_cl_is_oom(int32_t error)
{
	return error == TAF_CL_NO_MEMORY_OBJECT || error == TAF_CL_NO_RESOURCES ||
	       error == TAF_CL_NO_HOST_MEMORY;
}

bool taf_cl_take_begin(struct taf_cl_take *t, const void *caller)
{
	t->call.caller = caller;
	t->call.kind = TAF_ALLOC;
	t->call.bytes = taf_device_bytes(t->piece.place, t->piece.bytes);
	return taf_before_narrow(&t->call, TAF_ALLOC);
}

void taf_cl_take_end(struct taf_cl_take *t, void *context, void *got, int32_t error)
{
	if (got && t->piece.bytes && taf_is_counting()) {
		t->piece.at = TAF_U64(got);
		t->piece.device = taf_cl_context_device(context, t->call.caller);
		taf_live_take(&t->piece);
	}
	taf_after_narrow(&t->call, TAF_ALLOC, got ? 0 : error);
	if (!got)
		taf_cl_fault(&t->call, error);
}

/* Called by the runtime when an object is destroyed, on whichever thread does it. */
static void gone(void *memory, void *data)
{
	struct taf_lane *lane = taf_tls.lane ? taf_tls.lane : taf_ring_shared_lane();
	struct taf_piece had;

	(void)data;
	if (taf_live_give(API, TAF_U64(memory), &had) && lane)
		taf_bump(&lane->bytes_given, taf_device_bytes(had.place, had.bytes),
			 lane->is_shared);
}

/* What was made is an object that is counted, and not memory at an address. */
void taf_cl_follow(const struct taf_cl_take *t, void *got)
{
	clSetMemObjectDestructorCallback_fn *tell =
		THEIRS(clSetMemObjectDestructorCallback, t->call.caller);

	if (!got || !tell || !t->piece.at)
		return;
	taf_tls.inside++;
	tell(got, gone, NULL);
	taf_tls.inside--;
}

/* Images are counted with the bytes that the runtime took for them. */
void taf_cl_measure(struct taf_cl_take *t, void *got)
{
	clGetMemObjectInfo_fn *ask = THEIRS(clGetMemObjectInfo, t->call.caller);
	size_t size = 0;

	if (!got || !ask || !t->piece.bytes)
		return;
	taf_tls.inside++;
	if (!ask(got, TAF_CL_MEM_SIZE, sizeof(size), &size, NULL) && size) {
		t->piece.bytes = size;
		t->call.bytes = taf_device_bytes(t->piece.place, size);
	}
	taf_tls.inside--;
}

/* ---- giving ---- */

/* Whether nobody else holds it. Where nobody says, this release is the last one. */
bool taf_cl_is_last(void *memory, const void *home)
{
	clGetMemObjectInfo_fn *ask = THEIRS(clGetMemObjectInfo, home);
	uint32_t references = 1;

	if (!ask)
		return true;
	taf_tls.inside++;
	if (ask(memory, TAF_CL_MEM_REFERENCES, sizeof(references), &references, NULL))
		references = 1;
	taf_tls.inside--;
	return references <= 1;
}

/* Of a piece that is known: what is not was never counted, and passes unseen. */
bool taf_cl_give_begin(struct taf_call *c, uint64_t at, struct taf_piece *had)
{
	c->kind = TAF_FREE;
	had->at = 0;
	if (!at || !taf_is_counting() || !taf_live_give(API, at, had))
		return false;
	c->bytes = taf_device_bytes(had->place, had->bytes);
	return true;
}

/* ---- how much is free ---- */

/* Only AMD's drivers say how much is free. */
static int ask_memory(const struct taf_queue *q, struct taf_memory *out)
{
	clGetDeviceInfo_fn *ask = THEIRS(clGetDeviceInfo, q->home);
	size_t free_kib[2] = { 0 };
	union {
		uint64_t n;
		void *p;
	} device = { .n = q->parent };

	if (!ask || ask(device.p, TAF_CL_DEVICE_FREE_AMD, sizeof(free_kib), free_kib, NULL) ||
	    ask(device.p, TAF_CL_DEVICE_MEMORY, sizeof(out->total), &out->total, NULL))
		return -ENOSYS;
	out->free = (uint64_t)free_kib[0] * 1024;
	return 0;
}

int taf_cl_free_memory(struct taf_memory *out)
{
	int err = -ENODEV;

	for (int i = 0; i < TAF_QUEUES && err == -ENODEV; i++) {
		struct taf_queue *q =
			taf_queue_enter(&taf_cl_queues, atomic_load(&taf_cl_queues.of[i].handle));

		if (q)
			err = ask_memory(q, out);
		taf_queue_leave(q);
	}
	return err;
}

static int ask_device(const struct taf_queue *q, struct taf_device *out)
{
	clGetDeviceInfo_fn *ask = THEIRS(clGetDeviceInfo, q->home);
	union {
		uint64_t n;
		void *p;
	} device = { .n = q->parent };
	char name[256] = "";

	/* A longer one is an error to theirs, and nothing is written. */
	if (!ask || ask(device.p, TAF_CL_DEVICE_NAME, sizeof(name), name, NULL))
		return -ENOSYS;
	name[sizeof(name) - 1] = '\0';
	taf_copy(out->name, name, sizeof(out->name));
	if (ask(device.p, TAF_CL_DEVICE_MEMORY, sizeof(out->bytes), &out->bytes, NULL))
		out->bytes = 0;
	return 0;
}

int taf_cl_describe(uint32_t number, struct taf_device *out)
{
	int err = -EAGAIN;

	for (int i = 0; i < TAF_QUEUES && err == -EAGAIN; i++) {
		struct taf_queue *of = &taf_cl_queues.of[i], *q;

		if (!atomic_load(&of->handle) || of->device != number)
			continue;
		q = taf_queue_enter(&taf_cl_queues, atomic_load(&of->handle));
		if (q && q->device == number && !atomic_load(&q->is_retired))
			err = ask_device(q, out);
		taf_queue_leave(q);
	}
	return err;
}
