/* SPDX-License-Identifier: MIT */
/* cooldown.h -- the gate: whether GPU work may start, after what happened before.
 *
 * taf_gate_judge answers in this order; the first that applies names the reason:
 *
 *   kill_switch      cooldown.mode is off: nothing is looked at           go
 *   sentinel         `taffrail hold`, or another guard's stored hold      held
 *   lockout          lockout_24h panics in 24 h or lockout_72h in 72 h    held
 *     ack              ... somebody acknowledged the newest of them       go
 *     absolute_max     ... the oldest of them is cooldown.max ago         go
 *   cooldown         a panic less than cooldown.stage1 ago                held
 *     expired          ... or longer ago, within 24 h                     go
 *   none                                                                  go
 *
 * and where that says go, each of these may still hold, the longest first:
 *
 *   suspected_panic  a boot ended inside a call, less than stage1 ago
 *   machine          trouble of severity 4 in this boot: until the next one
 *   device           severity 3 in this boot: for stage1, or until the driver
 *                    says that the device was reset
 *   cooldown         severity 2 of this model or process: for aborts.hold
 *   aborts           aborts.threshold crashes within aborts.window: for aborts.hold
 *   blind            the evidence cannot be read or the state was damaged, and
 *                    cooldown.blind is hold
 *
 * A suspected panic never counts for the lockout, a crash never as a panic.  An
 * acknowledgement counts for cooldown.ack_ttl and for what is older than it; it
 * lifts everything but the cooldown after a panic that is known to be one.  It may
 * lie 5 minutes ahead.  Everything else from the future happened now.
 */
#ifndef TAF_COOLDOWN_H
#define TAF_COOLDOWN_H

#include "ledger.h"
#include "rules.h"

/* REASON(NAME, word, what to do about it) */
#define TAF_GATE_REASONS(REASON) \
	REASON(NONE, none, "") \
	REASON(EXPIRED, expired, "") \
	REASON(ACK, ack, "") \
	REASON(ABSOLUTE_MAX, absolute_max, "") \
	REASON(KILL_SWITCH, kill_switch, "") \
	REASON(SENTINEL, sentinel, "wait, or: taffrail hold --clear") \
	REASON(LOCKOUT, lockout, "find the cause, then: taffrail ack") \
	REASON(COOLDOWN, cooldown, "wait") \
	REASON(SUSPECTED_PANIC, suspected_panic, \
	       "wait; if the machine was switched off by hand: taffrail ack") \
	REASON(MACHINE, machine, "restart the machine, or: taffrail ack") \
	REASON(DEVICE, device, "reset the device, wait, or: taffrail ack") \
	REASON(ABORTS, aborts, "find out why the programs crash, wait, or: taffrail ack") \
	REASON(BLIND, blind, \
	       "let taffrail read the sources named (of a damaged state: taffrail ack), or set " \
	       "cooldown.blind to go")

enum taf_gate_reason {
#define REASON(NAME, word, todo) TAF_GATE_##NAME,
	TAF_GATE_REASONS(REASON)
#undef REASON
};

/* What is held. */
enum taf_gate_scope { TAF_SCOPE_ALL, TAF_SCOPE_GPU, TAF_SCOPE_MODEL };

struct taf_gate_question {
	const struct taf_rules *rules;
	const struct taf_ledger *ledger;
	struct taf_moment now;
	const char *model; /* that would be loaded; NULL: unknown */
	const char *device; /* that would be used; NULL: any, and so trouble of each counts */
	int32_t pid; /* that asks; 0: none */
	uint64_t sentinel_ms; /* until another guard's stored hold ends; 0: there is none */
};

struct taf_gate {
	bool is_held;
	bool is_blind;
	enum taf_gate_reason reason;
	enum taf_gate_scope scope;
	uint64_t pass_ms; /* when held: until it passes by itself, or TAF_PASS_UNKNOWN */
	/* As far as they were looked at: without those of a kill switch or a sentinel. */
	uint32_t panics_24h, panics_72h;
	uint32_t crashes; /* of a storm: within aborts.window */
	const struct taf_ledger_event *why; /* the event that holds; NULL: none does */
};

struct taf_gate_counts {
	uint32_t panics_24h, panics_72h; /* known ones */
	uint32_t suspected_24h, aborts_24h;
};

void taf_gate_judge(const struct taf_gate_question *q, struct taf_gate *out);
/* How long the hold by hand still stands; 0: there is none, or an acknowledgement ended it. */
uint64_t taf_gate_by_hand_ms(const struct taf_gate_question *q);
void taf_gate_count(const struct taf_gate_question *q, struct taf_gate_counts *out);
const char *taf_gate_word(enum taf_gate_reason reason); /* "lockout" */
const char *taf_gate_todo(enum taf_gate_reason reason); /* what to do; "": nothing */
/* The row of rules.def that a reason comes from. */
int taf_gate_rule(const struct taf_gate *g, const struct taf_rules *r);
/* "2 panics in 24 h, 3 in 72 h; the newest 20m ago: watchdogd_timeout" */
void taf_gate_text(const struct taf_gate *g, const struct taf_gate_question *q,
		   struct taf_text *out);
/* Of a damaged state: what may be lost, where it is kept, and what to do. */
void taf_gate_lost_text(const struct taf_ledger *l, struct taf_text *out);

#endif
