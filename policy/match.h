/* SPDX-License-Identifier: MIT */
/* match.h -- whether a text holds certain words: the patterns of the tables of errors.
 *
 * A rule is tokens joined by '&' (each occurs somewhere) or by '>' (they occur
 * in that order and do not overlap; the first place of each is taken).  The
 * text is compared in lower case, and in a token stands
 *
 *	~    for one space or underscore
 *	\s   for one or more characters of white space, \s* for any number
 *	#    for one or more digits
 *	@    for the same, and the caller gets the number
 *
 * and everything else for itself.  A token begins with a character that stands
 * for itself, and no two runs of white space or of digits follow each other; so no
 * place of the text is looked at more often than the token is long.
 */
#ifndef TAF_MATCH_H
#define TAF_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text that many rules are held against: with the pairs of neighbours that are in it, so that
 * most rules are turned away without a search. */
struct taf_matched {
	const char *text;
	size_t n;
	uint64_t pairs[16];
};

void taf_match_prepare(struct taf_matched *m, const char *text, size_t n);
bool taf_match_in(const char *rule, const struct taf_matched *m, uint64_t *number);
/* Whether the n bytes at text, whatever they are, fulfil rule. The number of '@',
 * where there was one, goes to *number, which may be NULL. */
bool taf_match(const char *rule, const char *text, size_t n, uint64_t *number);
/* Whether rule is made as said above: for tests of the tables. */
bool taf_match_is_sound(const char *rule);

#endif
