/* SPDX-License-Identifier: MIT */
#include "family.h"

#include "letter.h"

static const struct family {
	char text[12], stem[12], version[8];
	uint32_t floor_ms, settle_ms;
} families[] = {
	[TAF_FAMILY_NONE] = { "", "", "", 0, 0 },
#define FAMILY(NAME, text, stem, version, floor_ms, settle_ms) \
	[TAF_FAMILY_##NAME] = { text, stem, version, floor_ms, settle_ms },
#include "families.def"
};

static const struct {
	enum taf_family_id family;
	char name[20];
} vendors[] = {
#define VENDOR(NAME, organisation) { TAF_FAMILY_##NAME, organisation },
#include "families.def"
};

static const struct {
	char prefix[16], family[8];
} gpus[] = {
#define GPU(prefix, family) { prefix, family },
#include "families.def"
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Bytes of head when s begins with it, in any case; head is in lower case. 0: it does not. */
static size_t begins(const char *s, const char *head)
{
	size_t n = 0;

	while (head[n] && taf_lower(s[n]) == head[n])
		n++;
	return head[n] ? 0 : n;
}

/* ---- By words -------------------------------------------------------------- */

static bool is_gap(char c)
{
	return c == '-' || c == '_' || c == ' ';
}

/* Stem and version stand at s, and no letter or digit runs on: "gemma-4", "gemma4:31b",
 * but not "gemma-4b", "gemma-4.5" or "gemma-40b". */
static bool is_member(const struct family *f, const char *s)
{
	size_t n = begins(s, f->stem), v;

	if (!n)
		return false;
	s += n + is_gap(s[n]);
	v = begins(s, f->version);
	return v && !taf_is_letter(s[v]) && !taf_is_digit(s[v]) &&
	       !(s[v] == '.' && taf_is_digit(s[v + 1]));
}

static bool holds(const struct family *f, const char *name)
{
	for (size_t i = 0; name[i] && name[i] != '@'; i++)
		if (!i || (!taf_is_letter(name[i - 1]) && !taf_is_digit(name[i - 1])))
			if (is_member(f, name + i))
				return true;
	return false;
}

enum taf_family_id taf_family_of(const char *id)
{
	if (!id)
		return TAF_FAMILY_NONE;
	for (size_t i = 1; i < COUNT(families); i++)
		if (holds(&families[i], taf_base(id)))
			return (enum taf_family_id)i;
	return TAF_FAMILY_NONE;
}

/* ---- Literally ------------------------------------------------------------- */

static bool is_vendor(enum taf_family_id family, const char *s, size_t n)
{
	for (size_t i = 0; i < COUNT(vendors); i++)
		if (vendors[i].family == family && taf_len(vendors[i].name) == n &&
		    taf_same_n(vendors[i].name, s, n))
			return true;
	return false;
}

/* "31b-", "e4b-": its length, 0 when it is none. */
static size_t params_at(const char *s)
{
	size_t from = taf_lower(s[0]) == 'e', n = from;

	while (taf_is_digit(s[n]))
		n++;
	return n > from && taf_lower(s[n]) == 'b' && s[n + 1] == '-' ? n + 2 : 0;
}

bool taf_family_is_literal(enum taf_family_id family, const char *id)
{
	const struct family *f = &families[family];
	const char *slash = id ? taf_find(id, "/") : NULL, *s;
	size_t n;

	if (!family || !slash || !is_vendor(family, id, (size_t)(slash - id)))
		return false;
	s = slash + 1;
	n = begins(s, f->text);
	if (!n || s[n] != '-' || !params_at(s + n + 1))
		return false;
	for (s += n + 1 + params_at(s + n + 1); *s; s++)
		if (!taf_is_letter(*s) && !taf_is_digit(*s) && *s != '-')
			return false;
	return true;
}

/* ---- What follows from it -------------------------------------------------- */

const char *taf_family_name(enum taf_family_id family)
{
	return families[family].text;
}

uint32_t taf_family_floor_ms(enum taf_family_id family)
{
	return families[family].floor_ms;
}

uint32_t taf_family_floor_most_ms(void)
{
	uint32_t most = 0;

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (families[i].floor_ms > most)
			most = families[i].floor_ms;
	return most;
}

uint32_t taf_family_settle_ms(const char *id, uint64_t prior_generates)
{
	return prior_generates ? 0 : families[taf_family_of(id)].settle_ms;
}

/* ---- GPUs ------------------------------------------------------------------ */

void taf_gpu_family(const char *architecture, struct taf_text *out)
{
	const char *s = architecture ? architecture : "";

	while (taf_is_space(*s))
		s++;
	if (!*s) {
		taf_text_put(out, "unknown");
		return;
	}
	for (size_t i = 0; i < COUNT(gpus); i++) {
		size_t n = begins(s, gpus[i].prefix);

		/* "applegpu_g130" would be a generation that nobody knows yet. */
		if (n && !taf_is_digit(s[n])) {
			taf_text_put(out, gpus[i].family);
			return;
		}
	}
	taf_text_put(out, architecture);
}
