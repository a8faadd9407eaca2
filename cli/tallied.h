/* SPDX-License-Identifier: MIT */
/* tallied.h -- how often something happened that is written down only now and then
 * (shim/tally.h): from the ring, or from the notes of who left in order. */
#ifndef TAF_TALLIED_H
#define TAF_TALLIED_H

#include "story.h"

/* Whether a record is such a note, which is no event of its own. */
bool taf_tallied_is_note(const struct taf_crumb_line *line);
/* Fills s->tallies from the notes. */
void taf_tallied_find(struct taf_story *s, const struct taf_trail *t);
/* How many more there were of a kind than records of it. rule NULL: of any rule and error. */
uint64_t taf_tallied_more(const struct taf_story *s, const struct taf_trail *t, enum taf_kind kind,
			  const char *rule);
/* The same of one error of one engine. */
uint64_t taf_tallied_more_of(const struct taf_story *s, const struct taf_trail *t,
			     const struct taf_past *p);

#endif
