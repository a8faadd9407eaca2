/* SPDX-License-Identifier: MIT */
/* closure.h -- every library that a program would be started with.
 *
 * The walk does what the loader does, from files alone: breadth first through
 * DT_NEEDED; for a bare name RPATH of the asking object and of those that
 * brought it in (unless the asking object has a RUNPATH), LD_LIBRARY_PATH,
 * RUNPATH, the cache, the default directories.  A candidate of another machine
 * is passed over.  The program is never started: no ldd, no LD_TRACE.
 *
 * Not followed: glibc-hwcaps sub-directories (same library, other tuning), and
 * whatever the program opens by itself later.
 */
#ifndef TAF_CLI_CLOSURE_H
#define TAF_CLI_CLOSURE_H

#include "elf.h"
#include "ldcache.h"

#define TAF_CLOSURE_MAX 1024

struct taf_lib {
	char *path;
	char *name; /* as it was asked for; the path for the program itself */
	size_t by; /* index of the object that asked for it first */
	uint64_t dev, ino;
	struct taf_object object; /* released after the visit; its text stays */
};

struct taf_lost {
	char *name;
	size_t by;
};

struct taf_closure {
	struct taf_lib *libs; /* libs[0]: the program */
	size_t n;
	struct taf_lost *lost; /* needed and not found */
	size_t n_lost;
	bool is_cut; /* more than TAF_CLOSURE_MAX objects: the rest was left out */
};

struct taf_closure_how {
	const char *library_path; /* LD_LIBRARY_PATH, or NULL */
	const struct taf_ldcache *cache; /* or NULL */
	const char *default_dirs; /* "/a:/b"; NULL: those of this system */
	/* Called once for each object while it is open. */
	void (*visit)(void *ctx, struct taf_lib *lib, size_t index);
	void *ctx;
};

/* 0, or what taf_object_open says of the program itself, or -ENOMEM.
 * In any case close it; the text of a failure is in c->libs[0].object.fault. */
int taf_closure_walk(const char *program, const struct taf_closure_how *how, struct taf_closure *c);
/* One more object, which the program opens by itself; what that needs is not looked for. One
 * that cannot be read is left out. 0 or -ENOMEM. */
int taf_closure_also(const char *path, const struct taf_closure_how *how, struct taf_closure *c);
void taf_closure_close(struct taf_closure *c);

#endif
