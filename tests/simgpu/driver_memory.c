/* SPDX-License-Identifier: MIT */
/* driver_memory.c -- memory of the simulated devices.
 *
 * A device address is memory of the process that nobody else sees, so copies are
 * real ones.  What counts is the account of the machine: capacity and used bytes. */
#include <stdlib.h>
#include <sys/mman.h>

#include "driver.h"

#define PITCH 512

int sim_map(uint64_t *at, uint64_t bytes)
{
	void *p = bytes > SIZE_MAX - 4096
			  ? MAP_FAILED
			  : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return SIM_OOM;
	*at = (uint64_t)(uintptr_t)p;
	return SIM_OK;
}

void sim_unmap(uint64_t at, uint64_t bytes)
{
	munmap((void *)(uintptr_t)at, bytes);
}

int sim_piece_add(const struct sim_piece *p)
{
	struct sim_piece *copy = malloc(sizeof(*copy));

	if (!copy)
		return SIM_OOM;
	*copy = *p;
	sim_table_put(&sim_pieces, p->at, copy);
	return SIM_OK;
}

static bool is_counted(const struct sim_piece *p)
{
	return p->place == SIM_ON_DEVICE || p->place == SIM_MANAGED;
}

static void drop(struct sim_piece *p)
{
	if (is_counted(p))
		sim_bytes_give(p->ctx->device, p->bytes);
	if (p->place != SIM_REGISTERED)
		sim_unmap(p->at, p->bytes);
	free(p);
}

static int of_context(void *value, void *arg)
{
	struct sim_piece *p = value;

	return p->ctx == ((struct sim_piece *)arg)->ctx ? (*(struct sim_piece *)arg = *p, 1) : 0;
}

void sim_pieces_drop(struct sim_context *ctx)
{
	struct sim_piece p = { .ctx = ctx };

	while (sim_table_each(&sim_pieces, of_context, &p))
		drop(sim_table_take(&sim_pieces, p.at));
}

static int take(uint64_t *at, uint64_t bytes, enum sim_place place)
{
	struct sim_piece p = { .bytes = bytes, .place = place };
	int r = sim_enter();

	if (!r)
		r = sim_capture_check_unsafe();
	if (!r && (!at || !bytes))
		r = SIM_VALUE;
	if (r)
		return r;
	p.ctx = sim_current;
	if (is_counted(&p))
		r = sim_bytes_take(p.ctx->device, bytes);
	if (r)
		return r;
	r = sim_map(&p.at, bytes);
	if (r && is_counted(&p))
		sim_bytes_give(p.ctx->device, bytes);
	if (r)
		return r;
	*at = p.at;
	return sim_piece_add(&p);
}

SIM_PUBLIC int cuMemAlloc_v2(uint64_t *at, size_t bytes)
{
	int r = take(at, bytes, SIM_ON_DEVICE);

	sim_log("cuMemAlloc_v2 %zu %d", bytes, r);
	return r;
}

SIM_PUBLIC int cuMemAllocPitch_v2(uint64_t *at, size_t *pitch, size_t width, size_t rows,
				  unsigned element)
{
	(void)element;
	if (!pitch || width > SIZE_MAX - PITCH)
		return SIM_VALUE;
	*pitch = (width + PITCH - 1) / PITCH * PITCH;
	if (rows && *pitch > SIZE_MAX / rows)
		return SIM_OOM;
	return take(at, *pitch * rows, SIM_ON_DEVICE);
}

SIM_PUBLIC int cuMemAllocManaged(uint64_t *at, size_t bytes, unsigned flags)
{
	(void)flags;
	return take(at, bytes, SIM_MANAGED);
}

SIM_PUBLIC int cuMemHostAlloc(void **at, size_t bytes, unsigned flags)
{
	uint64_t where = 0;
	int r = take(&where, bytes, SIM_ON_HOST);

	(void)flags;
	if (!r)
		*at = (void *)(uintptr_t)where;
	return r;
}

SIM_PUBLIC int cuMemAllocHost_v2(void **at, size_t bytes)
{
	return cuMemHostAlloc(at, bytes, 0);
}

/* The real one waits for the device first; this one has the bug instead. */
static int give(const char *by, uint64_t at, bool is_host)
{
	struct sim_piece *p;
	int r = sim_ready();

	if (!r && !at)
		return SIM_OK;
	if (!r)
		r = sim_capture_check_unsafe();
	if (r)
		return r;
	p = sim_table_get(&sim_pieces, at);
	if (!p || p->place == SIM_REGISTERED || (p->place == SIM_ON_HOST) != is_host)
		return SIM_VALUE;
	sim_table_take(&sim_pieces, at);
	if (!is_host)
		sim_release(by);
	sim_log("%s %llu", by, (unsigned long long)p->bytes);
	if (p->place == SIM_OF_POOL) {
		pthread_mutex_lock(&p->pool->lock);
		p->pool->used -= p->bytes;
		pthread_mutex_unlock(&p->pool->lock);
	}
	drop(p);
	return SIM_OK;
}

SIM_PUBLIC int cuMemFree_v2(uint64_t at)
{
	return give("cuMemFree_v2", at, false);
}

SIM_PUBLIC int cuMemFreeHost(void *at)
{
	return give("cuMemFreeHost", (uint64_t)(uintptr_t)at, true);
}

SIM_PUBLIC int cuMemHostRegister_v2(void *at, size_t bytes, unsigned flags)
{
	struct sim_piece p = { (uint64_t)(uintptr_t)at, bytes, SIM_REGISTERED, NULL, NULL };
	int r = sim_enter();

	(void)flags;
	if (!r && (!at || !bytes || sim_table_get(&sim_pieces, p.at)))
		r = SIM_VALUE;
	p.ctx = sim_current;
	return r ? r : sim_piece_add(&p);
}

SIM_PUBLIC int cuMemHostUnregister(void *at)
{
	struct sim_piece *p = sim_table_get(&sim_pieces, (uint64_t)(uintptr_t)at);
	int r = sim_enter();

	if (!r && (!p || p->place != SIM_REGISTERED))
		r = SIM_VALUE;
	if (!r)
		free(sim_table_take(&sim_pieces, p->at));
	return r;
}

SIM_PUBLIC int cuMemHostGetDevicePointer_v2(uint64_t *at, void *host, unsigned flags)
{
	(void)flags;
	*at = (uint64_t)(uintptr_t)host;
	return sim_enter();
}

SIM_PUBLIC int cuMemGetInfo_v2(size_t *free_bytes, size_t *total)
{
	int r = sim_enter();

	if (r)
		return r;
	*total = sim_machine->capacity;
	*free_bytes = sim_machine->capacity - atomic_load(&sim_machine->used[sim_current->device]);
	return SIM_OK;
}

struct range {
	uint64_t at;
	struct sim_piece found;
};

static int holds(void *value, void *arg)
{
	const struct sim_piece *p = value;
	struct range *r = arg;

	if (r->at < p->at || r->at >= p->at + p->bytes)
		return 0;
	r->found = *p;
	return 1;
}

SIM_PUBLIC int cuMemGetAddressRange_v2(uint64_t *base, size_t *bytes, uint64_t at)
{
	struct range range = { .at = at };
	int r = sim_enter();

	if (r)
		return r;
	if (!sim_table_each(&sim_pieces, holds, &range))
		return SIM_NOT_FOUND;
	if (base)
		*base = range.found.at;
	if (bytes)
		*bytes = range.found.bytes;
	return SIM_OK;
}

/* 1 context, 2 memory type, 3 device pointer, 4 host pointer, 8 is managed, 9 device */
SIM_PUBLIC int cuPointerGetAttribute(void *data, int attribute, uint64_t at)
{
	struct range range = { .at = at };
	const struct sim_piece *p = &range.found;

	if (!sim_table_each(&sim_pieces, holds, &range))
		return SIM_VALUE;
	switch (attribute) {
	case 1: *(void **)data = p->ctx; break;
	case 2:
		*(unsigned *)data = p->place == SIM_ON_HOST || p->place == SIM_REGISTERED ? 1 : 2;
		break;
	case 3:
	case 4: *(uint64_t *)data = at; break;
	case 8: *(unsigned *)data = p->place == SIM_MANAGED; break;
	case 9: *(int *)data = p->ctx->device; break;
	default: return SIM_VALUE;
	}
	return SIM_OK;
}
