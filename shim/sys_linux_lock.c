/* SPDX-License-Identifier: MIT */
/* sys_linux_lock.c -- modes of files, the ends of other processes and the stacks of our
 * own threads, by raw system calls. */
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

#define PROC_ROOM 512

/* What stands in a file of /proc, cut at PROC_ROOM. False: nothing. */
static bool read_proc(const char *folder, int32_t number, const char *leaf, char buf[PROC_ROOM])
{
	char path[64];
	struct taf_text t;
	int64_t got;
	int fd;

	taf_text_init(&t, path, sizeof(path));
	taf_text_put(&t, folder);
	taf_text_i64(&t, number);
	taf_text_put(&t, leaf);
	fd = taf_sys_open_any(path);
	if (fd < 0)
		return false;
	got = taf_sys_read(fd, buf, PROC_ROOM - 1);
	taf_sys_close(fd);
	buf[got > 0 ? got : 0] = '\0';
	return got > 0;
}

char taf_sys_proc_state(int32_t pid)
{
	char buf[PROC_ROOM];
	const char *p;

	if (!read_proc("/proc/", pid, "/stat", buf))
		return 0;
	/* The name before it may hold anything. */
	p = taf_last(buf, ')');
	return p && p[1] == ' ' ? p[2] : 0;
}

/* 0x and hexadecimal digits; 0 when it is none. */
static uintptr_t hex_at(const char *p)
{
	uintptr_t v = 0;

	if (p[0] != '0' || p[1] != 'x')
		return 0;
	for (p += 2; *p > ' '; p++) {
		unsigned c = (unsigned char)*p;

		if (c - '0' < 10)
			v = v << 4 | (c - '0');
		else if (c - 'a' < 6)
			v = v << 4 | (c - 'a' + 10);
		else
			return 0;
	}
	return v;
}

/* The file says "running", or ends with the stack and the instruction pointer:
 * fs/proc/base.c of Linux, proc_pid_syscall. */
uintptr_t taf_sys_stack_of(int32_t tid)
{
	char buf[PROC_ROOM];
	const char *word[2] = { NULL, NULL };

	if (!read_proc("/proc/self/task/", tid, "/syscall", buf))
		return 0;
	for (const char *p = buf; *p; p++) {
		if (*p > ' ' && (p == buf || p[-1] <= ' ')) {
			word[0] = word[1];
			word[1] = p;
		}
	}
	return word[0] ? hex_at(word[0]) : 0;
}
