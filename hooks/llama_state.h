/* SPDX-License-Identifier: MIT */
/* llama_state.h -- what a llama.cpp context holds, for the operations of its table. */
#ifndef TAF_LLAMA_STATE_H
#define TAF_LLAMA_STATE_H

#include "../shim/table.h"

extern const struct taf_store_ops taf_llama_store;

#endif
