/* SPDX-License-Identifier: MIT */
/* sys_darwin_memory.c -- sys_memory.h on macOS, where the GPU's memory is the machine's.
 *
 * Mach and sysctl, declared here by hand so that no SDK is needed.  Layouts:
 * task_info(TASK_VM_INFO), flavour 22, has phys_footprint at byte 144; the
 * counts of host_statistics64(HOST_VM_INFO64), flavour 4, grew from 38 words to
 * 104 and only the first are read, so a reply of more or of fewer words is taken
 * for what it has (tmog-feedback#193).  phys_footprint is what the kernel ends
 * processes by, and what predicted watchdog panics (omlx#978, MTPLX#456).
 *
 * Never run on a Mac: tests/unit/test_darwin_memory.c puts a made-up kernel under it. */
#if defined(__APPLE__) || defined(TAF_MADE_UP_MAC)

#include "sys_memory.h"

#include <errno.h>

#include "../policy/text.h"

#define TASK_VM_INFO 22
#define TASK_WORDS 93 /* as many as any release fills, and room for all */
#define FOOTPRINT_AT 144
#define HOST_VM_INFO64 4
#define HOST_WORDS 128
#define FREE_WORD 0 /* pages that nobody has */
#define INACTIVE_WORD 2 /* pages that are given back when asked for */
#define LEAST_HOST_WORDS 3

typedef uint32_t mach_port;

extern mach_port mach_task_self_;
mach_port mach_host_self(void);
int task_info(mach_port task, uint32_t flavour, uint32_t *out, uint32_t *words);
int host_statistics64(mach_port host, int flavour, uint32_t *out, uint32_t *words);
int sysctlbyname(const char *name, void *old, size_t *old_n, void *new, size_t new_n);

/* A number by name, of 4 or of 8 bytes; 0 where there is none. */
static uint64_t number(const char *name)
{
	uint64_t wide = 0;
	uint32_t narrow;
	size_t n = sizeof(wide);

	if (sysctlbyname(name, &wide, &n, NULL, 0))
		return 0;
	if (n == sizeof(wide))
		return wide;
	taf_move(&narrow, &wide, sizeof(narrow));
	return n == sizeof(narrow) ? narrow : 0;
}

static uint64_t footprint(void)
{
	uint32_t out[TASK_WORDS] = { 0 }, words = TASK_WORDS;
	uint64_t bytes = 0;

	if (task_info(mach_task_self_, TASK_VM_INFO, out, &words) ||
	    words * sizeof(*out) < FOOTPRINT_AT + sizeof(bytes))
		return 0;
	taf_move(&bytes, (const unsigned char *)out + FOOTPRINT_AT, sizeof(bytes));
	return bytes;
}

static uint64_t free_bytes(void)
{
	uint32_t out[HOST_WORDS] = { 0 }, words = HOST_WORDS;
	uint64_t page = number("hw.pagesize");

	if (host_statistics64(mach_host_self(), HOST_VM_INFO64, out, &words) ||
	    words < LEAST_HOST_WORDS)
		return 0;
	return ((uint64_t)out[FREE_WORD] + out[INACTIVE_WORD]) * page;
}

int taf_sys_memory(struct taf_sys_memory *m)
{
	*m = (struct taf_sys_memory){ .total = number("hw.memsize") };
	m->free = free_bytes();
	m->footprint = footprint();
	return m->total && m->free ? 0 : -EBADMSG;
}

/* 499000 where the kernel does not say: MLX takes that for its own limit (device_info.cpp). */
uint64_t taf_sys_gpu_resources(void)
{
	uint64_t most = number("iogpu.rsrc_limit");

	return most ? most : 499000;
}

#else
typedef int taf_no_mac; /* C has no empty files */
#endif
