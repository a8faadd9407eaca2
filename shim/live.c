/* SPDX-License-Identifier: MIT */
#include "live.h"

#include "../policy/text.h"
#include "crumb.h"
#include "device.h"
#include "life.h"
#include "memory.h"
#include "patience.h"
#include "ring.h"

#define FIRST_ROOM 1024u /* pieces; a power of two */
#define MOST_ROOM (1u << 22)
#define LOCK_MS 500 /* of a busy machine: who has it may be kept from running */
#define SLICE_MS 50

/* An open table with linear probing; at is 0 where nothing lies. */
struct slot {
	uint64_t at;
	uint64_t bytes;
	uint8_t api, place, device, pad[5];
};

struct sum {
	_Atomic(uint64_t) bytes[TAF_PLACES], pieces[TAF_PLACES], peak, largest;
	uint64_t looked; /* peak when memory was last looked at */
};

static struct slot *table; /* under lock, as room and used */
static uint32_t room, used;
static _Atomic(uint32_t) lock; /* 0, or the tid inside */
static _Atomic(uint32_t) left_by; /* who was waited for in vain: a jump out of a handler */
static _Atomic(uint32_t) waiters;
static _Atomic(uint64_t) missed;
static struct sum sums[TAF_APIS][TAF_LIVE_DEVICES]; /* written under lock, read by all */

/* False after LOCK_MS, or in a handler that interrupted this very thread inside. */
static bool lock_table(void)
{
	struct taf_slices left = { .left_ns = (uint64_t)LOCK_MS * 1000000 };
	uint32_t me = (uint32_t)taf_tid(), seen = 0;

	while (!atomic_compare_exchange_strong(&lock, &seen, me)) {
		if (seen == me || seen == atomic_load_explicit(&left_by, memory_order_relaxed))
			return false;
		if (!taf_next_slice(&left, SLICE_MS)) {
			atomic_store(&left_by, seen);
			return false;
		}
		atomic_fetch_add(&waiters, 1);
		taf_sys_wait(&lock, seen, 1);
		atomic_fetch_sub(&waiters, 1);
		seen = 0;
	}
	if (atomic_load_explicit(&left_by, memory_order_relaxed))
		atomic_store(&left_by, 0);
	return true;
}

static void unlock_table(void)
{
	atomic_store(&lock, 0);
	if (atomic_load(&waiters))
		taf_sys_wake_all(&lock);
}

static uint32_t home_of(enum taf_api api, uint64_t at, uint32_t size)
{
	uint64_t h = (at ^ (uint64_t)api << 60) * 0x9e3779b97f4a7c15ull;

	return (uint32_t)(h >> 32) & (size - 1);
}

/* Where it lies, or the free slot where it would. */
static struct slot *seek(enum taf_api api, uint64_t at)
{
	uint32_t i = home_of(api, at, room);

	while (table[i].at && (table[i].at != at || table[i].api != api))
		i = (i + 1) & (room - 1);
	return &table[i];
}

static bool grow(void)
{
	struct slot *old = table;
	uint32_t had = room, size = room ? room * 2 : FIRST_ROOM;
	struct slot *new = size > MOST_ROOM ? NULL : taf_sys_map(size * sizeof(*new));

	if (!new)
		return false;
	table = new;
	room = size;
	for (uint32_t i = 0; i < had; i++)
		if (old[i].at)
			*seek((enum taf_api)old[i].api, old[i].at) = old[i];
	if (old)
		taf_sys_unmap(old, had * sizeof(*old));
	return true;
}

/* What follows moves up, so that no search meets a hole before what it looks for. */
static void take_out(struct slot *s)
{
	uint32_t hole = (uint32_t)(s - table), i = hole;

	for (;;) {
		uint32_t home;

		i = (i + 1) & (room - 1);
		if (!table[i].at)
			break;
		home = home_of((enum taf_api)table[i].api, table[i].at, room);
		if (((i - home) & (room - 1)) < ((i - hole) & (room - 1)))
			continue;
		table[hole] = table[i];
		hole = i;
	}
	table[hole].at = 0;
	used--;
}

/* 1: put there; 0: it lay there already; -1: no room. old: what lay there and cannot be
 * there any more, because its free was never seen; its address is 0 if nothing did. */
static int put_in(const struct taf_piece *p, struct taf_piece *old)
{
	struct slot *s;

	if ((!room || used >= room - room / 4) && !grow() && used >= room)
		return -1;
	s = seek(p->api, p->at);
	if (s->at && s->bytes == p->bytes)
		return 0;
	if (s->at) {
		*old = (struct taf_piece){ p->api, (enum taf_place)s->place, s->device, s->at,
					   s->bytes };
		used--;
	}
	*s = (struct slot){ p->at, p->bytes, (uint8_t)p->api, (uint8_t)p->place, (uint8_t)p->device,
			    { 0 } };
	used++;
	return 1;
}

static uint32_t device_of(uint32_t device)
{
	return device < TAF_LIVE_DEVICES ? device : TAF_LIVE_DEVICES - 1;
}

static struct sum *sum_of(const struct taf_piece *p)
{
	return &sums[p->api][device_of(p->device)];
}

static bool is_on_device(enum taf_place place)
{
	return place == TAF_AT_DEVICE || place == TAF_AT_MANAGED;
}

static void raise(_Atomic(uint64_t) *most, uint64_t n)
{
	if (atomic_load_explicit(most, memory_order_relaxed) < n)
		atomic_store_explicit(most, n, memory_order_relaxed);
}

static uint64_t held(struct sum *s)
{
	return atomic_load_explicit(&s->bytes[TAF_AT_DEVICE], memory_order_relaxed) +
	       atomic_load_explicit(&s->bytes[TAF_AT_MANAGED], memory_order_relaxed);
}

static uint64_t now_of(_Atomic(uint64_t) *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

static void show(_Atomic(uint64_t) *where, _Atomic(uint64_t) *n)
{
	atomic_store_explicit(where, now_of(n), memory_order_relaxed);
}

/* For readers of the ring: the sums of this device, each whole by itself. */
static void publish(const struct taf_piece *p)
{
	struct taf_ring_head *h = taf_ring_head();
	uint32_t id = (uint32_t)p->api << 8 | device_of(p->device), none = 0;
	struct sum *s = sum_of(p);

	for (int i = 0; h && i < TAF_RING_DEVICES; i++) {
		struct taf_ring_device *d = &h->devices[i];

		if (atomic_load(&d->id) != id &&
		    !atomic_compare_exchange_strong(&d->id, &none, id)) {
			none = 0;
			continue;
		}
		for (int place = 0; place < TAF_PLACES; place++) {
			show(&d->bytes[place], &s->bytes[place]);
			show(&d->pieces[place], &s->pieces[place]);
		}
		show(&d->peak, &s->peak);
		show(&d->largest, &s->largest);
		break;
	}
}

static void bump(_Atomic(uint64_t) *n, uint64_t by)
{
	atomic_store_explicit(n, now_of(n) + by, memory_order_relaxed);
}

/* Whether memory is to be looked at: so much more than the last time that it was. */
static bool add(const struct taf_piece *p)
{
	struct sum *s = sum_of(p);
	bool is_higher;

	bump(&s->bytes[p->place], p->bytes);
	bump(&s->pieces[p->place], 1);
	if (is_on_device(p->place)) {
		raise(&s->largest, p->bytes);
		raise(&s->peak, held(s));
	}
	publish(p);
	is_higher = now_of(&s->peak) - s->looked >= TAF_MEMORY_STEP;
	if (is_higher)
		s->looked = now_of(&s->peak);
	return is_higher;
}

static void subtract(const struct taf_piece *p)
{
	struct sum *s = sum_of(p);

	bump(&s->bytes[p->place], 0 - p->bytes);
	bump(&s->pieces[p->place], 0 - (uint64_t)1);
	publish(p);
}

/* The first engine by which this api is reached. */
static enum taf_engine engine_of(enum taf_api api)
{
	int e = 0;

	while (e < TAF_ENGINE_COUNT - 1 && taf_api_of((enum taf_engine)e) != api)
		e++;
	return (enum taf_engine)e;
}

void taf_live_take(const struct taf_piece *p)
{
	struct taf_piece old = { .at = 0 };
	bool is_higher = false;
	int put;

	if (!p->at || p->api == TAF_API_NONE)
		return;
	if (!lock_table()) {
		atomic_fetch_add(&missed, 1);
		return;
	}
	put = put_in(p, &old);
	if (old.at)
		subtract(&old);
	if (put > 0)
		is_higher = add(p);
	else if (put < 0)
		atomic_fetch_add(&missed, 1);
	unlock_table();
	if (is_higher)
		taf_memory_grown(engine_of(p->api));
	if (put > 0)
		taf_device_met(p->api, p->device);
}

bool taf_live_give(enum taf_api api, uint64_t at, struct taf_piece *out)
{
	struct slot *s;
	bool is_known;

	if (!at)
		return false;
	if (!lock_table()) {
		atomic_fetch_add(&missed, 1);
		return false;
	}
	s = room ? seek(api, at) : NULL;
	is_known = s && s->at;
	if (is_known) {
		*out = (struct taf_piece){ api, (enum taf_place)s->place, s->device, at, s->bytes };
		take_out(s);
		subtract(out);
	}
	unlock_table();
	return is_known;
}

void taf_live_back(const struct taf_piece *p)
{
	taf_live_take(p);
}

bool taf_live_has(enum taf_api api, uint64_t at)
{
	bool has;

	if (!lock_table())
		return true;
	has = room && seek(api, at)->at;
	unlock_table();
	return has;
}

void taf_live_sum(enum taf_api api, uint32_t device, struct taf_live_sum *out)
{
	*out = (struct taf_live_sum){ .peak = 0 };
	for (uint32_t d = 0; d < TAF_LIVE_DEVICES; d++) {
		struct sum *s = &sums[api][d];

		if (device != TAF_LIVE_DEVICES && d != device_of(device))
			continue;
		for (int place = 0; place < TAF_PLACES; place++) {
			out->bytes[place] += atomic_load(&s->bytes[place]);
			out->pieces[place] += atomic_load(&s->pieces[place]);
		}
		out->peak += atomic_load(&s->peak);
		if (atomic_load(&s->largest) > out->largest)
			out->largest = atomic_load(&s->largest);
	}
}

uint64_t taf_live_bytes(void)
{
	uint64_t n = 0;

	for (int f = 0; f < TAF_APIS; f++)
		for (int d = 0; d < TAF_LIVE_DEVICES; d++)
			n += held(&sums[f][d]);
	return n;
}

uint64_t taf_live_host_bytes(void)
{
	uint64_t n = 0;

	for (int f = 0; f < TAF_APIS; f++)
		for (int d = 0; d < TAF_LIVE_DEVICES; d++)
			n += atomic_load(&sums[f][d].bytes[TAF_AT_HOST]);
	return n;
}

void taf_live_miss(void)
{
	atomic_fetch_add(&missed, 1);
}

uint64_t taf_live_missed(void)
{
	return atomic_load(&missed);
}

/* Backwards shifts bring others to where one was taken out: the same place again. */
void taf_live_drop(enum taf_api api, uint32_t device)
{
	if (!lock_table())
		return;
	for (uint32_t i = 0; i < room;) {
		struct slot *s = &table[i];
		struct taf_piece p = { api, (enum taf_place)s->place, s->device, s->at, s->bytes };

		if (!s->at || s->api != api || s->device != device) {
			i++;
			continue;
		}
		take_out(s);
		subtract(&p);
	}
	unlock_table();
}

void taf_live_forget(void)
{
	if (table)
		taf_sys_unmap(table, room * sizeof(*table));
	table = NULL;
	room = used = 0;
	taf_zero(sums, sizeof(sums));
	atomic_store(&missed, 0);
	atomic_store(&lock, 0);
}
