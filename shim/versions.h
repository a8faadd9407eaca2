/* SPDX-License-Identifier: MIT */
/* versions.h -- which versions of engines are loaded, as they say themselves.
 *
 * Read from the objects in the process: a function or number that one of them
 * exports, else the dist-info folder in the site-packages that the loaded mlx
 * extension came from.  No file but that one folder is opened.  Only at
 * activation and loads.  Nothing of theirs is called (constant.h): a C++ function
 * may throw, any function may lock or initialise, and a name may be another thing.
 */
#ifndef TAF_VERSIONS_H
#define TAF_VERSIONS_H

#include "../policy/text.h"

#define TAF_VERSIONS_MAX 8

struct taf_versions {
	uint32_t n;
	struct taf_version {
		char package[16]; /* as the registry calls it: "mlx-lm" */
		char version[48];
	} at[TAF_VERSIONS_MAX];
};

void taf_versions_read(struct taf_versions *v);
/* The packages that may be known, each once; NULL behind the last. */
const char *taf_versions_package(uint32_t i);

#endif
