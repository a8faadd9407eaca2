/* SPDX-License-Identifier: MIT */
/* engine.h -- an engine that is built into its program, with names of llama.cpp.
 *
 * engine.c is compiled with hidden visibility and linked in: no name of it is in the
 * dynamic table.  It computes sums, prints nothing, and counts what it was asked for. */
#ifndef STATIC_ENGINE_H
#define STATIC_ENGINE_H

#include "../../../fake/fake_value.h"

void *llama_model_load_from_file(const char *path, struct fake_value params);
void llama_model_free(void *model);
void *llama_init_from_model(void *model, struct fake_value params);
void llama_free(void *ctx);
int32_t llama_decode(void *ctx, struct fake_batch batch);
void llama_synchronize(void *ctx);
uint32_t llama_n_ctx(const void *ctx);
uint64_t llama_model_size(const void *model);
__attribute__((noreturn, format(printf, 3, 4))) void ggml_abort(const char *file, int line,
								const char *format, ...);
/* Waits so far, of whichever context. */
long engine_syncs(void);

#endif
