/* SPDX-License-Identifier: MIT */
/* jsonout.h -- writes JSON for programs: one document, keys in the order of the calls.
 *
 *   struct taf_json j;
 *   taf_json_init(&j, stdout);
 *   taf_json_open(&j, NULL, '{');
 *   taf_json_text(&j, "exe", path);
 *   taf_json_close(&j);            and once more for each open
 *   taf_json_end(&j);              newline; false when the stream failed
 *
 * key is NULL inside an array.  Keys are our own words and written as they
 * are; text goes through taf_text_json, so nothing in it can leave its string
 * or steer a terminal.  Nesting is at most TAF_JSON_DEPTH.
 */
#ifndef TAF_JSONOUT_H
#define TAF_JSONOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TAF_JSON_DEPTH 16

struct taf_json {
	FILE *out;
	unsigned depth;
	bool has_member[TAF_JSON_DEPTH + 1];
	char closer[TAF_JSON_DEPTH + 1];
};

void taf_json_init(struct taf_json *j, FILE *out);
void taf_json_open(struct taf_json *j, const char *key, char bracket); /* '{' or '[' */
void taf_json_close(struct taf_json *j);
bool taf_json_end(struct taf_json *j);

void taf_json_text(struct taf_json *j, const char *key, const char *s); /* NULL: null */
void taf_json_u64(struct taf_json *j, const char *key, uint64_t v);
void taf_json_i64(struct taf_json *j, const char *key, int64_t v);
void taf_json_bool(struct taf_json *j, const char *key, bool v);
void taf_json_null(struct taf_json *j, const char *key);
/* Microseconds as milliseconds with three decimals. */
void taf_json_ms(struct taf_json *j, const char *key, uint64_t us);
/* Microseconds since 1970 as RFC 3339 in UTC; 0: null. */
void taf_json_time(struct taf_json *j, const char *key, uint64_t utc_us);

#endif
