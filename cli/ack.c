/* SPDX-License-Identifier: MIT */
/* ack.c -- `taffrail ack`: somebody has looked at what happened. */
#include <stdio.h>
#include <string.h>

#include "gate_view.h"
#include "jsonout.h"
#include "show.h"
#include "verbs.h"

static int carry_out(const struct taf_gate_ask *ask, struct taf_gate_view *v)
{
	int status;
	struct taf_ledger *l = taf_gate_change(ask, v, &status);

	if (!l)
		return status;
	memset(&l->ack, 0, sizeof(l->ack));
	if (!ask->has_flag) {
		l->ack = v->now;
		l->lost[0] = '\0';
	}
	status = taf_gate_changed(ask);
	return status ? status : taf_gate_look(ask, v);
}

static void put_json(const struct taf_gate_view *v)
{
	const struct taf_gate *g = &v->gate;
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_time(&j, "acknowledged", v->ledger.ack.utc_ms * 1000);
	taf_json_text(&j, "verdict", g->is_held ? "held" : "go");
	taf_json_text(&j, "reason", taf_gate_word(g->reason));
	taf_json_time(&j, "until",
		      g->is_held && g->pass_ms != TAF_PASS_UNKNOWN
			      ? (v->now.utc_ms + g->pass_ms) * 1000
			      : 0);
	taf_json_close(&j);
	taf_json_end(&j);
}

static void put_text(const struct taf_gate_view *v, bool clears)
{
	char until[96], buf[400], ttl[32];
	struct taf_text t;

	taf_text_init(&t, ttl, sizeof(ttl));
	taf_text_ms(&t, v->rules.cooldown_ack_ttl_ms);
	if (clears)
		puts("the acknowledgement is withdrawn");
	else
		printf("acknowledged: it counts for %s and until something new happens\n", ttl);
	if (!v->gate.is_held)
		return;
	taf_text_init(&t, buf, sizeof(buf));
	taf_gate_text(&v->gate, &v->question, &t);
	taf_gate_until(v, v->gate.pass_ms, until, sizeof(until));
	fputs("still held: ", stdout);
	taf_show_text(stdout, buf, sizeof(buf));
	printf("\n%s\nto do: %s\n", until, taf_gate_todo(v->gate.reason));
}

int taf_verb_ack(int argc, char **argv)
{
	static struct taf_gate_view view;
	struct taf_gate_ask ask = { .verb = "ack", .flag = "--clear" };
	int status;

	status = taf_gate_options(argc, argv, &ask);
	if (!status)
		status = taf_gate_look(&ask, &view);
	if (!status)
		status = carry_out(&ask, &view);
	if (status)
		return status;
	if (ask.is_json)
		put_json(&view);
	else
		put_text(&view, ask.has_flag);
	return TAF_EXIT_OK;
}
