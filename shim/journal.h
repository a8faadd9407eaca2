/* SPDX-License-Identifier: MIT */
/* journal.h -- `crumbs.journal`: what matters goes to the system's journal as well.
 *
 * One datagram a record in the journal's native protocol, a NAME=value a line, to
 *
 *   /run/systemd/journal/socket
 *
 * or, for the tests, to the socket that TAFFRAIL_JOURNAL_SOCKET names.  One socket is
 * kept for them (outbox.h); nothing is ever waited for: what the journal has no room for
 * it does not get, and the log has it all.  That nobody listens is said in the log,
 * once.  What matters:
 *
 *   err      errors                                  warning  refusals, holds, failed loads,
 *   notice   signals, restarts, rules that warn,              drains that were missed
 *            answers to wrong requests
 *   info     start, load, unload, exit
 *
 *   MESSAGE   for people: "load end llama tiny, 33.350 ms"
 *   PRIORITY  SYSLOG_IDENTIFIER=taffrail
 *   TAFFRAIL_EV _PH _ENGINE _CALL _MODEL _RULE _CLASS _RC _MS _MSG _RUN _SEQ
 *             the members of the record of that name (crumb.h)
 *
 * The journal itself adds who sent it (_PID, _EXE, _SYSTEMD_UNIT, _BOOT_ID).  Bytes that
 * end a line are blanks in a value: no text can forge a field.
 */
#ifndef TAF_JOURNAL_H
#define TAF_JOURNAL_H

#include "../policy/rules.h"
#include "crumb.h"

#define TAF_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* How much it matters, as syslog counts: 0 the most, 7 the least; -1: not at all. */
int taf_journal_level(const struct taf_rec *r);
/* What the policy and the environment say: for taf_session.journal. */
const char *taf_journal_path(const struct taf_rules *r, char *const *env);
/* From now on to path; NULL: no more. */
void taf_journal_open(const char *path);
bool taf_journal_is_open(void);
/* seq 0: the log has not got it. */
void taf_journal_send(const struct taf_rec *r, const char *run, uint64_t seq);

#endif
