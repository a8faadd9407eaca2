/* SPDX-License-Identifier: MIT */
#include "value.h"

#include <errno.h>
#include <signal.h>

#include "letter.h"

struct unit {
	char name[8];
	uint64_t worth;
};

/* Largest first: a shower takes the first that divides. */
static const struct unit time_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

static const struct unit size_units[] = {
	{ "tib", 1ull << 40 }, { "tb", 1000000000000 }, { "gib", 1ull << 30 },
	{ "gb", 1000000000 },  { "mib", 1ull << 20 },	{ "mb", 1000000 },
	{ "kib", 1ull << 10 }, { "kb", 1000 },		{ "b", 1 },
};

static const char size_names[][4] = { "TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB", "B" };

static const struct {
	char name[8];
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },	  { "QUIT", SIGQUIT }, { "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 }, { "ALRM", SIGALRM }, { "TERM", SIGTERM }, { "XCPU", SIGXCPU },
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

void taf_why(struct taf_text *why, const char *s)
{
	if (why)
		taf_text_put(why, s);
}

void taf_why_quote(struct taf_text *why, const char *s)
{
	if (!why)
		return;
	taf_text_json(why, s, TAF_VALUE_QUOTED);
	if (taf_len(s) > TAF_VALUE_QUOTED)
		taf_text_put(why, "...");
}

static int refuse(struct taf_text *why, const char *s, const char *rest)
{
	taf_why_quote(why, s);
	taf_why(why, rest);
	return -EINVAL;
}

static bool same_any_case(const char *a, const char *b)
{
	while (*a && taf_lower(*a) == taf_lower(*b)) {
		a++;
		b++;
	}
	return taf_lower(*a) == taf_lower(*b);
}

/* whole + part / scale, as written; unit is what follows. */
struct number {
	uint64_t whole, part, scale;
	const char *unit;
};

static bool read_number(const char *s, struct number *n)
{
	*n = (struct number){ .scale = 1 };
	if (!taf_read_u64(s, &n->unit, &n->whole))
		return false;
	if (*n->unit != '.')
		return true;
	n->unit++;
	if (*n->unit < '0' || *n->unit > '9')
		return false;
	for (; *n->unit >= '0' && *n->unit <= '9'; n->unit++) {
		if (n->scale == 1000000)
			return false;
		n->part = n->part * 10 + (uint64_t)(*n->unit - '0');
		n->scale *= 10;
	}
	return true;
}

static bool times(const struct number *n, uint64_t worth, uint64_t *v)
{
	uint64_t part = n->part * worth / n->scale;

	if (n->whole > (UINT64_MAX - part) / worth)
		return false;
	*v = n->whole * worth + part;
	return true;
}

struct scale {
	const struct unit *units;
	size_t count;
	const char *form; /* after the quoted value, when it is none at all */
	const char *example; /* unit to propose when there is none */
};

static int read_scaled(const struct scale *k, const char *s, uint64_t *v, struct taf_text *why)
{
	struct number n;
	uint64_t r;

	if (!read_number(s, &n))
		return refuse(why, s, k->form);
	if (!*n.unit) {
		refuse(why, s, " has no unit and none is assumed; write \"");
		taf_why(why, s);
		taf_why(why, k->example);
		taf_why(why, "\"");
		return -EINVAL;
	}
	for (size_t i = 0; i < k->count; i++) {
		if (!same_any_case(n.unit, k->units[i].name))
			continue;
		if (!times(&n, k->units[i].worth, &r)) {
			refuse(why, s, " is more than 64 bits hold; write less");
			return -ERANGE;
		}
		if (!r && (n.whole || n.part))
			return refuse(
				why, s,
				" is less than the smallest unit; write more, or 0 with a unit");
		*v = r;
		return 0;
	}
	return refuse(why, s, k->form);
}

int taf_value_ms(const char *s, uint64_t *v, struct taf_text *why)
{
	static const struct scale k = {
		time_units, COUNT(time_units),
		" is no duration; write a number and ms, s, m, h or d, as in \"90s\"", "s"
	};

	return read_scaled(&k, s, v, why);
}

int taf_value_size(const char *s, uint64_t *v, struct taf_text *why)
{
	static const struct scale k = { size_units, COUNT(size_units),
					" is no size; write a number and B, KiB, MiB, GiB, TiB, "
					"kB, MB, GB or TB, as in \"8GiB\"",
					"MiB" };

	return read_scaled(&k, s, v, why);
}

int taf_value_bool(const char *s, bool *v, struct taf_text *why)
{
	static const char yes[][8] = { "on", "true", "yes", "1" };
	static const char no[][8] = { "off", "false", "no", "0" };

	for (size_t i = 0; i < COUNT(yes); i++) {
		if (taf_same(s, yes[i]) || taf_same(s, no[i])) {
			*v = taf_same(s, yes[i]);
			return 0;
		}
	}
	return refuse(why, s, " is neither on nor off; write true or false");
}

int taf_value_pct(const char *s, uint32_t *v, struct taf_text *why)
{
	const char *end;
	uint64_t n;

	if (!taf_read_u64(s, &end, &n) || !(taf_same(end, "%") || !*end))
		return refuse(why, s,
			      " is no percentage; write a whole number and %, as in \"67%\"");
	if (n > 100) {
		refuse(why, s, " is more than all there is; write 0% to 100%");
		return -ERANGE;
	}
	*v = (uint32_t)n;
	return 0;
}

int taf_value_int(const char *s, int64_t *v, struct taf_text *why)
{
	bool is_minus = *s == '-';
	const char *end;
	uint64_t n;

	if (!taf_read_u64(s + is_minus, &end, &n) || *end)
		return refuse(why, s, " is no whole number; write digits alone, as in 4");
	if (n > INT64_MAX) {
		refuse(why, s, " is more than 63 bits hold; write less");
		return -ERANGE;
	}
	*v = is_minus ? -(int64_t)n : (int64_t)n;
	return 0;
}

/* The word that starts at *p goes to buf; false at the end of the list. */
static bool next_word(const char **p, char *buf, size_t room)
{
	size_t n = 0;

	if (!**p)
		return false;
	for (; **p && **p != '|'; ++*p)
		if (n + 1 < room)
			buf[n++] = **p;
	buf[n] = '\0';
	*p += **p == '|';
	return true;
}

int taf_value_word(const char *words, const char *s, uint32_t *v, struct taf_text *why)
{
	const char *p = words;
	char word[24];
	uint32_t i = 0;

	for (; next_word(&p, word, sizeof(word)); i++) {
		if (taf_same(word, s)) {
			*v = i;
			return 0;
		}
	}
	refuse(why, s, " is not one of the words; write ");
	if (why)
		taf_value_list_words(why, words, 0, i - 1);
	return -EINVAL;
}

static int one_signal(const char *s, uint64_t *v, struct taf_text *why)
{
	static const char crash[][8] = {
		"SEGV", "BUS", "FPE", "ILL", "ABRT", "TRAP", "SYS", "IOT"
	};
	const char *name = taf_starts(s, "SIG") ? s + 3 : s;

	for (size_t i = 0; i < COUNT(signals); i++) {
		if (taf_same(name, signals[i].name)) {
			*v |= 1ull << (signals[i].number - 1);
			return 0;
		}
	}
	if (taf_same(name, "KILL") || taf_same(name, "STOP"))
		return refuse(why, s, " cannot be caught by any program; leave it out");
	for (size_t i = 0; i < COUNT(crash); i++)
		if (taf_same(name, crash[i]))
			return refuse(
				why, s,
				" is a crash, after which nothing may be drained; leave it out");
	return refuse(why, s,
		      " is no signal that asks a program to end; write some of "
		      "HUP INT QUIT USR1 USR2 ALRM TERM XCPU");
}

int taf_value_signals(const char *s, uint64_t *v, struct taf_text *why)
{
	uint64_t mask = 0;
	char name[32];

	if (taf_same(s, "none") || !*s) {
		*v = 0;
		return 0;
	}
	for (const char *p = s;; p++) {
		size_t n = 0;

		for (; *p && *p != ','; p++)
			if (*p != ' ' && n + 1 < sizeof(name))
				name[n++] = *p;
		name[n] = '\0';
		if (one_signal(name, &mask, why) < 0)
			return -EINVAL;
		if (!*p)
			break;
	}
	*v = mask;
	return 0;
}

void taf_value_show_ms(struct taf_text *out, uint64_t ms)
{
	size_t i = ms ? 0 : 3;

	while (ms % time_units[i].worth)
		i++;
	taf_text_u64(out, ms / time_units[i].worth);
	taf_text_put(out, time_units[i].name);
}

void taf_value_show_size(struct taf_text *out, uint64_t bytes)
{
	size_t i = bytes ? 0 : COUNT(size_units) - 1;

	while (bytes % size_units[i].worth)
		i++;
	taf_text_u64(out, bytes / size_units[i].worth);
	taf_text_put(out, size_names[i]);
}

void taf_value_show_signals(struct taf_text *out, uint64_t mask)
{
	bool is_first = true;

	for (size_t i = 0; i < COUNT(signals); i++) {
		if (!(mask >> (signals[i].number - 1) & 1))
			continue;
		if (!is_first)
			taf_text_char(out, ',');
		is_first = false;
		taf_text_put(out, signals[i].name);
	}
	if (is_first)
		taf_text_put(out, "none");
}

void taf_value_show_word(struct taf_text *out, const char *words, uint32_t place)
{
	char word[24] = "?";

	for (uint32_t i = 0; i <= place; i++) {
		if (!next_word(&words, word, sizeof(word))) {
			taf_text_char(out, '?');
			return;
		}
	}
	taf_text_put(out, word);
}

void taf_value_list_words(struct taf_text *out, const char *words, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++) {
		if (i > first)
			taf_text_put(out, i == last ? " or " : ", ");
		taf_value_show_word(out, words, i);
	}
}
