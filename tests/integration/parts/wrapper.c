/* SPDX-License-Identifier: MIT */
/* wrapper.c -- somebody else's preload, which wraps the same function by RTLD_NEXT. */
#include "route.h"

void *llama_model_load_from_file(const char *path, struct fake_value params);

void *llama_model_load_from_file(const char *path, struct fake_value params)
{
	void *next = dlsym(RTLD_NEXT, "llama_model_load_from_file"), *volatile model = NULL;
	static int depth;

	printf("wrapper %s\n", next ? "has a next" : dlerror());
	/* Not a tail call: the next one must see this object as its caller. */
	if (next && depth++ < 3)
		model = ROUTE_FN(route_load_fn, next)(path, params);
	return model;
}
