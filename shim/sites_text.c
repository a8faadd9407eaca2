/* SPDX-License-Identifier: MIT */
#include "sites_text.h"

#define APART 4 /* bytes: no instruction that calls is shorter */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A number of 1 to 16 hexadecimal digits; *s stands behind it. */
static bool number(const char **s, uint64_t *v)
{
	const char *from = *s;

	for (*v = 0; digit(**s) >= 0; (*s)++) {
		if (*s - from >= 16)
			return false;
		*v = *v << 4 | (uint64_t)digit(**s);
	}
	return *s != from;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool fail(struct taf_sites_text *t, const char *why)
{
	t->fault = why;
	return false;
}

bool taf_sites_begin(struct taf_sites_text *t, const char *value)
{
	const char *s = value;

	t->fault = NULL;
	t->n_id = t->rows = t->sites = 0;
	t->at = value;
	if (s[0] != '1' || s[1] != ';')
		return fail(t, "its version is unknown");
	for (s += 2; digit(s[0]) >= 0 && digit(s[1]) >= 0 && t->n_id < TAF_SITES_ID_MAX; s += 2)
		t->id[t->n_id++] = (unsigned char)(digit(s[0]) << 4 | digit(s[1]));
	if (!t->n_id || (*s != ';' && *s))
		return fail(t, "its build id is none");
	t->at = *s ? s + 1 : s;
	return true;
}

/* Counts what lies behind ':' and leaves *s behind it. */
static bool count_sites(struct taf_sites_text *t, struct taf_sites_row *r, const char **s)
{
	uint64_t before = 0, site;

	do {
		(*s)++;
		if (!number(s, &site))
			return fail(t, "a site is no number");
		if (r->n_sites && (site <= before || site - before < APART))
			return fail(t, "its sites do not ascend");
		if (t->sites++ >= TAF_SITES_MAX)
			return fail(t, "it names too many sites");
		r->n_sites++;
		before = site;
	} while (**s == ',');
	return true;
}

bool taf_sites_row(struct taf_sites_text *t, struct taf_sites_row *r)
{
	const char *s = t->at;

	if (!*s || t->fault)
		return false;
	if (t->rows++ >= TAF_SITES_ROWS_MAX)
		return fail(t, "it names too many entry points");
	r->name = s;
	while (is_name(*s))
		s++;
	r->n_name = (size_t)(s - r->name);
	r->n_sites = 0;
	if (!r->n_name || *s++ != '=' || !number(&s, &r->address))
		return fail(t, "an entry point has no name or no address");
	r->list = s;
	if (*s == ':' && !count_sites(t, r, &s))
		return false;
	if (*s != ';' && *s)
		return fail(t, "there is something behind an entry point");
	t->at = *s ? s + 1 : s;
	return true;
}

bool taf_sites_site(struct taf_sites_row *r, uint64_t *site)
{
	if (*r->list != ':' && *r->list != ',')
		return false;
	r->list++;
	return number(&r->list, site);
}
