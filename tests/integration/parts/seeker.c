/* SPDX-License-Identifier: MIT */
/* seeker.c -- a library that finds the engine by its own look-ups, wherever it is opened.
 *
 *   -DBY_DEFAULT  linked to the engine, and asks its own scope
 *   -DBY_GLOBAL   opens it for all of its namespace, and asks that
 *   -DBY_VERSION  by handle and version
 *   -DBY_PLUGIN   opens another library that is linked to it, with RTLD_DEEPBIND
 *   -DERRORS      what its own C library says of what is not there; no engine
 *   else          by handle */
#include "route.h"

#include <unistd.h>

#define LOAD "llama_model_load_from_file"

void *plugin_load(void);
long fake_count(const char *name);

typedef void *seek_load_fn(void);
static void *engine;

/* Another namespace has a C library of its own, whose stdio nobody flushes. */
static void *said(const char *what, void *p)
{
	const char *error = p ? NULL : dlerror();

	dprintf(1, "%s: %s\n", what, p ? "there" : error ? error : "no error");
	return p;
}

static void *load_by(void *fn)
{
	return fn ? ROUTE_FN(route_load_fn, fn)(ROUTE_MODEL, fake_value_of(0)) : NULL;
}

/* Else the engine stays, and in the next namespace is another copy of it. */
__attribute__((destructor)) static void leave(void)
{
	if (engine)
		dlclose(engine);
}

#ifndef BY_DEFAULT
long fake_count(const char *name)
{
	void *fn = engine ? dlsym(engine, "fake_count") : NULL;

	return fn ? ROUTE_FN(route_count_fn, fn)(name) : -1;
}
#endif

#ifdef ERRORS
void *plugin_load(void)
{
	static char none[1];

	said("a library", dlopen("libno_such_library.so", RTLD_NOW));
	said("a name", dlsym(dlopen("libc.so.6", RTLD_NOW), "no_such_function"));
	said("a row by handle", dlsym(dlopen("libc.so.6", RTLD_NOW), LOAD));
	said("a row by version", dlvsym(dlopen("libc.so.6", RTLD_NOW), LOAD, "FAKE_1"));
	/* In our own namespace the message names the C library: docs/design.md. */
	dprintf(1, "a row in scope: %s\n",
		dlsym(RTLD_DEFAULT, LOAD) || !dlerror() ? "there" : "not there");
	said("a row behind", dlsym(RTLD_NEXT, LOAD));
	dprintf(1, "closed %d\n", dlclose(dlopen("libm.so.6", RTLD_NOW)));
	return none;
}
#elif defined(BY_DEFAULT)
void *plugin_load(void)
{
	return load_by(said("in scope", dlsym(RTLD_DEFAULT, LOAD)));
}
#elif defined(BY_PLUGIN)
void *plugin_load(void)
{
	void *fn;

	engine = dlopen("libplugin.so", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	fn = said("plugin", engine ? dlsym(engine, "plugin_load") : NULL);
	return fn ? ROUTE_FN(seek_load_fn, fn)() : NULL;
}
#else
void *plugin_load(void)
{
#ifdef BY_GLOBAL
	engine = dlopen("libfake_llama.so", RTLD_NOW | RTLD_GLOBAL);
	return load_by(said("global", dlsym(RTLD_DEFAULT, LOAD)));
#elif defined(BY_VERSION)
	engine = dlopen("libfake_llama_v.so", RTLD_NOW | RTLD_LOCAL);
	return load_by(said("version", dlvsym(engine, LOAD, "FAKE_1")));
#else
	engine = dlopen("libfake_llama.so", RTLD_NOW | RTLD_LOCAL);
	return load_by(said("handle", dlsym(engine, LOAD)));
#endif
}
#endif
