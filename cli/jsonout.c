/* SPDX-License-Identifier: MIT */
#include "jsonout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/text.h"
#include "show.h"

#define SHORT_ROOM 1024
#define ESCAPE_MAX 6 /* \u00XX for one byte */

void taf_json_init(struct taf_json *j, FILE *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

static void put_quoted(FILE *out, const char *s)
{
	char small[SHORT_ROOM];
	size_t n = strlen(s), room = n * ESCAPE_MAX + 3;
	char *buf = room <= sizeof(small) ? small : malloc(room);
	struct taf_text t;

	if (!buf) {
		fputs("null", out);
		return;
	}
	taf_text_init(&t, buf, room);
	taf_text_json(&t, s, n);
	fputs(buf, out);
	if (buf != small)
		free(buf);
}

static void begin_value(struct taf_json *j, const char *key)
{
	if (j->has_member[j->depth])
		fputc(',', j->out);
	j->has_member[j->depth] = true;
	if (key)
		fprintf(j->out, "\"%s\":", key);
}

void taf_json_open(struct taf_json *j, const char *key, char bracket)
{
	begin_value(j, key);
	fputc(bracket, j->out);
	if (j->depth < TAF_JSON_DEPTH)
		j->depth++;
	j->has_member[j->depth] = false;
	j->closer[j->depth] = bracket == '{' ? '}' : ']';
}

void taf_json_close(struct taf_json *j)
{
	if (!j->depth)
		return;
	fputc(j->closer[j->depth], j->out);
	j->depth--;
}

bool taf_json_end(struct taf_json *j)
{
	while (j->depth)
		taf_json_close(j);
	fputc('\n', j->out);
	return fflush(j->out) == 0 && !ferror(j->out);
}

void taf_json_text(struct taf_json *j, const char *key, const char *s)
{
	begin_value(j, key);
	if (s)
		put_quoted(j->out, s);
	else
		fputs("null", j->out);
}

void taf_json_u64(struct taf_json *j, const char *key, uint64_t v)
{
	begin_value(j, key);
	fprintf(j->out, "%" PRIu64, v);
}

void taf_json_i64(struct taf_json *j, const char *key, int64_t v)
{
	begin_value(j, key);
	fprintf(j->out, "%" PRId64, v);
}

void taf_json_bool(struct taf_json *j, const char *key, bool v)
{
	begin_value(j, key);
	fputs(v ? "true" : "false", j->out);
}

void taf_json_null(struct taf_json *j, const char *key)
{
	begin_value(j, key);
	fputs("null", j->out);
}

void taf_json_ms(struct taf_json *j, const char *key, uint64_t us)
{
	begin_value(j, key);
	fprintf(j->out, "%" PRIu64 ".%03" PRIu64, us / 1000, us % 1000);
}

void taf_json_time(struct taf_json *j, const char *key, uint64_t utc_us)
{
	char t[TAF_TIME_ROOM];

	if (utc_us)
		taf_json_text(j, key, taf_show_time(t, utc_us));
	else
		taf_json_null(j, key);
}
