/* SPDX-License-Identifier: MIT */
/* models.h -- what `taffrail models` was asked, and its parts: models.c reads the
 * arguments, models_text.c prints for people, models_json.c for programs. */
#ifndef TAF_MODELS_H
#define TAF_MODELS_H

#include "../policy/registry.h"
#include "../policy/size.h"
#include "../shim/model_id.h"

struct taf_models {
	const struct taf_registry *registry;
	const char *source; /* the file, or "built-in" */
	const char *name; /* as the user wrote it; NULL: list */
	char id[TAF_MODEL_ID]; /* canonical, of name */
	const char *gpu; /* --gpu; NULL: any */
	uint32_t tier; /* --tier; TAF_TIER_NONE: any */
	bool shows_versions, is_json;
	/* Of name: */
	const struct taf_reg_model *hit; /* on that GPU; NULL: not listed */
	uint64_t bytes;
	enum taf_size_basis basis;
};

/* The next model of the list from *i on, *i behind it; NULL at the end. */
const struct taf_reg_model *taf_models_next(const struct taf_models *m, uint32_t *i);
/* The word for a cell of that kind; returns buf. */
const char *taf_models_word(enum taf_reg_kind kind, uint32_t word, char buf[24]);

void taf_models_print(const struct taf_models *m);
void taf_models_print_json(const struct taf_models *m);

#endif
