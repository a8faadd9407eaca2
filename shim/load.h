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
	struct taf_load_size size; /* with companions and cache */
	bool is_known; /* the fields above are filled */
};

/* Reads the headers of path (NULL: unknown) and names the model in c, whose kind is LOAD. */
void taf_load_begin(struct taf_load *l, struct taf_call *c, const char *path);
/* The load gave handle, or NULL: it failed. Writes the end and tracks the model. */
void taf_load_end(struct taf_load *l, struct taf_call *c, void *handle);

/* A generation begins: what is loaded from now on is no companion of what was. */
void taf_load_group_close(void);

#endif
