/* SPDX-License-Identifier: MIT */
/* restart.h -- `run --restart`: starts a guest again when it failed or asks for it.
 *
 * policy/restart.h decides; here is where its facts come from.  Between two
 * guests the signals of supervise.h are taken as well: what tells `run` to end
 * ends all, with the status of the last guest.  Each restart is one line on
 * stderr and, when some guest of the run was active, a record in its session.
 * TAFFRAIL_RUN stays the same: all of them are one run.
 */
#ifndef TAF_RESTART_CLI_H
#define TAF_RESTART_CLI_H

#include "../policy/restart.h"
#include "../policy/rules.h"
#include "closing.h"

struct taf_restarter {
	const struct taf_restart_rules *rules; /* mode NEVER: one guest */
	const struct taf_rules *policy;
	struct taf_guest *guest;
	struct taf_closing *closing;
	const char *name; /* of the guest, for people */
	/* 0: it may start again; else an exit status, after a line. waits: the class of its
	 * error asks for the gate to open first. */
	int (*may_start)(void *arg, bool waits);
	void *arg;
	/* Set from outside while a guest runs: why it was told to end, so as to start again. */
	char asked[256];
	const char *asked_rule; /* path, or NULL */
	/* its own */
	struct taf_restart_past past;
	uint64_t asked_ms, began_ms; /* when it was told to; when the guest was started */
	bool is_kill_sent, is_told_lives, is_told_spent;
};

/* Reads "5/10m" into r. 0 or -EINVAL. */
int taf_restart_budget(const char *s, struct taf_restart_rules *r);
/* What is not said on the command line. */
void taf_restart_defaults(struct taf_restart_rules *r);
/* As taf_supervise, and again. 0, or -errno when there was no first guest. */
int taf_restart_supervise(struct taf_restarter *r, struct taf_end *end);
/* Tells the guest to end, so that it is started again: SIGTERM, once. One that could
 * not be started again is left alone, and that is said once. */
void taf_restart_ask(struct taf_restarter *r, const char *why, const char *rule);
/* After that, now and then: by watch.deadline and watch.action. True while it is waited for. */
bool taf_restart_press(struct taf_restarter *r);

#endif
