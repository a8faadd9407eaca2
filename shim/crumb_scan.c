/* SPDX-License-Identifier: MIT */
#include "crumb_scan.h"

#include "../policy/text.h"

#define DEPTH_MAX 32

int taf_hex_digit(char c)
{
	if (taf_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool taf_read_hex4(const char *p, const char *end, uint32_t *v)
{
	*v = 0;
	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int d = taf_hex_digit(p[i]);

		if (d < 0)
			return false;
		*v = *v << 4 | (uint32_t)d;
	}
	return true;
}

/* Steps over a string; the cursor stands on its opening quote. */
bool taf_skip_string(struct taf_cursor *c)
{
	uint32_t v;

	if (c->p == c->end || *c->p++ != '"')
		return false;
	while (c->p < c->end) {
		unsigned char b = (unsigned char)*c->p++;

		if (b == '"')
			return true;
		if (b < 0x20 || b == 0x7f)
			return false;
		if (b != '\\')
			continue;
		if (c->p == c->end)
			return false;
		b = (unsigned char)*c->p++;
		if (b == 'u') {
			if (!taf_read_hex4(c->p, c->end, &v))
				return false;
			c->p += 4;
		} else if (b != '"' && b != '\\' && b != '/' && b != 'b' && b != 'f' && b != 'n' &&
			   b != 'r' && b != 't') {
			return false;
		}
	}
	return false;
}

/* Steps over a number, true, false or null. */
static bool skip_word(struct taf_cursor *c)
{
	static const char words[][8] = { "true", "false", "null" };
	const char *from = c->p;

	for (int i = 0; i < 3; i++) {
		size_t n = taf_len(words[i]);

		if ((size_t)(c->end - c->p) >= n && taf_equal(c->p, words[i], n)) {
			c->p += n;
			return true;
		}
	}
	while (c->p < c->end && (taf_is_digit(*c->p) || *c->p == '-' || *c->p == '+' ||
				 *c->p == '.' || *c->p == 'e' || *c->p == 'E'))
		c->p++;
	return c->p > from && (taf_is_digit(*from) || (*from == '-' && c->p - from > 1));
}

/* Steps over an array or object: brackets must match, text must be whole. What
 * stands between is not judged; the accessors do that for what they read. */
static bool skip_nest(struct taf_cursor *c)
{
	char open[DEPTH_MAX];
	unsigned depth = 0;

	while (c->p < c->end) {
		char b = *c->p;

		if (b == '"') {
			if (!taf_skip_string(c))
				return false;
			continue;
		}
		if ((unsigned char)b < 0x20 || (unsigned char)b >= 0x7f)
			return false;
		c->p++;
		if (b == '[' || b == '{') {
			if (depth == DEPTH_MAX)
				return false;
			open[depth++] = b;
		} else if (b == ']' || b == '}') {
			if (open[--depth] != (b == ']' ? '[' : '{'))
				return false;
			if (!depth)
				return true;
		}
	}
	return false;
}

bool taf_skip_value(struct taf_cursor *c)
{
	if (c->p == c->end)
		return false;
	if (*c->p == '"')
		return taf_skip_string(c);
	if (*c->p == '[' || *c->p == '{')
		return skip_nest(c);
	return skip_word(c);
}
