/* SPDX-License-Identifier: MIT */
#include "crumb_read.h"

#include "../policy/text.h"
#include "crumb.h"
#include "crumb_scan.h"

#define TAIL_LEN 18 /* ,"crc":"89abcdef"} */

static const char key_names[TAF_KEY_COUNT][20] = {
#define K(NAME, name) [TAF_KEY_##NAME] = name,
	TAF_CRUMB_KEYS(K)
#undef K
};

static int find_key(const char *name, size_t n, int hint)
{
	for (int i = 0; i < TAF_KEY_COUNT; i++) {
		int k = (hint + i) % TAF_KEY_COUNT;

		if (key_names[k][0] == name[0] && taf_len(key_names[k]) == n &&
		    taf_equal(key_names[k], name, n))
			return k;
	}
	return -1;
}

/* One ,"key":value member; number says which it is. */
static bool scan_member(struct taf_cursor *c, struct taf_crumb_line *line, int number)
{
	const char *name = c->p + 1, *value;
	size_t n;
	int key;

	if (!taf_skip_string(c) || c->p == c->end || *c->p != ':')
		return false;
	n = (size_t)(c->p - 1 - name);
	value = ++c->p;
	if (!taf_skip_value(c))
		return false;
	key = n ? find_key(name, n, number) : -1;
	if (number < TAF_KEYS_IN_ORDER && key != number)
		return false;
	if (key >= 0 && !line->key[key].n)
		line->key[key] = (struct taf_span){ (uint32_t)(value - line->text),
						    (uint32_t)(c->p - value) };
	return true;
}

static bool scan_members(const char *text, size_t n, struct taf_crumb_line *line)
{
	struct taf_cursor c = { text, text + n };
	int number = 0;

	taf_zero(line, sizeof(*line));
	line->text = text;
	line->n = n;
	if (n < 2 || n > TAF_RECORD_MAX || *c.p++ != '{')
		return false;
	for (;; c.p++) {
		if (!scan_member(&c, line, number++) || c.p == c.end)
			return false;
		if (*c.p != ',')
			break;
	}
	return *c.p == '}' && c.p + 1 == c.end && number >= TAF_KEYS_IN_ORDER;
}

static bool sum_matches(const char *text, size_t n, uint32_t seed)
{
	uint32_t sum = 0;
	const char *tail;

	if (n < TAIL_LEN + 2 || n > TAF_RECORD_MAX)
		return false;
	tail = text + n - TAIL_LEN;
	if (!taf_equal(tail, ",\"crc\":\"", 8) || !taf_equal(tail + 16, "\"}", 2))
		return false;
	for (int i = 8; i < 16; i++) {
		int d = taf_hex_digit(tail[i]);

		if (d < 0 || (tail[i] >= 'A' && tail[i] <= 'F'))
			return false;
		sum = sum << 4 | (uint32_t)d;
	}
	return taf_crc32c(seed, text, n - TAIL_LEN) == sum;
}

bool taf_crumb_parse(const char *text, size_t n, uint32_t seed, struct taf_crumb_line *line)
{
	return sum_matches(text, n, seed) && scan_members(text, n, line);
}

bool taf_crumb_parse_again(const char *text, size_t n, struct taf_crumb_line *line)
{
	return scan_members(text, n, line);
}

void taf_crumb_read_init(struct taf_crumb_reader *r, const char *text, size_t n, uint32_t seed)
{
	taf_zero(r, sizeof(*r));
	r->text = text;
	r->n = n;
	r->seed = seed;
}

static bool accept(struct taf_crumb_reader *r, size_t from, size_t end, struct taf_crumb_line *line)
{
	if (!taf_crumb_parse(r->text + from, end - from, r->seed, line))
		return false;
	r->good++;
	r->is_tail_bad = false;
	r->at = end;
	return true;
}

/* A whole record may stand behind damage that ate the newline before it; it
 * ends where the line ends, so only the last TAF_RECORD_MAX bytes matter. */
static bool resync(struct taf_crumb_reader *r, size_t from, size_t end, struct taf_crumb_line *line)
{
	static const char head[] = "{\"t\":\"";
	size_t i = end - from > TAF_RECORD_MAX ? end - TAF_RECORD_MAX : from + 1;

	if (end - i < TAIL_LEN || r->text[end - 1] != '}')
		return false;
	for (; i + sizeof(head) - 1 < end; i++)
		if (r->text[i] == '{' && taf_equal(r->text + i, head, sizeof(head) - 1) &&
		    accept(r, i, end, line))
			return true;
	return false;
}

bool taf_crumb_read_next(struct taf_crumb_reader *r, struct taf_crumb_line *line)
{
	while (r->at < r->n) {
		size_t from = r->at, end;

		if (r->text[from] == '\n') {
			r->at++;
			continue;
		}
		for (end = from; end < r->n && r->text[end] != '\n'; end++)
			;
		if (accept(r, from, end, line))
			return true;
		r->bad++;
		r->bad_at = from;
		if (resync(r, from, end, line))
			return true;
		r->is_tail_bad = true;
		r->at = end;
	}
	return false;
}

const char *taf_crumb_key_name(enum taf_key key)
{
	return (unsigned)key < TAF_KEY_COUNT ? key_names[key] : "?";
}
