/* SPDX-License-Identifier: MIT */
/* cuda_static.c -- does as a runtime that is linked in statically: the driver is opened
 * by name, its look-up found by dlsym, and all else found by that look-up.
 *
 *   VERSION   what it asks for; below 12000 by the look-up with four arguments
 *   FLAGS     2: forms for the thread's own default stream */
#include "cuda_work.h"

#ifndef VERSION
#define VERSION 13000
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

static struct {
	int (*ask)(const char *, void **, int, uint64_t);
	int (*ask_more)(const char *, void **, int, uint64_t, int *);
	int (*retain)(void **, int);
	int (*current)(void *);
	int (*take)(uint64_t *, size_t);
	int (*give)(uint64_t);
	int (*launch)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
		      void *, void **, void **);
	int (*sync)(void);
	int (*take_async)(uint64_t *, size_t, void *);
} cu;

static void *ask(const char *name)
{
	void *p = NULL;
	int found = 0, r;

	if (VERSION < 12000)
		r = cu.ask(name, &p, VERSION, FLAGS);
	else
		r = cu.ask_more(name, &p, VERSION, FLAGS, &found);
	if (r || found || !p)
		cuda_say("%s: %d, status %d\n", name, r, found);
	return p;
}

static void *mine(const char *name)
{
	return dlsym(dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD), name);
}

/* Whether two look-ups by different ways lead to one function. */
static void compare(const char *asked, const char *symbol, void *p)
{
	cuda_say("%s is %s%s\n", asked, symbol, p == mine(symbol) ? "" : ", but another one");
}

static int set_device(int device)
{
	void *ctx;

	return cu.retain(&ctx, device) || cu.current(ctx);
}

/* The first piece by the form that is in the order of a stream. */
static int take(uint64_t *p, size_t size)
{
	return size == 4096 ? cu.take_async(p, size, NULL) : cu.take(p, size);
}

static int launch(void)
{
	void *none[1] = { NULL };

	return cu.launch(none, 1, 2, 3, 4, 5, 6, 7, NULL, none, NULL);
}

void cuda_run(void)
{
	void *lib = dlopen("libcuda.so.1", RTLD_NOW);
	int found = 7, r;
	void *p = lib;

	if (!lib) {
		cuda_say("%s\n", dlerror());
		return;
	}
	CUDA_SET(cu.ask, dlsym(lib, "cuGetProcAddress"));
	CUDA_SET(cu.ask_more, dlsym(lib, "cuGetProcAddress_v2"));
	CUDA_SET(cu.retain, ask("cuDevicePrimaryCtxRetain"));
	CUDA_SET(cu.current, ask("cuCtxSetCurrent"));
	CUDA_SET(cu.take, ask("cuMemAlloc"));
	CUDA_SET(cu.take_async, ask("cuMemAllocAsync"));
	CUDA_SET(cu.give, ask("cuMemFree"));
	CUDA_SET(cu.launch, ask("cuLaunchKernel"));
	CUDA_SET(cu.sync, mine("cuCtxSynchronize"));
	compare("cuMemAlloc", "cuMemAlloc_v2", ask("cuMemAlloc"));
	compare("cuMemAllocAsync", FLAGS == 2 ? "cuMemAllocAsync_ptsz" : "cuMemAllocAsync",
		ask("cuMemAllocAsync"));
	compare("cuGetProcAddress", VERSION < 12000 ? "cuGetProcAddress" : "cuGetProcAddress_v2",
		ask("cuGetProcAddress"));
	compare("cuCtxSynchronize", VERSION < 13000 ? "cuCtxSynchronize" : "cuCtxSynchronize_v2",
		ask("cuCtxSynchronize"));
	/* As the real runtime's first question; and names that are not there. */
	r = cu.ask_more("", &p, 0, 0, &found);
	cuda_say("no name: %d, status %d, %s\n", r, found, p ? "something" : "nothing");
	p = lib;
	r = cu.ask_more("cuMemAlloc_v2", &p, VERSION, 0, &found);
	cuda_say("a suffix: %d, status %d, %s\n", r, found, p ? "something" : "nothing");
	r = cu.ask("cuNoSuchThing", &p, VERSION, 0);
	cuda_say("no such thing: %d, %s\n", r, p ? "something" : "nothing");
	cuda_say("nowhere: %d\n", cu.ask_more("cuMemAlloc", NULL, VERSION, 0, &found));
	cuda_work(&(struct cuda_api){ set_device, take, cu.give, launch, cu.sync });
}
