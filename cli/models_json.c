/* SPDX-License-Identifier: MIT */
/* models_json.c -- the registry for programs: the names of registry.def are the keys. */
#include <stdio.h>

#include "../policy/family.h"
#include "jsonout.h"
#include "models.h"

static void put_row(struct taf_json *j, const struct taf_models *m, enum taf_reg_table t,
		    const uint32_t *row);

static void put_list(struct taf_json *j, const struct taf_models *m, const char *key, uint32_t list)
{
	const char *s;

	taf_json_open(j, key, '[');
	for (uint32_t i = 0; (s = taf_registry_line(m->registry, list, i)); i++)
		taf_json_text(j, NULL, s);
	taf_json_close(j);
}

static void put_gpus(struct taf_json *j, const struct taf_models *m, const char *key, uint32_t bits)
{
	const struct taf_reg_gpu *g;

	taf_json_open(j, key, '[');
	for (uint32_t i = 0; (g = taf_registry_row(m->registry, TAF_REG_GPU, i)); i++)
		if (bits >> i & 1)
			taf_json_text(j, NULL, taf_registry_text(m->registry, g->text));
	taf_json_close(j);
}

/* Rows inside a row; of error classes only those that the GPU asked for knows. */
struct inner {
	const char *key;
	enum taf_reg_table table;
	uint32_t list;
};

static void put_inner(struct taf_json *j, const struct taf_models *m, const struct inner *in)
{
	taf_json_open(j, in->key, '[');
	for (uint32_t i = 0; i < TAF_REG_COUNT(in->list); i++) {
		const void *row =
			taf_registry_row(m->registry, in->table, TAF_REG_FROM(in->list) + i);

		if (in->table != TAF_REG_CLASS || taf_registry_affects(m->registry, row, m->gpu))
			put_row(j, m, in->table, row);
	}
	taf_json_close(j);
}

/* A number in thousandths; what the registry holds has no more than three decimals. */
static void put_number(struct taf_json *j, const char *key, uint32_t v)
{
	if (v % 1000)
		taf_json_ms(j, key, v);
	else
		taf_json_u64(j, key, v / 1000);
}

static void put_cell(struct taf_json *j, const struct taf_models *m, const struct taf_reg_column *c,
		     uint32_t v)
{
	char word[24];

	switch (c->kind) {
	case TAF_REG_KEY_KIND: break;
	case TAF_REG_TEXT_KIND:
	case TAF_REG_SPEC_KIND:
	case TAF_REG_VERSION_KIND:
		taf_json_text(j, c->key, v ? taf_registry_text(m->registry, v) : NULL);
		break;
	case TAF_REG_TEXTS_KIND: put_list(j, m, c->key, v); break;
	case TAF_REG_GPUS_KIND: put_gpus(j, m, c->key, v); break;
	case TAF_REG_CLASSES_KIND:
		put_inner(j, m, &(struct inner){ c->key, TAF_REG_CLASS, v });
		break;
	case TAF_REG_RUNS_KIND: put_inner(j, m, &(struct inner){ c->key, TAF_REG_RUN, v }); break;
	case TAF_REG_FLAG_KIND: taf_json_bool(j, c->key, v); break;
	case TAF_REG_NUM_KIND: put_number(j, c->key, v); break;
	default:
		taf_json_text(j, c->key, taf_models_word((enum taf_reg_kind)c->kind, v, word));
		break;
	}
}

static void put_row(struct taf_json *j, const struct taf_models *m, enum taf_reg_table t,
		    const uint32_t *row)
{
	const struct taf_reg_form *form = taf_reg_form(t);

	taf_json_open(j, NULL, '{');
	for (uint32_t i = 0; i < form->n; i++)
		put_cell(j, m, &form->columns[i], row[i]);
	taf_json_close(j);
}

static void put_table(struct taf_json *j, const struct taf_models *m, enum taf_reg_table t)
{
	const uint32_t *row;

	taf_json_open(j, taf_reg_form(t)->section, '[');
	for (uint32_t i = 0; (row = taf_registry_row(m->registry, t, i)); i++)
		put_row(j, m, t, row);
	taf_json_close(j);
}

static void put_one(struct taf_json *j, const struct taf_models *m)
{
	enum taf_family_id family = taf_family_of(m->id);

	taf_json_text(j, "id", m->id);
	taf_json_text(j, "family", family ? taf_family_name(family) : NULL);
	taf_json_u64(j, "floor_ms", taf_family_floor_ms(family));
	taf_json_u64(j, "settle_ms", taf_family_settle_ms(m->id, 0));
	if (m->bytes)
		taf_json_u64(j, "bytes", m->bytes);
	else
		taf_json_null(j, "bytes");
	taf_json_text(j, "bytes_basis", m->bytes ? taf_size_basis_name(m->basis) : NULL);
	taf_json_open(j, "hits", '[');
	if (m->hit)
		put_row(j, m, TAF_REG_MODEL, (const uint32_t *)m->hit);
	taf_json_close(j);
}

static void put_models(struct taf_json *j, const struct taf_models *m)
{
	const struct taf_reg_model *row;

	taf_json_open(j, "models", '[');
	for (uint32_t i = 0; (row = taf_models_next(m, &i));)
		put_row(j, m, TAF_REG_MODEL, (const uint32_t *)row);
	taf_json_close(j);
}

void taf_models_print_json(const struct taf_models *m)
{
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_text(&j, "registry", m->source);
	taf_json_text(&j, "sha256", m->registry->sha256);
	taf_json_text(&j, "gpu", m->gpu);
	if (m->name) {
		put_one(&j, m);
	} else if (m->shows_versions) {
		put_table(&j, m, TAF_REG_RELEASE);
		put_table(&j, m, TAF_REG_WORKLOAD);
		put_table(&j, m, TAF_REG_HARDWARE);
	} else {
		put_models(&j, m);
	}
	taf_json_close(&j);
	taf_json_end(&j);
}
