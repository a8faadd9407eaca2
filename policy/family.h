/* SPDX-License-Identifier: MIT */
/* family.h -- which family a model or a GPU belongs to: families.def.
 *
 * Two tests for a model.  taf_family_of takes a canonical id (model_id.h) and
 * reads its name by words, so that a path, a tag, a GGUF file and every vendor's
 * copy are the same family: "gemma-4-31b-it-8bit", "gemma4:31b-it-q8_0",
 * "bartowski/google_gemma-4-31b-it-gguf".  taf_family_is_literal is the narrow
 * test of metal-guard: one of its vendors, then NAME-(NUMBERb|eNUMBERb)-REST
 * with REST of letters, digits and dashes alone.
 */
#ifndef TAF_FAMILY_H
#define TAF_FAMILY_H

#include "text.h"

enum taf_family_id {
	TAF_FAMILY_NONE,
#define FAMILY(NAME, text, stem, version, floor_ms, settle_ms) TAF_FAMILY_##NAME,
#include "families.def"
};

/* id may be NULL. */
enum taf_family_id taf_family_of(const char *id);
bool taf_family_is_literal(enum taf_family_id family, const char *id);
/* "gemma-4"; "" for none. */
const char *taf_family_name(enum taf_family_id family);
/* The least time between a model of the family and another; 0 for none. */
uint32_t taf_family_floor_ms(enum taf_family_id family);
/* The longest of them. */
uint32_t taf_family_floor_most_ms(void);
/* The pause before a generation on id, which has made so many since its load. */
uint32_t taf_family_settle_ms(const char *id, uint64_t prior_generates);

/* "applegpu_g13s" -> "M1".  What is no known architecture is its own family;
 * "unknown" for nothing.  NULL is nothing. */
void taf_gpu_family(const char *architecture, struct taf_text *out);

#endif
