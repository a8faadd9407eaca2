/* SPDX-License-Identifier: MIT */
/* route.c -- reaches the engine's load by the route that argv[1] names, or asks
 * whether the engine is there.  -DDIRECT: linked to the engine.
 *
 * What it prints must be the same with and without a guard. */
#include "route.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOAD "llama_model_load_from_file"
#define ENGINE "libfake_llama.so"

static void tell(void *model, void *handle)
{
	route_count_fn *count = ROUTE_FN(route_count_fn, route_symbol(handle, "fake_count"));

	printf("%s, %ld calls\n", model ? "a model" : "nothing", count ? count(LOAD) : -1);
}

static void *call(void *fn)
{
	return fn ? ROUTE_FN(route_load_fn, fn)(ROUTE_MODEL, fake_value_of(0)) : NULL;
}

#ifdef DIRECT
void *llama_model_load_from_file(const char *path, struct fake_value params);
static route_load_fn *pointer = llama_model_load_from_file;

static void by_call(void)
{
	tell(llama_model_load_from_file(ROUTE_MODEL, fake_value_of(0)), RTLD_DEFAULT);
}

static void by_address(void)
{
	route_load_fn *volatile taken = llama_model_load_from_file;

	tell(taken(ROUTE_MODEL, fake_value_of(0)), RTLD_DEFAULT);
}

static void by_static(void)
{
	tell(pointer(ROUTE_MODEL, fake_value_of(0)), RTLD_DEFAULT);
}

static void by_default(void)
{
	tell(call(route_symbol(RTLD_DEFAULT, LOAD)), RTLD_DEFAULT);
}

static void by_next(void)
{
	tell(call(route_symbol(RTLD_NEXT, LOAD)), RTLD_DEFAULT);
}
#else
extern void *llama_model_load_from_file(const char *path, struct fake_value params)
	__attribute__((weak));

static void by_handle(void)
{
	void *h = route_open(ENGINE, RTLD_NOW | RTLD_LOCAL);

	tell(call(route_symbol(h, LOAD)), h);
}

static void by_global(void)
{
	void *h = route_open(ENGINE, RTLD_NOW | RTLD_GLOBAL);

	tell(call(route_symbol(RTLD_DEFAULT, LOAD)), h);
}

static void by_dlvsym(void)
{
	void *h = route_open("libfake_llama_v.so", RTLD_NOW | RTLD_LOCAL);

	tell(call(dlvsym(h, LOAD, "FAKE_1")), h);
}

/* The plugin's own engine is asked for the count, in the plugin's namespace. */
static void of_plugin(void *plugin)
{
	tell(call(route_symbol(plugin, "plugin_load")), plugin);
}

static void by_plugin(void)
{
	of_plugin(route_open("libplugin.so", RTLD_LAZY | RTLD_LOCAL));
}

static void by_deepbind(void)
{
	of_plugin(route_open("libplugin.so", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND));
}

/* Closed and opened again: mostly at the place where it was. */
static void by_deepbind_again(void)
{
	for (int i = 0; i < 3; i++) {
		void *plugin = route_open("libplugin.so", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

		of_plugin(plugin);
		dlclose(plugin);
	}
}

static void by_deepbind_lazy(void)
{
	of_plugin(route_open("libplugin.so", RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND));
}

/* A group of libraries opened as one: a member sees the engine that another needs. */
static void by_sibling(void)
{
	of_plugin(route_open("libgroup.so", RTLD_NOW | RTLD_LOCAL));
}

/* The same member opened alone, while another has the engine for itself. */
static void is_no_sibling(void)
{
	void *h = route_open(ENGINE, RTLD_NOW | RTLD_LOCAL),
	     *asker = route_open("libasker.so", RTLD_NOW | RTLD_LOCAL);

	printf("%s\n", h && call(route_symbol(asker, "plugin_load")) ? "a model" : "nothing");
}

static void by_constructor(void)
{
	of_plugin(route_open("libplugin_ctor.so", RTLD_NOW | RTLD_LOCAL));
}

static void by_origin(void)
{
	of_plugin(route_open("libplugin_origin.so", RTLD_NOW | RTLD_LOCAL));
}

static void by_own(void)
{
	void *h = route_open("libfake_llama_own.so", RTLD_NOW | RTLD_LOCAL);

	tell(call(route_symbol(h, "own_load")), h);
}

static void by_own_symbolic(void)
{
	void *h = route_open("libfake_llama_symbolic.so", RTLD_NOW | RTLD_LOCAL);

	tell(call(route_symbol(h, "own_load")), h);
}

static void by_dlmopen(void)
{
	void *h = dlmopen(LM_ID_NEWLM, ENGINE, RTLD_NOW | RTLD_LOCAL);

	tell(call(route_symbol(h, LOAD)), h);
}

static void by_dlmopen_plugin(void)
{
	of_plugin(dlmopen(LM_ID_NEWLM, "libplugin.so", RTLD_NOW | RTLD_LOCAL));
}

/* A library that looks for the engine itself; ROUTE_SEEKER names it. */
static const char *seeker(void)
{
	const char *name = getenv("ROUTE_SEEKER");

	return name ? name : "libseeker.so";
}

static void by_seeker(void)
{
	of_plugin(route_open(seeker(), RTLD_NOW | RTLD_LOCAL));
}

static void by_seeker_in_deepbind(void)
{
	of_plugin(route_open(seeker(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND));
}

static void by_seeker_in_dlmopen(void)
{
	of_plugin(dlmopen(LM_ID_NEWLM, seeker(), RTLD_NOW | RTLD_LOCAL));
}

/* One namespace after the other. */
static void by_seeker_in_dlmopen_again(void)
{
	for (int i = 0; i < 3; i++) {
		void *h = dlmopen(LM_ID_NEWLM, seeker(), RTLD_LAZY | RTLD_LOCAL);

		of_plugin(h);
		dlclose(h);
	}
}

/* Two copies of the engine, each with a caller that is linked to it. */
static void by_two_plugins(void)
{
	void *a = route_open("libplugin.so", RTLD_NOW | RTLD_LOCAL);
	void *b = route_open("libplugin_2.so", RTLD_NOW | RTLD_LOCAL);

	for (int i = 0; i < 3; i++) {
		of_plugin(a);
		of_plugin(b);
		of_plugin(b);
	}
}

static void by_two_handles(void)
{
	void *a = route_open(ENGINE, RTLD_NOW | RTLD_LOCAL);
	void *b = route_open("libfake_llama_2.so", RTLD_NOW | RTLD_LOCAL);
	void *fa = route_symbol(a, LOAD), *fb = route_symbol(b, LOAD);

	printf("%s\n", fa == fb ? "one function" : "two functions");
	for (int i = 0; i < 3; i++) {
		tell(call(fa), a);
		tell(call(fb), b);
		tell(call(fb), b);
	}
}

/* Opened, used, closed; then again, where it lay before lies something else. */
static void by_reopening(void)
{
	void *h = route_open(ENGINE, RTLD_NOW | RTLD_LOCAL), *first = route_symbol(h, "fake_count"),
	     *again;
	const struct link_map *m = h;
	void *was = NULL;
	ElfW(Addr) base = m->l_addr;

	tell(call(route_symbol(h, LOAD)), h);
	dlclose(h);
	was = mmap((void *)(uintptr_t)base, 65536, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	h = route_open(ENGINE, RTLD_NOW | RTLD_LOCAL);
	again = route_symbol(h, "fake_count");
	printf("closed %s, reopened %s\n",
	       was == (void *)(uintptr_t)base ? "and gone" : "but still there",
	       again == first ? "there" : "elsewhere");
	tell(call(route_symbol(h, LOAD)), h);
}

/* Presence: no engine, or one that this caller cannot see. */
static void answer(const char *what, const void *p)
{
	const char *error = p ? NULL : dlerror();

	printf("%s: %s%s\n", what, p ? "present" : "absent", error ? ", with an error" : "");
}

static void is_in_default(void)
{
	answer("default", dlsym(RTLD_DEFAULT, LOAD));
}

static void is_in_default_by_version(void)
{
	answer("default by version", dlvsym(RTLD_DEFAULT, LOAD, "FAKE_1"));
}

static void is_next(void)
{
	answer("next", dlsym(RTLD_NEXT, LOAD));
}

static void is_in_program(void)
{
	answer("program", dlsym(dlopen(NULL, RTLD_NOW), LOAD));
}

static void is_in_other(void)
{
	answer("other", dlsym(route_open("libm.so.6", RTLD_NOW), LOAD));
}

static void is_in_default_when_local(void)
{
	answer("engine", route_open(ENGINE, RTLD_NOW | RTLD_LOCAL));
	answer("default", dlsym(RTLD_DEFAULT, LOAD));
	answer("next", dlsym(RTLD_NEXT, LOAD));
	answer("program", dlsym(dlopen(NULL, RTLD_NOW), LOAD));
}

static void is_weak(void)
{
	answer("weak", llama_model_load_from_file ? "" : NULL);
}

static void by_weak(void)
{
	void *model = llama_model_load_from_file
			      ? llama_model_load_from_file(ROUTE_MODEL, fake_value_of(0))
			      : NULL;

	printf("%s\n", model ? "a model" : "nothing");
}

/* libc's own names by every way of asking. */
static void of_libc(void)
{
	void *libc = route_open("libc.so.6", RTLD_NOW);

	answer("exit", dlsym(RTLD_DEFAULT, "exit"));
	answer("next exit", dlsym(RTLD_NEXT, "exit"));
	answer("dlsym", dlsym(libc, "dlsym"));
	answer("dlopen", dlvsym(libc, "dlopen", "GLIBC_2.34"));
	answer("nothing", dlsym(libc, "no_such_function"));
}
#endif

#define ROUTE(name) \
	{ \
#name, name \
	}
static const struct {
	const char *name;
	void (*go)(void);
} routes[] = {
#ifdef DIRECT
	ROUTE(by_call), ROUTE(by_address), ROUTE(by_static), ROUTE(by_default), ROUTE(by_next),
#else
	ROUTE(by_sibling),
	ROUTE(is_no_sibling),
	ROUTE(by_handle),
	ROUTE(by_global),
	ROUTE(by_dlvsym),
	ROUTE(by_plugin),
	ROUTE(by_deepbind),
	ROUTE(by_deepbind_lazy),
	ROUTE(by_deepbind_again),
	ROUTE(by_constructor),
	ROUTE(by_origin),
	ROUTE(by_own),
	ROUTE(by_own_symbolic),
	ROUTE(by_dlmopen),
	ROUTE(by_dlmopen_plugin),
	ROUTE(by_two_plugins),
	ROUTE(by_two_handles),
	ROUTE(by_reopening),
	ROUTE(by_seeker),
	ROUTE(by_seeker_in_deepbind),
	ROUTE(by_seeker_in_dlmopen),
	ROUTE(by_seeker_in_dlmopen_again),
	ROUTE(is_in_default),
	ROUTE(is_in_default_by_version),
	ROUTE(is_next),
	ROUTE(is_in_program),
	ROUTE(is_in_other),
	ROUTE(is_in_default_when_local),
	ROUTE(is_weak),
	ROUTE(by_weak),
	ROUTE(of_libc),
#endif
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(routes) / sizeof(*routes); i++)
		if (!strcmp(routes[i].name, argv[1])) {
			routes[i].go();
			return 0;
		}
	return 93;
}
