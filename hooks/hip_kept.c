/* SPDX-License-Identifier: MIT */
#include "hip_kept.h"

#include <errno.h>

#include "../shim/elfmap.h"
#include "../shim/grip.h"
#include "abi/hip.h"
#include "hook.h"

#define TAF_ROWS "hip.def"
#define TAF_TABLE taf_table_hip
#include "rows.h"
extern const struct taf_table TAF_TABLE;

struct place {
	_Atomic(void *) handle; /* NULL: free */
	_Atomic(uint32_t) tag; /* 0: not there yet, or going */
	struct taf_grip grip;
};

static struct place places[TAF_HIP_PLACES];
static _Atomic(uint32_t) used; /* no place from here on was ever taken */
static _Atomic(int32_t) owner; /* the process whose handles they are */
static _Atomic(hipStreamQuery_fn *) runtime; /* somewhere in it */

static uint32_t tag_of(enum taf_hip_kept what, uint32_t device)
{
	return (uint32_t)what << 16 | (what == TAF_HIP_POOL ? 0 : device & 0xffff);
}

/* Whether a place of that tag is meant by what, on that device. */
static bool is_meant(uint32_t tag, enum taf_hip_kept what, uint32_t device)
{
	return tag == tag_of(what, device) ||
	       (what == TAF_HIP_STREAM && tag == tag_of(TAF_HIP_ASIDE, device));
}

static void be_owner(void)
{
	int32_t me = taf_sys_pid(), was = atomic_load(&owner);

	if (was == me)
		return;
	for (uint32_t i = 0; was && i < TAF_HIP_PLACES; i++) {
		atomic_store(&places[i].tag, 0);
		atomic_store(&places[i].handle, NULL);
		atomic_store(&places[i].grip.holder, 0);
	}
	if (was)
		atomic_store(&used, 0);
	atomic_store(&owner, me);
}

void taf_hip_stays(void *handle, uint32_t was)
{
	uint32_t n;

	for (uint32_t i = 0; handle && was && i < TAF_HIP_PLACES; i++) {
		void *none = NULL;

		if (!atomic_compare_exchange_strong(&places[i].handle, &none, handle))
			continue;
		atomic_store(&places[i].tag, was);
		n = atomic_load(&used);
		while (n <= i && !atomic_compare_exchange_weak(&used, &n, i + 1))
			;
		return;
	}
}

void taf_hip_made(enum taf_hip_kept what, void *handle, uint32_t device, const void *home)
{
	be_owner();
	atomic_store(&runtime, THEIRS(hipStreamQuery, home));
	taf_hip_stays(handle, tag_of(what, device));
}

/* The tag first: who sees the handle alone passes it by. */
static bool forget(struct place *p)
{
	bool is_free;

	atomic_store(&p->tag, 0);
	is_free = taf_grip_is_free(&p->grip);
	atomic_store(&p->handle, NULL);
	return is_free;
}

bool taf_hip_going(enum taf_hip_kept what, void *handle, uint32_t *was)
{
	bool is_free = true;
	uint32_t n;

	be_owner();
	*was = 0;
	n = atomic_load(&used);
	for (uint32_t i = 0; handle && i < n; i++) {
		uint32_t tag = atomic_load(&places[i].tag);

		if (atomic_load(&places[i].handle) != handle ||
		    (tag >> 16 == TAF_HIP_POOL) != (what == TAF_HIP_POOL))
			continue;
		*was = tag;
		is_free &= forget(&places[i]);
	}
	return is_free;
}

bool taf_hip_is_behind(uint32_t was)
{
	return was >> 16 == TAF_HIP_STREAM;
}

bool taf_hip_is_known(uint64_t low)
{
	uint32_t n = atomic_load(&used);

	for (uint32_t i = 0; i < n; i++)
		if (taf_flight_low((uintptr_t)atomic_load(&places[i].handle)) == low)
			return true;
	return false;
}

bool taf_hip_reset(uint32_t device)
{
	bool is_free = true;
	uint32_t n;

	be_owner();
	n = atomic_load(&used);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t tag = atomic_load(&places[i].tag);

		if (is_meant(tag, TAF_HIP_POOL, 0) || is_meant(tag, TAF_HIP_STREAM, device))
			is_free &= forget(&places[i]);
	}
	return is_free;
}

void taf_hip_closed(void)
{
	union {
		hipStreamQuery_fn *fn;
		const void *p;
	} in = { .fn = atomic_load(&runtime) };
	uint32_t n = atomic_load(&used);

	if (!n || (in.fn && taf_elf_at(in.p)))
		return;
	be_owner();
	for (uint32_t i = 0; i < n; i++)
		if (atomic_load(&places[i].handle))
			forget(&places[i]);
}

uint32_t taf_hip_kept_count(void)
{
	be_owner();
	return atomic_load(&used);
}

int taf_hip_hold(uint32_t i, enum taf_hip_kept what, uint32_t device, void **handle)
{
	uint64_t until = taf_sys_mono_ns() + (uint64_t)taf_rules.drain_deadline_ms * 1000000;
	struct place *p = &places[i % TAF_HIP_PLACES];

	if (!is_meant(atomic_load(&p->tag), what, device))
		return -ENOENT;
	if (!taf_grip_take(&p->grip, until))
		return -ETIMEDOUT;
	*handle = is_meant(atomic_load(&p->tag), what, device) ? atomic_load(&p->handle) : NULL;
	if (*handle)
		return 0;
	taf_hip_let(i);
	return -ENOENT;
}

void taf_hip_let(uint32_t i)
{
	taf_grip_let(&places[i % TAF_HIP_PLACES].grip);
}
