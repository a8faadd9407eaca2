/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../shim/journal.h"
#include "../shim/state.h"
#include "../shim/sys.h"
#include "closing.h"
#include "doctor.h"
#include "launch.h"
#include "lookout.h"
#include "preload.h"
#include "run_gate.h"
#include "run_lock.h"
#include "run_policy.h"
#include "run_sites.h"
#include "supervise.h"
#include "tell.h"
#include "vars.h"
#include "verbs.h"

extern char **environ;

/* One run, from its arguments to the environment of its guest. */
struct plan {
	struct taf_run_args args;
	struct taf_target target;
	struct taf_state_dir state;
	struct taf_run_policy policy;
	struct taf_preload preload;
	struct taf_vars vars;
	struct taf_guest guest;
	struct taf_lookout lookout;
	struct taf_restarter restarter;
	struct taf_closing closing;
	bool is_nested; /* some outer `run` has said it all */
	bool is_preloaded;
};

/* The guest cannot be guarded. 0, or under --strict an exit status. */
static int unguarded(const struct plan *p, const char *why)
{
	if (p->policy.is_strict) {
		taf_tell("%s is not started, because it cannot be guarded: %s", p->args.command[0],
			 why);
		return TAF_EXIT_UNGUARDED;
	}
	taf_tell("%s runs unguarded: %s", p->args.command[0], why);
	return 0;
}

/* Where its loader takes it, the guard goes in front; where only children can
 * be reached it goes into the environment alone. */
static int plan_preload(struct plan *p)
{
	char why[PATH_MAX + 160];
	int status;

	if (p->target.why) {
		snprintf(why, sizeof(why), "%s", p->target.why);
		if (p->target.is_script)
			snprintf(why, sizeof(why), "its interpreter is %s, and %s",
				 p->target.program, p->target.why);
		status = unguarded(p, why);
		if (status || p->target.reach == TAF_REACH_NONE)
			return status;
	}
	p->is_preloaded = taf_preload_find(&p->preload, why, sizeof(why));
	if (!p->is_preloaded && !p->target.why)
		return unguarded(p, why);
	if (p->policy.is_strict && p->target.reach == TAF_REACH_FULL &&
	    taf_doctor_would_miss(p->args.command, why, sizeof(why)))
		return unguarded(p, why);
	return 0;
}

/* The folder of the crumbs, and what is wrong with it. 0, or under --strict an exit status. */
static int plan_crumbs(struct plan *p)
{
	struct taf_state_dir dir = p->state;
	const char *asked = p->policy.rules.crumbs_dir;
	char why[PATH_MAX * 2 + 160];

	if (asked[0] == '/')
		snprintf(dir.path, sizeof(dir.path), "%s", asked);
	if (!dir.path[0])
		snprintf(why, sizeof(why),
			 "there is no place for the state directory; "
			 "set TAFFRAIL_STATE");
	else if (taf_state_check(&dir, why, sizeof(why))) {
		if (asked[0] == '/')
			memcpy(p->closing.crumbs, dir.path, sizeof(dir.path));
		else
			taf_state_sub(&dir, "crumbs", p->closing.crumbs, sizeof(p->closing.crumbs));
		memcpy(p->lookout.witness.crumbs, p->closing.crumbs, PATH_MAX);
		taf_state_sub(&p->state, "stacks", p->lookout.stacks, sizeof(p->lookout.stacks));
		return 0;
	}
	if (p->policy.is_strict) {
		taf_tell("%s is not started, because it would leave no crumbs: %s",
			 p->args.command[0], why);
		return TAF_EXIT_UNGUARDED;
	}
	if (!p->is_nested)
		taf_tell("no crumbs: %s", why);
	return 0;
}

/* The run's name: 16 hexadecimal digits, shared by nested runs. */
static void plan_run_id(struct plan *p)
{
	const char *given = getenv("TAFFRAIL_RUN");
	uint64_t random = 0;

	p->is_nested = given && strlen(given) == 16 && strspn(given, "0123456789abcdef") == 16;
	if (!p->is_nested)
		taf_sys_random(&random, sizeof(random));
	if (p->is_nested)
		memcpy(p->closing.run, given, sizeof(p->closing.run));
	else
		snprintf(p->closing.run, sizeof(p->closing.run), "%016llx",
			 (unsigned long long)random);
}

/* What the user has set stays; who has set both is told. */
static int set_lever(struct plan *p, const struct taf_env *lever)
{
	const char *now = taf_vars_get(&p->vars, lever->name);

	if (p->policy.rules.env_force)
		return taf_vars_set(&p->vars, lever->name, lever->value);
	if (now && strcmp(now, lever->value) != 0)
		taf_tell("env.set.%s has no effect: it is set already, and env.force is off",
			 lever->name);
	return taf_vars_default(&p->vars, lever->name, lever->value);
}

/* The engine levers of the policy. */
static int set_levers(struct plan *p)
{
	const struct taf_env_list *list = &p->policy.rules.env_set;
	int err = 0;

	for (uint32_t i = 0; i < list->n && !err; i++)
		err = set_lever(p, &list->at[i]);
	return err;
}

static int set_given(struct plan *p, const char *name, const char *value)
{
	return value && *value ? taf_vars_set(&p->vars, name, value) : 0;
}

/* What tells the guard in the guest, and in its children, what to do. */
static int set_vars(struct plan *p)
{
	const struct taf_rules *rules = &p->policy.rules;
	const char *alloc = rules->memory_host == TAF_HOST_WATCH ? p->preload.alloc : "";
	int err = 0;

	err = err ? err : set_levers(p);
	err = err ? err : set_given(p, "TAFFRAIL_POLICY", p->policy.path);
	err = err ? err : set_given(p, "TAFFRAIL_BLOB", p->policy.blob);
	err = err ? err : set_given(p, "TAFFRAIL_SET", p->policy.set);
	err = err ? err : set_given(p, "TAFFRAIL_STATE", p->state.is_asked ? p->state.path : NULL);
	err = err ? err : set_given(p, "TAFFRAIL_LABEL", p->args.label);
	err = err ? err : set_given(p, "TAFFRAIL_STRICT", p->args.is_strict ? "1" : NULL);
	err = err ? err : set_given(p, "TAFFRAIL_FIT_ANYWAY", p->args.fits_anyway ? "1" : NULL);
	err = err ? err
		  : set_given(p, "TAFFRAIL_RESTART",
			      p->args.restart.mode != TAF_RESTART_NEVER ? "1" : NULL);
	err = err ? err : taf_vars_set(&p->vars, "TAFFRAIL_RUN", p->closing.run);
	err = err ? err
		  : taf_vars_set(&p->vars, "TAFFRAIL_PROPAGATE",
				 rules->propagate == TAF_PROPAGATE_FORCE ? "force" : "inherit");
	return err ? err
		   : taf_vars_preload(&p->vars, p->is_preloaded ? p->preload.guard : NULL,
				      p->is_preloaded && *alloc ? alloc : NULL);
}

/* What happened before may forbid the start. 0, or an exit status. */
static int ask_gate(const struct plan *p)
{
	struct taf_run_gate gate = { .rules = &p->policy.rules,
				     .state = p->state.path,
				     .command = p->args.command[0],
				     .own = taf_closing_own(&p->closing) };

	gate.own.program = p->target.path;
	gate.own.label = p->args.label;
	gate.own.journal = taf_journal_path(&p->policy.rules, environ);
	return p->is_nested ? 0 : taf_run_gate(&gate);
}

/* 0, or an exit status. Afterwards p->vars is what the guest gets. */
static int plan_guard(struct plan *p)
{
	int status;

	if (taf_vars_init(&p->vars, environ))
		return TAF_EXIT_INTERNAL;
	if (taf_env_is_off(environ))
		return 0;
	plan_run_id(p);
	if (taf_state_find(p->args.state, &p->state))
		p->state.path[0] = '\0';
	status = taf_run_policy_read(&p->args, p->target.program, &p->state, &p->policy);
	if (status)
		return status;
	if (p->policy.rules.mode == TAF_MODE_OFF)
		return taf_vars_preload(&p->vars, NULL, NULL) ? TAF_EXIT_INTERNAL : 0;
	status = plan_preload(p);
	if (!status)
		status = plan_crumbs(p);
	if (status)
		return status;
	status = ask_gate(p);
	if (status)
		return status;
	p->guest.look_ms = TAF_LOOKOUT_FIRST_MS;
	return set_vars(p) ? TAF_EXIT_INTERNAL : 0;
}

/* Service managers name the process that their offer is for. */
static void rename_pid(struct plan *p, const char *name, int32_t from)
{
	const char *value = taf_vars_get(&p->vars, name);
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)from);
	if (!value || strcmp(value, pid) != 0)
		return;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	taf_vars_set(&p->vars, name, pid);
}

/* The GPU lock, where the policy wants it before the start. 0, or an exit status. */
static int take_lock(struct plan *p)
{
	struct taf_run_lock lock = { .rules = &p->policy.rules,
				     .run = p->closing.run,
				     .label = p->args.label,
				     .command = p->args.command,
				     .env = p->vars.list,
				     .own = taf_closing_own(&p->closing),
				     .becomes_guest = p->args.becomes_guest };

	lock.own.program = p->target.path;
	lock.own.label = p->args.label;
	lock.own.journal = taf_journal_path(&p->policy.rules, environ);

	return taf_run_lock(&lock);
}

/* How readily the kernel ends the guest when memory runs out. It keeps that over exec,
 * and its children inherit it; `run` itself stays as it was. */
static void set_oom_score(const struct plan *p)
{
	int adj = p->policy.rules.memory_oom_score_adj;
	char text[16];
	int fd, n;

	if (!adj || p->policy.rules.mode != TAF_MODE_ENFORCE)
		return;
	n = snprintf(text, sizeof(text), "%d", adj);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		taf_tell("memory.oom_score_adj: %d could not be set: %s", adj, strerror(errno));
	close(fd);
}

/* Becomes the guest; returns the exit status when that fails. */
static int start(void *arg)
{
	struct plan *p = arg;
	struct taf_launch launch = { .target = &p->target, .argv = p->args.command };
	int err;

	if (!p->args.becomes_guest) {
		rename_pid(p, "LISTEN_PID", (int32_t)getppid());
		rename_pid(p, "WATCHDOG_PID", (int32_t)getppid());
	}
	set_oom_score(p);
	/* At each start: what is started again may be another build. */
	if (p->is_preloaded && p->target.reach == TAF_REACH_FULL)
		taf_run_sites(p->target.program, &p->vars);
	launch.env = p->vars.list;
	launch.env_plain = p->policy.is_strict ? NULL : environ;
	err = taf_launch_exec(&launch);
	return taf_launch_failed(p->args.command[0], NULL, err);
}

static int look(void *arg)
{
	struct plan *p = arg;

	return taf_lookout_look(&p->lookout);
}

/* The gate again, before a restart. Where a refusal would end the run, an error that asks
 * for the gate to open makes it wait. */
static int may_start(void *arg, bool waits)
{
	static struct taf_rules rules;
	struct plan *p = arg;
	struct taf_run_gate gate = { .rules = &rules,
				     .state = p->state.path,
				     .command = p->args.command[0],
				     .own = taf_closing_own(&p->closing) };

	rules = p->policy.rules;
	if (waits && rules.cooldown_on_hold != TAF_ON_WARN)
		rules.cooldown_on_hold = TAF_ON_WAIT;
	return p->is_nested ? 0 : taf_run_gate(&gate);
}

static int become(struct plan *p)
{
	p->args.becomes_guest = true;
	taf_signals_restore();
	return start(p);
}

static void plan_lookout(struct plan *p)
{
	p->guest.start = start;
	p->guest.look = look;
	p->guest.arg = p;
	p->closing.program = p->target.path;
	p->closing.label = p->args.label;
	p->closing.journal = taf_journal_path(&p->policy.rules, environ);
	p->restarter = (struct taf_restarter){ .rules = &p->args.restart,
					       .policy = &p->policy.rules,
					       .guest = &p->guest,
					       .closing = &p->closing,
					       .name = p->args.command[0],
					       .may_start = may_start,
					       .arg = p };
	p->lookout.rules = &p->policy.rules;
	p->lookout.restarter = &p->restarter;
	p->lookout.witness.guest = &p->guest.pid;
	p->lookout.watcher.rules = &p->policy.rules;
	/* The outer one watches for us, but only we can start our guest again. */
	p->lookout.watcher.crumbs =
		p->is_nested && p->args.restart.mode == TAF_RESTART_NEVER ? "" : p->closing.crumbs;
	p->lookout.watcher.stacks = p->lookout.stacks;
	p->lookout.watcher.run = p->closing.run;
	p->lookout.watcher.own = taf_closing_own(&p->closing);
}

/* A guest that never used an engine writes nothing, and so nobody learns of it. */
static void tell_record(const struct plan *p, bool was_active)
{
	if (!p->closing.crumbs[0] || p->is_nested)
		return;
	if (was_active && p->args.is_verbose)
		taf_tell("%s (pid %d): see: taffrail report --run %s", p->args.command[0],
			 (int)p->closing.guest, p->closing.run);
	else if (!was_active && (p->args.is_verbose || p->policy.is_strict))
		taf_tell("%s (pid %d) used no engine and no GPU that taffrail sees: nothing was "
			 "guarded, and there is no record of it; see: taffrail doctor -- %s",
			 p->args.command[0], (int)p->closing.guest, p->args.command[0]);
}

static int supervise(struct plan *p)
{
	struct taf_end end;
	int err;

	plan_lookout(p);
	err = taf_restart_supervise(&p->restarter, &end);
	taf_held_clear(&p->lookout.held);
	if (err) {
		taf_tell("%s is not watched, because there is room for one process only: %s",
			 p->args.command[0], strerror(-err));
		return become(p);
	}
	tell_record(p, taf_close_run(&p->closing, &end));
	taf_end_like(&end);
}

int taf_verb_run(int argc, char **argv)
{
	static struct plan plan = { .guest.look_ms = -1 };
	int status, err;

	taf_signals_block();
	status = taf_run_args_read(argc, argv, &plan.args);
	if (status)
		return status;
	err = taf_launch_find(plan.args.command[0], &plan.target);
	if (err)
		return taf_launch_failed(plan.args.command[0], &plan.target, err);
	status = plan_guard(&plan);
	if (!status)
		status = take_lock(&plan);
	if (status)
		return status;
	return plan.args.becomes_guest ? become(&plan) : supervise(&plan);
}
