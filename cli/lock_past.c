/* SPDX-License-Identifier: MIT */
#include "lock_past.h"

#include <string.h>

#include "../policy/stamp.h"

#define LOOK_AT 64u /* sessions, the newest */

static void take(struct taf_lock_past *p, struct taf_trail *t, const char *dir,
		 const struct taf_world *now)
{
	struct taf_lock_wait l;

	if (taf_trail_load(t, dir))
		return;
	if (taf_lock_wait_read(t, now, &l) && now->utc_us - l.utc_us < TAF_DAY_MS * 1000ull)
		p->of[p->n++] = l;
	taf_trail_unload(t);
}

void taf_lock_past_find(struct taf_lock_past *p, const char *crumbs, bool is_run)
{
	struct taf_trails trails;
	struct taf_world now;

	p->n = 0;
	taf_world_now(&now);
	if (taf_trails_scan(&trails, crumbs, &now))
		return;
	for (size_t i = trails.n, n = 0; i > 0 && n < LOOK_AT && p->n < TAF_LOCK_PAST_MAX; i--, n++)
		if (!is_run || taf_trail_is_run(&trails.list[i - 1]))
			take(p, &trails.list[i - 1], trails.dir, &now);
	taf_trails_free(&trails);
}

const struct taf_lock_wait *taf_lock_past_of(const struct taf_lock_past *p, int32_t pid,
					     const char *run)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->of[i].fate == TAF_LOCK_WAITS && p->of[i].pid == pid &&
		    !strcmp(p->of[i].run, run))
			return &p->of[i];
	return NULL;
}
