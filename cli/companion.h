/* SPDX-License-Identifier: MIT */
/* companion.h -- finds and opens libtaffrail-json.so, which reads policies and registries.
 *
 * Looked for, in this order, in the folder of this program, in ../lib/taffrail
 * from there, and in TAFFRAIL_LIBDIR.  It is opened when one has to be
 * read and not before, so that the command works where libcjson is missing.
 */
#ifndef TAF_COMPANION_H
#define TAF_COMPANION_H

#include <stddef.h>

#include "config.h"
#include "config_registry.h"

/* Its readers, or NULL after one line to tell that says what is missing. */
taf_policy_load_fn *taf_companion_open(taf_tell_fn *tell, void *ctx);
taf_registry_load_fn *taf_companion_registry(taf_tell_fn *tell, void *ctx);
/* Where it is. 0, or -ENOENT. */
int taf_companion_find(char *path, size_t room);

#endif
