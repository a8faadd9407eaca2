/* SPDX-License-Identifier: MIT */
/* hold.c -- `taffrail hold`: keep GPU work back by hand, for a while. */
#include <stdio.h>
#include <string.h>

#include "../policy/value.h"
#include "gate_view.h"
#include "jsonout.h"
#include "option.h"
#include "show.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

#define LONGEST_MS (30ull * TAF_DAY_MS)

struct order {
	uint64_t for_ms; /* 0: none is given */
	const char *why;
	bool clears;
};

static int read_option(char **argv, int *i, struct order *o, struct taf_gate_ask *ask)
{
	const char *value, *name = argv[*i];
	int status;

	if (!strcmp(name, "--clear")) {
		o->clears = true;
	} else if ((value = taf_option(argv, i, "--for"))) {
		if (taf_value_ms(value, &o->for_ms, NULL) || !o->for_ms || o->for_ms > LONGEST_MS)
			return taf_usage_wrong("hold",
					       "--for wants a duration up to 30d, as \"2h\", not "
					       "\"%s\"",
					       value);
	} else if ((value = taf_option(argv, i, "--why"))) {
		o->why = value;
	} else {
		status = taf_gate_option(argv, i, ask);
		if (!status)
			return taf_usage_wrong("hold", "%s \"%s\"", taf_option_wrong(name), name);
		return status > 1 ? status : 0;
	}
	return 0;
}

static int carry_out(const struct order *o, const struct taf_gate_ask *ask, struct taf_gate_view *v)
{
	int status;
	struct taf_ledger *l = taf_gate_change(ask, v, &status);

	if (!l)
		return status;
	memset(&l->hold, 0, sizeof(l->hold));
	l->lost[0] = '\0';
	l->hold.set = v->now;
	l->hold.for_ms = o->for_ms;
	taf_copy(l->hold.why, o->why ? o->why : "", sizeof(l->hold.why));
	status = taf_gate_changed(ask);
	if (!status && o->for_ms > v->rules.cooldown_max_ms)
		taf_tell("hold: it ends after cooldown.max all the same");
	return status ? status : taf_gate_look(ask, v);
}

/* An acknowledgement ends a hold before its time is over. */
static bool is_acked(const struct taf_gate_view *v)
{
	uint64_t age = taf_moment_age_ms(&v->ledger.hold.set, &v->now);

	return age < v->ledger.hold.for_ms && taf_moment_age_ms(&v->ledger.ack, &v->now) < age;
}

static void show(const struct taf_gate_ask *ask, const struct taf_gate_view *v)
{
	uint64_t left = taf_gate_by_hand_ms(&v->question);
	char until[96];
	struct taf_json j;

	if (ask->is_json) {
		taf_json_init(&j, stdout);
		taf_json_open(&j, NULL, '{');
		taf_json_bool(&j, "held", left > 0);
		taf_json_time(&j, "until", left ? (v->now.utc_ms + left) * 1000 : 0);
		taf_json_text(&j, "why", left && v->ledger.hold.why[0] ? v->ledger.hold.why : NULL);
		taf_json_close(&j);
		taf_json_end(&j);
		return;
	}
	if (!left) {
		puts(is_acked(v) ? "no hold by hand: taffrail ack ended it" : "no hold by hand");
		return;
	}
	taf_gate_until(v, left, until, sizeof(until));
	printf("held by hand %s", until);
	if (v->ledger.hold.why[0]) {
		fputs(": ", stdout);
		taf_show_text(stdout, v->ledger.hold.why, sizeof(v->ledger.hold.why));
	}
	putchar('\n');
}

int taf_verb_hold(int argc, char **argv)
{
	static struct taf_gate_view view;
	struct taf_gate_ask ask = { .verb = "hold" };
	struct order order = { 0 };
	int status = 0;

	for (int i = 1; i < argc && !status; i++)
		status = read_option(argv, &i, &order, &ask);
	if (!status && order.clears && order.for_ms)
		status = taf_usage_wrong("hold", "--for and --clear exclude each other");
	if (!status && order.why && !order.for_ms)
		status = taf_usage_wrong("hold", "--why goes with --for");
	ask.is_looking = !order.clears && !order.for_ms;
	if (!status)
		status = taf_gate_look(&ask, &view);
	if (!status && (order.clears || order.for_ms))
		status = carry_out(&order, &ask, &view);
	if (status)
		return status;
	if (taf_gate_is_broken(&view))
		return TAF_EXIT_INTERNAL;
	show(&ask, &view);
	return taf_gate_by_hand_ms(&view.question) && !order.for_ms ? TAF_EXIT_HELD : TAF_EXIT_OK;
}
