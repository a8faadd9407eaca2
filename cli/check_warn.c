/* SPDX-License-Identifier: MIT */
/* check_warn.c -- settings that are right and yet cannot take effect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../shim/state.h"
#include "check.h"

/* A setting that another one makes idle, when somebody gave it. */
static void idle(struct taf_check *c, int rule, const char *why)
{
	if (taf_check_is_given(c, rule))
		taf_lines_add(&c->warnings, "%s has no effect: %s", taf_rule_info(rule)->path, why);
}

static void warn_target(struct taf_check *c)
{
	if (!c->command)
		return;
	if (c->target_err)
		taf_lines_add(&c->warnings, "there is no program %s that could be started: %s",
			      c->command[0], strerror(-c->target_err));
	else if (c->target.reach == TAF_REACH_NONE)
		taf_lines_add(&c->warnings, "no setting has effect in %s: %s", c->target.path,
			      c->target.why);
	else if (c->target.reach == TAF_REACH_CHILDREN)
		taf_lines_add(&c->warnings, "settings have effect in children of %s only: %s",
			      c->target.path, c->target.why);
}

extern char **environ;

static void warn_mode(struct taf_check *c)
{
	if (taf_env_is_off(environ))
		taf_lines_add(&c->warnings, "no setting has effect while TAFFRAIL=off is set");
	if (c->found.rules.mode == TAF_MODE_OFF)
		taf_lines_add(&c->warnings, "mode is off: no other setting has effect");
	else if (c->found.rules.mode == TAF_MODE_OBSERVE)
		taf_lines_add(&c->warnings,
			      "mode is observe: nothing is drained, held or limited; the "
			      "log says what would have been done");
}

/* A lever that the user has set already stays as it is. */
static void warn_env(struct taf_check *c)
{
	const struct taf_rules *r = &c->found.rules;

	if (r->env_force && !r->env_set.n)
		idle(c, TAF_RULE_env_force, "env.set is empty");
	for (uint32_t i = 0; i < r->env_set.n && !r->env_force; i++) {
		const char *now = getenv(r->env_set.at[i].name);

		if (now && strcmp(now, r->env_set.at[i].value))
			taf_lines_add(&c->warnings,
				      "env.set.%s has no effect: it is set already, to \"%s\", "
				      "and env.force is off",
				      r->env_set.at[i].name, now);
	}
}

static void warn_drain(struct taf_check *c)
{
	const struct taf_rules *r = &c->found.rules;

	if (!r->drain_every_submits)
		idle(c, TAF_RULE_drain_window, "drain.every_submits is 0");
	if (!r->drain_at_exit && r->exit_signals)
		idle(c, TAF_RULE_exit_signals,
		     "drain.at_exit is off, so a signal has nothing to do");
	if (!r->drain_at_exit)
		idle(c, TAF_RULE_exit_deadline_ms, "drain.at_exit is off");
	if (r->drain_post_clear && !r->drain_post_sync)
		idle(c, TAF_RULE_drain_post_sync, "drain.post_clear synchronizes anyway");
	if (r->exit_deadline_ms < r->drain_deadline_ms)
		taf_lines_add(&c->warnings, "at exit drain.deadline is cut short by exit.deadline");
	if (r->crumbs_segment > r->crumbs_keep_bytes)
		taf_lines_add(&c->warnings,
			      "crumbs.keep_bytes is less than one crumbs.segment: only the "
			      "newest session is kept");
}

static void warn_waits(struct taf_check *c)
{
	static const struct {
		int on, wait;
	} pairs[] = {
		{ TAF_RULE_cadence_on_violation, TAF_RULE_cadence_max_wait_ms },
		{ TAF_RULE_lock_on_conflict, TAF_RULE_lock_max_wait_ms },
		{ TAF_RULE_breaker_on_open, TAF_RULE_breaker_max_wait_ms },
		{ TAF_RULE_cooldown_on_hold, TAF_RULE_cooldown_max_wait_ms },
		{ TAF_RULE_memory_on_misfit, TAF_RULE_memory_max_wait_ms },
	};
	char value[32], why[96];

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct taf_text t, u;

		taf_text_init(&t, value, sizeof(value));
		taf_rules_show(&c->found.rules, pairs[i].on, &t);
		if (!strcmp(value, "wait"))
			continue;
		taf_text_init(&u, why, sizeof(why));
		taf_text_put(&u, taf_rule_info(pairs[i].on)->path);
		taf_text_put(&u, " is ");
		taf_text_put(&u, value);
		idle(c, pairs[i].wait, why);
	}
}

/* Who writes 0 may have meant no limit. */
static void warn_zero(struct taf_check *c, int rule, const struct taf_amount *a)
{
	if ((a->is == TAF_AMOUNT_BYTES && !a->bytes) || (a->is == TAF_AMOUNT_PCT && !a->pct))
		taf_lines_add(&c->warnings, "%s is 0: nothing is below it; off is no limit",
			      taf_rule_info(rule)->path);
}

static void warn_others(struct taf_check *c)
{
	static const int limits[] = { TAF_RULE_memory_limit, TAF_RULE_memory_max_single_alloc };
	const struct taf_rules *r = &c->found.rules;

	if (r->lock_scope == TAF_SCOPE_PATH && !*r->lock_path)
		taf_lines_add(&c->warnings, "lock.scope is path and lock.path is empty");
	if (r->lock_scope != TAF_SCOPE_PATH && *r->lock_path)
		idle(c, TAF_RULE_lock_path, "lock.scope is not path");
	if (r->memory_warn_pct > r->memory_critical_pct)
		taf_lines_add(&c->warnings,
			      "memory.warn is above memory.critical and comes too late");
	warn_zero(c, TAF_RULE_memory_limit, &r->memory_limit);
	warn_zero(c, TAF_RULE_memory_max_single_alloc, &r->memory_max_single_alloc);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (r->memory_on_misfit == TAF_ON_WARN && taf_check_is_given(c, limits[i]))
			taf_lines_add(&c->warnings,
				      "%s only warns: memory.on_misfit is warn; with refuse the "
				      "allocation fails",
				      taf_rule_info(limits[i])->path);
	if (!r->cooldown_mode) {
		idle(c, TAF_RULE_cooldown_on_hold, "cooldown.mode is off");
		idle(c, TAF_RULE_cooldown_stage1_ms, "cooldown.mode is off");
	}
#ifdef __linux__
	if (r->limits_wired.is != TAF_AMOUNT_NONE)
		idle(c, TAF_RULE_limits_wired, "only macOS wires memory for the GPU");
#endif
}

static bool names_engine(const struct taf_no_clear_list *list, const char *engine)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (!strcmp(list->at[i].name, engine))
			return true;
	return false;
}

/* What is for one engine, in a program that is known to have another. */
static void warn_engine(struct taf_check *c)
{
	static const struct {
		int rule;
		const char *engine;
	} only[] = {
		{ TAF_RULE_limits_cache, "mlx" }, { TAF_RULE_limits_memory, "mlx" },
		{ TAF_RULE_eval_chunk, "mlx" },	  { TAF_RULE_state_guard, "llama" },
#ifndef __linux__
		{ TAF_RULE_limits_wired, "mlx" },
#endif
	};
	const char *engine = taf_app_engine(c->found.program);
	char why[96];

	if (!*engine)
		return;
	for (size_t i = 0; i < sizeof(only) / sizeof(*only); i++) {
		snprintf(why, sizeof(why), "it is for %s, and %s computes by %s", only[i].engine,
			 taf_app_name(c->found.program), engine);
		if (strcmp(engine, only[i].engine) != 0)
			idle(c, only[i].rule, why);
	}
	snprintf(why, sizeof(why), "it names no version of %s", engine);
	if (c->found.rules.drain_no_clear.n &&
	    !names_engine(&c->found.rules.drain_no_clear, engine))
		idle(c, TAF_RULE_drain_no_clear, why);
}

void taf_check_warn(struct taf_check *c)
{
	warn_target(c);
	warn_mode(c);
	warn_env(c);
	warn_drain(c);
	warn_waits(c);
	warn_others(c);
	warn_engine(c);
}
