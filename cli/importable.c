/* SPDX-License-Identifier: MIT */
#include "importable.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../policy/app.h"
#include "../policy/pyargs.h"

#define MLX "mlx/lib/libmlx.so"

struct search {
	char version[32]; /* "python3.11", or a pattern of such folders */
	char *found; /* PATH_MAX bytes */
	struct taf_pyargs how;
};

/* The first file that DIR/[VERSION/PACKAGES/]mlx... names; dir itself is no pattern. */
static bool try_in(struct search *s, const char *dir, const char *packages)
{
	char pattern[2 * PATH_MAX + 128];
	glob_t g;
	size_t n = 0;
	bool is_found;

	for (; *dir && n < sizeof(pattern) - 128; dir++) {
		if (strchr("*?[]\\", *dir))
			pattern[n++] = '\\';
		pattern[n++] = *dir;
	}
	if (*dir)
		return false;
	snprintf(pattern + n, sizeof(pattern) - n, "/%s%s%s" MLX, packages ? s->version : "",
		 packages ? packages : "", packages ? "/" : "");
	if (glob(pattern, 0, NULL, &g))
		return false;
	is_found = g.gl_pathc && strlen(g.gl_pathv[0]) < PATH_MAX;
	if (is_found)
		strcpy(s->found, g.gl_pathv[0]);
	globfree(&g);
	return is_found;
}

static bool try_list(struct search *s, const char *list)
{
	char dir[PATH_MAX];

	for (size_t n; list && *list; list += n + (list[n] == ':')) {
		n = strcspn(list, ":");
		if (snprintf(dir, sizeof(dir), "%.*s", (int)n, list) < (int)sizeof(dir) && n &&
		    try_in(s, dir, NULL))
			return true;
	}
	return false;
}

/* Cuts the last two parts: of PREFIX/bin/python. */
static bool cut_to_prefix(char *path)
{
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(path, '/');

		if (!slash)
			return false;
		*slash = '\0';
	}
	return true;
}

static bool try_prefix(struct search *s, const char *prefix)
{
	char dir[PATH_MAX + 32];

	snprintf(dir, sizeof(dir), "%s/lib", prefix);
	if (try_in(s, dir, "/site-packages") || try_in(s, dir, "/dist-packages"))
		return true;
	snprintf(dir, sizeof(dir), "%s/lib64", prefix);
	return try_in(s, dir, "/site-packages");
}

static bool is_virtual(const char *prefix)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/pyvenv.cfg", prefix);
	return !access(path, F_OK);
}

static bool try_user(struct search *s)
{
	const char *home = getenv("HOME"), *none = getenv("PYTHONNOUSERSITE");
	char dir[PATH_MAX + 16];

	if (s->how.skips_user || (none && *none && !s->how.ignores_env))
		return false;
	return home && snprintf(dir, sizeof(dir), "%s/.local", home) < (int)sizeof(dir) &&
	       try_prefix(s, dir);
}

/* Of the system, and of the user. */
static bool try_others(struct search *s, char *real)
{
	if (real && cut_to_prefix(real) && try_prefix(s, real))
		return true;
	if (try_in(s, "/usr/lib/python3/dist-packages", NULL) || try_prefix(s, "/usr/local"))
		return true;
	return try_user(s);
}

static bool is_python(const char *path, const char **version)
{
	const char *slash = strrchr(path, '/');

	*version = slash ? slash + 1 : path;
	return !strncmp(*version, "python", 6);
}

/* Where packages are installed for it. */
static bool try_sites(struct search *s, const char *python, char *real)
{
	char prefix[PATH_MAX];

	if (s->how.skips_site || snprintf(prefix, sizeof(prefix), "%s", python) >= PATH_MAX ||
	    !cut_to_prefix(prefix))
		return false;
	return try_prefix(s, prefix) || (!is_virtual(prefix) && try_others(s, real));
}

bool taf_importable_mlx(const struct taf_start *start, char path[PATH_MAX])
{
	struct search s = { .version = "python3*", .found = path };
	char *real = realpath(start->exe, NULL);
	const char *name;
	bool is_found = false;

	if (real && is_python(real, &name)) {
		if (strchr(name, '.') && strlen(name) < sizeof(s.version))
			strcpy(s.version, name);
		taf_pyargs_read(start->argc, start->argv, &s.how);
		is_found = (!s.how.ignores_env && try_list(&s, getenv("PYTHONPATH"))) ||
			   try_sites(&s, start->exe, real);
	}
	free(real);
	return is_found;
}

bool taf_importable_is_named(const struct taf_start *s)
{
	struct taf_pyargs how;
	const char *what;

	taf_pyargs_read(s->argc, s->argv, &how);
	if (how.has_command) /* behind the letter, or a word of its own */
		return strstr(s->argv[how.next - 1], "mlx") != NULL;
	what = how.module ? how.module : how.script ? taf_base(how.script) : "";
	return !strncmp(what, "mlx", 3) || !strcmp(taf_app_engine(taf_app_of(s, NULL)), "mlx");
}
