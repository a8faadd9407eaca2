/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include "value.h"
#include "version.h"

#define NEED true
#define MAY false
#define COLUMN(kind, field, key, need) { TAF_REG_##kind##_KIND, need, key },

static const struct taf_reg_column model[] = {
#define MODEL COLUMN
#include "registry.def"
};

static const struct taf_reg_column class[] = {
#define CLASS COLUMN
#include "registry.def"
};

static const struct taf_reg_column run[] = {
#define RUN COLUMN
#include "registry.def"
};

static const struct taf_reg_column release[] = {
#define RELEASE COLUMN
#include "registry.def"
};

static const struct taf_reg_column workload[] = {
#define WORKLOAD COLUMN
#include "registry.def"
};

static const struct taf_reg_column hardware[] = {
#define HARDWARE COLUMN
#include "registry.def"
};

static const struct taf_reg_column line[] = {
#define LINE COLUMN
#include "registry.def"
};

static const struct taf_reg_column gpu[] = { { TAF_REG_TEXT_KIND, NEED, "" } };

static const struct taf_reg_form forms[TAF_REG_TABLES] = {
#define TABLE(NAME, name, section) { section, name, sizeof(name) / sizeof(*(name)) },
#include "registry.def"
};

const struct taf_reg_form *taf_reg_form(enum taf_reg_table table)
{
	return &forms[table];
}

static const char words[][32] = {
#define WORDS(KIND, words) [TAF_REG_##KIND##_KIND] = words,
#include "registry.def"
};

const char *taf_reg_words(enum taf_reg_kind kind)
{
	return kind < sizeof(words) / sizeof(*words) ? words[kind] : "";
}

uint32_t taf_reg_first_word(enum taf_reg_kind kind)
{
	return kind == TAF_REG_TIER_KIND;
}

static uint32_t stir(uint32_t h, uint32_t v)
{
	h = (h ^ v) * 2654435761u;
	return h ^ h >> 15;
}

uint32_t taf_registry_layout(void)
{
	uint32_t h = stir(TAF_REGISTRY_VERSION, sizeof(struct taf_registry));

	for (uint32_t t = 0; t < TAF_REG_TABLES; t++) {
		h = stir(h, forms[t].n);
		for (uint32_t i = 0; i < forms[t].n; i++)
			h = stir(h, forms[t].columns[i].kind);
	}
	return h;
}

/* ---- Is it what it should be ------------------------------------------------- */

#define HEAD_BYTES (offsetof(struct taf_registry, check) + sizeof(uint64_t))

/* Whole words, and what is left of the last one. */
static uint64_t sum_of(const struct taf_registry *r)
{
	const unsigned char *p = (const unsigned char *)r;
	uint64_t h = 1;

	for (uint32_t i = HEAD_BYTES; i + 8 <= r->bytes; i += 8) {
		uint64_t v;

		taf_move(&v, p + i, 8);
		h = (h ^ v) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h;
}

void taf_registry_seal(struct taf_registry *r)
{
	r->magic = TAF_REGISTRY_MAGIC;
	r->version = TAF_REGISTRY_VERSION;
	r->layout = taf_registry_layout();
	r->check = sum_of(r);
}

static uint32_t count_words(const char *list)
{
	uint32_t n = 0;

	for (; *list; list++)
		n += *list == '|';
	return n;
}

static bool is_list(const struct taf_registry *r, uint32_t v, enum taf_reg_table of)
{
	return TAF_REG_FROM(v) + TAF_REG_COUNT(v) <= r->table[of].n;
}

static bool is_cell(const struct taf_registry *r, enum taf_reg_kind kind, uint32_t v)
{
	switch (kind) {
	case TAF_REG_TEXT_KIND:
	case TAF_REG_SPEC_KIND:
	case TAF_REG_VERSION_KIND:
	case TAF_REG_KEY_KIND: return v < r->texts_n;
	case TAF_REG_TEXTS_KIND: return is_list(r, v, TAF_REG_LINE);
	case TAF_REG_CLASSES_KIND: return is_list(r, v, TAF_REG_CLASS);
	case TAF_REG_RUNS_KIND: return is_list(r, v, TAF_REG_RUN);
	case TAF_REG_GPUS_KIND:
		return r->table[TAF_REG_GPU].n >= 32 || !(v >> r->table[TAF_REG_GPU].n);
	case TAF_REG_FLAG_KIND: return v <= 1;
	case TAF_REG_NUM_KIND: return true;
	default: return v < count_words(taf_reg_words(kind));
	}
}

static bool is_inside(const struct taf_registry *r, uint32_t at, uint64_t bytes)
{
	return at >= sizeof(*r) && at <= r->bytes && bytes <= r->bytes - at;
}

static bool is_table(const struct taf_registry *r, uint32_t t)
{
	const uint32_t *cell;
	uint64_t cells = (uint64_t)r->table[t].n * forms[t].n;

	if (r->table[t].at % 4 || !is_inside(r, r->table[t].at, cells * 4))
		return false;
	cell = (const void *)((const char *)r + r->table[t].at);
	for (uint64_t i = 0; i < cells; i++)
		if (!is_cell(r, forms[t].columns[i % forms[t].n].kind, cell[i]))
			return false;
	return true;
}

static bool is_sane(const struct taf_registry *r)
{
	const char *texts = (const char *)r + r->texts_at;

	if (!r->texts_n || !is_inside(r, r->texts_at, r->texts_n) || texts[0] ||
	    texts[r->texts_n - 1] || !taf_is_ended(r->sha256, sizeof(r->sha256)) ||
	    r->table[TAF_REG_GPU].n > 32)
		return false;
	for (uint32_t t = 0; t < TAF_REG_TABLES; t++)
		if (!is_table(r, t))
			return false;
	return true;
}

static bool no(struct taf_text *why, const char *text)
{
	taf_why(why, text);
	return false;
}

bool taf_registry_is_valid(const void *blob, size_t n, struct taf_text *why)
{
	const struct taf_registry *r = blob;

	if (n < sizeof(*r) || r->magic != TAF_REGISTRY_MAGIC)
		return no(why, "it is no compiled registry");
	if (r->version != TAF_REGISTRY_VERSION || r->layout != taf_registry_layout())
		return no(why, "another taffrail wrote it; compile it again");
	if (r->bytes != n || n > TAF_REGISTRY_MAX || n % 8)
		return no(why, "it is cut short or has grown; compile it again");
	if (r->check != sum_of(r) || !is_sane(r))
		return no(why, "it is damaged; compile it again");
	return true;
}

/* ---- Reading ----------------------------------------------------------------- */

uint32_t taf_registry_rows(const struct taf_registry *r, enum taf_reg_table table)
{
	return r->table[table].n;
}

const void *taf_registry_row(const struct taf_registry *r, enum taf_reg_table table, uint32_t i)
{
	if (i >= r->table[table].n)
		return NULL;
	return (const char *)r + r->table[table].at + (size_t)i * forms[table].n * 4;
}

const char *taf_registry_text(const struct taf_registry *r, uint32_t text)
{
	return (const char *)r + r->texts_at + text;
}

const char *taf_registry_line(const struct taf_registry *r, uint32_t list, uint32_t i)
{
	const struct taf_reg_line *l;

	if (i >= TAF_REG_COUNT(list))
		return NULL;
	l = taf_registry_row(r, TAF_REG_LINE, TAF_REG_FROM(list) + i);
	return taf_registry_text(r, l->text);
}
