/* SPDX-License-Identifier: MIT */
/* registry_ask.c -- what the registry knows about a model, a version, a workload, a device. */
#include "letter.h"
#include "registry.h"
#include "version.h"

#define GIB (1ull << 30) /* what the registry calls the GB of a machine: metal-guard's unit there */

uint32_t taf_registry_gpu(const struct taf_registry *r, const char *family)
{
	const struct taf_reg_gpu *g;

	for (uint32_t i = 0; family && (g = taf_registry_row(r, TAF_REG_GPU, i)); i++)
		if (taf_same(taf_registry_text(r, g->text), family))
			return 1u << i;
	return 0;
}

/* ---- Models ------------------------------------------------------------------ */

const struct taf_reg_model *taf_registry_literal(const struct taf_registry *r, const char *id)
{
	const struct taf_reg_model *m;

	for (uint32_t i = 0; id && (m = taf_registry_row(r, TAF_REG_MODEL, i)); i++)
		if (taf_same(taf_registry_text(r, m->id), id))
			return m;
	return NULL;
}

/* The same text in any case; what stands behind '@' in id is its revision. */
static bool is_named(const char *key, const char *id)
{
	while (*key && *key == taf_lower(*id)) {
		key++;
		id++;
	}
	return !*key && (!*id || *id == '@');
}

const struct taf_reg_model *taf_registry_find(const struct taf_registry *r, const char *id)
{
	bool has_organisation = id && taf_find(id, "/");
	const struct taf_reg_model *m;

	for (uint32_t i = 0; id && *id && (m = taf_registry_row(r, TAF_REG_MODEL, i)); i++) {
		const char *key = taf_registry_text(r, m->key);

		if (is_named(has_organisation ? key : taf_base(key), id))
			return m;
	}
	return NULL;
}

bool taf_registry_affects(const struct taf_registry *r, const struct taf_reg_class *c,
			  const char *family)
{
	if (!family || !*family || taf_same(family, "unknown") || !c->gpus)
		return true;
	return c->gpus & taf_registry_gpu(r, family);
}

bool taf_registry_hits(const struct taf_registry *r, const struct taf_reg_model *m,
		       const char *family)
{
	uint32_t n = TAF_REG_COUNT(m->classes);

	for (uint32_t i = 0; i < n; i++)
		if (taf_registry_affects(
			    r, taf_registry_row(r, TAF_REG_CLASS, TAF_REG_FROM(m->classes) + i),
			    family))
			return true;
	return !n;
}

void taf_registry_about(const struct taf_registry *r, const struct taf_reg_model *m,
			struct taf_text *out)
{
	for (uint32_t i = 0; i < TAF_REG_COUNT(m->classes); i++) {
		const struct taf_reg_class *c =
			taf_registry_row(r, TAF_REG_CLASS, TAF_REG_FROM(m->classes) + i);

		taf_text_put(out, i ? ", " : "");
		taf_text_put(out, taf_registry_text(r, c->type));
	}
	taf_text_put(out, out->used ? "; " : "");
	taf_text_put(out, taf_registry_text(r, m->advice));
}

/* ---- Versions ---------------------------------------------------------------- */

const struct taf_reg_release *taf_registry_release(const struct taf_registry *r,
						   const char *package, const char *version,
						   uint32_t *i)
{
	const struct taf_reg_release *v;

	while ((v = taf_registry_row(r, TAF_REG_RELEASE, *i))) {
		(*i)++;
		if (taf_same(taf_registry_text(r, v->package), package) &&
		    taf_version_matches(version, taf_registry_text(r, v->spec)))
			return v;
	}
	return NULL;
}

const struct taf_reg_workload *taf_registry_workload(const struct taf_registry *r, const char *id)
{
	const struct taf_reg_workload *w;

	for (uint32_t i = 0; id && (w = taf_registry_row(r, TAF_REG_WORKLOAD, i)); i++)
		if (taf_same(taf_registry_text(r, w->id), id))
			return w;
	return NULL;
}

const struct taf_reg_hardware *taf_registry_hardware(const struct taf_registry *r, uint64_t bytes)
{
	const struct taf_reg_hardware *h;

	for (uint32_t i = 0; (h = taf_registry_row(r, TAF_REG_HARDWARE, i)); i++)
		if (!h->max_gb || bytes <= h->max_gb * GIB / 1000)
			return h;
	return NULL;
}

/* ---- Contradictions ---------------------------------------------------------- */

static bool is_listed(const struct taf_registry *r, uint32_t model)
{
	const char *id = taf_registry_text(r, model);

	return *id && taf_registry_find(r, id);
}

static void blame(struct taf_text *why, const char *what, const char *of, const char *because)
{
	taf_text_put(why, what);
	taf_text_put(why, of);
	taf_text_put(why, because);
}

static bool agrees_on_models(const struct taf_registry *r, struct taf_text *why, uint32_t *row)
{
	const struct taf_reg_model *m;

	for (*row = 0; (m = taf_registry_row(r, TAF_REG_MODEL, *row)); (*row)++) {
		if (is_listed(r, m->safe)) {
			blame(why, taf_registry_text(r, m->safe),
			      " is no safe_alternative: it is listed itself",
			      "; name another one, or none");
			return false;
		}
		if (taf_registry_find(r, taf_registry_text(r, m->id)) != m) {
			blame(why, taf_registry_text(r, m->id), " is listed twice",
			      "; make one entry of both");
			return false;
		}
	}
	return true;
}

static bool agrees_on_releases(const struct taf_registry *r, struct taf_text *why, uint32_t *row)
{
	const struct taf_reg_release *v, *other;

	for (*row = 0; (v = taf_registry_row(r, TAF_REG_RELEASE, *row)); (*row)++) {
		const char *use = taf_registry_text(r, v->use);
		uint32_t i = 0;

		other = *use ? taf_registry_release(r, taf_registry_text(r, v->package), use, &i)
			     : NULL;
		if (!other)
			continue;
		blame(why, "it advises ", use, ", which falls under ");
		taf_text_put(why, taf_registry_text(r, other->spec));
		taf_text_put(why, " (");
		taf_text_put(why, taf_registry_text(r, other->topic));
		taf_text_put(why, "); name a version that no entry warns of");
		return false;
	}
	return true;
}

bool taf_registry_agrees(const struct taf_registry *r, struct taf_text *why,
			 enum taf_reg_table *table, uint32_t *row)
{
	*table = TAF_REG_MODEL;
	if (!agrees_on_models(r, why, row))
		return false;
	*table = TAF_REG_RELEASE;
	return agrees_on_releases(r, why, row);
}
