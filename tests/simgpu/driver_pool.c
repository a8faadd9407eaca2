/* SPDX-License-Identifier: MIT */
/* driver_pool.c -- stream-ordered memory of the simulated driver.
 *
 * A pool keeps what is freed (reserved) and hands it out again (used); a synchronize
 * gives back what is over the threshold, a trim what is over the number asked for.  As on an
 * H200 with driver 580, a trim leaves what was freed since the last synchronize: a query that
 * says "done" is none. */
#include <stdlib.h>

#include "driver.h"

enum { ATTR_THRESHOLD = 4, ATTR_RESERVED, ATTR_RESERVED_HIGH, ATTR_USED, ATTR_USED_HIGH };

static pthread_mutex_t pools_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sim_pool *defaults[SIM_DEVICES], *current[SIM_DEVICES];

static struct sim_pool *new_pool(int device)
{
	struct sim_pool *p = sim_object_new(SIM_POOL, sizeof(*p));

	p->device = device;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

struct sim_pool *sim_pool_default(int device)
{
	struct sim_pool *p;

	pthread_mutex_lock(&pools_lock);
	if (!defaults[device])
		defaults[device] = new_pool(device);
	p = defaults[device];
	pthread_mutex_unlock(&pools_lock);
	return p;
}

static struct sim_pool *pool_in_use(int device)
{
	return current[device] ? current[device] : sim_pool_default(device);
}

static int is_device(int device)
{
	int r = sim_ready();

	return !r && (device < 0 || device >= sim_machine->devices) ? SIM_DEVICE : r;
}

SIM_PUBLIC int cuDeviceGetDefaultMemPool(void **pool, int device)
{
	int r = is_device(device);

	if (!r)
		*pool = sim_pool_default(device);
	return r;
}

SIM_PUBLIC int cuDeviceGetMemPool(void **pool, int device)
{
	int r = is_device(device);

	if (!r)
		*pool = pool_in_use(device);
	return r;
}

SIM_PUBLIC int cuDeviceSetMemPool(int device, void *pool)
{
	int r = is_device(device);

	if (!r && !sim_object(pool, SIM_POOL))
		r = SIM_HANDLE;
	if (!r)
		current[device] = pool;
	return r;
}

/* props: type, handle types, then the location: its type and number */
SIM_PUBLIC int cuMemPoolCreate(void **pool, const void *props)
{
	const int *p = props;
	int r = p ? is_device(p[3]) : SIM_VALUE;

	if (!r)
		*pool = new_pool(p[3]);
	return r;
}

/* Under the lock of the pool. */
static void shrink(struct sim_pool *p, uint64_t keep)
{
	uint64_t out = p->used + p->unseen, to = out > keep ? out : keep;

	if (p->reserved <= to)
		return;
	sim_bytes_give(p->device, p->reserved - to);
	p->reserved = to;
}

SIM_PUBLIC int cuMemPoolDestroy(void *pool)
{
	struct sim_pool *p = sim_object(pool, SIM_POOL);
	int r = sim_ready();

	if (!r && (!p || p == defaults[p->device]))
		r = SIM_HANDLE;
	if (r)
		return r;
	sim_release("cuMemPoolDestroy");
	pthread_mutex_lock(&p->lock);
	p->used = p->unseen = 0;
	shrink(p, 0);
	pthread_mutex_unlock(&p->lock);
	if (current[p->device] == p)
		current[p->device] = NULL;
	sim_object_free(p);
	return SIM_OK;
}

SIM_PUBLIC int cuMemPoolTrimTo(void *pool, size_t keep)
{
	struct sim_pool *p = sim_object(pool, SIM_POOL);
	int r = sim_ready();

	if (!r && !p)
		r = SIM_HANDLE;
	if (!r)
		r = sim_capture_check_sync("cuMemPoolTrimTo", NULL);
	if (r)
		return r;
	sim_release("cuMemPoolTrimTo");
	pthread_mutex_lock(&p->lock);
	shrink(p, keep);
	pthread_mutex_unlock(&p->lock);
	sim_log("cuMemPoolTrimTo %zu", keep);
	return SIM_OK;
}

static int settle(void *object, void *arg)
{
	struct sim_pool *p = object;

	(void)arg;
	if (((struct sim_object *)object)->kind != SIM_POOL)
		return 0;
	pthread_mutex_lock(&p->lock);
	p->unseen = 0;
	shrink(p, p->threshold);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

void sim_pools_settle(void)
{
	sim_table_each(&sim_objects, settle, NULL);
}

static uint64_t *attribute(struct sim_pool *p, int which)
{
	switch (which) {
	case ATTR_THRESHOLD: return &p->threshold;
	case ATTR_RESERVED: return &p->reserved;
	case ATTR_RESERVED_HIGH: return &p->reserved_high;
	case ATTR_USED: return &p->used;
	case ATTR_USED_HIGH: return &p->used_high;
	default: return NULL;
	}
}

/* 1 to 3, about reuse, are numbers of 32 bits: always on. */
SIM_PUBLIC int cuMemPoolGetAttribute(void *pool, int which, void *value)
{
	struct sim_pool *p = sim_object(pool, SIM_POOL);

	if (!p || which < 1 || which > ATTR_USED_HIGH)
		return SIM_VALUE;
	if (which < ATTR_THRESHOLD)
		*(int *)value = 1;
	else
		*(uint64_t *)value = *attribute(p, which);
	return SIM_OK;
}

SIM_PUBLIC int cuMemPoolSetAttribute(void *pool, int which, void *value)
{
	struct sim_pool *p = sim_object(pool, SIM_POOL);

	if (!p || which < 1 || which > ATTR_USED_HIGH)
		return SIM_VALUE;
	if (which >= ATTR_THRESHOLD)
		*attribute(p, which) = *(uint64_t *)value;
	return SIM_OK;
}

/* Under the lock of the pool: from what it holds, else from the device. */
static int grow(struct sim_pool *p, uint64_t bytes)
{
	int r = SIM_OK;

	if (p->used + bytes > p->reserved)
		r = sim_bytes_take(p->device, p->used + bytes - p->reserved);
	if (r)
		return r;
	p->used += bytes;
	p->reserved = p->reserved > p->used ? p->reserved : p->used;
	if (p->unseen > p->reserved - p->used)
		p->unseen = p->reserved - p->used;
	p->used_high = p->used > p->used_high ? p->used : p->used_high;
	p->reserved_high = p->reserved > p->reserved_high ? p->reserved : p->reserved_high;
	return SIM_OK;
}

SIM_PUBLIC int cuMemAllocFromPoolAsync(uint64_t *at, size_t bytes, void *pool, void *stream)
{
	struct sim_pool *p = sim_object(pool, SIM_POOL);
	struct sim_piece piece = { .bytes = bytes, .place = SIM_OF_POOL, .pool = p };
	struct sim_node n = { .work = SIM_OTHER_NODE };
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	if (!r && (!p || !bytes || !at))
		r = SIM_VALUE;
	if (r)
		return r;
	pthread_mutex_lock(&p->lock);
	r = grow(p, bytes);
	pthread_mutex_unlock(&p->lock);
	if (!r)
		r = sim_map(&piece.at, bytes);
	sim_log("cuMemAllocFromPoolAsync %zu %d", bytes, r);
	if (r)
		return r;
	piece.ctx = s->ctx;
	*at = piece.at;
	r = sim_piece_add(&piece);
	return r ? r : sim_command(s, &n);
}

SIM_PUBLIC int cuMemAllocAsync(uint64_t *at, size_t bytes, void *stream)
{
	int r = sim_enter();

	return r ? r : cuMemAllocFromPoolAsync(at, bytes, pool_in_use(sim_current->device), stream);
}

/* In the order of the stream: no bug here, that is what it is for. */
SIM_PUBLIC int cuMemFreeAsync(uint64_t at, void *stream)
{
	struct sim_piece *p = sim_table_get(&sim_pieces, at);
	struct sim_node n = { .work = SIM_OTHER_NODE };
	struct sim_stream *s;
	int r = sim_stream(stream, &s);

	if (!r && (!p || p->place != SIM_OF_POOL))
		r = SIM_VALUE;
	if (r)
		return r;
	sim_table_take(&sim_pieces, at);
	pthread_mutex_lock(&p->pool->lock);
	p->pool->used -= p->bytes < p->pool->used ? p->bytes : p->pool->used;
	p->pool->unseen += p->bytes;
	pthread_mutex_unlock(&p->pool->lock);
	sim_unmap(p->at, p->bytes);
	free(p);
	return sim_command(s, &n);
}
