/* SPDX-License-Identifier: MIT */
/* sys_linux_memory.c -- memory of the machine and of the control groups we are in.
 *
 * The machine: MemTotal and MemAvailable.  Each control group from ours upwards
 * may allow less: the lower of its limits is what there is.  What a group holds
 * as inactive file pages is given back when asked for.
 */
#include "sys_linux_memory.h"

#include <errno.h>

#include "../policy/text.h"
#include "cgroup.h"
#include "memory_text.h"
#include "scratch.h"
#include "sys_file.h"

#define TEXT_ROOM 3072 /* what is looked for stands in the first 2 KiB of each file */

struct look {
	const char *root;
	struct taf_cgroup group;
	char text[TEXT_ROOM]; /* of the file read last */
};

static bool read_text(struct look *l, const char *path)
{
	char name[256];
	struct taf_text t;

	taf_text_init(&t, name, sizeof(name));
	taf_text_put(&t, l->root);
	taf_text_put(&t, path);
	return !t.is_cut && taf_sys_text(name, l->text, TEXT_ROOM) > 0;
}

static uint64_t group_amount(const struct look *l, enum taf_cgroup_what what, uint64_t unknown)
{
	taf_cgroup_amount_of(&l->group, what, &unknown);
	return unknown;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Narrows m to what the group at hand allows. */
static void apply_group(struct look *l, struct taf_sys_memory *m)
{
	uint64_t max = group_amount(l, TAF_CGROUP_MAX, UINT64_MAX), used;
	uint64_t high = group_amount(l, TAF_CGROUP_HIGH, UINT64_MAX);
	uint64_t limit = max < high ? max : high;

	if (limit == UINT64_MAX)
		return;
	used = less(group_amount(l, TAF_CGROUP_USED, 0),
		    taf_cgroup_idle(&l->group, l->text, TEXT_ROOM));
	if (limit < m->total)
		m->total = limit;
	if (less(limit, used) < m->free)
		m->free = less(limit, used);
}

static void apply_groups(struct look *l, struct taf_sys_memory *m)
{
	if (!read_text(l, "/proc/self/cgroup") || !taf_cgroup_find(&l->group, l->root, l->text))
		return;
	do {
		apply_group(l, m);
	} while (taf_cgroup_up(&l->group));
}

static void read_self(struct look *l, struct taf_sys_memory *m)
{
	if (!read_text(l, "/proc/self/status"))
		return;
	taf_meminfo_read(l->text, "VmRSS", &m->footprint);
	taf_meminfo_read(l->text, "RssFile", &m->mapped);
	if (m->mapped > m->footprint)
		m->mapped = m->footprint;
}

int taf_linux_memory(const char *root, struct taf_sys_memory *m)
{
	struct look *l = taf_scratch_take(sizeof(*l));
	int err = 0;

	*m = (struct taf_sys_memory){ .total = 0 };
	if (!l)
		return -ENOMEM;
	l->root = root;
	read_self(l, m);
	if (read_text(l, "/proc/meminfo") && taf_meminfo_both(l->text, &m->total, &m->free))
		apply_groups(l, m);
	else
		err = -EBADMSG;
	taf_scratch_give(l);
	return err;
}

int taf_sys_memory(struct taf_sys_memory *m)
{
	return taf_linux_memory("", m);
}

uint64_t taf_sys_gpu_resources(void)
{
	return 0;
}
