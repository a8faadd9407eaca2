/* SPDX-License-Identifier: MIT */
/* lock_place.h -- where the files of the GPU lock are, and opening them.
 *
 *   host, device   in /run/taffrail where that is root's and sticky (1777, by
 *                  systemd-tmpfiles), else in $XDG_RUNTIME_DIR/taffrail/lock,
 *                  else in STATE/lock; the last two are one user's only
 *
 *       slot-1  slot-1.json   the lock itself, and who holds it
 *       guard   queue         for taking it, and who waits for it
 *
 *                  for a device the names begin with it: cuda-0.slot-1
 *   path           lock.path itself is slot 1; beside it path.2, path.json,
 *                  path.guard...
 *
 * Files are made by whoever comes first and then only opened, never with
 * O_CREAT (which a kernel refuses for another user's file in a sticky folder),
 * and never renamed or removed: a lock is a file's, not a name's.  Whoever may
 * write into the folder may write the files.  What we write into must be a
 * plain file with one name, so that no link leads us to another file.
 */
#ifndef TAF_LOCK_PLACE_H
#define TAF_LOCK_PLACE_H

#include "../policy/rules.h"
#include "crumb.h"

#define TAF_LOCK_DEVICE 48
#define TAF_LOCK_SLOTS 64 /* the most that lock.slots takes */

enum taf_lock_file { TAF_LOCK_SLOT, TAF_LOCK_HOLDER, TAF_LOCK_GUARD, TAF_LOCK_QUEUE };

struct taf_lock_place {
	char dir[TAF_PATH_MAX]; /* the folder of the files */
	char stem[TAF_PATH_MAX]; /* of their paths */
	bool is_path; /* lock.scope path */
	bool is_per_user; /* other users of this host have another lock */
	bool is_device; /* for one device, else for all */
	uint32_t mode; /* of files that are made there */
};

/* The one device that these variables leave visible to CUDA, HIP, Vulkan or Level
 * Zero: "cuda-0"; "" when they name none, several or something odd. */
void taf_lock_device(char *const *env, char out[TAF_LOCK_DEVICE]);
/* Fills place; makes a folder of ours where there is none. 0, or -errno and a line in why. */
int taf_lock_place(const struct taf_rules *rules, char *const *env, const char *device,
		   struct taf_lock_place *place, struct taf_text *why);
/* The same without making anything. */
int taf_lock_place_look(const struct taf_rules *rules, char *const *env, const char *device,
			struct taf_lock_place *place, struct taf_text *why);
/* slot counts from 1; 0 for the files that are there once. */
int taf_lock_path(const struct taf_lock_place *place, enum taf_lock_file what, uint32_t slot,
		  char out[TAF_PATH_MAX]);
/* Opens for reading and writing. A descriptor or -errno; -ENOENT only without makes. */
int taf_lock_open(const struct taf_lock_place *place, enum taf_lock_file what, uint32_t slot,
		  bool makes);

#endif
