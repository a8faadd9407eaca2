/* SPDX-License-Identifier: MIT */
/* asked.h -- what a program gets when it asks a runtime for a function by name. */
#ifndef TAF_ASKED_H
#define TAF_ASKED_H

#include "../shim/table.h"

/* theirs is what the runtime gave for name; the row of t with that name goes to row, or
 * -1.  Ours is handed out for it, unless theirs is ours already: a loader that lists its
 * own exports lists ours.  What no object exports is learned here; of two such functions
 * with one name, as two drivers have them, the second is handed out unwatched. */
void *taf_asked(const struct taf_table *t, const char *name, void *theirs, const void *caller);
/* The row of t called name that has a wrapper, or -1. */
int taf_asked_row(const struct taf_table *t, const char *name);
/* Hands out ours for a row. */
void *taf_asked_ours(const struct taf_table *t, int row);

#endif
