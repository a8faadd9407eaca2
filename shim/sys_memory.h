/* SPDX-License-Identifier: MIT */
/* sys_memory.h -- what the system says about memory: of the machine and of this process.
 *
 * One implementation a system: sys_linux_memory.c, sys_darwin_memory.c.  A few small reads of the
 * kernel, about 100 us; who asks often keeps the answer (memory.c).
 */
#ifndef TAF_SYS_MEMORY_H
#define TAF_SYS_MEMORY_H

#include "sys.h"

/* Bytes; 0: unknown. */
struct taf_sys_memory {
	uint64_t total; /* what this process and all others may take together */
	uint64_t free; /* of that, now */
	uint64_t footprint; /* of this process: resident (macOS: phys_footprint) */
	uint64_t mapped; /* of that, pages of files, which free counts as free */
};

/* 0, or -errno when not even the machine's memory is known. */
int taf_sys_memory(struct taf_sys_memory *m);
/* How many GPU resources a process may have alive at once; 0: the system sets no
 * such limit. macOS: iogpu.rsrc_limit. */
uint64_t taf_sys_gpu_resources(void);

#endif
