/* SPDX-License-Identifier: MIT */
/* hot.h -- what each evaluation, decode or launch reads, of whichever module, side by side.
 *
 * Between two of them an engine fills the caches with its own: each line less that is fetched
 * again is a few ns. These variables change seldom, so that threads share their lines: one
 * line where the linker takes them in the order of their files, and a second one for the few
 * that engines alone read.  All begin as zero: the section has no bytes in the file that a
 * start would bring in. */
#ifndef TAF_HOT_H
#define TAF_HOT_H

#define TAF_HOT __attribute__((section(".sbss")))

#endif
