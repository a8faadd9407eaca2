/* SPDX-License-Identifier: MIT */
#include "run_refused.h"

#include <string.h>

#include "sessions.h"
#include "verbs.h"

#define FRESH_US 3600000000u /* of a refusal that another one need not repeat */
#define LOOK_AT 32u /* sessions of `run`, the newest */

static bool has_text(const struct taf_crumb_line *line, enum taf_key key, const char *wanted)
{
	char text[TAF_PATH_MAX] = "";

	taf_crumb_text(line, key, text, sizeof(text));
	return !strcmp(text, wanted ? wanted : "");
}

/* A start that was refused by rule, and nothing but that: own's program, under its label. */
static bool is_the_same(const struct taf_trail *t, const struct taf_own *own, const char *rule)
{
	struct taf_crumb_line start, refuse, end;

	return t->n_past == 3 && t->past[0].kind == TAF_START && t->past[1].kind == TAF_REFUSE &&
	       t->past[2].kind == TAF_EXIT && taf_past_line(&t->past[0], &start) &&
	       taf_past_line(&t->past[1], &refuse) && taf_past_line(&t->past[2], &end) &&
	       has_text(&start, TAF_KEY_EXE, own->program) &&
	       has_text(&start, TAF_KEY_LABEL, own->label) && has_text(&refuse, TAF_KEY_RULE, rule);
}

static bool is_fresh(const struct taf_trail *t, const struct taf_world *now)
{
	int64_t age_us = (int64_t)now->utc_us - t->files[0].mtime_us;

	return age_us >= 0 && age_us < (int64_t)FRESH_US;
}

/* Where the log cannot be read it is written once more. */
static bool stands_already(const struct taf_own *own, const char *rule)
{
	struct taf_trails trails;
	struct taf_world now;
	uint32_t n = 0;
	bool found = false;

	taf_world_now(&now);
	if (taf_trails_scan(&trails, own->crumbs, &now))
		return false;
	for (size_t i = trails.n; i-- > 0 && !found && n < LOOK_AT;) {
		struct taf_trail *t = &trails.list[i];

		/* What is refused behind that is refused anew. */
		if (taf_trail_is_guest(t))
			break;
		if (!taf_trail_is_run(t) || strcmp(t->boot, now.boot) != 0)
			continue;
		n++;
		if (taf_trail_load(t, trails.dir))
			continue;
		found = is_fresh(t, &now) && is_the_same(t, own, rule);
		taf_trail_unload(t);
	}
	taf_trails_free(&trails);
	return found;
}

void taf_run_refused(const struct taf_own *own, const char *rule, const char *msg)
{
	struct taf_rec r = {
		.kind = TAF_REFUSE, .phase = TAF_MARK, .call = "run", .rule = rule, .msg = msg
	};
	bool is_first = !taf_crumb_is_open();

	if (is_first && stands_already(own, rule))
		return;
	if (!taf_own_open(own))
		return;
	taf_crumb(&r);
	/* Before a restart: how its guest ended is written by closing.c. */
	if (is_first)
		taf_run_refused_end();
}

void taf_run_refused_end(void)
{
	struct taf_rec r = { .kind = TAF_EXIT,
			     .call = "run",
			     .has = TAF_HAS_RC,
			     .rc = TAF_EXIT_HELD,
			     .msg = "the program was not started" };

	taf_crumb(&r);
	taf_crumb_close();
}
