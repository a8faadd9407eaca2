/* SPDX-License-Identifier: MIT */
/* versions_name.c -- the names alone, for whoever reads a log without being in a guest. */
#include "versions.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

const char *taf_versions_package(uint32_t i)
{
	static const char all[][12] = {
#define TEXT(package, symbol) package,
#define BUILD(package, symbol) package,
#define DIST(package, name) package,
#include "versions.def"
	};

	for (size_t k = 0, seen; k < COUNT(all); k++) {
		for (seen = 0; seen < k && !taf_same(all[seen], all[k]); seen++)
			;
		if (seen == k && !i--)
			return all[k];
	}
	return NULL;
}
