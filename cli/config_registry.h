/* SPDX-License-Identifier: MIT */
/* config_registry.h -- reads a registry: JSON to struct taf_registry.
 *
 * A part of the companion, as config.h is, and the tool that builds the
 * registry that comes along (cli/gen/mkregistry.c).  A registry is taken
 * whole or not at all: each mistake is one line, file:line:col: what is wrong;
 * what to write.  A section that is missing is empty; keys that begin with '_'
 * are remarks.
 */
#ifndef TAF_CONFIG_REGISTRY_H
#define TAF_CONFIG_REGISTRY_H

#include "../policy/registry.h"
#include "config.h"

/* Fills out, which has room for TAF_REGISTRY_MAX bytes. version is
 * TAF_REGISTRY_VERSION as the caller was built. 0; -EINVAL when there are
 * mistakes, -EPROTO for a stranger, else the error of reading the file: then
 * *out is not to be used. */
__attribute__((visibility("default"))) int taffrail_registry_load(const char *path,
								  struct taf_registry *out,
								  uint32_t version,
								  taf_tell_fn *tell, void *ctx);

typedef int taf_registry_load_fn(const char *, struct taf_registry *, uint32_t, taf_tell_fn *,
				 void *);

#endif
