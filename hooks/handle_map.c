/* SPDX-License-Identifier: MIT */
#include "handle_map.h"

#include "../shim/life.h"
#include "../shim/live.h"

#define HELD 1024u
#define LOCK_MS 100

/* of: the handle; with AFTER, the address by which live.h knows a piece whose handle is
 * released. */
#define AFTER (1ull << 63)

static struct {
	enum taf_api api;
	uint64_t at, bytes, of;
} maps[TAF_MAPPINGS]; /* under lock, as the rest; at is 0 where none is */

/* Handles that more than one release gives up. */
static struct {
	enum taf_api api;
	uint32_t more; /* releases that leave it held; 0: the place is free */
	uint64_t of;
} held[HELD];

static uint32_t used, used_held; /* no place from there on was ever taken */
static _Atomic(uint32_t) lock; /* 0, or the tid inside */
static _Atomic(int32_t) owner; /* the process whose mappings these are; negative: will be */

/* False while another thread of this fork child makes all of it its own. */
static bool be_owner(void)
{
	int32_t me = taf_sys_pid(), was = atomic_load(&owner);

	if (was == me)
		return true;
	if (was == -me || !atomic_compare_exchange_strong(&owner, &was, -me))
		return false;
	if (was) {
		used = used_held = 0;
		atomic_store(&lock, 0);
	}
	atomic_store(&owner, me);
	return true;
}

/* False after LOCK_MS, or in a handler that interrupted this very thread inside. */
static bool enter(void)
{
	uint64_t until = taf_sys_mono_ns() + (uint64_t)LOCK_MS * 1000000;
	uint32_t me = (uint32_t)taf_tid(), seen = 0;

	while (!be_owner())
		if (taf_sys_mono_ns() > until)
			return false;
	while (!atomic_compare_exchange_strong(&lock, &seen, me)) {
		if (seen == me || taf_sys_mono_ns() > until)
			return false;
		taf_sys_wait(&lock, seen, 1);
		seen = 0;
	}
	return true;
}

static void leave(void)
{
	atomic_store(&lock, 0);
	taf_sys_wake_all(&lock);
}

static bool is_at(uint32_t i, enum taf_api api)
{
	return maps[i].at && maps[i].api == api;
}

void taf_map_made(const struct taf_mapping *m)
{
	uint32_t i = 0;

	if (!m->at)
		return;
	if (!enter()) {
		taf_live_miss();
		return;
	}
	while (i < used && maps[i].at && maps[i].at != m->at)
		i++;
	if (i == TAF_MAPPINGS) {
		taf_live_miss();
	} else {
		maps[i].api = m->api;
		maps[i].at = m->at;
		maps[i].bytes = m->bytes;
		maps[i].of = m->handle;
		used = i < used ? used : i + 1;
	}
	leave();
}

/* All mappings of one piece belong to another name of it now: a handle, or with 0 the first
 * one's address. Returns that name; 0: there is no mapping. */
static uint64_t rename_all(enum taf_api api, uint64_t of, uint64_t to)
{
	uint64_t name = 0;

	for (uint32_t i = 0; i < used; i++) {
		if (!is_at(i, api) || maps[i].of != of)
			continue;
		name = name ? name : to ? to : maps[i].at;
		maps[i].of = to ? to : name | AFTER;
	}
	return name;
}

static void move(enum taf_api api, uint64_t from, uint64_t to)
{
	struct taf_piece piece;

	if (!taf_live_give(api, from, &piece) || !to)
		return;
	piece.at = to;
	taf_live_take(&piece);
}

/* The place of a handle that is held more than once, or of none; HELD: there is none. */
static uint32_t place_of(enum taf_api api, uint64_t handle)
{
	uint32_t free = HELD;

	for (uint32_t i = 0; i < used_held; i++) {
		if (held[i].more && held[i].api == api && held[i].of == handle)
			return i;
		if (!held[i].more && free == HELD)
			free = i;
	}
	return free < HELD ? free : used_held;
}

static void hold_more(enum taf_api api, uint64_t handle)
{
	uint32_t i = place_of(api, handle);

	if (i == HELD) {
		taf_live_miss();
		return;
	}
	if (i == used_held)
		held[used_held++].more = 0;
	held[i].api = api;
	held[i].of = handle;
	held[i].more++;
}

static bool hold_less(enum taf_api api, uint64_t handle)
{
	uint32_t i = place_of(api, handle);

	if (i >= used_held || !held[i].more)
		return false;
	held[i].more--;
	return true;
}

void taf_map_retained(enum taf_api api, uint64_t handle, uint64_t at)
{
	uint64_t of = handle;

	if (!handle)
		return;
	if (!enter()) {
		taf_live_miss();
		return;
	}
	for (uint32_t i = 0; i < used; i++)
		if (is_at(i, api) && at - maps[i].at < maps[i].bytes)
			of = maps[i].of;
	if (of & AFTER) {
		rename_all(api, of, handle);
		move(api, of & ~AFTER, handle);
	} else {
		hold_more(api, handle);
	}
	leave();
}

uint64_t taf_map_released(enum taf_api api, uint64_t handle)
{
	bool is_held;
	uint64_t to = 0;

	if (!handle)
		return 0;
	if (!enter()) {
		taf_live_miss();
		return handle;
	}
	is_held = hold_less(api, handle);
	if (!is_held)
		to = rename_all(api, handle, 0);
	if (to)
		move(api, handle, to);
	leave();
	return is_held || to ? 0 : handle;
}

void taf_map_unmade(enum taf_api api, uint64_t at, uint64_t bytes)
{
	if (!at)
		return;
	if (!enter()) {
		taf_live_miss();
		return;
	}
	for (uint32_t i = 0; i < used; i++) {
		uint64_t of = maps[i].of, was = maps[i].at;

		if (!is_at(i, api) || was - at >= bytes)
			continue;
		maps[i].at = 0;
		if (of == (was | AFTER))
			move(api, was, rename_all(api, of, 0));
	}
	leave();
}

static void forget(enum taf_api api, bool is_all)
{
	if (!enter())
		return;
	for (uint32_t i = 0; i < used; i++)
		if (is_at(i, api) && (is_all || !taf_live_has(api, maps[i].of & ~AFTER)))
			maps[i].at = 0;
	for (uint32_t i = 0; i < used_held; i++)
		if (held[i].api == api && (is_all || !taf_live_has(api, held[i].of)))
			held[i].more = 0;
	leave();
}

void taf_map_forget(enum taf_api api)
{
	forget(api, true);
}

void taf_map_forget_gone(enum taf_api api)
{
	forget(api, false);
}
