/* SPDX-License-Identifier: MIT */
/* hip_array.h -- how many bytes rows, slices and arrays of HIP have, as far as the arguments
 * tell: without what the device rounds up. */
#ifndef TAF_HIP_ARRAY_H
#define TAF_HIP_ARRAY_H

#include "abi/hip.h"
#include "array.h"

/* Of sizes that no memory has: the product is one of them too. */
static inline uint64_t taf_hip_area(uint64_t a, uint64_t b)
{
	uint64_t n;

	return __builtin_mul_overflow(a, b, &n) ? UINT64_MAX : n;
}

/* Bytes of an array, without what the device rounds up. */
static inline uint64_t taf_hip_array(const struct taf_hip_channels *c, size_t width, size_t height)
{
	uint64_t bits = c ? (uint64_t)c->bits[0] + c->bits[1] + c->bits[2] + c->bits[3] : 0;

	return taf_hip_area(bits / 8, taf_hip_area(width, height ? height : 1));
}

static inline uint64_t taf_hip_flat(const struct taf_hip_array_desc *d)
{
	return d ? taf_hip_area(taf_array_channel(d->format) * d->channels,
				taf_hip_area(d->width, d->height ? d->height : 1))
		 : 0;
}

static inline uint64_t taf_hip_deep(const struct taf_hip_array3d_desc *d)
{
	struct taf_hip_array_desc flat = { d ? d->width : 0, d ? d->height : 0, d ? d->format : 0,
					   d ? d->channels : 0 };

	return taf_hip_area(taf_hip_flat(&flat), d && d->depth ? d->depth : 1);
}

#endif
