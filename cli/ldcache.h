/* SPDX-License-Identifier: MIT */
/* ldcache.h -- the loader's cache, /etc/ld.so.cache, read by ourselves.
 *
 * FORMAT (glibc 2.2 and later, native byte order)
 *
 *   head     "glibc-ld.so.cache" "1.1", then u32 entries, u32 string bytes,
 *            u8 flags, 3 unused, u32 extensions, 12 unused: 48 bytes
 *   entries  i32 flags, u32 name, u32 path, u32 unused, u64 hwcap: 24 bytes each;
 *            name and path are offsets from the head to NUL-terminated text
 *
 * An older cache ("ld.so-1.7.0", 12 bytes an entry) may stand before it.  Only
 * entries of our own machine without special hardware demands are given out.
 * Every offset is checked; a damaged cache gives fewer answers, never a crash.
 */
#ifndef TAF_CLI_LDCACHE_H
#define TAF_CLI_LDCACHE_H

#include <stddef.h>
#include <stdint.h>

struct taf_ldcache {
	char *data; /* the whole file, and a NUL */
	size_t size;
	size_t head; /* where the 1.1 head begins */
	uint32_t n;
};

/* 0; -EINVAL when it is not such a cache; or -errno. On failure the cache is empty and finds
 * nothing. */
int taf_ldcache_open(const char *path, struct taf_ldcache *c);
/* The next path for a library's name from entry *at on (0 to begin), or NULL. */
const char *taf_ldcache_find(const struct taf_ldcache *c, const char *name, uint32_t *at);
void taf_ldcache_close(struct taf_ldcache *c);

#endif
