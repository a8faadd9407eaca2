/* SPDX-License-Identifier: MIT */
/* verbs.h -- the verbs of the command: one row each.
 *
 *   VERB(name, one line for the overview)
 *
 * A row declares taf_verb_<name>, makes main.c dispatch to it and usage.c list
 * it; its long text stands in usage.c.  A verb gets its own arguments with
 * argv[0] the verb's name, and returns the exit status.  "--help" is answered
 * by main.c before the verb is called.
 */
#ifndef TAF_VERBS_H
#define TAF_VERBS_H

#define TAF_VERBS(VERB) \
	VERB(run, "start a program under the guard") \
	VERB(check, "read the policy and say what is in force") \
	VERB(explain, "say what would happen to a model now, and why") \
	VERB(report, "say what ran, what it did last and how it ended") \
	VERB(log, "print the crumbs, merged over processes") \
	VERB(doctor, "say whether and how a program can be guarded") \
	VERB(hooks, "list the entry points that are watched") \
	VERB(watch, \
	     "look after running guests: what hangs, asks for a restart, is short of memory") \
	VERB(orphans, "list work that began, did not end and makes no progress") \
	VERB(gate, "say whether GPU work may start now") \
	VERB(events, "list what went wrong on this machine") \
	VERB(ack, "acknowledge what happened: it lifts a lockout") \
	VERB(hold, "keep GPU work back for a while, by hand") \
	VERB(breaker, "say whether GPU panics came too fast") \
	VERB(classify, "say what a text of an engine, a driver or a kernel means") \
	VERB(lock, "show who has the GPU and who waits for it, or take it over") \
	VERB(models, "list models and versions known to make trouble") \
	VERB(note, "add a remark of your own to the log") \
	VERB(python, "start python3, without GPU packages during a hold") \
	VERB(help, "explain a verb")

#define VERB(name, text) int taf_verb_##name(int argc, char **argv);
TAF_VERBS(VERB)
#undef VERB

enum taf_exit {
	TAF_EXIT_OK = 0,
	TAF_EXIT_FAILED = 1, /* the answer is no: nothing found, not hookable */
	TAF_EXIT_USAGE = 64,
	TAF_EXIT_UNGUARDED = 69, /* cannot guard, and --strict */
	TAF_EXIT_INTERNAL = 70,
	TAF_EXIT_HELD = 75,
	TAF_EXIT_POLICY = 78,
	TAF_EXIT_NOT_EXECUTABLE = 126,
	TAF_EXIT_NOT_FOUND = 127,
};

#endif
