/* SPDX-License-Identifier: MIT */
#include "match.h"

#include "letter.h"

struct words {
	const char *at;
	size_t n;
};

static bool is_number(char c)
{
	return c == '#' || c == '@';
}

static bool is_literal(char c)
{
	return c && c != '\\' && c != '&' && c != '>' && !is_number(c);
}

/* The token at rule, without what joins it to the next. */
static struct words token_at(const char *rule)
{
	struct words t = { rule, 0 };

	while (rule[t.n] && rule[t.n] != '&' && rule[t.n] != '>')
		t.n++;
	return t;
}

static bool is_like(char token, char text)
{
	return token == '~' ? text == ' ' || text == '_' : token == taf_lower(text);
}

/* Steps over the digits at *at; false when there are none. */
static bool skip_number(const struct words *text, size_t *at, uint64_t *number)
{
	size_t from = *at;
	uint64_t v = 0;

	for (; *at < text->n && taf_is_digit(text->at[*at]); ++*at)
		v = v > UINT64_MAX / 10 - 1 ? v : v * 10 + (uint64_t)(text->at[*at] - '0');
	if (number)
		*number = v;
	return *at > from;
}

static bool skip_space(const struct words *text, size_t *at)
{
	size_t from = *at;

	while (*at < text->n && taf_is_space(text->at[*at]))
		++*at;
	return *at > from;
}

/* Where the token that begins at at ends; 0: none begins there. */
static size_t end_of(const struct words *token, const struct words *text, size_t at,
		     uint64_t *number)
{
	for (size_t i = 0; i < token->n; i++) {
		char c = token->at[i];

		if (c == '\\') {
			bool is_any = i + 2 < token->n && token->at[i + 2] == '*';

			if (!skip_space(text, &at) && !is_any)
				return 0;
			i += is_any ? 2 : 1;
		} else if (is_number(c)) {
			if (!skip_number(text, &at, c == '@' ? number : NULL))
				return 0;
		} else if (at >= text->n || !is_like(c, text->at[at++])) {
			return 0;
		}
	}
	return at;
}

/* Where the first such token from from on ends; 0: there is none. */
static size_t find(const struct words *token, const struct words *text, size_t from,
		   uint64_t *number)
{
	const char low = token->at[0];
	const char high = low >= 'a' && low <= 'z' ? (char)(low - ('a' - 'A')) : low;

	for (; from < text->n; from++) {
		size_t end;

		if (text->at[from] != low && text->at[from] != high)
			continue;
		end = end_of(token, text, from, number);
		if (end)
			return end;
	}
	return 0;
}

/* Neighbours that share their lower five bits share a bit: that only lets more through. */
static unsigned pair_of(char a, char b)
{
	return ((unsigned)a & 31) << 5 | ((unsigned)b & 31);
}

void taf_match_prepare(struct taf_matched *m, const char *text, size_t n)
{
	*m = (struct taf_matched){ .text = text, .n = n };
	for (size_t i = 1; i < n; i++) {
		unsigned pair = pair_of(text[i - 1], text[i]);

		m->pairs[pair >> 6] |= 1ull << (pair & 63);
	}
}

/* False when the first two characters of a token are nowhere next to each other. */
static bool may_hold(const struct taf_matched *m, const struct words *token)
{
	unsigned pair;

	if (token->n < 2 || !is_literal(token->at[1]) || token->at[1] == '~')
		return true;
	pair = pair_of(token->at[0], token->at[1]);
	return m->pairs[pair >> 6] >> (pair & 63) & 1;
}

bool taf_match_in(const char *rule, const struct taf_matched *m, uint64_t *number)
{
	for (const char *r = rule;; r++) {
		struct words token = token_at(r);

		if (!may_hold(m, &token))
			return false;
		r += token.n;
		if (!*r)
			return taf_match(rule, m->text, m->n, number);
	}
}

bool taf_match(const char *rule, const char *text, size_t n, uint64_t *number)
{
	const struct words all = { text, n };
	size_t from = 0;

	for (;;) {
		struct words token = token_at(rule);
		size_t end = find(&token, &all, from, number);

		if (!end)
			return false;
		rule += token.n;
		if (!*rule)
			return true;
		from = *rule++ == '>' ? end : 0;
	}
}

bool taf_match_is_sound(const char *rule)
{
	bool is_start = true;

	for (const char *p = rule;; p++) {
		if (is_start && (!is_literal(*p) || *p == '~'))
			return false;
		is_start = *p == '&' || *p == '>';
		if (!*p)
			return true;
		if (*p >= 'A' && *p <= 'Z')
			return false;
		if (*p == '\\') {
			if (*++p != 's')
				return false;
			p += p[1] == '*';
			if (p[1] == '\\' || p[1] == '~' || taf_is_space(p[1]))
				return false;
		} else if (is_number(*p) && (is_number(p[1]) || taf_is_digit(p[1]))) {
			return false;
		}
	}
}
