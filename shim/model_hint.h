/* SPDX-License-Identifier: MIT */
/* model_hint.h -- which model a command line names.
 *
 * A hint, never more: servers load on request, and a name is not a file.  It
 * serves where no file was seen yet, and tells a draft or a projector from the
 * model.  What "-m" means depends on the program, so the program is found
 * first: its own name, or under an interpreter the script or module it runs.
 * Copies what it keeps; a program may write over its arguments.
 */
#ifndef TAF_MODEL_HINT_H
#define TAF_MODEL_HINT_H

#include <stdbool.h>
#include <stddef.h>

enum taf_hint {
	TAF_HINT_MODEL, /* path, hub name or tag */
	TAF_HINT_FILE, /* in that hub repository */
	TAF_HINT_ALIAS, /* the name that clients use */
	TAF_HINT_DRAFT,
	TAF_HINT_MMPROJ,
	TAF_HINT_LORA,
	TAF_HINT_CONTEXT, /* tokens, of all sequences together */
	TAF_HINT_PARALLEL, /* sequences */
	TAF_HINT_UBATCH,
	TAF_HINT_CACHE_K, /* types of the cache: "q8_0" */
	TAF_HINT_CACHE_V,
	TAF_HINT_COUNT
};

struct taf_model_hints {
	char text[TAF_HINT_COUNT][256]; /* "" where nothing was said */
	bool is_server; /* a program of llama.cpp or Ollama, with a default context of its own */
};

/* Adds what argv says; the last word of a flag counts, as it does for the programs. */
void taf_model_hint_argv(int argc, char *const *argv, struct taf_model_hints *h);
/* Adds what the environment says where argv said nothing. */
void taf_model_hint_env(char *const *env, struct taf_model_hints *h);

#endif
