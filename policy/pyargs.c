/* SPDX-License-Identifier: MIT */
#include "pyargs.h"

/* The words on their way to a. */
struct reading {
	const char *const *argv;
	int argc, at;
	struct taf_pyargs *a;
};

static const char *word(const struct reading *r, int i)
{
	return i < r->argc ? r->argv[i] : NULL;
}

/* The value of an option: what stands behind its letter, else the next word. */
static const char *value_of(struct reading *r, const char *behind)
{
	return *behind ? behind : word(r, ++r->at);
}

static void take_long(struct reading *r, const char *name)
{
	if (taf_same(name, "--check-hash-based-pycs"))
		r->at++;
	else if (taf_same(name, "--version") || taf_starts(name, "--help"))
		r->a->only_tells = true;
}

/* The letters of one word; true: the options end with it. */
static bool take_letters(struct reading *r, const char *p)
{
	for (; *p; p++) {
		switch (*p) {
		case 'c': r->a->has_command = value_of(r, p + 1) != NULL; return true;
		case 'm': r->a->module = value_of(r, p + 1); return true;
		case 'W':
		case 'X': value_of(r, p + 1); return false;
		case 'I': r->a->skips_user = true; /* fall through */
		case 'E': r->a->ignores_env = true; break;
		case 's': r->a->skips_user = true; break;
		case 'S': r->a->skips_site = true; break;
		case 'V':
		case 'h':
		case '?': r->a->only_tells = true; break;
		default: break;
		}
	}
	return false;
}

void taf_pyargs_read(int argc, const char *const *argv, struct taf_pyargs *a)
{
	struct reading r = { argv, argc, 1, a };
	const char *w;

	taf_zero(a, sizeof(*a));
	for (; (w = word(&r, r.at)); r.at++) {
		if (*w != '-' || !w[1]) {
			a->script = w;
			break;
		}
		if (taf_same(w, "--")) {
			a->script = word(&r, ++r.at);
			break;
		}
		if (w[1] == '-')
			take_long(&r, w);
		else if (take_letters(&r, w + 1))
			break;
	}
	a->next = r.at + 1;
}
