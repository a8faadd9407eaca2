/* SPDX-License-Identifier: MIT */
#include "run_gate.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../policy/policy.h"
#include "../policy/text.h"
#include "../shim/share.h"
#include "../shim/sys.h"
#include "clock.h"
#include "gate_view.h"
#include "run_refused.h"
#include "sentinel.h"
#include "tell.h"
#include "verbs.h"
#include "waiting.h"

#define SLICE_MS 100u /* how soon a signal acts, and a change by somebody else */
#define FRESH_MS 60000u /* new evidence is looked for so often while waiting */

struct asking {
	const struct taf_run_gate *g;
	struct taf_waiting line;
	struct taf_gate_view view;
	uint64_t began_ms, looked_ms;
};

/* Another guard's hold is no rule of ours: it speaks through the gate's own answer. */
static void say_sentinel(const struct asking *a, struct taf_verdict *v)
{
	const struct taf_rules *r = a->g->rules;
	struct taf_answer n = { .action = taf_action_of(r->cooldown_on_hold),
				.rule = TAF_RULE_lock_also,
				.pass_ms = a->view.gate.pass_ms };

	if (!a->view.sentinel_ms || !a->view.gate.is_held ||
	    a->view.gate.reason != TAF_GATE_SENTINEL)
		return;
	taf_copy(n.about, "sentinel: metal-guard holds", sizeof(n.about));
	taf_answer_wait(&n, taf_clock_ms() - a->began_ms, r->cooldown_max_wait_ms, TAF_ACT_REFUSE);
	taf_verdict_say(v, &n);
}

static void judge(struct asking *a, struct taf_verdict *v)
{
	struct taf_event start = { .kind = TAF_START, .phase = TAF_BEGIN };
	struct taf_facts f = { .now_ms = a->view.now.boot_ms,
			       .now = a->view.now,
			       .ledger = &a->view.ledger,
			       .waited_ms = taf_clock_ms() - a->began_ms };
	struct taf_question q = { a->g->rules, &start, &f };

	taf_verdict_init(v);
	taf_breaker(&q, v);
	taf_cooldown(&q, v);
	say_sentinel(a, v);
}

/* "cooldown.stage1: 30m 00s of 2h 00m, ..., passes in 1h 30m" */
static void tell_why(const struct taf_verdict *v, char *buf, size_t room)
{
	const struct taf_answer *why = taf_verdict_why(v);
	struct taf_text t;

	taf_text_init(&t, buf, room);
	if (!why)
		return;
	taf_text_put(&t, taf_rule_info(why->rule)->path);
	taf_text_put(&t, ": ");
	taf_answer_text(why, &t);
}

static void record(const struct taf_run_gate *g, const struct taf_verdict *v)
{
	const struct taf_answer *why = taf_verdict_why(v);
	char msg[400] = "";
	struct taf_text t;

	if (!why)
		return;
	taf_text_init(&t, msg, sizeof(msg));
	taf_answer_text(why, &t);
	taf_run_refused(&g->own, taf_rule_info(why->rule)->path, msg);
}

static int refuse(struct asking *a, const struct taf_verdict *v)
{
	char why[400];

	taf_waiting_clear(&a->line);
	tell_why(v, why, sizeof(why));
	record(a->g, v);
	taf_tell("%s is not started: %s; see: taffrail gate", a->g->command, why);
	return TAF_EXIT_HELD;
}

/* What others changed is seen at once, new evidence now and then. */
static void look_again(struct asking *a)
{
	bool is_old = taf_clock_ms() - a->looked_ms >= FRESH_MS;

	if (is_old || taf_share_is_stale()) {
		a->looked_ms = is_old ? taf_clock_ms() : a->looked_ms;
		taf_gate_look_with(a->g->rules, &a->view);
	} else {
		taf_gate_rejudge(&a->view);
	}
}

static int wait_for_it(struct asking *a, struct taf_verdict *v)
{
	char why[400], line[500];

	while (v->action == TAF_ACT_WAIT) {
		tell_why(v, why, sizeof(why));
		snprintf(line, sizeof(line), "waiting to start %s: %s", a->g->command, why);
		taf_waiting_show(&a->line, line);
		taf_sys_sleep_ms(v->wait_ms < SLICE_MS ? v->wait_ms + 1 : SLICE_MS);
		taf_waiting_signals(&a->line);
		look_again(a);
		judge(a, v);
	}
	if (v->action == TAF_ACT_REFUSE)
		return refuse(a, v);
	taf_waiting_clear(&a->line);
	return 0;
}

int taf_run_gate(const struct taf_run_gate *g)
{
	static struct asking a;
	struct taf_verdict v;
	char why[400];
	struct stat st;

	if (g->rules->mode != TAF_MODE_ENFORCE || !g->state[0] || stat(g->state, &st))
		return 0;
	a.g = g;
	a.began_ms = a.looked_ms = taf_clock_ms();
	snprintf(a.view.dir.path, sizeof(a.view.dir.path), "%s", g->state);
	taf_share_open(g->state);
	taf_waiting_begin(&a.line);
	taf_gate_look_with(g->rules, &a.view);
	if (!a.view.err)
		taf_gate_tell_store(&a.view.ledger);
	judge(&a, &v);
	if (v.action == TAF_ACT_WARN) {
		tell_why(&v, why, sizeof(why));
		taf_tell("%s is started all the same: %s; see: taffrail gate", g->command, why);
	}
	if (v.action == TAF_ACT_REFUSE)
		return refuse(&a, &v);
	return wait_for_it(&a, &v);
}
