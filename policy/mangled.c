/* SPDX-License-Identifier: MIT */
#include "mangled.h"

#define PLAIN "_ZN"
#define PART_MAX 256u

/* The bytes of a word behind its length, with both, at s; 0: there is none. */
static size_t part(const char *s, size_t *digits)
{
	size_t n = 0, at = 0;

	for (; s[at] >= '0' && s[at] <= '9' && n <= PART_MAX; at++)
		n = n * 10 + (size_t)(s[at] - '0');
	*digits = at;
	if (!at || !n || n > PART_MAX)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!s[at + i])
			return 0;
	return at + n;
}

size_t taf_mangled_stem(const char *name)
{
	size_t at = sizeof(PLAIN) - 1, stem, n, digits;

	if (!taf_starts(name, PLAIN))
		return 0;
	while ((n = part(name + at, &digits)))
		at += n;
	stem = at;
	while (name[at] == 'B' && (n = part(name + at + 1, &digits)))
		at += n + 1;
	return stem > sizeof(PLAIN) - 1 && name[at] == 'E' && !taf_find(name + at, ".") ? stem : 0;
}

void taf_mangled_put(struct taf_text *t, const char *name)
{
	size_t stem = taf_mangled_stem(name), at = sizeof(PLAIN) - 1, n, digits;

	for (; at < stem && (n = part(name + at, &digits)); at += n) {
		taf_text_put(t, at > sizeof(PLAIN) - 1 ? "::" : "");
		taf_text_put_n(t, name + at + digits, n - digits);
	}
}
