/* SPDX-License-Identifier: MIT */
/* share_line.h -- one line of the shared state: what share_state.c and
 * share_events.c are made of. The format stands at the head of share_text.h. */
#ifndef TAF_SHARE_LINE_H
#define TAF_SHARE_LINE_H

#include "crumb_scan.h"
#include "share_text.h"

/* Closes the line that begins at t->start + from with its checksum. */
void taf_line_end(struct taf_text *t, size_t from, enum taf_share_file file);
/* Each puts key, which holds the blank and the '=', and then the value. */
void taf_line_put_moment(struct taf_text *t, const char *key, const struct taf_moment *m);
void taf_line_put_number(struct taf_text *t, const char *key, uint64_t v);
void taf_line_put_text(struct taf_text *t, const char *key, const char *s);

/* Whether the n bytes are a line with the right checksum; *c is then what stands before that. */
bool taf_line_is_whole(const char *line, size_t n, enum taf_share_file file, struct taf_cursor *c);
/* Each steps over what it names; false, and the line is to be given up, when it is not there. */
bool taf_line_eat(struct taf_cursor *c, const char *s);
bool taf_line_number(struct taf_cursor *c, const char *key, uint64_t *v);
bool taf_line_hex(struct taf_cursor *c, uint64_t *v); /* 16 digits */
bool taf_line_moment(struct taf_cursor *c, const char *key, struct taf_moment *m);
bool taf_line_text(struct taf_cursor *c, const char *key, char *buf, size_t room);

#endif
