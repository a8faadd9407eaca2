/* SPDX-License-Identifier: MIT */
/* share.h -- the state that processes, boots and users of one STATE share.
 *
 *   l = taf_share_enter(&err);          one critical section: threads and processes
 *   ... look at *l, change it ...
 *   taf_share_leave(TAF_SHARE_DURABLE);
 *
 * The section is STATE/state.lock, which is never renamed, written or removed,
 * and is waited for at most TAF_SHARE_WAIT_MS.  Where it cannot be had, or the
 * state cannot be read or written (full, read-only, no locks there), *l is
 * this process's own memory of what it knew and did, err says why, and the
 * caller goes on: rules still hold inside this process.
 *
 * STATE/state holds stamps, hold, ack and breaker, STATE/events the history of
 * what went wrong; share_text.h states their format.  Damaged lines are skipped
 * and the file is kept aside (state.damaged-<utc>); files of a newer version are
 * left alone.  What happened is entered with taf_ledger_note, which marks it for
 * being appended; the rest of the ledger is written when it was changed.
 *
 * The ledger remembers 104 panics, 104 crashes and 48 other events. No limit of
 * rules.def counts more than 100.
 */
#ifndef TAF_SHARE_H
#define TAF_SHARE_H

#include "../policy/ledger.h"
#include "../policy/text.h"

#define TAF_SHARE_WAIT_MS 200

enum taf_share_change {
	TAF_SHARE_SAME, /* nothing was changed */
	TAF_SHARE_LAZY, /* written, not flushed: losing it in a panic is harmless */
	TAF_SHARE_DURABLE, /* on disk when taf_share_leave returns */
};

/* STATE, absolute; "": this process's memory alone. To be called once, before the others. */
void taf_share_open(const char *dir);
/* After that, for a process that only looks: from then on nothing is made, renamed or
 * written, whatever is wrong there. */
void taf_share_only_look(void);
/* Never NULL. *err: 0, or -errno and then nothing reaches other processes. Between
 * enter and leave: no waiting, no call of theirs, no crumb. Only a fault handler gets
 * into a section inside of one; it has memory of its own, and the outer one goes on. */
struct taf_ledger *taf_share_enter(int *err);
/* 0 or -errno of the writing; the change stays in this process's memory either way. */
int taf_share_leave(enum taf_share_change change);
/* Whether somebody has written the state since this process last entered. Two stats. */
bool taf_share_is_stale(void);
/* What went wrong since this was asked last, one line: "FILE:LINE: what; ...". False: nothing. */
bool taf_share_trouble(struct taf_text *out);
/* A fork child keeps no descriptor and no lock of its parent. */
void taf_share_forget(void);

/* Now, for this boot. */
struct taf_moment taf_moment_now(void);

#endif
