/* SPDX-License-Identifier: MIT */
/* route.h -- one load, however it was reached. */
#ifndef ROUTE_H
#define ROUTE_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../fake/fake_value.h"

#define ROUTE_MODEL "/models/route.gguf"

typedef void *route_load_fn(const char *path, struct fake_value params);
typedef long route_count_fn(const char *name);

static inline void *route_symbol(void *handle, const char *name)
{
	void *p = dlsym(handle, name);

	if (!p)
		printf("no %s: %s\n", name, dlerror());
	return p;
}

static inline void *route_open(const char *file, int flags)
{
	void *handle = dlopen(file, flags);

	if (!handle)
		printf("%s\n", dlerror());
	return handle;
}

/* Function pointers come as object pointers from dlsym. */
#define ROUTE_FN(type, p) \
	(((union { \
		 void *object; \
		 type *fn; \
	 }){ .object = (p) }) \
		 .fn)

#endif
