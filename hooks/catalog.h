/* SPDX-License-Identifier: MIT */
/* catalog.h -- all rows as plain data, without functions, for the cli and the tests. */
#ifndef TAF_CATALOG_H
#define TAF_CATALOG_H

#include <stddef.h>

#include "../policy/event.h"

struct taf_catalog_row {
	const char *name;
	enum taf_engine engine;
	enum taf_kind kind;
	const char *thunk; /* "generated" "own" "notify" "call" */
	const char *doc;
};

const struct taf_catalog_row *taf_catalog(size_t *n);

#endif
