/* SPDX-License-Identifier: MIT */
/* lock_view.h -- the GPU lock as it stands: slots, who holds them, who waits.
 *
 * Looking takes the guard for a moment, so that nobody who takes a slot meets us
 * there; it makes, writes and removes nothing.  Who holds a slot is not what the
 * text beside it says, but whose descriptors lead to its file: the text is
 * shown, and asked only where other users' processes cannot be looked into.
 */
#ifndef TAF_LOCK_VIEW_H
#define TAF_LOCK_VIEW_H

#include "../policy/rules.h"
#include "../shim/lock_place.h"
#include "../shim/lock_queue.h"
#include "../shim/lock_text.h"

#define TAF_LOCK_HOLDERS 64

enum taf_slot_state {
	TAF_SLOT_FREE,
	TAF_SLOT_HELD,
	TAF_SLOT_SPOKEN_FOR, /* between two computations of a turn: free, but not to be taken */
	TAF_SLOT_UNKNOWN, /* its file cannot be asked: err */
};

struct taf_lock_holder {
	int32_t pid, ppid;
	uint64_t start;
	uint32_t uid;
	bool is_stopped; /* SIGSTOP and the like: a signal waits until it goes on */
	char name[32];
};

struct taf_slot_view {
	uint32_t slot; /* from 1 */
	enum taf_slot_state state;
	int err;
	bool has_text;
	struct taf_lock_text text; /* of its holder, or of the last one */
	bool is_by_text; /* the holder is only what the text says */
	uint32_t n; /* at most TAF_LOCK_HOLDERS */
	struct taf_lock_holder holder[TAF_LOCK_HOLDERS];
};

struct taf_lock_view {
	struct taf_lock_place place;
	uint32_t n;
	struct taf_slot_view slot[TAF_LOCK_SLOTS];
	struct taf_lock_queue queue;
};

/* place is filled by the caller. 0, or -errno when there is no lock to look at. */
int taf_lock_view(struct taf_lock_view *v, uint32_t slots);
/* One slot again. fd: NULL, or where its descriptor is to stay, locked LOCK_EX, when it
 * is free; -1 else. Under the guard. */
void taf_lock_view_slot(const struct taf_lock_place *place, struct taf_slot_view *s, int *fd);
/* Whose descriptors lead to the slot. */
void taf_lock_find_holders(const struct taf_lock_place *place, struct taf_slot_view *s);
/* Whether pid has a descriptor of that file with the lock. */
bool taf_lock_has_open(int32_t pid, uint64_t dev, uint64_t ino);
/* pid, ppid, start, uid, state and name of a process. False when there is none, or a zombie. */
bool taf_lock_look_at(int32_t pid, struct taf_lock_holder *h);

#endif
