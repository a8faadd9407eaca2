/* SPDX-License-Identifier: MIT */
/* sys_linux_code.c -- see sys_code.h. */
#include "sys_code.h"

#include <sys/mman.h>

#include "sys.h"
#include "sys_linux.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* Linux 4.17; before, only a hint */
#endif

void *taf_sys_map_at(void *at, size_t n)
{
	long r = taf_raw(SYS_mmap, TAF_PTR(at), (long)n, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (r < 0 && r > -4096)
		return NULL;
	if (r != TAF_PTR(at)) {
		taf_raw(SYS_munmap, r, (long)n);
		return NULL;
	}
	return at;
}

int taf_sys_protect_code(void *p, size_t n, bool is_writable)
{
	return (int)taf_raw(SYS_mprotect, TAF_PTR(p), (long)n,
			    PROT_READ | (is_writable ? PROT_WRITE : PROT_EXEC));
}

void *taf_sys_map_copy(int fd, size_t n)
{
	long r = taf_raw(SYS_mmap, 0, (long)n, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	return r < 0 && r > -4096 ? NULL : (void *)r;
}

int taf_sys_map_code(void *p, size_t n, int fd, uint64_t from)
{
	long r = taf_raw(SYS_mmap, TAF_PTR(p), (long)n, PROT_READ | PROT_EXEC,
			 MAP_PRIVATE | MAP_FIXED, fd, (long)from);

	return r < 0 && r > -4096 ? (int)r : 0;
}

unsigned taf_sys_threads(void)
{
	int fd = taf_sys_open("/proc/self/task", TAF_O_READ | TAF_O_DIR);
	union {
		char bytes[512];
		struct taf_dirent align;
	} u;
	unsigned threads = 0;
	int64_t n;

	if (fd < 0)
		return 0;
	while ((n = taf_sys_getdents(fd, u.bytes, sizeof(u.bytes))) > 0)
		for (int64_t at = 0; at < n;) {
			const struct taf_dirent *d = (const void *)(u.bytes + at);

			threads += d->name[0] != '.';
			at += d->len;
		}
	taf_sys_close(fd);
	return n < 0 ? 0 : threads;
}
