/* SPDX-License-Identifier: MIT */
/* array.h -- what CUDA's driver and HIP have in common of arrays: the formats of a channel,
 * which have the same numbers in both. */
#ifndef TAF_ARRAY_H
#define TAF_ARRAY_H

#include <stdint.h>

/* Bytes of an element's channel; what is packed or compressed counts as one. */
static inline uint64_t taf_array_channel(unsigned format)
{
	switch (format) {
	case 0x02: /* CU_AD_FORMAT_UNSIGNED_INT16 */
	case 0x09: /* ..._SIGNED_INT16 */
	case 0x10: /* ..._HALF */ return 2;
	case 0x03: /* ..._UNSIGNED_INT32 */
	case 0x0a: /* ..._SIGNED_INT32 */
	case 0x20: /* ..._FLOAT */ return 4;
	default: return 1;
	}
}

#endif
