/* SPDX-License-Identifier: MIT */
/* llama_batch.h -- what was put into a batch of llama.cpp that hides it (llama_batch.def). */
#ifndef TAF_LLAMA_BATCH_H
#define TAF_LLAMA_BATCH_H

#include <stdint.h>

/* A bit for each sequence, as requests.h tells them apart. */
struct taf_llama_batch {
	int32_t tokens; /* 0: it is not known */
	uint64_t sequences, several; /* with a token, with more than one */
};

struct taf_llama_batch taf_llama_batch_of(const void *batch);

#endif
