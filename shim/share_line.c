/* SPDX-License-Identifier: MIT */
#include "share_line.h"

#include "crumb.h"
#include "crumb_read.h"
#include "rec.h"

#define CRC_LEN 13 /* " crc=89abcdef" */
#define LINE_MAX 4096u
#define UTC_MAX_MS 253402300799999ull /* the last moment of the year 9999 */

static const char heads[][20] = { "taffrail state ", "taffrail events ", "taffrail saved " };

void taf_share_put_head(struct taf_text *t, enum taf_share_file file)
{
	taf_text_put(t, heads[file]);
	taf_text_u64(t, TAF_SHARE_VERSION);
	taf_text_char(t, '\n');
}

static uint32_t seed_of(enum taf_share_file file)
{
	return taf_crc32c(0, heads[file], taf_len(heads[file]));
}

void taf_line_end(struct taf_text *t, size_t from, enum taf_share_file file)
{
	uint32_t crc = taf_crc32c(seed_of(file), t->start + from, t->used - from);

	taf_text_put(t, " crc=");
	taf_text_hex(t, crc, 8);
	taf_text_char(t, '\n');
}

void taf_line_put_moment(struct taf_text *t, const char *key, const struct taf_moment *m)
{
	taf_text_put(t, key);
	if (!taf_moment_is_set(m)) {
		taf_text_char(t, '-');
		return;
	}
	taf_rec_put_time(t, (m->utc_ms < UTC_MAX_MS ? m->utc_ms : UTC_MAX_MS) * 1000);
	taf_text_char(t, '/');
	taf_text_hex(t, m->boot, 16);
	taf_text_char(t, '+');
	taf_text_u64(t, m->boot_ms);
}

void taf_line_put_number(struct taf_text *t, const char *key, uint64_t v)
{
	taf_text_put(t, key);
	taf_text_u64(t, v);
}

void taf_line_put_text(struct taf_text *t, const char *key, const char *s)
{
	taf_text_put(t, key);
	taf_text_json(t, s, TAF_LEDGER_ID);
}

bool taf_line_eat(struct taf_cursor *c, const char *s)
{
	size_t n = taf_len(s);

	if ((size_t)(c->end - c->p) < n || !taf_equal(c->p, s, n))
		return false;
	c->p += n;
	return true;
}

bool taf_line_number(struct taf_cursor *c, const char *key, uint64_t *v)
{
	const char *from;
	uint64_t n = 0;

	if (!taf_line_eat(c, key))
		return false;
	for (from = c->p; c->p < c->end && taf_is_digit(*c->p); c->p++) {
		unsigned d = (unsigned)(*c->p - '0');

		if (n > (UINT64_MAX - d) / 10)
			return false;
		n = n * 10 + d;
	}
	*v = n;
	return c->p > from;
}

bool taf_line_hex(struct taf_cursor *c, uint64_t *v)
{
	uint64_t n = 0;

	if (c->end - c->p < 16)
		return false;
	for (int i = 0; i < 16; i++) {
		int d = taf_hex_digit(*c->p++);

		if (d < 0)
			return false;
		n = n << 4 | (unsigned)d;
	}
	*v = n;
	return true;
}

bool taf_line_moment(struct taf_cursor *c, const char *key, struct taf_moment *m)
{
	const char *slash;
	uint64_t us;

	*m = (struct taf_moment){ 0 };
	if (!taf_line_eat(c, key))
		return false;
	if (taf_line_eat(c, "-"))
		return true;
	for (slash = c->p; slash < c->end && *slash != '/'; slash++)
		;
	if (slash == c->end || !taf_rfc3339_us(c->p, (size_t)(slash - c->p), &us))
		return false;
	m->utc_ms = us / 1000;
	c->p = slash + 1;
	return taf_line_hex(c, &m->boot) && taf_line_number(c, "+", &m->boot_ms);
}

bool taf_line_text(struct taf_cursor *c, const char *key, char *buf, size_t room)
{
	return taf_line_eat(c, key) && taf_read_string(c, buf, room);
}

/* The line without its checksum goes to *c, when that is right. */
bool taf_line_is_whole(const char *line, size_t n, enum taf_share_file file, struct taf_cursor *c)
{
	uint32_t crc = 0;

	if (n <= CRC_LEN || n > LINE_MAX || !taf_equal(line + n - CRC_LEN, " crc=", 5))
		return false;
	for (size_t i = n - 8; i < n; i++) {
		int d = taf_hex_digit(line[i]);

		if (d < 0)
			return false;
		crc = crc << 4 | (unsigned)d;
	}
	*c = (struct taf_cursor){ line, line + n - CRC_LEN };
	return taf_crc32c(seed_of(file), line, n - CRC_LEN) == crc;
}

bool taf_share_is_head(const char *text, size_t n, enum taf_share_file file,
		       struct taf_share_flaw *flaw)
{
	struct taf_cursor c = { text, text + n };
	uint64_t version;

	if (!taf_line_number(&c, heads[file], &version) || c.p == c.end || *c.p != '\n')
		return false;
	flaw->is_newer = version > TAF_SHARE_VERSION;
	return version == TAF_SHARE_VERSION;
}
