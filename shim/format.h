/* SPDX-License-Identifier: MIT */
/* format.h -- printf's common conversions, from saved registers, without the C library. */
#ifndef TAF_FORMAT_H
#define TAF_FORMAT_H

#include "../policy/text.h"
#include "entry.h"

/* Formats the variadic call in r whose format is its n-th argument. Knows %s %d
 * %i %u %x %c %p %% with l, ll, z and h; any other conversion is copied as it
 * stands and takes no argument from there on. */
void taf_format(struct taf_text *t, const struct taf_regs *r, unsigned n);

#endif
