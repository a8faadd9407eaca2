/* SPDX-License-Identifier: MIT */
/* load_size.h -- how much a load will take, before the engine begins.
 *
 * Weights by the headers of all parts; with a model come the draft, the
 * projector and the adapter that the command line names.  The cache is what
 * the configured context asks for: where the engine is told it at once (-c,
 * LLAMA_ARG_CTX_SIZE...), that, else what the program would take by itself.
 * A context that is made later is measured again (hooks/llama.c).
 */
#ifndef TAF_LOAD_SIZE_H
#define TAF_LOAD_SIZE_H

#include "../policy/event.h"
#include "model.h"
#include "model_hint.h"

struct taf_load_size {
	uint64_t bytes, cache_bytes; /* 0: unknown */
	enum taf_basis basis;
};

/* What the command line and the environment of this process said at its first load. */
const struct taf_model_hints *taf_load_hints(void);
/* In a fork child: the thread that was reading them is the parent's. */
void taf_load_hints_forget(void);
/* m: what path is, or NULL where no file is known. Reads the companions' headers. */
void taf_load_measure(const struct taf_model *m, const struct taf_model_hints *h,
		      struct taf_load_size *s);
/* The cache of a model with a training context of so many tokens, as h configures it. */
void taf_load_ask(const struct taf_model_hints *h, uint32_t trained, struct taf_cache_ask *ask);

#endif
