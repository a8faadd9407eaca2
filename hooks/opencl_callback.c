/* SPDX-License-Identifier: MIT */
/* opencl_callback.c -- what OpenCL calls back: on a thread of the driver as a rule, while
 * the queue whose command is done goes on only after it.
 *
 * A drain from there would wait for what waits for it, so each function of the program is
 * called through one of ours, which marks the thread (taf_tls.in_callback): submits and
 * frees of a callback are counted as ever, and nothing is waited for.
 *
 * Each is called once at most, and has a place of its own until then, which for what is
 * called when memory goes may be until the exit: those have a pool of their own.  Where all
 * places of a pool are in use the program's function is handed on as it is: a drain from it
 * would then wait for drain.deadline, in vain. */
#include "opencl_device.h"

#define PLACES 1024u /* a power of two */

struct taf_cl_callback {
	_Atomic(uint32_t) is_used;
	struct pool *pool;
	taf_fn fn;
	void *data;
};

struct pool {
	_Atomic(uint32_t) used; /* places, and who looks for one: no less than are in use */
	_Atomic(uint32_t) next;
	struct taf_cl_callback places[PLACES];
};

static struct pool commands, memories;

static struct taf_cl_callback *find(struct pool *p)
{
	for (uint32_t i = 0; i < PLACES; i++) {
		uint32_t n = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
		struct taf_cl_callback *c = &p->places[n % PLACES];

		if (!atomic_exchange_explicit(&c->is_used, 1, memory_order_acquire))
			return c;
	}
	return NULL;
}

static struct taf_cl_callback *keep(struct pool *p, taf_fn fn, void *data)
{
	struct taf_cl_callback *c = NULL;

	if (!fn)
		return NULL;
	/* A full pool is not searched. */
	if (atomic_fetch_add(&p->used, 1) < PLACES)
		c = find(p);
	if (!c) {
		atomic_fetch_sub(&p->used, 1);
		return NULL;
	}
	c->pool = p;
	c->fn = fn;
	c->data = data;
	return c;
}

void taf_cl_callback_drop(struct taf_cl_callback *c)
{
	struct pool *p;

	if (!c)
		return;
	p = c->pool;
	atomic_store_explicit(&c->is_used, 0, memory_order_release);
	atomic_fetch_sub(&p->used, 1);
}

/* Their function, and their data in *data; the place is free again before it is called. */
static taf_fn begin(void **data)
{
	struct taf_cl_callback *c = *data;
	taf_fn fn = c->fn;

	*data = c->data;
	taf_cl_callback_drop(c);
	taf_tls.in_callback++;
	return fn;
}

static void end(void)
{
	taf_tls.in_callback--;
}

static void notify(void *event, int32_t status, void *data)
{
	taf_cl_notify *fn = (taf_cl_notify *)begin(&data);

	fn(event, status, data);
	end();
}

static void destroyed(void *memory, void *data)
{
	taf_cl_destructor *fn = (taf_cl_destructor *)begin(&data);

	fn(memory, data);
	end();
}

static void free_svm(void *queue, uint32_t n, void **pointers, void *data)
{
	taf_cl_svm_free *fn = (taf_cl_svm_free *)begin(&data);

	fn(queue, n, pointers, data);
	end();
}

#define SWAP(name, type, ours, pool) \
	struct taf_cl_callback *taf_cl_##name(type **fn, void **data) \
	{ \
		struct taf_cl_callback *c = keep(&(pool), (taf_fn)*fn, *data); \
		if (c) { \
			*fn = ours; \
			*data = c; \
		} \
		return c; \
	}

SWAP(call_notify, taf_cl_notify, notify, commands)
SWAP(call_destructor, taf_cl_destructor, destroyed, memories)
SWAP(call_svm_free, taf_cl_svm_free, free_svm, commands)
