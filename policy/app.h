/* SPDX-License-Identifier: MIT */
/* app.h -- programs that are known, each with a profile that is built in.
 *
 * The order of what gives a setting its value, the strongest first: --set, TAFFRAIL_SET,
 * a profile of the policy file, the file, the profile of the known program, the default.
 * `recognize: off` leaves the last but one out.  Nobody has to have a policy for it: `run`,
 * a program preloaded by hand, and each child are recognized for themselves.
 */
#ifndef TAF_APP_H
#define TAF_APP_H

#include "rules.h"
#include "start.h"

enum taf_app {
	TAF_APP_NONE,
#define APP(name, word, text) TAF_APP_##name,
#include "apps.def"
	TAF_APP_COUNT
};

/* "" for none. */
const char *taf_app_name(enum taf_app p);
const char *taf_app_text(enum taf_app p);

/* Which one it is. engine is the one that made it active (taf_engine_name); NULL or "":
 * unknown, and rows that ask for one do not fit. */
enum taf_app taf_app_of(const struct taf_start *s, const char *engine);
/* What it would be with that engine, where without one it is none; *engine is that then. */
enum taf_app taf_app_maybe(const struct taf_start *s, const char **engine);

/* The one that it can have, by the name of taf_engine_name; "": unknown, or one of several. */
const char *taf_app_engine(enum taf_app p);

/* Whether it has a value of its own for that row. */
bool taf_app_sets(enum taf_app p, int rule);
/* Gives out its values for the rows whose origin is TAF_FROM_BUILTIN, unless
 * out->recognize is off; their origin is TAF_FROM_APP then. */
void taf_app_give(enum taf_app p, struct taf_rules *out, uint8_t *origin);

#endif
