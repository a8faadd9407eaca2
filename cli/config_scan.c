/* SPDX-License-Identifier: MIT */
#include "config_scan.h"

#include "../policy/letter.h"

#define NO_KEY UINT32_MAX

struct cursor {
	struct taf_scan *s;
	size_t i;
	unsigned depth;
};

static bool scan_value(struct cursor *c, uint32_t key);

static char here(const struct cursor *c)
{
	return c->i < c->s->n ? c->s->text[c->i] : '\0';
}

static bool fail(struct cursor *c, size_t at, const char *why)
{
	c->s->bad = at;
	c->s->why = why;
	return false;
}

static bool is_inner(char h)
{
	return ((unsigned char)h & 0xc0) == 0x80;
}

/* The inner bytes of a character become '\r', which takes no column. */
static void blank(struct cursor *c, size_t n)
{
	for (; n; n--, c->i++)
		if (here(c) != '\n')
			c->s->text[c->i] = is_inner(here(c)) ? '\r' : ' ';
}

/* At the two bytes that begin a comment. */
static bool skip_comment(struct cursor *c)
{
	size_t start = c->i;
	bool is_line = c->s->text[c->i + 1] == '/';

	blank(c, 2);
	while (c->i < c->s->n) {
		if (is_line && here(c) == '\n')
			return true;
		if (!is_line && here(c) == '*' && c->s->text[c->i + 1] == '/') {
			blank(c, 2);
			return true;
		}
		blank(c, 1);
	}
	return is_line || fail(c, start, "this comment has no end; close it with */");
}

static bool skip(struct cursor *c)
{
	for (;;) {
		char h = here(c);

		if (h == ' ' || h == '\t' || h == '\n' || h == '\r')
			c->i++;
		else if (h == '/' && (c->s->text[c->i + 1] == '/' || c->s->text[c->i + 1] == '*')) {
			if (!skip_comment(c))
				return false;
		} else
			return true;
	}
}

static bool is_hex(char h)
{
	return (h >= '0' && h <= '9') || (h >= 'a' && h <= 'f') || (h >= 'A' && h <= 'F');
}

static bool scan_escape(struct cursor *c)
{
	const char *t = c->s->text + c->i + 1;

	if (*t == 'u') {
		for (int k = 1; k <= 4; k++)
			if (!is_hex(t[k]))
				return fail(c, c->i, "\\u needs four hexadecimal digits");
		if (t[1] == '0' && t[2] == '0' && t[3] == '0' && t[4] == '0')
			return fail(c, c->i, "a string holds no NUL; leave \\u0000 out");
		c->i += 6;
		return true;
	}
	if (*t != '"' && *t != '\\' && *t != '/' && *t != 'b' && *t != 'f' && *t != 'n' &&
	    *t != 'r' && *t != 't')
		return fail(c, c->i, "JSON has no such escape; write \\\\ for a backslash");
	c->i += 2;
	return true;
}

static bool scan_string(struct cursor *c)
{
	size_t start = c->i++;

	for (;;) {
		unsigned char h = (unsigned char)here(c);

		if (c->i >= c->s->n || h == '\n')
			return fail(c, start,
				    "this string has no end; close it with \" on the same line");
		if (h == '"')
			break;
		if (h < 0x20)
			return fail(c, c->i,
				    "a control character in a string; write it as an escape");
		if (h == '\\') {
			if (!scan_escape(c))
				return false;
		} else {
			c->i++;
		}
	}
	c->i++;
	return true;
}

static bool scan_digits(struct cursor *c)
{
	size_t start = c->i;

	while (taf_is_digit(here(c)))
		c->i++;
	return c->i > start;
}

static bool scan_number(struct cursor *c)
{
	size_t start = c->i;
	bool is_good;

	c->i += here(c) == '-';
	is_good = here(c) != '0' || !taf_is_digit(c->s->text[c->i + 1]);
	is_good = scan_digits(c) && is_good;
	if (is_good && here(c) == '.') {
		c->i++;
		is_good = scan_digits(c);
	}
	if (is_good && (here(c) == 'e' || here(c) == 'E')) {
		c->i++;
		c->i += here(c) == '+' || here(c) == '-';
		is_good = scan_digits(c);
	}
	if (is_good)
		return true;
	return fail(
		c, start,
		"this is no number; write digits, as in 4 or -1 (JSON has no NaN and no Infinity)");
}

static bool is_letter(char h)
{
	return taf_is_letter(h) || h == '_';
}

static bool scan_word(struct cursor *c)
{
	static const char words[][8] = { "true", "false", "null" };
	size_t start = c->i, n;

	while (is_letter(here(c)) || taf_is_digit(here(c)))
		c->i++;
	n = c->i - start;
	for (int k = 0; k < 3; k++)
		if (n == taf_len(words[k]) && taf_equal(c->s->text + start, words[k], n))
			return true;
	return fail(c, start, "this word is no value; write true, false, a number or a \"string\"");
}

/* Behind an element: true and *more when another one follows. */
static bool scan_comma(struct cursor *c, char closer, bool *more)
{
	size_t comma;

	if (!skip(c))
		return false;
	*more = here(c) == ',';
	if (here(c) == closer) {
		c->i++;
		return true;
	}
	if (!*more)
		return fail(c, c->i,
			    closer == '}' ? "a comma or } is missing before this"
					  : "a comma or ] is missing before this");
	comma = c->i++;
	if (!skip(c))
		return false;
	if (here(c) == '}' || here(c) == ']')
		return fail(c, comma, "a comma with nothing behind it; remove it");
	return true;
}

static bool scan_member(struct cursor *c)
{
	uint32_t key = (uint32_t)c->i;

	if (here(c) != '"')
		return fail(c, c->i, "a key is missing here; write \"key\": value");
	if (!scan_string(c) || !skip(c))
		return false;
	if (here(c) != ':')
		return fail(c, c->i, "a colon is missing between the key and its value");
	c->i++;
	return skip(c) && scan_value(c, key);
}

static bool scan_inside(struct cursor *c, char closer)
{
	bool more = true;

	c->i++;
	if (c->depth++ == TAF_SCAN_DEPTH)
		return fail(c, c->i - 1, "nested deeper than any setting; close some brackets");
	if (!skip(c))
		return false;
	if (here(c) == closer) {
		c->i++;
		more = false;
	}
	while (more)
		if (!(closer == '}' ? scan_member(c) : scan_value(c, NO_KEY)) ||
		    !scan_comma(c, closer, &more))
			return false;
	c->depth--;
	return true;
}

static bool scan_value(struct cursor *c, uint32_t key)
{
	uint32_t mine = c->s->count;
	char h = here(c);
	bool is_good;

	if (c->i >= c->s->n)
		return fail(c, c->i, "the text ends where a value should stand");
	if (mine == TAF_SCAN_VALUES)
		return fail(c, c->i, "more than 4096 values; no policy needs so many");
	c->s->count++;
	c->s->at[mine] = (struct taf_scan_at){ key, (uint32_t)c->i, 0 };
	if (h == '{' || h == '[')
		is_good = scan_inside(c, h == '{' ? '}' : ']');
	else if (h == '"')
		is_good = scan_string(c);
	else if (is_letter(h))
		is_good = scan_word(c);
	else if (h == '-' || h == '+' || h == '.' || taf_is_digit(h))
		is_good = scan_number(c);
	else
		is_good = fail(c, c->i,
			       h == '\'' ? "a string begins with \", not with '"
					 : "a value is missing before this");
	c->s->at[mine].next = c->s->count;
	return is_good;
}

/* The length of a UTF-8 character, 0 when it is broken. */
static size_t character(const unsigned char *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80		   ? 1
		   : (p[0] & 0xe0) == 0xc0 ? 2
		   : (p[0] & 0xf0) == 0xe0 ? 3
		   : (p[0] & 0xf8) == 0xf0 ? 4
					   : 0;
	uint32_t v;

	if (!n || n > left)
		return 0;
	v = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3fu);
	}
	return v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : n;
}

static bool scan_bytes(struct cursor *c)
{
	const unsigned char *p = (const unsigned char *)c->s->text;

	if (c->s->n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
		return fail(c, 0, "it begins with a byte order mark; save it as UTF-8 without one");
	if (c->s->n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return fail(c, 0, "it is UTF-16; save it as UTF-8");
	for (size_t i = 0, n; i < c->s->n; i += n) {
		n = character(p + i, c->s->n - i);
		if (!n)
			return fail(c, i, "this is no UTF-8; save the file as UTF-8");
		if (!p[i])
			return fail(c, i, "a NUL byte; this is no text file");
	}
	return true;
}

bool taf_scan(struct taf_scan *s)
{
	struct cursor c = { s, 0, 0 };

	s->count = 0;
	if (!scan_bytes(&c) || !skip(&c))
		return false;
	if (c.i == s->n)
		return fail(&c, 0, "it is empty; write {} for a file that says nothing");
	if (here(&c) != '{')
		return fail(&c, c.i, "such a file is an object; begin with {");
	if (!scan_value(&c, NO_KEY) || !skip(&c))
		return false;
	return c.i == s->n || fail(&c, c.i, "text behind the end of the policy; remove it");
}

uint32_t taf_scan_line(const struct taf_scan *s, size_t offset)
{
	uint32_t line = 1;

	for (size_t i = 0; i < offset && i < s->n; i++)
		line += s->text[i] == '\n';
	return line;
}

void taf_scan_where(const struct taf_scan *s, size_t offset, struct taf_text *out)
{
	size_t i = offset < s->n ? offset : s->n;
	uint32_t column = 1;

	taf_text_u64(out, taf_scan_line(s, offset));
	for (; i && s->text[i - 1] != '\n'; i--)
		column += !is_inner(s->text[i - 1]) && s->text[i - 1] != '\r';
	taf_text_char(out, ':');
	taf_text_u64(out, column);
}
