/* SPDX-License-Identifier: MIT */
/* cgroup.h -- the control groups that this process is in, and what they let it take.
 *
 *   taf_cgroup_find(&g, root, text)     text: of /proc/self/cgroup, as far as it was read
 *   do ... taf_cgroup_amount_of(&g, TAF_CGROUP_MAX, &v) ... while (taf_cgroup_up(&g));
 *
 * From our group up to the root of what is mounted here; each may allow less than
 * the one below it.  Where the first version of control groups has a hierarchy
 * for memory, that one counts, for then the unified one has no limits.  root is
 * put before every path: "" for this machine.
 */
#ifndef TAF_CGROUP_H
#define TAF_CGROUP_H

#include "crumb.h"

struct taf_cgroup {
	const char *root, *mount;
	bool is_old; /* of the first version */
	int level; /* how often it went up */
	char path[TAF_PATH_MAX]; /* of the group at hand below mount; "": the topmost */
};

enum taf_cgroup_what {
	TAF_CGROUP_MAX, /* beyond it the kernel kills */
	TAF_CGROUP_HIGH, /* beyond it the kernel slows down to a crawl */
	TAF_CGROUP_USED,
};

/* False when we are in none that could limit memory. */
bool taf_cgroup_find(struct taf_cgroup *g, const char *root, const char *text);
/* False at the root, and where it is too deep to be true. */
bool taf_cgroup_up(struct taf_cgroup *g);
/* Bytes; UINT64_MAX: no limit. False, and *v untouched: the group at hand does not say. */
bool taf_cgroup_amount_of(const struct taf_cgroup *g, enum taf_cgroup_what what, uint64_t *v);
/* Pages of files in the group at hand that are given back when asked for, in bytes; 0: none
 * that are known. buf is for the text that says so, of 2 KiB or more. */
uint64_t taf_cgroup_idle(const struct taf_cgroup *g, char *buf, size_t room);

#endif
