/* SPDX-License-Identifier: MIT */
/* sys_linux_memory.h -- sys_linux_memory.c with the places it reads as arguments, for tests. */
#ifndef TAF_SYS_LINUX_MEMORY_H
#define TAF_SYS_LINUX_MEMORY_H

#include "sys_memory.h"

struct taf_memory_roots {
	const char *proc; /* "/proc" */
	const char *cgroup; /* where the unified hierarchy is mounted: "/sys/fs/cgroup" */
};

int taf_linux_memory(const struct taf_memory_roots *roots, struct taf_sys_memory *m);

#endif
