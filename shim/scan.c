/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <errno.h>

/* What may come next. */
enum state { VALUE, FIRST_KEY, NEXT_KEY, FIRST_VALUE, AFTER, DONE };

static enum taf_scan_token bad(struct taf_scan *s, const char *why)
{
	taf_reader_fail(s->r, -EINVAL, why);
	return TAF_SCAN_BAD;
}

/* The next byte, or -1 at the end of the document or on a flaw. */
static int get(struct taf_scan *s)
{
	int c = s->peeked;

	if (c >= 0) {
		s->peeked = -1;
		return c;
	}
	if (s->r->at >= s->end)
		return -1;
	c = taf_reader_byte(s->r);
	return c < 0 ? -1 : c;
}

static int get_dark(struct taf_scan *s)
{
	int c;

	do
		c = get(s);
	while (c == ' ' || c == '\t' || c == '\n' || c == '\r');
	return c;
}

static void keep(struct taf_scan *s, char c)
{
	if (s->text_len + 1 < sizeof(s->text))
		s->text[s->text_len++] = c;
	else
		s->is_cut = true;
	s->text[s->text_len] = '\0';
}

static void clear(struct taf_scan *s)
{
	s->text_len = 0;
	s->text[0] = '\0';
	s->is_cut = false;
	s->is_whole = false;
	s->number = 0;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four digits after \u, as UTF-8; half of a pair and NUL become '?'. */
static bool read_unicode(struct taf_scan *s)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		int d = hex_digit(get(s));

		if (d < 0)
			return false;
		v = v << 4 | (unsigned)d;
	}
	if (!v || (v >= 0xd800 && v < 0xe000)) {
		keep(s, '?');
	} else if (v < 0x80) {
		keep(s, (char)v);
	} else if (v < 0x800) {
		keep(s, (char)(0xc0 | v >> 6));
		keep(s, (char)(0x80 | (v & 0x3f)));
	} else {
		keep(s, (char)(0xe0 | v >> 12));
		keep(s, (char)(0x80 | (v >> 6 & 0x3f)));
		keep(s, (char)(0x80 | (v & 0x3f)));
	}
	return true;
}

static bool read_escape(struct taf_scan *s)
{
	int c = get(s);

	switch (c) {
	case '"':
	case '\\':
	case '/': keep(s, (char)c); return true;
	case 'b': keep(s, '\b'); return true;
	case 'f': keep(s, '\f'); return true;
	case 'n': keep(s, '\n'); return true;
	case 'r': keep(s, '\r'); return true;
	case 't': keep(s, '\t'); return true;
	case 'u': return read_unicode(s);
	default: return false;
	}
}

/* After the opening quote. */
static bool read_string(struct taf_scan *s)
{
	int c;

	clear(s);
	while ((c = get(s)) != '"') {
		if (c < 0x20 || (c == '\\' && !read_escape(s))) {
			bad(s, "a string with a control byte, a bad escape or no end");
			return false;
		}
		if (c != '\\')
			keep(s, (char)c);
	}
	return true;
}

static enum taf_scan_token read_number(struct taf_scan *s, int c)
{
	const char *end;
	bool has_digit = false;

	clear(s);
	while ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E') {
		has_digit = has_digit || (c >= '0' && c <= '9');
		keep(s, (char)c);
		c = get(s);
	}
	s->peeked = c;
	if (!has_digit)
		return bad(s, "neither a value nor a number");
	s->is_whole = !s->is_cut && taf_read_u64(s->text, &end, &s->number) && !*end;
	return TAF_SCAN_NUMBER;
}

static enum taf_scan_token read_word(struct taf_scan *s, int c)
{
	clear(s);
	/* NaN and Infinity are written by Python, and are no values here. */
	while ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
		keep(s, (char)c);
		c = get(s);
	}
	s->peeked = c;
	if (taf_same(s->text, "true"))
		return TAF_SCAN_TRUE;
	if (taf_same(s->text, "false"))
		return TAF_SCAN_FALSE;
	if (taf_same(s->text, "null") || taf_same(s->text, "NaN") || taf_same(s->text, "Infinity"))
		return TAF_SCAN_NULL;
	return bad(s, "not JSON");
}

static enum taf_scan_token open_level(struct taf_scan *s, bool is_object)
{
	if (s->depth >= TAF_SCAN_DEPTH)
		return bad(s, "nested too deep");
	s->objects &= ~(1u << s->depth);
	s->objects |= (uint32_t)is_object << s->depth;
	s->depth++;
	s->state = is_object ? FIRST_KEY : FIRST_VALUE;
	return is_object ? TAF_SCAN_OBJECT : TAF_SCAN_ARRAY;
}

static enum taf_scan_token close_level(struct taf_scan *s)
{
	s->depth--;
	s->state = s->depth ? AFTER : DONE;
	return TAF_SCAN_CLOSE;
}

static enum taf_scan_token read_value(struct taf_scan *s, int c)
{
	enum taf_scan_token t;

	if (c == '{' || c == '[')
		return open_level(s, c == '{');
	if (c == '"')
		t = read_string(s) ? TAF_SCAN_STRING : TAF_SCAN_BAD;
	else if (c == '-' || (c >= '0' && c <= '9'))
		t = read_number(s, c);
	else
		t = read_word(s, c);
	s->state = s->depth ? AFTER : DONE;
	return t;
}

static enum taf_scan_token read_key(struct taf_scan *s, int c)
{
	if (c != '"' || !read_string(s))
		return bad(s, "a name is missing in an object");
	if (get_dark(s) != ':')
		return bad(s, "a ':' is missing after a name");
	s->state = VALUE;
	return TAF_SCAN_KEY;
}

static bool is_in_object(const struct taf_scan *s)
{
	return s->objects >> (s->depth - 1) & 1;
}

void taf_scan_init(struct taf_scan *s, struct taf_reader *r, uint64_t end)
{
	taf_zero(s, sizeof(*s));
	s->r = r;
	s->end = end < r->size ? end : r->size;
	s->state = VALUE;
	s->peeked = -1;
}

enum taf_scan_token taf_scan_next(struct taf_scan *s)
{
	int c;

	if (s->r->err)
		return TAF_SCAN_BAD;
	if (s->state == DONE)
		return TAF_SCAN_END;
	c = get_dark(s);
	if (s->state == AFTER) {
		if (c == (is_in_object(s) ? '}' : ']'))
			return close_level(s);
		if (c != ',')
			return bad(s, "a ',' or a closing bracket is missing");
		s->state = is_in_object(s) ? NEXT_KEY : VALUE;
		c = get_dark(s);
	}
	if (c < 0)
		return bad(s, "the JSON ends too early");
	if (s->state == FIRST_KEY && c == '}')
		return close_level(s);
	if (s->state == FIRST_VALUE && c == ']')
		return close_level(s);
	if (s->state == FIRST_KEY || s->state == NEXT_KEY)
		return read_key(s, c);
	return read_value(s, c);
}

bool taf_scan_skip(struct taf_scan *s, enum taf_scan_token t)
{
	int until = s->depth - 1;

	if (t == TAF_SCAN_KEY)
		return taf_scan_skip(s, taf_scan_next(s));
	if (t != TAF_SCAN_OBJECT && t != TAF_SCAN_ARRAY)
		return t > TAF_SCAN_END;
	while (s->depth > until && t > TAF_SCAN_END)
		t = taf_scan_next(s);
	return t > TAF_SCAN_END;
}

bool taf_scan_members(const char *text, size_t n, taf_scan_take *take, void *to)
{
	char key[32];
	uint8_t window[256];
	struct taf_reader r;
	struct taf_scan s;
	enum taf_scan_token t;

	taf_reader_of_memory(&r, text, n);
	taf_reader_window(&r, window, sizeof(window));
	taf_scan_init(&s, &r, n);
	if (taf_scan_next(&s) != TAF_SCAN_OBJECT)
		return false;
	while ((t = taf_scan_next(&s)) == TAF_SCAN_KEY) {
		taf_copy(key, s.text, sizeof(key));
		t = taf_scan_next(&s);
		take(to, key, &s, t);
		if (!taf_scan_skip(&s, t))
			return false;
	}
	return t == TAF_SCAN_CLOSE;
}
