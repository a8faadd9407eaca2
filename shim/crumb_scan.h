/* SPDX-License-Identifier: MIT */
/* crumb_scan.h -- steps over JSON text in place, for crumb_read.c and crumb_value.c.
 *
 * A cursor never moves past its end; on false it stands somewhere before it
 * and the text is to be given up.  Strings are checked byte by byte: raw
 * control characters and unknown escapes are damage.
 */
#ifndef TAF_CRUMB_SCAN_H
#define TAF_CRUMB_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taf_cursor {
	const char *p, *end;
};

static inline bool taf_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int taf_hex_digit(char c); /* or -1 */
/* Four hexadecimal digits at p. */
bool taf_read_hex4(const char *p, const char *end, uint32_t *v);
/* Steps over a string; the cursor stands on its opening quote. */
bool taf_skip_string(struct taf_cursor *c);
/* The string at the cursor without its escapes, cut to room, always closed by a NUL. */
bool taf_read_string(struct taf_cursor *c, char *buf, size_t room);
/* Steps over any value. Brackets must match and text must be whole; what else
 * stands in an array or object is judged by whoever reads it. */
bool taf_skip_value(struct taf_cursor *c);

#endif
