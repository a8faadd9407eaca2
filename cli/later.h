/* SPDX-License-Identifier: MIT */
/* later.h -- entry points of an engine of C++ that are spelled as no row knows them.
 *
 * The parameters are a part of such a name, and have changed with versions (hooks/mlx.def):
 * a function that has rows, exported or asked for with other parameters, is not seen by the
 * guard.  Symbols of one program and its libraries are looked at one by one, or all of one
 * library that somebody has loaded. */
#ifndef TAF_CLI_LATER_H
#define TAF_CLI_LATER_H

#include <stdbool.h>
#include <stddef.h>

#include "../hooks/catalog.h"

#define TAF_LATER_ROWS 128

struct taf_later {
	const struct taf_catalog_row *rows[TAF_LATER_ROWS]; /* of C++ */
	size_t n_rows;
	unsigned n; /* names that were met; those of the first are below */
	enum taf_engine engine;
	size_t where;
	char name[512], plain[96]; /* "mlx::core::load_gguf" */
};

void taf_later_open(struct taf_later *l);
/* where: the object that has it or asks for it. */
void taf_later_look(struct taf_later *l, const char *symbol, size_t where);
/* All of one library. Of one that cannot be read, and without libelf, nothing is met. */
void taf_later_read(struct taf_later *l, const char *path, size_t where);

#endif
