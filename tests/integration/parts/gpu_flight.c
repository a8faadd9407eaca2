/* SPDX-License-Identifier: MIT */
/* gpu_flight.c -- hands a GPU runtime one piece of work by each function that is named, and
 * takes and frees memory round it: what is in flight has to be waited for before the free.
 *
 *   gpu_flight LIBRARY HOW NAME:AT...
 *
 *   HOW   left: nothing waits; waited: the program waits for the stream before it frees
 *   AT    which argument the stream is; -: there is none, and work goes to the default one
 *
 * All of these take what fits registers or words of the stack, and give a number. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS 12

typedef int any_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
		   uint64_t, uint64_t, uint64_t, uint64_t);

static uint64_t nothing[64]; /* what pointers point to */
static void *library;

static any_fn *function(const char *name)
{
	void *p = dlsym(library, name);
	any_fn *f;

	if (!p) {
		printf("no %s\n", name);
		exit(95);
	}
	memcpy(&f, &p, sizeof(f));
	return f;
}

static int call(const char *name, const uint64_t a[ARGUMENTS])
{
	return function(name)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10],
			      a[11]);
}

#define CALL(name, ...) call(name, (const uint64_t[ARGUMENTS]){ __VA_ARGS__ })
#define WHERE(p) (uint64_t)(uintptr_t)(p)

/* The same of each runtime: how memory and a stream come and go. */
struct runtime {
	const char *file, *take, *give, *make, *wait;
	int is_level0;
};

static const struct runtime *runtime_of(const char *file)
{
	static const struct runtime all[] = {
		{ "cudart", "cudaMalloc", "cudaFree", NULL, "cudaStreamSynchronize", 0 },
		{ "cuda", "cuMemAlloc_v2", "cuMemFree_v2", "cuStreamCreate", "cuStreamSynchronize",
		  0 },
		{ "hip", "hipMalloc", "hipFree", "hipStreamCreate", "hipStreamSynchronize", 0 },
		{ "level0", "zeMemAllocDevice", "zeMemFree", "zeCommandListCreateImmediate",
		  "zeCommandListHostSynchronize", 1 },
	};

	const char *slash = strrchr(file, '/');

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strstr(slash ? slash : file, all[i].file))
			return &all[i];
	exit(64);
}

static uint64_t make_stream(const struct runtime *r)
{
	uint64_t stream = WHERE(&nothing[8]), context = 0;

	if (!strcmp(r->file, "cuda")) {
		CALL("cuDevicePrimaryCtxRetain", WHERE(&context), 0);
		CALL("cuCtxSetCurrent", context);
	}
	if (r->is_level0)
		CALL(r->make, WHERE(nothing), WHERE(nothing), WHERE(nothing), WHERE(&stream));
	else if (r->make)
		CALL(r->make, WHERE(&stream), 0);
	return stream;
}

static int one(const struct runtime *r, const char *name, int at, int is_waited)
{
	static uint64_t stream;
	uint64_t a[ARGUMENTS], p = 0, to;
	int bad;

	stream = stream ? stream : make_stream(r);
	to = at < 0 && strcmp(name, "hipLaunchByPtr") ? 0 : stream;
	for (int i = 0; i < ARGUMENTS; i++)
		a[i] = i == at ? stream : WHERE(nothing);
	bad = r->is_level0 ? CALL(r->take, 0, 0, 4096, 0, WHERE(nothing), WHERE(&p))
			   : CALL(r->take, WHERE(&p), 4096);
			   if (!strcmp(name, "hipLaunchByPtr"))
				   CALL("hipConfigureCall", 1, 1, 1, 1, 0, stream);
			   bad |= call(name, a);
			   if (is_waited)
				   bad |= CALL(r->wait, to, UINT64_MAX);
			   bad |= r->is_level0 ? CALL(r->give, 0, p) : CALL(r->give, p);
			   return bad;
}

int main(int argc, char **argv)
{
	const struct runtime *r;

	if (argc < 3)
		return 64;
	r = runtime_of(argv[1]);
	library = dlopen(argv[1], RTLD_NOW);
	if (!library) {
		printf("%s\n", dlerror());
		return 95;
	}
	for (int i = 3; i < argc; i++) {
		char name[96], at[8];

		if (sscanf(argv[i], "%95[^:]:%7s", name, at) != 2)
			return 64;
		printf("%s %d\n", name,
		       one(r, name, *at == '-' ? -1 : atoi(at), !strcmp(argv[2], "waited")));
	}
	return 0;
}
