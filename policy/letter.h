/* SPDX-License-Identifier: MIT */
/* letter.h -- what kind of byte one is, in ASCII and whatever the locale.
 *
 * Bytes beyond ASCII are none of these, and stay as they are.
 */
#ifndef TAF_LETTER_H
#define TAF_LETTER_H

#include <stdbool.h>

static inline char taf_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool taf_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool taf_is_letter(char c)
{
	return taf_lower(c) >= 'a' && taf_lower(c) <= 'z';
}

static inline bool taf_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
