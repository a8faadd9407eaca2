/* SPDX-License-Identifier: MIT */
/* asker.c -- a library that asks for the engine's load in the default scope:
 * there when it was opened together with the engine, absent otherwise. */
#include "route.h"

void *plugin_load(void);

void *plugin_load(void)
{
	void *p = dlsym(RTLD_DEFAULT, "llama_model_load_from_file");

	if (!p)
		printf("not in the default scope\n");
	return p ? ROUTE_FN(route_load_fn, p)(ROUTE_MODEL, fake_value_of(0)) : NULL;
}
