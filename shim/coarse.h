/* SPDX-License-Identifier: MIT */
/* coarse.h -- the coarse clock, which every call of the narrow door reads.
 *
 * It is the kernel's own function in the page that it maps into each process: the way
 * there through libc costs half as much again.  libc's is used until the process becomes
 * active, and where there is no such page (valgrind), or the loader does not list it. */
#ifndef TAF_COARSE_H
#define TAF_COARSE_H

#include <time.h>

/* As clock_gettime; written while WAKING. */
extern int (*taf_coarse)(clockid_t which, struct timespec *t);
void taf_coarse_find(void);

#endif
