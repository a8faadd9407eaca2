/* SPDX-License-Identifier: MIT */
/* crumb_value.c -- the accessors of crumb_read.h: what stands under a key. */
#include "../policy/text.h"
#include "crumb_read.h"
#include "crumb_scan.h"

bool taf_crumb_has(const struct taf_crumb_line *line, enum taf_key key)
{
	return line->key[key].n != 0;
}

static struct taf_cursor value_of(const struct taf_crumb_line *line, enum taf_key key)
{
	const char *p = line->key[key].n ? line->text + line->key[key].at : "";

	return (struct taf_cursor){ p, p + line->key[key].n };
}

/* A run of digits that ends where the cursor ends or at another byte. */
static bool read_digits(struct taf_cursor *c, uint64_t *v)
{
	const char *from = c->p;
	uint64_t n = 0;

	for (; c->p < c->end && taf_is_digit(*c->p); c->p++) {
		unsigned d = (unsigned)(*c->p - '0');

		if (n > (UINT64_MAX - d) / 10)
			return false;
		n = n * 10 + d;
	}
	*v = n;
	return c->p > from;
}

bool taf_crumb_u64(const struct taf_crumb_line *line, enum taf_key key, uint64_t *v)
{
	struct taf_cursor c = value_of(line, key);

	if (read_digits(&c, v) && c.p == c.end)
		return true;
	*v = 0;
	return false;
}

bool taf_crumb_i64(const struct taf_crumb_line *line, enum taf_key key, int64_t *v)
{
	struct taf_cursor c = value_of(line, key);
	bool is_negative = c.p < c.end && *c.p == '-';
	uint64_t u;

	*v = 0;
	c.p += is_negative;
	if (!read_digits(&c, &u) || c.p != c.end || u > (uint64_t)INT64_MAX + is_negative)
		return false;
	*v = is_negative ? (int64_t)(0 - u) : (int64_t)u;
	return true;
}

bool taf_crumb_us(const struct taf_crumb_line *line, enum taf_key key, uint64_t *us)
{
	struct taf_cursor c = value_of(line, key);
	uint64_t whole, part = 0;

	*us = 0;
	if (!read_digits(&c, &whole) || whole > UINT64_MAX / 1000 - 1)
		return false;
	if (c.p < c.end && *c.p == '.') {
		uint64_t unit = 100;

		for (c.p++; c.p < c.end && taf_is_digit(*c.p); c.p++, unit /= 10)
			part += unit * (uint64_t)(*c.p - '0');
	}
	if (c.p != c.end)
		return false;
	*us = whole * 1000 + part;
	return true;
}

static void put_utf8(struct taf_text *out, uint32_t u)
{
	char b[4];
	size_t n;

	if (!u || (u >= 0xd800 && u < 0xe000) || u > 0x10ffff)
		u = 0xfffd;
	if (u < 0x80) {
		b[0] = (char)u;
		n = 1;
	} else if (u < 0x800) {
		b[0] = (char)(0xc0 | u >> 6);
		b[1] = (char)(0x80 | (u & 0x3f));
		n = 2;
	} else if (u < 0x10000) {
		b[0] = (char)(0xe0 | u >> 12);
		b[1] = (char)(0x80 | (u >> 6 & 0x3f));
		b[2] = (char)(0x80 | (u & 0x3f));
		n = 3;
	} else {
		b[0] = (char)(0xf0 | u >> 18);
		b[1] = (char)(0x80 | (u >> 12 & 0x3f));
		b[2] = (char)(0x80 | (u >> 6 & 0x3f));
		b[3] = (char)(0x80 | (u & 0x3f));
		n = 4;
	}
	if (out->used + n < out->room)
		taf_text_put_n(out, b, n);
	else
		out->is_cut = true;
}

/* The four digits of \u at the cursor, which stands behind the u; joins a surrogate pair. */
static uint32_t read_escape(struct taf_cursor *c)
{
	uint32_t u, low;

	if (!taf_read_hex4(c->p, c->end, &u))
		return 0xfffd;
	c->p += 4;
	if (u < 0xd800 || u >= 0xdc00 || c->end - c->p < 6 || c->p[0] != '\\' || c->p[1] != 'u')
		return u;
	if (!taf_read_hex4(c->p + 2, c->end, &low) || low < 0xdc00 || low >= 0xe000)
		return u;
	c->p += 6;
	return 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
}

bool taf_read_string(struct taf_cursor *c, char *buf, size_t room)
{
	struct taf_cursor whole = *c;
	struct taf_text out;

	taf_text_init(&out, buf, room);
	if (!taf_skip_string(&whole))
		return false;
	for (c->p++; c->p < whole.p - 1 && !out.is_cut;) {
		char b = *c->p++;

		if (b != '\\') {
			taf_text_char(&out, b);
			continue;
		}
		b = *c->p++;
		if (b == 'u')
			put_utf8(&out, read_escape(c));
		else
			taf_text_char(&out, b == 'b'   ? '\b'
					    : b == 'f' ? '\f'
					    : b == 'n' ? '\n'
					    : b == 'r' ? '\r'
					    : b == 't' ? '\t'
						       : b);
	}
	c->p = whole.p;
	return true;
}

bool taf_crumb_text(const struct taf_crumb_line *line, enum taf_key key, char *buf, size_t room)
{
	struct taf_cursor c = value_of(line, key);

	if (room)
		buf[0] = '\0';
	return c.p < c.end && taf_read_string(&c, buf, room);
}

/* Leaves the cursor on element i of the array it stands on. */
static bool seek_item(struct taf_cursor *c, unsigned i)
{
	if (c->p == c->end || *c->p != '[')
		return false;
	for (c->p++; i--; c->p++)
		if (!taf_skip_value(c) || c->p == c->end || *c->p != ',')
			return false;
	return c->p < c->end && *c->p != ']';
}

bool taf_crumb_item(const struct taf_crumb_line *line, enum taf_key key, unsigned i, char *buf,
		    size_t room)
{
	struct taf_cursor c = value_of(line, key);

	if (room)
		buf[0] = '\0';
	return seek_item(&c, i) && taf_read_string(&c, buf, room);
}

bool taf_crumb_item_u64(const struct taf_crumb_line *line, enum taf_key key, unsigned i,
			uint64_t *v)
{
	struct taf_cursor c = value_of(line, key);

	*v = 0;
	if (!i && taf_crumb_u64(line, key, v))
		return true;
	return seek_item(&c, i) && read_digits(&c, v);
}

/* The value of member name of the object at key; c then stands before it. */
static bool find_member(const struct taf_crumb_line *line, enum taf_key key, const char *name,
			struct taf_cursor *c)
{
	*c = value_of(line, key);
	if (c->p == c->end || *c->p != '{')
		return false;
	for (c->p++; c->p < c->end; c->p++) {
		const char *from = c->p + 1;
		size_t n;

		if (!taf_skip_string(c) || c->p == c->end || *c->p != ':')
			return false;
		n = (size_t)(c->p++ - 1 - from);
		if (n == taf_len(name) && taf_equal(from, name, n))
			return true;
		if (!taf_skip_value(c) || c->p == c->end || *c->p != ',')
			return false;
	}
	return false;
}

bool taf_crumb_member(const struct taf_crumb_line *line, enum taf_key key, const char *name,
		      char *buf, size_t room)
{
	struct taf_cursor c;

	if (room)
		buf[0] = '\0';
	return find_member(line, key, name, &c) && taf_read_string(&c, buf, room);
}

bool taf_crumb_member_u64(const struct taf_crumb_line *line, enum taf_key key, const char *name,
			  uint64_t *v)
{
	struct taf_cursor c;

	*v = 0;
	return find_member(line, key, name, &c) && read_digits(&c, v) &&
	       (*c.p == ',' || *c.p == '}');
}

static int enum_of(const struct taf_crumb_line *line, enum taf_key key,
		   int (*find)(const char *name))
{
	char name[24];

	if (!taf_crumb_text(line, key, name, sizeof(name)))
		return -1;
	return find(name);
}

int taf_crumb_kind(const struct taf_crumb_line *line)
{
	return enum_of(line, TAF_KEY_EV, taf_kind_of);
}

static int phase_of(const char *name)
{
	for (int i = 0; i < 3; i++)
		if (taf_same(taf_phase_name((enum taf_phase)i), name))
			return i;
	return -1;
}

int taf_crumb_phase(const struct taf_crumb_line *line)
{
	return enum_of(line, TAF_KEY_PH, phase_of);
}

int taf_crumb_engine(const struct taf_crumb_line *line)
{
	int e = enum_of(line, TAF_KEY_ENGINE, taf_engine_of);

	return e < 0 ? TAF_ENGINE_NONE : e;
}

/* n digits at p, whose value is at most max. */
static bool read_field(const char *p, int n, uint32_t max, uint32_t *v)
{
	*v = 0;
	for (int i = 0; i < n; i++) {
		if (!taf_is_digit(p[i]))
			return false;
		*v = *v * 10 + (uint32_t)(p[i] - '0');
	}
	return *v <= max;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar. */
static int64_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = y / 400, yoe = y - era * 400;
	int64_t doy = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

bool taf_rfc3339_us(const char *s, size_t n, uint64_t *us)
{
	uint32_t y, mo, d, h, mi, sec, unit = 100000;
	uint64_t part = 0;
	size_t i = 19;
	int64_t days;

	*us = 0;
	if (n < 20 || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != ' ') ||
	    s[13] != ':' || s[16] != ':')
		return false;
	if (!read_field(s, 4, 9999, &y) || !read_field(s + 5, 2, 12, &mo) ||
	    !read_field(s + 8, 2, 31, &d) || !read_field(s + 11, 2, 23, &h) ||
	    !read_field(s + 14, 2, 59, &mi) || !read_field(s + 17, 2, 60, &sec))
		return false;
	if (s[i] == '.')
		for (i++; i < n && taf_is_digit(s[i]); i++, unit /= 10)
			part += unit * (uint64_t)(s[i] - '0');
	if (i + 1 != n || s[i] != 'Z' || y < 1970 || !mo || !d)
		return false;
	days = days_of(y, mo, d);
	*us = (((uint64_t)days * 24 + h) * 60 + mi) * 60000000 + sec * (uint64_t)1000000 + part;
	return true;
}

bool taf_crumb_utc_us(const struct taf_crumb_line *line, uint64_t *us)
{
	char t[40];

	return taf_crumb_text(line, TAF_KEY_T, t, sizeof(t)) && taf_rfc3339_us(t, taf_len(t), us);
}
