/* SPDX-License-Identifier: MIT */
/* gate_view.h -- what the verbs about the past share: options, the store, the verdict.
 *
 *   struct taf_gate_ask ask = { .verb = "ack", .flag = "--clear" };
 *   status = taf_gate_options(argc, argv, &ask);     where a flag is all that a verb has of its own
 *   each option that is not the verb's own:  taf_gate_option(argv, &i, &ask)
 *   status = taf_gate_look(&ask, &view);     policy, evidence, log, ledger, verdict
 *
 * A verb that changes something does so between taf_gate_change and
 * taf_gate_changed, and looks again.
 */
#ifndef TAF_GATE_VIEW_H
#define TAF_GATE_VIEW_H

#include "../policy/breaker.h"
#include "../policy/cooldown.h"
#include "evidence.h"
#include "state_cli.h"

#define TAF_GATE_SETS 64

struct taf_gate_ask {
	const char *verb, *state, *policy;
	const char *sets[TAF_GATE_SETS];
	size_t n_sets;
	const char *flag; /* an option of the verb's own; NULL: none */
	bool may_be_quiet; /* it has --quiet */
	bool has_flag, is_json;
	bool is_looking; /* it changes nothing of its own: a state that was named must be there */
	bool is_quiet; /* no line about what was found on the way */
};

struct taf_gate_view {
	struct taf_state_dir dir;
	struct taf_rules rules;
	struct taf_ledger ledger; /* a copy */
	struct taf_moment now;
	struct taf_evidence_report evidence;
	uint64_t sentinel_ms;
	int err; /* of the store: 0, or -errno */
	struct taf_gate_question question;
	struct taf_gate gate;
	struct taf_gate_counts counts;
	struct taf_breaker_state breaker;
};

/* 1: it was one of --state, --policy, --set, --json; 0: it was none; an exit
 * status above that when it was wrong. */
int taf_gate_option(char **argv, int *i, struct taf_gate_ask *ask);
/* All of them, and ask->flag. 0, or an exit status after a line on stderr. */
int taf_gate_options(int argc, char **argv, struct taf_gate_ask *ask);
/* 0, or an exit status after a line on stderr. A store that cannot be read or
 * written is told, and left in view->err; of another user's nothing more is known. */
int taf_gate_look(const struct taf_gate_ask *ask, struct taf_gate_view *view);
/* The same for rules that are known already. */
void taf_gate_look_with(const struct taf_rules *rules, struct taf_gate_view *view);
/* The same evidence at this moment: time passes. */
void taf_gate_rejudge(struct taf_gate_view *view);
/* One line of what is wrong with the store, if anything is: each time while what
 * people said may be lost (l may be NULL). */
void taf_gate_tell_store(const struct taf_ledger *l);
/* Whether the store could be read; if not, no verdict is worth anything. */
bool taf_gate_is_broken(const struct taf_gate_view *view);

/* The ledger, to be changed; the state directory is made if it is not there.
 * NULL: it cannot be had, *status is an exit status, a line was said. */
struct taf_ledger *taf_gate_change(const struct taf_gate_ask *ask, const struct taf_gate_view *view,
				   int *status);
/* 0, or an exit status after a line. */
int taf_gate_changed(const struct taf_gate_ask *ask);

/* "2026-11-25T21:00:00Z (in 1h 29m)" of what passes in pass_ms; "until somebody acts". */
void taf_gate_until(const struct taf_gate_view *view, uint64_t pass_ms, char *buf, size_t room);

#endif
