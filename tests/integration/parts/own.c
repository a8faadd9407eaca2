/* SPDX-License-Identifier: MIT */
/* own.c -- put into an engine's library: it calls a function that it exports itself. */
#include "route.h"

void *llama_model_load_from_file(const char *path, struct fake_value params);
void *own_load(void);

void *own_load(void)
{
	return llama_model_load_from_file(ROUTE_MODEL, fake_value_of(0));
}
