/* SPDX-License-Identifier: MIT */
/* sys_linux_memory.c -- memory of the machine and of the control groups we are in.
 *
 * The machine: MemTotal and MemAvailable.  Each control group from ours up to
 * the root of the unified hierarchy may allow less: memory.max kills beyond
 * it, memory.high slows down to a crawl, so the lower of both is what there
 * is.  What a group holds as inactive file pages is given back when asked for.
 */
#include "sys_linux_memory.h"

#include <errno.h>

#include "../policy/text.h"
#include "memory_text.h"

#define TEXT_ROOM 2048 /* what is looked for stands in the first 1.2 KiB of each file */
#define PATH_ROOM 1024
#define GROUPS_MAX 32 /* deeper ones are not looked at */

/* One buffer for all: it lies on the stack of a stranger's thread. */
struct look {
	const struct taf_memory_roots *roots;
	char group[PATH_ROOM]; /* path of the control group at hand */
	char text[TEXT_ROOM]; /* of the file read last */
};

/* The first bytes of the file folder + path + leaf, closed by a NUL. */
static bool read_text(struct look *l, const char *folder, const char *path, const char *leaf)
{
	char name[PATH_ROOM + 256];
	struct taf_text t;
	int64_t got;
	int fd;

	taf_text_init(&t, name, sizeof(name));
	taf_text_put(&t, folder);
	taf_text_put(&t, path);
	taf_text_put(&t, leaf);
	l->text[0] = '\0';
	fd = t.is_cut ? -ENAMETOOLONG : taf_sys_open_any(name);
	if (fd < 0)
		return false;
	got = taf_sys_read(fd, l->text, TEXT_ROOM - 1);
	taf_sys_close(fd);
	l->text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

static uint64_t group_amount(struct look *l, const char *leaf, uint64_t unknown)
{
	uint64_t v;

	if (!read_text(l, l->roots->cgroup, l->group, leaf) || !taf_cgroup_amount(l->text, &v))
		return unknown;
	return v;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Narrows m to what the group at hand allows. */
static void apply_group(struct look *l, struct taf_sys_memory *m)
{
	uint64_t max = group_amount(l, "/memory.max", UINT64_MAX), used, idle = 0;
	uint64_t high = group_amount(l, "/memory.high", UINT64_MAX);
	uint64_t limit = max < high ? max : high;

	if (limit == UINT64_MAX)
		return;
	used = group_amount(l, "/memory.current", 0);
	if (read_text(l, l->roots->cgroup, l->group, "/memory.stat"))
		taf_cgroup_stat(l->text, "inactive_file", &idle);
	used = less(used, idle);
	if (limit < m->total)
		m->total = limit;
	if (less(limit, used) < m->free)
		m->free = less(limit, used);
}

static void apply_groups(struct look *l, struct taf_sys_memory *m)
{
	if (!read_text(l, l->roots->proc, "/self/cgroup", "") ||
	    !taf_cgroup_path(l->text, l->group, sizeof(l->group)))
		return;
	for (int i = 0; i < GROUPS_MAX; i++) {
		apply_group(l, m);
		if (!taf_cgroup_parent(l->group))
			return;
	}
}

static void read_self(struct look *l, struct taf_sys_memory *m)
{
	if (!read_text(l, l->roots->proc, "/self/status", ""))
		return;
	taf_meminfo_read(l->text, "VmRSS", &m->footprint);
	taf_meminfo_read(l->text, "RssFile", &m->mapped);
	if (m->mapped > m->footprint)
		m->mapped = m->footprint;
}

int taf_linux_memory(const struct taf_memory_roots *roots, struct taf_sys_memory *m)
{
	struct look l = { .roots = roots };

	*m = (struct taf_sys_memory){ .total = 0 };
	read_self(&l, m);
	if (!read_text(&l, roots->proc, "/meminfo", "") ||
	    !taf_meminfo_both(l.text, &m->total, &m->free))
		return -EBADMSG;
	apply_groups(&l, m);
	return 0;
}

int taf_sys_memory(struct taf_sys_memory *m)
{
	/* Beside the first version of control groups the unified one lies a folder deeper. */
	static const char *const unified = "/sys/fs/cgroup/unified";
	struct taf_stat st;
	struct taf_memory_roots roots = { "/proc",
					  taf_sys_stat(unified, &st) ? "/sys/fs/cgroup" : unified };

	return taf_linux_memory(&roots, m);
}
