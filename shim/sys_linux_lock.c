/* SPDX-License-Identifier: MIT */
/* sys_linux_lock.c -- modes of files and the ends of other processes, by raw system calls. */
#include "sys_linux.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "../policy/text.h"
#include "sys_lock.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434 /* the same on every architecture */
#endif

int taf_sys_fchmod(int fd, uint32_t mode)
{
	return (int)taf_raw(SYS_fchmod, fd, (long)mode);
}

int taf_sys_pidfd(int32_t pid)
{
	return (int)taf_raw(SYS_pidfd_open, pid, 0);
}

int taf_sys_await(int fd, uint32_t ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	long r = taf_raw(SYS_ppoll, TAF_PTR(&p), 1, TAF_PTR(&t), 0, 0);

	return r == -EINTR ? 0 : r > 0 ? 1 : (int)r;
}

char taf_sys_proc_state(int32_t pid)
{
	char path[40], buf[512];
	struct taf_text t;
	const char *p;
	int64_t got;
	int fd;

	taf_text_init(&t, path, sizeof(path));
	taf_text_put(&t, "/proc/");
	taf_text_i64(&t, pid);
	taf_text_put(&t, "/stat");
	fd = taf_sys_open_any(path);
	if (fd < 0)
		return 0;
	got = taf_sys_read(fd, buf, sizeof(buf) - 1);
	taf_sys_close(fd);
	buf[got > 0 ? got : 0] = '\0';
	/* The name before it may hold anything. */
	p = taf_last(buf, ')');
	return p && p[1] == ' ' ? p[2] : 0;
}
