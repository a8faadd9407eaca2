/* SPDX-License-Identifier: MIT */
#include "run_sites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../shim/sites_text.h"
#include "sites.h"
#include "sites_words.h"
#include "tell.h"

static void tell_lost(const char *program, const struct taf_sites *s)
{
	char why[512];

	for (int at = 0; taf_sites_lost(s, &at, why, sizeof(why));)
		taf_tell("%s: %s", program, why);
}

/* A program that cannot be read, or a system without libelf: then it is started as it is,
 * and `taffrail doctor` says what is missing. False: that, or no memory (err). words: NULL, or
 * the engine that a stripped program has by its words. */
static bool scan(const char *program, struct taf_sites *s, enum taf_engine *words, int *err)
{
	struct taf_object o;
	const char *why;

	*err = 0;
	if (taf_libelf_open(&why) || taf_object_open(program, &o))
		return false;
	*err = taf_sites_scan(&o, s);
	if (words)
		*words = *err || s->has_symtab ? TAF_ENGINE_NONE : taf_sites_words(&o);
	taf_object_close(&o);
	if (*err)
		taf_sites_close(s);
	return !*err;
}

bool taf_run_sites_missed(const char *program, char *why, size_t room)
{
	enum taf_engine words = TAF_ENGINE_NONE;
	struct taf_sites s;
	bool is_missed;
	int err;

	if (!scan(program, &s, &words, &err))
		return false;
	is_missed = taf_sites_missed(&s, why, room);
	taf_sites_close(&s);
	if (!is_missed && words != TAF_ENGINE_NONE) {
		snprintf(why, room,
			 "it is stripped, and by its words %s is built into it: nothing of that "
			 "would be seen; a build that keeps its symbols would be",
			 taf_sites_words_name(words));
		return true;
	}
	return is_missed;
}

int taf_run_sites(const char *program, struct taf_vars *vars)
{
	struct taf_sites s;
	char *text = NULL;
	int err;

	if (scan(program, &s, NULL, &err)) {
		tell_lost(program, &s);
		text = taf_sites_text(&s);
		err = !text && s.sites && !s.why ? -ENOMEM : 0;
		taf_sites_close(&s);
	}
	if (err)
		return err;
	if (text)
		err = taf_vars_set(vars, TAF_SITES_VAR, text);
	else
		taf_vars_drop(vars, TAF_SITES_VAR);
	free(text);
	return err;
}
