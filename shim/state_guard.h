/* SPDX-License-Identifier: MIT */
/* state_guard.h -- whether a saved state is restored where it belongs (state_guard).
 *
 * An engine restores whatever has the right size: the cache of another model of the same
 * shape, of another build, or of a file that was swapped is taken for its own, and what
 * follows is wrong without an error.  So what is saved is entered (saved.h), and what is to
 * be restored is compared with its entry before the engine opens it.  A file without an
 * entry, of a program without the guard, is restored and noted.  So is what the program
 * restores from its memory, where a state has no name to be known by.
 */
#ifndef TAF_STATE_GUARD_H
#define TAF_STATE_GUARD_H

#include "gate.h"

struct taf_state_file {
	const struct taf_call *call;
	struct taf_work *work; /* NULL: the context is not known */
	const char *path;
	uint64_t vocab; /* tokens of the model's vocabulary; 0 unknown */
	uint64_t room; /* for tokens of one sequence; 0 unknown */
	bool is_sequence; /* of one sequence alone */
};

/* The engine has saved it. */
void taf_state_saved(const struct taf_state_file *f);
/* The engine is about to restore it. False: refused, and a crumb says what differs. */
bool taf_state_may_restore(const struct taf_state_file *f);
/* The engine is about to restore a state of w from memory: once a context it is noted that
 * nobody can tell whose it is. w may be NULL. call: the entry point. */
void taf_state_in_memory(const char *call, struct taf_work *w);
/* One number for a set of adapters: the sum of these. path: of the adapter. */
uint64_t taf_state_adapter(const char *path);

#endif
