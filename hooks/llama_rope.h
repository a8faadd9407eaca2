/* SPDX-License-Identifier: MIT */
/* llama_rope.h -- notes how a new context of llama.cpp turns positions, for state_guard. */
#ifndef TAF_LLAMA_ROPE_H
#define TAF_LLAMA_ROPE_H

#include "../shim/gate.h"

/* call has made call->work of model with these parameters; without one nothing is noted. */
void taf_llama_rope_note(const struct taf_call *call, const void *model, const uint64_t *params);

#endif
