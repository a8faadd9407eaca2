/* SPDX-License-Identifier: MIT */
/* sites_words.h -- an engine in a program whose names were stripped, told by its own words.
 *
 * Without .symtab no call site can be found, and nothing of an engine that is built in
 * is seen.  What it would print, and the names of its types, are in the file all the
 * same.  Only what the engine itself has, and no program that merely uses it, is looked
 * for; a packed program hides that too.  Costs a reading of the file's constants, so only
 * `run --strict` and doctor ask. */
#ifndef TAF_CLI_SITES_WORDS_H
#define TAF_CLI_SITES_WORDS_H

#include "../policy/event.h"
#include "elf.h"

/* TAF_ENGINE_NONE: there are no such words. */
enum taf_engine taf_sites_words(struct taf_object *o);
/* "llama.cpp" */
const char *taf_sites_words_name(enum taf_engine engine);

#endif
