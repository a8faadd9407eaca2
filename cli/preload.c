/* SPDX-License-Identifier: MIT */
#include "preload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "vars.h"

#define GUARD "libtaffrail.so"
#define ALLOC "libtaffrail-alloc.so"

/* The folder of this program; "" when /proc is not there. */
static void own_folder(char folder[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	char *slash;

	folder[n > 0 ? n : 0] = '\0';
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
}

/* The real path of folder + tail + name, if such a file is there. */
static bool is_at(const char *folder, const char *tail, const char *name, char path[PATH_MAX])
{
	char text[PATH_MAX], real[PATH_MAX];
	struct stat st;

	if (!folder || !*folder ||
	    (size_t)snprintf(text, sizeof(text), "%s%s/%s", folder, tail, name) >= sizeof(text) ||
	    !realpath(text, real) || stat(real, &st) || !S_ISREG(st.st_mode))
		return false;
	memcpy(path, real, sizeof(real));
	return true;
}

/* Why the loader would not take the file; NULL: it will. */
static const char *obstacle(const char *path)
{
	struct statvfs fs;

	if (!taf_vars_can_preload(path))
		return "a path with a blank or a colon cannot be preloaded";
	if (access(path, R_OK))
		return "it cannot be read";
	if (!statvfs(path, &fs) && fs.f_flag & ST_NOEXEC)
		return "it is on a file system that is mounted noexec";
	return NULL;
}

bool taf_preload_find(struct taf_preload *p, char *why, size_t room)
{
	static const char *const tails[] = { "", "/../lib/taffrail" };
	const char *asked = getenv("TAFFRAIL_LIBDIR"), *what;
	char folder[PATH_MAX];
	bool is_there = false;

	memset(p, 0, sizeof(*p));
	own_folder(folder);
	for (size_t i = 0; i < 2 && !is_there; i++)
		is_there = is_at(folder, tails[i], GUARD, p->guard);
	if (!is_there)
		is_there = is_at(asked, "", GUARD, p->guard);
	if (!is_there) {
		snprintf(why, room,
			 GUARD " is neither in %s nor in ../lib/taffrail from there; "
			       "set TAFFRAIL_LIBDIR",
			 folder);
		return false;
	}
	what = obstacle(p->guard);
	if (what) {
		snprintf(why, room, "%s: %s", p->guard, what);
		return false;
	}
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(p->guard, '/') - p->guard),
		 p->guard);
	is_at(folder, "", ALLOC, p->alloc);
	return true;
}
