/* SPDX-License-Identifier: MIT */
/* run_gate.h -- `run` asks the gate and the breaker before it starts its guest.
 *
 * Evidence is read, then the rules cooldown and breaker answer as they would in
 * the guest.  warn: one line, and on.  wait: a line with the reason and the time
 * left, until it passes, somebody lifts it (ack, hold --clear, breaker --clear),
 * or max_wait is over.  refuse, exit, and a wait that is over: one line that names
 * rule and time, and exit status 75.  Only in mode enforce, and only where there
 * is a state directory.  A start that is refused is recorded (run_refused.h), so that
 * `report` and `log` know of it.
 */
#ifndef TAF_RUN_GATE_H
#define TAF_RUN_GATE_H

#include "../policy/rules.h"
#include "own.h"

struct taf_run_gate {
	const struct taf_rules *rules;
	const char *state; /* "": there is none */
	const char *command; /* for the lines */
	struct taf_own own; /* the session that a refused start is recorded in */
};

/* 0: go on; else the exit status, after a line on stderr. */
int taf_run_gate(const struct taf_run_gate *g);

#endif
