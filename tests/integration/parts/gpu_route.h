/* SPDX-License-Identifier: MIT */
/* gpu_route.h -- a little work on a GPU runtime, whichever way its functions are reached.
 *
 * The same for HIP and, with -DLEVEL0, for Level Zero: memory, three launches, a wait,
 * memory given back.  What it prints must be the same with and without a guard.
 */
#ifndef GPU_ROUTE_H
#define GPU_ROUTE_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LEVEL0
struct gpu_queue_desc {
	int stype;
	const void *next;
	uint32_t ordinal, index, flags;
	int mode, priority;
};
typedef int gpu_take_fn(void *, const void *, size_t, size_t, void *, void **);
typedef int gpu_give_fn(void *, void *);
typedef int gpu_make_fn(void *, void *, const struct gpu_queue_desc *, void **);
typedef int gpu_launch_fn(void *, uint32_t, void **, void *);
typedef int gpu_wait_fn(void *, uint64_t);
#define GPU_TAKE "zeMemAllocDevice"
#define GPU_GIVE "zeMemFree"
#define GPU_MAKE "zeCommandQueueCreate"
#define GPU_LAUNCH "zeCommandQueueExecuteCommandLists"
#define GPU_WAIT "zeCommandQueueSynchronize"
#else
struct gpu_dim3 {
	uint32_t x, y, z;
};
typedef int gpu_take_fn(void **, size_t);
typedef int gpu_give_fn(void *);
typedef int gpu_launch_fn(const void *, struct gpu_dim3, struct gpu_dim3, void **, size_t, void *);
typedef int gpu_wait_fn(void);
#define GPU_TAKE "hipMalloc"
#define GPU_GIVE "hipFree"
#define GPU_LAUNCH "hipLaunchKernel"
#define GPU_WAIT "hipDeviceSynchronize"
#endif

struct gpu {
	gpu_take_fn *take;
	gpu_give_fn *give;
	gpu_launch_fn *launch;
	gpu_wait_fn *wait;
#ifdef LEVEL0
	gpu_make_fn *make;
#endif
};

static inline void *gpu_symbol(void *handle, const char *name)
{
	void *p = dlsym(handle, name);

	if (!p)
		printf("no %s\n", name);
	return p;
}

/* Copies a pointer to data into one to a function, which C does not. */
#define GPU_SET(to, from) \
	do { \
		void *from_ = (from); \
		memcpy(&(to), &from_, sizeof(from_)); \
	} while (0)

#ifdef ZE_INIT
/* The real loader looks for its drivers in here. What it answers to one that has no tools
 * and no Sysman is of no interest: what was found works. */
static inline void gpu_init(void *handle)
{
	int (*init)(uint32_t flags);

	GPU_SET(init, gpu_symbol(handle, "zeInit"));
	if (init)
		init(0);
}
#else
static inline void gpu_init(void *handle)
{
	(void)handle;
}
#endif

static inline void gpu_find(struct gpu *g, void *handle)
{
	gpu_init(handle);
	memset(g, 0, sizeof(*g));
	GPU_SET(g->take, gpu_symbol(handle, GPU_TAKE));
	GPU_SET(g->give, gpu_symbol(handle, GPU_GIVE));
	GPU_SET(g->launch, gpu_symbol(handle, GPU_LAUNCH));
	GPU_SET(g->wait, gpu_symbol(handle, GPU_WAIT));
#ifdef LEVEL0
	GPU_SET(g->make, gpu_symbol(handle, GPU_MAKE));
#endif
}

static inline int gpu_work(const struct gpu *g)
{
	void *p = NULL;
	int r[6] = { 0 };

#ifdef LEVEL0
	static const struct gpu_queue_desc plain;
	static int context;
	void *queue = NULL;

	if (!g->make || !g->take || !g->launch || !g->wait || !g->give)
		return 1;
	g->make(&context, &context, &plain, &queue);
	r[0] = g->take(&context, NULL, 1000000, 0, &context, &p);
	for (int i = 1; i < 4; i++)
		r[i] = g->launch(queue, 0, NULL, NULL);
	r[4] = g->wait(queue, UINT64_MAX);
	r[5] = g->give(&context, p);
#else
	struct gpu_dim3 grid = { 1, 2, 3 }, block = { 4, 5, 6 };

	if (!g->take || !g->launch || !g->wait || !g->give)
		return 1;
	r[0] = g->take(&p, 1000000);
	for (int i = 1; i < 4; i++)
		r[i] = g->launch(g, grid, block, NULL, 7, NULL);
	r[4] = g->wait();
	r[5] = g->give(p);
#endif
	printf("memory %d, launches %d %d %d, wait %d, free %d\n", r[0], r[1], r[2], r[3], r[4],
	       r[5]);
	fflush(stdout); /* in a namespace of its own nobody else does */
	return 0;
}

#endif
