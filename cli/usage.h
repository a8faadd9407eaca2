/* SPDX-License-Identifier: MIT */
/* usage.h -- the texts of `taffrail help` and `taffrail VERB --help`.
 *
 * Written to stdout when asked for.  After a mistake one line goes to stderr
 * instead, which names the mistake and where the help is.
 */
#ifndef TAF_USAGE_H
#define TAF_USAGE_H

#include <stdbool.h>

void taf_usage_overview(void);
/* The list of verbs of taffrail.1, as mdoc. */
void taf_usage_man(void);
/* False when there is no such verb. */
bool taf_usage_verb(const char *name);
/* The verb whose name is nearest to name, or that does what name would elsewhere; NULL: none. */
const char *taf_usage_nearest(const char *name);

/* Says what is wrong with the arguments of verb; returns TAF_EXIT_USAGE. */
int taf_usage_wrong(const char *verb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
