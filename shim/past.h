/* SPDX-License-Identifier: MIT */
/* past.h -- what the sessions in STATE/crumbs say about how they ended.
 *
 *   taf_past_look(&ask, found, ctx);      one call of found a thing found
 *
 * Reads names first and then, of sessions that were written to since ask->since_ms
 * and have no live process, the first record and the end of the last segments.
 * What it reads is bounded: names, sessions, bytes.  It allocates nothing but
 * one mapping while it works.
 *
 * PANIC  a session of another boot of this machine that ends inside a load or a
 *        generation.  Left out where `run` saw the guest's end, or where another
 *        session of that boot began LIVED_ON_MS after its last record: the
 *        machine went on; and a generation of a server that sat idle, as the
 *        mark of crumb.h says.  A machine that was cut off during a generation
 *        looks the same as one that went down: it is a surmise.
 * CRASH  a guest of this boot that died of SIGABRT, SIGSEGV or SIGBUS, as `run`
 *        or its own last record says, or whose engine failed.  Of the failed calls
 *        of a session the first counts, and the first by which the device was lost,
 *        be it looked at while the process lives or afterwards; after an exit with
 *        status 0 only the latter.  An end by KILL, TERM or INT is none, nor an
 *        error whose class is a remark (policy/classes.def): the answer to a
 *        request that was wrong.
 */
#ifndef TAF_PAST_H
#define TAF_PAST_H

#include "../policy/ledger.h"

struct taf_past_ask {
	const char *dir; /* STATE/crumbs */
	const char *boot, *machine; /* ours; machine may be "" */
	uint64_t since_ms; /* UTC; files not written since are left out */
	struct taf_moment now;
	bool wants_panics; /* of other boots */
	bool wants_crashes; /* of this boot */
	bool wants_live; /* crashes: also the failed calls of processes that live */
};

typedef void taf_past_fn(void *ctx, const struct taf_ledger_event *e);

/* How many sessions were read, or -errno when the folder could not be. */
int taf_past_look(const struct taf_past_ask *ask, taf_past_fn *found, void *ctx);

#endif
