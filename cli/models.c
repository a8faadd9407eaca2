/* SPDX-License-Identifier: MIT */
/* models.c -- `taffrail models`: the registry, and what it knows about one model. */
#include "models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../policy/family.h"
#include "../policy/value.h"
#include "../shim/model.h"
#include "option.h"
#include "policy_find.h"
#include "registry_find.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

const struct taf_reg_model *taf_models_next(const struct taf_models *m, uint32_t *i)
{
	const struct taf_reg_model *row;

	while ((row = taf_registry_row(m->registry, TAF_REG_MODEL, *i))) {
		(*i)++;
		if ((!m->tier || row->tier == m->tier) &&
		    taf_registry_hits(m->registry, row, m->gpu))
			return row;
	}
	return NULL;
}

const char *taf_models_word(enum taf_reg_kind kind, uint32_t word, char buf[24])
{
	struct taf_text t;

	taf_text_init(&t, buf, 24);
	taf_value_show_word(&t, taf_reg_words(kind), word);
	return buf;
}

/* ---- Arguments ----------------------------------------------------------------- */

struct options {
	struct taf_models *m;
	const char *file, *policy; /* --registry, --policy; NULL: not given */
};

/* The tier's word; 0, or an exit status. */
static int take_tier(struct taf_models *m, const char *word)
{
	char why[128];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	if (taf_value_word(taf_reg_words(TAF_REG_TIER_KIND), word, &m->tier, &t) || !m->tier)
		return taf_usage_wrong("models",
				       "there is no tier \"%s\"; write panic, abort or degradation",
				       word);
	return 0;
}

/* An option with a value. 1: it was one, 0: it was not, else an exit status. */
static int read_valued(struct options *o, char **argv, int *i)
{
	const char *value, *name = argv[*i];

	if ((value = taf_option(argv, i, "--gpu")))
		o->m->gpu = value;
	else if ((value = taf_option(argv, i, "--registry")))
		o->file = value;
	else if ((value = taf_option(argv, i, "--policy")))
		o->policy = value;
	else if (!(value = taf_option(argv, i, "--tier")))
		return 0;
	if (!*value)
		return taf_usage_wrong("models", "%.*s wants a value", (int)strcspn(name, "="),
				       name);
	if (!strncmp(name, "--tier", 6)) {
		int err = take_tier(o->m, value);

		return err ? err : 1;
	}
	return 1;
}

static int read_word(struct options *o, char **argv, int *i)
{
	const char *word = argv[*i];
	int done = *word == '-' ? read_valued(o, argv, i) : 0;

	if (done)
		return done == 1 ? 0 : done;
	if (!strcmp(word, "--json"))
		o->m->is_json = true;
	else if (!strcmp(word, "--versions"))
		o->m->shows_versions = true;
	else if (*word == '-')
		return taf_usage_wrong("models", "there is no option \"%s\"", word);
	else if (o->m->name)
		return taf_usage_wrong("models", "one model at a time, not %s and %s", o->m->name,
				       word);
	else if (!*word)
		return taf_usage_wrong("models", "the name of a model is empty");
	else
		o->m->name = word;
	return 0;
}

static int read_options(struct options *o, int argc, char **argv)
{
	int err = 0;

	for (int i = 1; i < argc && !err; i++)
		err = read_word(o, argv, &i);
	if (!err && o->m->name && (o->m->tier || o->m->shows_versions))
		return taf_usage_wrong("models", "--tier and --versions are for the list, not for "
						 "one model");
	return err;
}

/* ---- The registry, and one model ------------------------------------------------- */

static void say(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

/* What the policy names, unless --registry did. The number of mistakes. */
static int open_registry(struct options *o)
{
	static struct taf_policy policy;
	static struct taf_policy_found found;
	struct taf_policy_ask ask = { .file = o->policy, .tell = say };
	bool is_told = !o->file;
	int n_bad = 0;

	if (!o->file) {
		if (taf_policy_find(&ask, &policy, &found))
			taf_tell("there is no memory left to read the policy");
		taf_policy_found_free(&found);
		o->file = found.rules.models_registry;
	}
	o->m->registry = taf_registry_open(&(struct taf_registry_ask){ .path = o->file,
								       .always_reads = true,
								       .tell = is_told ? NULL : say,
								       .n_bad = &n_bad });
	o->m->source = *o->file && !n_bad ? o->file : "built-in";
	return n_bad;
}

/* Says which families there are. */
static int unknown_gpu(const struct taf_models *m)
{
	const struct taf_reg_gpu *row;
	char known[400] = "";
	struct taf_text t;

	taf_text_init(&t, known, sizeof(known));
	for (uint32_t i = 0; (row = taf_registry_row(m->registry, TAF_REG_GPU, i)); i++) {
		taf_text_put(&t, i ? ", " : "");
		taf_text_put(&t, taf_registry_text(m->registry, row->text));
	}
	return taf_usage_wrong("models", "no entry knows a GPU family \"%s\"; there are: %s",
			       m->gpu, t.used ? known : "none");
}

/* The family of --gpu, which may be an architecture as well ("applegpu_g16p"). 0, or an
 * exit status. */
static int find_gpu(struct taf_models *m)
{
	static char family[64];
	struct taf_text t;

	if (!m->gpu)
		return 0;
	taf_text_init(&t, family, sizeof(family));
	taf_gpu_family(m->gpu, &t);
	if (!taf_registry_gpu(m->registry, family))
		return unknown_gpu(m);
	m->gpu = family;
	return 0;
}

/* Weights on disk give their true size; of a name it is guessed. */
static void measure(struct taf_models *m)
{
	static struct taf_model seen;
	struct stat st;
	uint64_t bytes = 0;

	if (!stat(m->name, &st) && !taf_model_identify(m->name, &seen)) {
		memcpy(m->id, seen.id, sizeof(m->id));
		bytes = seen.bytes;
	}
	m->basis = taf_size(m->id, bytes, &m->bytes);
}

static void look_up(struct taf_models *m)
{
	const struct taf_reg_model *row;

	if (!taf_model_id(m->name, m->id))
		taf_copy(m->id, m->name, sizeof(m->id));
	measure(m);
	row = taf_registry_find(m->registry, m->id);
	m->hit = row && taf_registry_hits(m->registry, row, m->gpu) ? row : NULL;
}

static void answer(struct taf_models *m)
{
	if (m->name)
		look_up(m);
	if (m->is_json)
		taf_models_print_json(m);
	else
		taf_models_print(m);
}

int taf_verb_models(int argc, char **argv)
{
	struct taf_models m = { .name = NULL };
	struct options o = { &m, NULL, NULL };
	int status = read_options(&o, argc, argv), n_bad;

	if (status)
		return status;
	n_bad = open_registry(&o);
	status = find_gpu(&m);
	if (!status)
		answer(&m);
	taf_registry_close(m.registry);
	if (status)
		return status;
	if (n_bad)
		return TAF_EXIT_POLICY;
	return m.hit ? TAF_EXIT_FAILED : TAF_EXIT_OK;
}
