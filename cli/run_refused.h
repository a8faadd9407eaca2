/* SPDX-License-Identifier: MIT */
/* run_refused.h -- the record of a start that was refused: a session of `run` of its own.
 *
 * A service manager tries again each second, for hours.  So that its tries do not
 * drive the sessions of the crashes behind the hold out of the log, none is written
 * while the same refusal of the same program, by its path, label and rule, stands
 * in one of the last sessions of `run` in this boot, is younger than an hour, and no
 * program has used an engine since.
 */
#ifndef TAF_RUN_REFUSED_H
#define TAF_RUN_REFUSED_H

#include "own.h"

/* Before a restart the session of own is open, and the record goes there. */
void taf_run_refused(const struct taf_own *own, const char *rule, const char *msg);
/* The end of that session, where it was open before: nothing was started. */
void taf_run_refused_end(void);

#endif
