/* SPDX-License-Identifier: MIT */
/* mapped.h -- whether a file is mapped into this process. */
#ifndef TAF_MAPPED_H
#define TAF_MAPPED_H

#include <stdbool.h>

/* By its inode, through links; true as well where nobody can tell. Reads the list of all
 * mappings, some 0.4 us each: for what happens seldom. */
bool taf_mapped(const char *path);

#endif
