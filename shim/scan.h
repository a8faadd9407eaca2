/* SPDX-License-Identifier: MIT */
/* scan.h -- JSON, token by token, from a bounded reader; no tree, no allocation.
 *
 *   for (t = taf_scan_next(s); t > TAF_SCAN_END; t = taf_scan_next(s)) ...
 *
 * A string's first bytes are in s->text, unescaped; the rest is stepped over.
 * A number is in s->text as written and, when it is whole and not negative, in
 * s->number.  The grammar is checked as far as it goes; a flaw is kept in the
 * reader, and every later token is TAF_SCAN_BAD.  Depth is bounded.
 */
#ifndef TAF_SCAN_H
#define TAF_SCAN_H

#include "reader.h"

#define TAF_SCAN_DEPTH 32
#define TAF_SCAN_TEXT 128

enum taf_scan_token {
	TAF_SCAN_BAD = -1,
	TAF_SCAN_END, /* after the one value of the document */
	TAF_SCAN_OBJECT,
	TAF_SCAN_ARRAY,
	TAF_SCAN_CLOSE, /* of either */
	TAF_SCAN_KEY,
	TAF_SCAN_STRING,
	TAF_SCAN_NUMBER,
	TAF_SCAN_TRUE,
	TAF_SCAN_FALSE,
	TAF_SCAN_NULL,
};

struct taf_scan {
	struct taf_reader *r;
	uint64_t end; /* nothing is read at or past this offset */
	int depth;
	uint32_t objects; /* bit d: level d is an object */
	uint8_t state;
	int peeked; /* a byte read ahead, or -1 */
	char text[TAF_SCAN_TEXT];
	size_t text_len;
	bool is_cut; /* text is not all of it */
	bool is_whole; /* number is valid */
	uint64_t number;
};

/* The document lies between r->at and end. */
void taf_scan_init(struct taf_scan *s, struct taf_reader *r, uint64_t end);
enum taf_scan_token taf_scan_next(struct taf_scan *s);
/* Steps over the rest of the value whose first token was t. False on a flaw. */
bool taf_scan_skip(struct taf_scan *s, enum taf_scan_token t);

/* One member of an object: to is whoever asked, t the first token of its value, s at it. */
typedef void taf_scan_take(void *to, const char *key, const struct taf_scan *s,
			   enum taf_scan_token t);
/* Gives each member of the object that the n bytes of text begin with to take. False: it is
 * not whole. */
bool taf_scan_members(const char *text, size_t n, taf_scan_take *take, void *to);

#endif
