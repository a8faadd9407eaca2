/* SPDX-License-Identifier: MIT */
/* gate.c -- `taffrail gate`: may GPU work start now, and if not, why and until when. */
#include <stdio.h>
#include <string.h>

#include "gate_view.h"
#include "jsonout.h"
#include "show.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

static const char *verdict_of(int status)
{
	switch (status) {
	case TAF_EXIT_OK: return "go";
	case TAF_EXIT_HELD: return "held";
	case TAF_EXIT_UNGUARDED: return "blind";
	default: return "broken";
	}
}

static int status_of(const struct taf_gate_view *v, bool is_strict)
{
	if (taf_gate_is_broken(v))
		return TAF_EXIT_INTERNAL;
	if (v->gate.is_held && v->gate.reason != TAF_GATE_BLIND)
		return TAF_EXIT_HELD;
	if (v->gate.is_held || (is_strict && v->gate.is_blind && v->rules.cooldown_mode))
		return TAF_EXIT_UNGUARDED;
	return TAF_EXIT_OK;
}

static void put_lost(struct taf_json *j, const struct taf_ledger *l)
{
	char why[200];
	struct taf_text t;

	if (!l->lost[0])
		return;
	taf_text_init(&t, why, sizeof(why));
	taf_gate_lost_text(l, &t);
	taf_json_open(j, NULL, '{');
	taf_json_text(j, "source", "state");
	taf_json_text(j, "why", why);
	taf_json_close(j);
}

static void put_json(const struct taf_gate_view *v, int status)
{
	const struct taf_gate *g = &v->gate;
	bool has_end = g->is_held && g->pass_ms != TAF_PASS_UNKNOWN;
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_text(&j, "verdict", verdict_of(status));
	taf_json_text(&j, "reason", taf_gate_word(g->reason));
	taf_json_time(&j, "until", has_end ? (v->now.utc_ms + g->pass_ms) * 1000 : 0);
	taf_json_u64(&j, "panics_24h", v->counts.panics_24h);
	taf_json_u64(&j, "panics_72h", v->counts.panics_72h);
	taf_json_u64(&j, "suspected_24h", v->counts.suspected_24h);
	taf_json_u64(&j, "aborts_24h", v->counts.aborts_24h);
	taf_json_text(&j, "rule",
		      g->is_held ? taf_rule_info(taf_gate_rule(g, &v->rules))->path : NULL);
	taf_json_text(&j, "class", g->why ? g->why->class : NULL);
	taf_json_text(&j, "device", g->why && g->why->device[0] ? g->why->device : NULL);
	taf_json_bool(&j, "breaker_open", v->breaker.is_open);
	taf_json_open(&j, "blind", '[');
	for (uint32_t i = 0; i < v->evidence.n_blind; i++) {
		taf_json_open(&j, NULL, '{');
		taf_json_text(&j, "source", v->evidence.blind[i].source);
		taf_json_text(&j, "why", v->evidence.blind[i].why);
		taf_json_close(&j);
	}
	put_lost(&j, &v->ledger);
	taf_json_close(&j);
	taf_json_close(&j);
	taf_json_end(&j);
}

static void put_text(const struct taf_gate_view *v)
{
	char buf[400], until[96];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_gate_text(&v->gate, &v->question, &t);
	if (!v->gate.is_held) {
		printf("go%s%s (%u panics in 24 h, %u in 72 h; %u crashes in 24 h)\n",
		       v->gate.reason ? ": " : "", v->gate.reason ? buf : "", v->counts.panics_24h,
		       v->counts.panics_72h, v->counts.aborts_24h);
		return;
	}
	printf("held: ");
	taf_show_text(stdout, buf, sizeof(buf));
	taf_gate_until(v, v->gate.pass_ms, until, sizeof(until));
	printf("\n%s\nto do: %s\n", until, taf_gate_todo(v->gate.reason));
}

/* One line, whatever the verdict: a gate that sees nothing must not look clean. */
static void say_blind(const struct taf_gate_view *v)
{
	const struct taf_blind *b = v->evidence.blind;

	if (!v->evidence.n_blind || !v->rules.cooldown_mode)
		return;
	if (v->evidence.n_blind == 1)
		taf_tell("gate: blind: %s: %s", b->source, b->why);
	else
		taf_tell("gate: blind: %s: %s (and %u more; see: taffrail gate --json)", b->source,
			 b->why, v->evidence.n_blind - 1);
}

/* What the policy says is worth a line and no more. */
static void say_suspected(const struct taf_gate_view *v)
{
	if (v->counts.suspected_24h && v->rules.cooldown_dirty_boot == TAF_DIRTY_WARN)
		taf_tell("gate: %u boots in 24 h ended inside a load or a generation; "
			 "cooldown.dirty_boot is warn, so they do not count",
			 v->counts.suspected_24h);
}

int taf_verb_gate(int argc, char **argv)
{
	static struct taf_gate_view view;
	struct taf_gate_ask ask = {
		.verb = "gate", .flag = "--strict", .may_be_quiet = true, .is_looking = true
	};
	int status = taf_gate_options(argc, argv, &ask);

	if (!status)
		status = taf_gate_look(&ask, &view);
	if (status && !view.err)
		return status;
	status = status_of(&view, ask.has_flag);
	if (!ask.is_quiet) {
		say_blind(&view);
		say_suspected(&view);
	}
	if (!ask.is_quiet && ask.is_json)
		put_json(&view, status);
	else if (!ask.is_quiet && status != TAF_EXIT_INTERNAL)
		put_text(&view);
	return status;
}
