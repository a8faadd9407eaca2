/* SPDX-License-Identifier: MIT */
#include "proc.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../shim/sys.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

int taf_proc_open(struct taf_proc *p, int32_t pid, uint64_t start)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	*p = (struct taf_proc){ pid, start, fd < 0 ? -1 : (int)fd };
	if (fd < 0)
		return -errno;
	if (start && taf_sys_start_ticks(pid) == start && taf_proc_is_alive(p))
		return 0;
	taf_proc_close(p);
	return -ESRCH;
}

int taf_proc_signal(const struct taf_proc *p, int signo)
{
	if (p->fd < 0)
		return -EBADF;
	return syscall(SYS_pidfd_send_signal, p->fd, signo, NULL, 0) ? -errno : 0;
}

bool taf_proc_wait(const struct taf_proc *p, int ms)
{
	struct pollfd one = { .fd = p->fd, .events = POLLIN };
	int got;

	if (p->fd < 0)
		return true;
	while ((got = poll(&one, 1, ms)) < 0 && errno == EINTR)
		;
	return got > 0;
}

bool taf_proc_is_alive(const struct taf_proc *p)
{
	return p->fd >= 0 && !taf_proc_wait(p, 0);
}

void taf_proc_close(struct taf_proc *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

uint64_t taf_proc_own_bytes(int32_t pid)
{
	static const char *const keys[] = { "RssAnon:", "RssShmem:", "VmSwap:" };
	unsigned long long kib, sum = 0;
	char path[32], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (!strncmp(line, keys[i], strlen(keys[i])) &&
			    sscanf(line + strlen(keys[i]), "%llu", &kib) == 1)
				sum += kib;
	fclose(f);
	return sum * 1024;
}
