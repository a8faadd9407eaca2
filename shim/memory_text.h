/* SPDX-License-Identifier: MIT */
/* memory_text.h -- what the kernel's texts say about memory, read without trusting them.
 *
 * Pure: the shell reads the files (sys_linux_memory.c, cgroup.c), these read the text,
 * which may be cut anywhere.  False, and *v untouched, when it does not say.
 */
#ifndef TAF_MEMORY_TEXT_H
#define TAF_MEMORY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "Name:   123 kB" in /proc/meminfo and /proc/self/status, in bytes. */
bool taf_meminfo_read(const char *text, const char *name, uint64_t *v);
/* Total and available; where an old kernel has no MemAvailable, what is free and cached. */
bool taf_meminfo_both(const char *text, uint64_t *total, uint64_t *available);
/* The path in /proc/self/cgroup by one hierarchy, without a '/' at its end: "" is the
 * unified one ("0::/a/b"), "memory" one of the first version ("4:cpu,memory:/a/b").
 * path is "" for its root and for what lies outside of this namespace. */
bool taf_cgroup_path(const char *text, const char *hierarchy, char *path, size_t room);
/* Cuts the last part of path off; false when there is none. */
bool taf_cgroup_parent(char *path);
/* "max" is UINT64_MAX. */
bool taf_cgroup_amount(const char *text, uint64_t *v);
/* "key value" in memory.stat. */
bool taf_cgroup_stat(const char *text, const char *key, uint64_t *v);

#endif
