/* SPDX-License-Identifier: MIT */
#include "gate_ask.h"

#include <errno.h>
#include <string.h>

#include "../policy/cooldown.h"
#include "../shim/share.h"
#include "../shim/sys.h"
#include "evidence.h"
#include "policy_find.h"
#include "show.h"
#include "state_cli.h"
#include "tell.h"

static void say_mistake(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

static const struct taf_rules *rules_for(const struct taf_who *who, const char *state)
{
	static struct taf_policy file;
	static struct taf_policy_found found;
	struct taf_policy_ask ask = { .state = state, .who = *who, .tell = say_mistake };

	taf_policy_find(&ask, &file, &found);
	taf_policy_found_free(&found);
	return &found.rules;
}

static void broken(struct taf_gate_word *w, const struct taf_rules *rules, const char *why)
{
	w->is_broken = true;
	w->is_held = rules->cooldown_blind == TAF_BLIND_HOLD;
	taf_copy(w->why, why, sizeof(w->why));
}

/* "lockout: 2 panics in 24 h...; until 2026-...; find the cause, then: taffrail ack" */
static void explain(struct taf_gate_word *w, const struct taf_gate *g,
		    const struct taf_gate_question *q)
{
	const char *todo = taf_gate_todo(g->reason);
	char until[TAF_TIME_ROOM];
	struct taf_text t;

	taf_text_init(&t, w->why, sizeof(w->why));
	taf_gate_text(g, q, &t);
	if (g->pass_ms != TAF_PASS_UNKNOWN) {
		w->until_us = taf_sys_utc_us() + g->pass_ms * 1000;
		taf_text_put(&t, "; until ");
		taf_text_put(&t, taf_show_time(until, w->until_us));
	}
	taf_text_put(&t, *todo ? "; " : "");
	taf_text_put(&t, todo);
}

static void judge(struct taf_gate_word *w, const struct taf_rules *rules)
{
	struct taf_gate_question q = { .rules = rules, .now = taf_moment_now() };
	struct taf_gate g;
	int err;

	q.ledger = taf_share_enter(&err);
	taf_gate_judge(&q, &g);
	w->is_held = g.is_held;
	if (g.is_held)
		explain(w, &g, &q);
	taf_share_leave(TAF_SHARE_SAME);
	/* Where nothing was ever kept, what was found just now is all there is. */
	if (err && err != -ENOENT && !g.is_held)
		broken(w, rules, "the state directory cannot be read or locked");
}

void taf_gate_ask(const struct taf_who *who, struct taf_gate_word *w)
{
	struct taf_evidence_report found;
	struct taf_state_dir dir;
	const struct taf_rules *rules;
	bool has_place = !taf_state_find(NULL, &dir);
	char why[PATH_MAX + 160];

	memset(w, 0, sizeof(*w));
	rules = rules_for(who, NULL);
	if (rules->mode != TAF_MODE_ENFORCE)
		return;
	if (!has_place)
		broken(w, rules, "there is no place for the state directory; set TAFFRAIL_STATE");
	else if (!taf_state_check(&dir, why, sizeof(why)))
		broken(w, rules, why);
	if (w->is_broken)
		return;
	taf_share_open(dir.path);
	taf_evidence_refresh(dir.path, &found);
	judge(w, rules);
}
