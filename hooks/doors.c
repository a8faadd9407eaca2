/* SPDX-License-Identifier: MIT */
/* doors.c -- what a program or our second object may call: taffrail_note, taffrail_alloc_door. */
#include "../shim/crumb.h"
#include "hook.h"

TAF_PUBLIC int taffrail_note(const char *text);
TAF_PUBLIC void taffrail_alloc_door(int is_free, uint64_t bytes, const void *p);

/* Writes a NOTE crumb. 0, or -1 where there is no log: the process uses no
 * engine yet, or runs with TAFFRAIL=off. Never blocks on the disk. */
int taffrail_note(const char *text)
{
	struct taf_rec r = {
		.kind = TAF_NOTE, .phase = TAF_MARK, .call = "taffrail_note", .msg = text
	};

	if (!text || taf_state_now() != TAF_ACTIVE || taf_is_other_process())
		return -1;
	return taf_crumb(&r) ? 0 : -1;
}

/* A large host block was taken or is about to be given back. */
void taffrail_alloc_door(int is_free, uint64_t bytes, const void *p)
{
	struct taf_tls *t = &taf_tls;
	struct taf_lane *lane;
	struct taf_slot_body b = { .arg = bytes,
				   .row = TAF_NO_ROW,
				   .kind = (uint8_t)((is_free ? TAF_FREE : TAF_ALLOC) |
						     TAF_MARK << 6) };

	(void)p;
	if (taf_state_now() != TAF_ACTIVE || t->inside)
		return;
	/* Loaders take memory on threads that never call the engine: those share a lane. */
	lane = t->lane ? t->lane : taf_ring_shared_lane();
	if (!lane)
		return;
	b.stamp = taf_stamp_cheap(t);
	taf_bump(is_free ? &lane->host_frees : &lane->host_allocs, 1, lane->is_shared);
	taf_bump(is_free ? &lane->host_given : &lane->host_taken, bytes, lane->is_shared);
	taf_ring_put(lane, &b);
}
