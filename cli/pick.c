/* SPDX-License-Identifier: MIT */
#include "pick.h"

#include <string.h>

#include "../policy/text.h"
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

int taf_pick_run(const struct taf_trails *trails, const char *verb, const char *name, bool any)
{
	const char *first = NULL;
	char a[64], b[64];

	for (size_t i = 0; i < trails->n; i++) {
		const struct taf_trail *t = &trails->list[i];

		if (!t->run[0] || !taf_starts(t->run, name) ||
		    !(any || taf_trail_is_guest(t) || taf_trail_is_run(t)))
			continue;
		if (first && strcmp(first, t->run) != 0) {
			taf_tell("%s: more than one run begins with \"%s\": %s, %s", verb, name,
				 taf_show_safe(a, sizeof(a), first),
				 taf_show_safe(b, sizeof(b), t->run));
			return TAF_EXIT_USAGE;
		}
		first = t->run;
	}
	if (first)
		return 0;
	taf_tell("%s: no run \"%s\" in %s; see: taffrail report --all", verb, name, trails->dir);
	return TAF_EXIT_USAGE;
}
