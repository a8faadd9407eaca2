/* SPDX-License-Identifier: MIT */
/* explain_ask.c -- the facts that the guard would gather, and what each rule says to them. */
#include "explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../policy/cooldown.h"
#include "../policy/fit.h"
#include "../policy/ledger.h"
#include "../policy/registry.h"
#include "../policy/size.h"
#include "../shim/share.h"
#include "registry_find.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

const char *taf_explain_step_name(enum taf_explain_step step)
{
	static const char *const names[] = { "start", "load", "infer", "alloc" };

	return names[step];
}

const char *taf_explain_rule_name(int n)
{
	static const char *const names[] = {
#define R(fn) #fn,
		TAF_RULE_FNS(R)
#undef R
	};

	return names[n] + sizeof("taf_") - 1;
}

const char *taf_explain_action_name(enum taf_action action)
{
	static const char *const names[] = { "allow", "warn", "wait", "refuse" };

	return names[action];
}

enum taf_explain_step taf_explain_worst(const struct taf_explain *x)
{
	enum taf_explain_step worst = TAF_STEP_START;

	for (int s = 1; s < TAF_STEP_COUNT; s++)
		if (x->joint[s].action > x->joint[worst].action)
			worst = (enum taf_explain_step)s;
	return worst;
}

/* 0 or an exit status. */
static int read_files(struct taf_explain *x)
{
	int err = taf_model_identify(x->model, &x->info);

	if (err && !x->info.bytes) {
		taf_tell("%s: %s", x->model,
			 x->info.flaw[0]  ? x->info.flaw
			 : err == -ENOENT ? "there are no weights in this folder"
					  : strerror(-err));
		return TAF_EXIT_FAILED;
	}
	x->is_file = true;
	memcpy(x->id, x->info.id, sizeof(x->id));
	if (x->info.missing)
		x->wreck = "parts of it are missing";
	else if (x->info.is_short)
		x->wreck = "the file ends before its tensors do";
	return 0;
}

/* A name that only a file would have. */
static bool is_path(const char *name)
{
	const char *dot = strrchr(name, '.');

	return *name == '/' || !strncmp(name, "./", 2) || !strncmp(name, "../", 3) ||
	       (dot && (!strcmp(dot, ".gguf") || !strcmp(dot, ".safetensors")));
}

/* A file or a folder that is there, else a name. 0 or an exit status. */
static int find_model(struct taf_explain *x)
{
	if (access(x->model, F_OK) == 0)
		return read_files(x);
	if (is_path(x->model))
		taf_tell("explain: %s: no such file; taken as a name", x->model);
	if (taf_model_id(x->model, x->id))
		return 0;
	return taf_usage_wrong("explain", "\"%s\" is neither a file nor the name of a model",
			       x->model);
}

static void measure(struct taf_explain *x)
{
	size_t argc = 0;

	while (x->command && x->command[argc])
		argc++;
	if (argc)
		taf_model_hint_argv((int)argc, x->command, &x->hints);
	taf_model_hint_env(environ, &x->hints);
	if (x->context)
		snprintf(x->hints.text[TAF_HINT_CONTEXT], sizeof(x->hints.text[0]), "%llu",
			 (unsigned long long)x->context);
	taf_load_ask(&x->hints, x->info.context, &x->ask);
	taf_load_measure(x->is_file ? &x->info : NULL, &x->hints, &x->size);
	if (!x->is_file && taf_size(x->id, 0, &x->size.bytes) == TAF_SIZE_NAME)
		x->size.basis = TAF_BASIS_NAME;
}

static void look_at_memory(struct taf_memory *m)
{
	struct taf_sys_memory s;

	if (taf_sys_memory(&s))
		return;
	m->total = s.total;
	m->free = s.free;
}

/* A copy: what the rules see is not under the lock. A state that is not there yet stays so. */
static const struct taf_ledger *look_at_state(struct taf_explain *x)
{
	static struct taf_ledger copy;
	struct taf_text t;
	int err = 0;

	if (taf_state_find(x->state, &x->dir))
		return &copy;
	if (!taf_state_is_own(&x->dir)) {
		taf_state_foreign(&x->dir, x->trouble, sizeof(x->trouble));
		return &copy;
	}
	if (!taf_state_is_there(&x->dir))
		return &copy;
	taf_share_open(x->dir.path);
	taf_share_only_look();
	copy = *taf_share_enter(&err);
	taf_share_leave(TAF_SHARE_SAME);
	taf_text_init(&t, x->trouble, sizeof(x->trouble));
	if (!taf_share_trouble(&t) && err) {
		taf_text_put(&t, x->dir.path);
		taf_text_put(&t, ": ");
		taf_text_put(&t, strerror(-err));
	} else if (!t.used && copy.lost[0]) {
		taf_gate_lost_text(&copy, &t);
	}
	return &copy;
}

/* Versions are read from a running process; there is none here. Mistakes in the registry
 * were told when the policy was read. */
static void look_at_registry(struct taf_explain *x)
{
	static char why[1024];
	int n_bad = 0;
	const struct taf_registry *r = taf_registry_open(&(struct taf_registry_ask){
		.path = x->found.rules.models_registry, .n_bad = &n_bad });
	const struct taf_reg_model *m = taf_registry_find(r, x->id);
	struct taf_text t;

	taf_fit_tier(&x->facts.memory, r);
	if (m && taf_registry_hits(r, m, NULL)) {
		taf_text_init(&t, why, sizeof(why));
		taf_registry_about(r, m, &t);
		x->facts.tier = (enum taf_tier)m->tier;
		x->facts.tier_why = why;
	}
	taf_registry_close(r);
}

/* Where in about the beginning of whole stands, cut by its end; its length: nowhere. */
static size_t cut_at(const char *about, const char *whole)
{
	size_t n = strlen(about), at = 0;

	while (at < n && strncmp(about + at, whole, n - at) != 0)
		at++;
	return at;
}

void taf_explain_text(const struct taf_explain *x, const struct taf_answer *a, struct taf_text *out)
{
	size_t n = strlen(a->about);
	size_t at = x->facts.tier_why && n + 1 == sizeof(a->about)
			    ? cut_at(a->about, x->facts.tier_why)
			    : n;
	struct taf_answer head = *a;

	head.about[at] = '\0';
	if (at < n)
		head.pass_ms = TAF_PASS_UNKNOWN;
	taf_answer_text(&head, out);
	if (at < n)
		taf_text_put(out, x->facts.tier_why);
}

static void set_events(struct taf_explain *x)
{
	static const enum taf_kind kinds[] = { TAF_START, TAF_LOAD, TAF_INFER, TAF_ALLOC };

	for (int s = 0; s < TAF_STEP_COUNT; s++)
		x->event[s] = (struct taf_event){ .kind = kinds[s],
						  .phase = TAF_BEGIN,
						  .is_first = s == TAF_STEP_INFER,
						  .model = x->id };
	x->event[TAF_STEP_LOAD].bytes = x->size.bytes;
	x->event[TAF_STEP_LOAD].cache_bytes = x->size.cache_bytes;
	x->event[TAF_STEP_LOAD].basis = x->size.basis;
	x->event[TAF_STEP_ALLOC].bytes = x->plan.largest_alloc;
}

static void ask_rules(struct taf_explain *x, int step)
{
	struct taf_question q = { &x->found.rules, &x->event[step], &x->facts };

	taf_decide(&q, &x->joint[step]);
	for (int i = 0; i < TAF_EXPLAIN_RULES; i++) {
		taf_verdict_init(&x->alone[step][i]);
		taf_rule_list[i](&q, &x->alone[step][i]);
	}
}

int taf_explain_ask(struct taf_explain *x)
{
	struct taf_question q = { &x->found.rules, &x->event[TAF_STEP_LOAD], &x->facts };
	int status = find_model(x);

	if (status)
		return status;
	measure(x);
	x->facts.now = x->now;
	x->facts.now_ms = x->now.boot_ms;
	x->facts.ledger = look_at_state(x);
	look_at_memory(&x->facts.memory);
	look_at_registry(x);
	taf_explain_lock(x);
	set_events(x);
	taf_plan_make(&x->info, &x->ask, &q, &x->plan);
	set_events(x);
	/* After the load the model is there, and its memory is taken. */
	for (int s = 0; s < TAF_STEP_COUNT; s++) {
		x->facts.models_live = s > TAF_STEP_LOAD;
		ask_rules(x, s);
	}
	return 0;
}
