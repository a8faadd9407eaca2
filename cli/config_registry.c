/* SPDX-License-Identifier: MIT */
#include "config_registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/value.h"
#include "../policy/version.h"
#include "../shim/model_id.h"
#include "config_load.h"

#define ROWS 2048 /* of one table */
#define CELLS 16 /* of one row, at most */
#define TEXTS (TAF_CONFIG_MAX + 65536u)
#define GPUS 32

/* One table while it grows. */
struct rows {
	uint32_t n;
	uint32_t cell[ROWS][CELLS];
	uint32_t place[ROWS]; /* offset in the text, for complaints */
};

struct making {
	struct taf_load load;
	struct rows table[TAF_REG_TABLES];
	char sha256[TAF_SHA256_HEX]; /* before the scan blanks out what is remarked */
	uint32_t texts_n;
	char texts[TEXTS];
};

/* A value that becomes a cell: whose column it is, and what it is called. */
struct cell {
	const struct taf_reg_column *column;
	const struct taf_node *node;
	uint32_t *value;
};

static void wrong(struct making *m, const struct taf_node *n, const char *why)
{
	taf_load_complain(&m->load, taf_node_value(&m->load, n),
			  n->json->string ? n->json->string : "", why);
}

/* ---- Texts and lists --------------------------------------------------------- */

static uint32_t add_text(struct making *m, const char *s)
{
	size_t n = strlen(s) + 1;
	uint32_t at = m->texts_n;

	if (!*s || n > TEXTS - m->texts_n)
		return 0;
	memcpy(m->texts + at, s, n);
	m->texts_n += (uint32_t)n;
	return at;
}

/* A new row; NULL when the table is full, which is told. */
static uint32_t *add_row(struct making *m, enum taf_reg_table t, const struct taf_node *n)
{
	struct rows *rows = &m->table[t];

	if (rows->n == ROWS) {
		wrong(m, n, "there are more entries than a registry can hold; take some out");
		return NULL;
	}
	rows->place[rows->n] = (uint32_t)taf_node_value(&m->load, n);
	return rows->cell[rows->n++];
}

/* True for a list of what is wanted, not longer than a cell can say. */
static bool is_list(struct making *m, const struct taf_node *n)
{
	if (cJSON_IsArray(n->json) && cJSON_GetArraySize(n->json) <= TAF_REG_LIST_MAX)
		return true;
	wrong(m, n, "it is no list of at most 255; write [ ... ]");
	return false;
}

static void take_texts(struct making *m, const struct cell *c)
{
	struct taf_node kid = { 0 };
	uint32_t from = m->table[TAF_REG_LINE].n, *row;

	if (!is_list(m, c->node))
		return;
	while (taf_node_next(&m->load, c->node, &kid)) {
		if (!cJSON_IsString(kid.json)) {
			wrong(m, &kid, "it is no text; write \"...\"");
			return;
		}
		row = add_row(m, TAF_REG_LINE, &kid);
		if (!row)
			return;
		row[0] = add_text(m, kid.json->valuestring);
	}
	*c->value = TAF_REG_LIST(from, m->table[TAF_REG_LINE].n - from);
}

/* The bit of a GPU family, which is noted when it is new. */
static uint32_t gpu_bit(struct making *m, const struct taf_node *n)
{
	struct rows *gpus = &m->table[TAF_REG_GPU];

	for (uint32_t i = 0; i < gpus->n; i++)
		if (!strcmp(m->texts + gpus->cell[i][0], n->json->valuestring))
			return 1u << i;
	if (gpus->n == GPUS) {
		wrong(m, n, "there are more than 32 GPU families; take some out");
		return 0;
	}
	gpus->cell[gpus->n++][0] = add_text(m, n->json->valuestring);
	return 1u << (gpus->n - 1);
}

static void take_gpus(struct making *m, const struct cell *c)
{
	struct taf_node kid = { 0 };

	if (!is_list(m, c->node))
		return;
	while (taf_node_next(&m->load, c->node, &kid)) {
		if (cJSON_IsString(kid.json) && *kid.json->valuestring)
			*c->value |= gpu_bit(m, &kid);
		else
			wrong(m, &kid, "it is no GPU family; write one like \"M4\"");
	}
}

/* ---- Single values ----------------------------------------------------------- */

static bool is_good_text(struct making *m, const struct cell *c)
{
	const char *s = c->node->json->valuestring;
	char why[256];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	if (c->column->is_needed && !*s)
		taf_text_put(&t, "it says nothing; write something");
	else if (c->column->kind == TAF_REG_SPEC_KIND)
		taf_spec_is_valid(s, &t);
	else if (c->column->kind == TAF_REG_VERSION_KIND && *s && !taf_version_is_valid(s))
		taf_text_put(&t, "it is no version; write one like 1.2.3 or b1234");
	if (t.used)
		wrong(m, c->node, why);
	return !t.used;
}

static void take_text(struct making *m, const struct cell *c)
{
	if (!cJSON_IsString(c->node->json))
		wrong(m, c->node, "it is no text; write \"...\"");
	else if (is_good_text(m, c))
		*c->value = add_text(m, c->node->json->valuestring);
}

static void take_word(struct making *m, const struct cell *c)
{
	enum taf_reg_kind kind = (enum taf_reg_kind)c->column->kind;
	const char *words = taf_reg_words(kind);
	uint32_t first = taf_reg_first_word(kind);
	char why[160];
	struct taf_text t;

	for (uint32_t i = 0; i < first; i++)
		words = strchr(words, '|') + 1;
	taf_text_init(&t, why, sizeof(why));
	if (!cJSON_IsString(c->node->json))
		taf_text_put(&t, "it is no word; write \"...\"");
	else if (!taf_value_word(words, c->node->json->valuestring, c->value, &t))
		*c->value += first;
	if (t.used)
		wrong(m, c->node, why);
}

static void take_flag(struct making *m, const struct cell *c)
{
	if (!cJSON_IsBool(c->node->json))
		wrong(m, c->node, "it is neither; write true or false");
	*c->value = cJSON_IsTrue(c->node->json) ? 1 : 0;
}

static void take_number(struct making *m, const struct cell *c)
{
	double v = c->node->json->valuedouble;

	if (cJSON_IsNumber(c->node->json) && v >= 0 && v <= 4000000)
		*c->value = (uint32_t)(v * 1000 + 0.5);
	else
		wrong(m, c->node, "it is no number from 0 to 4000000; write one");
}

/* ---- Rows -------------------------------------------------------------------- */

static void take_rows(struct making *m, const struct taf_node *n, enum taf_reg_table t);

static void take_inner(struct making *m, const struct cell *c, enum taf_reg_table t)
{
	uint32_t from = m->table[t].n;

	if (!is_list(m, c->node))
		return;
	take_rows(m, c->node, t);
	*c->value = TAF_REG_LIST(from, m->table[t].n - from);
}

static void take_cell(struct making *m, const struct cell *c)
{
	switch (c->column->kind) {
	case TAF_REG_TEXT_KIND:
	case TAF_REG_SPEC_KIND:
	case TAF_REG_VERSION_KIND: take_text(m, c); break;
	case TAF_REG_TEXTS_KIND: take_texts(m, c); break;
	case TAF_REG_GPUS_KIND: take_gpus(m, c); break;
	case TAF_REG_CLASSES_KIND: take_inner(m, c, TAF_REG_CLASS); break;
	case TAF_REG_RUNS_KIND: take_inner(m, c, TAF_REG_RUN); break;
	case TAF_REG_FLAG_KIND: take_flag(m, c); break;
	case TAF_REG_NUM_KIND: take_number(m, c); break;
	default: take_word(m, c); break;
	}
}

static void no_such_key(struct making *m, const struct taf_node *kid,
			const struct taf_reg_form *form)
{
	char words[400];
	struct taf_text t;

	taf_text_init(&t, words, sizeof(words));
	for (uint32_t i = 0; i < form->n; i++) {
		if (form->columns[i].key[0])
			taf_text_put(&t, t.used ? ", " : "one of ");
		taf_text_put(&t, form->columns[i].key);
	}
	taf_load_no_key(&m->load, kid, kid->json->string, words);
}

static const struct taf_reg_column *column_of(const struct taf_reg_form *form, const char *key)
{
	for (uint32_t i = 0; i < form->n; i++)
		if (*key && !strcmp(form->columns[i].key, key))
			return &form->columns[i];
	return NULL;
}

static void missing(struct making *m, const struct taf_node *n, const char *key)
{
	char why[96];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	taf_text_put(&t, "this entry has no \"");
	taf_text_put(&t, key);
	taf_text_put(&t, "\"; add it");
	taf_load_complain(&m->load, taf_node_value(&m->load, n), "", why);
}

/* "id" as canonical ids are: the first two columns of a model. */
static void put_key(struct making *m, uint32_t *row)
{
	char id[TAF_MODEL_ID];

	if (row[0] && taf_model_id(m->texts + row[0], id))
		row[1] = add_text(m, id);
}

static void take_row(struct making *m, const struct taf_node *n, enum taf_reg_table t)
{
	const struct taf_reg_form *form = taf_reg_form(t);
	uint32_t *row = add_row(m, t, n), seen = 0;
	struct taf_node kid = { 0 };

	if (!row)
		return;
	while (taf_node_next(&m->load, n, &kid)) {
		const char *key = kid.json->string;
		const struct taf_reg_column *column = column_of(form, key);
		struct cell c = { column, &kid, NULL };

		if (*key == '_' || taf_load_is_twice(&m->load, n, &kid, key))
			continue;
		if (!column) {
			no_such_key(m, &kid, form);
			continue;
		}
		seen |= 1u << (column - form->columns);
		c.value = &row[column - form->columns];
		take_cell(m, &c);
	}
	for (uint32_t i = 0; i < form->n; i++)
		if (form->columns[i].is_needed && !(seen >> i & 1))
			missing(m, n, form->columns[i].key);
	if (t == TAF_REG_MODEL)
		put_key(m, row);
}

static void take_rows(struct making *m, const struct taf_node *n, enum taf_reg_table t)
{
	struct taf_node kid = { 0 };

	if (!cJSON_IsArray(n->json)) {
		wrong(m, n, "it is no list of entries; write [ { ... } ]");
		return;
	}
	while (taf_node_next(&m->load, n, &kid)) {
		if (cJSON_IsObject(kid.json))
			take_row(m, &kid, t);
		else
			wrong(m, &kid, "it is no entry; write { ... }");
	}
}

static void take_section(struct making *m, const struct taf_node *n)
{
	char words[160];
	struct taf_text t;

	taf_text_init(&t, words, sizeof(words));
	for (int i = 0; i < TAF_REG_TABLES; i++) {
		const char *section = taf_reg_form((enum taf_reg_table)i)->section;

		if (!*section)
			continue;
		if (!strcmp(section, n->json->string)) {
			take_rows(m, n, (enum taf_reg_table)i);
			return;
		}
		taf_text_put(&t, t.used ? ", " : "one of ");
		taf_text_put(&t, section);
	}
	taf_load_no_key(&m->load, n, n->json->string, words);
}

static void take_all(struct making *m, const struct taf_node *top)
{
	struct taf_node kid = { 0 };

	m->texts_n = 1; /* the empty text */
	while (taf_node_next(&m->load, top, &kid))
		if (kid.json->string[0] != '_' &&
		    !taf_load_is_twice(&m->load, top, &kid, kid.json->string))
			take_section(m, &kid);
}

/* ---- Putting it together ------------------------------------------------------- */

static uint32_t put_table(const struct making *m, struct taf_registry *out, uint32_t t, uint32_t at)
{
	uint32_t n = taf_reg_form((enum taf_reg_table)t)->n;

	out->table[t].at = at;
	out->table[t].n = m->table[t].n;
	for (uint32_t i = 0; i < m->table[t].n; i++, at += n * 4)
		memcpy((char *)out + at, m->table[t].cell[i], n * 4);
	return at;
}

static void put_all(const struct making *m, struct taf_registry *out)
{
	uint32_t at = sizeof(*out);

	memset(out, 0, sizeof(*out));
	for (uint32_t t = 0; t < TAF_REG_TABLES; t++)
		at = put_table(m, out, t, at);
	out->texts_at = at;
	out->texts_n = m->texts_n;
	memcpy((char *)out + at, m->texts, m->texts_n);
	at += m->texts_n;
	out->bytes = (at + 7) & ~7u;
	memset((char *)out + at, 0, out->bytes - at);
	memcpy(out->sha256, m->sha256, sizeof(m->sha256));
	taf_registry_seal(out);
}

static void judge(struct making *m, const struct taf_registry *out)
{
	enum taf_reg_table table;
	uint32_t row;
	char why[512];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	if (!taf_registry_agrees(out, &t, &table, &row))
		taf_load_complain(&m->load, m->table[table].place[row], "", why);
}

static int make(struct making *m, struct taf_registry *out)
{
	struct taf_node top = { 0 };
	cJSON *tree = NULL;
	int err = taf_load_parse(&m->load, &tree);

	if (err)
		return err;
	top.json = tree;
	take_all(m, &top);
	cJSON_Delete(tree);
	if (!*m->load.n_bad) {
		put_all(m, out);
		judge(m, out);
	}
	return *m->load.n_bad ? -EINVAL : 0;
}

int taffrail_registry_load(const char *path, struct taf_registry *out, uint32_t version,
			   taf_tell_fn *tell, void *ctx)
{
	int saved = errno, err = -ENOMEM;
	struct making *m = version == TAF_REGISTRY_VERSION ? calloc(1, sizeof(*m)) : NULL;
	char *text = NULL;
	uint32_t n_bad = 0;

	if (version != TAF_REGISTRY_VERSION) {
		if (tell)
			tell(ctx, "libtaffrail-json.so is of another version than what asks it; "
				  "install both from one build");
		return -EPROTO;
	}
	if (m) {
		m->load.file = path;
		m->load.tell = tell;
		m->load.ctx = ctx;
		m->load.n_bad = &n_bad;
		err = taf_load_read(&m->load, &text, &m->load.scan.n);
		m->load.scan.text = text;
	}
	if (!err) {
		taf_sha256_hex(text, m->load.scan.n, m->sha256);
		err = make(m, out);
	}
	free(text);
	free(m);
	errno = saved;
	return err;
}
