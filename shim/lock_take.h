/* SPDX-License-Identifier: MIT */
/* lock_take.h -- looking at the slots of the GPU lock, and taking or joining one.
 *
 * For lockfile.c, which says what the rules of the game are, and for `taffrail
 * lock`.  Everything here happens under the guard and waits for nothing else.
 */
#ifndef TAF_LOCK_TAKE_H
#define TAF_LOCK_TAKE_H

#include "../policy/event.h"
#include "lock_place.h"
#include "lock_queue.h"
#include "lock_text.h"

#define TAF_LOCK_GUARD_MS 200
#define TAF_LOCK_ALSO 8 /* entries of lock.also */

/* What one process knows and found. */
struct taf_lock_desk {
	struct taf_lock_text me; /* as it will stand beside the slot */
	char *const *env;
	struct taf_lock_place place;
	struct taf_lock_queue queue; /* of the last look */
	bool is_waiting; /* we have an entry in it */
	uint64_t said_ms; /* when we last said that we are there */
	bool is_note_said[TAF_LOCK_ALSO], is_trouble_said; /* each is said once */
	/* Who stood in the way. */
	struct taf_lock_text other; /* run "": not one of ours, see words */
	char words[200];
	uint32_t look_ms; /* how soon that may be over */
	/* The slot that was taken. */
	int fd; /* locked LOCK_SH */
	uint64_t turn_ms, since_ms; /* hold = inference: of the turn */
};

/* Takes the guard: a descriptor, to be closed, or -errno; -ETIMEDOUT: somebody keeps it.
 * -ENOENT only without makes: nobody ever took this lock. */
int taf_lock_guard(const struct taf_lock_place *place, bool makes);
/* OURS: d->fd is to be kept, or closed. UNKNOWN: why (may be NULL) says why. */
enum taf_lock_state taf_lock_take(struct taf_lock_desk *d, const struct taf_rules *rules,
				  struct taf_text *why);
/* An entry in the queue, or the word that we still are there. */
void taf_lock_queue_up(struct taf_lock_desk *d);
void taf_lock_queue_quit(struct taf_lock_desk *d);

#endif
