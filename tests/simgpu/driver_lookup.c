/* SPDX-License-Identifier: MIT */
/* driver_lookup.c -- cuGetProcAddress of the simulated driver, the forms for the
 * per-thread stream, and modules, which are names without code. */
#include <string.h>

#include "driver.h"

#define OWN(s) ((s) ? (s) : (void *)2)

/* Types that only the rows know are given twice: here they are declared from them. */
#define ASK(asked, since, symbol)
#define ASKS(asked, since, symbol, params, args) \
	SIM_PUBLIC int symbol params; \
	SIM_PUBLIC int symbol##_ptsz params; \
	int symbol##_ptsz params \
	{ \
		return symbol args; \
	}
#include "driver.def"

typedef void any_fn(void);
/* Their parameters do not matter where only their addresses are taken. */
#define ASK(asked, since, symbol) extern any_fn ask_##symbol __asm__(#symbol);
#define ASKS(asked, since, symbol, params, args)
#include "driver.def"

static const struct {
	const char *asked;
	int since;
	any_fn *symbol, *own;
} rows[] = {
#define ASK(asked, since, symbol) { #asked, since, ask_##symbol, NULL },
#define ASKS(asked, since, symbol, params, args) \
	{ #asked, since, (any_fn *)symbol, (any_fn *)symbol##_ptsz },
#include "driver.def"
};

enum { FOUND, NOT_FOUND, TOO_OLD };

#define PER_THREAD 2

SIM_PUBLIC int cuGetProcAddress_v2(const char *name, void **out, int version, uint64_t flags,
				   int *status)
{
	int best = -1, how = NOT_FOUND;

	if (!name || !out)
		return SIM_VALUE;
	for (int i = 0; i < (int)(sizeof(rows) / sizeof(*rows)); i++) {
		if (strcmp(rows[i].asked, name) != 0)
			continue;
		if (rows[i].since <= version && (best < 0 || rows[i].since > rows[best].since))
			best = i;
		how = best < 0 ? TOO_OLD : FOUND;
	}
	*out = NULL;
	if (best >= 0)
		*out = (void *)(uintptr_t)(flags == PER_THREAD && rows[best].own
						   ? rows[best].own
						   : rows[best].symbol);
	if (status)
		*status = how;
	return SIM_OK;
}

SIM_PUBLIC int cuGetProcAddress(const char *name, void **out, int version, uint64_t flags)
{
	int r = cuGetProcAddress_v2(name, out, version, flags, NULL);

	return !r && !*out ? SIM_NOT_FOUND : r;
}

/* The private tables of the real one, which nobody here may pretend to have. */
SIM_PUBLIC int cuGetExportTable(const void **table, const void *uuid)
{
	(void)uuid;
	*table = NULL;
	return SIM_NOT_FOUND;
}

static int load(void **out, const void *image)
{
	int r = sim_enter();

	if (!r && !image)
		r = SIM_VALUE;
	if (!r)
		*out = sim_object_new(SIM_MODULE, sizeof(struct sim_object));
	return r;
}

static int find_function(void **fn, void *module, const char *name)
{
	if (!sim_object(module, SIM_MODULE) || !name)
		return SIM_HANDLE;
	*fn = module;
	return sim_enter();
}

static int unload(const char *by, void *module)
{
	int r = sim_enter();

	if (!r && !sim_object(module, SIM_MODULE))
		r = SIM_HANDLE;
	if (r)
		return r;
	sim_release(by);
	sim_object_free(module);
	return SIM_OK;
}

SIM_PUBLIC int cuModuleLoadData(void **module, const void *image)
{
	return load(module, image);
}

SIM_PUBLIC int cuModuleLoad(void **module, const char *path)
{
	return load(module, path);
}

SIM_PUBLIC int cuModuleGetFunction(void **fn, void *module, const char *name)
{
	return find_function(fn, module, name);
}

SIM_PUBLIC int cuModuleUnload(void *module)
{
	return unload("cuModuleUnload", module);
}

SIM_PUBLIC int cuLibraryLoadData(void **library, const void *code, const int *options,
				 void **values, unsigned n, const int *more, void **more_values,
				 unsigned n_more)
{
	(void)options, (void)values, (void)n, (void)more, (void)more_values, (void)n_more;
	return load(library, code);
}

SIM_PUBLIC int cuLibraryGetKernel(void **kernel, void *library, const char *name)
{
	return find_function(kernel, library, name);
}

SIM_PUBLIC int cuLibraryUnload(void *library)
{
	return unload("cuLibraryUnload", library);
}

/* 0 threads a block, 4 registers, 5 and 6 versions of the code */
SIM_PUBLIC int cuFuncGetAttribute(int *value, int attribute, void *fn)
{
	static const int values[] = { 1024, 0, 0, 0, 32, 90, 90 };

	(void)fn;
	*value = attribute >= 0 && attribute < 7 ? values[attribute] : 0;
	return sim_enter();
}
