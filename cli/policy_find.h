/* SPDX-License-Identifier: MIT */
/* policy_find.h -- which policy is in force, and what it says to one program.
 *
 * The first that exists of
 *
 *   --policy FILE, TAFFRAIL_POLICY (absolute),
 *   XDG_CONFIG_HOME/taffrail/policy.json (else ~/.config/taffrail/policy.json),
 *   /etc/taffrail/policy.json, the built-in policy
 *
 * and nothing of the others.  A file that was named and is not there costs a line and
 * the search goes on; one that is there but cannot be read or is no JSON
 * costs a line and the built-in policy takes its place: the program runs.
 *
 * Then, setting by setting: profiles of the file that match the program,
 * TAFFRAIL_SET, --set; and where none of these gives a value, what suits the program
 * if it is a known one (app.h).
 *
 * A registry that models.registry names is looked at as well, so that what is
 * wrong with it is said before a program runs (registry_find.h).
 *
 * A file that was read is also kept compiled, as STATE/policy/<sha256>.bin
 * (policy_blob.h), and from then on the compiled form is taken as long as the
 * text is the same and had no mistakes; so the companion is needed once a change.
 */
#ifndef TAF_POLICY_FIND_H
#define TAF_POLICY_FIND_H

#include <limits.h>

#include "config.h"
#include "../policy/app.h"

struct taf_policy_ask {
	const char *file; /* --policy; NULL: not given */
	const char **sets; /* each --set K=V, in their order */
	size_t n_sets;
	const char *state; /* state directory, absolute; NULL: keep nothing compiled */
	bool is_strict; /* --strict */
	bool always_reads; /* the text, even when it is there compiled */
	struct taf_who who; /* the program; engine may be NULL */
	/* One line a mistake, without newline; NULL: say nothing. */
	taf_tell_fn *tell;
	void *ctx;
};

enum taf_policy_from {
	TAF_POLICY_BUILTIN,
	TAF_POLICY_GIVEN, /* --policy */
	TAF_POLICY_ENV, /* TAFFRAIL_POLICY */
	TAF_POLICY_USER,
	TAF_POLICY_SYSTEM,
};

struct taf_policy_found {
	char path[PATH_MAX]; /* absolute, for TAFFRAIL_POLICY; "": built-in */
	char blob[PATH_MAX]; /* for TAFFRAIL_BLOB; "": there is none */
	char *set; /* for TAFFRAIL_SET: what was there, then --set; malloc'd; NULL: nothing */
	enum taf_policy_from from;
	bool is_read; /* the file at path was understood (perhaps with bad settings) */
	int n_bad; /* mistakes in the file, TAFFRAIL_SET, --set, names that lead nowhere */
	/* --strict, TAFFRAIL_STRICT=1 or "strict": true. With n_bad the program must
	 * not be started then: exit 78. */
	bool is_strict;
	struct taf_rules rules; /* for ask->who, all applied */
	uint8_t origin[TAF_RULE_COUNT];
	enum taf_app program; /* that ask->who is known to be */
};

/* *out is the file alone (policy_blob.h), *found what follows from it.
 * Always fills both; returns 0, or -ENOMEM when found->set could not be made. */
int taf_policy_find(const struct taf_policy_ask *ask, struct taf_policy *out,
		    struct taf_policy_found *found);
/* A line on stderr where the policy in force is another one than that of --policy
 * (asked; NULL: not given), TAFFRAIL_POLICY or the file that was found. */
void taf_policy_tell_instead(const char *asked, const struct taf_policy_found *found);
/* Gives back what found holds. */
void taf_policy_found_free(struct taf_policy_found *found);
/* "--policy", "TAFFRAIL_POLICY", "the user's policy"... */
const char *taf_policy_from_name(enum taf_policy_from from);

#endif
