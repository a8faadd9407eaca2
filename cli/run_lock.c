/* SPDX-License-Identifier: MIT */
#include "run_lock.h"

#include <stdio.h>
#include <string.h>

#include "../policy/text.h"
#include "../shim/argv.h"
#include "../shim/lockfile.h"
#include "../shim/state.h"
#include "clock.h"
#include "run_refused.h"
#include "show.h"
#include "tell.h"
#include "verbs.h"
#include "waiting.h"

#define SLICE_MS 100 /* how soon a signal acts */
#define HOLDER_ROOM 400

struct waiting {
	const struct taf_run_lock *l;
	struct taf_waiting line;
	char holder[HOLDER_ROOM];
	uint64_t hold; /* seq of the record of the wait; 0: there is none */
};

static bool is_asked_for(const struct taf_rules *r)
{
	return r->mode == TAF_MODE_ENFORCE && r->lock_hold == TAF_LOCK_HOLD_RUN &&
	       (r->lock_on_conflict == TAF_ON_WAIT || r->lock_on_conflict == TAF_ON_REFUSE);
}

static void name_run(const struct taf_run_lock *l)
{
	static char command[TAF_LOCK_COMMAND];
	struct taf_lock_who who = { .run = l->run,
				    .label = l->label,
				    .command = command,
				    .env = l->env,
				    .theirs = l->env };
	struct taf_text t;
	int n = 0;

	while (l->command[n])
		n++;
	taf_text_init(&t, command, sizeof(command));
	taf_argv_words(n, l->command, &t);
	taf_lock_name(&who);
}

static void ask_holder(struct waiting *w)
{
	char raw[HOLDER_ROOM / 2];
	struct taf_text t;

	taf_text_init(&t, raw, sizeof(raw));
	taf_lock_holder(&t);
	taf_show_safe(w->holder, sizeof(w->holder), raw);
}

static void show(struct waiting *w, uint64_t left_ms)
{
	char line[HOLDER_ROOM + 100], left[32];

	if (!taf_waiting_is_due(&w->line))
		return;
	ask_holder(w);
	taf_show_ms(left, sizeof(left), left_ms * 1000);
	snprintf(line, sizeof(line), "waiting for the GPU lock, held by %s; %s left", w->holder,
		 left);
	taf_waiting_show(&w->line, line);
}

/* "sleep 4 (pid 12, for 3.2s)": for how long is of this moment, and goes. */
static void drop_age(char *holder)
{
	char *age = NULL;

	for (char *at = holder; (at = strstr(at, ", for ")); at++)
		age = at;
	if (age && holder[strlen(holder) - 1] == ')')
		memcpy(age, ")", 2);
}

/* The first thing that a state directory gets may be this. */
static bool has_place(const struct taf_own *own)
{
	return own->crumbs[0] && !taf_dir_make(own->crumbs, NULL);
}

/* The wait is in the log before it is waited: what is killed meanwhile has left it. */
static void record_wait(struct waiting *w)
{
	char msg[HOLDER_ROOM + 16];
	struct taf_rec r = { .kind = TAF_HOLD,
			     .phase = TAF_BEGIN,
			     .call = "run",
			     .rule = taf_rule_info(TAF_RULE_lock_on_conflict)->path,
			     .msg = msg };

	if (w->l->becomes_guest || !has_place(&w->l->own) || !taf_own_open(&w->l->own))
		return;
	ask_holder(w);
	snprintf(msg, sizeof(msg), "held by %s", w->holder);
	drop_age(msg);
	w->hold = taf_crumb(&r);
}

static void record_end(const struct waiting *w, uint64_t waited_ms)
{
	struct taf_rec r = { .kind = TAF_HOLD,
			     .phase = TAF_END,
			     .call = "run",
			     .rule = taf_rule_info(TAF_RULE_lock_on_conflict)->path,
			     .has = TAF_HAS_OF | TAF_HAS_MS,
			     .of = w->hold,
			     .us = waited_ms * 1000,
			     .keep = TAF_KEEP_LOG };

	if (w->hold)
		taf_crumb(&r);
}

/* By the setting that ended it, as the line on stderr says. */
static void record_refusal(const struct waiting *w, uint64_t waited_ms)
{
	bool is_wait = w->l->rules->lock_on_conflict == TAF_ON_WAIT;
	int rule = is_wait ? TAF_RULE_lock_max_wait_ms : TAF_RULE_lock_on_conflict;
	char msg[HOLDER_ROOM + 64], waited[32];

	snprintf(msg, sizeof(msg), "held by %s", w->holder);
	drop_age(msg);
	if (is_wait)
		snprintf(msg + strlen(msg), 48, "; waited %s",
			 taf_show_span(waited, sizeof(waited), waited_ms));
	record_end(w, waited_ms);
	if (!has_place(&w->l->own))
		return;
	taf_run_refused(&w->l->own, taf_rule_info(rule)->path, msg);
	if (w->hold)
		taf_run_refused_end();
}

static int refused(struct waiting *w, uint64_t waited_ms)
{
	char waited[32];

	taf_waiting_clear(&w->line);
	ask_holder(w);
	record_refusal(w, waited_ms);
	if (w->l->rules->lock_on_conflict == TAF_ON_REFUSE)
		taf_tell("%s is not started, because lock.on_conflict is refuse and the GPU lock "
			 "is held by %s; see: taffrail lock",
			 w->l->command[0], w->holder);
	else
		taf_tell("%s is not started, because the GPU lock is held by %s and lock.max_wait "
			 "is over after %s; see: taffrail lock",
			 w->l->command[0], w->holder,
			 taf_show_ms(waited, sizeof(waited), waited_ms * 1000));
	taf_lock_release();
	return TAF_EXIT_HELD;
}

static int wait_for_it(struct waiting *w)
{
	const struct taf_rules *r = w->l->rules;
	uint64_t max = r->lock_on_conflict == TAF_ON_WAIT ? r->lock_max_wait_ms : 0;
	uint64_t waited, left, began = taf_clock_ms();

	if (max)
		record_wait(w);
	for (;;) {
		waited = taf_clock_ms() - began;
		if (waited >= max)
			return refused(w, waited);
		left = max - waited;
		show(w, left);
		taf_lock_wait(left < SLICE_MS ? (uint32_t)left : SLICE_MS);
		if (taf_lock_try(r, NULL) != TAF_LOCK_BUSY) {
			taf_waiting_clear(&w->line);
			record_end(w, taf_clock_ms() - began);
			return 0;
		}
		taf_waiting_signals(&w->line);
	}
}

int taf_run_lock(const struct taf_run_lock *l)
{
	struct waiting w = { .l = l };
	char why[512];
	struct taf_text t;
	enum taf_lock_state s;

	if (!l->run[0] || !is_asked_for(l->rules))
		return 0;
	taf_waiting_begin(&w.line);
	name_run(l);
	taf_text_init(&t, why, sizeof(why));
	s = taf_lock_try(l->rules, &t);
	if (t.used)
		taf_tell("%s", why);
	return s == TAF_LOCK_BUSY ? wait_for_it(&w) : 0;
}
