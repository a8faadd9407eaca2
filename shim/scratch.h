/* SPDX-License-Identifier: MIT */
/* scratch.h -- room for what is too big for a stranger's stack.
 *
 * A hooked call runs on the program's thread, which may have 16 KiB of stack in
 * all.  What takes more than a few hundred bytes (a verdict, a model that is being
 * looked at, a file's text) is taken from here and given back by the same function.
 * There are some desks in our own memory, claimed without a lock, so that it works
 * in handlers and in fork children; when all are taken, it is a mapping.  A desk whose
 * owner never comes back (longjmp, a thread that was ended, a fork) stays taken.
 */
#ifndef TAF_SCRATCH_H
#define TAF_SCRATCH_H

#include <stddef.h>

/* n bytes of unknown contents; NULL only when there is no memory at all. */
void *taf_scratch_take(size_t n);
/* NULL is welcome. */
void taf_scratch_give(void *p);

#endif
