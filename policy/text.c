/* SPDX-License-Identifier: MIT */
#include "text.h"

#include "stamp.h"

/* Eight bytes at any address, of any type. */
typedef uint64_t word __attribute__((may_alias, aligned(1)));

static word *word_at(void *p)
{
	return p;
}

static uint64_t get_word(const void *p)
{
	return *(const word *)p;
}

size_t taf_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool taf_is_ended(const char *s, size_t room)
{
	while (room && *s) {
		s++;
		room--;
	}
	return room > 0;
}

bool taf_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

bool taf_same_n(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i] != b[i])
			return false;
		if (!a[i])
			return true;
	}
	return true;
}

bool taf_starts(const char *s, const char *head)
{
	while (*head)
		if (*s++ != *head++)
			return false;
	return true;
}

bool taf_ends(const char *s, const char *tail)
{
	size_t n = taf_len(s), m = taf_len(tail);

	return n >= m && taf_same(s + (n - m), tail);
}

const char *taf_find(const char *s, const char *needle)
{
	for (; *s; s++)
		if (taf_starts(s, needle))
			return s;
	return *needle ? NULL : s;
}

const char *taf_last(const char *s, char c)
{
	const char *last = NULL;

	for (; *s; s++)
		if (*s == c)
			last = s;
	return last;
}

const char *taf_base(const char *path)
{
	const char *slash = taf_last(path, '/');

	return slash ? slash + 1 : path;
}

bool taf_copy(char *to, const char *from, size_t room)
{
	size_t i = 0;

	if (!room)
		return false;
	for (; from[i] && i + 1 < room; i++)
		to[i] = from[i];
	to[i] = '\0';
	return !from[i];
}

void taf_move(void *to, const void *from, size_t n)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	/* A word is read before it is written over, from whichever end is safe. */
	if (d <= s) {
		for (; n >= sizeof(word); n -= sizeof(word), d += sizeof(word), s += sizeof(word))
			*word_at(d) = get_word(s);
		for (size_t i = 0; i < n; i++)
			d[i] = s[i];
	} else {
		for (; n >= sizeof(word); n -= sizeof(word))
			*word_at(d + n - sizeof(word)) = get_word(s + n - sizeof(word));
		while (n--)
			d[n] = s[n];
	}
}

void taf_zero(void *p, size_t n)
{
	unsigned char *d = p;

	for (; n >= sizeof(word); n -= sizeof(word), d += sizeof(word))
		*word_at(d) = 0;
	for (size_t i = 0; i < n; i++)
		d[i] = 0;
}

bool taf_equal(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n >= sizeof(word); n -= sizeof(word), x += sizeof(word), y += sizeof(word))
		if (get_word(x) != get_word(y))
			return false;
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

bool taf_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *resume = s;

	while (*s) {
		if (*pattern == '*') {
			star = pattern++;
			resume = s;
		} else if (*pattern == '?' || *pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star + 1;
			s = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

void taf_text_init(struct taf_text *t, char *buf, size_t room)
{
	*t = (struct taf_text){ buf, 0, room, false };
	if (room)
		buf[0] = '\0';
}

void taf_text_char(struct taf_text *t, char c)
{
	if (t->used + 1 >= t->room) {
		t->is_cut = true;
		return;
	}
	t->start[t->used++] = c;
	t->start[t->used] = '\0';
}

void taf_text_put(struct taf_text *t, const char *s)
{
	while (*s)
		taf_text_char(t, *s++);
}

void taf_text_put_n(struct taf_text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		taf_text_char(t, s[i]);
}

void taf_text_pad(struct taf_text *t, uint64_t v, int digits)
{
	char d[20];
	int n = 0;

	do {
		d[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (digits-- > n)
		taf_text_char(t, '0');
	while (n)
		taf_text_char(t, d[--n]);
}

void taf_text_u64(struct taf_text *t, uint64_t v)
{
	taf_text_pad(t, v, 1);
}

void taf_text_i64(struct taf_text *t, int64_t v)
{
	if (v < 0)
		taf_text_char(t, '-');
	taf_text_u64(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void taf_text_hex(struct taf_text *t, uint64_t v, int digits)
{
	int shift = 60;

	while (shift > 0 && shift >= digits * 4 && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		taf_text_char(t, "0123456789abcdef"[(v >> shift) & 15]);
}

/* The length of the UTF-8 sequence at s when it is well formed and harmless:
 * shortest form, no surrogate, no C1 control, no bidirectional or line
 * separator that could rearrange what a terminal shows. Else 0. */
static int utf8_run(const unsigned char *s, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int n = (s[0] & 0xe0) == 0xc0	? 2
		: (s[0] & 0xf0) == 0xe0 ? 3
		: (s[0] & 0xf8) == 0xf0 ? 4
					: 0;
	uint32_t c;

	if (!n || (size_t)n > left)
		return 0;
	c = s[0] & (0xffu >> (n + 1));
	for (int i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || c < 0xa0)
		return 0;
	if ((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0x61c || c == 0xfeff)
		return 0;
	return n;
}

/* Invalid bytes become \ufffd; controls, DEL and the runs that utf8_run
 * turns away become \u00XX, byte by byte. '<' and '&' stay: this is not HTML. */
void taf_text_json(struct taf_text *t, const char *s, size_t max)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = 0;

	while (n < max && p[n])
		n++;
	taf_text_char(t, '"');
	for (size_t i = 0; i < n;) {
		int run = p[i] >= 0x80 ? utf8_run(p + i, n - i) : 0;

		if (run) {
			taf_text_put_n(t, s + i, (size_t)run);
			i += (size_t)run;
			continue;
		}
		if (p[i] == '"' || p[i] == '\\') {
			taf_text_char(t, '\\');
			taf_text_char(t, s[i]);
		} else if (p[i] < 0x20 || p[i] == 0x7f) {
			taf_text_put(t, "\\u");
			taf_text_hex(t, p[i], 4);
		} else if (p[i] >= 0x80) {
			taf_text_put(t, "\\ufffd");
		} else {
			taf_text_char(t, s[i]);
		}
		i++;
	}
	taf_text_char(t, '"');
}

bool taf_read_u64(const char *s, const char **end, uint64_t *v)
{
	uint64_t n = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned d = (unsigned)(*p - '0');

		if (n > (UINT64_MAX - d) / 10)
			return false;
		n = n * 10 + d;
	}
	if (end)
		*end = p;
	*v = n;
	return p != s;
}

void taf_text_ms(struct taf_text *t, uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (ms < 1000) {
		taf_text_u64(t, ms);
		taf_text_put(t, "ms");
	} else if (s < 60) {
		taf_text_u64(t, s);
		taf_text_char(t, '.');
		taf_text_u64(t, ms % 1000 / 100);
		taf_text_char(t, 's');
	} else if (s < 3600) {
		taf_text_u64(t, s / 60);
		taf_text_put(t, "m ");
		taf_text_pad(t, s % 60, 2);
		taf_text_char(t, 's');
	} else {
		taf_text_u64(t, s / 3600);
		taf_text_put(t, "h ");
		taf_text_pad(t, s / 60 % 60, 2);
		taf_text_char(t, 'm');
	}
}

void taf_text_left(struct taf_text *t, uint64_t ms)
{
	taf_text_ms(t, ms >= TAF_HOUR_MS     ? ms + TAF_MINUTE_MS - 1
		       : ms >= TAF_MINUTE_MS ? ms + TAF_SECOND_MS - 1
		       : ms >= TAF_SECOND_MS ? ms + 99
					     : ms);
}

void taf_text_bytes(struct taf_text *t, uint64_t bytes)
{
	static const char unit[][8] = { " B", " KiB", " MiB", " GiB", " TiB" };
	int u = 0;
	uint64_t tenths = bytes;

	if (bytes >= 1024) {
		for (u = 1; u < 4 && bytes >> (10 * (u + 1)); u++)
			;
		tenths = (bytes >> (10 * u)) * 10 + ((bytes >> (10 * (u - 1))) & 1023) * 10 / 1024;
		taf_text_u64(t, tenths / 10);
		taf_text_char(t, '.');
		taf_text_u64(t, tenths % 10);
	} else {
		taf_text_u64(t, bytes);
	}
	taf_text_put(t, unit[u]);
}
