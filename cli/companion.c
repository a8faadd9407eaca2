/* SPDX-License-Identifier: MIT */
#include "companion.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "libtaffrail-json.so"

/* The folder of this program, without '/' at its end. */
static bool own_folder(char dir[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return false;
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	return slash;
}

static bool is_at(char *path, size_t room, const char *dir, const char *below)
{
	int n = snprintf(path, room, "%s%s/%s", dir, below, NAME);

	return n > 0 && (size_t)n < room && !access(path, F_OK);
}

int taf_companion_find(char *path, size_t room)
{
	const char *given = getenv("TAFFRAIL_LIBDIR");
	char dir[PATH_MAX];

	if (own_folder(dir) &&
	    (is_at(path, room, dir, "") || is_at(path, room, dir, "/../lib/taffrail")))
		return 0;
	return given && given[0] == '/' && is_at(path, room, given, "") ? 0 : -ENOENT;
}

static void say(taf_tell_fn *tell, void *ctx, const char *text)
{
	if (tell)
		tell(ctx, text);
}

/* dlopen failed: a missing libcjson is the likely reason, and one can do something about it. */
static void say_why(taf_tell_fn *tell, void *ctx, const char *path)
{
	const char *error = dlerror();
	char line[PATH_MAX + 512];

	if (error && strstr(error, "libcjson"))
		snprintf(line, sizeof(line),
			 "%s needs libcjson.so.1, which is missing; "
			 "install it (Debian: libcjson1)",
			 path);
	else
		snprintf(line, sizeof(line), "%s cannot be opened: %s; install it again", path,
			 error ? error : "unknown reason");
	say(tell, ctx, line);
}

/* A function of it, or NULL. */
static void *open_function(const char *name, taf_tell_fn *tell, void *ctx)
{
	char path[PATH_MAX];
	void *handle, *function;

	if (taf_companion_find(path, sizeof(path))) {
		say(tell, ctx,
		    NAME ", which reads policy files, is missing; install it beside "
			 "taffrail or name its folder in TAFFRAIL_LIBDIR");
		return NULL;
	}
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		say_why(tell, ctx, path);
		return NULL;
	}
	function = dlsym(handle, name);
	if (!function)
		say(tell, ctx,
		    NAME " is of another version; install it and taffrail from one build");
	return function;
}

taf_policy_load_fn *taf_companion_open(taf_tell_fn *tell, void *ctx)
{
	union {
		void *object;
		taf_policy_load_fn *function;
	} reader = { open_function("taffrail_policy_load", tell, ctx) };

	return reader.function;
}

taf_registry_load_fn *taf_companion_registry(taf_tell_fn *tell, void *ctx)
{
	union {
		void *object;
		taf_registry_load_fn *function;
	} reader = { open_function("taffrail_registry_load", tell, ctx) };

	return reader.function;
}
