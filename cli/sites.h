/* SPDX-License-Identifier: MIT */
/* sites.h -- where a program calls an engine that is built into it.
 *
 * taf_sites_scan reads .symtab for functions that are rows of an engine's table,
 * looks for the instructions that call them, and decides what may be led to the
 * guard; taf_sites_text says it to the shim (shim/sites_text.h).  Nothing is
 * guessed: a row is left out where one doubt remains, an engine where its handles
 * would be followed and their end be missed.
 *
 *   cloned     the compiler made a copy with another name (foo.part.0): calls of it differ
 *   twice      two functions have the name
 *   private    local to its source: its compiler may have changed how it is called
 *   shared     it is one function with another name (an alias, or folded by the linker)
 *   odd        bytes that look like a call of it are no instruction of a known function
 *   leaf       it calls nothing that its compiler did not know (body.h)
 *   many       more call sites than are passed on
 *
 * Where a row is private its source may have inlined others, and where nothing that
 * ends an engine is called by name its calls may all be inlined: left alone as well.
 *
 * A row that is also called through a pointer is guarded where it is called by
 * name, unless it ends something: see above. */
#ifndef TAF_CLI_SITES_H
#define TAF_CLI_SITES_H

#include "../hooks/catalog.h"
#include "body.h"

#define TAF_SITES_ROW_MAX 8192u /* sites of one row: a failed assertion has thousands */

enum taf_sites_fate {
	TAF_SITES_FINE, /* guarded where it is called; perhaps nowhere */
	TAF_SITES_CLONED,
	TAF_SITES_TWICE,
	TAF_SITES_PRIVATE,
	TAF_SITES_SHARED,
	TAF_SITES_ODD,
	TAF_SITES_LEAF,
	TAF_SITES_MANY,
};

struct taf_sites_fn {
	const struct taf_catalog_row *row;
	uint64_t address;
	uint64_t *sites; /* ascending */
	unsigned n_sites, room;
	enum taf_sites_fate fate;
	bool is_pointed; /* its address is taken somewhere */
	bool is_exported; /* libraries can call it */
};

struct taf_sites_engine {
	unsigned present; /* rows that are in the program and would be watched */
	unsigned rows, sites; /* led to the guard */
	const struct taf_sites_fn *lost; /* the first row that is not guarded, or not everywhere */
	unsigned n_lost;
	const char *why; /* NULL, or why nothing of the engine is guarded; of lost then */
};

struct taf_sites {
	struct taf_sites_fn *fns;
	size_t n;
	struct taf_sites_engine engines[TAF_ENGINE_COUNT];
	unsigned present, rows, sites; /* of all engines */
	const char *why; /* NULL, or why nothing of the program is guarded */
	bool has_symtab;
	char id[129]; /* build id */
};

/* o is open. 0 or -ENOMEM; what is not guarded is part of the answer. */
int taf_sites_scan(struct taf_object *o, struct taf_sites *s);
/* The value of TAFFRAIL_SITES; NULL: there is nothing to say, or no memory. */
char *taf_sites_text(const struct taf_sites *s);
void taf_sites_close(struct taf_sites *s);

/* An engine in the program of which nothing is guarded: why, as "llama_free is ..., and ...".
 * False: there is none. */
bool taf_sites_missed(const struct taf_sites *s, char *why, size_t room);
/* Of that each engine that was to be guarded and is not, from *at on, which begins at 0:
 * false when there is none any more. */
bool taf_sites_lost(const struct taf_sites *s, int *at, char *why, size_t room);
/* Whether call sites of that engine are looked for. */
bool taf_sites_knows(enum taf_engine e);
/* Why a row is not guarded, or not everywhere: what follows its name in a sentence. */
const char *taf_sites_fate_name(const struct taf_sites_fn *f);

#endif
