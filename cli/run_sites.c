/* SPDX-License-Identifier: MIT */
#include "run_sites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../shim/sites_text.h"
#include "sites.h"
#include "tell.h"

static void tell_lost(const char *program, const struct taf_sites *s)
{
	char why[512];

	for (int at = 0; taf_sites_lost(s, &at, why, sizeof(why));)
		taf_tell("%s: %s", program, why);
}

/* A program that cannot be read, or a system without libelf: then it is started as it is,
 * and `taffrail doctor` says what is missing. False: that, or no memory (err). */
static bool scan(const char *program, struct taf_sites *s, int *err)
{
	struct taf_object o;
	const char *why;

	*err = 0;
	if (taf_libelf_open(&why) || taf_object_open(program, &o))
		return false;
	*err = taf_sites_scan(&o, s);
	taf_object_close(&o);
	if (*err)
		taf_sites_close(s);
	return !*err;
}

int taf_run_sites(const char *program, struct taf_vars *vars)
{
	struct taf_sites s;
	char *text = NULL;
	int err;

	if (scan(program, &s, &err)) {
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
