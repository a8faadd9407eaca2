/* SPDX-License-Identifier: MIT */
/* plugin.c -- a library that is linked to the engine.  -DIN_CONSTRUCTOR: it
 * loads a model while it is itself being opened.  -DORIGIN: it opens a library
 * that only its own RUNPATH finds. */
#include "route.h"

void *llama_model_load_from_file(const char *path, struct fake_value params);
void *plugin_load(void);

#ifdef IN_CONSTRUCTOR
static void *early;

__attribute__((constructor)) static void begin(void)
{
	early = llama_model_load_from_file(ROUTE_MODEL, fake_value_of(0));
}
#endif

void *plugin_load(void)
{
#ifdef ORIGIN
	void *handle = route_open("libdeep.so", RTLD_NOW);

	printf("deep %s\n", handle ? "found" : "not found");
#endif
#ifdef IN_CONSTRUCTOR
	return early;
#else
	return llama_model_load_from_file(ROUTE_MODEL, fake_value_of(0));
#endif
}
