/* SPDX-License-Identifier: MIT */
/* doctor_profile.h -- which profiles apply to a command, and what its words ask for.
 *
 * The policy is the one that `run` would take, --policy apart; the program is
 * looked at as it will see itself, behind scripts and env.
 */
#ifndef TAF_DOCTOR_PROFILE_H
#define TAF_DOCTOR_PROFILE_H

#include "../shim/model_hint.h"
#include "jsonout.h"
#include "policy_find.h"

struct taf_doctor_profile {
	struct taf_policy policy; /* the file */
	struct taf_policy_found found;
	struct taf_start start;
	struct taf_who who;
	char *joined; /* its words */
	enum taf_app program; /* that is known; where engine is not "", with that engine only */
	const char *engine;
	struct taf_model_hints hints;
};

/* words, closed by NULL, are those of the program. False: no memory. */
bool taf_doctor_profile_find(struct taf_doctor_profile *p, const char *file, const char *program,
			     char *const *words);
void taf_doctor_profile_close(struct taf_doctor_profile *p);

/* Lines "  NAME       text". */
void taf_doctor_profile_print(const struct taf_doctor_profile *p);
/* "policy", "profiles": [{name, built_in, line, engine, sets}...], "asks": {}. */
void taf_doctor_profile_put(struct taf_json *j, const struct taf_doctor_profile *p);

#endif
