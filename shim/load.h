/* SPDX-License-Identifier: MIT */
/* load.h -- one model being brought in, from the call that loads it to its return. */
#ifndef TAF_LOAD_H
#define TAF_LOAD_H

#include "gate.h"
#include "load_size.h"
#include "model.h"
#include "work.h"

struct taf_load {
	char name[TAF_MODEL_NAME];
	char msg[192]; /* what the headers say, or why they could not be read */
	uint64_t bytes;
	struct taf_cache cache; /* what a context of it takes */
	uint64_t fingerprint;
	uint32_t trained; /* context that it was trained with */
	uint32_t rope_turn; /* model.h; 0: all contexts of it are turned alike, or unknown */
	struct taf_load_size size; /* with companions and cache */
	bool is_known; /* the fields above are filled */
	bool is_dry; /* it was for an estimate, or of the vocabulary */
	bool is_vocabulary; /* of that alone */
	bool has_counts; /* the three below are filled */
	uint64_t allocs, taken; /* by this thread before the call: numbers, bytes */
	uint64_t on_host; /* bytes that runtimes placed there, of all threads */
	const char *path; /* theirs, while the call lasts; NULL: unknown */
};

/* Reads the headers of path (NULL: unknown, of what was opened; "": and of none that can be told
 * from others) and names the model in c, whose kind is LOAD. */
void taf_load_begin(struct taf_load *l, struct taf_call *c, const char *path);
/* Behind the door, before their function: what this thread has allocated so far. */
void taf_load_count(struct taf_load *l);
/* Whether the load, which gave a model, was for an estimate: the engine has asked for buffers
 * since, none of them had a byte, and the file is not mapped either. So does llama.cpp when
 * it wants to know only what a model will take (llama-server --fit, on by default). */
bool taf_load_is_dry(const struct taf_load *l);
/* The load gave handle, or NULL: it failed. Writes the end and tracks the model. */
void taf_load_end(struct taf_load *l, struct taf_call *c, void *handle);

/* A generation begins: what is loaded from now on is no companion of what was. */
void taf_load_group_close(void);

#endif
