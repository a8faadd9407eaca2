/* SPDX-License-Identifier: MIT */
/* value.h -- text to value and back: durations, sizes, percentages, words.
 *
 * Every reader takes the whole string or refuses it: 0, -EINVAL (it is no such
 * value) or -ERANGE (it does not fit the type).  On failure *v is untouched
 * and why (which may be NULL) gets one clause: what is wrong and what to
 * write instead.  Fractions are kept as integers, so nothing here rounds
 * twice, depends on a locale or knows what NaN is.
 *
 * Showers write the shortest text that the reader turns into the same value.
 */
#ifndef TAF_VALUE_H
#define TAF_VALUE_H

#include "text.h"

/* How much of a stranger's value a complaint repeats. */
#define TAF_VALUE_QUOTED 48

/* on off true false yes no 1 0 */
int taf_value_bool(const char *s, bool *v, struct taf_text *why);
/* "250ms" "90s" "1.5m" "2h" "1d"; the unit is never guessed. */
int taf_value_ms(const char *s, uint64_t *v, struct taf_text *why);
/* "8GiB" "512MiB" "1.5GB" "4096B"; binary and decimal units, any case. */
int taf_value_size(const char *s, uint64_t *v, struct taf_text *why);
/* "67%" or "67", whole, 0 to 100 */
int taf_value_pct(const char *s, uint32_t *v, struct taf_text *why);
int taf_value_int(const char *s, int64_t *v, struct taf_text *why);
/* words: "enforce|observe|off|"; *v is the place of s among them. */
int taf_value_word(const char *words, const char *s, uint32_t *v, struct taf_text *why);
/* "TERM,INT" or "none": bit (number - 1) for each. Only signals that ask a
 * program to end: no crash, nothing that cannot be caught. */
int taf_value_signals(const char *s, uint64_t *v, struct taf_text *why);

void taf_value_show_ms(struct taf_text *out, uint64_t ms);
void taf_value_show_size(struct taf_text *out, uint64_t bytes);
void taf_value_show_signals(struct taf_text *out, uint64_t mask);
/* The word at that place, "?" when there is none. */
void taf_value_show_word(struct taf_text *out, const char *words, uint32_t place);
/* "enforce, observe or off": the words from first to last. */
void taf_value_list_words(struct taf_text *out, const char *words, uint32_t first, uint32_t last);

/* Adds s to why unless why is NULL. */
void taf_why(struct taf_text *why, const char *s);
/* Adds s between quotes, escaped and cut to TAF_VALUE_QUOTED bytes. */
void taf_why_quote(struct taf_text *why, const char *s);

#endif
