/* SPDX-License-Identifier: MIT */
/* doctor.h -- what doctor finds out, and the parts that find it.
 *
 * doctor.c reads the arguments and puts the parts together; doctor_words.c
 * follows scripts and env to the program that really runs; doctor_exe.c reads
 * that program and its libraries, doctor_judge.c judges them; doctor_host.c
 * looks at this machine; doctor_profile.c asks the policy; doctor_text.c prints.
 * Nothing is started, written or created.
 */
#ifndef TAF_DOCTOR_H
#define TAF_DOCTOR_H

#include "closure.h"
#include "doctor_profile.h"
#include "jsonout.h"
#include "later.h"
#include "sites.h"
#include "target.h"
#include <limits.h>

#include "../policy/event.h"
#include "../policy/role.h"

/* What a finding means. The words of taf_sort_name are part of the JSON. */
enum taf_sort {
	TAF_SORT_OK, /* host: as it should be */
	TAF_SORT_NOTE, /* good to know */
	TAF_SORT_WARN, /* host: something will be missing */
	TAF_SORT_BAD, /* host: does not work */
	TAF_SORT_ROUTE, /* program: a way to its calls */
	TAF_SORT_HIDDEN, /* program: a part that stays invisible */
	TAF_SORT_BLOCK, /* program: nothing can be preloaded */
	TAF_SORT_PROBLEM, /* doctor --host: wants to be changed */
	TAF_SORT_COUNT
};

struct taf_finding {
	enum taf_sort sort;
	const char *id; /* stable word */
	char *text; /* one line */
};

struct taf_findings {
	struct taf_finding *all;
	size_t n;
	bool is_short; /* memory ran out: some are missing */
};

#define TAF_VIA_MAX 12

/* The words of a command on their way to the program. */
struct taf_words {
	char **words; /* closed by NULL */
	size_t n;
	char *via[TAF_VIA_MAX]; /* scripts, interpreters and env passed, in order */
	size_t n_via;
	bool is_script; /* one of them is: the program is what interprets it */
	bool is_env_cleared; /* env -i or -u LD_PRELOAD on the way */
	struct taf_target target;
};

/* How many rows of one engine this program has to do with, and where. */
struct taf_engine_seen {
	unsigned rows;
	unsigned imported; /* asked for by some object */
	unsigned defined; /* in a library */
	unsigned own; /* defined and exported by the program itself */
	unsigned hidden; /* in the program's .symtab only */
	unsigned loads, loads_seen; /* rows that load a model; those of them that are in sight */
	unsigned submits_seen; /* rows that compute, in sight */
	size_t provider; /* the first library that defines one; SIZE_MAX: none */
};

enum taf_verdict_kind { TAF_GUARDED, TAF_PARTLY, TAF_UNGUARDED };

struct taf_doctor {
	struct taf_words command;
	struct taf_closure closure;
	struct taf_object *program; /* closure.libs[0].object; NULL: could not be read */
	bool is_static, is_musl, is_setuid, is_setgid, has_file_caps, is_cgo;
	bool is_idle; /* no engine in sight, and no way to one */
	bool is_starter; /* it imports what starts other programs */
	enum taf_role role; /* what its command looks like */
	struct taf_doctor_profile profile;
	size_t dlopens, dlsyms; /* the first object that imports dlopen, dlsym; SIZE_MAX: none */
	struct taf_engine_seen engines[TAF_ENGINE_COUNT];
	struct taf_sites sites; /* where the program calls engines of its own */
	enum taf_engine words; /* the engine in it by its words, where it is stripped */
	struct taf_later later;
	bool is_start; /* asked by `run`: what it would import counts if it is named */
	char importable[PATH_MAX]; /* a library that it would import; "": none */
	struct taf_findings findings;
	enum taf_verdict_kind verdict;
};

void taf_findings_add(struct taf_findings *f, enum taf_sort sort, const char *id, const char *form,
		      ...) __attribute__((format(printf, 4, 5)));
void taf_findings_close(struct taf_findings *f);
unsigned taf_findings_count(const struct taf_findings *f, enum taf_sort sort);
const char *taf_sort_name(enum taf_sort sort);

/* Follows the command. 0, or the exit status after one line on stderr. */
int taf_words_follow(struct taf_words *w, int argc, char **argv);
void taf_words_close(struct taf_words *w);

/* Reads and judges d->command.target. 0, or the exit status after one line on stderr. */
int taf_doctor_program(struct taf_doctor *d);
/* Whether this is the C library or its loader. */
bool taf_doctor_is_libc(const struct taf_object *o);
/* Turns what was seen into findings and a verdict. */
void taf_doctor_judge(struct taf_doctor *d);
/* For --strict. Whether an engine of the program, or all calls of one sort, would not be
 * guarded, and why. */
bool taf_doctor_misses(const struct taf_doctor *d, char *why, size_t room);
/* The same of a command that is about to be started: what a Python would import counts where
 * the command names it. False as well where it cannot be read. */
bool taf_doctor_would_miss(char **command, char *why, size_t room);
void taf_doctor_host(struct taf_findings *f);
/* The part of it that is about the directories we write to. */
void taf_doctor_places(struct taf_findings *f);

void taf_doctor_print(const struct taf_doctor *d);
void taf_doctor_print_json(const struct taf_doctor *d, int argc, char **argv);
void taf_host_print(const struct taf_findings *f);
void taf_host_print_json(const struct taf_findings *f);
/* "findings": [{sort, id, text}...] */
void taf_findings_put(struct taf_json *j, const struct taf_findings *f);

#endif
