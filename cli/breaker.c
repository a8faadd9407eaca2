/* SPDX-License-Identifier: MIT */
/* breaker.c -- `taffrail breaker`: whether panics came too fast, and closing it by hand. */
#include <stdio.h>
#include <string.h>

#include "gate_view.h"
#include "jsonout.h"
#include "verbs.h"

static void put_json(const struct taf_gate_view *v)
{
	const struct taf_breaker_state *b = &v->breaker;
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_bool(&j, "open", b->is_open);
	taf_json_u64(&j, "panics", b->count);
	taf_json_time(&j, "until", b->is_open ? (v->now.utc_ms + b->pass_ms) * 1000 : 0);
	taf_json_u64(&j, "window_ms", v->rules.breaker_window_ms);
	taf_json_u64(&j, "threshold", v->rules.breaker_threshold);
	taf_json_u64(&j, "cooldown_ms", v->rules.breaker_cooldown_ms);
	taf_json_close(&j);
	taf_json_end(&j);
}

static void put_text(const struct taf_gate_view *v)
{
	char until[96], window[32];
	struct taf_text t;

	taf_text_init(&t, window, sizeof(window));
	taf_text_ms(&t, v->rules.breaker_window_ms);
	if (!v->breaker.is_open) {
		printf("closed: %u of %u GPU panics within %s\n", v->breaker.count,
		       v->rules.breaker_threshold, window);
		return;
	}
	taf_gate_until(v, v->breaker.pass_ms, until, sizeof(until));
	printf("open: %u GPU panics within %s\n%s\nto do: find the cause, then: "
	       "taffrail breaker --clear\n",
	       v->breaker.count, window, until);
}

/* Closed at this moment: what was before counts no more. */
static int clear(const struct taf_gate_ask *ask, struct taf_gate_view *v)
{
	int status;
	struct taf_ledger *l = taf_gate_change(ask, v, &status);

	if (!l)
		return status;
	memset(&l->breaker, 0, sizeof(l->breaker));
	l->breaker.opened = v->now;
	status = taf_gate_changed(ask);
	return status ? status : taf_gate_look(ask, v);
}

int taf_verb_breaker(int argc, char **argv)
{
	static struct taf_gate_view view;
	struct taf_gate_ask ask = { .verb = "breaker", .flag = "--clear" };
	int status;

	status = taf_gate_options(argc, argv, &ask);
	ask.is_looking = !ask.has_flag;
	if (!status)
		status = taf_gate_look(&ask, &view);
	if (!status && ask.has_flag)
		status = clear(&ask, &view);
	if (status)
		return status;
	if (taf_gate_is_broken(&view))
		return TAF_EXIT_INTERNAL;
	if (ask.is_json)
		put_json(&view);
	else
		put_text(&view);
	return view.breaker.is_open ? TAF_EXIT_HELD : TAF_EXIT_OK;
}
