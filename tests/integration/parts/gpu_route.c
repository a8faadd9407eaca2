/* SPDX-License-Identifier: MIT */
/* gpu_route.c -- reaches a GPU runtime by the route that argv[1] names: gpu_route.h.
 *
 *   gpu_route ROUTE [instance|device|looked_up]
 *
 * Of Vulkan a library may ask for its functions by name: through vkGetInstanceProcAddr, those
 * of a device through vkGetDeviceProcAddr, or through one that it found by dlsym.
 *
 *   -DDIRECT   linked to the runtime, as a program of nvcc's or hipcc's kind
 *   -DPLUGIN   a library that is linked to it: what gpu_plugin_work does
 *   else       by dlopen, of RUNTIME or of PLUGIN_FILE; with -DASK="NAME" also by what that
 *              function of RUNTIME gives for each name
 */
#ifndef RUNTIME
#define RUNTIME "libamdhip64.so"
#define PLUGIN_FILE "libplugin.so"
#endif

#include "gpu_route.h"

#if defined(DIRECT) || defined(PLUGIN)
GPU_EACH(GPU_DECLARE, ;)
#endif

#ifdef PLUGIN
int gpu_plugin_work(void);

int gpu_plugin_work(void)
{
	struct gpu g = GPU_DIRECTLY;

	gpu_init(RTLD_DEFAULT);
	return gpu_work(&g);
}

#ifdef VULKAN
int gpu_plugin_named(const char *how);

int gpu_plugin_named(const char *how)
{
	struct gpu g;

	gpu_named(&g, how);
	return gpu_work(&g);
}
#endif
#else
#ifdef DIRECT
static const struct gpu fixed = GPU_DIRECTLY;

static int by_link(void)
{
	struct gpu g = GPU_DIRECTLY;

	gpu_init(RTLD_DEFAULT);
	return gpu_work(&g);
}

static int by_static(void)
{
	return gpu_work(&fixed);
}

static int by_default(void)
{
	struct gpu g;

	gpu_find(&g, RTLD_DEFAULT);
	return gpu_work(&g);
}
#else
static void *open_as(const char *name, int flags)
{
	void *h = dlopen(name, flags);

	if (!h)
		printf("%s\n", dlerror());
	return h;
}

static int by_handle(void)
{
	struct gpu g;

	gpu_find(&g, open_as(RUNTIME, RTLD_NOW | RTLD_LOCAL));
	return gpu_work(&g);
}

static int by_global(void)
{
	struct gpu g;

	open_as(RUNTIME, RTLD_NOW | RTLD_GLOBAL);
	gpu_find(&g, RTLD_DEFAULT);
	return gpu_work(&g);
}

#ifdef ASK
/* By the runtime's own look-up: some have no version, and flags in its place. */
static int by_asking(void)
{
	int (*ask)(const char *, void **, int, uint64_t, void *);
	struct gpu g = { 0 };

	GPU_SET(ask, gpu_symbol(open_as(RUNTIME, RTLD_NOW | RTLD_LOCAL), ASK));
#define GPU_ASK(ret, name, params) \
	if (ask(#name, (void **)&g.name, 0, 0, NULL)) \
	printf("no %s\n", #name)
	GPU_EACH(GPU_ASK, ;)
	return gpu_work(&g);
}
#endif

static const char *how; /* by which name; NULL: as it is linked */

static int of_plugin(void *handle)
{
	int (*work)(void), (*named)(const char *how);

	if (how) {
		GPU_SET(named, handle ? gpu_symbol(handle, "gpu_plugin_named") : NULL);
		return named ? named(how) : 1;
	}
	GPU_SET(work, handle ? gpu_symbol(handle, "gpu_plugin_work") : NULL);
	return work ? work() : 1;
}

static int by_plugin(void)
{
	return of_plugin(open_as(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL));
}

static int by_lazy_plugin(void)
{
	return of_plugin(open_as(PLUGIN_FILE, RTLD_LAZY | RTLD_LOCAL));
}

static int by_deepbind(void)
{
	return of_plugin(open_as(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND));
}

static int by_dlmopen(void)
{
	return of_plugin(dlmopen(LM_ID_NEWLM, PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL));
}

/* Closed and opened again: mostly at the place where it was. */
static int by_reopening(void)
{
	int r = 0;

	for (int i = 0; i < 3; i++) {
		void *h = open_as(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL);

		r |= of_plugin(h);
		if (h)
			dlclose(h);
	}
	return r;
}
#endif

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*go)(void);
	} routes[] = {
#ifdef DIRECT
		{ "by_link", by_link },
		{ "by_static", by_static },
		{ "by_default", by_default },
#else
		{ "by_handle", by_handle },	  { "by_global", by_global },
		{ "by_plugin", by_plugin },	  { "by_lazy_plugin", by_lazy_plugin },
		{ "by_deepbind", by_deepbind },	  { "by_dlmopen", by_dlmopen },
		{ "by_reopening", by_reopening },
#ifdef ASK
		{ "by_asking", by_asking },
#endif
#endif
	};

#ifndef DIRECT
	how = argc > 2 ? argv[2] : NULL;
#endif
	for (size_t i = 0; argc > 1 && i < sizeof(routes) / sizeof(*routes); i++)
		if (!strcmp(argv[1], routes[i].name))
			return routes[i].go();
	return 64;
}
#endif
