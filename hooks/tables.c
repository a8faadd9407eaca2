/* SPDX-License-Identifier: MIT */
/* tables.c -- the list of tables that the shim walks, from runtimes.def. */
#include "../shim/table.h"

#define RUNTIME(NAME, name, sync_by, timed, text) extern const struct taf_table taf_table_##name;
#include "runtimes.def"
#undef RUNTIME

#define RUNTIME(NAME, name, sync_by, timed, text) &taf_table_##name,
const struct taf_table *const taf_tables[] = {
#include "runtimes.def"
};
#undef RUNTIME

const int taf_table_count = (int)(sizeof(taf_tables) / sizeof(*taf_tables));
