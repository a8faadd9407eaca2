/* SPDX-License-Identifier: MIT */
#include "memory_text.h"

#include "../policy/text.h"

/* What follows key at the begin of a line, or NULL. */
static const char *after(const char *text, const char *key)
{
	while (*text) {
		if (taf_starts(text, key))
			return text + taf_len(key);
		while (*text && *text != '\n')
			text++;
		text += *text == '\n';
	}
	return NULL;
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

bool taf_meminfo_read(const char *text, const char *name, uint64_t *v)
{
	const char *p = after(text, name), *end;
	uint64_t kib;

	if (!p || *p != ':' || !taf_read_u64(skip_blanks(p + 1), &end, &kib))
		return false;
	/* A number without its unit may be the begin of a longer one. */
	if (!taf_starts(skip_blanks(end), "kB") || kib > UINT64_MAX / 1024)
		return false;
	*v = kib * 1024;
	return true;
}

bool taf_meminfo_both(const char *text, uint64_t *total, uint64_t *available)
{
	uint64_t all, is_free, buffers = 0, cached = 0;

	if (!taf_meminfo_read(text, "MemTotal", &all) || !all)
		return false;
	if (!taf_meminfo_read(text, "MemAvailable", &is_free)) {
		if (!taf_meminfo_read(text, "MemFree", &is_free))
			return false;
		taf_meminfo_read(text, "Buffers", &buffers);
		taf_meminfo_read(text, "Cached", &cached);
		if (__builtin_add_overflow(is_free, buffers, &is_free) ||
		    __builtin_add_overflow(is_free, cached, &is_free))
			is_free = all;
	}
	*total = all;
	*available = is_free < all ? is_free : all;
	return true;
}

/* The ':' behind the words at s, which commas part, if name is one of them; else NULL. */
static const char *behind_list(const char *s, const char *name)
{
	bool is_in = false;

	for (const char *word = s; *s && *s != '\n'; s++) {
		if (*s != ',' && *s != ':')
			continue;
		is_in = is_in || ((size_t)(s - word) == taf_len(name) && taf_starts(word, name));
		if (*s == ':')
			return is_in ? s : NULL;
		word = s + 1;
	}
	return NULL;
}

/* The '/' behind "N:HIERARCHY:"; the unified one is number 0. NULL: there is none. */
static const char *path_by(const char *text, const char *hierarchy)
{
	for (uint64_t number; *text; text += *text == '\n') {
		if (taf_read_u64(text, &text, &number) && *text == ':' && !number == !*hierarchy) {
			const char *end = behind_list(text + 1, hierarchy);

			if (end && end[1] == '/')
				return end + 1;
		}
		while (*text && *text != '\n')
			text++;
	}
	return NULL;
}

bool taf_cgroup_path(const char *text, const char *hierarchy, char *path, size_t room)
{
	const char *p = path_by(text, hierarchy);
	size_t n = 0;

	if (!p || room < 2)
		return false;
	while (*p && *p != '\n' && n + 1 < room)
		path[n++] = *p++;
	path[n] = '\0';
	/* Cut, or outside of what is mounted here: the root of it is all that we see. */
	if (*p != '\n' || taf_starts(path, "/.."))
		n = 0;
	while (n && path[n - 1] == '/')
		n--;
	path[n] = '\0';
	return true;
}

bool taf_cgroup_parent(char *path)
{
	size_t n = taf_len(path);

	if (!n)
		return false;
	while (n && path[n - 1] != '/')
		n--;
	path[n ? n - 1 : 0] = '\0';
	return true;
}

bool taf_cgroup_amount(const char *text, uint64_t *v)
{
	const char *end;
	uint64_t n;

	if (taf_same(text, "max\n") || taf_same(text, "max")) {
		*v = UINT64_MAX;
		return true;
	}
	if (!taf_read_u64(text, &end, &n) || (*end && *end != '\n'))
		return false;
	*v = n;
	return true;
}

bool taf_cgroup_stat(const char *text, const char *key, uint64_t *v)
{
	const char *p = after(text, key), *end;
	uint64_t n;

	if (!p || *p != ' ' || !taf_read_u64(p + 1, &end, &n) || *end != '\n')
		return false;
	*v = n;
	return true;
}
