/* SPDX-License-Identifier: MIT */
/* host_memory.c -- what the kernel lets a program take, and what happens when it is too much. */
#include "host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

#define GIB (1024ull * 1024 * 1024)
#define MAPS_DEFAULT 65530u /* of the kernel */
#define MAPS_MANY 262144u

/* A number of KiB in /proc/meminfo, in bytes; 0: it is not there. */
static uint64_t meminfo(const struct taf_host_look *l, const char *name)
{
	char path[PATH_MAX], line[160];
	size_t n = strlen(name);
	uint64_t kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/meminfo", l->root);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, n) && line[n] == ':') {
			kib = strtoull(line + n + 1, NULL, 10);
			break;
		}
	if (file)
		fclose(file);
	return kib * 1024;
}

/* Amounts that are not there are no amounts of 0. */
static const char *show_known(char *buf, size_t room, uint64_t bytes)
{
	return bytes ? taf_show_bytes(buf, room, bytes) : "an unknown amount";
}

static void look_swap(struct taf_host_look *l)
{
	char text[32];

	if (!l->host.has_swaps)
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "swap",
				 "unknown: %s/proc/swaps cannot be read", l->root);
	else if (l->host.swap)
		taf_findings_add(&l->findings, TAF_SORT_OK, "swap", "%s",
				 taf_show_bytes(text, sizeof(text), l->host.swap));
	else
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "swap",
				 "none: when memory runs short a program is killed at once; set "
				 "memory.headroom, or add swap");
}

static void look_overcommit(struct taf_host_look *l)
{
	char mode[16], ratio[16], limit[32], used[32];

	taf_host_line(l, "/proc/sys/vm/overcommit_memory", mode, sizeof(mode));
	taf_host_line(l, "/proc/sys/vm/overcommit_ratio", ratio, sizeof(ratio));
	if (!strcmp(mode, "2"))
		taf_findings_add(
			&l->findings, TAF_SORT_PROBLEM, "overcommit",
			"vm.overcommit_memory is 2 (ratio %s%%, %s of %s promised): GPU runtimes "
			"reserve far more than they use and are refused; sysctl "
			"vm.overcommit_memory=0",
			*ratio ? ratio : "?",
			show_known(used, sizeof(used), meminfo(l, "Committed_AS")),
			show_known(limit, sizeof(limit), meminfo(l, "CommitLimit")));
	else if (!strcmp(mode, "1"))
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "overcommit",
				 "vm.overcommit_memory is 1: no allocation of host memory fails, "
				 "the kernel kills instead; sysctl vm.overcommit_memory=0 unless "
				 "something here needs it");
	else
		taf_findings_add(&l->findings, *mode ? TAF_SORT_OK : TAF_SORT_NOTE, "overcommit",
				 *mode ? "vm.overcommit_memory is %s"
				       : "unknown: %s/proc/sys/vm/overcommit_memory cannot be read",
				 *mode ? mode : l->root);
}

static void look_maps(struct taf_host_look *l)
{
	char line[32];
	uint64_t n;

	taf_host_line(l, "/proc/sys/vm/max_map_count", line, sizeof(line));
	n = strtoull(line, NULL, 10);
	if (n && n < MAPS_DEFAULT)
		taf_findings_add(&l->findings, TAF_SORT_PROBLEM, "max-map-count",
				 "vm.max_map_count is %" PRIu64 ", below the kernel's %u: a large "
				 "model fails for lack of mappings; sysctl vm.max_map_count=%u",
				 n, MAPS_DEFAULT, MAPS_MANY);
	else if (n)
		taf_findings_add(&l->findings, n < MAPS_MANY ? TAF_SORT_NOTE : TAF_SORT_OK,
				 "max-map-count", "vm.max_map_count is %" PRIu64 "%s", n,
				 n < MAPS_MANY
					 ? ": enough for most; an engine that maps a model in "
					   "many pieces may want sysctl vm.max_map_count=262144"
					 : "");
}

static void look_limit(struct taf_host_look *l)
{
	char limit[32], total[32];
	uint64_t memory = meminfo(l, "MemTotal");

	if (l->host.limit && l->host.limit != TAF_HOST_NO_LIMIT &&
	    (!memory || l->host.limit < memory))
		taf_findings_add(&l->findings,
				 l->host.limit < GIB ? TAF_SORT_PROBLEM : TAF_SORT_NOTE,
				 "memory-limit",
				 "this control group may take %s of %s: a model that needs more "
				 "is killed, not refused; raise MemoryMax= or --memory, or set "
				 "memory.limit to less",
				 taf_show_bytes(limit, sizeof(limit), l->host.limit),
				 show_known(total, sizeof(total), memory));
	else if (memory)
		taf_findings_add(&l->findings, TAF_SORT_OK, "memory-limit",
				 "no control group limits memory; the machine has %s",
				 taf_show_bytes(total, sizeof(total), memory));
	else
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "memory-limit",
				 "no limit of a control group is known; what the machine has is "
				 "unknown: %s/proc/meminfo does not say it",
				 l->root);
}

static void look_huge_pages(struct taf_host_look *l)
{
	char line[64], *word;

	taf_host_line(l, "/sys/kernel/mm/transparent_hugepage/enabled", line, sizeof(line));
	word = strchr(line, '[');
	if (word)
		taf_findings_add(&l->findings, TAF_SORT_OK, "huge-pages", "transparent: %.*s",
				 (int)strcspn(word + 1, "]"), word + 1);
}

void taf_host_wired(struct taf_findings *f, uint64_t wired_mb, uint64_t memory)
{
	char wired[32], total[32];
	uint64_t bytes = wired_mb * 1024 * 1024;

	taf_show_bytes(wired, sizeof(wired), bytes);
	taf_show_bytes(total, sizeof(total), memory);
	if (!wired_mb)
		taf_findings_add(f, TAF_SORT_OK, "wired-limit",
				 "iogpu.wired_limit_mb is the system's default");
	else if (memory && bytes / 85 > memory / 100)
		taf_findings_add(f, TAF_SORT_PROBLEM, "wired-limit",
				 "iogpu.wired_limit_mb lets the GPU wire %s of %s, which leaves "
				 "the system too little; sudo sysctl iogpu.wired_limit_mb=0",
				 wired, total);
	else
		taf_findings_add(f, TAF_SORT_NOTE, "wired-limit",
				 "iogpu.wired_limit_mb lets the GPU wire %s of %s", wired, total);
}

#ifdef __APPLE__
int sysctlbyname(const char *name, void *old, size_t *old_n, void *new, size_t new_n);

static uint64_t sysctl_number(const char *name)
{
	uint64_t v = 0;
	size_t n = sizeof(v);

	return sysctlbyname(name, &v, &n, NULL, 0) ? 0 : v;
}

static void look_gpu_memory(struct taf_host_look *l)
{
	taf_host_wired(&l->findings, sysctl_number("iogpu.wired_limit_mb"),
		       sysctl_number("hw.memsize"));
	taf_findings_add(&l->findings, TAF_SORT_OK, "gpu-resources", "iogpu.rsrc_limit is %" PRIu64,
			 sysctl_number("iogpu.rsrc_limit"));
	if (sysctl_number("iogpu.disable_wired_collector"))
		taf_findings_add(&l->findings, TAF_SORT_NOTE, "wired-collector",
				 "iogpu.disable_wired_collector is set: what is wired stays so");
}
#else
static void look_gpu_memory(struct taf_host_look *l)
{
	(void)l;
}
#endif

void taf_host_memory(struct taf_host_look *l)
{
	look_swap(l);
	look_overcommit(l);
	look_maps(l);
	look_limit(l);
	look_huge_pages(l);
	look_gpu_memory(l);
}
