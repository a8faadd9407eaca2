/* SPDX-License-Identifier: MIT */
/* run_lock.h -- `run` waits for the GPU lock before it starts its guest.
 *
 * Only when lock.on_conflict is wait or refuse and lock.hold is run, which no
 * built-in policy says.  `run` is then the first member of the run: it keeps
 * the slot until it ends, and processes of the guest join it.  So a guest that
 * never uses a device keeps others from it as well.  With --exec the slot is
 * only waited for: nobody is left to keep it, and the guest takes it when it
 * becomes active.
 *
 * A wait and a refusal are in the log (lock_wait.h), in a session of `run` that lasts as
 * long as the run; not a wait with --exec, whose session would have the guest's name.
 *
 * While it waits one line on stderr says for whom and how long at most: renewed
 * each second on a terminal, once a minute elsewhere.  Signals act as they would
 * on any program that has begun nothing yet.
 */
#ifndef TAF_RUN_LOCK_H
#define TAF_RUN_LOCK_H

#include <stdbool.h>

#include "../policy/rules.h"
#include "own.h"

struct taf_run_lock {
	const struct taf_rules *rules; /* live as long as the process, like the rest */
	const char *run, *label; /* label: NULL: none */
	char *const *command;
	char *const *env; /* of the guest */
	struct taf_own own; /* the session of `run`, which tells of the wait */
	bool becomes_guest; /* --exec: the name of that session is the guest's */
};

/* 0: go on; else the exit status, after a line on stderr. */
int taf_run_lock(const struct taf_run_lock *l);

#endif
