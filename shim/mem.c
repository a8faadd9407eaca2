/* SPDX-License-Identifier: MIT */
/* mem.c -- memcpy and its kin for the preloaded objects alone.
 *
 * The compiler calls these for struct copies whatever we write.  Bound to the
 * C library's they could be a sanitizer's, which is not ready when our
 * constructor runs; hidden ones of our own depend on nobody.  The command and
 * the tests are built without TAF_IN_SHIM and use the C library's. */
#ifdef TAF_IN_SHIM

#include <stddef.h>

#include "../policy/text.h"

#define HIDDEN __attribute__((visibility("hidden"), used))

HIDDEN void *memcpy(void *restrict to, const void *restrict from, size_t n);
HIDDEN void *memmove(void *to, const void *from, size_t n);
HIDDEN void *memset(void *to, int c, size_t n);
HIDDEN int memcmp(const void *a, const void *b, size_t n);

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
#if defined(__x86_64__)
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
#else
	unsigned char *d = to;
	const unsigned char *s = from;

	for (size_t i = 0; i < n; i++)
		d[i] = s[i];
#endif
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	taf_move(to, from, n);
	return to;
}

void *memset(void *to, int c, size_t n)
{
#if defined(__x86_64__)
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
#else
	unsigned char *d = to;

	for (size_t i = 0; i < n; i++)
		d[i] = (unsigned char)c;
#endif
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

#else

/* A translation unit holds at least one declaration. */
extern int taf_mem_is_libc;

#endif
