/* SPDX-License-Identifier: MIT */
#include "gate_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../shim/dirty.h"
#include "../shim/share.h"
#include "option.h"
#include "policy_find.h"
#include "sentinel.h"
#include "show.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

int taf_gate_option(char **argv, int *i, struct taf_gate_ask *ask)
{
	const char *value, *name = argv[*i];

	if (!strcmp(name, "--json")) {
		ask->is_json = true;
		return 1;
	}
	if ((value = taf_option(argv, i, "--state")))
		ask->state = value;
	else if ((value = taf_option(argv, i, "--policy")))
		ask->policy = value;
	else if ((value = taf_option(argv, i, "--set")) && ask->n_sets < TAF_GATE_SETS)
		ask->sets[ask->n_sets++] = value;
	else
		return 0;
	if (!*value)
		return taf_usage_wrong(ask->verb, "%s wants a value", name);
	if (ask->n_sets && value == ask->sets[ask->n_sets - 1] &&
	    (!strchr(value, '=') || strchr(value, ';')))
		return taf_usage_wrong(ask->verb, "--set wants KEY=VALUE, not \"%s\"", value);
	return 1;
}

/* 1: it is a switch of the verb's own. */
static int take_switch(const char *name, struct taf_gate_ask *ask)
{
	bool is_flag = ask->flag && !strcmp(name, ask->flag);
	bool is_quiet = ask->may_be_quiet && (!strcmp(name, "--quiet") || !strcmp(name, "-q"));

	ask->has_flag = ask->has_flag || is_flag;
	ask->is_quiet = ask->is_quiet || is_quiet;
	return is_flag || is_quiet;
}

int taf_gate_options(int argc, char **argv, struct taf_gate_ask *ask)
{
	int status;

	for (int i = 1; i < argc; i++) {
		status = take_switch(argv[i], ask) ? 1 : taf_gate_option(argv, &i, ask);
		if (!status)
			return taf_usage_wrong(ask->verb, "%s \"%s\"", taf_option_wrong(argv[i]),
					       argv[i]);
		if (status > 1)
			return status;
	}
	return 0;
}

static void say_mistake(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

static int find_rules(const struct taf_gate_ask *ask, struct taf_gate_view *view)
{
	static struct taf_policy file;
	static struct taf_policy_found found;
	struct taf_policy_ask find = { .file = ask->policy,
				       .sets = (const char **)ask->sets,
				       .n_sets = ask->n_sets,
				       .who.exe = "",
				       .who.argv = "",
				       .tell = say_mistake };

	find.state = taf_state_is_there(&view->dir) ? view->dir.path : NULL;
	if (taf_policy_find(&find, &file, &found)) {
		taf_tell("%s: there is no memory left to read the policy", ask->verb);
		return TAF_EXIT_INTERNAL;
	}
	taf_policy_tell_instead(ask->policy, &found);
	view->rules = found.rules;
	taf_policy_found_free(&found);
	return 0;
}

void taf_gate_tell_store(const struct taf_ledger *l)
{
	static bool is_told; /* a verb that changes something looks twice */
	char line[600];
	struct taf_text t;

	taf_text_init(&t, line, sizeof(line));
	if (!taf_share_trouble(&t) && l && l->lost[0] && !is_told)
		taf_gate_lost_text(l, &t);
	if (!t.used)
		return;
	is_told = true;
	taf_tell("%s", line);
}

static void judge(struct taf_gate_view *view)
{
	struct taf_breaker_question breaker = { &view->rules, &view->ledger, view->now };

	view->question = (struct taf_gate_question){ .rules = &view->rules,
						     .ledger = &view->ledger,
						     .now = view->now,
						     .sentinel_ms = view->sentinel_ms };
	taf_gate_judge(&view->question, &view->gate);
	taf_gate_count(&view->question, &view->counts);
	taf_breaker_judge(&breaker, &view->breaker);
}

static void take_ledger(struct taf_gate_view *view)
{
	char scrap[8];
	struct taf_text t;

	view->ledger = *taf_share_enter(&view->err);
	taf_share_leave(TAF_SHARE_SAME);
	/* Nothing was ever written there, which is no trouble. */
	if (view->err == -ENOENT) {
		taf_text_init(&t, scrap, sizeof(scrap));
		taf_share_trouble(&t);
		view->err = 0;
	}
	view->now = taf_moment_now();
}

/* Evidence of the system, then our own log. Neither failing stops a verdict. */
static void gather(struct taf_gate_view *view)
{
	char crumbs[PATH_MAX];
	struct taf_dirty_ask dirty = { .rules = &view->rules,
				       .crumbs = crumbs,
				       .wants_live = true };

	/* Makes the state only where harm was found: reports go away, the event must not. */
	taf_evidence_refresh(view->dir.path, &view->evidence);
	taf_state_sub(&view->dir, "crumbs", crumbs, sizeof(crumbs));
	if (view->rules.crumbs_dir[0])
		snprintf(crumbs, sizeof(crumbs), "%s", view->rules.crumbs_dir);
	taf_dirty_check(&dirty);
}

/* What we wrote into another user's state would lock that user out of it. */
static void look(struct taf_gate_view *view)
{
	view->now = taf_moment_now();
	if (taf_state_is_own(&view->dir)) {
		gather(view);
		take_ledger(view);
	} else {
		view->err = -EPERM;
	}
	view->sentinel_ms = taf_sentinel_left_ms(&view->rules, view->now.utc_ms);
	judge(view);
}

void taf_gate_look_with(const struct taf_rules *rules, struct taf_gate_view *view)
{
	if (rules != &view->rules)
		view->rules = *rules;
	look(view);
}

void taf_gate_rejudge(struct taf_gate_view *view)
{
	view->now = taf_moment_now();
	view->sentinel_ms = taf_sentinel_left_ms(&view->rules, view->now.utc_ms);
	judge(view);
}

static int refuse_foreign(const struct taf_gate_ask *ask, struct taf_gate_view *view)
{
	char why[PATH_MAX + 160];

	taf_state_foreign(&view->dir, why, sizeof(why));
	if (!ask->is_quiet)
		taf_tell("%s: %s", ask->verb, why);
	look(view);
	return TAF_EXIT_INTERNAL;
}

int taf_gate_look(const struct taf_gate_ask *ask, struct taf_gate_view *view)
{
	int status = ask->is_looking ? taf_state_is_named(ask->verb, ask->state) : 0;

	if (status)
		return status;
	memset(view, 0, sizeof(*view));
	if (taf_state_find(ask->state, &view->dir)) {
		taf_tell("%s: there is no place for the state directory: set TAFFRAIL_STATE",
			 ask->verb);
		return TAF_EXIT_INTERNAL;
	}
	if (!taf_state_is_own(&view->dir))
		return refuse_foreign(ask, view);
	status = find_rules(ask, view);
	if (status)
		return status;
	taf_share_open(view->dir.path);
	look(view);
	if (!ask->is_quiet)
		taf_gate_tell_store(&view->ledger);
	return 0;
}

bool taf_gate_is_broken(const struct taf_gate_view *view)
{
	switch (-view->err) {
	case 0:
	case ETIMEDOUT:
	case ENOLCK:
	case EOPNOTSUPP:
	case EROFS:
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return false;
	default: return true;
	}
}

struct taf_ledger *taf_gate_change(const struct taf_gate_ask *ask, const struct taf_gate_view *view,
				   int *status)
{
	struct taf_ledger *l;
	int err = taf_state_make(&view->dir);

	*status = TAF_EXIT_INTERNAL;
	if (err) {
		taf_tell("%s: nothing is changed, because %s cannot be made: %s", ask->verb,
			 view->dir.path, strerror(-err));
		return NULL;
	}
	l = taf_share_enter(&err);
	if (!err)
		return l;
	taf_share_leave(TAF_SHARE_SAME);
	taf_tell("%s: nothing is changed", ask->verb);
	taf_gate_tell_store(NULL);
	return NULL;
}

int taf_gate_changed(const struct taf_gate_ask *ask)
{
	if (!taf_share_leave(TAF_SHARE_DURABLE))
		return 0;
	taf_tell("%s: the change could not be written", ask->verb);
	taf_gate_tell_store(NULL);
	return TAF_EXIT_INTERNAL;
}

void taf_gate_until(const struct taf_gate_view *view, uint64_t pass_ms, char *buf, size_t room)
{
	char at[TAF_TIME_ROOM], left[32];
	struct taf_text t;
	char *dot;

	if (pass_ms == TAF_PASS_UNKNOWN) {
		snprintf(buf, room, "until somebody acts");
		return;
	}
	taf_show_time(at, (view->now.utc_ms + pass_ms) * 1000);
	dot = strchr(at, '.');
	if (dot)
		memcpy(dot, "Z", 2);
	taf_text_init(&t, left, sizeof(left));
	taf_text_left(&t, pass_ms);
	snprintf(buf, room, "until %s, in %s", at, left);
}
