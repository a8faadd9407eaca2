/* SPDX-License-Identifier: MIT */
#include "usage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tell.h"
#include "usage_gate.h"
#include "verbs.h"

#define NAME_ROOM 24

struct verb_text {
	const char *name, *line, *text;
};

#define TEXT_run \
	"Usage: taffrail run [OPTION...] [--] COMMAND [ARGUMENT...]\n" \
	"\n" \
	"Starts COMMAND with libtaffrail.so in front of its libraries, waits for it and\n" \
	"ends as it ended: with its exit status, or by the same signal. Input, output,\n" \
	"signals and job control are those of COMMAND.\n" \
	"\n" \
	"  --policy FILE  take the rules from FILE (else TAFFRAIL_POLICY, the user's\n" \
	"                 policy.json, /etc/taffrail/policy.json, the built-in policy)\n" \
	"  --set K=V      override one setting; may be given more than once, the last wins\n" \
	"  --state DIR    keep crumbs and state in DIR (else TAFFRAIL_STATE or the default)\n" \
	"  --label TEXT   write TEXT into the sessions of this run\n" \
	"  --strict       do not start COMMAND when it cannot be guarded or the policy has\n" \
	"                 a mistake\n" \
	"  -v, --verbose  say at the end which report tells of it, or that there is no record\n" \
	"  --fit-anyway   load models that do not fit in memory, this once\n" \
	"  --restart[=on-failure|always]  start COMMAND again when it failed, hung, or asks\n" \
	"                 to be recycled; never after status 0 or when run is told to end\n" \
	"  --restart-max N/T    no more than N restarts in T (5/10m)\n" \
	"  --restart-delay T    before the first one; doubles with each in a row (1s)\n" \
	"  --exec         become COMMAND instead of waiting for it: same process id,\n" \
	"                 nobody records how it ended\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: that of COMMAND; 64 wrong arguments, 69 cannot guard (--strict),\n" \
	"70 internal error, 75 held by the policy, 78 mistake in the policy (--strict),\n" \
	"126 COMMAND is not executable, 127 there is no such COMMAND.\n" \
	"\n" \
	"Example: taffrail run --set crumbs.ring=disk -- node serve.mjs\n"

#define TEXT_check \
	"Usage: taffrail check [OPTION...] [FILE]\n" \
	"       taffrail check --effective [OPTION...] [-- COMMAND [ARGUMENT...]]\n" \
	"\n" \
	"Reads the policy and says each mistake with its line and column. With FILE that\n" \
	"file is read, otherwise the one that `taffrail run` would take. What is in force\n" \
	"then is printed with --effective.\n" \
	"\n" \
	"  --policy FILE  the same as FILE\n" \
	"  --set K=V      override one setting, as for run\n" \
	"  --effective    print each setting with its value and where the value comes from;\n" \
	"                 with COMMAND, for that program\n" \
	"  --compile      also write the compiled policy that the guard maps\n" \
	"  --state DIR    where it is written\n" \
	"  --schema       print the JSON schema of the policy instead\n" \
	"  --json         print for programs\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: 0 no mistake, 64 wrong arguments, 70 the compiled policy or the\n" \
	"output could not be written, 78 the policy has a mistake.\n" \
	"\n" \
	"Example: taffrail check --effective -- node serve.mjs\n"

#define TEXT_explain \
	"Usage: taffrail explain [OPTION...] [--model] NAME|FILE [-- COMMAND [ARGUMENT...]]\n" \
	"\n" \
	"Says what would happen if a program loaded that model now: rule by rule what is\n" \
	"compared and when it would pass, and how much memory it takes. Asks the rules\n" \
	"that the guard asks; starts nothing and writes nothing.\n" \
	"\n" \
	"  --model NAME|FILE  a name, a file of weights or a folder of them\n" \
	"  --ctx N        with a context of N tokens\n" \
	"  --at TIME      at a later time: \"+2h\" or 2026-11-21T10:00:00Z\n" \
	"  --policy FILE  with the rules of FILE\n" \
	"  --set K=V      override one setting, as for run\n" \
	"  --state DIR    where the state is\n" \
	"  --json         print for programs\n" \
	"  --help         this text\n" \
	"\n" \
	"With COMMAND, its profile and the context that it names count.\n" \
	"\n" \
	"Exit status: 0 it would be let in, 1 it would wait or be refused, or the file\n" \
	"is none that can be loaded, 64 wrong arguments or no such DIR, 70 the output\n" \
	"could not be written, 78 the policy cannot be read.\n" \
	"\n" \
	"Example: taffrail explain --model model.gguf --ctx 32768\n"

#define TEXT_report \
	"Usage: taffrail report [OPTION...]\n" \
	"\n" \
	"Says what ran, on which engine and model, how long each phase took, what each\n" \
	"thread did last, which calls never came back, and how it ended.\n" \
	"\n" \
	"  --last         the newest run, all its processes (the default)\n" \
	"  --all          every run that is kept\n" \
	"  --run ID       the run with that id\n" \
	"  --session PID  one process\n" \
	"  --state DIR    where the crumbs are\n" \
	"  --json         print for programs\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: 0 reported, or no session is there yet, 64 wrong arguments, no such\n" \
	"run, session or DIR, or more than one that matches, 70 the state directory cannot be\n" \
	"read or the output not written.\n" \
	"\n" \
	"Example: taffrail report --last\n"

#define TEXT_log \
	"Usage: taffrail log [OPTION...]\n" \
	"\n" \
	"Prints the crumbs of all processes in the order in which they were written. A\n" \
	"generation has the number of its begin: \"infer end ... of #65\" ends the begin #65.\n" \
	"\n" \
	"  -f, --follow   go on as new ones are written\n" \
	"  --since TIME   only newer ones: \"10m\", \"2h\" or 2026-11-21T10:00:00Z\n" \
	"  --ev KIND,...  only these kinds; may be given more than once\n" \
	"  --run ID       only this run\n" \
	"  --session PID  only this process\n" \
	"  --state DIR    where the crumbs are\n" \
	"  --json         one record a line, as it was written\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: 0 something was printed, 1 there is nothing, 64 wrong arguments, no\n" \
	"such run, session or DIR, or more than one that matches, 70 the state directory\n" \
	"cannot be read or the output not written.\n" \
	"\n" \
	"Example: taffrail log --since 10m --ev infer,drain,error\n"

#define TEXT_doctor \
	"Usage: taffrail doctor [--strict] [--json] [--policy FILE] [[--] COMMAND " \
	"[ARGUMENT...]]\n" \
	"       taffrail doctor --host [--json] [--policy FILE] [--unit FILE]... [--root DIR]\n" \
	"\n" \
	"Looks at COMMAND and the libraries it needs, without starting it, and says by\n" \
	"which routes it can be guarded, what stays invisible and why: static, setuid,\n" \
	"file capabilities, another C library, missing symbols; which profiles apply to\n" \
	"it and what its words ask for. Without COMMAND it looks\n" \
	"at whether this machine can guard; with --host at what of it makes crashes likely\n" \
	"or hides them: kernel, drivers, swap, overcommit, memory limits, journal, pstore,\n" \
	"state directory, and the time between a stop and the kill.\n" \
	"\n" \
	"  --strict       a program that cannot be guarded is a failure\n" \
	"  --host         the machine, each line ok, a note or a problem and what to do\n" \
	"  --policy FILE  look for profiles in this policy, hold the machine against it\n" \
	"  --unit FILE    a systemd unit, a launchd property list (XML) or a compose file\n" \
	"                 (*.yml, *.yaml): does it leave time for the drains at exit?\n" \
	"  --root DIR     look at the machine whose /proc, /sys and /etc are under DIR\n" \
	"  --json         print for programs\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: 0 it was looked at, 1 --host found a problem, 64 wrong arguments, no\n" \
	"such DIR or a FILE that cannot be read, 69 it cannot be guarded\n" \
	"(--strict) or libelf is not installed, 70 no memory, or the output could not be\n" \
	"written, 126 COMMAND is not executable, 127 there is no such COMMAND.\n" \
	"\n" \
	"Example: taffrail doctor node\n"

#define TEXT_hooks \
	"Usage: taffrail hooks [--engine NAME] [--json]\n" \
	"\n" \
	"Lists the entry points that are watched, what each of them means and how durable\n" \
	"its crumb is.\n" \
	"\n" \
	"  --engine NAME  only those of one engine or runtime: libc, llama, ggml, cuda,\n" \
	"                 cudart, hip, level0, vulkan, opencl, mlx, mlxc, whisper, sd, ds4\n" \
	"  --json         print for programs\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: 0, 64 wrong arguments or an engine that has no table, 70 the output\n" \
	"could not be written.\n" \
	"\n" \
	"Example: taffrail hooks --engine llama\n"

#define TEXT_classify \
	"Usage: taffrail classify [--kernel-log] [--json] [FILE|-]\n" \
	"\n" \
	"Says what the text in FILE, or on standard input, means: its class, how severe it\n" \
	"is and what to do. Of a panic or crash report of macOS it also says when it was,\n" \
	"in which boot and by which process. Where the text holds no known words it is read\n" \
	"as a kernel log, line by line. Of more than 5 MiB the end is read, and that is said.\n" \
	"\n" \
	"  --kernel-log   read it as a kernel log at once\n" \
	"  --json         print for programs\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: 0 something is known, 1 nothing is, 64 wrong arguments or a FILE that\n" \
	"cannot be read, 70 standard input could not be read or the output not written.\n" \
	"\n" \
	"Example: journalctl -k -b -1 | taffrail classify --kernel-log\n"

#define TEXT_lock \
	"Usage: taffrail lock [--json] [--policy FILE] [--set K=V]\n" \
	"       taffrail lock --take [--slot N] [--wait TIME] [--settle TIME]\n" \
	"\n" \
	"Shows each slot of the GPU lock: which run has it, since when, with which\n" \
	"processes, who waits for it, and whether a lock file of lock.also is held.\n" \
	"\n" \
	"  --take         ask who holds a slot to end (SIGTERM) and wait until it is free;\n" \
	"                 nobody is killed, and runs that wait stay behind meanwhile\n" \
	"  --slot N       which slot, when more than one is held\n" \
	"  --wait TIME    how long to wait at most (30s)\n" \
	"  --settle TIME  pause after that in which the kernel frees the buffers (8s)\n" \
	"  --policy FILE  the policy that says where the lock is, as for run\n" \
	"  --set K=V      override one setting, as for run\n" \
	"  --json         print for programs\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: 0 shown, or free now; 1 it is still held, or may not be taken; 64\n" \
	"wrong arguments; 70 the lock cannot be looked at or the output not written.\n" \
	"\n" \
	"Example: taffrail lock --take --wait 1m\n"

#define TEXT_models \
	"Usage: taffrail models [--gpu FAMILY] [--tier TIER] [--versions] [--json]\n" \
	"       taffrail models [--gpu FAMILY] [--json] MODEL\n" \
	"\n" \
	"Lists the models that are known to take machines down, to end their process or\n" \
	"to go wrong in time. With MODEL, a name, a tag or the path of its weights, says\n" \
	"what is known about that one: family, size, error classes, what to do instead.\n" \
	"\n" \
	"  --gpu FAMILY     only what is known on that GPU: M1, M2, M3, M4, M5\n" \
	"  --tier TIER      only one tier: panic, abort, degradation\n" \
	"  --versions       list versions of engines, and workloads, instead\n" \
	"  --registry FILE  read that registry (else models.registry of the policy, else\n" \
	"                   the one that comes along)\n" \
	"  --policy FILE    the policy that names it, as for run\n" \
	"  --json           print for programs\n" \
	"  --help           this text\n" \
	"\n" \
	"Exit status: 0 listed, or MODEL is not known, 1 MODEL is known, 64 wrong\n" \
	"arguments, 70 the output could not be written, 78 the registry has a mistake.\n" \
	"\n" \
	"Example: taffrail models --gpu M4 mlx-community/gemma-4-31b-it-8bit\n"

#define TEXT_note \
	"Usage: taffrail note [--run ID] [--state DIR] TEXT [KEY=VALUE...]\n" \
	"\n" \
	"Writes a remark into the log, beside what the guard saw: a deployment, a change\n" \
	"of cable, the start of a test. It joins the newest run unless --run names one.\n" \
	"\n" \
	"  --run ID       the run it belongs to, 16 hexadecimal digits\n" \
	"  --state DIR    where the crumbs are\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: 0 it is on disk, 1 there is no run of that ID, 64 wrong arguments,\n" \
	"70 it could not be written.\n" \
	"\n" \
	"Example: taffrail note \"new power supply\" ticket=4711\n"

#define TEXT_watch \
	"Usage: taffrail watch [OPTION...]\n" \
	"\n" \
	"Looks after all guests of the state directory from outside: calls that do not\n" \
	"come back, processes that ask to be restarted, memory that runs short. What is\n" \
	"done about a call that has stalled is watch.action of the policy.\n" \
	"\n" \
	"  --once         look once, act, and end when what was told to end has\n" \
	"  --interval T   time between two looks (5s)\n" \
	"  --policy FILE  take the rules from FILE, as for run\n" \
	"  --set K=V      override one setting; may be given more than once\n" \
	"  --state DIR    where the crumbs are\n" \
	"  --json         one event a line, for programs\n" \
	"  --help         this text\n" \
	"\n" \
	"Exit status: 0 nothing had stalled, or ended by a signal, 1 something had (--once),\n" \
	"or the mode of the policy is off, 64 wrong arguments or no such DIR (--once), 70\n" \
	"the state directory cannot be read, 78 mistake in the policy (strict).\n" \
	"\n" \
	"Example: taffrail watch --once --set watch.action=stack\n"

#define TEXT_orphans \
	"Usage: taffrail orphans [OPTION...]\n" \
	"\n" \
	"Lists loads, generations and calls that began, did not end and make no progress,\n" \
	"by the crumbs and by metal-guard's log. A pid to end is named only where it is\n" \
	"certainly still that process.\n" \
	"\n" \
	"  --after T           no progress for so long (90s)\n" \
	"  --metal-guard FILE  its breadcrumb log (else ~/.harper/logs/metal_breadcrumb.log\n" \
	"                      or logs/metal_breadcrumb.log, if it is there)\n" \
	"  --state DIR         where the crumbs are\n" \
	"  --json              print for programs\n" \
	"  --help              this text\n" \
	"\n" \
	"Exit status: 0 none, 1 there are some, 64 wrong arguments or no such DIR, 70 the\n" \
	"state directory or FILE cannot be read.\n" \
	"\n" \
	"Example: taffrail orphans --after 2m\n"
#define TEXT_python \
	"Usage: taffrail python [ARGUMENT...]\n" \
	"       taffrail-python [ARGUMENT...]\n" \
	"\n" \
	"Becomes python3 with the same arguments. While the gate holds work back (`taffrail\n" \
	"gate`), that Python and its children cannot import torch, mlx, transformers and other\n" \
	"packages that reach for a GPU; everything else runs. -m pip, build, venv, virtualenv\n" \
	"and ensurepip are never held. To see a version, importlib.metadata needs no import.\n" \
	"\n" \
	"  --help         this text (of the verb; taffrail-python hands it to python3)\n" \
	"\n" \
	"TAFFRAIL_PYTHON names another interpreter. TAFFRAIL_FORCE=1 starts it once in spite\n" \
	"of a hold and leaves a remark in the log.\n" \
	"\n" \
	"Exit status: that of python3; 75 held, and -I, -E or -S would hide the guard, 126\n" \
	"python3 is not executable, 127 there is none.\n" \
	"\n" \
	"Example: taffrail-python -c 'import torch; print(torch.__version__)'\n"

#define TEXT_help \
	"Usage: taffrail help [VERB]\n" \
	"\n" \
	"Explains VERB, or lists the verbs. `taffrail VERB --help` says the same.\n" \
	"\n" \
	"Exit status: 0, 64 there is no such verb, 70 the output could not be written.\n" \
	"\n" \
	"Example: taffrail help run\n"

static const struct verb_text verbs[] = {
#define VERB(name, line) { #name, line, TEXT_##name },
	TAF_VERBS(VERB)
#undef VERB
};

#define VERB_COUNT (sizeof(verbs) / sizeof(*verbs))

void taf_usage_overview(void)
{
	puts("Usage: taffrail VERB [OPTION...]\n"
	     "\n"
	     "A guard and a crash log for programs that run models on a GPU.\n");
	for (size_t i = 0; i < VERB_COUNT; i++)
		printf("  %-8s %s\n", verbs[i].name, verbs[i].line);
	puts("\n"
	     "  --help     this text            `taffrail help VERB` explains a verb\n"
	     "  --version  the version\n"
	     "\n"
	     "Example: taffrail run -- node serve.mjs; taffrail report --last");
}

void taf_usage_man(void)
{
	for (size_t i = 0; i < VERB_COUNT; i++) {
		const char *name = verbs[i].name, *line = verbs[i].line;

		printf(".It Cm %s\n%c%s", name, line[0] - 'a' + 'A', line + 1);
		if (strcmp(name, "help") != 0)
			printf("; see\n.Xr taffrail-%s 1 .\n", name);
		else
			puts(".");
	}
}

bool taf_usage_verb(const char *name)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (!strcmp(verbs[i].name, name)) {
			fputs(verbs[i].text, stdout);
			return true;
		}
	return false;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many bytes must change, come or go. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_ROOM + 1], n = strlen(b), before, above;

	if (n > NAME_ROOM)
		return n;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		before = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			above = row[j + 1];
			row[j + 1] = least(least(above, row[j]) + 1, before + (a[i] != b[j]));
			before = above;
		}
	}
	return row[n];
}

const char *taf_usage_nearest(const char *name)
{
	static const struct {
		const char *word, *verb;
	} others[] = { { "status", "report" }, { "ps", "report" }, { "start", "run" },
		       { "exec", "run" },      { "tail", "log" },  { "validate", "check" },
		       { "policy", "check" } };
	const char *best = NULL;
	size_t best_far = 3;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strcmp(others[i].word, name))
			return others[i].verb;

	for (size_t i = 0; i < VERB_COUNT; i++) {
		size_t far = distance(verbs[i].name, name);

		if (far < best_far && far < strlen(verbs[i].name)) {
			best_far = far;
			best = verbs[i].name;
		}
	}
	return best;
}

int taf_usage_wrong(const char *verb, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	taf_tell("%s: %s; see: taffrail help %s", verb, what, verb);
	return TAF_EXIT_USAGE;
}
