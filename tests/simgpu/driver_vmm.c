/* SPDX-License-Identifier: MIT */
/* driver_vmm.c -- address ranges and physical memory apart from each other. */
#include <stdlib.h>
#include <sys/mman.h>

#include "driver.h"

#define GRANULARITY (2ull << 20)

struct physical {
	struct sim_object o;
	int device; /* -1: of the host */
	uint64_t bytes;
	int refs; /* the handle, and each mapping */
};

/* By the address they were mapped at. */
static struct sim_table mappings = SIM_TABLE;

/* type, handle types, then the location: 1 a device, 2 and more the host */
SIM_PUBLIC int cuMemGetAllocationGranularity(size_t *bytes, const void *props, int option)
{
	(void)props, (void)option;
	*bytes = GRANULARITY;
	return sim_ready();
}

SIM_PUBLIC int cuMemAddressReserve(uint64_t *at, size_t bytes, size_t align, uint64_t hint,
				   unsigned long long flags)
{
	int r = sim_ready();
	void *p;

	(void)align, (void)hint;
	if (!r && (!at || !bytes || bytes % GRANULARITY || flags))
		r = SIM_VALUE;
	if (r)
		return r;
	p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	*at = (uint64_t)(uintptr_t)p;
	return p == MAP_FAILED ? SIM_OOM : SIM_OK;
}

SIM_PUBLIC int cuMemAddressFree(uint64_t at, size_t bytes)
{
	int r = sim_ready();

	return r ? r : munmap((void *)(uintptr_t)at, bytes) ? SIM_VALUE : SIM_OK;
}

SIM_PUBLIC int cuMemCreate(uint64_t *handle, size_t bytes, const void *props,
			   unsigned long long flags)
{
	const int *p = props;
	struct physical *m;
	int r = sim_ready(), device = p && p[2] == 1 ? p[3] : -1;

	(void)flags;
	if (!r && (!p || !bytes || bytes % GRANULARITY || device >= sim_machine->devices))
		r = SIM_VALUE;
	if (!r && device >= 0)
		r = sim_bytes_take(device, bytes);
	sim_log("cuMemCreate %zu %d", bytes, r);
	if (r)
		return r;
	m = sim_object_new(SIM_PHYSICAL, sizeof(*m));
	m->device = device;
	m->bytes = bytes;
	m->refs = 1;
	*handle = (uint64_t)(uintptr_t)m;
	return SIM_OK;
}

static void unref(const char *by, struct physical *m)
{
	if (--m->refs)
		return;
	sim_release(by);
	if (m->device >= 0)
		sim_bytes_give(m->device, m->bytes);
	sim_object_free(m);
}

SIM_PUBLIC int cuMemRelease(uint64_t handle)
{
	struct physical *m = sim_object((void *)(uintptr_t)handle, SIM_PHYSICAL);
	int r = sim_ready();

	if (!r && !m)
		r = SIM_VALUE;
	if (!r)
		unref("cuMemRelease", m);
	return r;
}

SIM_PUBLIC int cuMemMap(uint64_t at, size_t bytes, size_t offset, uint64_t handle,
			unsigned long long flags)
{
	struct physical *m = sim_object((void *)(uintptr_t)handle, SIM_PHYSICAL);
	int r = sim_ready();

	(void)flags;
	if (!r && (!m || offset || bytes > m->bytes))
		r = SIM_VALUE;
	if (r)
		return r;
	m->refs++;
	sim_table_put(&mappings, at, m);
	return SIM_OK;
}

SIM_PUBLIC int cuMemRetainAllocationHandle(uint64_t *handle, void *at)
{
	struct physical *m = sim_table_get(&mappings, (uint64_t)(uintptr_t)at);
	int r = sim_ready();

	if (!r && (!handle || !m))
		r = SIM_VALUE;
	if (r)
		return r;
	m->refs++;
	*handle = (uint64_t)(uintptr_t)m;
	return SIM_OK;
}

/* The mappings in a range, whole ones: what a program maps in pieces it may unmap at once. */
SIM_PUBLIC int cuMemUnmap(uint64_t at, size_t bytes)
{
	uint64_t end = at + bytes;
	int r = sim_ready();

	if (!r && !sim_table_get(&mappings, at))
		r = SIM_VALUE;
	while (!r && at < end) {
		struct physical *m = sim_table_take(&mappings, at);

		if (!m)
			break;
		mprotect((void *)(uintptr_t)at, m->bytes, PROT_NONE);
		at += m->bytes;
		unref("cuMemUnmap", m);
	}
	return r;
}

SIM_PUBLIC int cuMemSetAccess(uint64_t at, size_t bytes, const void *desc, size_t n)
{
	int r = sim_ready();

	(void)desc, (void)n;
	if (!r && mprotect((void *)(uintptr_t)at, bytes, PROT_READ | PROT_WRITE))
		r = SIM_VALUE;
	return r;
}
