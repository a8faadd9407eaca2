/* SPDX-License-Identifier: MIT */
/* explain.h -- what `taffrail explain` was asked, what it found, and its parts.
 *
 * explain.c reads the arguments and decides the exit status; explain_ask.c
 * gathers the facts that the guard would gather and asks each rule as the guard
 * does, explain_lock.c looks at the GPU lock; explain_show.c prints for people,
 * explain_json.c for programs.
 */
#ifndef TAF_EXPLAIN_H
#define TAF_EXPLAIN_H

#include "../policy/policy.h"
#include "../shim/load_size.h"
#include "../shim/sys_memory.h"
#include "plan.h"
#include "policy_find.h"
#include "state_cli.h"

/* What a program does with a model, one after the other. */
enum taf_explain_step {
	TAF_STEP_START,
	TAF_STEP_LOAD,
	TAF_STEP_INFER,
	TAF_STEP_ALLOC,
	TAF_STEP_COUNT
};

enum {
#define R(fn) TAF_EXPLAIN_##fn,
	TAF_RULE_FNS(R)
#undef R
		TAF_EXPLAIN_RULES
};

struct taf_explain {
	const char *model, *file, *state, *at; /* as given; NULL: not given */
	const char **sets;
	size_t n_sets;
	uint64_t context; /* --ctx; 0: not given */
	bool is_json;
	char **command; /* NULL: none */

	struct taf_policy_found found;
	struct taf_state_dir dir;
	struct taf_moment now; /* the moment that is asked about */
	int64_t ahead_ms; /* of the present */
	char id[TAF_MODEL_ID];
	bool is_file; /* info is read from files */
	const char *wreck; /* why no engine can load the files; NULL: nothing is known */
	struct taf_model info;
	struct taf_model_hints hints; /* of command */
	struct taf_load_size size;
	struct taf_cache_ask ask;
	struct taf_plan plan;
	struct taf_facts facts;
	char holder[TAF_ABOUT_ROOM]; /* of the GPU lock; facts.lock_holder points at it */
	char trouble[512]; /* with the state; "": none */
	/* By step: what all rules say together, and each one alone. */
	struct taf_event event[TAF_STEP_COUNT];
	struct taf_verdict joint[TAF_STEP_COUNT];
	struct taf_verdict alone[TAF_STEP_COUNT][TAF_EXPLAIN_RULES];
};

const char *taf_explain_step_name(enum taf_explain_step step); /* "start" "load" "infer" "alloc" */
/* "cadence" for the n-th rule of taf_rule_list. */
const char *taf_explain_rule_name(int n);
/* "allow" "warn" "wait" "refuse" */
const char *taf_explain_action_name(enum taf_action action);
/* The step that decides: the first of the strictest. */
enum taf_explain_step taf_explain_worst(const struct taf_explain *x);

/* Fills everything from info on. 0, or an exit status after a line on stderr. */
int taf_explain_ask(struct taf_explain *x);
/* What an answer says, whole: the one of a rule has room for a part. */
void taf_explain_text(const struct taf_explain *x, const struct taf_answer *a,
		      struct taf_text *out);
/* Fills facts.lock: BUSY, or unknown, as a new run would find it free. */
void taf_explain_lock(struct taf_explain *x);
void taf_explain_show(const struct taf_explain *x);
void taf_explain_json(const struct taf_explain *x);

#endif
