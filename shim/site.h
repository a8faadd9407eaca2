/* SPDX-License-Identifier: MIT */
/* site.h -- one call site: an instruction that names what it calls by the distance to it.
 *
 *   x86-64    call rel32, jmp rel32, jcc rel32 (a tail call behind a test)
 *   aarch64   bl, b
 *
 * A site is where the opcode lies, behind prefixes.  `run` looks for sites in a
 * file, the shim in the memory of its process, both through this header, so that
 * they mean the same.  The distance alone is ever rewritten. */
#ifndef TAF_SITE_H
#define TAF_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)

#define TAF_SITE_REACH ((uint64_t)1 << 31) /* bytes, either way */
#define TAF_SITE_MOST 6u /* bytes of the longest */

/* Where the distance lies in it; 0: there is no site. */
static inline unsigned taf_site_field(const unsigned char *p, size_t n)
{
	if (n >= 5 && (p[0] == 0xe8 || p[0] == 0xe9))
		return 1;
	return n >= 6 && p[0] == 0x0f && (p[1] & 0xf0) == 0x80 ? 2 : 0;
}

/* What the instruction at p, which runs at address at, calls. */
static inline bool taf_site_read(const unsigned char *p, size_t n, uint64_t at, uint64_t *target)
{
	unsigned field = taf_site_field(p, n);
	int32_t distance;

	if (!field)
		return false;
	__builtin_memcpy(&distance, p + field, 4);
	*target = at + field + 4 + (uint64_t)(int64_t)distance;
	return true;
}

/* Makes it call target. False: that is out of its reach, and nothing is written. */
static inline bool taf_site_write(unsigned char *p, uint64_t at, uint64_t target)
{
	unsigned field = taf_site_field(p, 6);
	int64_t distance = (int64_t)(target - (at + field + 4));
	int32_t low = (int32_t)distance;

	if (!field || low != distance)
		return false;
	__builtin_memcpy(p + field, &low, 4);
	return true;
}

#elif defined(__aarch64__)

#define TAF_SITE_REACH ((uint64_t)1 << 27)
#define TAF_SITE_MOST 4u

static inline bool taf_site_read(const unsigned char *p, size_t n, uint64_t at, uint64_t *target)
{
	uint32_t word;

	if (n < 4 || at & 3)
		return false;
	__builtin_memcpy(&word, p, 4);
	if ((word & 0x7c000000u) != 0x14000000u)
		return false;
	*target = at + (uint64_t)((int64_t)((uint64_t)word << 38) >> 36);
	return true;
}

static inline bool taf_site_write(unsigned char *p, uint64_t at, uint64_t target)
{
	int64_t distance = (int64_t)(target - at);
	uint32_t word;

	if (distance & 3 || distance >= (int64_t)TAF_SITE_REACH ||
	    distance < -(int64_t)TAF_SITE_REACH)
		return false;
	__builtin_memcpy(&word, p, 4);
	word = (word & 0xfc000000u) | ((uint32_t)((uint64_t)distance >> 2) & 0x03ffffffu);
	__builtin_memcpy(p, &word, 4);
	return true;
}

#else
#error "no call sites for this processor"
#endif

#endif
