/* SPDX-License-Identifier: MIT */
/* python_gate.c -- the gate's word about one Python that is about to start. */
#include "python.h"

#include <string.h>

#include "../shim/share.h"
#include "gate_view.h"
#include "policy_find.h"
#include "tell.h"

static void say_mistake(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

static const struct taf_rules *rules_for(const char *program)
{
	static struct taf_policy file;
	static struct taf_policy_found found;
	struct taf_policy_ask ask = { .who.exe = program, .tell = say_mistake };

	taf_policy_find(&ask, &file, &found);
	taf_policy_found_free(&found);
	return &found.rules;
}

static void broken(struct taf_python_gate *g, const struct taf_rules *rules, const char *why)
{
	g->is_broken = true;
	g->is_held = rules->cooldown_blind == TAF_BLIND_HOLD;
	taf_copy(g->why, why, sizeof(g->why));
}

/* "lockout: 2 panics in 24 h...; 2026-... (in 1h 29m); find the cause, then: taffrail ack" */
static void explain(struct taf_python_gate *g, const struct taf_gate_view *v)
{
	const char *todo = taf_gate_todo(v->gate.reason);
	char until[96];
	struct taf_text t;

	if (v->gate.pass_ms != TAF_PASS_UNKNOWN)
		g->until_s = (v->now.utc_ms + v->gate.pass_ms) / 1000;
	taf_gate_until(v, v->gate.pass_ms, until, sizeof(until));
	taf_text_init(&t, g->why, sizeof(g->why));
	taf_gate_text(&v->gate, &v->question, &t);
	taf_text_put(&t, "; ");
	taf_text_put(&t, until);
	taf_text_put(&t, *todo ? "; " : "");
	taf_text_put(&t, todo);
}

void taf_python_ask(const char *program, struct taf_python_gate *g)
{
	static struct taf_gate_view view;
	const struct taf_rules *rules = rules_for(program);
	char why[PATH_MAX + 160];

	memset(g, 0, sizeof(*g));
	if (rules->mode != TAF_MODE_ENFORCE)
		return;
	if (taf_state_find(NULL, &view.dir)) {
		broken(g, rules, "there is no place for the state directory; set TAFFRAIL_STATE");
		return;
	}
	taf_share_open(view.dir.path);
	taf_gate_look_with(rules, &view);
	taf_gate_tell_store(&view.ledger);
	g->is_held = view.gate.is_held;
	if (g->is_held)
		explain(g, &view);
	else if (taf_gate_is_broken(&view) && !taf_state_check(&view.dir, why, sizeof(why)))
		broken(g, rules, why);
	else if (taf_gate_is_broken(&view))
		broken(g, rules, "the state cannot be read; see: taffrail gate");
}
