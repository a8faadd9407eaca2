/* SPDX-License-Identifier: MIT */
/* own.h -- the session that a verb of ours leaves: of `run`, of `watch`.
 *
 * It is opened at the first thing worth a record, so that a `run` whose guest
 * never used an engine, and a `watch` that saw nothing, leave none.
 */
#ifndef TAF_OWN_H
#define TAF_OWN_H

#include "../shim/crumb.h"

struct taf_own {
	const char *crumbs; /* the folder; "": none */
	const char *run; /* 16 digits, or "" */
	const char *role; /* "run", "watch" */
	const char *program, *label; /* or NULL */
	const char *journal; /* crumbs.journal: its socket, or NULL */
	int32_t guest; /* 0: none */
};

/* Opens it if it is not open. False: there is no place for it. */
bool taf_own_open(const struct taf_own *own);

#endif
