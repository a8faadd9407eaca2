/* SPDX-License-Identifier: MIT */
/* answer.h -- what a program gets when it asks for an entry point by name.
 *
 * By dlsym the row is known by the name.  A runtime's own look-up (cuGetProcAddress)
 * picks among variants by version and flags: what it gave is matched by ADDRESS
 * against what the object that it lies in exports under the names of the rows.  The
 * name that was asked for is not looked at, and an address that is no row's is
 * handed on as it is.
 *
 * The addresses are kept in a table without a lock, filled once an object; before
 * one is used it is compared with what the object exports now.
 */
#ifndef TAF_ANSWER_H
#define TAF_ANSWER_H

#include "real.h"

/* Ours instead of theirs, which the program asked for as this row. theirs, where it is
 * the second copy of its name: that one is handed out unwatched, and said so. */
void *taf_answer_row(const struct taf_table *t, int row, void *theirs);
/* The same for a row of t that is found by the address. */
void *taf_answer_asked(const struct taf_table *t, void *theirs);
/* The same in place, after a look-up of theirs that has succeeded; where nothing is watched
 * the program gets theirs. */
void taf_answer_given(const struct taf_table *t, void **out);

/* Whether the object that theirs lies in exports it under the name of this row. */
bool taf_answer_is_export(const struct taf_table *t, int row, taf_fn theirs);

#endif
