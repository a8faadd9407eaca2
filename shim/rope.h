/* SPDX-License-Identifier: MIT */
/* rope.h -- how a context of llama.cpp turns positions, by RoPE's settings.
 *
 *   parameters  -- taf_rope_read -->     struct taf_rope_ask, what the program asks for
 *   that and the model's own  -- taf_rope_resolve -->  struct taf_rope_used, what happens
 *
 * The parameters are a struct that grows in the middle.  Where the settings lie is one of the
 * layouts of rope.def, or unknown: the engine's own defaults must show it, with each value
 * that they have had for years in its place, and nothing like them before.
 *
 * "As the model has it" is 0 or a negative number in what is asked for.  Resolved are both
 * sides alike, so that a program which names the model's own figure asks for the same.  As
 * in llama_context's constructor: without scaling the scale is 1; of YaRN the mix is 1 where
 * none is asked for, of the rest 0; without a mix the other YaRN settings turn nothing.
 */
#ifndef TAF_ROPE_H
#define TAF_ROPE_H

#include <stdbool.h>
#include <stdint.h>

#include "../policy/text.h"

enum taf_rope_scaling {
	TAF_SCALING_UNTOLD = -1,
	TAF_SCALING_NONE,
	TAF_SCALING_LINEAR,
	TAF_SCALING_YARN,
	TAF_SCALING_LONGROPE,
};

#define ROPE_SETTING(id, name, key, value) TAF_ROPE_##id,
#define ROPE_LAYOUT(scaling, base, first)
enum taf_rope_setting {
#include "rope.def"
	TAF_ROPE_ORIG, /* yarn_orig_ctx: tokens, and behind the others */
	TAF_ROPE_SETTINGS,
};

struct taf_rope_ask {
	int32_t scaling; /* enum taf_rope_scaling */
	uint32_t orig;
	float v[TAF_ROPE_ORIG];
};

/* Bits of each setting: of a float, and of orig a number. All 0 where it is not known. */
struct taf_rope_used {
	uint32_t is_known;
	uint32_t bits[TAF_ROPE_SETTINGS];
};

/* False: they lie where nobody knows. Both are structs of the engine's llama_context_params. */
bool taf_rope_read(const void *defaults, const void *params, struct taf_rope_ask *ask);

/* What a model says in its file; without a word on it there are defaults. */
void taf_rope_own(struct taf_rope_ask *own);
/* The key of a setting behind "ARCHITECTURE.". */
const char *taf_rope_key(enum taf_rope_setting s);
/* The values of keys as llama.cpp gives them, in text. False: it is none. */
bool taf_rope_number(const char *text, float *v);
bool taf_rope_scaling_of(const char *text, int32_t *scaling);

void taf_rope_resolve(const struct taf_rope_ask *ask, const struct taf_rope_ask *own,
		      struct taf_rope_used *used);
/* Puts which settings differ, "; " before each but the first of why. */
void taf_rope_compare(const struct taf_rope_used *then, const struct taf_rope_used *now,
		      struct taf_text *why);

#endif
