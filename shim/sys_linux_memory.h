/* SPDX-License-Identifier: MIT */
/* sys_linux_memory.h -- sys_linux_memory.c with the place it reads as argument, for tests. */
#ifndef TAF_SYS_LINUX_MEMORY_H
#define TAF_SYS_LINUX_MEMORY_H

#include "sys_memory.h"

/* root is put before every path: "" for this machine. */
int taf_linux_memory(const char *root, struct taf_sys_memory *m);

#endif
