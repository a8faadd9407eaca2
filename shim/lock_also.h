/* SPDX-License-Identifier: MIT */
/* lock_also.h -- lock files of others that lock.also tells us to honour.
 *
 *   metal-guard      $MLX_LOCK_PATH, else ~/.metal-guard/locks/mlx_exclusive.lock:
 *                    a JSON object with pid, label, started_at and cmdline.  It
 *                    holds while that process lives and is not a zombie; one
 *                    that began after the lock was written is another process
 *   an absolute path  a file that others flock; it holds while one of them does
 *
 * Nothing of theirs is ever written, made or removed, and nothing is kept
 * locked: they are looked at when a slot is about to be taken.  A file that
 * cannot be read or understood is no lock, and a note says so.
 */
#ifndef TAF_LOCK_ALSO_H
#define TAF_LOCK_ALSO_H

#include "../policy/rules.h"

struct taf_lock_also {
	const char *run; /* ours: its processes do not stand in their own way */
	char *const *env; /* for MLX_LOCK_PATH and HOME; NULL: of no user */
};

/* What one entry of lock.also came to. */
struct taf_lock_foreign {
	bool is_held;
	int32_t pid; /* 0: unknown */
	char holder[160]; /* "llama.py (pid 12, training)": for people */
	char note[200]; /* why it is no lock although it is there; "": nothing to say */
};

void taf_lock_also_look(const struct taf_lock_also *who, const char *name,
			struct taf_lock_foreign *f);
/* The path of an entry of that name, as it is looked at. */
int taf_lock_also_path(const struct taf_lock_also *who, const char *name, char *out, size_t room);

#endif
