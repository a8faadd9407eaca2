/* SPDX-License-Identifier: MIT */
/* ldcache.c -- see ldcache.h. */
#include "ldcache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_MAX ((size_t)64 << 20)
#define OLD_MAGIC "ld.so-1.7.0"
#define NEW_MAGIC "glibc-ld.so.cache1.1"
#define HEAD_BYTES 48u
#define ENTRY_BYTES 24u

#if defined(__x86_64__)
#define OWN_FLAGS 0x0303 /* ELF for libc 6, x86-64 */
#elif defined(__aarch64__)
#define OWN_FLAGS 0x0a03
#else
#define OWN_FLAGS 0x0003
#endif

static uint32_t u32_at(const struct taf_ldcache *c, size_t at)
{
	uint32_t v;

	memcpy(&v, c->data + at, sizeof(v));
	return v;
}

static int read_whole(int fd, struct taf_ldcache *c)
{
	struct stat st;
	size_t got = 0;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)HEAD_BYTES ||
	    (size_t)st.st_size > CACHE_MAX)
		return -EINVAL;
	c->data = malloc((size_t)st.st_size + 1);
	if (!c->data)
		return -ENOMEM;
	while (got < (size_t)st.st_size) {
		ssize_t n = read(fd, c->data + got, (size_t)st.st_size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	c->size = got;
	c->data[got] = '\0';
	return 0;
}

static bool is_new_head(const struct taf_ldcache *c, size_t at)
{
	return at <= c->size && c->size - at >= HEAD_BYTES &&
	       !memcmp(c->data + at, NEW_MAGIC, sizeof(NEW_MAGIC) - 1);
}

static int find_head(struct taf_ldcache *c)
{
	size_t at = 0;

	if (!is_new_head(c, 0)) {
		if (c->size < 16 || memcmp(c->data, OLD_MAGIC, sizeof(OLD_MAGIC) - 1) != 0)
			return -EINVAL;
		at = 16 + (size_t)u32_at(c, 12) * 12;
		at = (at + 7) & ~(size_t)7;
		if (!is_new_head(c, at))
			return -EINVAL;
	}
	c->head = at;
	c->n = u32_at(c, at + 20);
	if (c->n > (c->size - at - HEAD_BYTES) / ENTRY_BYTES)
		return -EINVAL;
	return 0;
}

int taf_ldcache_open(const char *path, struct taf_ldcache *c)
{
	int err, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	memset(c, 0, sizeof(*c));
	if (fd < 0)
		return -errno;
	err = read_whole(fd, c);
	close(fd);
	if (!err)
		err = find_head(c);
	if (err)
		taf_ldcache_close(c);
	return err;
}

const char *taf_ldcache_find(const struct taf_ldcache *c, const char *name, uint32_t *at)
{
	while (*at < c->n) {
		size_t entry = c->head + HEAD_BYTES + (size_t)(*at)++ * ENTRY_BYTES;
		uint32_t key = u32_at(c, entry + 4), value = u32_at(c, entry + 8);
		uint64_t hwcap;

		memcpy(&hwcap, c->data + entry + 16, sizeof(hwcap));
		if (u32_at(c, entry) != OWN_FLAGS || hwcap)
			continue;
		/* The NUL behind the file ends any text that begins inside it. */
		if (key >= c->size - c->head || value >= c->size - c->head)
			continue;
		if (!strcmp(c->data + c->head + key, name) && c->data[c->head + value] == '/')
			return c->data + c->head + value;
	}
	return NULL;
}

void taf_ldcache_close(struct taf_ldcache *c)
{
	free(c->data);
	memset(c, 0, sizeof(*c));
}
