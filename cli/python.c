/* SPDX-License-Identifier: MIT */
/* python.c -- `taffrail python ARG...`, also as the command taffrail-python.
 *
 * Becomes python3 (or TAFFRAIL_PYTHON) with the same arguments.  Nothing is added
 * while the gate lets work through.  During a hold Python still starts, but cannot
 * import what reaches for a GPU (python_hook.c): importing torch or mlx only to see
 * its version has taken machines down again.  What installs packages is not held.
 *
 *   pass                                 plain exec
 *   hold, -m pip, venv, build...         plain exec
 *   hold, TAFFRAIL_FORCE=1               plain exec and a remark in the log, once: the
 *                                        variable is not handed on
 *   hold                                 exec with the hook
 *   hold, -I, -E or -S                   not started, 75: the hook would not be seen
 *   the gate cannot judge                one line, plain exec, unless cooldown.blind is hold
 */
#include "python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../policy/pyargs.h"
#include "../shim/state.h"
#include "launch.h"
#include "note.h"
#include "supervise.h"
#include "tell.h"
#include "usage.h"
#include "vars.h"
#include "verbs.h"

/* One start. */
struct start {
	const char *name; /* what was looked for */
	struct taf_target target;
	struct taf_pyargs args;
	struct taf_python_gate gate;
	struct taf_vars vars;
};

/* Modules of -m that run however the gate stands; with all that is inside them. */
static bool is_free(const char *module)
{
	static const char *const names[] = { "pip",  "build",	  "virtualenv",
					     "venv", "ensurepip", "tomllib" };
	size_t n = strcspn(module, ".");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == n && !strncmp(module, names[i], n))
			return true;
	/* pip3, pip3.11 */
	return !strncmp(module, "pip3", 4) && module[4 + strspn(module + 4, ".0123456789")] == '\0';
}

static bool is_ourselves(const char *program)
{
	struct stat a, b;

	return !stat(program, &a) && !stat("/proc/self/exe", &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* 0, or an exit status. */
static int find_python(struct start *s)
{
	const char *given = getenv("TAFFRAIL_PYTHON");
	int err;

	s->name = given && *given ? given : "python3";
	err = taf_launch_find(s->name, &s->target);
	if (err)
		return taf_launch_failed(s->name, &s->target, err);
	if (!is_ourselves(s->target.program))
		return 0;
	taf_tell("python: %s is this command itself; set TAFFRAIL_PYTHON to an interpreter",
		 s->target.path);
	return TAF_EXIT_NOT_EXECUTABLE;
}

static bool is_forced(const struct taf_vars *v)
{
	const char *force = taf_vars_get(v, "TAFFRAIL_FORCE");

	return force && !strcmp(force, "1");
}

static void force(struct start *s)
{
	char text[512];
	int err;

	taf_tell("python: started in spite of a hold (TAFFRAIL_FORCE=1): %s", s->gate.why);
	snprintf(text, sizeof(text), "taffrail-python was forced through a hold: %s", s->gate.why);
	err = taf_note_leave(NULL, NULL, text);
	if (err)
		taf_tell("python: the log does not hold that it was forced: %s", strerror(-err));
}

/* 0, or the exit status when it must not be started. */
static int hold(struct start *s)
{
	char text[432], path[PATH_MAX * 2], dir[PATH_MAX];
	const char *was = taf_vars_get(&s->vars, "PYTHONPATH");
	int err;

	if (s->args.ignores_env || s->args.skips_site) {
		taf_tell("python: not started, because under -%s no import can be refused, and "
			 "there is a hold: %s; leave that option out, or set TAFFRAIL_FORCE=1",
			 s->args.ignores_env ? "I or -E" : "S", s->gate.why);
		return TAF_EXIT_HELD;
	}
	err = taf_python_hook(dir);
	if (err) {
		taf_tell("python: not started, because there is a hold (%s) and the file that "
			 "refuses imports cannot be written: %s; set TAFFRAIL_STATE",
			 s->gate.why, strerror(-err));
		return TAF_EXIT_HELD;
	}
	snprintf(text, sizeof(text), "%llu %s", (unsigned long long)s->gate.until_s, s->gate.why);
	snprintf(path, sizeof(path), "%s%s%s", dir, was && *was ? ":" : "", was ? was : "");
	err = taf_vars_set(&s->vars, "PYTHONPATH", path);
	err = err ? err : taf_vars_set(&s->vars, "TAFFRAIL_HOLD", text);
	return err ? TAF_EXIT_INTERNAL : 0;
}

/* What the gate's word means for this start: 0, or the exit status of not starting it. */
static int judge(struct start *s)
{
	bool is_forced_now = is_forced(&s->vars);

	taf_vars_drop(&s->vars, "TAFFRAIL_FORCE");
	if (s->args.only_tells || (s->args.module && is_free(s->args.module)) ||
	    taf_env_is_off(environ))
		return 0;
	taf_python_ask(s->target.program, &s->gate);
	if (s->gate.is_broken && !s->gate.is_held)
		taf_tell("python: goes on without the gate: %s", s->gate.why);
	if (!s->gate.is_held)
		return 0;
	if (!is_forced_now)
		return hold(s);
	force(s);
	return 0;
}

int taf_verb_python(int argc, char **argv)
{
	static struct start s;
	struct taf_launch launch = { .target = &s.target, .argv = argv };
	int status = find_python(&s);

	if (status)
		return status;
	taf_pyargs_read(argc, (const char *const *)argv, &s.args);
	if (taf_vars_init(&s.vars, environ))
		return TAF_EXIT_INTERNAL;
	status = judge(&s);
	if (status)
		return status;
	argv[0] = s.target.path;
	launch.env = s.vars.list;
	taf_signals_restore();
	return taf_launch_failed(s.name, NULL, taf_launch_exec(&launch));
}
