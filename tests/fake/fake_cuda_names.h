/* SPDX-License-Identifier: MIT */
/* fake_cuda_names.h -- the look-ups of the fake driver: which variant of a function it has
 * under a name, by version and flags. Included by fake_cuda.c, after its rows. */
#ifndef FAKE_CUDA_NAMES_H
#define FAKE_CUDA_NAMES_H

#ifdef FAKE_WHO
#include <dlfcn.h>
#endif

/* Each row's own address, without a way through the table of another object. */
typedef void any_fn(void);
#include "../../hooks/none.h"
#undef HOOK
#undef OWN
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) (any_fn *)name,
#define OWN(ret, name, params, args, kind, refuse, doc) (any_fn *)name,
#define CALL(ret, name, params, doc) (any_fn *)name,
static any_fn *const addresses[] = {
#include "../../hooks/cuda.def"
};

/* Which variant a version means: the last one that fits. All others: _v2 from 3020 on. */
static const struct {
	const char *asked;
	int since;
	const char *suffix;
} variants[] = {
	{ "cuGetProcAddress", 11030, "" },	  { "cuGetProcAddress", 12000, "_v2" },
	{ "cuCtxSynchronize", 2000, "" },	  { "cuCtxSynchronize", 13000, "_v2" },
	{ "cuCtxCreate", 3020, "_v2" },		  { "cuCtxCreate", 11040, "_v3" },
	{ "cuCtxCreate", 12050, "_v4" },	  { "cuLaunchHostFunc", 10000, "" },
	{ "cuLaunchHostFunc", 13010, "_v2" },	  { "cuStreamBeginCapture", 10000, "" },
	{ "cuStreamBeginCapture", 10010, "_v2" },
};

static const char *suffix_of(const char *asked, int version)
{
	const char *suffix = version >= 3020 ? "_v2" : "";

	for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++)
		if (!strcmp(variants[i].asked, asked) && variants[i].since <= version)
			suffix = variants[i].suffix;
	return suffix;
}

static int row_named(const char *asked, const char *suffix, const char *own)
{
	char name[96];

	if (strlen(asked) > 64)
		return -1;
	strcpy(name, asked);
	strcat(name, suffix);
	strcat(name, own);
	return fake_row(name);
}

/* As the real one: a name with a suffix is not accepted. */
static int look_up(const char *asked, void **out, int version, uint64_t flags)
{
	const char *suffix = suffix_of(asked, version), *own = flags == 2 ? "_ptsz" : "";
	long from = fake_setting("FAKE_FROM");
	int row = -1;

	*out = NULL;
	if (strstr(asked, "_v") || strstr(asked, "_ptsz") || (from && version > from))
		return 0;
	for (int i = 0; i < 4 && row < 0; i++)
		row = row_named(asked, i & 1 ? "" : suffix, i & 2 ? "" : own);
	if (row >= 0)
		*out = (void *)(uintptr_t)addresses[row];
	return row >= 0;
}

static void tell_who(const void *caller)
{
#ifdef FAKE_WHO
	Dl_info i;

	fake_log(dladdr(caller, &i) && strrchr(i.dli_fname, '/') ? strrchr(i.dli_fname, '/') : "?");
#else
	(void)caller;
#endif
}

int cuGetProcAddress(const char *symbol, void **out, int version, uint64_t flags)
{
	int row = FAKE_cuGetProcAddress;

	fake_called(row);
	tell_who(__builtin_return_address(0));
	if (!symbol || !out)
		return fake_over(row, 1);
	if (fake_is_failing())
		return fake_over(row, 0);
	return fake_over(row, look_up(symbol, out, version, flags) ? 0 : 500);
}

int cuGetProcAddress_v2(const char *symbol, void **out, int version, uint64_t flags, void *found)
{
	int row = FAKE_cuGetProcAddress_v2, is_there;

	fake_called(row);
	tell_who(__builtin_return_address(0));
	if (!symbol || !out)
		return fake_over(row, 1);
	if (fake_is_failing())
		return fake_over(row, 0);
	is_there = look_up(symbol, out, version, flags);
	if (found)
		*(int *)found = is_there ? 0 : 1;
	return fake_over(row, 0);
}

#endif
