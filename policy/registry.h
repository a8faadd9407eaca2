/* SPDX-License-Identifier: MIT */
/* registry.h -- the registry: models, versions and workloads known to make trouble.
 *
 * policy/registry.json is the one that comes along, built into a table
 * (taf_registry_builtin); models.registry names another one, which is kept
 * compiled in STATE/registry/<sha256 of its text>.bin.  Both are one struct
 * taf_registry with what follows it: the tables of registry.def as rows of 32-bit
 * numbers, then the texts.  A text is the offset of its first byte, a list the
 * offset of its first row and the number of rows: TAF_REG_FROM, TAF_REG_COUNT.
 *
 * Nothing in it is a pointer, so that it can be mapped; nobody reads it before
 * taf_registry_is_valid said that every offset in it leads somewhere.
 */
#ifndef TAF_REGISTRY_H
#define TAF_REGISTRY_H

#include "event.h"
#include "sha256.h"
#include "text.h"

#define TAF_REGISTRY_MAGIC 0x47524154u /* "TARG" */
#define TAF_REGISTRY_VERSION 1u
#define TAF_REGISTRY_MAX (2u << 20) /* bytes of a compiled one */
#define TAF_REG_LIST_MAX 255

enum taf_reg_table {
#define TABLE(NAME, name, section) TAF_REG_##NAME,
#include "registry.def"
	TAF_REG_TABLES
};

enum taf_reg_kind {
	TAF_REG_TEXT_KIND,
	TAF_REG_SPEC_KIND,
	TAF_REG_VERSION_KIND,
	TAF_REG_KEY_KIND,
	TAF_REG_TEXTS_KIND,
	TAF_REG_CLASSES_KIND,
	TAF_REG_RUNS_KIND,
	TAF_REG_GPUS_KIND,
	TAF_REG_FLAG_KIND,
	TAF_REG_NUM_KIND,
	TAF_REG_TIER_KIND,
	TAF_REG_SEVERITY_KIND,
	TAF_REG_SYSTEM_KIND,
};

struct taf_reg_model {
#define MODEL(kind, field, key, need) uint32_t field;
#include "registry.def"
};

struct taf_reg_class {
#define CLASS(kind, field, key, need) uint32_t field;
#include "registry.def"
};

struct taf_reg_run {
#define RUN(kind, field, key, need) uint32_t field;
#include "registry.def"
};

struct taf_reg_release {
#define RELEASE(kind, field, key, need) uint32_t field;
#include "registry.def"
};

struct taf_reg_workload {
#define WORKLOAD(kind, field, key, need) uint32_t field;
#include "registry.def"
};

struct taf_reg_hardware {
#define HARDWARE(kind, field, key, need) uint32_t field;
#include "registry.def"
};

/* One text of a list; also the name of a GPU family, whose place is its bit. */
struct taf_reg_line {
#define LINE(kind, field, key, need) uint32_t field;
#include "registry.def"
};

struct taf_reg_gpu {
	uint32_t text;
};

struct taf_registry {
	uint32_t magic, version;
	uint32_t bytes; /* of all */
	uint32_t layout; /* of the columns: taf_registry_layout() */
	uint64_t check; /* of all that follows */
	char sha256[72]; /* of the text */
	struct {
		uint32_t at, n; /* byte offset of the first row; rows */
	} table[TAF_REG_TABLES];
	uint32_t texts_at, texts_n; /* byte offset and bytes; the first and the last are NUL */
};

#define TAF_REG_FROM(list) ((list) >> 8)
#define TAF_REG_COUNT(list) ((list)&255)
#define TAF_REG_LIST(from, n) ((uint32_t)(from) << 8 | (uint32_t)(n))

/* The form of one table. */
struct taf_reg_column {
	uint8_t kind; /* enum taf_reg_kind */
	bool is_needed;
	char key[22];
};

struct taf_reg_form {
	const char *section;
	const struct taf_reg_column *columns;
	uint32_t n;
};

const struct taf_reg_form *taf_reg_form(enum taf_reg_table table);
/* "info|medium|...|" for a kind of words. */
const char *taf_reg_words(enum taf_reg_kind kind);
/* The first of them that an entry may say: "none" is the tier of what has no entry. */
uint32_t taf_reg_first_word(enum taf_reg_kind kind);
uint32_t taf_registry_layout(void);

/* Sets the check of a registry whose tables are in place. */
void taf_registry_seal(struct taf_registry *r);
/* why (may be NULL) says what is wrong with it. */
bool taf_registry_is_valid(const void *blob, size_t n, struct taf_text *why);

/* Row i of a table; NULL behind its end. */
const void *taf_registry_row(const struct taf_registry *r, enum taf_reg_table table, uint32_t i);
uint32_t taf_registry_rows(const struct taf_registry *r, enum taf_reg_table table);
const char *taf_registry_text(const struct taf_registry *r, uint32_t text);
/* Text i of a TEXTS column; NULL behind its end. */
const char *taf_registry_line(const struct taf_registry *r, uint32_t list, uint32_t i);

/* ---- Questions --------------------------------------------------------------- */

/* The bit of a GPU family; 0: no entry knows it. */
uint32_t taf_registry_gpu(const struct taf_registry *r, const char *family);
/* By the id as the file has it. */
const struct taf_reg_model *taf_registry_literal(const struct taf_registry *r, const char *id);
/* By a canonical id: any case, the revision does not count, and a name without an
 * organisation is that of a copy. */
const struct taf_reg_model *taf_registry_find(const struct taf_registry *r, const char *id);
/* Whether an error class of m is known on a family. NULL or "unknown": on any. */
bool taf_registry_affects(const struct taf_registry *r, const struct taf_reg_class *c,
			  const char *family);
/* Some class of m is known on the family, or it has none at all. */
bool taf_registry_hits(const struct taf_registry *r, const struct taf_reg_model *m,
		       const char *family);
/* "kernel_panic, gpu_hang; what to do": of an entry, in one line. */
void taf_registry_about(const struct taf_registry *r, const struct taf_reg_model *m,
			struct taf_text *out);
/* The next row of RELEASE from *i on that a package at version falls under, and *i
 * behind it; NULL: there is none. */
const struct taf_reg_release *taf_registry_release(const struct taf_registry *r,
						   const char *package, const char *version,
						   uint32_t *i);
const struct taf_reg_workload *taf_registry_workload(const struct taf_registry *r, const char *id);
/* The limits for a device with so much memory. NULL: there are none. */
const struct taf_reg_hardware *taf_registry_hardware(const struct taf_registry *r, uint64_t bytes);

/* No entry advises what another one warns of. Else why says which, and *table and
 * *row where. */
bool taf_registry_agrees(const struct taf_registry *r, struct taf_text *why,
			 enum taf_reg_table *table, uint32_t *row);

/* The one that comes along: a struct taf_registry, generated from policy/registry.json. */
extern const uint64_t taf_registry_builtin[];

#endif
