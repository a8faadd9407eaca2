/* SPDX-License-Identifier: MIT */
/* text.h -- strings without the C library.
 *
 * The shim runs before other libraries' constructors and inside malloc, where
 * even strlen may belong to somebody who is not ready yet (a sanitizer, an
 * allocator).  These functions call nothing.  The builder never overflows: it
 * cuts, remembers that it did, and always leaves room for the closing NUL.
 */
#ifndef TAF_TEXT_H
#define TAF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taf_text {
	char *start;
	size_t used;
	size_t room; /* bytes at start, the closing NUL included */
	bool is_cut;
};

size_t taf_len(const char *s);
bool taf_same(const char *a, const char *b);
bool taf_same_n(const char *a, const char *b, size_t n);
bool taf_starts(const char *s, const char *head);
bool taf_ends(const char *s, const char *tail);
/* A NUL lies within the first room bytes. */
bool taf_is_ended(const char *s, size_t room);
/* The first place of needle in s, or NULL. */
const char *taf_find(const char *s, const char *needle);
/* The last c in s, or NULL. */
const char *taf_last(const char *s, char c);
/* The part after the last '/', or all of it. */
const char *taf_base(const char *path);
/* Copies and cuts; room counts the NUL; returns false when it was cut. */
bool taf_copy(char *to, const char *from, size_t room);
void taf_move(void *to, const void *from, size_t n);
void taf_zero(void *p, size_t n);
bool taf_equal(const void *a, const void *b, size_t n);

/* Shell patterns: '*' any run, '?' any byte. Linear time, no recursion. */
bool taf_glob(const char *pattern, const char *s);

void taf_text_init(struct taf_text *t, char *buf, size_t room);
void taf_text_put(struct taf_text *t, const char *s);
void taf_text_put_n(struct taf_text *t, const char *s, size_t n);
void taf_text_char(struct taf_text *t, char c);
void taf_text_u64(struct taf_text *t, uint64_t v);
void taf_text_i64(struct taf_text *t, int64_t v);
/* v in lower-case hexadecimal, at least digits wide, zero padded. */
void taf_text_hex(struct taf_text *t, uint64_t v, int digits);
/* v in decimal, at least digits wide, zero padded. */
void taf_text_pad(struct taf_text *t, uint64_t v, int digits);
/* s between double quotes, escaped so that no byte of it can end the string,
 * start a line or steer a terminal: see text.c. At most max bytes of s. */
void taf_text_json(struct taf_text *t, const char *s, size_t max);

/* The decimal number at s; stops at the first other byte and says where in *end.
 * False when there is none or it overflows. */
bool taf_read_u64(const char *s, const char **end, uint64_t *v);

/* A duration for people: "250ms", "2.0s", "3m 05s", "2h 10m". */
void taf_text_ms(struct taf_text *t, uint64_t ms);
/* The same of a time that is still to pass, up to what is shown: who comes back then must
 * not come too early. */
void taf_text_left(struct taf_text *t, uint64_t ms);
/* A size for people: "512 B", "1.4 MiB", "24.0 GiB". */
void taf_text_bytes(struct taf_text *t, uint64_t bytes);

#endif
