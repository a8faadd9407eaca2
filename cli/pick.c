/* SPDX-License-Identifier: MIT */
#include "pick.h"

#include "show.h"
#include "tell.h"
#include "verbs.h"

static bool is_match(const struct taf_trail *t, const char *name)
{
	return taf_trail_is_guest(t) && taf_trail_is_named(t, name);
}

int taf_pick_session(struct taf_trails *trails, const char *verb, const char *name,
		     struct taf_trail **picked)
{
	char t[TAF_TIME_ROOM];
	size_t n = 0;

	for (size_t i = 0; i < trails->n; i++)
		if (is_match(&trails->list[i], name)) {
			*picked = &trails->list[i];
			n++;
		}
	if (n == 1)
		return 0;
	if (!n) {
		taf_tell("%s: no session \"%s\" in %s; see: taffrail report --all", verb, name,
			 trails->dir);
		return TAF_EXIT_USAGE;
	}
	taf_tell("%s: %zu sessions match \"%s\"; say which, the newest is the last:", verb, n,
		 name);
	for (size_t i = 0; i < trails->n; i++)
		if (is_match(&trails->list[i], name))
			taf_tell("  --session %s    of %s", trails->list[i].id,
				 taf_show_time(t, trails->list[i].first_us));
	return TAF_EXIT_USAGE;
}
